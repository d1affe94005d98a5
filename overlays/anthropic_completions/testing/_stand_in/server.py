"""Serve the stand-in on a loopback port, under uvicorn."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Required, TypedDict, cast

from .replies import Drop, Wait
from .requests import Received

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, WWWScope
    from uvicorn.protocols.http.h11_impl import H11Protocol

    from ..._http.call import Clock
    from .._clock import FakeClock
    from .replies import Reply, Step

    Receive = Callable[[], Awaitable["_Message"]]
    Send = Callable[[Mapping[str, object]], Awaitable[None]]
    Application = Callable[["_Scope", Receive, Send], Awaitable[None]]


class _Scope(TypedDict):
    """What ASGI tells of a request, as far as it is used here."""

    method: str
    path: str
    query_string: bytes
    headers: Iterable[tuple[bytes, bytes]]
    extensions: dict[str, Callable[[], None]]


class _Message(TypedDict, total=False):
    """An event of ASGI: a part of the request's body, or that the client left."""

    type: Required[str]
    body: bytes
    more_body: bool


_PATIENCE_SECONDS = 30
# Longer than clients keep a connection that nothing goes over, so that none sends on one that is just closed.
_IDLE_SECONDS = 120
_HANG_UP = "anthropic_completions.hang_up"


@contextmanager
def serve(
    answer: Callable[[Received], Reply], clock: Clock | FakeClock, *, port: int, max_body_bytes: int
) -> Iterator[str]:
    """Serve on a loopback port while the context lasts; the context's value is the URL."""
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError("serving needs the extra: pip install 'anthropic-completions[server]'") from error

    listener = socket.create_server(("127.0.0.1", port))
    # Connections inherit it. Without it, the second write of a reply waits some 40 ms until the client
    # acknowledges the first. asyncio sets it only on sockets that name TCP; those of `create_server` do not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        application(answer, clock.sleep_async or asyncio.sleep, max_body_bytes),
        http=_protocol(),
        log_config=None,  # uvicorn's own would close the handlers of the program's loggers
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=_IDLE_SECONDS,
    )

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # From Python 3.12 on it would wait until all clients have left.
            for connection in list(self.server_state.connections):
                connection.transport.close()
            await super().shutdown(sockets)

    server = Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="stand-in", daemon=True)
    thread.start()
    try:
        until = time.monotonic() + _PATIENCE_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise RuntimeError("the stand-in server did not start")
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # At once: what is being answered, perhaps after a long silence, has no one left to wait for it.
        server.should_exit = server.force_exit = True
        thread.join(_PATIENCE_SECONDS)
        listener.close()


def application(
    answer: Callable[[Received], Reply], sleep: Callable[[float], Awaitable[None]], max_body_bytes: int
) -> Application:
    """Return the ASGI application that plays what `answer` returns."""

    async def app(scope: _Scope, receive: Receive, send: Send) -> None:
        reply = answer(await _received(scope, receive, max_body_bytes))
        try:
            await _play(reply, send, sleep)
        except (_Dropped, asyncio.CancelledError):
            # No reply is completed that was to break off, nor when the server stops.
            scope["extensions"][_HANG_UP]()
            while (await receive())["type"] != "http.disconnect":
                pass

    return app


class _Dropped(Exception):
    pass


async def _play(reply: Reply, send: Send, sleep: Callable[[float], Awaitable[None]]) -> None:
    for pause in reply.before:
        await _pause(pause, sleep)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for step in reply.body:
        if isinstance(step, bytes):
            await send({"type": "http.response.body", "body": step, "more_body": True})
            await asyncio.sleep(0)  # or a client that left would be noticed only after the last piece
        else:
            await _pause(step, sleep)
    await send({"type": "http.response.body", "body": b""})


async def _pause(step: Step, sleep: Callable[[float], Awaitable[None]]) -> None:
    if isinstance(step, Drop):
        raise _Dropped
    if isinstance(step, Wait):
        await sleep(step.seconds)


async def _received(scope: _Scope, receive: Receive, max_body_bytes: int) -> Received:
    """Read a request. Of a body above the limit no more is kept than shows that."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if len(body) <= max_body_bytes:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    query = scope["query_string"].decode("latin-1")
    return Received(scope["method"], scope["path"], headers, bytes(body), query)


def _protocol() -> type[H11Protocol]:
    """Return uvicorn's HTTP protocol, which also tells an application how to hang up."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast("asyncio.Transport", transport))
            app = self.app

            async def with_hang_up(
                scope: WWWScope, receive: ASGIReceiveCallable, send: ASGISendCallable
            ) -> None:
                # Closed after what was written has been sent.
                told = {**scope, "extensions": {_HANG_UP: transport.close}}
                await app(cast("WWWScope", told), receive, send)

            self.app = with_hang_up

    return Protocol
