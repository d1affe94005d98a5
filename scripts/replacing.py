"""Replace folders and files so that, whenever that is interrupted, there is the old one or the new one."""

import ctypes
import os
import shutil
import sys
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def replace_folder(folder: Path, fresh: Path) -> None:
    """Put a copy of `fresh` in the place of `folder`.

    On Linux the two are exchanged in one step. Elsewhere there is an instant between two renames in which
    there is none; `mend_folder` puts the old one back where the program was killed in it.
    """
    mend_folder(folder)
    new, old = _beside(folder)
    shutil.copytree(fresh, new)
    if folder.exists() and not _exchange(new, folder):
        folder.rename(old)
    if not folder.exists():
        new.rename(folder)
    mend_folder(folder)


def mend_folder(folder: Path) -> None:
    """Put the old folder back where replacing it was interrupted, and remove what else that left."""
    new, old = _beside(folder)
    if old.exists() and not folder.exists():
        old.rename(folder)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)


def replace_text(path: Path, text: str) -> None:
    """Write a file anew."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="\n")
    new.replace(path)


def _beside(folder: Path) -> tuple[Path, Path]:
    return folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    flags = ctypes.c_uint(_RENAME_EXCHANGE)
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), flags) == 0)
