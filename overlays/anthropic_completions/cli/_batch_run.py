"""What `batch` does: from a file of requests to a file of results."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .._contract.generated import first_violation
from .._errors import APIError, APIStatusError
from ..batch import acomplete_many
from ._common import described, objects_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from .._client.clients import AsyncAnthropic
    from ..batch import Result
    from ._results import ResultsFile


class Tally:
    """How far a batch is.

    Attributes:
        total: The number of requests.
        before: How many of them earlier runs had done.
        completed: How many this run has completed.
        failed: How many have failed, in this run and in earlier ones.
    """

    def __init__(self, total: int, *, before: int, failed: int) -> None:
        self.total = total
        self.before = before
        self.completed = 0
        self.failed = failed
        self._failed_before = failed
        self._started = time.monotonic()

    @property
    def done(self) -> int:
        """How many this run has done."""
        return self.completed + self.failed - self._failed_before

    def rate(self) -> float:
        """Return the requests per second of this run."""
        return self.done / max(time.monotonic() - self._started, 0.001)

    def summary(self) -> str:
        """Return the tally as a line."""
        parts = [f"{self.completed} completed", f"{self.failed} failed", f"{self.before} done before"]
        if missing := self.total - self.before - self.done:
            parts.append(f"{max(0, missing)} not done")
        return f"{self.total} requests: {', '.join(parts)}; {self.rate():.1f} per second."


async def run(
    client: AsyncAnthropic,
    source: Path,
    results: ResultsFile,
    common: Mapping[str, Any],
    concurrency: int,
    tally: Tally,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Complete what is not done yet, and append each result as it comes.

    Args:
        client: What to call with.
        source: The file of requests.
        results: The file of results.
        common: Arguments of every call; those of a request go before them.
        concurrency: The most calls at a time.
        tally: Where to count.
        advance: Called after each result.
    """
    todo = (request for _, request in requests_in(source) if request["id"] not in results.done)
    outcomes = acomplete_many(client, todo, concurrency=concurrency, **common)
    try:
        async for result in outcomes:
            results.append(line_of(result))
            if result.error is None:
                tally.completed += 1
            else:
                tally.failed += 1
            advance()
    finally:
        await outcomes.aclose()


def line_of(result: Result) -> dict[str, Any]:
    """Return what is written of a result."""
    if result.completion is not None:
        request_id = result.completion._request_id
        return {"id": result.id, "request_id": request_id, "completion": result.completion.to_dict()}
    error = result.error
    assert error is not None
    told: dict[str, Any] = {"class": type(error).__name__}
    if isinstance(error, APIStatusError):
        told |= {"status": error.status_code, "type": error.type}
    told["message"] = described(error)
    request_id = error.request_id if isinstance(error, APIError) else None
    return {"id": result.id, "request_id": request_id, "error": told}


def check(source: Path, common: Mapping[str, Any]) -> set[str | int]:
    """Return the ids of the requests in a file, after a look at each.

    Raises:
        ValueError: A line is no request, or its id came before; the line is told.
    """
    ids: set[str | int] = set()
    for number, request in requests_in(source):
        body = {**common, **request}
        identifier = body.pop("id")
        betas = body.pop("betas", [])
        if not isinstance(betas, list) or not all(isinstance(beta, str) for beta in betas):
            raise ValueError(f"{source}:{number}: betas: expected a list of strings")
        if body.get("stream"):
            raise ValueError(f"{source}:{number}: stream: a batch does not stream")
        if violation := first_violation("CompletionRequest", body):
            raise ValueError(f"{source}:{number}: {violation}")
        if identifier in ids:
            first = next(line for line, earlier in requests_in(source) if earlier["id"] == identifier)
            raise ValueError(f"{source}:{number}: the id {identifier!r} is that of line {first}")
        ids.add(identifier)
    return ids


def requests_in(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the requests of a file with the numbers of their lines.

    Raises:
        ValueError: A line is no object with an id and a prompt; the line is told.
    """
    for number, request in objects_in(source):
        identifier = request.get("id")
        if isinstance(identifier, bool) or not isinstance(identifier, str | int):
            raise ValueError(f"{source}:{number}: id: expected text or an integer, got {identifier!r}")
        if isinstance(identifier, str) and not _is_unicode(identifier):
            raise ValueError(f"{source}:{number}: id: expected text that UTF-8 has, got {identifier!a}")
        yield number, request


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
