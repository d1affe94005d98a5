"""Complete the requests of a batch by calls, a bounded number at a time, and decide when to stop."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from ..._errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    BillingError,
    NotFoundError,
    PermissionDeniedError,
)
from ...batch import BatchRequestError, acomplete_many
from .._common import INTERRUPTED, described, fail
from .requests import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping

    from ..._client.clients import AsyncAnthropic
    from ..._contract.schema import JSONObject
    from ...batch import Result
    from .results import ResultLine, ResultsFile
    from .tally import Tally

    Work = Callable[[], Coroutine[object, object, None]]

# So many calls in a row, each with its retries, that find nobody there.
_UNREACHABLE_CALLS = 5


class Stopped(Exception):
    """The run was stopped, as what failed would fail for all that is left."""


async def run(
    client: AsyncAnthropic,
    requests: Iterable[Asked],
    results: ResultsFile,
    common: Mapping[str, object],
    concurrency: int,
    tally: Tally,
    *,
    models: frozenset[str] | None = None,
    show_waiting: Callable[[Callable[[], float]], None] = lambda _: None,
) -> None:
    """Complete what is not done yet, and append each result as it comes.

    Args:
        client: What to call with.
        requests: The requests; those that have a result are left out.
        results: The file of results.
        common: Arguments of every call; those of a request override them.
        concurrency: The most calls at a time.
        tally: Where to count.
        models: The models that are asked, to stop at a failure that all other requests will share; None to
            go on in any case.
        show_waiting: Is told how to ask for the seconds that all calls still wait.

    Raises:
        Stopped: What failed would fail for all others. It has no result: the next run tries it again.
    """
    todo = (request for request in requests if request["id"] not in results.done)
    outcomes = acomplete_many(client, todo, concurrency=concurrency, **common)
    show_waiting(lambda: outcomes.waiting)
    held: list[ResultLine] = []  # of calls that found nobody there, until one finds somebody

    def keep(line: ResultLine) -> None:
        results.append(line)
        tally.count(line)

    try:
        async for result in outcomes:
            line = line_of(result)
            if models is not None and result.error is not None:
                if reason := shared_reason(result.error, models):
                    raise Stopped(reason)
                if _is_unreachable(result.error):
                    held.append(line)
                    if len(held) == _UNREACHABLE_CALLS:
                        told = described(result.error)
                        held.clear()
                        raise Stopped(f"{_UNREACHABLE_CALLS} calls in a row had no connection: {told}")
                    continue
            while held:
                keep(held.pop(0))
            keep(line)
        for line in held:
            keep(line)
    finally:
        await outcomes.aclose()
        for result in outcomes.arrived():
            if models is None or result.error is None:
                keep(line_of(result))


def shared_reason(error: Exception, models: frozenset[str]) -> str | None:
    """Return why all other requests would fail in the same way, or None where they need not.

    Args:
        error: What a call ended in.
        models: All models that are asked.
    """
    if not isinstance(error, APIStatusError):
        return None
    if isinstance(error, AuthenticationError | PermissionDeniedError | BillingError):
        return described(error)
    if len(models) != 1:
        return None
    message = described(error)
    if isinstance(error, NotFoundError) and "model: " in message:
        return f"{message}; `anthropic-completions models` lists the known ones, --model names another"
    if isinstance(error, BadRequestError) and "use the Messages API" in message:
        return f"{message} ANTHROPIC_COMPLETIONS_BACKEND=messages does"
    return None


def _is_unreachable(error: Exception) -> bool:
    return isinstance(error, APIConnectionError) and isinstance(
        error.__cause__, httpx.ConnectError | httpx.ConnectTimeout
    )


def line_of(result: Result) -> ResultLine:
    """Return what is written of a result."""
    request = result.request
    line: ResultLine = {"id": result.id}
    if isinstance(request, Asked):
        line["fingerprint"] = request.fingerprint
    completion, error = result.completion, result.error
    line["request_id"] = getattr(error, "request_id", None) if completion is None else completion._request_id
    line["at"] = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
    if result.seconds is not None:
        line["seconds"] = round(result.seconds, 3)
    if isinstance(request, Asked) and request.row:
        line["row"] = request.row
    if completion is not None:
        line["completion"] = completion.to_dict()
    elif error is not None:
        line["error"] = told_of(error)
    return line


def told_of(error: Exception) -> JSONObject:
    """Return what is written of an error."""
    told: JSONObject = {"class": type(error).__name__}
    if isinstance(error, APIStatusError):
        told |= {"status": error.status_code, "type": error.type}
    elif isinstance(error, BatchRequestError):
        told["outcome"] = error.outcome
        if error.status_code is not None:
            told |= {"status": error.status_code, "type": error.type}
    told["message"] = described(error)
    return told


def ran(main: Work) -> int:
    """Run to the end, to Ctrl-C or SIGTERM, or to what stops it, and return the exit code."""

    async def until_terminated() -> bool:
        task = asyncio.ensure_future(main())
        loop = asyncio.get_running_loop()
        terminated = False

        def terminate() -> None:
            nonlocal terminated
            terminated = True
            task.cancel()

        with suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or no main thread
            loop.add_signal_handler(signal.SIGTERM, terminate)
        try:
            await task
        except asyncio.CancelledError:
            if not terminated:
                raise
        return terminated

    try:
        return INTERRUPTED if asyncio.run(until_terminated()) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Stopped as stop:
        return fail(f"Stopped, as all that is left would fail: {stop}")
    except APIError as error:
        return fail(described(error))
    except OSError as error:
        return fail(str(error))


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does while the context lasts."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # in a thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
