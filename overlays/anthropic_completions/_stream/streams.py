"""`Stream` and `AsyncStream`: what `create(stream=True)` returns.

`reading` fetches their bytes, `assembly` makes chunks of these.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from .._http.failures import TRANSPORT_ERRORS, body_failure
from .reading import AwaitingReading, BlockingReading, Reading
from .sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from types import TracebackType
    from typing import Self

    import httpx

    from .._contract.completion import Completion
    from .._http.call import AsyncPort, Call, Exchanged, Port
    from .assembly import Assembly
    from .sse import ServerSentEvent

T = TypeVar("T")
G = TypeVar("G", bound=Reading)


class _StreamBase(Generic[T, G]):
    """What both kinds of stream can tell without waiting."""

    _reading: G

    @property
    def response(self) -> httpx.Response:
        """The HTTP reply."""
        return self._reading.response

    @property
    def request_id(self) -> str | None:
        """What names the exchange at Anthropic."""
        request_id: str | None = self.response.headers.get("request-id")
        return request_id

    @property
    def completion_so_far(self) -> Completion:
        """One completion of all that has come: the text so far, and `stop_reason` None until the end."""
        return self._reading.assembly.so_far()


class Stream(_StreamBase[T, BlockingReading]):
    """The chunks of a completion, as they come.

    Iterate over it once. Leaving a loop early closes the stream; so do `close`, a `with` block, and
    forgetting it. A stream that ends before its text does raises, and the error holds the text so far
    in `completion`; so does reading on where a stream was closed before its end.

    Raises (while iterating):
        IncompleteStreamError: The body ended without a stop reason, or broke off.
        APITimeoutError: Nothing came in time.
        APIStatusError: The stream brought an error; the class is that of its type.
        APIResponseValidationError: What came is not what the contract says.
    """

    def __init__(self, call: Call, port: Port, exchanged: Exchanged, assembly: Assembly) -> None:
        self._reading = BlockingReading(call, port, exchanged, assembly)
        weakref.finalize(self, self._reading.abandon).atexit = False

    def __iter__(self) -> Iterator[T]:
        self._reading.check()
        try:
            for chunk in self._reading.chunks:  # noqa: UP028 - `yield from` would close it, wherever we are
                yield chunk  # type: ignore[misc]  # T is always Completion
        finally:
            self._reading.abandon()  # where the loop was left
        self._reading.check()

    def __next__(self) -> T:
        for chunk in self._reading.chunks:
            return chunk  # type: ignore[return-value]  # T is always Completion
        self._reading.check()
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the stream and give its connection back. Safe to call twice, and from any thread."""
        self._reading.close()

    @property
    def text_stream(self) -> Iterator[str]:
        """The pieces of text, as they come, without empty ones."""
        chunks = cast("Iterator[Completion]", iter(self))
        return (chunk.completion for chunk in chunks if chunk.completion)

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
        try:
            for piece in response.iter_bytes():
                yield from decoder.feed(piece)
        except TRANSPORT_ERRORS as error:
            raise body_failure(error, response) from error


class AsyncStream(_StreamBase[T, AwaitingReading]):
    """The chunks of a completion, as they come, for `async for`.

    As `Stream`; closing is awaited. A stream that is forgotten is closed by its event loop.
    """

    def __init__(self, call: Call, port: AsyncPort, exchanged: Exchanged, assembly: Assembly) -> None:
        self._reading = AwaitingReading(call, port, exchanged, assembly)
        weakref.finalize(self, self._reading.abandon).atexit = False

    def __aiter__(self) -> AsyncIterator[T]:
        return _AsyncLoop(self)

    async def __anext__(self) -> T:
        chunk = await self._reading.next_chunk()
        if chunk is None:
            raise StopAsyncIteration
        return chunk  # type: ignore[return-value]  # T is always Completion

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the stream and give its connection back. Safe to call twice."""
        await self._reading.close()

    aclose = close

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The pieces of text, as they come, without empty ones."""
        return _AsyncTexts(_AsyncLoop(cast("AsyncStream[Completion]", self)))

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
        try:
            async for piece in response.aiter_bytes():
                for event in decoder.feed(piece):
                    yield event
        except TRANSPORT_ERRORS as error:
            raise body_failure(error, response) from error


class _AsyncLoop(Generic[T]):
    """One `async for` over a stream. When the loop is left, this is forgotten, and the stream closed."""

    def __init__(self, stream: AsyncStream[T]) -> None:
        self._stream = stream
        self._begun = False

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[object, object, T]:
        if not self._begun:
            self._begun = True
            weakref.finalize(self, self._stream._reading.abandon).atexit = False
        return self._stream.__anext__()


class _AsyncTexts:
    def __init__(self, chunks: AsyncIterator[Completion]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while True:
            text = (await anext(self._chunks)).completion
            if text:
                return text
