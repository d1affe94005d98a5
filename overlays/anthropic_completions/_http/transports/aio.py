"""Send with aiohttp, by way of httpx-aiohttp."""

from __future__ import annotations

import asyncio
import io
import socket
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp import AiohttpTransport
from multidict import CIMultiDict
from yarl import URL

from .common import Loops, seconds_left, true_url, without_socks

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

_NAME = "DefaultAioHttpClient"
_LARGE_BYTES = 1024 * 1024  # of a larger body in one piece aiohttp warns
_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class AioTransport(AiohttpTransport):
    """httpx-aiohttp's transport, with the package's defaults at the sockets.

    Its sending is replaced. It would call a lost connection a time limit for connecting, let errors through
    that hold the request with its key, keep cookies beside httpx's, quote URLs anew, belong to one event
    loop for ever, and know nothing of deadlines.

    Args:
        verify: As of `httpx.AsyncHTTPTransport`, like the others.
        cert: A certificate of the client's.
        trust_env: Whether the environment says where certificates are.
        http1: Of no effect.
        http2: Refused.
        limits: How many connections. All may be idle; an idle one ends after `keepalive_expiry`.
        proxy: The proxy.
        socket_options: Options of each socket.

    Raises:
        ValueError: aiohttp cannot do it.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | str | bool = True,
        cert: str | tuple[str, str] | tuple[str, str, str] | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: httpx.Limits,
        proxy: httpx.Proxy | str | None = None,
        socket_options: list[tuple[int, int, int]],
    ) -> None:
        if http2:
            raise ValueError(
                f"http2: expected False, as aiohttp speaks HTTP/1.1 only; {_NAME} is built on it"
            )
        super().__init__(
            verify=verify,
            cert=cert,
            trust_env=trust_env,
            limits=limits,
            proxy=without_socks(_NAME, proxy),
            socket_options=socket_options,
        )
        self._options = socket_options
        self._sessions: Loops[aiohttp.ClientSession] = Loops(_NAME, self._session, _forget)

    def _session(self) -> aiohttp.ClientSession:
        # For aiohttp 0 is no limit, and None means that idle connections stay.
        connector = aiohttp.TCPConnector(
            limit=self.limits.max_connections or 0,
            keepalive_timeout=self.limits.keepalive_expiry,
            ssl=self.ssl_context,
            socket_factory=self._socket,
        )
        if hasattr(connector, "_factory"):
            connector._factory = partial(_handler, loop=asyncio.get_running_loop())
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_OWN_HEADERS,
        )

    def _socket(self, address: tuple[int, int, int, str, object]) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        for option in self._options:
            made.setsockopt(*option)
        return made

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self._sessions.get()
        try:
            content: object = request.content or None
        except httpx.RequestNotRead:
            content = request.stream
        else:
            if len(request.content) > _LARGE_BYTES:
                content = io.BytesIO(request.content)
        limits = request.extensions.get("timeout", {})
        proxy = None if self.proxy is None else str(self.proxy.url)
        auth = self.proxy.auth if self.proxy is not None else None
        try:
            async with asyncio.timeout(seconds_left(None)):
                reply = await session.request(
                    request.method,
                    URL(true_url(request), encoded=True),
                    headers=CIMultiDict(
                        (name.decode("latin-1"), value.decode("latin-1"))
                        for name, value in request.headers.raw
                        if name.lower() != b"transfer-encoding"
                    ),
                    data=content,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(
                        sock_connect=limits.get("connect"),
                        sock_read=limits.get("read"),
                        connect=limits.get("pool"),
                    ),
                    server_hostname=request.extensions.get("sni_hostname"),
                    proxy=proxy,
                    proxy_auth=None if auth is None else aiohttp.BasicAuth(*auth),
                    proxy_headers=None if self.proxy is None else self.proxy.headers,
                )
        except Exception as error:  # noqa: BLE001 - mapped below, where none of aiohttp's errors is its context
            failure = _mapped(error)
        else:
            return _reply_of(reply)
        raise failure

    async def aclose(self) -> None:
        await self._sessions.close(aiohttp.ClientSession.close)


def _forget(session: aiohttp.ClientSession) -> None:
    """Let go of a session whose event loop has ended, and its connections with it; aiohttp would complain."""
    close = getattr(session.connector, "_close_immediately", None)
    if close is not None:
        close()
    session.detach()


def _reply_of(reply: aiohttp.ClientResponse) -> httpx.Response:
    version = reply.version or aiohttp.HttpVersion11
    extensions: dict[str, object] = {"http_version": f"HTTP/{version.major}.{version.minor}".encode()}
    if reply.reason:
        extensions["reason_phrase"] = reply.reason.encode("latin-1", "replace")
    return httpx.Response(reply.status, headers=reply.raw_headers, stream=_Body(reply), extensions=extensions)


class _Body(httpx.AsyncByteStream):
    """The body of a reply, as its bytes come."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        # Until it is closed: a reply knows its request, and that has a key.
        self._reply: aiohttp.ClientResponse | None = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (reply := self._reply) is not None:
            failure: Exception | None = None
            piece = b""
            try:
                if (left := seconds_left(None)) is None:
                    piece = await reply.content.readany()
                else:
                    async with asyncio.timeout(left):
                        piece = await reply.content.readany()
            except Exception as error:  # noqa: BLE001 - as above
                failure = _mapped(error)
            if failure is not None:
                if before := _unread(reply.content):
                    yield before
                raise failure
            if not piece:
                return
            yield piece

    async def aclose(self) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.release() if reply.content.at_eof() else reply.close()


class _Handler(ResponseHandler):
    """A connection that ends the body of a reply where it is lost.

    aiohttp 3.14 closes a connection whose chunks are none, tells whoever waits for a head, and lets who waits
    for the body wait for ever, its time limits taken back.
    """

    def connection_lost(self, exc: BaseException | None) -> None:
        body = self._payload
        super().connection_lost(exc)
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError("The body of the reply is broken."))


def _handler(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Handler(loop)


def _unread(content: aiohttp.StreamReader) -> bytes:
    """Return the bytes that had come before an error; aiohttp would keep them."""
    take = getattr(content, "_read_nowait", None)
    return b"" if take is None else bytes(take(-1))


def _mapped(error: Exception) -> Exception:
    """Return what httpx calls an error of aiohttp's, with no request in it or behind it."""
    if isinstance(error, httpx.HTTPError):
        return error
    text = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout(text)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout("The time for reading is over.")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return httpx.ProxyError(f"{error.status} {error.message}")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        kind = (
            httpx.ProxyError if isinstance(error, aiohttp.ClientProxyConnectionError) else httpx.ConnectError
        )
        reason = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
        failure: Exception = kind(str(reason or error))
        failure.__cause__ = reason
        return failure
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return httpx.RemoteProtocolError("Server disconnected without sending a response.")
    if isinstance(error, aiohttp.ClientPayloadError):
        reset = "ConnectionResetError" in text
        return httpx.ReadError("Connection reset by peer") if reset else httpx.RemoteProtocolError(text)
    if isinstance(error, aiohttp.ClientResponseError):
        return httpx.RemoteProtocolError(error.message.partition("\n")[0] or type(error).__name__)
    if isinstance(error, aiohttp.InvalidURL):
        return httpx.UnsupportedProtocol("aiohttp cannot use this URL.")
    if isinstance(error, OSError):
        return httpx.ReadError(text)
    return httpx.RemoteProtocolError(text) if isinstance(error, aiohttp.ClientError) else error
