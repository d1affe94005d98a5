"""`scripts/check_models.py` fails on what must be mended, and prints what need not."""

import copy
import runpy
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from anthropic_completions._contract.generated import contract

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "check_models.py"
CHECK = runpy.run_path(str(SCRIPT))
SUPPORT = {
    "prefill": False,
    "sampling": "none",
    "thinking": "on",
    "off_switch": "disabled",
    "effort": {"levels": ["low", "high"], "default": "high"},
    "max_tokens": 1000,
    "context": 5000,
}
GONE = {
    "description": "Was quick.",
    "status": "retired",
    "deprecated": "2026-01-01",
    "retired": "2026-03-01",
    "replacement": "old",
}
OLD = {
    "description": "Is quick.",
    "status": "deprecated",
    "deprecated": "2026-05-01",
    "retired": "2026-09-01",
    "replacement": "new",
}
NEW = {"description": "Will be quick.", "status": "active", "messages": SUPPORT}
KNOWN: dict[str, Any] = {
    "enum": ["new", "old"],
    "x-models-as-of": "2026-06-01",
    "x-models": {"new": NEW, "old": OLD, "old-alias": {"alias_of": "old"}, "gone": GONE},
}
KNOWN_NAME, WAY = "expected a model with an entry", "expected a way to a model that answers"
TODAY = date(2026, 6, 2)
Edit = Callable[[dict[str, Any]], Any]


def edited(edit: Edit) -> dict[str, Any]:
    known = copy.deepcopy(KNOWN)
    edit(known)
    return known


def of(name: str, **facts: Any) -> Edit:
    """Set facts of a model; None removes one, and `messages` is set in part."""

    def edit(known: dict[str, Any]) -> None:
        entry = known["x-models"][name]
        entry.setdefault("messages", {}).update(facts.pop("messages", {}))
        entry.update(facts)
        for key in [key for key, value in entry.items() if value in (None, {})]:
            del entry[key]

    return edit


def test_what_is_consistent_has_no_mistakes_and_no_notes() -> None:
    assert CHECK["mistakes"](KNOWN) == []
    assert CHECK["notes"](KNOWN, TODAY) == []


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (of("old", status="active"), "old: status: expected deprecated, as its dates give on 2026-06-01"),
        (of("old", retired="2026-05-31"), "old: status: expected retired"),
        (of("new", deprecated="2026-01-01"), "new: status: expected deprecated"),
        (of("old", retired="2026-04-30", status="retired"), "old: retired: expected a day after"),
        (of("old", deprecated=None), "old: retired: expected a day in deprecated"),
        (of("old", not_before="2026-09-01"), "old: not_before: expected none"),
        (of("gone", replacement=None), "gone: replacement: expected one, as it is retired"),
        (of("old", replacement="newer"), f"gone: replacement: {KNOWN_NAME}, got gone -> old -> newer"),
        (of("old", replacement="gone"), f"old: replacement: {WAY}, got old -> gone -> old"),
        (of("old", replacement="old-alias"), f"old: replacement: {WAY}, got old -> old-alias"),
        (of("old-alias", alias_of="older"), "old-alias: alias_of: expected a model with facts, got older"),
        (of("old-alias", alias_of="old-alias"), "old-alias: alias_of: expected a model with facts"),
        (of("new", messages={"thinking": "always"}), "new: messages.off_switch: expected null"),
        (of("new", messages={"off_switch": None}), "new: messages.off_switch: expected one"),
        (of("new", messages={"max_tokens": 5001}), "new: messages.max_tokens: expected at most"),
        (
            of("new", messages={"effort": {"levels": ["low", "high"], "default": "max"}}),
            "new: messages.effort.default: expected one of",
        ),
        (
            of("new", messages={"effort": {"levels": ["high", "low"], "default": "high"}}),
            "new: messages.effort.levels: expected them from the least",
        ),
    ],
)
def test_an_inconsistent_fact_is_a_mistake(edit: Edit, says: str) -> None:
    assert any(text.startswith(says) for text in CHECK["mistakes"](edited(edit)))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (of("new", description=None), "x-models.new: 'description' is a required property"),
        (of("new", description="Two\nlines."), "x-models.new.description: "),
        (of("new", status="gone"), "x-models.new.status: 'gone' is not one of"),
        (of("old", retired="2026-13-01"), "x-models.old.retired: '2026-13-01' is not a 'date'"),
        (of("new", colour="red"), "x-models.new: Additional properties are not allowed ('colour'"),
        (of("new", sources=["a blog"]), "x-models.new.sources.0: "),
        (of("old-alias", status="active"), "x-models.old-alias: Additional properties are not allowed"),
        (of("new", messages={"max_tokens": "many"}), "x-models.new.messages.max_tokens: "),
        (of("new", messages={"prefill": "no"}), "x-models.new.messages.prefill: "),
        (of("old", messages={"prefill": True}), "x-models.old.messages: 'sampling' is a required property"),
        (lambda known: known["enum"].append("old"), "enum: "),
        (lambda known: known.pop("x-models-as-of"), ": 'x-models-as-of' is a required property"),
    ],
)
def test_an_entry_of_another_shape_is_a_mistake(edit: Edit, says: str) -> None:
    assert any(text.startswith(says) for text in CHECK["mistakes"](edited(edit)))


@pytest.mark.parametrize(
    ("edit", "today", "says"),
    [
        (lambda known: known["enum"].append("newest"), TODAY, "no entry in x-models for newest;"),
        (lambda known: None, date(2026, 9, 1), "x-models-as-of is 2026-06-01; look"),
        (lambda known: None, date(2026, 9, 1), "old is retired by now; set its status"),
        (of("old", retired=None), TODAY, "old is deprecated and has no day in retired"),
        (of("new", not_before="2026-06-02"), TODAY, "new may be retired since 2026-06-02;"),
    ],
)
def test_what_is_missing_or_overtaken_is_a_note(edit: Edit, today: date, says: str) -> None:
    known = edited(edit)
    assert CHECK["mistakes"](known) == []
    assert any(text.startswith(says) for text in CHECK["notes"](known, today))


def run(folder: Path, edit: Edit) -> subprocess.CompletedProcess[str]:
    """Run the script on a contract with these models."""
    path = folder / "openapi.yaml"
    path.write_text(
        yaml.safe_dump({"components": {"schemas": {"KnownModel": edited(edit)}}}), encoding="utf-8"
    )
    command = [sys.executable, str(SCRIPT), str(path)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_a_mistake_fails_the_check(tmp_path: Path) -> None:
    done = run(tmp_path, of("old", status="active"))
    assert done.returncode == 1
    assert done.stderr.startswith("openapi.yaml: KnownModel: old: status: expected deprecated")


def test_a_note_does_not(tmp_path: Path) -> None:
    done = run(tmp_path, lambda known: known["enum"].append("claude-of-tomorrow"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Note: no entry in x-models for claude-of-tomorrow; the client works without." in done.stdout


def test_the_contract_has_no_mistakes() -> None:
    assert CHECK["mistakes"](contract()["components"]["schemas"]["KnownModel"]) == []
