"""Translate a message into a completion, or say why it has no counterpart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

from .._errors import AnthropicError, APIError, strip_credentials
from ..prompts import HUMAN_PROMPT
from ._beginnings import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from .._contract.schema import JSONObject

    # What came of the message, for errors.
    Reply = Callable[[], Mapping[str, object]]

T = TypeVar("T")
Obstacle = Literal[
    "refusal", "tool_use", "pause_turn", "stop_reason", "content", "thinking", "no_text", "malformed"
]

_STOP_REASONS = {
    "end_turn": "stop_sequence",
    "stop_sequence": "stop_sequence",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",  # inference
}
_OBSTACLES: dict[str, Obstacle] = {
    "pause_turn": "pause_turn",
    "refusal": "refusal",
    "tool_use": "tool_use",
}
THINKING_BLOCKS = frozenset({"thinking", "redacted_thinking"})
# Blocks that are not part of the text and no answer in themselves.
_SILENT_BLOCKS = THINKING_BLOCKS | {"fallback", "compaction"}
_REMEDY = (
    "a larger thinking_room (of the client) or max_tokens_to_sample leaves room for the text, and so does a "
    "model whose thinking can be switched off, such as claude-haiku-5-5"
)


class UntranslatableMessageError(AnthropicError, ValueError):
    """A message has no counterpart among completions.

    Attributes:
        reason: What stands in the way: the stop reasons `refusal`, `tool_use` and `pause_turn`; any other
            unknown `stop_reason`; `content`, a block that is neither text nor thinking; `thinking`, an end
            with nothing but thinking before it; `no_text`, an end without anything; `malformed`, something
            that is not as the API documents it.
        reply: The message; of a stream, what had come of it. The text in a refused one is no answer.
        category: Of a refusal, its kind in the service's words, such as `cyber`; None where it tells none.
        explanation: Of a refusal, why, for people; None where it is not told.
        thinking_tokens: With `thinking`, the tokens that it took; None where that is not told.
        max_tokens: With `thinking`, the cap that was sent, on thinking and text together; None where it is
            not known.
    """

    category: str | None = None
    explanation: str | None = None
    thinking_tokens: int | None = None
    max_tokens: int | None = None

    def __init__(self, sentence: str, *, reason: Obstacle, reply: Mapping[str, object]) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.reply = dict(reply)


class UntranslatableReplyError(APIError, UntranslatableMessageError):
    """What a client raises for a message that has no counterpart among completions.

    Attributes:
        response: The HTTP reply.
        status_code: Its status.
        reason, reply, category, explanation, thinking_tokens, max_tokens: As of `UntranslatableMessageError`.
            `body` is the same as `reply`; of a stream, `completion` is the text that had come.
    """

    def __init__(self, error: UntranslatableMessageError, response: httpx.Response) -> None:
        strip_credentials(response)
        APIError.__init__(self, str(error), response.request, body=error.reply)
        self.reason = error.reason
        self.reply = error.reply
        self.category = error.category
        self.explanation = error.explanation
        self.thinking_tokens = error.thinking_tokens
        self.max_tokens = error.max_tokens
        self.response = response
        self.status_code = response.status_code
        self.request_id = response.headers.get("request-id")


class BackendSwitchWarning(UserWarning):
    """The old endpoint does not serve a model; the backend `auto` asks Messages for it from now on.

    Attributes:
        model: The model.
        missing: Whether the old endpoint does not know it (404). Otherwise it says that Messages serves it.
    """

    missing = False

    def __init__(self, model: str, *, missing: bool = False) -> None:
        told = (
            "does not serve the model {} any more; the Messages API"
            if missing
            else ("serves the model {} by the Messages API only, which")
        )
        super().__init__(
            f"the service {told.format(repr(model))} is asked from now on; "
            'backend="messages" asks it from the start'
        )
        self.model = model
        self.missing = missing

    def __reduce__(self) -> tuple[object, ...]:
        return _switch_warning, (type(self), self.model, self.missing)


def _switch_warning(kind: type[BackendSwitchWarning], model: str, missing: bool) -> BackendSwitchWarning:
    return kind(model, missing=missing)


def to_completion(
    message: Mapping[str, object],
    *,
    leading_space: bool = True,
    beginning: str = "",
    max_tokens: int | None = None,
) -> JSONObject:
    """Return the fields of the completion that says what a message says.

    Args:
        message: The reply of the Messages API, the decoded JSON object.
        leading_space: Whether to put a space before text that does not begin with white space, see
            `Translation.leading_space`.
        beginning: Text to take off the beginning of the answer, exactly or up to white space, see
            `Translation.beginning`. An answer that does not begin with it is returned whole.
        max_tokens: The `max_tokens` that was sent, for the error of an answer that is all thinking.

    Raises:
        UntranslatableMessageError: The message has no counterpart; it is in the error's `reply`.
    """
    return completion_of(message, Answer(leading_space=leading_space, beginning=beginning), max_tokens)


def completion_of(message: Mapping[str, object], answer: Answer, max_tokens: int | None) -> JSONObject:
    """Return the fields of the completion that says what a message says, its text by way of an answer."""

    def reply() -> Mapping[str, object]:
        return message

    blocks = field(message, "content", list, reply)
    text = "".join(block_text(block, reply) for block in blocks)
    stop_reason, stop = ending(message, reply, bool(text), max_tokens)
    return {
        "type": "completion",
        "id": field(message, "id", str, reply),
        "completion": answer.feed(text) + answer.end(),
        "stop_reason": stop_reason,
        "model": field(message, "model", str, reply),
        "stop": stop,
    }


def to_message_stop(stop_reason: str | None, stop: str | None) -> tuple[str | None, str | None]:
    """Return `stop_reason` and `stop_sequence` of the message that ends as a completion does.

    The opposite of what `to_completion` does: a natural end, at `\\n\\nHuman:`, is `end_turn`.
    """
    if stop_reason != "stop_sequence":
        return stop_reason, None
    return ("end_turn", None) if stop in (None, HUMAN_PROMPT) else ("stop_sequence", stop)


def block_text(block: object, reply: Reply) -> str:
    """Return the text of a block of content; of thinking and of notes about the answer there is none."""
    kind = field(block, "type", str, reply)
    if kind in _SILENT_BLOCKS:
        return ""
    if kind != "text":
        raise UntranslatableMessageError(
            f"the message holds a block of the type {kind!r}, which completions do not have",
            reason="content",
            reply=reply(),
        )
    return field(block, "text", str, reply)


def ending(
    end: Mapping[str, object], reply: Reply, has_text: bool, max_tokens: int | None
) -> tuple[str, str | None]:
    """Return the completion's stop reason and stop, or raise where the message ends in another way."""
    reason, sequence = end.get("stop_reason"), end.get("stop_sequence")
    if not isinstance(reason, str) or reason not in _STOP_REASONS:
        raise _other_end(reason, end.get("stop_details"), reply())
    # A stop sequence that is met at once explains an empty text; nothing else does.
    if not has_text and reason != "stop_sequence":
        raise _without_text(reason, reply(), max_tokens)
    stop = None if sequence is None else field(end, "stop_sequence", str, reply)
    return _STOP_REASONS[reason], HUMAN_PROMPT if reason == "end_turn" else stop


def _other_end(reason: object, details: object, reply: Mapping[str, object]) -> UntranslatableMessageError:
    sentence = f"the message ends with the stop reason {reason!r}, which completions do not have"
    told = {
        name: value
        for name in ("category", "explanation")
        if isinstance(details, Mapping) and isinstance(value := details.get(name), str)
    }
    if reason == "refusal" and told:
        sentence += f" ({': '.join(told.values())})"
    error = UntranslatableMessageError(
        sentence,
        reason=_OBSTACLES.get(reason, "stop_reason") if isinstance(reason, str) else "malformed",
        reply=reply,
    )
    error.category, error.explanation = told.get("category"), told.get("explanation")
    return error


def _without_text(
    reason: str, reply: Mapping[str, object], max_tokens: int | None
) -> UntranslatableMessageError:
    sentence = f"the message ends with the stop reason {reason!r} and without any text"
    tokens = _thinking_tokens(reply)
    content = reply.get("content")
    thought = isinstance(content, list) and any(
        isinstance(block, Mapping) and block.get("type") in THINKING_BLOCKS for block in content
    )
    if not thought and not tokens:
        return UntranslatableMessageError(sentence, reason="no_text", reply=reply)
    used = "an unknown number of" if tokens is None else f"{tokens}"
    cap = "" if max_tokens is None else f" of the {max_tokens} that thinking and text may have together"
    error = UntranslatableMessageError(
        f"{sentence}: thinking took {used} tokens{cap}; {_REMEDY}", reason="thinking", reply=reply
    )
    error.thinking_tokens, error.max_tokens = tokens, max_tokens
    return error


def _thinking_tokens(reply: Mapping[str, object]) -> int | None:
    usage: object = reply.get("usage")
    details: object = usage.get("output_tokens_details") if isinstance(usage, Mapping) else None
    found = details.get("thinking_tokens") if isinstance(details, Mapping) else None
    return found if isinstance(found, int) else None


def field(source: object, name: str, kind: type[T], reply: Reply) -> T:
    """Return a field of what came, or raise where it is not of the type that the API documents."""
    value = source.get(name) if isinstance(source, Mapping) else None
    if not isinstance(value, kind):
        raise UntranslatableMessageError(
            f"the message is not what the Messages API documents: {name!r} is {value!r:.60}",
            reason="malformed",
            reply=reply(),
        )
    return value
