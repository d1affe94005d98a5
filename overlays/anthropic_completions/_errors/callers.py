"""Tell callers of their mistakes by their own lines and names."""

from __future__ import annotations

import contextlib
import os
import sys
from types import FunctionType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

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


def told_as(name: str, function: Callable[..., None]) -> Callable[..., None]:
    """Return a copy of a function of which Python tells by another name, where arguments do not fit."""
    old = cast("FunctionType", function)
    new = FunctionType(old.__code__, old.__globals__, old.__name__, old.__defaults__, old.__closure__)
    new.__kwdefaults__ = old.__kwdefaults__
    new.__annotations__ = old.__annotations__
    new.__module__, new.__doc__, new.__qualname__ = old.__module__, old.__doc__, name
    return new
