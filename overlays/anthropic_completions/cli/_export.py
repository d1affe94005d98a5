"""`export`: the results of a batch as a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from ._common import examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .._contract.schema import JSONObject
    from ._batch.results import ResultLine

_ERROR = ("class", "status", "type", "message")
_OUTCOME = ("completion", "stop_reason", "stop", "model", *(f"error_{name}" for name in _ERROR), "request_id")
_ROWS_AT_ONCE = 1024


@click.command(
    "export",
    epilog=examples(
        "anthropic-completions export answers.jsonl answers.csv",
        "anthropic-completions export --id-field qid answers.jsonl answers.parquet",
    ),
)
@click.argument("source", metavar="OUT.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="TABLE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--id-field", default="id", show_default=True, help="The name of the column with the id.")
def command(source: Path, target: Path, id_field: str) -> int:
    """Make a table of the results in OUT.jsonl: TABLE.csv or TABLE.parquet.

    The columns are the id, the fields that went through from the input, the completion without the space that
    it begins with, why it ended, and what went wrong. A field that is called as one of these has "row." put
    before its name.
    """
    kind = target.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise click.UsageError(f"{target}: expected a name that ends in .csv or .parquet")
    try:
        fields: dict[str, None] = {}
        for result in _results(source):
            fields.update(dict.fromkeys(result.get("row") or {}))
        columns = [id_field, *(_column(name, id_field) for name in fields), *_OUTCOME]
        rows = (_row(result, [*fields]) for result in _results(source))
        count = _write_csv(target, columns, rows) if kind == ".csv" else _write_parquet(target, columns, rows)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    rows_told = "1 row" if count == 1 else f"{count} rows"
    click.echo(f"{target}: {rows_told}, {len(columns)} columns.")
    return 0


def _results(source: Path) -> Iterator[ResultLine]:
    from .._http.failures import parse_json

    with source.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                found = parse_json(line)
            except ValueError:
                found = None
            if isinstance(found, dict) and "id" in found and found.keys() & {"completion", "error"}:
                yield cast("ResultLine", found)
            elif line.endswith(b"\n"):  # else the last one, which a run is writing or has left torn
                raise ValueError(f"{source}:{number}: this is no result of `batch`")


def _column(name: str, id_field: str) -> str:
    return f"row.{name}" if name in (id_field, *_OUTCOME) else name


def _row(result: ResultLine, fields: Sequence[str]) -> list[object]:
    carried: JSONObject = result.get("row") or {}
    completion: JSONObject = result.get("completion") or {}
    error: JSONObject = result.get("error") or {}
    text = completion.get("completion")
    return [
        result["id"],
        *(carried.get(name) for name in fields),
        text[1:] if isinstance(text, str) and text.startswith(" ") else text,
        *(completion.get(name) for name in ("stop_reason", "stop", "model")),
        *(error.get(name) for name in _ERROR),
        result.get("request_id"),
    ]


def _write_csv(target: Path, columns: Sequence[str], rows: Iterator[list[object]]) -> int:
    count, stop = 0, len(columns) - len(_OUTCOME) + _OUTCOME.index("stop")
    # What UTF-8 does not have is replaced: a table is for other programs.
    with target.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            count += 1
            row[stop] = _on_one_line(row[stop])
            writer.writerow(
                [json.dumps(cell) if isinstance(cell, dict | list | bool) else cell for cell in row]
            )
    return count


def _on_one_line(stop: object) -> object:
    """Return a stop sequence without newlines: the built-in one has two, at each natural end."""
    return stop.replace("\r", "\\r").replace("\n", "\\n") if isinstance(stop, str) else stop


def _write_parquet(target: Path, columns: Sequence[str], rows: Iterator[list[object]]) -> int:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError(
            f"{target}: writing Parquet needs an extra: pip install 'anthropic-completions[parquet]'"
        ) from None
    # Text all through but the status: a column's values need not be of one type.
    schema = pyarrow.schema(
        [(name, pyarrow.int64() if name == "error_status" else pyarrow.string()) for name in columns]
    )
    count = 0
    with parquet.ParquetWriter(target, schema) as writer:
        chunk: list[list[object]] = []

        def flush() -> None:
            cells = [
                pyarrow.array([_cell(row[at], schema.field(at).type) for row in chunk], schema.field(at).type)
                for at in range(len(columns))
            ]
            writer.write_table(pyarrow.Table.from_arrays(cells, schema=schema))
            chunk.clear()

        for row in rows:
            count += 1
            chunk.append(row)
            if len(chunk) == _ROWS_AT_ONCE:
                flush()
        if chunk:
            flush()
    return count


def _cell(value: object, kind: object) -> object:
    if value is None or kind == "int64":
        return value if isinstance(value, int) else None
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="replace").decode()
