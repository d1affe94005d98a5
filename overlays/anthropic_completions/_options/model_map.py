"""`model_map`: the model that is asked for in place of another, by its name or a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_EXPECTED = "a mapping of model names or patterns to model names, or 'recommended'"


# Pickles of clients hold its fields as a dict: a tuple would not load them.
@dataclass(frozen=True)
class ModelMap:
    """Which model is asked for in place of another.

    Attributes:
        names: Names and what is asked for instead; a name that stands for itself is left alone.
        patterns: The same for names with `*`, `?` or `[...]`, in the order in which they are tried.
        recommended: Whether a retired model that none of them is about gives way to what the contract
            recommends.
    """

    names: tuple[tuple[str, str], ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()
    recommended: bool = False

    def get(self, model: str) -> str | None:
        """Return what the names and patterns say is to be asked for, or None.

        A name overrides patterns. What comes of a name or a pattern is looked up as a name again, so that
        one entry may lead to another; as a pattern it is not, so that `claude-*` may stand for a Claude.
        """
        names = dict(self.names)
        if model not in names:
            found = next((new for pattern, new in self.patterns if fnmatchcase(model, pattern)), None)
            if found is None:
                return None
            model = found
        while names.get(model, model) != model:
            model = names[model]
        return model


def model_map(label: str, value: object) -> ModelMap | None:
    """Return a map as it was given: a mapping, `recommended`, or None for none.

    Args:
        label: What to name in errors: the argument, or the variable.
        value: The value. Text other than `recommended` is pairs `old=new` with commas between them.

    Raises:
        TypeError, ValueError: It is something else, or leads in a circle.
    """
    if value is None or isinstance(value, ModelMap):
        return value
    if value == "recommended":
        return ModelMap(recommended=True)
    if isinstance(value, str):
        value = _pairs(label, value)
    if not isinstance(value, Mapping):
        raise TypeError(f"{label}: expected {_EXPECTED}, got a value of type {type(value).__name__}")
    names: dict[str, str] = {}
    patterns: dict[str, str] = {}
    for old, new in value.items():
        for name in (old, new):
            if not isinstance(name, str) or not name:
                raise ValueError(f"{label}: expected names of models, got {name!r}")
        if any(character in new for character in "*?["):
            raise ValueError(f"{label}: expected the name of a model in place of {old!r}, got {new!r}")
        (patterns if any(character in old for character in "*?[") else names)[old] = new
    _check_circles(label, names)
    return ModelMap(tuple(names.items()), tuple(patterns.items()))


def _pairs(label: str, text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        if part == "recommended":
            raise ValueError(f"{label}: expected 'recommended' alone, or pairs old=new, got {text!r}")
        old, equals, new = map(str.strip, part.partition("="))
        if not (old and equals and new):
            raise ValueError(f"{label}: expected 'recommended', or old=new,old=new, got {part!r}")
        pairs[old] = new
    return pairs


def _check_circles(label: str, names: Mapping[str, str]) -> None:
    for start in names:
        path = [start]
        while (following := names.get(path[-1], path[-1])) != path[-1]:
            path.append(following)
            if following == start:
                raise ValueError(f"{label}: expected no circle, got {' -> '.join(map(repr, path))}")
            if len(path) > len(names) + 1:  # a circle that another start is part of
                break
