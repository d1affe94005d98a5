"""The rows of a file: JSON lines, a JSON array, CSV, TSV or Parquet."""

from __future__ import annotations

import csv
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from ..._http.failures import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pyarrow.parquet import ParquetFile

    from ..._contract.schema import JSONObject

    Row = tuple[int, JSONObject | ValueError]

Format = Literal["jsonl", "json", "csv", "tsv", "parquet"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv", "tsv", "parquet")
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_DELIMITERS: dict[Format, str] = {"csv": ",", "tsv": "\t"}
_ROWS_AT_ONCE = 1024


def format_of(source: Path) -> Format:
    """Return the format of a file: by its name's ending, and of JSON by its first character."""
    found = _SUFFIXES.get(source.suffix.lower())
    if found is not None:
        return found
    with source.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return "json" if start.startswith(b"[") and not start.startswith(b"[]") else "jsonl"


def copy_of_stdin(beside: Path) -> Path:
    """Copy standard input to a file beside the output, as it is read twice, and return the file.

    Raises:
        OSError: It could not be written.
    """
    import shutil

    target = beside.with_name(f"{beside.name}.stdin")
    with target.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return target


def check_writable(name: str, path: Path) -> None:
    """Check that a file can be made where it is wanted, before the work that it is for.

    Args:
        name: What names it at the command line.
        path: The file.

    Raises:
        OSError: Its folder is missing, or takes no files.
    """
    folder = path.parent
    if not folder.is_dir():
        raise OSError(
            f"{name}: expected a folder that is there, got {str(folder)!r}: make it, or name another"
        )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = error.strerror or str(error)
        raise OSError(f"{name}: no file can be written in {str(folder)!r}: {what}") from None


def columns_of(source: Path, kind: Format) -> list[str]:
    """Return the names of the columns of a table; none of an empty one, and of JSON.

    Raises:
        ValueError: They cannot be read.
    """
    if kind in ("csv", "tsv"):
        with source.open(encoding="utf-8-sig", newline="") as file:
            return _names(source, csv.reader(file, delimiter=_DELIMITERS[kind], strict=True))
    if kind == "parquet":
        with _opened_parquet(source) as table:
            return [*table.schema_arrow.names]
    return []


def check_columns(source: Path, columns: list[str], wanted: Mapping[str, str]) -> None:
    """Check that a table has certain columns.

    Args:
        source: The table.
        columns: Those that it has, at least one.
        wanted: The names of the columns, each with the option that names it.

    Raises:
        ValueError: It lacks some; the message says which there are.
    """
    if missing := [f"{name!r} ({option})" for name, option in wanted.items() if name not in columns]:
        found = f"the columns are: {', '.join(columns)}" if len(columns) > 1 else _only(columns[0])
        raise ValueError(f"{source}: no column {' and no column '.join(missing)}; {found}")


def _only(column: str) -> str:
    """Say of a table that it has one column, and where its name tells, what is between its cells."""
    told = f"the only column is: {column}"
    if "\t" in column:
        told = f"the only column is: {column!r}; its cells seem to have tabs between them: --format tsv"
    elif ";" in column or "," in column:
        mark = ";" if ";" in column else ","
        what = "--format csv" if mark == "," else "save it with commas, or with tabs and --format tsv"
        told += f"; its cells seem to have {mark!r} between them: {what}"
    return told


def rows_in(source: Path, kind: Format) -> Iterator[Row]:
    """Yield the rows of a file with their numbers: the line they begin in, or their place in an array.

    What is wrong with a row comes in its place; where nothing after it can be read, it is the last.

    Raises:
        ValueError: Nothing of the file can be read.
    """
    if kind in ("csv", "tsv"):
        yield from _cells(source, _DELIMITERS[kind])
    elif kind == "parquet":
        yield from _parquet(source)
    elif kind == "json":
        yield from _array(source)
    else:
        yield from _lines(source)


def _lines(source: Path) -> Iterator[Row]:
    with source.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _object(line)


def _object(line: bytes) -> JSONObject | ValueError:
    try:
        return _as_object(parse_json(line))
    except ValueError as error:
        return ValueError(f"this is no JSON: {error}")


def _as_object(found: object) -> JSONObject | ValueError:
    if not isinstance(found, dict):
        return ValueError(f"expected an object, got {type(found).__name__}")
    return found


def _array(source: Path) -> Iterator[Row]:
    try:
        found = parse_json(source.read_bytes())
    except ValueError as error:
        raise ValueError(f"{source}: this is no JSON: {error}") from None
    if not isinstance(found, list):
        raise ValueError(f"{source}: expected an array of objects, got {type(found).__name__}")
    for number, item in enumerate(found, 1):
        yield number, _as_object(item)


def _cells(source: Path, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(2**31 - 1)
    with source.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        names = _names(source, reader)
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                yield number, ValueError(f"{_wrong(error)}; nothing after it could be read")
                return
            if cells is None:
                return
            if not cells:
                continue
            if len(cells) > len(names):
                yield number, ValueError(f"expected {len(names)} cells, got {len(cells)}")
            else:
                yield number, dict(zip(names, cells, strict=False))


def _names(source: Path, reader: Iterator[list[str]]) -> list[str]:
    """Return the names that the first line holds."""
    try:
        names = next(reader, [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{source}:1: {_wrong(error)}") from None
    twice = {name for name in names if names.count(name) > 1}
    if twice or (names and not all(names)):
        what = f"got {', '.join(sorted(map(repr, twice)))} twice" if twice else "got a blank one"
        raise ValueError(f"{source}:1: expected a name for each column, {what}")
    return names


def _wrong(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"this is not UTF-8: {error.reason}"
    return f"this is no CSV: {error}"


@contextmanager
def _opened_parquet(source: Path) -> Iterator[ParquetFile]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ValueError(
            f"{source}: reading Parquet needs an extra: pip install 'anthropic-completions[parquet]'"
        ) from None
    try:
        with parquet.ParquetFile(source) as file:
            yield file
    except pyarrow.ArrowException as error:
        raise ValueError(f"{source}: this is no Parquet file that could be read: {error}") from None


def _parquet(source: Path) -> Iterator[Row]:
    number = 0
    with _opened_parquet(source) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            for row in batch.to_pylist():
                number += 1
                yield number, {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: object) -> object:
    """Return a value as JSON has it; what JSON does not have, such as a time, becomes text."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
