"""`Stream` and `AsyncStream`: the shells that fetch a stream's bytes and close what they opened.

What the bytes mean is decided in `_assembly`.
"""

from __future__ import annotations

import asyncio
import sys
import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ._errors import APIError
from ._sse import SSEDecoder
from ._transport import exchange, run, run_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from types import TracebackType
    from typing import Self

    import httpx

    from ._assembly import Assembly
    from ._completion import Completion
    from ._sse import ServerSentEvent
    from ._transport import Call, Exchanged, Port

T = TypeVar("T")

# How many pieces that have already arrived are read over when a stream is left early.
_LEFTOVER_PIECES = 100


class _StreamBase(Generic[T]):
    """What both kinds of stream can tell without waiting."""

    def __init__(self, call: Call, port: Port, exchanged: Exchanged, assembly: Assembly) -> None:
        self._call = call
        self._port = port
        self._retries_taken = exchanged.retries_taken
        self._assembly = assembly
        self._failure: Exception | None = None
        self.response: httpx.Response = exchanged.response
        assembly.begin(self.response)

    @property
    def request_id(self) -> str | None:
        """What names the exchange at Anthropic."""
        request_id: str | None = self.response.headers.get("request-id")
        return request_id

    @property
    def completion_so_far(self) -> Completion:
        """One completion of all that has come: the text so far, and `stop_reason` None until the end."""
        return self._assembly.so_far()

    def _retry_steps(self, failure: Exception) -> Any:
        """Return the steps of another attempt, for a failure before the first chunk; otherwise raise it."""
        if self._assembly.chunk_count or not isinstance(failure, APIError):
            raise failure
        return exchange(self._call, self._port, retries_taken=self._retries_taken, failure=failure)

    def _restart(self, exchanged: Exchanged) -> None:
        self.response, self._retries_taken = exchanged.response, exchanged.retries_taken
        self._assembly.begin(self.response)

    def _fail(self, error: Exception) -> Exception:
        self._failure = self._assembly.failure(error)
        return self._failure

    def _check_open(self, *, ended: bool) -> None:
        """Raise where reading on would look like the end of the text and is not."""
        if self._failure is not None:
            raise self._failure
        if ended and not self._assembly.complete:
            raise self._assembly.left_early()


class Stream(_StreamBase[T]):
    """The chunks of a completion, as they come.

    Iterate over it once. Leaving a loop early closes the stream; so do `close`, a `with` block, and
    forgetting it. A stream that ends before its text does raises, and the error holds the text so far
    in `completion`.

    Attributes:
        response: The HTTP reply.

    Raises (while iterating):
        IncompleteStreamError: The body ended without a stop reason, or broke off.
        APITimeoutError: Nothing came in time.
        APIStatusError: The stream brought an error; the class is that of its type.
        APIResponseValidationError: What came is not what the contract says.
    """

    def __init__(self, call: Call, port: Port, exchanged: Exchanged, assembly: Assembly) -> None:
        super().__init__(call, port, exchanged, assembly)
        self._chunks = self._run()

    def __iter__(self) -> Iterator[T]:
        self._check_open(ended=self._chunks.gi_frame is None)
        # Leaving the loop ends this generator, which ends the inner one, which closes the connection.
        yield from self._chunks

    def __next__(self) -> T:
        try:
            return cast(T, next(self._chunks))
        except StopIteration:
            self._check_open(ended=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the stream and give its connection back. Safe to call twice."""
        self._chunks.close()
        self.response.close()  # a generator that never started does not

    @property
    def text_stream(self) -> Iterator[str]:
        """The pieces of text, as they come, without empty ones."""
        return (chunk.completion for chunk in cast("Iterator[Completion]", iter(self)) if chunk.completion)

    def get_final_completion(self) -> Completion:
        """Read to the end and return one completion with the whole text.

        Raises:
            APIError: As iterating does.
        """
        for _ in self:
            pass
        return self.completion_so_far

    @staticmethod
    def raw_events(response: httpx.Response) -> Iterator[ServerSentEvent]:
        """Decode the events of a reply, whatever they mean."""
        decoder = SSEDecoder()
        for piece in response.iter_bytes():
            yield from decoder.feed(piece)

    def _run(self) -> Any:
        try:
            while True:
                try:
                    for piece in self.response.iter_bytes():
                        yield from self._assembly.feed(piece)
                    yield from self._assembly.finish()
                    return
                except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                    failure = self._fail(error)
                self.response.close()
                try:
                    self._restart(run(self._retry_steps(failure)))
                except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                    raise self._fail(error) from error.__cause__
                self._failure = None
        finally:
            self.response.close()


class AsyncStream(_StreamBase[T]):
    """The chunks of a completion, as they come, for `async for`.

    As `Stream`; closing is awaited. A stream that is forgotten is closed by its event loop.
    """

    def __init__(self, call: Call, port: Port, exchanged: Exchanged, assembly: Assembly) -> None:
        super().__init__(call, port, exchanged, assembly)
        self._ready: Iterator[Completion] = iter(())
        self._drained = False
        self._source = _Source(self.response)
        self._finalizer = weakref.finalize(self, _abandon, self._source, _scheduler())
        self._finalizer.atexit = False

    def __aiter__(self) -> AsyncIterator[T]:
        self._check_open(ended=self._source.closed and not self._drained)
        return _AsyncLoop(self)

    async def __anext__(self) -> T:
        self._check_open(ended=self._source.closed and not self._drained)
        while True:
            try:
                for chunk in self._ready:
                    return cast(T, chunk)
                if self._source.closed:
                    raise StopAsyncIteration
                piece = await self._source.next_piece()
                if piece is None:
                    self._drained = True
                    self._ready = self._assembly.finish()
                    await self._source.aclose()
                else:
                    self._ready = self._assembly.feed(piece)
                continue
            except StopAsyncIteration:
                raise
            except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                failure = self._fail(error)
            except BaseException:
                await self._source.aclose()
                raise
            await self._source.aclose()
            try:
                self._restart(await run_async(self._retry_steps(failure)))
            except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                raise self._fail(error) from error.__cause__
            self._failure = None
            self._drained = False
            self._ready = iter(())
            self._source.open(self.response)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the stream and give its connection back. Safe to call twice."""
        self._ready = iter(())
        await self._source.aclose()

    aclose = close

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The pieces of text, as they come, without empty ones."""
        return _AsyncTexts(cast("AsyncIterator[Completion]", aiter(self)))

    async def get_final_completion(self) -> Completion:
        """Read to the end and return one completion with the whole text.

        Raises:
            APIError: As iterating does.
        """
        async for _ in self:
            pass
        return self.completion_so_far

    @staticmethod
    async def raw_events(response: httpx.Response) -> AsyncIterator[ServerSentEvent]:
        """Decode the events of a reply, whatever they mean."""
        decoder = SSEDecoder()
        async for piece in response.aiter_bytes():
            for event in decoder.feed(piece):
                yield event


class _AsyncLoop(Generic[T]):
    """One `async for` over a stream. When the loop is left, this is forgotten, and the stream closed."""

    def __init__(self, stream: AsyncStream[T]) -> None:
        self._stream = stream
        finalizer = weakref.finalize(self, _abandon, stream._source, _scheduler())
        finalizer.atexit = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await self._stream.__anext__()


class _AsyncTexts:
    def __init__(self, chunks: AsyncIterator[Completion]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            if text := (await anext(self._chunks)).completion:
                return text


class _Source:
    """The pieces of a reply's body, and the closing of it."""

    def __init__(self, response: httpx.Response) -> None:
        self.open(response)

    def open(self, response: httpx.Response) -> None:
        self.closed = False
        self._response = response
        self._pieces = response.aiter_bytes()

    async def next_piece(self) -> bytes | None:
        """Return the next bytes, or None at the end of the body."""
        return await anext(self._pieces, None)

    async def aclose(self) -> None:
        """Give the connection back, also from a task that is being cancelled."""
        if self.closed:
            return
        self.closed = True
        import anyio

        with anyio.CancelScope(shield=True):
            # A generator closed from outside drops the ones within it unfinished, of which trio warns.
            # Cancelling it while it waits for bytes ends all of them in order.
            with anyio.CancelScope() as scope:
                scope.cancel()
                try:
                    for _ in range(_LEFTOVER_PIECES):
                        if await anext(self._pieces, None) is None:
                            break
                except Exception:  # noqa: BLE001, S110 - the stream is left; how it ends is of no interest
                    pass
            await self._response.aclose()


def _scheduler() -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Return a function that has the present event loop run a coroutine function, from any thread."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        trio = sys.modules["trio"]
        token = trio.lowlevel.current_trio_token()
        return lambda function: token.run_sync_soon(trio.lowlevel.spawn_system_task, function)

    def schedule(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        def start() -> None:
            task = loop.create_task(function())
            _closing.add(task)
            task.add_done_callback(_closing.discard)

        loop.call_soon_threadsafe(start)

    return schedule


# An event loop holds its tasks only weakly.
_closing: set[asyncio.Task[None]] = set()


def _abandon(source: _Source, schedule: Callable[[Callable[[], Coroutine[Any, Any, None]]], None]) -> None:
    """Close what a stream has left open; called when the stream is forgotten."""
    if not source.closed:
        try:
            schedule(source.aclose)
        except RuntimeError:
            return  # the event loop has ended, and its connections with it
