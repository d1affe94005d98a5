"""An HTTP server on this machine that writes down what it is sent and answers from a script."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = (("content-type", "application/json"), ("request-id", "req_1"))
EVENTS = (("content-type", "text/event-stream; charset=utf-8"), ("request-id", "req_1"))


@dataclass(frozen=True)
class Recorded:
    """A request as it came: the target with its query, the headers in their order, the body's bytes."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is answered.

    Attributes:
        cut: Whether the connection is closed before the whole of the promised body is sent.
    """

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = JSON
    cut: bool = False


@dataclass
class Recorder:
    """What was recorded, and what will be answered: the replies in turn, the last of them again and again."""

    url: str
    replies: tuple[Reply, ...] = ()
    requests: list[Recorded] = field(default_factory=list)

    def expect(self, *replies: Reply) -> None:
        """Forget what was recorded, and answer with these replies from now on."""
        self.replies, self.requests = replies, []

    def take(self, request: Recorded) -> Reply:
        """Note a request and return the reply to it."""
        self.requests.append(request)
        return self.replies[min(len(self.requests), len(self.replies)) - 1]


@contextmanager
def recording() -> Iterator[Recorder]:
    """Run a recorder."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            # From the request line: `path` is a tidied form of the target.
            method, target, _ = self.requestline.split(" ")
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            reply = recorder.take(Recorded(method, target, tuple(self.headers.items()), body))
            self.send_response_only(reply.status)
            promised = len(reply.body) + (100 if reply.cut else 0)
            for name, value in (*reply.headers, ("content-length", str(promised))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.cut

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hung up

    with Server(("127.0.0.1", 0), Handler) as server:
        recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
