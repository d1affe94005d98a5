"""Keep the deadline of an exchange at the sockets, whatever the other side sends.

httpcore limits each single read; a reply that comes byte by byte has as many of them as it likes. Here each
read, write and connect is cut to what is left of the whole, which the port says before it waits.
"""

from __future__ import annotations

import importlib
import os
import socket
import weakref
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, cast

import httpx

from .._tasks import spawn
from .transports.certificates import loaded
from .transports.limit import current_limit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

# httpx's own dependency, or that of its fork where that is in httpx's place.
if TYPE_CHECKING:
    import httpcore as core
else:
    core = importlib.import_module(httpx.__name__.replace("httpx", "httpcore"))

if TYPE_CHECKING:
    SocketOptions = Iterable[core.SOCKET_OPTION]

# A large body is sent in parts, between which an early answer is noticed.
_PART_BYTES = 64 * 1024
_LEFTOVER_BYTES = 1024 * 1024


def _cut_read(timeout: float | None) -> float | None:
    limit = current_limit()
    if limit is None:
        return timeout
    left = limit.for_read(timeout)
    if left is not None and left <= 0:
        raise core.ReadTimeout("The time for the whole is over.")
    return left


def _cut_write(timeout: float | None, error: type[Exception]) -> float | None:
    limit = current_limit()
    if limit is None:
        return timeout
    left = limit.for_write(timeout)
    if left is not None and left <= 0:
        raise error("The time for the whole is over.")
    return left


def keep_limits(transport: object) -> bool:
    """Have a transport of httpx's keep the limits of exchanges; return whether it does.

    Others, such as those of tests and of other libraries, are left as they are.
    """
    pool = getattr(transport, "_pool", None)
    backend = getattr(pool, "_network_backend", None)
    if isinstance(backend, _Backend | _AsyncBackend):
        return True
    if pool is None or backend is None:
        return False
    if isinstance(pool, core.AsyncConnectionPool):
        pool._network_backend = _AsyncBackend(backend)
        return True
    if isinstance(pool, core.ConnectionPool):
        pool._network_backend = _Backend(backend)
        return True
    return False


def load_certificates(client: httpx.Client | httpx.AsyncClient) -> None:
    """Load those that a client would load for its first encrypted connection.

    Raises:
        ValueError: They cannot be used.
    """
    for transport in (client._transport, *client._mounts.values()):
        context = getattr(getattr(transport, "_pool", None), "_ssl_context", None)  # of httpx
        context = context or getattr(transport, "ssl_context", None)  # of aiohttp
        if context is not None:
            loaded(context)


class _Backend(core.NetworkBackend):
    """Opens connections that keep the limit."""

    def __init__(self, backend: core.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> core.NetworkStream:
        connect = partial(
            self._backend.connect_tcp, port=port, local_address=local_address, socket_options=socket_options
        )
        if current_limit() is None:
            return _Stream(connect(host, timeout=timeout))
        failure: Exception | None = None
        # Python would give each address of a host the whole time.
        for address in _addresses(host, port):
            try:
                cut = _cut_write(timeout, core.ConnectTimeout)
                return _Stream(connect(address, timeout=cut))
            except (core.ConnectError, core.ConnectTimeout) as error:
                failure = failure or error
        raise failure or core.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: SocketOptions | None = None
    ) -> core.NetworkStream:
        cut = _cut_write(timeout, core.ConnectTimeout)
        return _Stream(self._backend.connect_unix_socket(path, timeout=cut, socket_options=socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise core.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Stream(core.NetworkStream):
    """A connection that keeps the limit."""

    def __init__(self, stream: core.NetworkStream) -> None:
        self._stream = stream

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._stream.read(max_bytes, timeout=_cut_read(timeout))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _PART_BYTES):
            if at and self.get_extra_info("is_readable"):
                raise core.WriteError("The other side answers before the request is sent.")
            part = buffer[at : at + _PART_BYTES]
            self._stream.write(part, timeout=_cut_write(timeout, core.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> core.NetworkStream:
        cut, context = _cut_write(timeout, core.ConnectTimeout), loaded(ssl_context)
        return _Stream(self._stream.start_tls(context, server_hostname=server_hostname, timeout=cut))

    def close(self) -> None:
        self._stream.close()


def hang_up(client: httpx.Client | httpx.AsyncClient) -> bool:
    """End the connections of a client whose event loop does not run; return False where replies are open."""
    found: list[socket.socket | None] = []
    for transport in (getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is None or not isinstance(backend, _AsyncBackend):
            continue
        if pool._requests:
            return False
        found += [_socket_of(stream) for stream in backend.streams]
    for connection in found:
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
    return True


class _AsyncBackend(core.AsyncNetworkBackend):
    """Opens connections that keep the limit."""

    def __init__(self, backend: core.AsyncNetworkBackend) -> None:
        self._backend = backend
        self.streams: weakref.WeakSet[_AsyncStream] = weakref.WeakSet()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> core.AsyncNetworkStream:
        stream = await self._backend.connect_tcp(
            host,
            port,
            timeout=_cut_write(timeout, core.ConnectTimeout),
            local_address=local_address,
            socket_options=socket_options,
        )
        opened = _AsyncStream(stream)
        self.streams.add(opened)
        return opened

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: SocketOptions | None = None
    ) -> core.AsyncNetworkStream:
        cut = _cut_write(timeout, core.ConnectTimeout)
        stream = await self._backend.connect_unix_socket(path, timeout=cut, socket_options=socket_options)
        return _AsyncStream(stream)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _AsyncStream(core.AsyncNetworkStream):
    """A connection that keeps the limit."""

    def __init__(self, stream: core.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left_over = b""

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left_over:
            data, self._left_over = self._left_over[:max_bytes], self._left_over[max_bytes:]
            return data
        came: bytes = await self._stream.read(max_bytes, timeout=_cut_read(timeout))
        return came

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if len(buffer) <= _PART_BYTES:
            await self._stream.write(buffer, timeout=_cut_write(timeout, core.WriteTimeout))
            return
        with _second_handle(self) as handle:
            try:
                for at in range(0, len(buffer), _PART_BYTES):
                    if at and self.get_extra_info("is_readable"):
                        raise core.WriteError("The other side answers before the request is sent.")
                    part = buffer[at : at + _PART_BYTES]
                    await self._stream.write(part, timeout=_cut_write(timeout, core.WriteTimeout))
            except core.WriteError:
                # The event loop has closed the socket then, without a look at what had come.
                if handle is not None and self.get_extra_info("ssl_object") is None:
                    self._left_over = _leftover(handle)
                raise

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> core.AsyncNetworkStream:
        cut, context = _cut_write(timeout, core.ConnectTimeout), loaded(ssl_context)
        try:
            stream = await self._stream.start_tls(context, server_hostname=server_hostname, timeout=cut)
        except BaseException:
            spawn(self.aclose)  # httpcore leaves it open where this is cancelled
            raise
        return _AsyncStream(stream)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _socket_of(stream: _AsyncStream) -> socket.socket | None:
    return cast("socket.socket | None", stream.get_extra_info("socket"))


@contextmanager
def _second_handle(stream: _AsyncStream) -> Iterator[socket.socket | None]:
    """Hold the socket of a connection open, so that what it has received can be read after it was closed."""
    raw = _socket_of(stream)
    if raw is None or os.name == "nt":
        yield None
        return
    with socket.socket(fileno=os.dup(raw.fileno())) as handle:
        yield handle


def _leftover(handle: socket.socket) -> bytes:
    handle.setblocking(False)
    data = b""
    try:
        while len(data) < _LEFTOVER_BYTES and (more := handle.recv(_PART_BYTES)):
            data += more
    except OSError:
        pass  # no more has come
    return data
