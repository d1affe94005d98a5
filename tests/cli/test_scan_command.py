"""`scan`: where it looks, what it prints, how it ends."""

import json
import os
from pathlib import Path

import pytest

from anthropic_completions.scan import Finding, scan
from cli.shell import Cli

LEGACY = b"import x\nfrom anthropic import AI_PROMPT, HUMAN_PROMPT\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, content: bytes = LEGACY) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_findings_are_told_a_line_each_and_exit_with_1(cli: Cli) -> None:
    write("program.py")
    done = cli("scan", "program.py")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [str(finding) for finding in scan(LEGACY, "program.py")]
    assert done.out.startswith("program.py:2:23: from anthropic import AI_PROMPT: take it from ")


def test_nothing_to_find_exits_with_0_and_says_nothing(cli: Cli) -> None:
    write("program.py", b"import anthropic\n")
    assert cli("scan", "program.py") == (0, "", "")


def test_json_has_the_fields_of_findings(cli: Cli) -> None:
    write("program.py")
    done = cli("scan", "--json", "program.py")
    assert done.code == 1
    assert json.loads(done.out) == [
        dict(zip(Finding._fields, finding[:5], strict=False)) for finding in scan(LEGACY, "program.py")
    ]
    write("program.py", b"")
    assert cli("scan", "--json", "program.py") == (0, "[]\n", "")


def test_a_directory_is_looked_through_in_order(cli: Cli) -> None:
    for name in ("b/deep/x.py", "a/x.py", "z.py", "y.pyi", "y.pyw", "x.txt"):
        write(name)
    done = cli("scan", ".")
    looked_at = ["y.pyi", "y.pyw", "z.py", "a/x.py", "b/deep/x.py"]
    assert [*dict.fromkeys(line.partition(":")[0] for line in done.out.splitlines())] == looked_at
    assert done.err == ""


def test_directories_that_are_skipped_are_told_with_the_reason(cli: Cli) -> None:
    for name in ("a/x.py", ".venv/x.py", "env/lib/x.py", "a/.hidden/x.py", "conda/x.py"):
        write(name)
    write("env/pyvenv.cfg", b"")
    write("conda/conda-meta/history", b"")
    Path("linked").symlink_to("a")
    done = cli("scan", ".")
    assert {line.partition(":")[0] for line in done.out.splitlines()} == {"a/x.py"}
    assert done.err == (
        "Skipped: .venv (hidden), conda (virtual environment), env (virtual environment), linked (link), "
        "a/.hidden (hidden)\n"
    )


def test_many_skipped_directories_are_counted(cli: Cli) -> None:
    for number in range(13):
        write(f".{number:02}/x.py")
    done = cli("scan", ".")
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(".09 (hidden), 3 more\n")


def test_a_file_that_is_named_is_looked_at_whatever_its_name_and_once(cli: Cli) -> None:
    write("program")
    write(".hidden/x.py")
    done = cli("scan", "program", ".hidden/x.py", "program", ".hidden")
    assert len(done.out.splitlines()) == 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = (", "was never closed"),
        (b"x = '\xff'", "invalid or missing encoding declaration"),
        (b"# coding: unheard-of\n", "unknown encoding"),
        (b"x = '\x00'", "null bytes"),
    ],
)
def test_what_is_no_python_is_told_and_the_rest_is_looked_at(cli: Cli, content: bytes, reason: str) -> None:
    write("a.py", content)
    write("b.py", b"import x\n")
    done = cli("scan", ".")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: a.py: not looked at: ")
    assert reason in done.err
    assert done.err.count("\n") == 1
    write("b.py")
    assert len(cli("scan", ".").out.splitlines()) == 2


def notebook(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


def test_notebooks_are_looked_at_cell_by_cell(cli: Cli) -> None:
    write("a/b.ipynb", notebook("%pip install anthropic", LEGACY.decode()))
    done = cli("scan", ".")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("a/b.ipynb:cell 2:2:23: from anthropic import AI_PROMPT: ")
    finding = json.loads(cli("scan", "--json", "a").out)[0]
    assert (finding["file"], finding["cell"], finding["line"]) == ("a/b.ipynb", 2, 2)


def test_a_cell_that_is_no_python_is_told_and_the_rest_is_looked_at(cli: Cli) -> None:
    write("a.ipynb", notebook("def", LEGACY.decode()))
    done = cli("scan", "a.ipynb")
    assert len(done.out.splitlines()) == 2
    assert done.err.startswith("Error: a.ipynb:cell 1: not looked at: ")


def test_a_notebook_that_is_none_is_told(cli: Cli) -> None:
    write("a.ipynb", b"import anthropic")
    done = cli("scan", "a.ipynb")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: a.ipynb: not looked at: no notebook: ")


def test_what_cannot_be_read_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    write("a/x.py")
    write("b.py")

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(os, "scandir", refuse)
    done = cli("scan", "b.py", "a")
    assert (done.code, done.out) == (1, "")
    assert sorted(done.err.splitlines()) == [
        "Error: a: not looked at: Permission denied",
        "Error: b.py: not looked at: Permission denied",
    ]


@pytest.mark.parametrize("arguments", [[], ["nowhere.py"], ["--unheard-of", "."]])
def test_wrong_usage_exits_with_2(cli: Cli, arguments: list[str]) -> None:
    done = cli("scan", *arguments)
    assert done.code == 2
    assert done.err.startswith("Error: ")
