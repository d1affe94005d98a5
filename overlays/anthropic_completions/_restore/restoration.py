"""`Restoration`: what was done to a package, and how to undo it."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType, TracebackType
    from typing import Self

LOCK = threading.RLock()
_ABSENT = object()


class Restoration:
    """What `restore` did.

    Attributes:
        settings: The settings of the clients that it makes.
    """

    def __init__(self, settings: dict[str, object]) -> None:
        self.settings = settings
        self._steps_back: list[Callable[[], object]] = []

    def put(self, owner: object, name: str, value: object) -> None:
        """Set an attribute, and remember what it was."""
        self._steps_back.append(partial(_put_back, owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)

    def put_module(self, name: str, module: ModuleType) -> None:
        """Have a module imported by a name, and remember what was."""
        module.__name__ = name
        self._steps_back.append(partial(_put_module_back, name, sys.modules.get(name)))
        sys.modules[name] = module

    def back_by(self, step: Callable[[], object]) -> None:
        """Remember a step that takes something back."""
        self._steps_back.append(step)

    def undo(self) -> None:
        """Take all of it back. Safe to call twice."""
        with LOCK:
            while self._steps_back:
                self._steps_back.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.undo()


def _put_back(owner: object, name: str, value: object) -> None:
    if value is not _ABSENT:
        setattr(owner, name, value)
    elif name in vars(owner):  # somebody may have taken it away already
        delattr(owner, name)


def _put_module_back(name: str, module: ModuleType | None) -> None:
    if module is not None:
        sys.modules[name] = module
    else:
        sys.modules.pop(name, None)
