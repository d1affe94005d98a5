"""Check that rooms stay small: lines of a file, modules of a folder, floors above each other."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("overlays", "scripts")
MOST_LINES, MOST_MODULES, MOST_FLOORS = 350, 12, 10


def too_large(root: Path) -> Iterator[str]:
    """Yield what is too large under a folder, with its place."""
    for folder in (root, *(found for found in sorted(root.rglob("*")) if found.is_dir())):
        modules = sorted(folder.glob("*.py"))
        # Scripts stand side by side: none imports another.
        if len(modules) > MOST_MODULES and (folder / "__init__.py").exists():
            yield f"{folder}: expected at most {MOST_MODULES} modules, got {len(modules)}; part the folder"
        for module in modules:
            count = len(module.read_text(encoding="utf-8").splitlines())
            if count > MOST_LINES:
                yield f"{module}:{MOST_LINES + 1}: expected at most {MOST_LINES} lines, got {count}; part it"


def too_high(project: Path) -> Iterator[str]:
    """Yield what is wrong with the floors that a `pyproject.toml` has the import linter check."""
    for contract in tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and len(contract["layers"]) > MOST_FLOORS:
            yield f"{project}: expected at most {MOST_FLOORS} layers, got {len(contract['layers'])}"


def main() -> None:
    """Check this project, or another one whose folder is named."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    wrong = [told for place in PLACES for told in too_large(root / place)]
    wrong += too_high(root / "pyproject.toml")
    if wrong:
        sys.exit("\n".join(told.removeprefix(f"{ROOT}/") for told in wrong))


if __name__ == "__main__":
    main()
