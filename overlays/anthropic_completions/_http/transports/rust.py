"""Send with Rust's reqwest, by way of pyreqwest.

pyreqwest has transports for httpx of its own. They hold the head of a reply back until 64 KiB of its body
have come or it has ended, which no stream of events survives; they take the sum of all time limits as one
for the whole exchange; and where they block, neither Ctrl-C nor closing ends a wait. So its client is used
itself, by both transports; `blocking` has how one of them blocks.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import certifi
import httpx
from pyreqwest import exceptions
from pyreqwest.client import ClientBuilder
from pyreqwest.proxy import ProxyBuilder

from .blocking import Exchange, closed, run
from .certificates import BEGIN, folders, pem_of
from .common import passing_cancellation, running_loop, seconds_left, true_url, whole_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pyreqwest.client import Client
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response, ResponseBodyReader

_KEEPALIVE = timedelta(seconds=60)
_MAX_CLIENTS = 8


class _Rust:
    """pyreqwest's clients with the package's defaults, one for each set of time limits, which are theirs.

    Args:
        name: The class of the client, for messages.
        verify: Whether certificates are checked, or a path of those to trust besides the system's.
        cert: A file with a certificate of the client's and its key.
        trust_env: Whether the environment says where certificates are.
        http1: Of no effect.
        http2: Whether HTTP/2 is spoken too.
        limits: How many connections.
        proxy: The proxy.
        socket_options: Of no effect: the package's own are set.

    Raises:
        TypeError, ValueError: It cannot be done.
    """

    def __init__(
        self,
        name: str,
        *,
        verify: ssl.SSLContext | str | bool = True,
        cert: str | tuple[str, str] | tuple[str, str, str] | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: httpx.Limits,
        proxy: httpx.Proxy | str | None = None,
        socket_options: object = None,
    ) -> None:
        if isinstance(verify, ssl.SSLContext):
            raise TypeError(
                "verify: expected True, False or the path of a file with certificates, got an SSLContext: "
                f"{name} does not use Python's ssl"
            )
        if cert is not None and not isinstance(cert, str):
            raise TypeError(f"cert: expected the path of one file with certificate and key for {name}")
        self.name = name
        self.pid = os.getpid()
        self._http2 = http2
        self._limits = limits
        self._proxy = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
        self._verify = verify is not False
        self._trusted = [] if verify is False else _trusted(verify, trust_env=trust_env)
        self._identity = None if cert is None else Path(cert).read_bytes()
        self._clients: dict[tuple[float | None, ...], Client] = {}
        self._lock = Lock()

    def request(self, request: httpx.Request) -> StreamRequest:
        """Return a request as pyreqwest sends it.

        Raises:
            httpx.RequestError: It is none that can be sent.
            RuntimeError: The process is a fork of the one that made the client.
        """
        if self.pid != os.getpid():
            raise RuntimeError(
                f"{self.name} does not survive a fork, as its threads stay behind: start processes by "
                "'spawn' or 'forkserver', or leave http_client out"
            )
        whole = whole_left()
        limits = request.extensions.get("timeout", {})
        kept = [limits.get("connect"), limits.get("read"), limits.get("pool")]
        if whole is not None:
            # What a deadline has cut is left to the deadline: clients are for the limits that users set.
            kept = [None if each is None or each >= whole else each for each in kept]
        try:
            builder = self._client(*kept).request(request.method, true_url(request))
            if (seconds := _seconds(whole)) is not None:
                builder = builder.timeout(seconds)
            headers = [
                (shown, value.decode("latin-1"))
                for name, value in request.headers.raw
                if (shown := _sent_name(name)) is not None
            ]
            try:
                content = request.content
            except httpx.RequestNotRead:
                builder = builder.body_stream(request.stream)
            else:
                builder = builder.body_bytes(content)
            # No byte is waited for before the head is told.
            return builder.headers(headers).streamed_read_buffer_limit(0).build_streamed()
        except exceptions.BuilderError as error:
            message = f"Not a request that can be sent: {_reason(error)}"
        raise httpx.LocalProtocolError(message)

    def _client(self, *limits: float | None) -> Client:
        with self._lock:
            client = self._clients.pop(limits, None)
            if client is None:
                client = self._build(*map(_seconds, limits))
            self._clients[limits] = client  # last, so that the first is the one unused for longest
            while len(self._clients) > _MAX_CLIENTS:
                self._clients.pop(next(iter(self._clients)))
            return client

    def _build(self, connect: timedelta | None, read: timedelta | None, pool: timedelta | None) -> Client:
        limits = self._limits
        builder = ClientBuilder().follow_redirects(False).referer(False).no_proxy()
        builder = builder.gzip(False).brotli(False).zstd(False).deflate(False)
        builder = builder.tcp_nodelay(True).tcp_keepalive(_KEEPALIVE).tcp_keepalive_interval(_KEEPALIVE)
        builder = builder.tcp_keepalive_retries(5).max_connections(limits.max_connections)
        builder = builder.pool_idle_timeout(_seconds(limits.keepalive_expiry))
        if limits.max_keepalive_connections is not None:
            builder = builder.pool_max_idle_per_host(limits.max_keepalive_connections)
        if connect is not None:
            builder = builder.connect_timeout(connect)
        if read is not None:
            builder = builder.read_timeout(read)
        if pool is not None:
            builder = builder.pool_timeout(pool)
        if not self._http2:
            builder = builder.http1_only()
        if not self._verify:
            builder = builder.danger_accept_invalid_certs(True)
        for pem in self._trusted:
            builder = builder.add_root_certificate_pem(pem)
        if self._identity is not None:
            builder = builder.identity_pem(self._identity)
        if self._proxy is not None:
            proxy = ProxyBuilder.all(str(self._proxy.url))
            if self._proxy.auth:
                proxy = proxy.basic_auth(*self._proxy.auth)
            builder = builder.proxy(proxy.headers(list(self._proxy.headers.multi_items())))
        return builder.build()

    async def close(self) -> None:
        """Close the connections."""
        if self.pid == os.getpid():
            for client in [*self._clients.values()]:
                await client.close()
        self._clients.clear()


@lru_cache
def _sent_name(name: bytes) -> str | None:
    """Return a header's name as text; None where reqwest makes that header."""
    return None if name.lower() in (b"content-length", b"transfer-encoding") else name.decode("latin-1")


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=max(value, 0.000001))


def _trusted(verify: str | bool, *, trust_env: bool) -> list[bytes]:
    """Return the certificates to trust besides the system's: the environment's or certifi's, as httpx."""
    if isinstance(verify, str):
        return [pem_of("verify", Path(verify))]
    if trust_env and (file := os.environ.get("SSL_CERT_FILE")):
        return [pem_of("SSL_CERT_FILE", Path(file))]
    if trust_env and (named := os.environ.get("SSL_CERT_DIR")):
        files = [file for folder in folders(named) for file in sorted(folder.iterdir()) if file.is_file()]
        return [pem for file in files if BEGIN in (pem := file.read_bytes())]
    return [Path(certifi.where()).read_bytes()]


def reply_of(response: Response, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    """Return a reply as httpx has it; nothing of pyreqwest's is in it.

    Raises:
        httpx.RemoteProtocolError: A header has bytes that are no ASCII.
    """
    try:
        headers = list(response.headers.items())
    except ValueError:
        headers = None
    if headers is None:
        raise httpx.RemoteProtocolError("A header of the reply has bytes beyond ASCII.")
    extensions = {"http_version": response.version.encode()}
    return httpx.Response(response.status, headers=headers, stream=stream, extensions=extensions)


class AsyncRustTransport(httpx.AsyncBaseTransport):
    """A transport that awaits; as `_Rust`."""

    name = "DefaultAsyncRustHttpClient"
    takes_ssl_context = False

    def __init__(self, **settings: object) -> None:
        self._rust = _Rust(self.name, **settings)  # type: ignore[arg-type]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        running_loop(self.name)
        opening = self._rust.request(request)
        try:
            async with asyncio.timeout(seconds_left(None)):
                response = await passing_cancellation(opening.__aenter__())
        except Exception as error:  # noqa: BLE001 - mapped, where it is not in the context
            failure = mapped(error)
        else:
            body = _Body(opening, response.body_reader)
            try:
                return reply_of(response, body)
            except BaseException:
                await body.aclose()
                raise
        raise failure

    async def aclose(self) -> None:
        await self._rust.close()


class _Body(httpx.AsyncByteStream):
    """The body of a reply, as its bytes come."""

    def __init__(self, opening: StreamRequest, reader: ResponseBodyReader) -> None:
        self._opening: StreamRequest | None = opening
        self._reader = reader
        self._wait: asyncio.Timeout | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            failure: Exception | None = None
            piece = None
            try:
                async with asyncio.timeout(seconds_left(None)) as self._wait:
                    piece = await passing_cancellation(self._reader.read_chunk())
            except Exception as error:  # noqa: BLE001 - as above
                failure = mapped(error) if self._opening is not None else closed()
            finally:
                self._wait = None
            if failure is not None:
                raise failure
            if piece is None:
                return
            yield bytes(piece)

    async def aclose(self) -> None:
        opening, self._opening = self._opening, None
        if opening is not None:
            if self._wait is not None:  # in another task, without whose end nothing can be closed
                self._wait.reschedule(asyncio.get_running_loop().time())
            await opening.__aexit__(None, None, None)


class RustTransport(httpx.BaseTransport):
    """A transport that blocks; as `_Rust`."""

    name = "DefaultRustHttpClient"
    takes_ssl_context = False

    def __init__(self, **settings: object) -> None:
        self._rust = _Rust(self.name, **settings)  # type: ignore[arg-type]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        limit = seconds_left(None)
        exchange = Exchange(self._rust.request(request), mapped)
        response = exchange.head(limit)
        try:
            return reply_of(response, _BlockingBody(exchange))
        except BaseException:
            exchange.end()
            raise

    def close(self) -> None:
        run(self._rust.close)


class _BlockingBody(httpx.SyncByteStream):
    """The body of a reply, as its bytes come."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._exchange.piece(seconds_left(None))) is not None:
            yield piece

    def close(self) -> None:
        self._exchange.end()


def mapped(error: Exception) -> Exception:
    """Return what httpx calls an error of pyreqwest's; its words are those of the last cause.

    The others tell the URL, which may hold what is shown to nobody.
    """
    if not isinstance(error, exceptions.PyreqwestError):
        return (
            httpx.ReadTimeout("The time for reading is over.") if isinstance(error, TimeoutError) else error
        )
    reason = _reason(error)
    if isinstance(error, exceptions.ConnectTimeoutError) and "client error (Connect)" in _causes(error):
        return httpx.ConnectTimeout(reason)
    if isinstance(error, exceptions.PoolTimeoutError):
        return httpx.PoolTimeout(reason)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(reason)
    if "invalid peer certificate" in reason:
        failure = httpx.ConnectError(reason)
        failure.__cause__ = ssl.SSLCertVerificationError(reason)
        return failure
    if isinstance(error, exceptions.ConnectError) and "client error (Connect)" in _causes(error):
        return httpx.ConnectError(reason)
    if isinstance(error, exceptions.WriteError):
        return httpx.WriteError(reason)
    if isinstance(error, exceptions.RequestPanicError):
        return httpx.ProxyError(reason)
    return httpx.ReadError(reason) if "reset by peer" in reason else httpx.RemoteProtocolError(reason)


def _causes(error: exceptions.PyreqwestError) -> list[str]:
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()]


def _reason(error: exceptions.PyreqwestError) -> str:
    return ([error.message, *(cause for cause in _causes(error) if " for url (" not in cause)])[-1]
