"""Every command of the documentation and of the help texts runs, in a terminal and piped."""

import csv
import json
import os
import re
import shlex
import socket
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from anthropic_completions import OverloadedError
from anthropic_completions.batch import Result
from anthropic_completions.cli._app import app
from anthropic_completions.cli._batch.requests import Asked, Reading, check
from anthropic_completions.cli._batch.running import line_of
from anthropic_completions.models import CURRENT
from anthropic_completions.testing import StandIn
from anthropic_completions.types import Completion
from cli.shell import LOADED, Cli, Terminal, environment, kept_on_failure, piped

ROOT = Path(__file__).resolve().parents[2]
NAME = "anthropic-completions"


def in_pages() -> list[str]:
    """Return the commands after a `$` in the pages, but those that install, which need the internet."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    return re.findall(rf"^\$ (?!pip install )(.*{NAME}\b.*)$", text, re.MULTILINE)


def in_help_texts() -> list[str]:
    """Return the commands under `Examples` of all commands."""
    context = app.make_context(NAME, [], resilient_parsing=True)
    commands = [app, *(app.get_command(context, name) for name in app.list_commands(context))]
    examples = [str(command.epilog) for command in commands if command]
    assert all("Examples:" in text for text in examples)
    return re.findall(rf"^  (.*{NAME} .*)$", "\n".join(examples), re.MULTILINE)


COMMANDS = sorted({*in_pages(), *in_help_texts()})
SERVING = [command for command in COMMANDS if f"{NAME} serve" in command]
ENDING = [command for command in COMMANDS if command not in SERVING]
DEFAULT_PORT = 8765
FINDS = 1  # what `scan` exits with, as there is something to find


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with the files that the commands name, and the program itself."""
    (tmp_path / "prompt.txt").write_text("How many toes do dogs have?\n", encoding="utf-8")
    questions = (
        '{"id": "toes", "prompt": "How many?", "max_tokens_to_sample": 20}\n{"id": 2, "prompt": "Why?"}\n'
    )
    (tmp_path / "questions.jsonl").write_text(questions, encoding="utf-8")
    (tmp_path / "questions.csv").write_text("qid,question,gold\n1,Why?,so\n", encoding="utf-8")
    answer = {
        "type": "completion",
        "id": "c",
        "completion": " So.",
        "model": "m",
        "stop_reason": "max_tokens",
    }
    line = json.dumps({"id": "zero", "row": {"gold": "so"}, "fingerprint": "0" * 16, "completion": answer})
    (tmp_path / "answers.jsonl").write_text(line + "\n", encoding="utf-8")
    (tmp_path / "program.py").write_text(
        "from anthropic import HUMAN_PROMPT\nprint(HUMAN_PROMPT)\n", encoding="utf-8"
    )
    command = tmp_path / "bin" / NAME
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -W error -m anthropic_completions "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    return tmp_path


def expected_code(command: str) -> int:
    return FINDS if f"{NAME} scan" in command else 0


def alone(command: str) -> list[str] | None:
    """Return the arguments of the command line where it needs no shell; None where it does."""
    name, *arguments = shlex.split(command, comments=True)
    needs_shell = name != NAME or {"|", "<"} & {*arguments}
    return None if needs_shell or arguments[0] == "run" else arguments  # `run` becomes the program


def settings(place: Path) -> dict[str, str]:
    return environment(PATH=f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}")


def test_there_are_commands_of_each_kind() -> None:
    assert {word for command in COMMANDS for word in re.findall(rf"{NAME} ([a-z-]+)", command)} == {
        "complete",
        "batch",
        "convert",
        "export",
        "gateway",
        "models",
        "run",
        "scan",
        "serve",
        "shell-completion",
    }


@pytest.mark.parametrize("command", ENDING)
def test_a_command_runs_in_a_terminal(today: StandIn, place: Path, command: str) -> None:
    arguments = alone(command)
    program = ["bash", "-euc", command] if arguments is None else [*LOADED, *arguments]
    done = Terminal(program, cwd=place, env=settings(place)).finish()
    assert done.code == expected_code(command), done
    assert "Error" not in done.out
    assert done.out or command.startswith("eval")


@pytest.mark.parametrize("command", ENDING)
def test_a_command_runs_piped(
    cli: Cli, today: StandIn, place: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (arguments := alone(command)) is not None:
        monkeypatch.chdir(place)
        done = cli(*arguments)
    else:
        done = piped(["bash", "-euc", command], cwd=place, env=settings(place))
    assert (done.code, done.err) == (expected_code(command), "")
    assert "\x1b" not in done.out
    assert done.out or command.startswith("eval")


@pytest.fixture(scope="module")
def _documented_ports_taken() -> Iterator[None]:
    """Take the ports that the commands name, and the default one, as another program may have done."""
    named = {int(port) for command in SERVING for port in re.findall(r"--port (\d+)", command)} - {0}
    with ExitStack() as taken:
        for port in named | {DEFAULT_PORT}:
            with suppress(OSError):  # another program has
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


def on_a_free_port(command: str) -> str:
    """Have a command serve on a port that is free."""
    return re.sub(rf"({NAME} serve)\b", r"\1 --port 0", re.sub(r" --port \d+", "", command))


@pytest.mark.usefixtures("_documented_ports_taken")
@pytest.mark.parametrize("command", SERVING)
def test_a_command_that_serves_runs_until_ctrl_c(place: Path, command: str) -> None:
    terminal = Terminal(["bash", "-euc", on_a_free_port(command)], cwd=place, env=settings(place))
    with kept_on_failure(terminal.process):
        terminal.read_until("export ANTHROPIC_BASE_URL=http://127.0.0.1:")
        terminal.type("\x03")
        assert terminal.finish().code == 0


def test_the_first_commands_of_the_page_lead_from_a_csv_to_a_csv_with_answers_and_a_report(
    cli: Cli, today: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("plotly")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    section = page.partition("## From a CSV")[2].partition("\n## ")[0]
    install, batch, export, *_ = re.findall(r"^\$ (.*)$", section, re.MULTILINE)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r'^pip install "\.\[([a-z,]+)\]"', install)
    assert {*extras.split(",")} <= declared["optional-dependencies"].keys()
    Path("questions.csv").write_text(
        'qid,question,gold\ntoes,How many toes?,18\nsky,"What colour, mostly?",blue\n', encoding="utf-8"
    )
    for command in (batch, export):
        done = cli(*shlex.split(command)[1:])
        assert (done.code, done.err) == (0, "")
    with Path("answers.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["qid"]: row for row in csv.DictReader(file)}
    assert {name: (row["gold"], row["completion"], row["model"]) for name, row in rows.items()} == {
        "toes": ("18", "You said: How many toes?", CURRENT),
        "sky": ("blue", "You said: What colour, mostly?", CURRENT),
    }
    assert "2 requests: 2 completed" in Path("report.html").read_text(encoding="utf-8")
    assert f"those of {CURRENT};" in section
    assert "it costs half" in section


def test_the_python_of_the_page_runs() -> None:
    text = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 2
    for code in blocks:
        exec(compile(code, "docs/batch.md", "exec"), {})


def test_the_lines_of_losses_and_findings_that_the_page_shows_are_right(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    lost, found = re.findall(r"^```text\n((?:(?!```).*\n)+)```", text, re.MULTILINE)
    questions = '{"prompt": "A"}\n{"prompt": "B"}\n{"prompt": "C", "temperature": 0.5}\n'
    Path("questions.jsonl").write_text(questions, encoding="utf-8")
    assert cli("convert", "--model", "claude-opus-4-8", "--file", "questions.jsonl").err == lost
    program = "import anthropic\nclient = anthropic.Anthropic()\nclient.completions.create()\n"
    Path("program.py").write_text(program, encoding="utf-8")
    sources = ["1", "2", "3", "import anthropic\nx = anthropic.AI_PROMPT"]
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    Path("notes.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    assert cli("scan", "program.py", "notes.ipynb").out == found


def test_the_lines_that_the_page_shows_are_right(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    request, completed, failed = (json.loads(line) for line in re.findall(r'^\{"id".*$', text, re.MULTILINE))
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(request), encoding="utf-8")
    reading = Reading(source, "jsonl", {"model": "claude-2.1"})
    assert [*check(reading).fingerprints] == [request["id"]]
    (asked,) = reading.requests()
    assert isinstance(asked, Asked)
    made = Completion(**completed["completion"])
    assert list(completed) == list(line_of(Result(asked, completion=made, seconds=1.0)))
    error = OverloadedError(
        "", response=httpx.Response(529, request=httpx.Request("POST", "http://x")), body=None
    )
    shown = line_of(Result(asked, error=error, seconds=1.0))
    assert list(failed) == list(shown)
    assert list(failed["error"]) == list(shown["error"])
