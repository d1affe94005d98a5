"""The smoke matrix of generators: its page, and what it holds an outcome to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "generators"


@pytest.fixture
def matrix(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(FOLDER)
    for name in ("run", "matrix"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import run

    return run


def test_the_page_has_the_table_that_was_measured(matrix: object) -> None:
    outcomes = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    assert list(outcomes) == [generator.name for generator in matrix.GENERATORS]
    page = (ROOT / "docs" / "languages.md").read_text("utf-8")
    assert f"<!-- make test-generators -->\n{matrix.table(outcomes)}\n<!-- end -->" in page


def test_the_table_says_what_is_bad(matrix: object) -> None:
    failed = {"as it is": "compile", "flattened": "call"}
    table = matrix.table({"ogen": {"contract": None, "failed before": failed}})
    assert "| none | as it is: compile; flattened: call |" in table


def test_in_the_archive_it_takes_the_contract_that_is_there(tmp_path: Path) -> None:
    python = [sys.executable, "-S", "-E"]
    packed = [*python, str(ROOT / "scripts/dist_contract.py"), "--into", str(tmp_path)]
    subprocess.run([*packed, "--unpack", str(tmp_path / "archive")], check=True, capture_output=True)
    there = "import matrix; print(matrix.ARCHIVE, matrix.BUILD)"
    found = subprocess.run(
        [*python, "-c", f"import sys; sys.path.insert(0, '.'); import run; {there}"],
        cwd=tmp_path / "archive" / "generators",
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout
    assert found.split() == [str(tmp_path / "archive"), str(tmp_path / "archive/generators/build")]


def test_each_generator_has_a_driver(matrix: object) -> None:
    for generator in matrix.GENERATORS:
        assert list((FOLDER / generator.folder).iterdir()), generator.name


def test_what_is_sent_is_kept_to_be_judged(matrix: object) -> None:
    import urllib.request

    server = matrix.Server()
    url = server.start()
    request = urllib.request.Request(f"{url}/v1/complete", b'{"a": 1}', {"Anthropic-Beta": "x"})
    with urllib.request.urlopen(request) as reply:
        assert json.load(reply) == matrix.REPLY
    assert (server.body, server.headers["anthropic-beta"]) == ({"a": 1}, "x")
