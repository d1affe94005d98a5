"""A proxy that delays, cuts, resets, drips and swallows what passes, by chance that a seed decides."""

from __future__ import annotations

import random
import socket
import socketserver
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# What becomes of a reply, and how often.
FATES = {"pass": 69, "delay": 8, "cut": 8, "reset": 6, "drip": 5, "refuse": 3, "silence": 1}
MAX_DELAY_SECONDS = 0.3


class ChaosProxy:
    """Passes connections on to a server, and has accidents.

    Args:
        host: The server's.
        port: The server's.
        seed: Decides what happens.
    """

    def __init__(self, host: str, port: int, seed: int) -> None:
        self._upstream = (host, port)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self.fates = dict.fromkeys(FATES, 0)
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 256
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _fate(self) -> tuple[str, float, int]:
        """Return what becomes of the next reply, with a number of seconds and one of bytes."""
        with self._lock:
            fate = self._chance.choices([*FATES], [*FATES.values()])[0]
            self.fates[fate] += 1
            return fate, self._chance.random() * MAX_DELAY_SECONDS, int(self._chance.expovariate(1 / 400))

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with socket.create_connection(self._upstream, 10) as server:
                upwards = threading.Thread(target=_pass, args=(client, server), daemon=True)
                upwards.start()
                self._answer(client, server)
                server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        """Pass replies on; each piece that begins one meets a fate."""
        fate, seconds, count = "pass", 0.0, 0
        while data := server.recv(65536):
            if data.startswith(b"HTTP/1.1 "):
                fate, seconds, count = self._fate()
                if fate == "refuse":
                    return
                if fate == "delay":
                    time.sleep(seconds)
            if fate == "drip":
                for at in range(0, len(data), 40):
                    client.sendall(data[at : at + 40])
                    time.sleep(seconds / 30)
                continue
            if fate == "silence":
                continue
            if fate in ("cut", "reset") and len(data) >= count:
                client.sendall(data[:count])
                # While another thread waits for the socket, closing it alone would send nothing.
                client.shutdown(socket.SHUT_RD if fate == "reset" else socket.SHUT_RDWR)
                if fate == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                return
            count -= len(data)
            client.sendall(data)


def _pass(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
