"""`export`: the results as a table."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from cli.shell import Cli

COMPLETION = {
    "type": "completion",
    "id": "c",
    "completion": " So.\nYes",
    "model": "claude-2.1",
    "stop_reason": "stop_sequence",
    "stop": "\n\nHuman:",
}
LINES: list[dict[str, Any]] = [
    {"id": "a", "request_id": "r-1", "row": {"gold": "so", "model": "x"}, "completion": COMPLETION},
    {
        "id": 2,
        "request_id": None,
        "row": {"n": [1]},
        "error": {"class": "X", "status": 529, "message": "No, no."},
    },
    {"id": 3, "request_id": None, "completion": {**COMPLETION, "completion": "half \ud83d"}},
]
COLUMNS = [
    *("id", "gold", "row.model", "n", "completion", "stop_reason", "stop", "model"),
    *("error_class", "error_status", "error_type", "error_message", "request_id"),
]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES) + '{"id": 4, "comp', encoding="utf-8")
    return path


def test_csv_has_a_row_for_each_result(cli: Cli, results: Path, tmp_path: Path) -> None:
    done = cli("export", str(results), str(tmp_path / "a.csv"))
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("a.csv: 3 rows, 13 columns.\n")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        names, first, second, third = csv.reader(file)
    assert names == COLUMNS
    assert first[:8] == ["a", "so", "x", "", "So.\nYes", "stop_sequence", r"\n\nHuman:", "claude-2.1"]
    assert second == ["2", "", "", "[1]", *[""] * 4, "X", "529", "", "No, no.", ""]
    assert third[4] == "half ?"


def test_parquet_holds_the_same(cli: Cli, results: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert cli("export", "--id-field", "qid", str(results), str(tmp_path / "a.parquet")).code == 0
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["qid", *COLUMNS[1:]]
    rows = table.to_pylist()
    assert [row["qid"] for row in rows] == ["a", "2", "3"]
    assert [row["completion"] for row in rows] == ["So.\nYes", None, "half ?"]
    assert [row["stop"] for row in rows] == ["\n\nHuman:", None, "\n\nHuman:"]
    assert [row["error_status"] for row in rows] == [None, 529, None]
    assert rows[1]["n"] == "[1]"


@pytest.mark.parametrize("name", ["a.txt", "a"])
def test_another_kind_of_table_is_refused(cli: Cli, results: Path, tmp_path: Path, name: str) -> None:
    done = cli("export", str(results), str(tmp_path / name))
    assert done.code == 2
    assert "expected a name that ends in .csv or .parquet" in done.err


def test_a_file_of_something_else_is_refused(cli: Cli, tmp_path: Path) -> None:
    other = tmp_path / "in.jsonl"
    other.write_text('{"id": 1, "prompt": "x"}\n', encoding="utf-8")
    done = cli("export", str(other), str(tmp_path / "a.csv"))
    assert (done.code, done.out) == (2, "")
    assert "in.jsonl:1: this is no result" in done.err


def test_a_record_of_one_line_has_one_in_csv(cli: Cli, tmp_path: Path) -> None:
    """The stop sequence of a natural end has newlines of its own."""
    results = tmp_path / "answers.jsonl"
    results.write_text(json.dumps({"id": 1, "completion": {**COMPLETION, "completion": " Yes"}}) + "\n")
    done = cli("export", str(results), str(tmp_path / "a.csv"))
    assert done.out.endswith("a.csv: 1 row, 10 columns.\n")
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()) == 2
