"""Find the stack level of the caller outside this package, for warnings."""

from __future__ import annotations

import contextlib
import os
import sys

# A call may come through the context managers of `contextlib`.
_PACKAGE = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - frames hold text
_NOT_THE_USERS = (_PACKAGE + os.sep, contextlib.__file__)


def stacklevel() -> int:
    """Return the `stacklevel` with which the caller of this warns about the first line outside this package.

    Awaiting a coroutine keeps the line that awaits it on the stack. A task does not: what is called within
    one that was made of `create()` itself points at the event loop.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_NOT_THE_USERS):
        level, frame = level + 1, frame.f_back
    return level
