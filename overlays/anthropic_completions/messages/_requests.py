"""From a request for a completion to a request for a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._contract.generated import body_fields, checker
from .._errors import AnthropicError
from ..models import lifecycle
from ..prompts import HUMAN_PROMPT, parse, validate
from ._losses import Draft, apply_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models import Lifecycle
    from ._losses import Loss

_ROLES = {"human": "user", "assistant": "assistant"}
_REQUIRED = ("max_tokens_to_sample", "model", "prompt")
# Fields with another name, or put together from other ones.
_TRANSLATED = {*_REQUIRED, "stop_sequences"}


class UntranslatablePromptError(AnthropicError, ValueError):
    """The prompt has no counterpart in Messages: the old endpoint refuses it, or its first turn is blank."""


def to_messages_request(params: Mapping[str, Any]) -> tuple[dict[str, Any], list[Loss]]:
    """Return the Messages request that says what a completion request says, and what it cannot say.

    The prompt is first changed as the old endpoint changes it, see `prompts.Verdict.sanitised`. Optional
    fields that are None count as absent. For models of which the contract does not know what they refuse,
    everything is sent as it is; what is refused then is the service's answer.

    Args:
        params: The fields of the completion request by their names on the wire. Fields that it does not know
            are passed on, so that features of Messages can be asked for. So is `betas`, an argument of
            clients in both APIs, which is a header on the wire.

    Returns:
        The fields of the Messages request, and the losses in the order of `LOSSES`.

    Raises:
        TypeError: A field is missing or of the wrong type; ranges are for the service to judge.
        ValueError: There are `messages` besides the prompt, or `system` besides one that has such text: one
            would be lost.
        UntranslatablePromptError: The prompt has no counterpart.
    """
    fields: dict[str, Any] = {
        name: value for name, value in params.items() if value is not None or name in _REQUIRED
    }
    _check(fields)
    model = lifecycle(fields["model"])
    prompt = _sanitised(fields["prompt"])
    transcript = parse(prompt)
    draft = Draft(model.messages, transcript.system, list(transcript.turns), fields)
    if "messages" in fields:
        raise ValueError("messages: expected none, as they are made of the prompt")
    if "system" in fields and transcript.system:
        raise ValueError("system: expected none, as the prompt has such text")
    losses = apply_rules(draft)
    if not draft.turns or draft.turns[0].role != "human":
        raise UntranslatablePromptError("the prompt's first Human turn is blank, which Messages refuses")
    return _build(draft, model), losses


def needs_leading_space(params: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Tell whether the old endpoint's answer would have begun with a space that Messages leaves out.

    It would after a prompt that ends in `\\n\\nAssistant:`. An answer that continues a prefill comes with its
    space already. An answer to a prompt whose prefill had to be left out is parted from it by the space as
    well, unless the prefill ends in white space itself. All of this is inference: the documentation only
    shows pairs of examples.

    Args:
        params: The completion request.
        request: The Messages request that was made of it.
    """
    continues = request["messages"][-1]["role"] == "assistant"
    prompt = validate(params["prompt"]).sanitised
    return not continues and not prompt[-1:].isspace()


def _check(fields: Mapping[str, Any]) -> None:
    known = {name: value for name, value in fields.items() if name in body_fields()}
    for violation in checker("CompletionRequest")(known, ""):
        if violation.rule in ("type", "required"):
            raise TypeError(str(violation))


def _sanitised(prompt: str) -> str:
    verdict = validate(prompt)
    if not verdict:
        raise UntranslatablePromptError(f"{verdict.message} (position {verdict.position})")
    return verdict.sanitised


def _build(draft: Draft, model: Lifecycle) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": _model(model),
        "max_tokens": draft.fields["max_tokens_to_sample"],
        "messages": [{"role": _ROLES[turn.role], "content": turn.content} for turn in draft.turns],
    }
    if draft.system:
        request["system"] = draft.system
    request["stop_sequences"] = _stop_sequences(draft.fields.get("stop_sequences", ()))
    request |= {name: value for name, value in draft.fields.items() if name not in _TRANSLATED}
    return request


def _model(model: Lifecycle) -> str:
    """Resolve the major-only aliases of the endpoint's own time; newer aliases are names in Messages too."""
    is_of_messages = model.messages.prefill is not None
    return model.name if is_of_messages else model.snapshot


def _stop_sequences(given: list[str] | tuple[()]) -> list[str]:
    return [*given, *([] if HUMAN_PROMPT in given else [HUMAN_PROMPT])]
