"""Notice the connections that httpcore's pool loses where an awaited call is cancelled.

A task that is cancelled between two steps of the pool leaves behind a connection that is neither idle nor in
use, or a request that nobody waits for, and each of them takes its place in the pool for ever
(github.com/encode/httpcore, issues 830 and 1093). So after each cancellation the pool is looked through: a
connection that no request of the pool uses is closed, unless it is idle.

The other way round, the pool takes a connection for idle that it has given to a request which has not begun
to send, and closes it under the request where its time is over or there are many (issue 1110). Not so here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, cast

from .._tasks import spawn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def notice_lost_connections(transport: object) -> None:
    """Have the pool of an awaiting transport of httpx's notice; other transports are left as they are."""
    pool: object = getattr(transport, "_pool", None)
    if all(hasattr(pool, name) for name in _NEEDED) and not isinstance(pool, _Noticing):
        pool.__class__ = _noticing(type(pool))


# Of httpcore 1.0, and of the fork's httpcore2. A pool of another make is left as it is.
_NEEDED = (
    "_connections",
    "_requests",
    "_assign_requests_to_connections",
    "_close_connections",
    "handle_async_request",
)


class _Connection(Protocol):
    def is_idle(self) -> bool: ...
    def is_closed(self) -> bool: ...
    async def aclose(self) -> None: ...


class _PoolRequest(Protocol):
    connection: _Connection | None


class _Pool(Protocol):
    """What is used of a pool, none of it public."""

    _connections: list[_Connection]
    _requests: list[_PoolRequest]

    def _assign_requests_to_connections(self) -> list[_Connection]: ...


class _Stream(Protocol):
    """What is used of a pool's stream."""

    _closed: bool
    _pool_request: _PoolRequest

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class _Noticing:
    """What is put before the class of a pool."""

    async def handle_async_request(self, request: object) -> object:
        pool = cast("_Pool", self)
        try:
            response = await super().handle_async_request(request)  # type: ignore[misc]
        except Exception:
            raise
        except BaseException:
            _recover(pool)
            raise
        response.stream = _Body(response.stream, pool)
        return response

    def _assign_requests_to_connections(self) -> list[_Connection]:
        pool = cast("_Pool", self)
        closing: list[_Connection] = super()._assign_requests_to_connections()  # type: ignore[misc]
        if not closing:
            return closing
        given = {id(request.connection) for request in pool._requests}
        pool._connections += [connection for connection in closing if id(connection) in given]
        return [connection for connection in closing if id(connection) not in given]

    async def _close_connections(self, closing: list[_Connection]) -> None:
        try:
            await super()._close_connections(closing)  # type: ignore[misc]
        except Exception:
            raise
        except BaseException:
            _close_later(closing)
            raise


_KINDS: dict[type, type] = {}


def _noticing(kind: type) -> type:
    made = type(kind.__name__, (_Noticing, kind), {})
    return _KINDS.setdefault(kind, made)


class _Body:
    """The body of a reply, whose connection goes back to the pool also where closing it is cancelled."""

    def __init__(self, stream: _Stream, pool: _Pool) -> None:
        self._stream = stream
        self._pool = pool

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        begun = self._stream._closed
        try:
            await self._stream.aclose()
        except BaseException:
            _recover(self._pool, self._stream._pool_request)
            raise
        if begun:  # and maybe not ended
            _recover(self._pool, self._stream._pool_request)


def _recover(pool: _Pool, ended: _PoolRequest | None = None) -> None:
    """Give the places in the pool back that nobody uses.

    Args:
        pool: The pool.
        ended: A request that has ended, whether the pool knows it or not; None for none.
    """
    requests, connections = pool._requests, pool._connections
    lost: list[_Connection] = []
    if ended is not None and ended in requests:
        requests.remove(ended)
        if ended.connection is not None and not any(
            other.connection is ended.connection for other in requests
        ):
            lost.append(ended.connection)
    used = {id(request.connection) for request in requests}
    lost += [
        connection
        for connection in connections
        if id(connection) not in used and not connection.is_idle() and not connection.is_closed()
    ]
    for connection in lost:
        with suppress(ValueError):
            connections.remove(connection)
    _close_later([*lost, *pool._assign_requests_to_connections()])


def _close_later(connections: list[_Connection]) -> None:
    """Close connections in a task of their own, which nobody cancels."""
    if not connections:
        return

    async def close() -> None:
        for connection in connections:
            with suppress(Exception):
                await connection.aclose()

    spawn(close)
