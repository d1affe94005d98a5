"""The scripts and the Makefile: one style of names, and shell scripts that run by themselves."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SCRIPTS = [path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file() and path.suffix != ".pyc"]
SHELL = [path for path in SCRIPTS if path.suffix == ".sh"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_names_are_in_snake_case(script: Path) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.(py|sh)", script.name)


@pytest.mark.parametrize("script", [*SHELL, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_a_shell_script_names_its_shell_and_can_be_executed(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] in ("#!/bin/sh", "#!/usr/bin/env bash")
    assert lines[1].startswith("# "), "the second line says what it does"
    assert os.access(script, os.X_OK)


def test_the_makefile_runs_scripts_that_exist() -> None:
    named = set(re.findall(r"scripts/[\w.-]+", MAKEFILE))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_the_makefile_runs_sessions_that_exist() -> None:
    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    found = re.findall(
        r'^@nox\.session(?:\(name="([a-z0-9-]+)"\)|.*)\n(?:@.*\n)*def (\w+)', text, re.MULTILINE
    )
    sessions = {name or function for name, function in found}
    named = {
        name
        for line in re.findall(r"^\t\$\(NOX\) ([a-z0-9 -]+?)(?: --.*)?$", MAKEFILE, re.MULTILINE)
        for name in line.split()
    }
    assert named
    assert named <= sessions


def test_contributing_tells_of_every_verb() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = set(re.findall(r"[`$] ?make ([a-z0-9-]+)", text))
    verbs = re.findall(r"^([a-z0-9-]+):.* ## .", MAKEFILE, re.MULTILINE)
    assert sorted(set(verbs) - told) == []


def test_every_verb_says_in_the_makefile_what_it_does() -> None:
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    verbs = re.findall(r"^([a-z0-9-]+):.* ## .", MAKEFILE, re.MULTILINE)
    assert sorted(phony.replace("\\\n", " ").split()) == sorted(verbs)
