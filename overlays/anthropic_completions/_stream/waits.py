"""The limits of waiting for a stream: its deadline, its next chunk, its end. Sans-I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class StreamLimits(NamedTuple):
    """How long a stream may take, how large it may be, and how it may end.

    Attributes:
        monotonic: What tells the time, in seconds.
        deadline_at: The time at which the call ends, or None.
        idle_timeout: The most seconds of waiting without a completion event, or None.
        end_grace: Seconds to wait for the end after the stop reason.
        tolerates_abrupt_end: Whether a broken connection after the stop reason is an end.
        max_event_bytes: The most bytes of the data of one event, or of a reply that is no stream.
        max_reply_bytes: The most bytes of the whole, decoded.
    """

    monotonic: Callable[[], float]
    deadline_at: float | None
    idle_timeout: float | None
    end_grace: float
    tolerates_abrupt_end: bool
    max_event_bytes: int
    max_reply_bytes: int


class Waits:
    """The waiting for the bytes of one reply. Time that its reader takes does not count.

    Attributes:
        is_endless: Whether nothing limits it until the stop reason has come, so that no time need be told.

    Args:
        limits: Its limits.
    """

    def __init__(self, limits: StreamLimits) -> None:
        self.is_endless = limits.deadline_at is None and limits.idle_timeout is None
        self._limits = limits
        self._silence = 0.0  # seconds of waiting since the last chunk
        self._since = 0.0  # when the present waiting began
        self._end_at: float | None = None  # once the stop reason has come

    def begin(self, *, stopped: bool) -> float | None:
        """Note that the next bytes are now waited for, and return the time at which that ends, or None.

        Args:
            stopped: Whether all of the text has come, so that only the end can.
        """
        if self._limits.idle_timeout is not None:
            self._since = self._limits.monotonic()
        if stopped and self._end_at is None:
            self._end_at = self._limits.monotonic() + self._limits.end_grace
        return self._due()

    def end(self) -> None:
        """Note that bytes have come."""
        if self._limits.idle_timeout is not None:
            self._silence += self._limits.monotonic() - self._since

    def chunk(self) -> None:
        """Note a sign of life."""
        self._silence = 0.0

    def _due(self) -> float | None:
        due = self._limits.deadline_at
        if self._end_at is not None:
            due = self._end_at if due is None else min(due, self._end_at)
        if self._limits.idle_timeout is not None:
            idle_at = self._since + self._limits.idle_timeout - self._silence
            due = idle_at if due is None else min(due, idle_at)
        return due

    def is_grace_over(self) -> bool:
        """Tell whether the end was waited for long enough."""
        return self._end_at is not None and self._limits.monotonic() >= self._end_at

    def overdue(self, *, waiting: bool = False) -> str | None:
        """Return what limit is exceeded, for people; None where none is.

        Args:
            waiting: Whether bytes are still waited for.
        """
        deadline_at, idle = self._limits.deadline_at, self._limits.idle_timeout
        if deadline_at is not None and self._limits.monotonic() >= deadline_at:
            return "The deadline has passed."
        silence = self._silence + (self._limits.monotonic() - self._since if waiting else 0.0)
        if idle is not None and silence >= idle:
            return f"Request timed out. No completion event came in {idle} seconds."
        return None
