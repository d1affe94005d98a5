"""A server of scripted bytes on a loopback port, for replies that no proper server would give."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

PATIENCE_SECONDS = 20


class Act(Enum):
    """What to do with a connection instead of sending."""

    CLOSE = "close it"
    RESET = "close it with a TCP reset"
    HANG = "send nothing, until the client closes it"
    GO = "wait until the test calls `go`"


@dataclass(frozen=True)
class Repeat:
    """Bytes to send again and again until the client closes the connection."""

    data: bytes
    seconds: float = 0.0


Step = bytes | Act | Repeat
CLOSE, RESET, HANG, GO = Act


def head(*headers: str) -> bytes:
    """Return the head of a successful reply."""
    lines = [
        "HTTP/1.1 200 OK",
        "content-type: text/event-stream; charset=utf-8",
        "request-id: req_1",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


CHUNKED = head("transfer-encoding: chunked")
LAST = b"0\r\n\r\n"


def framed(*pieces: bytes) -> bytes:
    """Return pieces of a body, each as an HTTP chunk."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


class RawServer:
    """Answers each request with the steps of a script, and counts connections.

    A connection whose steps are done is read for the next request.

    Args:
        script: The steps of every reply, or a function from the number of the request, from 0, to them.
    """

    def __init__(self, script: Sequence[Step] | Callable[[int], Sequence[Step]]) -> None:
        self._steps = script if callable(script) else lambda number: script
        self._changed = threading.Condition()
        self._go = threading.Event()
        self.requests = 0
        self.accepted = 0
        self.open = 0
        server = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                server._converse(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.daemon_threads = True
        self._server.request_queue_size = 128

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server.server_bind()
        self._server.server_activate()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def go(self) -> None:
        """Let replies go on that wait in `GO`."""
        self._go.set()

    def all_closed(self) -> bool:
        """Wait until the clients have closed all connections; tell whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open == 0, PATIENCE_SECONDS)

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_SECONDS)
        with self._changed:
            self.accepted += 1
            self.open += 1
        try:
            while _read_request(connection):
                with self._changed:
                    number = self.requests
                    self.requests += 1
                for step in self._steps(number):
                    if not self._take(connection, step):
                        return
        except OSError:
            pass  # the client has closed
        finally:
            with self._changed:
                self.open -= 1
                self._changed.notify_all()

    def _take(self, connection: socket.socket, step: Step) -> bool:
        """Do a step; return whether the connection is still of use."""
        if isinstance(step, bytes):
            connection.sendall(step)
        elif isinstance(step, Repeat):
            connection.settimeout(step.seconds or PATIENCE_SECONDS)
            while True:
                connection.sendall(step.data)
                if step.seconds:
                    try:
                        if not connection.recv(1):
                            return False
                    except TimeoutError:
                        continue
        elif step is GO:
            self._go.wait(PATIENCE_SECONDS)
        elif step is HANG:
            connection.recv(1)
            return False
        else:
            if step is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
            return False
        return True


def _read_request(connection: socket.socket) -> bytes:
    """Return the head of the next request, or nothing where the client has closed before its end."""
    data = b""
    length = None
    while length is None or len(data) < length:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
        if length is None and b"\r\n\r\n" in data:
            start, _, data = data.partition(b"\r\n\r\n")
            length = int(start.lower().partition(b"content-length:")[2].split()[0])
    return start
