"""Write and remove the `.pth` file that restores completions in all programs of an environment."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from . import startup

NAME = "anthropic_completions_run.pth"
_LINE = (
    "import os; p = {path!r}; s = {{'__name__': '_anthropic_completions_startup', '__file__': p}}; "
    "os.path.exists(p) and (exec(compile(open(p, encoding='utf-8').read(), p, 'exec'), s), s['start']())\n"
)


def place() -> Path:
    """Return where this environment's file is, or would be."""
    return Path(sysconfig.get_path("purelib")) / NAME


def install() -> Path:
    """Write the file and return where it is. It does nothing where this package is removed.

    Raises:
        OSError: It cannot be written.
    """
    path = place()
    path.write_text(_LINE.format(path=startup.__file__), encoding="utf-8")
    return path


def uninstall() -> Path | None:
    """Remove the file and return where it was; None where there was none.

    Raises:
        OSError: It cannot be removed.
    """
    path = place()
    if not path.exists():
        return None
    path.unlink()
    return path
