"""Make httpx clients with the old client's defaults: connections, time limits, proxies, certificates."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast

import httpx

from .._errors import HIDDEN_PARAMETERS, shown_url, strip_credentials
from .._log import without_keys
from .._secrets import REDACTED, is_secret
from .bodies import SentBytes
from .lost import notice_lost_connections
from .network import keep_limits
from .transports.defaults import DEFAULT_CONNECTION_LIMITS as DEFAULT_CONNECTION_LIMITS
from .transports.defaults import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
from .transports.defaults import with_defaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping


H = TypeVar("H", bound="httpx.Client | httpx.AsyncClient")
# More than there are of one program, unless it changes its headers with each call.
_MAX_KNOWN = 64
_httpx_log = logging.getLogger(httpx.__name__)


def ready(http: H) -> H:
    """Have an httpx client keep the limits of exchanges at its sockets, and lose none; return it."""
    for transport in (getattr(http, "_transport", None), *getattr(http, "_mounts", {}).values()):
        keep_limits(transport)
        notice_lost_connections(transport)
    return http


class DefaultHttpxClient(httpx.Client):
    """An `httpx.Client` with this package's defaults; arguments change them one by one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**with_defaults(kwargs, httpx.HTTPTransport))


class DefaultAsyncHttpxClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` with this package's defaults; arguments change them one by one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**with_defaults(kwargs, httpx.AsyncHTTPTransport))


def params_beside(http: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> httpx.QueryParams | None:
    """Return the `params` to build a request with, for a URL that has its query already.

    Parameters of the client itself would replace the URL's, unless they meet as parameters.
    """
    return url.params if http.params else None


def _prepare(
    client: DirectClient | AsyncDirectClient,
    method: str,
    url: httpx.URL,
    *,
    headers: Mapping[str, str],
    content: bytes | None,
    timeout: httpx.Timeout,
    extensions: Mapping[str, object] | None = None,
) -> httpx.Request:
    """Return a request; the same one as `build_request` would."""
    if not content or client.cookies or client._direct is None or client.headers.raw != client._raw_headers:
        return client.build_request(
            method,
            url,
            params=params_beside(client, url),
            headers=headers,
            content=content,
            timeout=timeout,
            extensions=dict(extensions or {}),
        )
    # All but the length are those of other requests of the same settings.
    key = (url.netloc, *headers.items())
    made = client._known.get(key)
    if made is None:
        if len(client._known) == _MAX_KNOWN:
            client._known.clear()
        made = client._known[key] = _headers(client, url, headers)
    request = httpx.Request(
        method,
        url,
        headers=made,
        stream=SentBytes(content),
        extensions={**(extensions or {}), "timeout": timeout.as_dict()},
    )
    request.headers["Content-Length"] = str(len(content))
    request.read()
    return request


def _headers(
    client: DirectClient | AsyncDirectClient, url: httpx.URL, headers: Mapping[str, str]
) -> httpx.Headers:
    """Return the headers of a request without its length, as httpx has them and in its order."""
    given = {name.lower() for name in headers}
    pairs = [pair for name, pair in client._own_headers if name not in given]
    if "host" not in given:
        pairs.insert(0, ("Host", url.netloc.decode("ascii")))
    return httpx.Headers([*pairs, *headers.items()])


class _Known(dict[tuple[object, ...], httpx.Headers]):
    """Headers that were sent, which hold keys: its repr shows none."""

    def __repr__(self) -> str:
        return f"<{len(self)} sets of headers>"


class DirectClient(httpx.Client):
    """The client that is made where none is given, and what it is with other transports.

    What `httpx.Client` does around each request is for features that nobody could have asked this one for:
    authentication flows, hooks, redirects, a base URL. So it hands requests straight to its transport, and
    goes httpx's way where there is more to do: with cookies and proxies, and where a user who made it asked
    for more.
    """

    @staticmethod
    def transports() -> type[httpx.BaseTransport]:
        """Return the class of its transports."""
        return httpx.HTTPTransport

    def __init__(self, **kwargs: object) -> None:
        settings = with_defaults(kwargs, self.transports())
        super().__init__(**settings)
        self._direct = settings["transport"] if _goes_direct(settings) else None
        self._raw_headers = self.headers.raw
        self._own_headers = _by_name(self.headers)
        self._known = _Known()

    prepare = _prepare

    def deliver(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its reply, unread; the request has no credentials then."""
        if self._direct is None or self.is_closed or _has_more_to_do(self):
            with without_keys(request):
                proxied = self.send(request, stream=True, follow_redirects=False)
            strip_credentials(proxied)
            return proxied
        started = time.perf_counter()
        response: httpx.Response = self._direct.handle_request(request)
        response.stream = _TimedStream(response, started)
        _finish(self, request, response)
        return response


class AsyncDirectClient(httpx.AsyncClient):
    """As `DirectClient`."""

    @staticmethod
    def transports() -> type[httpx.AsyncBaseTransport]:
        """Return the class of its transports."""
        return httpx.AsyncHTTPTransport

    def __init__(self, **kwargs: object) -> None:
        settings = with_defaults(kwargs, self.transports())
        super().__init__(**settings)
        self._direct = settings["transport"] if _goes_direct(settings) else None
        self._raw_headers = self.headers.raw
        self._own_headers = _by_name(self.headers)
        self._known = _Known()

    prepare = _prepare

    async def deliver(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its reply, unread; the request has no credentials then."""
        if self._direct is None or self.is_closed or _has_more_to_do(self):
            with without_keys(request):
                proxied = await self.send(request, stream=True, follow_redirects=False)
            strip_credentials(proxied)
            return proxied
        started = time.perf_counter()
        response: httpx.Response = await self._direct.handle_async_request(request)
        response.stream = _AsyncTimedStream(response, started)
        _finish(self, request, response)
        return response


class _Timed:
    """A reply's stream that tells the reply, when closed, how long the exchange took."""

    def __init__(self, response: httpx.Response, started: float) -> None:
        self._response = response
        self._started = started

    def _stop(self) -> None:
        self._response.elapsed = timedelta(seconds=time.perf_counter() - self._started)


class _TimedStream(_Timed, httpx.SyncByteStream):
    def __init__(self, response: httpx.Response, started: float) -> None:
        super().__init__(response, started)
        self._stream = cast("httpx.SyncByteStream", response.stream)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        self._stop()
        self._stream.close()


class _AsyncTimedStream(_Timed, httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, started: float) -> None:
        super().__init__(response, started)
        self._stream = cast("httpx.AsyncByteStream", response.stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        self._stop()
        await self._stream.aclose()


# What httpx does itself for each request, or what is nothing to a transport.
_TRANSPORT_SETTINGS = {
    *("cert", "follow_redirects", "headers", "http1", "http2", "limits", "mounts", "timeout", "transport"),
    *("trust_env", "verify"),
}


def _goes_direct(settings: Mapping[str, object]) -> bool:
    """Tell whether requests may go straight to the transport, past what httpx does for these settings."""
    mounts = settings.get("mounts")
    return settings.keys() <= _TRANSPORT_SETTINGS and not (isinstance(mounts, dict) and any(mounts.values()))


def _has_more_to_do(client: DirectClient | AsyncDirectClient) -> bool:
    """Tell whether a client was given hooks or authentication after it was made."""
    return client.auth is not None or any(client.event_hooks.values())


def _by_name(headers: httpx.Headers) -> list[tuple[str, tuple[str, str]]]:
    """Return headers by their names in lower case."""
    pairs = [(name.decode("ascii"), value.decode("ascii")) for name, value in headers.raw]
    return [(name.lower(), (name, value)) for name, value in pairs]


def _finish(
    client: DirectClient | AsyncDirectClient, request: httpx.Request, response: httpx.Response
) -> None:
    """Do what httpx does with a reply, and remove the credentials, which are sent."""
    response.request = request
    request.url = shown_url(request)
    request.extensions = {
        name: value for name, value in request.extensions.items() if name != HIDDEN_PARAMETERS
    }
    if "set-cookie" in response.headers:
        client.cookies.extract_cookies(response)
    if _httpx_log.isEnabledFor(logging.INFO):
        _httpx_log.info(
            'HTTP Request: %s %s "%s %d %s"',
            request.method,
            request.url,
            response.http_version,
            response.status_code,
            response.reason_phrase,
        )
    for name, _ in request.headers.raw:
        if _is_secret(name):
            request.headers[name.decode("latin-1")] = REDACTED


@lru_cache
def _is_secret(name: bytes) -> bool:
    return is_secret(name.decode("latin-1"))


def _aio() -> type[httpx.AsyncBaseTransport]:
    try:
        from .transports.aio import AioTransport
    except ImportError as error:
        raise _missing("DefaultAioHttpClient", "aiohttp") from error
    return AioTransport


def _rust() -> type[httpx.BaseTransport]:
    try:
        from .transports.rust import RustTransport
    except ImportError as error:
        raise _missing("DefaultRustHttpClient", "rust") from error
    return RustTransport


def _async_rust() -> type[httpx.AsyncBaseTransport]:
    try:
        from .transports.rust import AsyncRustTransport
    except ImportError as error:
        raise _missing("DefaultAsyncRustHttpClient", "rust") from error
    return AsyncRustTransport


def _missing(name: str, extra: str) -> ImportError:
    return ImportError(f"{name} needs an extra: pip install 'anthropic-completions[{extra}]'")


class DefaultAioHttpClient(AsyncDirectClient):
    """An `httpx.AsyncClient` with this package's defaults that sends with aiohttp, for asyncio.

    Arguments change the defaults one by one.

    Raises:
        ImportError: The extra `aiohttp` is not installed.
    """

    transports = staticmethod(_aio)


class DefaultRustHttpClient(DirectClient):
    """An `httpx.Client` with this package's defaults that sends with Rust's reqwest.

    Arguments change the defaults one by one.

    Raises:
        ImportError: The extra `rust` is not installed.
    """

    transports = staticmethod(_rust)


class DefaultAsyncRustHttpClient(AsyncDirectClient):
    """An `httpx.AsyncClient` with this package's defaults that sends with Rust's reqwest, for asyncio.

    Arguments change the defaults one by one.

    Raises:
        ImportError: The extra `rust` is not installed.
    """

    transports = staticmethod(_async_rust)
