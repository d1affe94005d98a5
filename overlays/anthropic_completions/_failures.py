"""What goes wrong, called by its name here: the one place where httpx's errors and replies are mapped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import httpx

from ._errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    status_error_class,
    without_credentials,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# What httpx raises is below these; OSError and EOFError are what transports of users let through.
TRANSPORT_ERRORS = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    OSError,
    EOFError,
)


def status_error(
    response: httpx.Response, body: object = None, *, message: str | None = None
) -> APIStatusError:
    if message is None:
        shown = f"{body[:500]} …" if isinstance(body, str) and len(body) > 500 else body
        message = f"Error code: {response.status_code}" + ("" if body in (None, "") else f" - {shown}")
    return status_error_class(response.status_code)(message, response=response, body=body)


def body_of(response: httpx.Response) -> object:
    """Return a reply's JSON value, or its text where it is no JSON."""
    try:
        return parse_json(response.content)
    except ValueError:
        return response.text.strip()


def parse_json(data: bytes | str) -> Any:
    """Read JSON, strictly.

    Raises:
        ValueError: It is no JSON, is not UTF-8, or is nested too deeply.
    """
    try:
        return _DECODER.decode(data if isinstance(data, str) else data.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def undecodable(
    response: httpx.Response, kept: KeptBody | None, error: httpx.DecodingError
) -> APIResponseValidationError:
    """Return the error for a body whose content encoding is broken."""
    body = b"".join(kept.pieces) if kept else None
    return APIResponseValidationError(
        response, body, message=f"The reply's body could not be decoded: {error}"
    )


def transport_failure(
    error: Exception, request: httpx.Request, response: httpx.Response | None
) -> APIConnectionError:
    """Return what a transport's error is called here. The one place where httpx's errors are mapped."""
    if isinstance(error, httpx.RequestError):
        error.request = without_credentials(request)
    if isinstance(error, httpx.TimeoutException):
        failure: APIConnectionError = APITimeoutError(request)
    else:
        failure = APIConnectionError(
            message=f"Connection error: {str(error) or type(error).__name__}", request=request
        )
    if response is not None:
        failure.request_id = response.headers.get("request-id")
    return failure


class KeptBody:
    """A body's stream that keeps what passes, so that an error can show the bytes as they came."""

    def __init__(self, stream: Any) -> None:
        self.pieces: list[bytes] = []
        self._stream = stream

    @classmethod
    def of(cls, response: httpx.Response) -> KeptBody | None:
        """Put one before the reply's body, where that has a content encoding."""
        if "content-encoding" not in response.headers or response.is_stream_consumed:
            return None
        world = _KeptAsync if isinstance(response.stream, httpx.AsyncByteStream) else _KeptSync
        kept = world(response.stream)
        response.stream = cast(httpx.SyncByteStream, kept)
        return kept


class _KeptSync(KeptBody, httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self.pieces.append(piece)
            yield piece

    def close(self) -> None:
        self._stream.close()


class _KeptAsync(KeptBody, httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self.pieces.append(piece)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
