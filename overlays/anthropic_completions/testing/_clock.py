"""A clock for tests, which moves only while something waits."""

from __future__ import annotations

import time


class FakeClock:
    """A clock that no wait stops for: waiting moves it on and returns at once.

    Attributes:
        now: Seconds since the epoch, at first the true ones.
        waits: The seconds of each wait so far.
    """

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now
        self.waits: list[float] = []

    def monotonic(self) -> float:
        """Return the time, as `time.monotonic` does."""
        return self.now

    def wall(self) -> float:
        """Return the time, as `time.time` does."""
        return self.now

    def random(self) -> float:
        """Return 0.0 always: back-off without jitter."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Note the wait and move the time on."""
        self.waits.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        """Note the wait, move the time on, and let other tasks run."""
        import anyio.lowlevel

        self.sleep(seconds)
        await anyio.lowlevel.checkpoint()
