"""`scan`: what Python sources and notebooks still use of the old client."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._common import FAILED, examples, fail, harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..scan import Finding


_SUFFIXES = (".ipynb", ".py", ".pyi", ".pyw")
# How many directories that were skipped are named.
_SHOWN = 10


@click.command(
    "scan",
    epilog=examples(
        "anthropic-completions scan .",
        "anthropic-completions scan --json program.py",
    ),
)
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def command(paths: tuple[Path, ...], as_json: bool) -> int:
    """Find what Python sources still use of anthropic's removed completions, and say what to do.

    PATH is a file, or a directory, of which all files *.py, *.pyi, *.pyw and *.ipynb are looked at: but not
    in hidden directories, links to directories and virtual environments; they are told on standard error.
    Nothing is run or changed. What a program makes at run time is not seen.

    Exits with 1 where something is found, and where a file, or a cell of a notebook, could not be looked at,
    which is told on standard error; with 0 where there is nothing.
    """
    findings: list[Finding] = []
    unread: list[OSError | SyntaxError] = []
    skipped: list[str] = []
    for file in dict.fromkeys(
        file for path in paths for file in _sources(path, unread.append, skipped.append)
    ):
        try:
            found = _scanned(file, unread.append)
        except (OSError, SyntaxError) as error:
            error.filename = str(file)
            unread.append(error)
            continue
        findings += found
        if not as_json:
            for finding in found:
                click.echo(harmless(str(finding)))
    if as_json:
        click.echo(json.dumps([_as_json(finding) for finding in findings], indent=2))
    for problem in unread:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        fail(f"{problem.filename}: not looked at: {reason}")
    if skipped:
        shown = [*skipped[:_SHOWN], f"{len(skipped) - _SHOWN} more"] if len(skipped) > _SHOWN else skipped
        click.echo(harmless(f"Skipped: {', '.join(shown)}"), err=True)
    return FAILED if findings or unread else 0


def _scanned(file: Path, tell: Callable[[SyntaxError], None]) -> list[Finding]:
    """Return what a file uses, and tell of cells of a notebook that are no Python."""
    from ..scan import scan, scan_notebook

    if file.suffix == ".ipynb":
        return scan_notebook(file.read_bytes(), str(file), on_error=tell)
    return scan(file.read_bytes(), str(file))


def _as_json(finding: Finding) -> dict[str, object]:
    """Return the fields of a finding; `cell` only of notebooks."""
    return {name: value for name, value in finding._asdict().items() if value is not None}


def _sources(path: Path, tell: Callable[[OSError], None], skip: Callable[[str], None]) -> Iterator[Path]:
    """Yield a file itself, or the sources below a directory, in order.

    Args:
        path: The file or directory.
        tell: Called for what cannot be read.
        skip: Called for each directory that is not looked into, with the reason.
    """
    if not path.is_dir():
        yield path
        return
    for place, directories, files in os.walk(path, onerror=tell):
        here = Path(place)
        reasons = {name: _why_not(here / name) for name in sorted(directories)}
        directories[:] = [name for name, reason in reasons.items() if not reason]
        for name, reason in reasons.items():
            if reason:
                skip(f"{here / name} ({reason})")
        yield from sorted(here / name for name in files if name.endswith(_SUFFIXES))


def _why_not(directory: Path) -> str:
    """Return why a directory below another is not looked into; empty where it is."""
    if directory.is_symlink():
        return "link"
    if (directory / "pyvenv.cfg").exists() or (directory / "conda-meta").is_dir():
        return "virtual environment"
    return "hidden" if directory.name.startswith(".") else ""
