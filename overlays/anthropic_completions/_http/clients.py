"""Make httpx clients with the old client's defaults: connections, time limits, proxies, certificates."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import time
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.request import getproxies

import httpx

from .._errors import HIDDEN_PARAMETERS, shown_url, strip_credentials
from .._options import CONNECT_SECONDS, TIMEOUT_SECONDS
from .._secrets import REDACTED, is_secret
from .bodies import SentBytes
from .lost import notice_lost_connections
from .network import keep_limits

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping


DEFAULT_TIMEOUT = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
DEFAULT_CONNECTION_LIMITS = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
H = TypeVar("H", bound="httpx.Client | httpx.AsyncClient")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
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
        super().__init__(**_with_defaults(kwargs, httpx.HTTPTransport))


class DefaultAsyncHttpxClient(httpx.AsyncClient):
    """An `httpx.AsyncClient` with this package's defaults; arguments change them one by one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**_with_defaults(kwargs, httpx.AsyncHTTPTransport))


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
    if not content or client.cookies:
        return client.build_request(
            method, url, headers=headers, content=content, timeout=timeout, extensions=dict(extensions or {})
        )
    given = {name.lower() for name in headers}
    # httpx's own headers, in httpx's order: those of the client that are not given, and two of the request.
    pairs = [pair for name, pair in client._own_headers if name not in given]
    if "host" not in given:
        pairs.insert(0, ("Host", url.netloc.decode("ascii")))
    pairs += headers.items()
    pairs.append(("Content-Length", str(len(content))))
    request = httpx.Request(
        method,
        url,
        headers=pairs,
        stream=SentBytes(content),
        extensions={**(extensions or {}), "timeout": timeout.as_dict()},
    )
    request.read()
    return request


class DirectClient(httpx.Client):
    """The client that is made where none is given.

    What `httpx.Client` does around each request is for features that nobody could have asked this one for:
    authentication flows, hooks, redirects, a base URL. So it hands requests straight to its transport, and
    goes httpx's way where there is more to do: with cookies and proxies.
    """

    def __init__(self, **kwargs: object) -> None:
        settings = _with_defaults(kwargs, httpx.HTTPTransport)
        super().__init__(**settings)
        self._direct = None if any(settings.get("mounts", {}).values()) else settings["transport"]
        self._own_headers = _by_name(self.headers)

    prepare = _prepare

    def deliver(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its reply, unread; the request has no credentials then."""
        if self._direct is None or self.is_closed:
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

    def __init__(self, **kwargs: object) -> None:
        settings = _with_defaults(kwargs, httpx.AsyncHTTPTransport)
        super().__init__(**settings)
        self._direct = None if any(settings.get("mounts", {}).values()) else settings["transport"]
        self._own_headers = _by_name(self.headers)

    prepare = _prepare

    async def deliver(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its reply, unread; the request has no credentials then."""
        if self._direct is None or self.is_closed:
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
    for raw_name, _ in request.headers.raw:
        name = raw_name.decode("latin-1")
        if is_secret(name):
            request.headers[name] = REDACTED


def _with_defaults(kwargs: Mapping[str, object], transport: Callable[..., object]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "timeout": DEFAULT_TIMEOUT,
        "limits": DEFAULT_CONNECTION_LIMITS,
        "follow_redirects": True,
        **kwargs,
    }
    if settings.get("transport") is None:
        names = ("verify", "cert", "trust_env", "http1", "http2", "limits")
        arguments = {name: settings[name] for name in names if name in settings}
        if arguments.get("verify", True) is True and "cert" not in arguments:
            arguments["verify"] = _ssl_context(
                trust_env=settings.get("trust_env", True), http2=bool(settings.get("http2"))
            )
        arguments["socket_options"] = _socket_options()
        if (proxy := settings.pop("proxy", None)) is not None:
            settings["transport"] = transport(proxy=proxy, **arguments)
        else:
            settings["transport"] = transport(**arguments)
            if settings.get("trust_env", True):
                proxies = {
                    pattern: None if url is None else _proxied(transport, pattern, url, arguments)
                    for pattern, url in environment_proxies().items()
                }
                settings["mounts"] = {**proxies, **(settings.get("mounts") or {})}
    return settings


def _ssl_context(*, trust_env: bool, http2: bool) -> ssl.SSLContext:
    """Return the certificates to trust, loaded once for all clients of a process that are set up alike."""
    paths = [os.environ.get(name) if trust_env else None for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")]
    try:
        written = Path(paths[0]).stat().st_mtime_ns if paths[0] else None
        return _loaded(trust_env, http2, *paths, written, os.environ.get("SSLKEYLOGFILE"))
    except OSError as error:  # ssl's errors are among them
        for name, path in zip(("SSL_CERT_FILE", "SSL_CERT_DIR"), paths, strict=True):
            if path:
                raise ValueError(
                    f"{name}: expected where certificates can be read, got {path!r}: {error}"
                ) from error
        raise


@lru_cache(maxsize=8)
def _loaded(trust_env: bool, *_what_else_counts: object) -> ssl.SSLContext:
    """Load certificates, which takes some 20 ms; httpcore tells a context which protocols to offer."""
    return httpx.create_ssl_context(trust_env=trust_env)


def _proxied(
    transport: Callable[..., object], pattern: str, url: str, arguments: Mapping[str, object]
) -> object:
    try:
        return transport(proxy=url, **arguments)
    except ImportError as error:
        variable = f"{pattern.removesuffix('://').upper()}_PROXY"
        raise ValueError(
            f"{variable}: {without_password(url)!r} is a SOCKS proxy, which needs the package socksio: "
            f"pip install '{httpx.__name__}[socks]'"
        ) from error


def without_password(url: str) -> str:
    """Return a proxy's URL without the user's name and password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{REDACTED}@{rest.rpartition('@')[2]}" if "@" in rest else url


def _socket_options() -> list[tuple[int, int, int]]:
    """Return options that keep an idle connection alive and notice a dead one, where the system has them."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    # macOS calls the idle time TCP_KEEPALIVE.
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for name, value in ((idle, 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


def environment_proxies() -> dict[str, str | None]:
    """Return the proxies that the environment names, as patterns of URLs; None is no proxy.

    The variables are HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. httpx reads them itself only where
    it makes the transport.

    Raises:
        ValueError: One of the proxies is no URL.
    """
    found = getproxies()
    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        if url := found.get(scheme):
            url = url if "://" in url else f"http://{url}"
            if not _is_url(url):  # not repeated, as it may hold a password
                raise ValueError(f"{scheme.upper()}_PROXY: expected the URL of a proxy, got something else")
            if httpx.URL(url).scheme not in _PROXY_SCHEMES:
                raise ValueError(
                    f"{scheme.upper()}_PROXY: expected the URL of a proxy with one of the schemes "
                    f"{', '.join(_PROXY_SCHEMES)}, got {without_password(url)!r}"
                )
            proxies[f"{scheme}://"] = url
    for host in (part.strip() for part in found.get("no", "").split(",")):
        if host == "*":
            return {}
        # As in other programs, what is no host excepts nothing.
        if host and _is_url(pattern := _no_proxy_pattern(host)):
            proxies[pattern] = None
    return proxies


def _is_url(text: str) -> bool:
    try:
        httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return True


def _no_proxy_pattern(host: str) -> str:
    if "://" in host:
        return host
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{address}]" if address.version == 6 else f"all://{address}"
