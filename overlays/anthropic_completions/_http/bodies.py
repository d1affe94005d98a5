"""Send the body of a request, and read that of a reply, of which the content encoding is undone last.

httpx decodes each piece as it comes. Where that fails, or where reading shall stop, it drops generators
unfinished, of which trio warns, and the bytes that came are gone.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, cast

import anyio
import httpx

from .._errors import APIResponseValidationError
from .decoding import Decoder, decoder_of
from .failures import undecodable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Self


class _Body:
    """The bytes of a body so far.

    Args:
        response: The reply.
        max_bytes: The most bytes that it may have, as they come and decoded.
    """

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        self._response = response
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._count = 0
        self._stream = response.stream

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._pieces.append(piece)
        self._count += len(piece)
        if self._count > self._max_bytes:
            raise self._too_large()

    def put_back(self) -> None:
        """Give the reply the bytes in place of its stream, which holds the connection and the request."""
        self._response.stream = httpx.ByteStream(b"".join(self._pieces))
        if (took := getattr(self._stream, "elapsed", None)) is not None:  # httpx2 keeps it there
            self._response.elapsed = took

    def decode(self) -> None:
        """Give the reply its content."""
        response = self._response
        decoder = decoder_of(response)
        if decoder is None:
            response.read()
            return
        raw = b"".join(self._pieces)
        try:
            content = self._decoded(decoder, raw)
        except httpx.DecodingError as error:
            raise undecodable(response, raw, error) from error
        # httpx decodes by the headers, which people shall see as they came.
        headers = response.headers
        response.stream = httpx.ByteStream(content)
        response.headers = httpx.Headers()
        try:
            response.read()
        finally:
            response.headers = headers

    def _decoded(self, decoder: Decoder, raw: bytes) -> bytes:
        parts: list[bytes] = []
        count = 0
        for part in decoder.decode(raw):
            parts.append(part)
            count += len(part)
            if count > self._max_bytes:
                raise self._too_large()
        return b"".join(parts)

    def _too_large(self) -> APIResponseValidationError:
        return too_large(self._response, self._max_bytes)


def too_large(response: httpx.Response, max_bytes: int) -> APIResponseValidationError:
    """Return the error for a reply that is larger than the client's settings allow."""
    message = f"The reply is larger than max_reply_bytes, which is {max_bytes}; the client's settings say so."
    return APIResponseValidationError(response, None, message=message)


def read(response: httpx.Response, max_bytes: int, is_late: Callable[[], bool] | None = None) -> bool:
    """Read a body, so that httpx has its content.

    Args:
        response: The reply.
        max_bytes: The most bytes that its body may have, as they come and decoded.
        is_late: Asked after each piece whether to stop, unless it is None; what has come is the content
            then.

    Returns:
        Whether the body was read to its end.

    Raises:
        APIResponseValidationError: The content encoding is broken, or the body too large.
    """
    if response.is_stream_consumed:
        response.read()
        return True
    stream = cast("httpx.SyncByteStream", response.stream)
    body = _Body(response, max_bytes)
    try:
        for piece in stream:
            body.add(piece)
            if stopped := is_late is not None and is_late():
                break
        else:
            stopped = False
    finally:
        stream.close()
        body.put_back()
    body.decode()
    return not stopped


async def leave(pieces: AsyncIterator[object]) -> None:
    """End an iteration over a body before its end.

    Closed from outside, an async generator drops those within it unfinished, of which trio warns. Cancelled
    where it waits for bytes, all of them end in order.
    """
    with anyio.CancelScope(shield=True), anyio.CancelScope() as scope, suppress(Exception):
        scope.cancel()
        async for _ in pieces:
            pass


async def read_async(
    response: httpx.Response, max_bytes: int, is_late: Callable[[], bool] | None = None
) -> bool:
    """Read a body, so that httpx has its content; as `read`."""
    if response.is_stream_consumed:
        await response.aread()
        return True
    stream = cast("httpx.AsyncByteStream", response.stream)
    body = _Body(response, max_bytes)
    stopped = False
    pieces = aiter(stream)
    try:
        async for piece in pieces:
            try:
                body.add(piece)
            except APIResponseValidationError:
                await leave(pieces)
                raise
            if is_late is not None and is_late():
                stopped = True
                await leave(pieces)
                break
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()
        body.put_back()
    body.decode()
    return not stopped


def decoded_view(response: httpx.Response) -> httpx.Response:
    """Return a reply whose iterators give the body of another one, decoded in bounded steps."""
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-encoding"]
    asynchronous = isinstance(response.stream, httpx.AsyncByteStream)
    stream = _AsyncDecoded(response) if asynchronous else _Decoded(response)
    return httpx.Response(response.status_code, headers=headers, stream=stream, request=response.request)


class _Decoded(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        response = self._response
        decoder = decoder_of(response)
        for piece in response.iter_raw():
            yield from decoder.decode(piece) if decoder else (piece,)

    def close(self) -> None:
        self._response.close()


class _AsyncDecoded(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response = self._response
        decoder = decoder_of(response)
        async for piece in response.aiter_raw():
            for part in decoder.decode(piece) if decoder else (piece,):
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


class SentBytes(httpx.ByteStream):
    """The body of a request. httpx's own is a generator, of which trio warns where sending is cancelled."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once:
    def __init__(self, content: bytes) -> None:
        self._left = [content]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()
