"""Translate a request for a completion into one for a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .._contract.generated import body_fields, violations
from .._errors import AnthropicError
from .._options import THINKING_ROOM
from ..models import is_unlisted, lifecycle, messages_support
from ..prompts import HUMAN_PROMPT, parse, validate
from ._losses import LossError
from ._rules import Draft, apply_rules, max_tokens_of, switch_thinking_off

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .._contract.schema import JSONObject
    from .._options import Prefill
    from ..models import Lifecycle, MessagesSupport
    from ..types.completion_create_params import CompletionCreateParams
    from ._losses import Loss

# How Messages carries each field of a request. `make check` asks for a line here when the contract gets
# another field; until then the field is sent as it is.
CARRIED = {
    "max_tokens_to_sample": "as max_tokens, with room where the model always thinks",
    "model": "as it is",
    "prompt": "as system and messages",
    "metadata": "as it is",
    "stop_sequences": "as it is, without those that are blank",
    "stream": "as it is",
    "temperature": "as it is, where the model takes it",
    "top_k": "as it is, where the model takes it",
    "top_p": "as it is, where the model takes it",
}
_ROLES = {"human": "user", "assistant": "assistant"}
_REQUIRED = ("max_tokens_to_sample", "model", "prompt")
# Fields with another name, or put together from other ones.
_TRANSLATED = {*_REQUIRED, "stop_sequences"}


class UntranslatablePromptError(AnthropicError, ValueError):
    """The prompt has no counterpart in Messages: the old endpoint refuses it, or its first turn is blank."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The request for a message that says what one for a completion says, and how to read the reply.

    Attributes:
        request: The fields of the Messages request.
        losses: What it does not say, or does not say the same, in the order of `LOSSES`.
        leading_space: Whether the old endpoint's answer would have begun with a space that Messages leaves
            out, see `needs_leading_space`.
        beginning: The text with which the answer is asked in words to begin (`prefill="instruct"`), which
            is to be taken off it; empty for none.
        is_judged: Whether it is known what the model refuses. Where it is not, everything is sent, and the
            losses that depend on the model cannot be told.
    """

    request: JSONObject
    losses: tuple[Loss, ...]
    leading_space: bool
    beginning: str
    is_judged: bool


def translate(
    params: Mapping[str, object],
    *,
    prefill: Prefill = "drop",
    thinking_room: int = THINKING_ROOM,
    support: MessagesSupport | None = None,
) -> Translation:
    """Translate a request for a completion into one for a message.

    The prompt is first changed as the old endpoint changes it, see `prompts.Verdict.sanitised`. White space
    before the first turn and after the last marker is left out, which loses nothing. Optional fields that
    are None count as absent; so do `top_k` and `top_p` of -1, which was the way to say so in 2023.

    Args:
        params: The fields of the completion request by their names on the wire. Fields that it does not know
            are passed on, so that features of Messages can be asked for; `thinking` and `output_config` are
            left as they are. `betas` is passed on too: an argument of clients in both APIs, and a header on
            the wire.
        prefill: What becomes of a prefill, text that the answer shall begin with, where the model refuses
            it: `drop` leaves it out; `instruct` asks for it in words; `error` raises.
        thinking_room: Tokens by which `max_tokens` grows for a model that always thinks, from 0.
        support: How Messages serves the model, in place of what the contract knows.

    Raises:
        TypeError: A field is missing or of the wrong type; ranges are for the service to judge.
        ValueError: There are `messages` or `max_tokens` besides what they are made of, or `system` besides a
            prompt that has such text: one would be lost.
        UntranslatablePromptError: The prompt has no counterpart.
        LossError: There is a prefill that the model refuses, and `prefill` is `error`.
    """
    fields: JSONObject = {
        name: value for name, value in params.items() if value is not None or name in _REQUIRED
    }
    _check(fields)
    asked = cast("CompletionCreateParams", fields)  # by the check
    model = lifecycle(asked["model"])
    transcript = parse(_sanitised(asked["prompt"]))
    _check_beside(fields, transcript.system)
    for name in ("top_k", "top_p"):
        if fields.get(name) == -1:
            del fields[name]
    draft = Draft(
        support=support or messages_support(model.name),
        unlisted=is_unlisted(model),
        system=transcript.system,
        turns=list(transcript.turns),
        fields=fields,
        prefill=prefill,
        thinking_room=thinking_room,
    )
    losses = apply_rules(draft)
    if prefill == "error" and (refused := [loss for loss in losses if loss.rule == "prefill_refused"]):
        raise LossError(refused)
    if not draft.turns or draft.turns[0].role != "human":
        raise UntranslatablePromptError("the prompt's first Human turn is blank, which Messages refuses")
    switch_thinking_off(draft)
    request = _build(draft, model)
    return Translation(
        request=request,
        losses=tuple(losses),
        leading_space=needs_leading_space(params, request),
        beginning=draft.beginning,
        is_judged=draft.support.sampling is not None,
    )


def to_messages_request(params: Mapping[str, object]) -> tuple[JSONObject, list[Loss]]:
    """Return the Messages request that says what a completion request says, and what it cannot say.

    The short form of `translate`, whose defaults hold.

    Args:
        params: The fields of the completion request, as for `translate`.

    Returns:
        The fields of the Messages request, and the losses in the order of `LOSSES`.

    Raises:
        TypeError, ValueError, UntranslatablePromptError: As of `translate`.
    """
    done = translate(params)
    return done.request, list(done.losses)


def needs_leading_space(params: Mapping[str, object], request: Mapping[str, object]) -> bool:
    """Tell whether the old endpoint's answer would have begun with a space that Messages leaves out.

    It would after a prompt that ends in `\\n\\nAssistant:`. An answer that continues a prefill comes with its
    space already. An answer to a prompt whose prefill had to be left out is parted from it by the space as
    well, unless the prefill ends in white space itself. All of this is inference: the documentation only
    shows pairs of examples.

    Args:
        params: The completion request.
        request: The Messages request that was made of it.
    """
    continues = cast("list[JSONObject]", request["messages"])[-1]["role"] == "assistant"
    prompt = validate(str(params["prompt"])).sanitised
    return not continues and not prompt[-1:].isspace()


def _check(fields: Mapping[str, object]) -> None:
    known = {name: value for name, value in fields.items() if name in body_fields()}
    for violation in violations("CompletionRequest", known):
        if violation.rule in ("type", "required"):
            raise TypeError(str(violation))


def _check_beside(fields: Mapping[str, object], system: str) -> None:
    """Refuse fields of Messages that are made of fields of completions."""
    for name, source in (("messages", "the prompt"), ("max_tokens", "max_tokens_to_sample")):
        if name in fields:
            raise ValueError(f"{name}: expected none, as {source} stands for it")
    if "system" in fields and system.strip():
        raise ValueError("system: expected none, as the prompt has such text")


def _sanitised(prompt: str) -> str:
    verdict = validate(prompt)
    if not verdict:
        raise UntranslatablePromptError(f"{verdict.message} (position {verdict.position})")
    return verdict.sanitised


def _build(draft: Draft, model: Lifecycle) -> JSONObject:
    request: JSONObject = {
        "model": _model(model),
        "max_tokens": max_tokens_of(draft),
        "messages": [{"role": _ROLES[turn.role], "content": turn.content} for turn in draft.turns],
    }
    if draft.system:
        request["system"] = draft.system
    given = cast("Sequence[str]", draft.fields.get("stop_sequences", ()))
    request["stop_sequences"] = _stop_sequences(given)
    request |= {name: value for name, value in draft.fields.items() if name not in _TRANSLATED}
    return request


def _model(model: Lifecycle) -> str:
    """Resolve the major-only aliases of the endpoint's own time; newer aliases are names in Messages too."""
    is_of_messages = model.messages.prefill is not None
    return model.name if is_of_messages else model.snapshot


def _stop_sequences(given: Sequence[str]) -> list[str]:
    return [*given, *([] if HUMAN_PROMPT in given else [HUMAN_PROMPT])]
