"""Many completions, a bounded number of them at a time.

    for result in complete_many(client, requests, model="claude-2.1", max_tokens_to_sample=256):
        print(result.id, result.completion or result.error)

Requests are taken from their source one by one, when a call can begin: there may be more of them than fit
into memory. What goes wrong with one is in its result and stops no other.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._http.retry import retry_after
from ._tasks import spawn
from .rate_limits import RateLimits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from ._client.clients import Anthropic, AsyncAnthropic
    from ._contract.completion import Completion
    from ._http.call import Clock

__all__ = ["AsyncResults", "Result", "acomplete_many", "complete_many"]

_END: Any = object()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request: either a completion or an error.

    Attributes:
        request: The request, as it was given.
        completion: The completion, or None.
        error: What went wrong, or None.
    """

    request: Mapping[str, Any]
    completion: Completion | None = None
    error: Exception | None = None

    @property
    def id(self) -> Any:
        """The request's `id`; None where it has none."""
        return self.request.get("id")


def complete_many(
    client: Anthropic, requests: Iterable[Mapping[str, Any]], *, concurrency: int = 8, **arguments: Any
) -> Iterator[Result]:
    """Complete many prompts, and yield the results as they come, in any order.

    All calls wait while the service asks one of them to (`retry-after`), and while the rate-limit headers
    say that nothing is left, until the time of the reset; at most `client.max_retry_after` seconds at once.

    Args:
        client: What to call with, in threads; its settings, such as `max_retries`, hold.
        requests: The arguments of `create` for each call, and an `id` of any kind to know the result by.
            They are taken in the caller's thread. An error that this raises is raised after the results of
            the calls under way.
        concurrency: The most calls at a time, 1 or more.
        **arguments: Arguments of every call; those of a request override them.

    Returns:
        The results. Leaving the loop begins no further calls; those under way end by themselves, unseen.

    Raises:
        TypeError, ValueError: `concurrency` is no number of calls.
    """
    return _complete_many(client, iter(requests), _checked(concurrency), arguments)


def _complete_many(
    client: Anthropic, source: Iterator[Mapping[str, Any]], concurrency: int, common: Mapping[str, Any]
) -> Iterator[Result]:
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    paced = _paced(client)
    failure: Exception | None = None
    threads = under_way = 0

    def work() -> None:
        while (request := todo.get()) is not _END:
            result: Result | BaseException
            try:
                result = Result(request, paced.completions.create(**_merged(common, request)))
            except Exception as error:  # noqa: BLE001 - it is the result
                result = Result(request, error=error)
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
                result = error
            done.put(result)

    try:
        while True:
            while under_way < concurrency:
                try:
                    request = next(source, _END)
                except Exception as error:  # noqa: BLE001 - raised below
                    request, failure = _END, error
                if request is _END:
                    source = iter(())
                    break
                if threads == under_way:
                    threading.Thread(target=work, daemon=True, name="complete_many").start()
                    threads += 1
                todo.put(request)
                under_way += 1
                if not done.empty():
                    break
            if not under_way:
                break
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
            under_way -= 1
    finally:
        for _ in range(threads):
            todo.put(_END)
    if failure is not None:
        raise failure


def acomplete_many(
    client: AsyncAnthropic,
    requests: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]],
    *,
    concurrency: int = 8,
    **arguments: Any,
) -> AsyncResults:
    """Complete many prompts, and return an asynchronous iterator of the results, in any order.

    As `complete_many`, with tasks in place of threads, under asyncio and trio. `aclose()` cancels the calls
    under way. While a source has nothing to give and a call could begin, results wait for it too.
    """
    return AsyncResults(client, requests, _checked(concurrency), arguments)


class AsyncResults(AsyncIterator[Result]):
    """The results of `acomplete_many`, as they come."""

    def __init__(
        self,
        client: AsyncAnthropic,
        requests: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]],
        concurrency: int,
        common: Mapping[str, Any],
    ) -> None:
        self._source: Any = aiter(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        self._failure: Exception | None = None
        self._ended = False
        self._concurrency = concurrency
        self._common = common
        self._calls = _Calls(_paced(client))

    async def __anext__(self) -> Result:
        calls = self._calls
        while True:
            if calls.done:
                return calls.done.popleft()
            if calls.under_way < self._concurrency and (request := await self._next_request()) is not _END:
                calls.start(request, self._common)
                continue
            if calls.done:
                continue
            if not calls.under_way:
                failure, self._failure = self._failure, None
                raise StopAsyncIteration if failure is None else failure
            await calls.arrival()

    async def aclose(self) -> None:
        """Begin no further calls, and cancel those under way."""
        self._ended = True
        self._calls.cancel()

    async def _next_request(self) -> Any:
        if self._ended:
            return _END
        try:
            if isinstance(self._source, AsyncIterator):
                return await anext(self._source)
            return next(self._source)
        except (StopIteration, StopAsyncIteration):
            pass
        except Exception as error:  # noqa: BLE001 - raised after the results
            self._failure = error
        self._ended = True
        return _END


class _Calls:
    """Calls in tasks of their own, which no one has to wait for."""

    def __init__(self, client: AsyncAnthropic) -> None:
        import anyio

        self.done: deque[Result] = deque()
        self.under_way = 0
        self._client = client
        self._anyio = anyio
        self._arrived = anyio.Event()
        self._scopes: set[anyio.CancelScope] = set()
        self._cancelled = False

    def start(self, request: Mapping[str, Any], common: Mapping[str, Any]) -> None:
        """Begin a call."""
        self.under_way += 1

        async def call() -> None:
            # What stays of a call that is cancelled from within, as by middleware.
            result = Result(request, error=RuntimeError("the call was cancelled from within"))
            with self._anyio.CancelScope() as scope:
                self._scopes.add(scope)
                try:
                    if not self._cancelled:
                        result = await self._result(request, common)
                finally:
                    if not self._cancelled:
                        self.done.append(result)
                    self._scopes.discard(scope)
                    self.under_way -= 1
                    self._arrived.set()

        spawn(call)

    async def arrival(self) -> None:
        """Wait until a call has ended."""
        if self._arrived.is_set():
            self._arrived = self._anyio.Event()
        await self._arrived.wait()

    def cancel(self) -> None:
        """End all calls; their results are dropped."""
        self._cancelled = True
        for scope in tuple(self._scopes):
            scope.cancel()

    async def _result(self, request: Mapping[str, Any], common: Mapping[str, Any]) -> Result:
        try:
            return Result(request, await self._client.completions.create(**_merged(common, request)))
        except Exception as error:  # noqa: BLE001 - it is the result
            return Result(request, error=error)


def _checked(concurrency: object) -> int:
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        raise TypeError(f"concurrency: expected an integer, got {concurrency!r}")
    if concurrency < 1:
        raise ValueError(f"concurrency: expected 1 or more, got {concurrency}")
    return concurrency


def _merged(common: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of one call."""
    if not isinstance(request, Mapping):
        raise TypeError(f"expected a mapping of arguments, got a value of type {type(request).__name__}")
    arguments = {**common, **request}
    arguments.pop("id", None)
    if arguments.get("stream"):
        raise TypeError("stream: expected a call that returns a completion, got one for a stream")
    return arguments


def _paced(client: Any) -> Any:
    """Return a client whose attempts wait while the service's limits say so."""
    clock, cap = client._clock, client._options.max_retry_after
    pace = _Pace(clock, cap)

    def middleware(request: Any, call_next: Any) -> Any:
        while seconds := pace.wait():
            clock.sleep(seconds)
        return pace.noted(call_next(request))

    async def async_middleware(request: Any, call_next: Any) -> Any:
        import anyio

        sleep: Callable[[float], Awaitable[None]] = clock.sleep_async or anyio.sleep
        while seconds := pace.wait():
            await sleep(seconds)
        return pace.noted(await call_next(request))

    paced = client.with_middleware(async_middleware if client._asynchronous else middleware)
    paced.__dict__.setdefault("_clock", clock)
    return paced


class _Pace:
    """When the next attempt may be sent.

    Args:
        clock: Time.
        cap: The most seconds to wait at once; None for no limit.
    """

    def __init__(self, clock: Clock, cap: float | None) -> None:
        self._clock = clock
        self._cap = cap
        self._open_at = 0.0

    def wait(self) -> float:
        """Return the seconds to wait before sending."""
        return max(0.0, self._open_at - self._clock.monotonic())

    def noted(self, reply: Any) -> Any:
        """Note what the headers of a reply ask for, and return the reply."""
        headers, now = dict(reply.headers), self._clock.wall()
        limits = RateLimits.from_headers(headers)
        longest = retry_after(headers, now=now) or 0.0
        for limit in (limits.requests, limits.tokens, limits.input_tokens, limits.output_tokens):
            if limit is not None and limit.remaining == 0 and limit.reset is not None:
                longest = max(longest, limit.reset.timestamp() - now)
        if self._cap is not None:
            longest = min(longest, self._cap)
        if longest > 0:
            self._open_at = max(self._open_at, self._clock.monotonic() + longest)
        return reply
