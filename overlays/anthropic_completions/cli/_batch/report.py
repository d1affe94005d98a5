"""Draw the page of `--report` with plotly: what a batch did. It needs no network to be read."""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from ..._http.failures import parse_json
from .inputs import check_writable
from .tally import Causes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from .results import ResultLine
    from .tally import Tally

_BINS = 120
_LENGTHS = 40
_LIVE_SECONDS = 30


def check_report(page: Path) -> None:
    """Check that reports can be drawn, and written where the page is wanted.

    Raises:
        ValueError: The extra `report` is missing.
        OSError: The page's folder is missing, or takes no files.
    """
    check_writable(f"--report {page}", page)
    if find_spec("plotly") is None:
        raise ValueError("--report needs an extra: pip install 'anthropic-completions[report]'")


class Picture:
    """What the results in a file add up to, in little memory.

    Args:
        results: The file of results.
    """

    def __init__(self, results: Path) -> None:
        self.causes = Causes()
        self.stop_reasons: Counter[str] = Counter()
        self.lengths = array("L")
        self.count = 0
        times = [at for line in _lines(results) if (at := _time(line)) is not None]
        self.start, end = min(times, default=0.0), max(times, default=0.0)
        self.width = max((end - self.start) / _BINS, 1.0)
        del times
        self.done = [0] * (_BINS + 1)
        self.failed = [0] * (_BINS + 1)
        self.seconds = [array("f") for _ in range(_BINS + 1)]
        for line in _lines(results):
            self._add(line)

    def _add(self, line: ResultLine) -> None:
        self.count += 1
        at = _time(line)
        place = None if at is None else min(int((at - self.start) / self.width), _BINS)
        if "error" in line:
            self.causes.add(line["error"])
            if place is not None:
                self.failed[place] += 1
            return
        completion = line.get("completion") or {}
        self.stop_reasons[str(completion.get("stop_reason"))] += 1
        self.lengths.append(len(str(completion.get("completion", ""))))
        if place is not None:
            self.done[place] += 1
            if isinstance(seconds := line.get("seconds"), int | float):
                self.seconds[place].append(seconds)

    def times(self) -> list[datetime]:
        """Return when each bin begins, as far as there is something in one."""
        last = max(
            (place for place in range(_BINS + 1) if self.done[place] or self.failed[place]), default=-1
        )
        return [datetime.fromtimestamp(self.start + place * self.width, UTC) for place in range(last + 1)]

    def quantile(self, share: float) -> list[float | None]:
        """Return the latency of each bin that a share of its calls did not exceed."""
        return [sorted(found)[int(share * (len(found) - 1))] if found else None for found in self.seconds]


def write_report(results: Path, target: Path, summary: str, *, live: bool = False) -> None:
    """Write the page, at once or not at all.

    Args:
        results: The file of results.
        target: The page.
        summary: A line about the run.
        live: Whether the page shall load itself again, as more is to come.

    Raises:
        OSError: It could not be written.
    """
    from plotly.graph_objects import Bar, Histogram, Scatter
    from plotly.subplots import make_subplots

    picture = Picture(results)
    times = picture.times()
    figure = make_subplots(
        rows=3,
        cols=2,
        specs=[[{"colspan": 2}, None], [{"colspan": 1}, {}], [{}, {}]],
        subplot_titles=(
            "Requests per minute",
            "Seconds of a call",
            "Failures by cause",
            "Characters of completions",
            "Why completions ended",
        ),
    )
    per_minute = 60.0 / picture.width
    for name, counts, colour in (
        ("completed", picture.done, "#2a6f97"),
        ("failed", picture.failed, "#c1121f"),
    ):
        rates = [count * per_minute for count in counts[: len(times)]]
        figure.add_trace(Bar(x=times, y=rates, name=name, marker_color=colour), row=1, col=1)
    for name, share in (("median", 0.5), ("95 of 100", 0.95)):
        values = picture.quantile(share)[: len(times)]
        figure.add_trace(Scatter(x=times, y=values, name=name, mode="lines+markers"), row=2, col=1)
    causes = [*picture.causes]
    figure.add_trace(
        Bar(
            x=[count for _, count, _ in causes],
            y=[cause for cause, _, _ in causes],
            text=[message[:200] for _, _, message in causes],
            orientation="h",
            marker_color="#c1121f",
            showlegend=False,
        ),
        row=2,
        col=2,
    )
    figure.add_trace(Histogram(x=list(picture.lengths), nbinsx=_LENGTHS, showlegend=False), row=3, col=1)
    reasons = picture.stop_reasons
    figure.add_trace(Bar(x=[*reasons], y=[*reasons.values()], showlegend=False), row=3, col=2)
    figure.update_layout(
        title=f"{results.name}: {summary}", barmode="stack", height=1000, template="plotly_white"
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    head = '<meta charset="utf-8" /><title>Batch report</title>'
    if live:
        head += f'<meta http-equiv="refresh" content="{_LIVE_SECONDS}" />'
    page = page.replace('<meta charset="utf-8" />', head, 1)
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_text(page, encoding="utf-8", errors="replace")
        beside.replace(target)
    except OSError as error:  # which names the file beside
        raise OSError(f"--report {target}: {error.strerror or error}") from None


class Reporter:
    """Draws the page of a run.

    Args:
        results: The file of results.
        page: The page.
        tally: How far the run is.
    """

    def __init__(self, results: Path, page: Path, tally: Tally) -> None:
        self._results, self._page, self._tally = results, page, tally

    async def live(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Draw it every 30 s; it goes on until it is cancelled."""
        while True:
            await sleep(_LIVE_SECONDS)
            await asyncio.to_thread(self.write, live=True)

    def write(self, *, live: bool = False) -> None:
        """Draw it.

        Raises:
            OSError: It could not be written.
        """
        write_report(self._results, self._page, self._tally.summary(), live=live)


def _lines(results: Path) -> Iterator[ResultLine]:
    if not results.exists():
        return
    with results.open("rb") as file:
        for line in file:
            try:
                found = parse_json(line)
            except ValueError:
                continue  # the last one, which is being written
            if isinstance(found, dict):
                yield cast("ResultLine", found)


def _time(line: ResultLine) -> float | None:
    try:
        return datetime.fromisoformat(str(line.get("at"))).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
