"""Scan sources: decode and parse them, and place the findings."""

from __future__ import annotations

import ast
import io
import warnings
from importlib.util import decode_source
from typing import TYPE_CHECKING

from ._findings import Finding
from ._notebooks import as_python, cells_of
from ._rules import findings

if TYPE_CHECKING:
    from collections.abc import Callable


def scan(source: str | bytes, file: str = "<string>") -> list[Finding]:
    """Return what a Python source uses of the old client, in order of appearance.

    Args:
        source: The source; of bytes, the encoding is found as Python does.
        file: Its name, for the findings.

    Raises:
        SyntaxError: The source is no Python that this interpreter can read.
    """
    text = _decode(source, file)
    return _found(_parse(text, file), text.split("\n"), file)


def scan_notebook(
    source: str | bytes,
    file: str = "<notebook>",
    *,
    on_error: Callable[[SyntaxError], None] | None = None,
) -> list[Finding]:
    """Return what a Jupyter notebook uses of the old client, in order of appearance.

    The code cells are read as one source. Lines of IPython's own, such as `%pip` and `!ls`, are skipped,
    but for magics that run Python: `%time`, `%%capture` and their like. Cells of other languages are skipped,
    too. A notebook whose kernel's language is not Python has nothing to be found.

    Args:
        source: The notebook's JSON, of nbformat 3 or later.
        file: Its name, for the findings.
        on_error: Called for each cell that is no Python; the cell is then skipped. None raises instead.

    Raises:
        SyntaxError: It is no notebook, or, without `on_error`, a cell is no Python.
    """
    tree = ast.Module([], [])
    lines: list[str] = []
    places: list[tuple[int, int]] = []  # of each line, the number of its cell and the lines before that cell
    for number, cell in cells_of(source, file):
        name = f"{file}:cell {number}"
        try:
            text = as_python(_decode(cell, name), _parses)
            body = _parse(text, name) if text is not None else None
        except SyntaxError as error:
            if on_error is None:
                raise
            on_error(error)
            continue
        if text is None or body is None:
            continue
        ast.increment_lineno(body, len(lines))
        tree.body += body.body
        own = text.split("\n")
        places += [(number, len(lines))] * len(own)
        lines += own
    return [
        one._replace(line=one.line - places[one.line - 1][1], cell=places[one.line - 1][0])
        for one in _found(tree, lines, file)
    ]


def _found(tree: ast.Module, lines: list[str], file: str) -> list[Finding]:
    try:
        found = set(findings(tree))
    except RecursionError as error:
        raise SyntaxError(f"{error} ({file})") from error
    return sorted(
        Finding(file, line, len(lines[line - 1].encode()[:offset].decode()) + 1, what, advice)
        for line, offset, what, advice in found
    )


def _parse(text: str, file: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the source's own, such as invalid escapes
        try:
            return ast.parse(text, file)
        except (MemoryError, RecursionError, ValueError) as error:  # nested too deeply; null bytes
            raise SyntaxError(f"{error} ({file})") from error


def _parses(text: str) -> bool:
    try:
        _parse(text, "")
    except SyntaxError:
        return False
    return True


def _decode(source: str | bytes, file: str) -> str:
    if isinstance(source, str):
        source = source.removeprefix("\ufeff")
        return io.IncrementalNewlineDecoder(None, translate=True).decode(source, final=True)
    try:
        return decode_source(source)
    except UnicodeDecodeError as error:
        raise SyntaxError(f"{error} ({file})") from error
