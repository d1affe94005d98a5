"""Show the progress of a batch: a bar in a terminal, elsewhere a line now and then."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from .._common import is_terminal, tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from rich.progress import Task
    from rich.text import Text

    from .tally import Tally

Style = Literal["bar", "plain", "none"]
EVERY_SECONDS = 30.0


class Progress:
    """Shows how far a batch is, and what it waits for.

    Args:
        tally: How far it is.
        style: `bar`, `plain` (a line every 30 s) or `none`; None for a bar in a terminal, else lines.

    Attributes:
        waits_for: Says in words what is waited for at present; empty for nothing.
    """

    def __init__(self, tally: Tally, style: Style | None) -> None:
        self._tally = tally
        self.style: Style = style or ("bar" if is_terminal(sys.stderr) else "plain")
        self.waits_for: Callable[[], str] = str

    def rate_limited(self, waiting: Callable[[], float]) -> None:
        """Be told how to ask for the seconds that all calls wait."""
        self.waits_for = lambda: f"rate limited, {_time(left)} left" if (left := waiting()) > 0 else ""

    def shown(self) -> AbstractContextManager[None]:
        """Show a bar while the context lasts, if that is the style."""
        return self._bar() if self.style == "bar" else nullcontext()

    async def lines(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Tell a line every 30 s, if that is the style; it goes on until it is cancelled."""
        while self.style == "plain":
            await sleep(EVERY_SECONDS)
            tell(self.line())

    def line(self) -> str:
        """Return how far it is as a line."""
        tally = self._tally
        parts = [f"{tally.total - tally.left}/{tally.total} done", f"{tally.rate():.1f} per second"]
        if (seconds := tally.seconds_left()) is not None:
            parts.append(f"about {_time(seconds)} left")
        if tally.failed:
            parts.append(f"{tally.failed} failed ({tally.causes.short()})")
        if waits := self.waits_for():
            parts.append(waits)
        return "; ".join(parts)

    @contextmanager
    def _bar(self) -> Iterator[None]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn
        from rich.progress import Progress as Bar
        from rich.text import Text

        tally = self._tally

        def waits_for() -> str:
            return self.waits_for()

        class Count(MofNCompleteColumn):
            def render(self, task: Task) -> Text:
                task.completed = tally.total - tally.left
                return super().render(task)

        class State(ProgressColumn):
            def render(self, task: Task) -> Text:
                left = tally.seconds_left()
                text = Text(f"{tally.rate():.1f}/s")
                text.append(f" {_time(left)} left" if left is not None else "")
                if tally.failed:
                    text.append(f" {tally.failed} failed", style="red")
                    text.append(f" ({tally.causes.short()})", style="red")
                if waits := waits_for():
                    text.append(f" {waits}", style="yellow")
                return text

        bar = Bar(
            Count(),
            BarColumn(complete_style="cyan", finished_style="green"),
            State(),
            console=Console(stderr=True),
            refresh_per_second=4,
        )
        with bar:
            task = bar.add_task("", total=tally.total)
            try:
                yield
            finally:
                bar.update(task, completed=tally.total - tally.left)


def _time(seconds: float) -> str:
    """Return a time as people say it."""
    whole = max(1, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
