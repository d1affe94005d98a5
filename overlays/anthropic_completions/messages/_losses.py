"""What a request loses on its way to Messages: one rule for each thing that cannot be carried over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .._errors import AnthropicError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..models import MessagesSupport
    from ..prompts import Turn

    Apply = Callable[["Draft"], Iterator[tuple[str, object]]]

# The documented default, with which a request says what it would say without the field.
_DEFAULT_TEMPERATURE = 1


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing of a completion request that its Messages request does not say, or does not say the same.

    Attributes:
        field: The field of the completion request, such as `top_p` or `stop_sequences[1]`.
        value: What is lost of it: the field's value, or a piece of the prompt.
        rule: The id of the rule in `LOSSES`.
        consequence: What comes of it.
    """

    field: str
    value: Any
    rule: str
    consequence: str

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 60:
            shown = f"{shown[:40]}… ({len(shown)} characters)"
        return f"{self.field}: {shown}: {self.consequence} [{self.rule}]"


class LossError(AnthropicError, ValueError):
    """Messages cannot say all that a request says, and `on_loss` is `error`. Nothing was sent.

    Attributes:
        losses: What it cannot say.
    """

    def __init__(self, losses: Sequence[Loss]) -> None:
        super().__init__(f"Messages cannot say all of this request. {'; '.join(map(str, losses))}")
        self.losses = tuple(losses)


class LossWarning(UserWarning):
    """Messages cannot say all that a request says. It is sent without what is lost.

    Its text holds no values, so that the same loss of the same line is shown once; `losses` does.

    Attributes:
        losses: What it cannot say.
    """

    def __init__(self, losses: Sequence[Loss]) -> None:
        told = "; ".join(f"{loss.field}: {loss.consequence} [{loss.rule}]" for loss in losses)
        super().__init__(f"Messages cannot say all of this request. {told}")
        self.losses = tuple(losses)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.losses,)


@dataclass(slots=True)
class Draft:
    """A request in the middle of its translation, which rules change.

    Attributes:
        support: How Messages serves the model.
        system: The text before the first turn.
        turns: The turns, the last one being what the model continues.
        fields: The completion request's other fields.
    """

    support: MessagesSupport
    system: str
    turns: list[Turn]
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LossRule:
    """Why something cannot be carried over, and what is done about it.

    Attributes:
        id: Its name.
        reason: What of Messages stands in the way, and how that is known.
        consequence: What comes of it.
        apply: Changes the draft and yields field and value of each loss.
    """

    id: str
    reason: str
    consequence: str
    apply: Apply


# All rules by id, in the order in which they are applied.
LOSSES: dict[str, LossRule] = {}


def apply_rules(draft: Draft) -> list[Loss]:
    """Change a draft so that Messages takes it, as far as is known, and return what it lost by that."""
    return [
        Loss(field, value, rule.id, rule.consequence)
        for rule in LOSSES.values()
        for field, value in rule.apply(draft)
    ]


def _rule(*, reason: str, consequence: str) -> Callable[[Apply], Apply]:
    def register(apply: Apply) -> Apply:
        name = apply.__name__.removeprefix("_")
        LOSSES[name] = LossRule(name, reason, consequence, apply)
        return apply

    return register


@_rule(
    reason="Consecutive messages of one role are combined into one turn (documented; how is unknown).",
    consequence="The model does not see that a new turn of the same role begins here.",
)
def _consecutive_turns(draft: Draft) -> Iterator[tuple[str, object]]:
    for turn, following in pairwise(draft.turns):
        if turn.role == following.role:
            yield "prompt", str(following)


@_rule(
    reason="Text must be neither empty nor all white space (the service's words).",
    consequence="It is left out; turns of the same role around it are combined.",
)
def _blank_text(draft: Draft) -> Iterator[tuple[str, object]]:
    if draft.system and not draft.system.strip():
        yield "prompt", draft.system
        draft.system = ""
    last = len(draft.turns) - 1
    turns = []
    for index, turn in enumerate(draft.turns):
        if turn.content.strip():
            turns.append(turn)
        elif turn.text or index != last:  # an empty last turn is where the answer goes: nothing is lost
            yield "prompt", str(turn)
    draft.turns = turns


@_rule(
    reason="The model refuses a last message of the assistant (the contract's `messages.prefill`).",
    consequence="It is left out; the model begins its answer anew instead of continuing this one.",
)
def _prefill_refused(draft: Draft) -> Iterator[tuple[str, object]]:
    while draft.support.prefill is False and draft.turns and draft.turns[-1].role == "assistant":
        yield "prompt", str(draft.turns.pop())


@_rule(
    reason="A last message of the assistant must not end in white space (the service's words).",
    consequence="It is cut off; the answer may begin with white space that repeats it.",
)
def _prefill_whitespace(draft: Draft) -> Iterator[tuple[str, object]]:
    if draft.turns and draft.turns[-1].role == "assistant":
        text = draft.turns[-1].text
        kept = text.rstrip()
        if kept != text:
            draft.turns[-1] = replace(draft.turns[-1], text=kept)
            yield "prompt", text[len(kept) :]


@_rule(
    reason="Each stop sequence must hold more than white space (the service's words).",
    consequence="It is left out; the text does not end there.",
)
def _blank_stop_sequence(draft: Draft) -> Iterator[tuple[str, object]]:
    sequences = draft.fields.get("stop_sequences") or ()
    for index, sequence in enumerate(sequences):
        if not sequence.strip():
            yield f"stop_sequences[{index}]", sequence
    if sequences:
        draft.fields["stop_sequences"] = [sequence for sequence in sequences if sequence.strip()]


@_rule(
    reason="The model refuses sampling other than the default (the contract's `messages.sampling`).",
    consequence="It is left out; the model samples as it does by default.",
)
def _sampling_refused(draft: Draft) -> Iterator[tuple[str, object]]:
    if draft.support.sampling != "none":
        return
    for name in ("temperature", "top_k", "top_p"):
        if name in draft.fields:
            value = draft.fields.pop(name)
            if name != "temperature" or value != _DEFAULT_TEMPERATURE:
                yield name, value


@_rule(
    reason="The model refuses temperature and top_p together (the contract's `messages.sampling`).",
    consequence="It is left out; the temperature alone decides.",
)
def _temperature_with_top_p(draft: Draft) -> Iterator[tuple[str, object]]:
    fields = draft.fields
    if draft.support.sampling != "one" or not {"temperature", "top_p"} <= fields.keys():
        return
    if fields["temperature"] == _DEFAULT_TEMPERATURE:
        del fields["temperature"]  # nothing is lost: it is the default
    else:
        yield "top_p", fields.pop("top_p")
