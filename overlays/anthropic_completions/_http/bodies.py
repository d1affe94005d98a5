"""Read the body of a reply: all of it as it comes, and only then undo its content encoding.

httpx decodes each piece as it comes. Where that fails, or where reading shall stop, it drops generators
unfinished, of which trio warns, and the bytes that came are gone.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from .failures import undecodable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def read(response: httpx.Response, is_late: Callable[[], bool] | None = None) -> bool:
    """Read a body, so that httpx has its content.

    Args:
        is_late: Asked after each piece whether to stop, unless it is None; what has come is the content
            then.

    Returns:
        Whether the body was read to its end.

    Raises:
        APIResponseValidationError: The content encoding is broken.
    """
    if response.is_stream_consumed:
        response.read()
        return True
    stream: Any = response.stream
    pieces: list[bytes] = []
    try:
        for piece in stream:
            pieces.append(piece)
            if stopped := is_late is not None and is_late():
                break
        else:
            stopped = False
    finally:
        stream.close()
        _put_back(response, stream, pieces)
    _decode(response)
    return not stopped


async def leave(pieces: AsyncIterator[Any]) -> None:
    """End an iteration over a body before its end.

    Closed from outside, an async generator drops those within it unfinished, of which trio warns. Cancelled
    where it waits for bytes, all of them end in order.
    """
    with anyio.CancelScope(shield=True), anyio.CancelScope() as scope, suppress(Exception):
        scope.cancel()
        async for _ in pieces:
            pass


async def read_async(response: httpx.Response, is_late: Callable[[], bool] | None = None) -> bool:
    """Read a body, so that httpx has its content; as `read`."""
    if response.is_stream_consumed:
        await response.aread()
        return True
    stream: Any = response.stream
    pieces: list[bytes] = []
    try:
        # Cancelled where it waits for bytes, and not left, the stream's generators end in order.
        scope = None if is_late is None else anyio.CancelScope()
        with scope or nullcontext():
            async for piece in stream:
                pieces.append(piece)
                if scope and is_late and is_late():
                    scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()
        _put_back(response, stream, pieces)
    _decode(response)
    return scope is None or not scope.cancelled_caught


def _put_back(response: httpx.Response, stream: Any, pieces: list[bytes]) -> None:
    """Give a reply the bytes that came in place of its stream, which holds the connection and the request."""
    response.stream = httpx.ByteStream(b"".join(pieces))
    if hasattr(stream, "elapsed"):  # httpx2 keeps it there
        response.elapsed = stream.elapsed


def _decode(response: httpx.Response) -> None:
    raw = b"".join(response.stream)  # type: ignore[arg-type]
    try:
        response.read()
    except httpx.DecodingError as error:
        raise undecodable(response, raw, error) from error
