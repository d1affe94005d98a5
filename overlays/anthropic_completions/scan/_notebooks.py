"""Read the code cells of Jupyter notebooks as Python, without IPython's own syntax.

nbformat would read them too, with jsonschema and traitlets behind it; only two fields of a notebook are
needed here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Magics whose argument, or cell, is Python that runs here.
_RUNS_PYTHON = frozenset(
    {"capture", "lprun", "memit", "mprun", "prun", "pypy", "python", "python3", "time", "timeit"}
)
_WRITES_FILE = frozenset({"file", "writefile"})
_OTHER_LANGUAGES = frozenset(
    {
        "bash",
        "bigquery",
        "cmd",
        "html",
        "javascript",
        "js",
        "latex",
        "markdown",
        "perl",
        "R",
        "ruby",
        "script",
    }
    | {"sh", "sql", "svg", "system", "sx", "!"}
)
_CELL_MAGIC = re.compile(r"%%(\S+)[ \t]*(.*)")
_ESCAPED = re.compile(r"(\s*)(?:[%!?/,;]|.*\?\s*\Z)")
_TIMED = re.compile(r"(\s*)(%(?:{})\s+(?:-\w+(?:\s+\d+)?\s+)*)(\S.*)".format("|".join(sorted(_RUNS_PYTHON))))
_ASSIGNED = re.compile(r"(\s*[\w.,\[\]'\" ]+=\s*)[%!].*")


def cells_of(source: str | bytes, file: str) -> Iterator[tuple[int, str]]:
    """Yield the code cells of a notebook in Python, with their numbers from 1.

    Raises:
        SyntaxError: It is no notebook.
    """
    try:
        notebook = json.loads(source)
    except (RecursionError, ValueError) as error:
        raise SyntaxError(f"no notebook: {error} ({file})") from error
    if not _is_python(notebook):
        return
    for number, cell in enumerate(_cells(notebook, file), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        text = cell.get("source", cell.get("input", ""))
        lines = text if isinstance(text, list) else [text]
        if any(not isinstance(line, str) for line in lines):
            raise SyntaxError(f"no notebook: cell {number} has no text ({file})")
        yield number, "".join(map(str, lines))


def _cells(notebook: object, file: str) -> list[object]:
    """Return the cells: in nbformat 3 they stand in worksheets."""
    found = cast("dict[str, list[object]]", notebook)
    try:
        if "cells" in found:
            cells = found["cells"]
        else:
            sheets = cast("list[dict[str, list[object]]]", found["worksheets"])
            cells = [cell for sheet in sheets for cell in sheet["cells"]]
    except (KeyError, TypeError):
        cells = None
    if not isinstance(cells, list):
        raise SyntaxError(f"no notebook: it has no list of cells ({file})")
    return cells


def _is_python(notebook: object) -> bool:
    """Tell whether the notebook's language is Python, as it is where nothing is said."""
    try:
        metadata = cast("dict[str, dict[str, dict[str, object]]]", notebook)["metadata"]
        language = (metadata.get("language_info") or {}).get("name") or metadata["kernelspec"]["language"]
    except (AttributeError, KeyError, TypeError):
        return True
    return not isinstance(language, str) or language.lower() in ("ipython", "python", "sage", "xpython")


def as_python(cell: str, parses: Callable[[str], bool]) -> str | None:
    """Return a cell as Python with the same lines and columns, or None where it is another language.

    Args:
        cell: Its text.
        parses: Tells whether a text is Python.
    """
    first, newline, rest = cell.lstrip().partition("\n")
    if magic := _CELL_MAGIC.fullmatch(first.rstrip()):
        name, argument = magic.groups()
        if name in _OTHER_LANGUAGES or (name in _WRITES_FILE and not argument.endswith(".py")):
            return None
        above = cell[: len(cell) - len(cell.lstrip())]
        body = _without_magics(above + newline + rest, parses)
        known = name in _RUNS_PYTHON or name in _WRITES_FILE
        return body if known or parses(body) else None
    return _without_magics(cell, parses)


def _without_magics(text: str, parses: Callable[[str], bool]) -> str:
    """Replace the lines that are IPython's own by statements without effect."""
    if parses(text):
        return text
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        line = lines[index]
        for replaced in _replacements(line):
            # At the start of a statement only: `%` and `!` may as well stand in a text of several lines.
            if parses("\n".join([*lines[:index], replaced])):
                lines[index] = replaced
                while line.endswith("\\") and index + 1 < len(lines):
                    index += 1
                    line, lines[index] = lines[index], ""
                break
        index += 1
    return "\n".join(lines)


def _replacements(line: str) -> Iterator[str]:
    """Yield what may stand in the place of a line of IPython's, the best first."""
    if timed := _TIMED.fullmatch(line):
        indent, magic, statement = timed.groups()
        yield f"{indent}{'if 1:':<{len(magic)}}{statement}"
    if assigned := _ASSIGNED.fullmatch(line):
        yield f"{assigned[1]}None"
    if escaped := _ESCAPED.match(line):
        yield f"{escaped[1]}pass"
