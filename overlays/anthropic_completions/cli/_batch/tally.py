"""Count what a batch has done, and its failures by cause."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_WINDOW_SECONDS = 60.0
_MESSAGE_CHARACTERS = 200
# Failures that another attempt may mend, where there is no status.
_MAY_PASS = {
    "APIConnectionError",
    "APIResponseValidationError",
    "APITimeoutError",
    "BatchRequestError",
    "IncompleteStreamError",
    "RetryableError",
}


class Causes:
    """Failures by cause: how many, and the first one's message."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str, bool]] = {}

    def add(self, told: object) -> None:
        """Count a failure, as it stands in a result."""
        error: Mapping[str, object] = told if isinstance(told, dict) else {}
        name, status = str(error.get("class", "unknown")), error.get("status")
        outcome = error.get("outcome")
        cause = f"{status} {error.get('type')}" if status else str(outcome or name)
        count, message, _ = self._found.get(cause, (0, str(error.get("message", "")), False))
        self._found[cause] = count + 1, message, _may_pass(name, status)

    def __iter__(self) -> Iterator[tuple[str, int, str]]:
        """Yield cause, count and one message, the most frequent first."""
        for cause, (count, message, _) in sorted(self._found.items(), key=lambda item: -item[1][0]):
            yield cause, count, message

    @property
    def total(self) -> int:
        """How many failures there are."""
        return sum(count for count, _, _ in self._found.values())

    @property
    def may_pass(self) -> int:
        """How many of them another attempt may mend."""
        return sum(count for count, _, retryable in self._found.values() if retryable)

    def short(self) -> str:
        """Return counts and causes in few words."""
        return ", ".join(f"{count} {cause}" for cause, count, _ in self)

    def lines(self) -> list[str]:
        """Return a line for each cause."""
        return [
            f"{count} failed with {cause}: {_shortened(message.removeprefix(f'{cause}: '))}"
            for cause, count, message in self
        ]


class Tally:
    """How far a batch is.

    Attributes:
        total: The number of requests.
        before: How many of them earlier runs had done.
        completed: How many this run has completed.
        causes: Why requests have failed, in this run and in earlier ones.
    """

    def __init__(
        self,
        total: int,
        *,
        before: int,
        causes: Causes | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.before = before
        self.completed = 0
        self.causes = causes or Causes()
        self._failed_before = self.causes.total
        self._now = now
        self._started = now()
        self._marks: deque[tuple[float, int]] = deque([(self._started, 0)])

    @property
    def failed(self) -> int:
        """How many have failed, in this run and in earlier ones."""
        return self.causes.total

    @property
    def done(self) -> int:
        """How many this run has done."""
        return self.completed + self.failed - self._failed_before

    @property
    def left(self) -> int:
        """How many are not done."""
        return max(0, self.total - self.before - self.done)

    def count(self, line: Mapping[str, object]) -> None:
        """Count a result, as it is written."""
        if "error" in line:
            self.causes.add(line["error"])
        else:
            self.completed += 1
        now = self._now()
        if now - self._marks[-1][0] >= 1.0:
            self._marks.append((now, self.done))

    def rate(self) -> float:
        """Return the requests per second of the last minute, waits included."""
        now = self._now()
        while len(self._marks) > 1 and self._marks[1][0] <= now - _WINDOW_SECONDS:
            self._marks.popleft()
        since, done = self._marks[0]
        return (self.done - done) / max(now - since, 0.001)

    def seconds_left(self) -> float | None:
        """Return the seconds that the rest takes at this rate; None where that is unknown."""
        rate = self.rate()
        return self.left / rate if rate > 0 else None

    def summary(self) -> str:
        """Return the tally as a line."""
        parts = [f"{self.completed} completed", f"{self.failed} failed", f"{self.before} done before"]
        if self.left:
            parts.append(f"{self.left} not done")
        rate = self.done / max(self._now() - self._started, 0.001)
        requests = "1 request" if self.total == 1 else f"{self.total} requests"
        return f"{requests}: {', '.join(parts)}; {rate:.1f} per second."


def _may_pass(name: str, status: object) -> bool:
    if isinstance(status, int):
        return status in (408, 409, 429) or status >= 500
    return name in _MAY_PASS


def _shortened(message: str) -> str:
    line = " ".join(message.split())
    return line if len(line) <= _MESSAGE_CHARACTERS else f"{line[:_MESSAGE_CHARACTERS]} …"
