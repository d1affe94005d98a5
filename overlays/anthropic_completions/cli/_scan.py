"""`scan`: what Python sources still use of the old client."""

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

    PATH is a file, or a directory, of which all files *.py are looked at: but not in hidden directories, nor
    in virtual environments. Nothing is run or changed. What a program makes at run time is not seen.

    Exits with 1 where something is found, and where a file could not be looked at, which is told on standard
    error; with 0 where there is nothing.
    """
    from ..scan import scan

    findings: list[Finding] = []
    unread: list[OSError | SyntaxError] = []
    for file in dict.fromkeys(file for path in paths for file in _sources(path, unread.append)):
        try:
            if file.suffix == ".ipynb":  # its JSON passes for Python that uses nothing
                raise SyntaxError("a notebook; scan the Python script that it is exported to")
            found = scan(file.read_bytes(), str(file))
        except (OSError, SyntaxError) as error:
            error.filename = str(file)
            unread.append(error)
            continue
        findings += found
        if not as_json:
            for finding in found:
                click.echo(harmless(str(finding)))
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings], indent=2))
    for problem in unread:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        fail(f"{problem.filename}: not looked at: {reason}")
    return FAILED if findings or unread else 0


def _sources(path: Path, tell: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield a file itself, or the sources below a directory, in order; tell of what cannot be read."""
    if not path.is_dir():
        yield path
        return
    for place, directories, files in os.walk(path, onerror=tell):
        here = Path(place)
        directories[:] = sorted(
            name
            for name in directories
            if not name.startswith(".") and not (here / name / "pyvenv.cfg").exists()
        )
        yield from sorted(here / name for name in files if name.endswith(".py"))
