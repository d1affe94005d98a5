"""Check what the contract says of models: exit 1 on what must be mended, print what need not.

    check_models.py [CONTRACT]

Mistakes are entries of another shape, dates that contradict each other or the status on `x-models-as-of`,
and aliases and replacements that lead nowhere. Notes are facts that are missing, or overtaken since then.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonschema import Draft202012Validator, FormatChecker

CONTRACT = Path(__file__).resolve().parent.parent / "openapi.yaml"
STALE_DAYS = 90
EFFORT = ["low", "medium", "high", "xhigh", "max"]

DAY = {"type": "string", "format": "date"}
NAME = {"type": "string", "minLength": 1}
MESSAGES = {
    "prefill": {"type": "boolean"},
    "sampling": {"enum": ["any", "one", "none"]},
    "thinking": {"enum": ["off", "on", "always"]},
    "off_switch": {"enum": ["disabled", "between_tools", None]},
    "effort": {
        "type": ["object", "null"],
        "properties": {
            "levels": {"type": "array", "items": {"enum": EFFORT}, "minItems": 1, "uniqueItems": True},
            "default": {"enum": EFFORT},
        },
        "required": ["levels", "default"],
        "additionalProperties": False,
    },
    "max_tokens": {"type": "integer", "minimum": 1},
    "context": {"type": "integer", "minimum": 1},
}
FACTS = {
    "description": {"type": "string", "pattern": r"^[^\n]+\.$"},
    "status": {"enum": ["active", "deprecated", "retired"]},
    "deprecated": DAY,
    "retired": DAY,
    "not_before": DAY,
    "replacement": NAME,
    "messages": {
        "type": "object",
        "properties": MESSAGES,
        "required": list(MESSAGES),
        "additionalProperties": False,
    },
    "sources": {
        "type": "array",
        "items": {"type": "string", "pattern": r"^[a-z_.]+: .+\.$"},
        "minItems": 1,
    },
}
ALIAS = {"type": "object", "properties": {"alias_of": NAME}, "additionalProperties": False}
SNAPSHOT = {
    "type": "object",
    "properties": FACTS,
    "required": ["description", "status"],
    "additionalProperties": False,
}
SHAPE = {
    "type": "object",
    "properties": {
        "enum": {"type": "array", "items": NAME, "uniqueItems": True},
        "x-models-as-of": DAY,
        "x-models": {
            "type": "object",
            "additionalProperties": {
                "if": {"type": "object", "required": ["alias_of"]},
                "then": ALIAS,
                "else": SNAPSHOT,
            },
        },
    },
    "required": ["enum", "x-models-as-of", "x-models"],
}
VALIDATOR = Draft202012Validator(SHAPE, format_checker=FormatChecker(["date"]))


class Days(NamedTuple):
    """The dates of a model."""

    deprecated: date | None
    retired: date | None
    not_before: date | None

    @classmethod
    def of(cls, entry: dict[str, Any]) -> "Days":
        """Return the dates of an entry."""
        return cls(*(date.fromisoformat(entry[name]) if name in entry else None for name in cls._fields))

    def status(self, on: date) -> str:
        """Return the status that the dates give on a day."""
        if self.retired and self.retired <= on:
            return "retired"
        return "deprecated" if self.deprecated and self.deprecated <= on else "active"


def mistakes(known: dict[str, Any]) -> list[str]:
    """Return what must be mended in the schema of known models, one sentence for each."""
    wrong_shape = sorted(
        f"{'.'.join(str(part) for part in error.absolute_path)}: {error.message}"
        for error in VALIDATOR.iter_errors(known)
    )
    if wrong_shape:
        return wrong_shape
    entries: dict[str, dict[str, Any]] = known["x-models"]
    as_of = date.fromisoformat(known["x-models-as-of"])
    found = []
    for name, entry in entries.items():
        if "alias_of" in entry:
            found += [f"{name}: {text}" for text in _of_alias(entry["alias_of"], entries)]
        else:
            about = (*_of_days(entry, as_of), *_of_replacement(name, entries), *_of_messages(entry))
            found += [f"{name}: {text}" for text in about]
    return found


def _of_alias(snapshot: str, entries: dict[str, Any]) -> Iterator[str]:
    if "alias_of" in entries.get(snapshot, {"alias_of": None}):
        kind = "another alias" if snapshot in entries else "a model that has no entry"
        yield f"alias_of: expected a model with facts, got {snapshot}, {kind}"


def _of_days(entry: dict[str, Any], as_of: date) -> Iterator[str]:
    days = Days.of(entry)
    if entry["status"] != (status := days.status(as_of)):
        yield f"status: expected {status}, as its dates give on {as_of}, got {entry['status']}"
    if days.retired and not days.deprecated:
        yield "retired: expected a day in deprecated, too, as no model ends unannounced"
    if days.retired and days.deprecated and days.retired < days.deprecated:
        yield f"retired: expected a day after that in deprecated, {days.deprecated}, got {days.retired}"
    if days.retired and days.not_before:
        yield "not_before: expected none, as the day in retired is set"
    if entry["status"] == "retired" and "replacement" not in entry:
        yield "replacement: expected one, as it is retired"


def _of_replacement(name: str, entries: dict[str, Any]) -> Iterator[str]:
    """Follow the replacements to a model that answers."""
    chain = [name]
    while "replacement" in (entry := entries[chain[-1]]):
        named: str = entry["replacement"]
        if named not in entries:
            yield f"replacement: expected a model with an entry, got {' -> '.join([*chain, named])}"
            return
        following = entries[named].get("alias_of", named)
        if following not in entries or following in chain:
            yield f"replacement: expected a way to a model that answers, got {' -> '.join([*chain, named])}"
            return
        chain.append(following)
        if entries[following].get("status") == "active":
            return


def _of_messages(entry: dict[str, Any]) -> Iterator[str]:
    if not (support := entry.get("messages")):
        return
    thinking, off_switch, effort = support["thinking"], support["off_switch"], support["effort"]
    if thinking == "always" and off_switch:
        yield f"messages.off_switch: expected null, as it always thinks, got {off_switch}"
    if thinking == "on" and not off_switch:
        yield "messages.off_switch: expected one, or always in messages.thinking, got null"
    if support["max_tokens"] > support["context"]:
        yield f"messages.max_tokens: expected at most messages.context, got {support['max_tokens']}"
    if effort and effort["default"] not in effort["levels"]:
        yield f"messages.effort.default: expected one of messages.effort.levels, got {effort['default']}"
    if effort and effort["levels"] != [level for level in EFFORT if level in effort["levels"]]:
        yield f"messages.effort.levels: expected them from the least to the most, got {effort['levels']}"


def notes(known: dict[str, Any], today: date) -> list[str]:
    """Return what is worth a look, one sentence for each, for a schema without mistakes."""
    entries: dict[str, dict[str, Any]] = known["x-models"]
    as_of = date.fromisoformat(known["x-models-as-of"])
    found = []
    if missing := [name for name in known["enum"] if name not in entries]:
        found.append(f"no entry in x-models for {', '.join(missing)}; the client works without")
    if (today - as_of).days > STALE_DAYS:
        found.append(f"x-models-as-of is {as_of}; look whether Anthropic has announced more since")
    for name, entry in entries.items():
        if "alias_of" in entry:
            continue
        days = Days.of(entry)
        if (status := days.status(today)) != entry["status"]:
            found.append(f"{name} is {status} by now; set its status when you set x-models-as-of")
        if entry["status"] == "deprecated" and not days.retired:
            found.append(f"{name} is deprecated and has no day in retired")
        if entry["status"] == "active" and days.not_before and days.not_before <= today:
            found.append(f"{name} may be retired since {days.not_before}; look whether a day is set")
    return found


def main() -> None:
    """Check the contract, or the file that is named."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CONTRACT
    known = yaml.safe_load(path.read_text(encoding="utf-8"))["components"]["schemas"]["KnownModel"]
    if wrong := mistakes(known):
        sys.exit("\n".join(f"{path.name}: KnownModel: {text}" for text in wrong))
    for text in notes(known, datetime.now(UTC).date()):
        print(f"Note: {text}.")


if __name__ == "__main__":
    main()
