"""Serve the gateway under uvicorn, with one or more workers."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from starlette.applications import Starlette

_HEADER_BYTES = 64 * 1024
# Longer than clients and balancers keep a connection that nothing goes over (httpx 5 s, nginx and AWS's 60 s,
# Go 90 s). Who closes it must be the side that sends next, or requests meet a connection that is just closed.
_IDLE_SECONDS = 120
# A worker that does not answer for so long is taken for dead, killed with its streams and started anew. On a
# busy machine uvicorn's 5 s are less than a worker needs to load.
_WORKER_SECONDS = 120


class Protocol(H11Protocol):
    """uvicorn's HTTP protocol, which sends each event of a stream at once.

    asyncio sees to that only on sockets that name TCP, and the one that workers share does not: each second
    write waits some 40 ms until the client acknowledges the first.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


def free_port(host: str, port: int) -> int:
    """Return the port to listen on: the one that is asked for, or for 0 one that is free.

    It is looked at for each address of the host, such as both of `localhost`: uvicorn listens on all of them.

    Raises:
        OSError: It is taken, or the address is none of this machine's.
    """
    for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind) as found:
            if os.name != "nt":  # where it would let two listen on one port
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            found.bind((address[0], port, *address[2:]))
            port = found.getsockname()[1]
    return port


def serve(host: str, port: int, *, workers: int, stop_seconds: int) -> None:
    """Serve the application of the environment's settings until Ctrl-C or SIGTERM.

    Args:
        host: The address to listen on.
        port: The port.
        workers: The number of processes.
        stop_seconds: How long what is being answered may take to end then.
    """
    with tempfile.TemporaryDirectory() as shared:
        if workers > 1:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)
        uvicorn.run(
            f"{__name__}:logged_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http=Protocol,
            h11_max_incomplete_event_size=_HEADER_BYTES,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_worker_healthcheck=_WORKER_SECONDS,
            timeout_graceful_shutdown=stop_seconds,
            access_log=False,
            log_level="warning",
            server_header=False,
        )


def logged_app() -> Starlette:
    """Return the application of the environment's settings, its log going to standard output."""
    from . import create_app

    log = logging.getLogger("anthropic_completions.gateway")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    return create_app()
