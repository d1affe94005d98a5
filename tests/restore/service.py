"""A small service on this machine with both endpoints: it says back what was asked last."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request: its path, its headers by their names in lower case, the JSON of its body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Service:
    """Where it is, and what it got."""

    url: str
    received: list[Received] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Service]:
    """Run the service."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.received.append(Received(self.path, headers, body))
            whole, events = _message(body) if self.path == "/v1/messages" else _completion(body)
            kind, content = "application/json", json.dumps(whole).encode()
            if body.get("stream"):
                kind = "text/event-stream; charset=utf-8"
                content = b"".join(
                    b"event: %s\r\ndata: %s\r\n\r\n" % (event["type"].encode(), json.dumps(event).encode())
                    for event in events
                )
            self.send_response_only(200)
            sent = {"content-type": kind, "content-length": str(len(content)), "request-id": "req_1"}
            for name, value in sent.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = Service(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


def _message(body: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    asked = [message["content"] for message in body["messages"] if message["role"] == "user"][-1]
    prefilled = body["messages"][-1]["role"] == "assistant"
    text = f"{' ' if prefilled else ''}You said: {asked}"
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"]}
    whole = {**start, "content": [{"type": "text", "text": text}], **end}
    pieces = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in (text[:4], text[4:])
    ]
    return whole, [
        {"type": "message_start", "message": {**start, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *pieces,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]


def _completion(body: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    asked = body["prompt"].rpartition("\n\nHuman:")[2].partition("\n\nAssistant:")[0].strip()
    end = {"stop_reason": "stop_sequence", "stop": "\n\nHuman:"}
    whole = {
        "type": "completion",
        "id": "compl_1",
        "completion": f" You said: {asked}",
        "model": body["model"],
    }
    return {**whole, **end}, [{**whole, "stop_reason": None}, {**whole, "completion": "", **end}]
