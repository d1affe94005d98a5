"""Look up models in the contract: their lifecycles, and how the Messages API serves them.

The facts are `x-models` in the contract, as of the day in `Lifecycle.as_of`. A status is worked out from
their dates, for the day that is asked about. A model that is not listed is `unknown`, which is no error:
the service decides what it serves.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._contract.schema import KnownModels, ModelFacts, SupportFacts

__all__ = [
    "CURRENT",
    "Effort",
    "Lifecycle",
    "MessagesSupport",
    "ModelMapWarning",
    "OffSwitch",
    "RetiredModelWarning",
    "Sampling",
    "Status",
    "Thinking",
    "lifecycle",
    "messages_support",
    "recommended",
    "warn_about",
]

# A model that answers today, for examples and as the default of the command line: the least expensive.
CURRENT = "claude-haiku-5-5"

Status = Literal["active", "deprecated", "retired", "unknown"]
Sampling = Literal["any", "one", "none"]
Thinking = Literal["off", "on", "always"]
OffSwitch = Literal["disabled", "between_tools"]


class ModelMapWarning(UserWarning):
    """Another model is asked for than the one that was named, as `model_map` says. It is told once."""


class RetiredModelWarning(UserWarning):
    """The model no longer answers. Unlike a `DeprecationWarning` this is shown by default."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Which values `output_config.effort` may have for a model.

    Attributes:
        levels: The values, from the least effort to the most.
        default: The one that holds where none is sent.
    """

    levels: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class MessagesSupport:
    """How the Messages API serves a model; None stands for what is not known.

    Attributes:
        prefill: Whether a last message of the assistant is continued (true) or refused (false).
        sampling: Which of temperature, top_p and top_k are taken: `any`; `one`, temperature or top_p but not
            both; `none`, where values other than the defaults are refused.
        thinking: Whether the model thinks before it answers, which counts in `max_tokens`: `off`, only where
            it is asked to; `on`, unless it is switched off; `always`.
        off_switch: The `thinking.type` that is accepted for not thinking. None also where none is.
        effort: The values of `output_config.effort`. None also where it is refused.
        max_tokens: The highest `max_tokens` that is accepted.
        context: The size of the context window, in tokens.
    """

    prefill: bool | None = None
    sampling: Sampling | None = None
    thinking: Thinking | None = None
    off_switch: OffSwitch | None = None
    effort: Effort | None = None
    max_tokens: int | None = None
    context: int | None = None

    def __setstate__(self, state: list[object]) -> None:
        # Pickles of 0.1.0 have the first two fields only.
        for index, each in enumerate(fields(self)):
            object.__setattr__(self, each.name, state[index] if index < len(state) else each.default)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Where a model stands in its life on Anthropic's own platform, on one day.

    Attributes:
        name: The name that was asked about.
        snapshot: The model that the name stands for; the name itself where it is no alias.
        status: `active`, `deprecated`, `retired`, or `unknown` for a model that the contract does not list.
        deprecated: The day its deprecation was announced.
        retired: The day it stops answering.
        not_before: The earliest day on which it may be retired, where no day is set.
        replacement: What Anthropic recommends in its place.
        days_left: Days until it stops answering, 0 from that day on; None where no day is set.
        description: What the model is, in a line.
        sources: Where facts are from that are disputed or not documented.
        messages: How the Messages API serves it.
        as_of: The day on which the facts were gathered.
    """

    name: str
    snapshot: str
    status: Status
    deprecated: date | None
    retired: date | None
    not_before: date | None
    replacement: str | None
    days_left: int | None
    description: str | None
    sources: tuple[str, ...]
    messages: MessagesSupport
    as_of: date


def lifecycle(name: str, *, on: date | None = None) -> Lifecycle:
    """Return what the contract knows of a model.

    Args:
        name: The model's name, an alias or a snapshot.
        on: The day for which the status is worked out; None for today (UTC).
    """
    day = datetime.now(UTC).date() if on is None else on.date() if isinstance(on, datetime) else on
    known = _known()
    models = known["x-models"]
    snapshot = models[name].get("alias_of", name) if name in models else name
    entry = models.get(snapshot)
    facts: ModelFacts = {} if entry is None else entry
    deprecated, retired = _date(facts, "deprecated"), _date(facts, "retired")
    return Lifecycle(
        name=str.__str__(name),  # a member of an enumeration, too, is told by its value
        snapshot=snapshot,
        status="unknown" if entry is None else _status(day, deprecated, retired),
        deprecated=deprecated,
        retired=retired,
        not_before=_date(facts, "not_before"),
        replacement=facts.get("replacement"),
        days_left=None if retired is None else max(0, (retired - day).days),
        description=facts.get("description"),
        sources=tuple(facts.get("sources", ())),
        messages=_support(facts.get("messages", {})),
        as_of=date.fromisoformat(known["x-models-as-of"]),
    )


def messages_support(name: str) -> MessagesSupport:
    """Return how the Messages API serves a model, or is to be expected to.

    A name that begins with `claude-` and is not in the contract is most likely of a newer model: it counts as
    the newest one of the contract. Of other names, which gateways make up, nothing is known.

    Args:
        name: The model's name, an alias or a snapshot.
    """
    found = lifecycle(name)
    return lifecycle(_known()["x-models-newest"]).messages if is_unlisted(found) else found.messages


def is_unlisted(model: Lifecycle) -> bool:
    """Tell whether a model is not in the contract but has a name as Anthropic gives them."""
    return model.status == "unknown" and model.name.startswith("claude-")


def recommended(name: str, *, on: date | None = None) -> str | None:
    """Return the model that stands in for a retired one, as the contract recommends.

    A replacement that is retired itself is followed to the next, up to one that answers.

    Args:
        name: The model's name, an alias or a snapshot.
        on: The day for which that is worked out; None for today (UTC).

    Returns:
        Its name; None for a model that is not retired, or for which nothing is recommended.
    """
    found = lifecycle(name, on=on)
    if found.status != "retired" or found.replacement is None:
        return None
    following = lifecycle(found.replacement, on=on)
    return recommended(following.name, on=on) if following.status == "retired" else following.name


def warn_about(name: str, *, stacklevel: int = 1, on: date | None = None) -> None:
    """Warn where a model is deprecated (`DeprecationWarning`) or retired (`RetiredModelWarning`).

    Each model is warned about once per process, whichever of its names is used and from whatever thread. A
    warning that is turned into an error does not count: it is raised every time.

    Args:
        name: The model's name.
        stacklevel: Whose line to point at: 1 for the caller of this function, 2 for the caller's caller.
        on: The day for which the status is worked out; None for today (UTC).
    """
    found = lifecycle(name, on=on)
    if found.status not in ("deprecated", "retired"):
        return
    # One dict operation decides who warns: no lock that a fork could leave taken.
    token = object()
    if _warned.setdefault(found.snapshot, token) is not token:
        return
    category = RetiredModelWarning if found.status == "retired" else DeprecationWarning
    try:
        warnings.warn(_warning(found), category, stacklevel=stacklevel + 1)
    except Warning:
        _warned.pop(found.snapshot, None)
        raise


def tell_mapped(name: str, instead: str, *, stacklevel: int = 1) -> None:
    """Warn, once per process, that `model_map` puts a model in the place of another."""
    key, token = f"{name} -> {instead}", object()
    if _warned.setdefault(key, token) is not token:
        return
    try:
        message = f"the model {instead!r} is asked for in place of {name!r}, as model_map says"
        warnings.warn(message, ModelMapWarning, stacklevel=stacklevel + 1)
    except Warning:
        _warned.pop(key, None)
        raise


# By a model, or by what a map makes of it.
_warned: dict[str, object] = {}


def _warning(found: Lifecycle) -> str:
    name = repr(found.name) + (f" ({found.snapshot})" if found.snapshot != found.name else "")
    advice = f"; Anthropic recommends {found.replacement!r}" if found.replacement else ""
    if found.status == "retired":
        text = f"the model {name} was retired on {found.retired}{advice}"
        return f"{text}; {map_advice(found)}" if found.replacement else text
    end = f"stops answering on {found.retired}" if found.retired else "has no set day of retirement"
    return f"the model {name} is deprecated since {found.deprecated} and {end}{advice}"


def map_advice(model: Lifecycle) -> str:
    """Return the argument with which another model is asked for in place of a retired one."""
    instead = recommended(model.name, on=model.as_of) or model.replacement
    return f'model_map={{"{model.name}": "{instead}"}} or model_map="recommended" asks for that instead'


def _status(day: date, deprecated: date | None, retired: date | None) -> Status:
    if retired is not None and day >= retired:
        return "retired"
    return "deprecated" if deprecated is not None and day >= deprecated else "active"


def _support(facts: SupportFacts) -> MessagesSupport:
    effort = facts.get("effort")
    return MessagesSupport(
        prefill=facts.get("prefill"),
        sampling=facts.get("sampling"),
        thinking=facts.get("thinking"),
        off_switch=facts.get("off_switch"),
        effort=None if effort is None else Effort(tuple(effort["levels"]), effort["default"]),
        max_tokens=facts.get("max_tokens"),
        context=facts.get("context"),
    )


def _date(facts: ModelFacts, field: Literal["deprecated", "not_before", "retired"]) -> date | None:
    day = facts.get(field)
    return None if day is None else date.fromisoformat(day)


def _known() -> KnownModels:
    from ._contract.generated import known_models  # not before it is needed

    return known_models()
