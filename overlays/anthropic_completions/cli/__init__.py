"""The command line; it needs the extra `cli`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line with the process's arguments, and exit."""
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        print("The command line needs an extra: pip install 'anthropic-completions[cli]'", file=sys.stderr)
        sys.exit(2)
    try:
        from ._app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while it was still being loaded
        code = 130
    sys.exit(code)
