"""The loss rules: what of a request Messages has no counterpart for, one rule for each thing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from ._beginnings import asked_for, tokens_of
from ._losses import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .._contract.schema import JSONObject
    from .._options import Prefill
    from ..models import MessagesSupport
    from ..prompts import Turn

    Apply = Callable[["Draft"], Iterator[tuple[str, object]]]

# Values with which a request says what it says without the field.
_DEFAULTS = {"temperature": 1, "top_k": 0, "top_p": 1}
_UNLISTED = " The model is not in the contract; it is treated as the newest models are."


@dataclass(slots=True)
class Draft:
    """A request in the middle of its translation, which rules change.

    Attributes:
        support: How Messages serves the model.
        unlisted: Whether that is how it serves the newest, as the model is in no list.
        system: The text before the first turn.
        turns: The turns, the last one being what the model continues.
        fields: The completion request's other fields.
        prefill: What becomes of a last turn of the assistant that the model refuses.
        thinking_room: Tokens by which `max_tokens` grows for a model that always thinks.
        beginning: The text with which the answer was asked in words to begin; empty where it was not.
        more_tokens: Tokens that the answer needs besides those of its text.
    """

    support: MessagesSupport
    unlisted: bool
    system: str
    turns: list[Turn]
    fields: JSONObject
    prefill: Prefill
    thinking_room: int
    beginning: str = ""
    more_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LossRule:
    """Why something cannot be carried over, and what is done about it.

    Attributes:
        id: Its name.
        reason: What of Messages stands in the way, and how that is known.
        consequence: What comes of it.
        apply: Changes the draft and yields field and value of each loss.
        by_model: Whether it depends on the model.
    """

    id: str
    reason: str
    consequence: str
    apply: Apply
    by_model: bool = False


# All rules by id, in the order in which they are applied.
LOSSES: dict[str, LossRule] = {}


def apply_rules(draft: Draft) -> list[Loss]:
    """Change a draft so that Messages takes it, as far as is known, and return what it lost by that."""
    return [
        Loss(
            field, value, rule.id, rule.consequence + (_UNLISTED if draft.unlisted and rule.by_model else "")
        )
        for rule in LOSSES.values()
        for field, value in rule.apply(draft)
    ]


def _rule(*, reason: str, consequence: str, by_model: bool = False) -> Callable[[Apply], Apply]:
    def register(apply: Apply) -> Apply:
        name = apply.__name__.removeprefix("_")
        LOSSES[name] = LossRule(name, reason, consequence, apply, by_model)
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
    if not draft.system.strip():
        draft.system = ""  # white space before the first turn says nothing
    last = len(draft.turns) - 1
    turns = []
    for index, turn in enumerate(draft.turns):
        if turn.content.strip():
            turns.append(turn)
        elif index != last:  # a blank last turn is where the answer goes: nothing is lost
            yield "prompt", str(turn)
    draft.turns = turns


@_rule(
    reason="The model refuses a last message of the assistant (the contract's `messages.prefill`).",
    consequence=(
        "It is left out; the model begins its answer anew instead of continuing this one "
        '(prefill="instruct" asks for it in words).'
    ),
    by_model=True,
)
def _prefill_refused(draft: Draft) -> Iterator[tuple[str, object]]:
    if draft.prefill != "instruct":
        yield from ((field, str(turn)) for field, turn in _taken_off(draft))


@_rule(
    reason="The model refuses a last message of the assistant (the contract's `messages.prefill`).",
    consequence=(
        "It is asked for in words, in the last human turn, and `max_tokens` is raised by what it may take; "
        "the model may not begin its answer so."
    ),
    by_model=True,
)
def _prefill_instructed(draft: Draft) -> Iterator[tuple[str, object]]:
    if draft.prefill != "instruct":
        return
    taken = list(_taken_off(draft))
    contents = [turn.content for turn in reversed([turn for _, turn in taken])]
    draft.beginning = "\n\n".join([*(content.strip() for content in contents[:-1]), *contents[-1:]])
    if draft.beginning and draft.turns:
        asked = draft.turns[-1].text + asked_for(draft.beginning)
        draft.turns[-1] = replace(draft.turns[-1], text=asked)
        draft.more_tokens += tokens_of(draft.beginning)
    yield from ((field, str(turn)) for field, turn in taken)


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
    sequences = cast("Sequence[str]", draft.fields.get("stop_sequences") or ())
    for index, sequence in enumerate(sequences):
        if not sequence.strip():
            yield f"stop_sequences[{index}]", sequence
    if sequences:
        draft.fields["stop_sequences"] = [sequence for sequence in sequences if sequence.strip()]


@_rule(
    reason="The model refuses sampling other than the default (the contract's `messages.sampling`).",
    consequence="It is left out; the model samples as it does by default.",
    by_model=True,
)
def _sampling_refused(draft: Draft) -> Iterator[tuple[str, object]]:
    if draft.support.sampling != "none":
        return
    for name, default in _DEFAULTS.items():
        if name in draft.fields:
            value = draft.fields.pop(name)
            if value != default:
                yield name, value


@_rule(
    reason="The model refuses temperature and top_p together (the contract's `messages.sampling`).",
    consequence="It is left out; the temperature alone decides.",
    by_model=True,
)
def _temperature_with_top_p(draft: Draft) -> Iterator[tuple[str, object]]:
    fields = draft.fields
    if draft.support.sampling != "one" or not {"temperature", "top_p"} <= fields.keys():
        return
    for name in ("top_p", "temperature"):
        if fields[name] == _DEFAULTS[name]:
            del fields[name]  # nothing is lost: it is the default
            return
    yield "top_p", fields.pop("top_p")


@_rule(
    reason="The model always thinks, which counts in `max_tokens` (the contract's `messages.thinking`).",
    consequence=(
        "It is raised by `thinking_room`, at most to what the model takes, and the effort is low: the text "
        "may be longer than asked for, and is cut earlier where the thinking takes more."
    ),
    by_model=True,
)
def _thinking_counts(draft: Draft) -> Iterator[tuple[str, object]]:
    fields, support = draft.fields, draft.support
    if support.thinking != "always" or "thinking" in fields:  # who asks for thinking has reckoned with it
        return
    draft.more_tokens += draft.thinking_room
    if support.effort is not None and "low" in support.effort.levels:
        fields.setdefault("output_config", {"effort": "low"})
    yield "max_tokens_to_sample", fields["max_tokens_to_sample"]


def max_tokens_of(draft: Draft) -> int:
    """Return the cap that holds all that the answer needs, at most what the model takes."""
    asked = cast("int", draft.fields["max_tokens_to_sample"])
    raised = asked + draft.more_tokens
    return max(asked, raised if draft.support.max_tokens is None else min(raised, draft.support.max_tokens))


def switch_thinking_off(draft: Draft) -> None:
    """Switch thinking off where the model thinks unless told otherwise; nothing is lost by that.

    The models of completions did not think, and a cap on tokens is one on text again. Who asks for thinking,
    or for an effort at which it cannot be switched off, gets it.
    """
    config = draft.fields.get("output_config")
    effort = config.get("effort") if isinstance(config, dict) else None
    if draft.support.thinking == "on" and effort not in ("xhigh", "max"):
        draft.fields.setdefault("thinking", {"type": draft.support.off_switch})


def _taken_off(draft: Draft) -> Iterator[tuple[str, Turn]]:
    """Take off the turns of the assistant at the end, from the last one on, where the model refuses them."""
    while draft.support.prefill is False and draft.turns and draft.turns[-1].role == "assistant":
        yield "prompt", draft.turns.pop()
