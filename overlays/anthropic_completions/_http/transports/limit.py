"""Until when an exchange may wait: known to whatever waits for the network, without being handed on."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Limit:
    """Until when an exchange may wait.

    Args:
        monotonic: What tells the time, in seconds.
        at: The latest moment, or None.
        idle: The most seconds from the end of sending to the head of the reply, or None.
    """

    __slots__ = ("_idle", "_idle_at", "_monotonic", "at")

    def __init__(
        self, monotonic: Callable[[], float], at: float | None = None, *, idle: float | None = None
    ) -> None:
        self._monotonic = monotonic
        self.at = at
        self._idle = idle
        self._idle_at: float | None = None

    def for_read(self, timeout: float | None) -> float | None:
        """Return the seconds that a read may take; 0 or less where its time is over."""
        if self._idle is not None and self._idle_at is None:
            self._idle_at = self._monotonic() + self._idle
        return _least(timeout, self._left(self._idle_at))

    def for_write(self, timeout: float | None) -> float | None:
        """Return the seconds that connecting or a write may take; 0 or less where its time is over."""
        self._idle_at = None
        return _least(timeout, self._left(None))

    def left(self) -> float | None:
        """Return the seconds until the latest moment, or None."""
        return self._left(None)

    def _left(self, other: float | None) -> float | None:
        at = _least(self.at, other)
        return None if at is None else at - self._monotonic()


def _least(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


_limit: ContextVar[Limit | None] = ContextVar("limit", default=None)


@contextmanager
def limited(limit: Limit | None) -> Iterator[None]:
    """Have what is waited for within this block end in time."""
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)


def current_limit() -> Limit | None:
    """Return until when the exchange that goes on may wait, or None."""
    return _limit.get()
