"""From a message to a completion, whole or streamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .._errors import AnthropicError, APIError, strip_credentials
from ..prompts import HUMAN_PROMPT

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    # What came of the message, for errors.
    Reply = Callable[[], Mapping[str, Any]]

T = TypeVar("T")
Event = tuple[str, dict[str, Any]]
Obstacle = Literal["refusal", "tool_use", "pause_turn", "stop_reason", "content", "no_text", "malformed"]

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
# Blocks that are not part of the text and no answer in themselves.
_SILENT_BLOCKS = ("thinking", "redacted_thinking")


class UntranslatableMessageError(AnthropicError, ValueError):
    """A message has no counterpart among completions.

    Attributes:
        reason: What stands in the way: the stop reasons `refusal`, `tool_use` and `pause_turn`; any other
            unknown `stop_reason`; `content`, a block that is neither text nor thinking; `no_text`, an end
            without any text before it; `malformed`, something that is not as the API documents it.
        reply: The message; of a stream, what had come of it.
    """

    def __init__(self, sentence: str, *, reason: Obstacle, reply: Mapping[str, Any]) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.reply = dict(reply)


class UntranslatableReplyError(APIError, UntranslatableMessageError):
    """What a client raises for a message that has no counterpart among completions.

    Attributes:
        response: The HTTP reply.
        status_code: Its status.
        reason, reply: As of `UntranslatableMessageError`. `body` is the same as `reply`; of a stream,
            `completion` is the text that had come.
    """

    def __init__(self, error: UntranslatableMessageError, response: httpx.Response) -> None:
        strip_credentials(response)
        APIError.__init__(self, str(error), response.request, body=error.reply)
        self.reason = error.reason
        self.reply = error.reply
        self.response = response
        self.status_code = response.status_code
        self.request_id = response.headers.get("request-id")


class BackendSwitchWarning(UserWarning):
    """The service says that it serves a model by Messages only; the backend `auto` asks that from now on."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the service serves the model {model!r} by the Messages API only, which is asked from now on; "
            'backend="messages" asks it from the start'
        )
        self.model = model

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.model,)


def to_completion(message: Mapping[str, Any], *, leading_space: bool = True) -> dict[str, Any]:
    """Return the fields of the completion that says what a message says.

    Args:
        message: The reply of the Messages API, the decoded JSON object.
        leading_space: Whether to put a space before text that does not begin with white space, see
            `needs_leading_space`.

    Raises:
        UntranslatableMessageError: The message has no counterpart; it is in the error's `reply`.
    """

    def reply() -> Mapping[str, Any]:
        return message

    text = "".join(_block_text(block, reply) for block in _field(message, "content", list, reply))
    stop_reason, stop = _ending(message, reply, text)
    return {
        "type": "completion",
        "id": _field(message, "id", str, reply),
        "completion": _spaced(text) if leading_space else text,
        "stop_reason": stop_reason,
        "model": _field(message, "model", str, reply),
        "stop": stop,
    }


def to_message_stop(stop_reason: str | None, stop: str | None) -> tuple[str | None, str | None]:
    """Return `stop_reason` and `stop_sequence` of the message that ends as a completion does.

    The opposite of what `to_completion` does: a natural end, at `\\n\\nHuman:`, is `end_turn`.
    """
    if stop_reason != "stop_sequence":
        return stop_reason, None
    return ("end_turn", None) if stop in (None, HUMAN_PROMPT) else ("stop_sequence", stop)


class StreamTranslator:
    """Turn the events of a Messages stream into those of a completion stream, one by one.

    Args:
        leading_space: As for `to_completion`.
    """

    def __init__(self, *, leading_space: bool = True) -> None:
        self._space_due = leading_space
        self._start: dict[str, Any] = {}
        self._texts: list[str] = []

    def feed(self, event: str, data: Mapping[str, Any]) -> list[Event]:
        """Return the events that one event stands for: none or one.

        Pings and errors are passed on as they are. Unknown events are left out, as the API demands.

        Args:
            event: The event's name.
            data: Its data, the decoded JSON object.

        Raises:
            UntranslatableMessageError: The message has no counterpart; what came of it is in `reply`.
        """
        if event in ("ping", "error"):
            return [(event, dict(data))]
        if event == "message_start":
            if self._start:
                raise UntranslatableMessageError(
                    "the stream begins a second message", reason="malformed", reply=self._so_far()
                )
            self._start = dict(self._part(data, "message"))
            for name in ("id", "model"):
                _field(self._start, name, str, lambda: self._start)
        elif event == "content_block_start":
            return self._text_chunk(_block_text(self._part(data, "content_block"), self._so_far))
        elif event == "content_block_delta":
            delta = self._part(data, "delta")
            if delta.get("type") == "text_delta":
                return self._text_chunk(_field(delta, "text", str, self._so_far))
        elif event == "message_delta":
            delta = self._part(data, "delta")
            if delta.get("stop_reason") is not None:
                return self._last_chunk(delta)
        return []

    def _text_chunk(self, text: str) -> list[Event]:
        if not text:
            return []
        self._texts.append(text)
        if self._space_due:
            self._space_due = False
            text = _spaced(text)
        return [self._chunk(text, None, None)]

    def _last_chunk(self, delta: Mapping[str, Any]) -> list[Event]:
        text = "".join(self._texts)
        stop_reason, stop = _ending(delta, lambda: {**self._so_far(), **delta}, text)
        return [self._chunk("", stop_reason, stop)]

    def _chunk(self, text: str, stop_reason: str | None, stop: str | None) -> Event:
        fields: dict[str, Any] = {"type": "completion"}
        if "id" in self._start:
            fields["id"] = self._start["id"]
        fields |= {"completion": text, "stop_reason": stop_reason}
        if "model" in self._start:
            fields["model"] = self._start["model"]
        return "completion", {**fields, "stop": stop}

    def _part(self, data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        part: Mapping[str, Any] = _field(data, name, dict, self._so_far)
        return part

    def _so_far(self) -> dict[str, Any]:
        """Put together what came of the message: for errors only, as it takes the longer the more came."""
        return {**self._start, "content": [{"type": "text", "text": "".join(self._texts)}]}


def _block_text(block: object, reply: Reply) -> str:
    kind = _field(block, "type", str, reply)
    if kind in _SILENT_BLOCKS:
        return ""
    if kind != "text":
        raise UntranslatableMessageError(
            f"the message holds a block of the type {kind!r}, which completions do not have",
            reason="content",
            reply=reply(),
        )
    return _field(block, "text", str, reply)


def _ending(end: Mapping[str, Any], reply: Reply, text: str) -> tuple[str, str | None]:
    """Return the completion's stop reason and stop, or raise where the message ends in another way."""
    reason, sequence = end.get("stop_reason"), end.get("stop_sequence")
    if not isinstance(reason, str) or reason not in _STOP_REASONS:
        raise UntranslatableMessageError(
            f"the message ends with the stop reason {reason!r}, which completions do not have",
            reason=_OBSTACLES.get(reason, "stop_reason") if isinstance(reason, str) else "malformed",
            reply=reply(),
        )
    # A stop sequence that is met at once explains an empty text; nothing else does.
    if not text and reason != "stop_sequence":
        raise UntranslatableMessageError(
            f"the message ends with the stop reason {reason!r} and without any text",
            reason="no_text",
            reply=reply(),
        )
    if sequence is not None:
        _field(end, "stop_sequence", str, reply)
    return _STOP_REASONS[reason], HUMAN_PROMPT if reason == "end_turn" else sequence


def _spaced(text: str) -> str:
    return text if not text or text[0].isspace() else f" {text}"


def _field(source: object, name: str, kind: type[T], reply: Reply) -> T:
    value = source.get(name) if isinstance(source, Mapping) else None
    if not isinstance(value, kind):
        raise UntranslatableMessageError(
            f"the message is not what the Messages API documents: {name!r} is {value!r:.60}",
            reason="malformed",
            reply=reply(),
        )
    return value
