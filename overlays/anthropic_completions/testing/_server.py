"""The stand-in on a loopback port, under uvicorn."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._stand_in import Received

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ._behaviour import Reply

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

_PATIENCE_SECONDS = 30


@contextmanager
def serve(handle: Callable[[Received], Reply], port: int) -> Iterator[str]:
    """Serve on a loopback port while the context lasts; the context's value is the URL."""
    try:
        import uvicorn
    except ImportError as error:
        raise ImportError("serving needs the extra: pip install 'anthropic-completions[server]'") from error

    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        application(handle), log_level="warning", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
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
        server.should_exit = True
        thread.join(_PATIENCE_SECONDS)
        listener.close()


def application(
    handle: Callable[[Received], Reply],
) -> Callable[[dict[str, Any], Receive, Send], Awaitable[None]]:
    """Return the ASGI application that answers with what `handle` returns."""

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reply = handle(Received(scope["method"], scope["path"], headers, body))
        sent = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": sent})
        for piece in reply.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app
