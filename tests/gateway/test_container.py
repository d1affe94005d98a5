"""The Containerfile, which no builder has tried here: what it names is there."""

import json
import re
import tomllib
from pathlib import Path

from anthropic_completions.cli._app import run

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "tools/gateway/Containerfile").read_text(encoding="utf-8")


def test_it_installs_extras_that_there_are() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    (named,) = re.findall(r"/source\[([a-z,]+)\]", TEXT)
    assert {*named.split(",")} <= extras.keys()


def test_it_copies_what_a_build_needs_and_builds_from_where_it_is_said() -> None:
    assert "COPY . /source\n" in TEXT
    assert "podman build --file tools/gateway/Containerfile" in TEXT
    assert (ROOT / "pyproject.toml").is_file()


def test_its_command_is_one_of_the_package() -> None:
    (found,) = re.findall(r"^ENTRYPOINT (\[.*\])$", TEXT, re.MULTILINE)
    program, *arguments = json.loads(found)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert program in scripts
    assert run([*arguments, "--check"]) == 0


def test_it_is_asked_for_its_health_where_it_listens() -> None:
    (port,) = re.findall(r"^EXPOSE (\d+)$", TEXT, re.MULTILINE)
    assert f"http://127.0.0.1:{port}/healthz" in TEXT
    assert f"--publish {port}:{port}" in TEXT


def test_it_does_not_run_as_root() -> None:
    (user,) = re.findall(r"^USER (\w+)$", TEXT, re.MULTILINE)
    assert f"useradd --no-create-home {user}" in TEXT
    assert TEXT.index("\nUSER ") < TEXT.index("\nENTRYPOINT ")
