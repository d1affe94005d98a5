"""Errors that `except` clauses of both packages catch.

While a package is restored, each error class here has the one of the same name there as a further base. The
classes stay the same objects: their pickles, their text and what catches them already do not change.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from .. import _errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    Joined = Mapping[type[Exception], type[Exception]]

# Where the other package has had another name since its release 2.
_OTHER_NAMES = {"BillingError": "PaymentRequiredError"}

_OURS: dict[type[Exception], tuple[type, ...]] = {
    kind: kind.__bases__
    for kind in vars(_errors).values()
    if isinstance(kind, type) and issubclass(kind, _errors.AnthropicError)
}
_joined: list[Joined] = []
_lock = threading.Lock()


def join_errors(package: ModuleType) -> Callable[[], None]:
    """Have the package's error classes catch the errors of this one.

    Returns:
        A function that takes it back.

    Raises:
        TypeError: The package's classes stand to each other in a way that leaves no order for both; nothing
            is changed then.
    """
    joined: Joined = {ours: theirs for ours in _OURS if (theirs := _theirs(package, ours)) is not None}
    with _lock:
        _joined.append(joined)
        try:
            _apply()
        except TypeError:
            _joined.remove(joined)
            _apply()
            raise

    def part() -> None:
        with _lock, suppress(ValueError):
            _joined.remove(joined)
            _apply()

    return part


def _theirs(package: ModuleType, ours: type[Exception]) -> type[Exception] | None:
    name = ours.__name__
    found = getattr(package, name, None) or getattr(package, _OTHER_NAMES.get(name, name), None)
    if not isinstance(found, type) or issubclass(found, _errors.AnthropicError):
        return None
    return found if issubclass(found, Exception) else None


def _apply() -> None:
    for ours, own in _OURS.items():  # bases come before what is derived from them
        bases = (*own, *(one[ours] for one in _joined if ours in one))
        if ours.__bases__ != bases:
            ours.__bases__ = bases
