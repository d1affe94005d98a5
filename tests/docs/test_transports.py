"""docs/transports.md: its program runs, and the extras and the option that it names are there."""

import re
from pathlib import Path

import click
import pytest

from anthropic_completions.cli._batch.command import command

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "transports.md").read_text(encoding="utf-8")


def test_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert programs
    for program in programs:
        exec(program, {})


def test_the_extras_are_there() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r"anthropic-completions\[(\w+)\]", PAGE):
        assert f"\n{extra} = [" in project


def test_batch_takes_each_way() -> None:
    (option,) = (each for each in command.params if each.name == "sender")
    assert isinstance(option.type, click.Choice)
    for way in re.findall(r"batch --http (\w+)", PAGE):
        assert way in option.type.choices
