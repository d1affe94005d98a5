"""Send through an HTTP client that belongs to somebody else, of httpx or of its fork httpx2."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

import httpx

from .._errors import shown_url, strip_credentials, without_credentials
from .._http.clients import params_beside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class SharedClient(httpx.Client):
    """An `httpx.Client` that sends through another one: its connections, proxies, certificates and hooks.

    Closing this one closes nothing of the other.

    Args:
        inner: An `httpx.Client` or `httpx2.Client`.
        auth: What signs requests there, or None for what `inner` does itself.
    """

    def __init__(self, inner: httpx.Client, auth: object) -> None:
        super().__init__(transport=_Transport(inner, auth), trust_env=False)
        self._inner = inner

    @property
    def is_closed(self) -> bool:
        return super().is_closed or self._inner.is_closed


class SharedAsyncClient(httpx.AsyncClient):
    """As `SharedClient`, for `httpx.AsyncClient` and `httpx2.AsyncClient`."""

    def __init__(self, inner: httpx.AsyncClient, auth: object) -> None:
        super().__init__(transport=_AsyncTransport(inner, auth), trust_env=False)
        self._inner = inner

    @property
    def is_closed(self) -> bool:
        return super().is_closed or self._inner.is_closed


class _Transport(httpx.BaseTransport):
    def __init__(self, inner: httpx.Client, auth: object) -> None:
        self._inner = inner
        self._send = partial(inner.send, stream=True, follow_redirects=False)
        if auth is not None:  # without it, the client signs in its own way
            self._send = partial(self._send, auth=cast("httpx.Auth", auth))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = _built(self._inner, request)
        with _errors_renamed(sent):
            return _response(self._send(sent), sent)


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncClient, auth: object) -> None:
        self._inner = inner
        self._send = partial(inner.send, stream=True, follow_redirects=False)
        if auth is not None:
            self._send = partial(self._send, auth=cast("httpx.Auth", auth))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = _built(self._inner, request)
        with _errors_renamed(sent):
            return _response(await self._send(sent), sent)


def _built(inner: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> httpx.Request:
    return inner.build_request(
        request.method,
        str(request.url),
        params=params_beside(inner, request.url),
        headers=request.headers.raw,
        content=request.content,
        extensions=dict(request.extensions),
    )


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body as it comes, its content encoding not undone."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        with _errors_renamed(self._request):
            yield from cast("httpx.SyncByteStream", self._stream)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_renamed(self._request):
            async for piece in cast("httpx.AsyncByteStream", self._stream):
                yield piece

    def close(self) -> None:
        cast("httpx.SyncByteStream", self._stream).close()

    async def aclose(self) -> None:
        await cast("httpx.AsyncByteStream", self._stream).aclose()


def _response(inner: httpx.Response, sent: httpx.Request) -> httpx.Response:
    strip_credentials(inner)
    return httpx.Response(
        inner.status_code,
        headers=inner.headers.raw,
        stream=_Body(inner.stream, without_credentials(sent)),
        extensions={name: inner.extensions[name] for name in _TOLD if name in inner.extensions},
    )


_TOLD = ("http_version", "reason_phrase")


@contextmanager
def _errors_renamed(request: httpx.Request) -> Iterator[None]:
    """Raise an error of httpx2 as the one of the same name in httpx, and others as they are."""
    try:
        yield
    except Exception as error:
        request.url = shown_url(request)
        if any(kind.__name__ == "HTTPError" for kind in type(error).__mro__):
            error.request = without_credentials(request)  # type: ignore[attr-defined]
        for kind in type(error).__mro__:
            same: type[Exception] | None = getattr(httpx, kind.__name__, None)
            if kind.__module__ == "httpx2" and same is not None:
                raise same(str(error)) from error
        raise
