"""`acomplete_many`: calls in tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import TYPE_CHECKING

from .._tasks import spawn
from ._pace import paced
from ._result import Result, check_environment, checked_concurrency, merged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._client.clients import AsyncAnthropic

_END: object = object()


def acomplete_many(
    client: AsyncAnthropic,
    requests: Iterable[Mapping[str, object]] | AsyncIterable[Mapping[str, object]],
    *,
    concurrency: int = 8,
    **arguments: object,
) -> AsyncResults:
    """Complete many prompts, and return an asynchronous iterator of the results, in any order.

    As `complete_many`, with tasks in place of threads, under asyncio and trio. `aclose()` cancels the calls
    under way. While a source has nothing to give and a call could begin, results wait for it too.
    """
    return AsyncResults(client, requests, checked_concurrency(concurrency), arguments)


class AsyncResults(AsyncIterator[Result]):
    """The results of `acomplete_many`, as they come."""

    def __init__(
        self,
        client: AsyncAnthropic,
        requests: Iterable[Mapping[str, object]] | AsyncIterable[Mapping[str, object]],
        concurrency: int,
        common: Mapping[str, object],
    ) -> None:
        self._source = aiter(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        self._failure: Exception | None = None
        self._ended = False
        self._concurrency = concurrency
        self._common = common
        paced_client, self._pace = paced(client)
        self._calls = _Calls(paced_client)

    @property
    def waiting(self) -> float:
        """The seconds that all calls still wait, as the service asks for; 0.0 while they do not."""
        return self._pace.wait()

    async def __anext__(self) -> Result:
        calls = self._calls
        calls.check()
        while True:
            if calls.done:
                return calls.done.popleft()
            if calls.under_way < self._concurrency and (request := await self._next_request()) is not None:
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

    def arrived(self) -> list[Result]:
        """Return the results that have come and were not given away yet, as after `aclose`."""
        done = self._calls.done
        return [done.popleft() for _ in range(len(done))]

    async def _next_request(self) -> Mapping[str, object] | None:
        if self._ended:
            return None
        try:
            if isinstance(self._source, AsyncIterator):
                return await anext(self._source)
            return next(self._source)
        except (StopIteration, StopAsyncIteration):
            pass
        except Exception as error:  # noqa: BLE001 - raised after the results
            self._failure = error
        self._ended = True
        return None


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
        self._cancelled = self._is_checked = False

    def check(self) -> None:
        """Check the environment, the first time."""
        if not self._is_checked:
            check_environment(self._client)
            self._is_checked = True

    def start(self, request: Mapping[str, object], common: Mapping[str, object]) -> None:
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

    async def _result(self, request: Mapping[str, object], common: Mapping[str, object]) -> Result:
        now = self._client._clock.monotonic
        began = now()
        try:
            completion = await self._client.completions.create(**merged(common, request))
            return Result(request, completion, seconds=now() - began)
        except Exception as error:  # noqa: BLE001 - it is the result
            return Result(request, error=error, seconds=now() - began)
