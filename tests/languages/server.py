"""Serve the vectors over loopback to a program in any language, and judge the requests that it sends.

    python tests/languages/server.py COMMAND [ARGUMENT ...]

The command finds the server's address in VECTORS_URL and the folder of the vectors in VECTORS. Case 3 of
streams.json, counted from 0, is served to a client with the base URL VECTORS_URL/streams/3, and so are the
cases of replies.json and requests.json. A request that is not what its vector says gets status 400 and a
message that says why.

The command's last line ends in the number of vectors that it ran, as `312 vectors passed`. It may leave out
those of messages.json, as a whole.

The exit status is the command's, or 1 where the command left a vector out or sent a wrong request.
"""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
GROUPS = {
    "constants": ("markers",),
    "requests": ("requests",),
    "replies": ("replies",),
    "streams": ("streams",),
    "retries": ("retry_after", "retries"),
    "rate_limits": ("rate_limits",),
    "prompts": ("validate", "parse", "build"),
}
ALL = {
    group: json.loads((VECTORS / f"{file}.json").read_text("utf-8"))[group]
    for file, groups in GROUPS.items()
    for group in groups
}
# Those of the bridge to Messages, which a language may leave out as a whole.
BRIDGE = json.loads((VECTORS / "messages.json").read_text("utf-8"))
BRIDGED = sum(len(BRIDGE[group]) for group in ("requests", "replies", "streams", "stops"))
SERVED = ("requests", "replies", "streams")
COMPLETION = {
    "id": "compl_1",
    "completion": " Hi",
    "model": "m",
    "stop_reason": "max_tokens",
    "type": "completion",
}
# The fields in which 1 and 1.0 are the same.
FRACTIONS = {"temperature", "top_p"}


def bytes_of(value: Any) -> bytes:
    """Return the bytes that a vector gives as text, in base64, or as a JSON value."""
    if isinstance(value, str):
        return value.encode()
    return base64.b64decode(value["base64"]) if "base64" in value else json.dumps(value["json"]).encode()


def body_differences(expected: dict[str, Any], received: Any) -> list[str]:
    """Return what is wrong with a body, one sentence for each field."""
    if not isinstance(received, dict):
        return [f"the body is no JSON object: {received!r}"]
    found = []
    for name in sorted({*expected, *received}):
        if name not in received:
            found.append(f"{name} is missing")
        elif name not in expected:
            found.append(f"{name} is sent and should not be: {received[name]!r}")
        elif name in FRACTIONS and not isinstance(received[name], bool) and received[name] == expected[name]:
            continue
        elif json.dumps(received[name], sort_keys=True) != json.dumps(expected[name], sort_keys=True):
            found.append(f"{name} is {received[name]!r}, not {expected[name]!r}")
    return found


class Handler(BaseHTTPRequestHandler):
    """Answer one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    done: set[tuple[str, int]]
    wrong: list[str]

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        _, group, number, path = self.path.split("/", 3)
        case = ALL[group][int(number)]
        self.done.add((group, int(number)))
        if group == "requests":
            self.answer_request(case, f"/{path}", content)
        elif (b'"stream":true' in content.replace(b" ", b"")) != (group == "streams"):
            self.wrong.append(f"{case['name']}: stream is true for {group}, or is not")
            self.answer({"status": 400, "headers": {}})
        elif group == "replies":
            self.answer(case["reply"], body=bytes_of(case["reply"]["body"]))
        else:
            pieces = [bytes_of(piece) for piece in case["reply"]["pieces"]]
            self.answer(case["reply"], pieces=pieces, breaks=case["reply"].get("breaks", False))

    def answer_request(self, case: dict[str, Any], path: str, content: bytes) -> None:
        """Say whether a request is what its vector says."""
        expected, found = case["request"], []
        if path != expected["path"]:
            found.append(f"the path is {path}, not {expected['path']}")
        for name, value in expected["headers"].items():
            received = ",".join(self.headers.get_all(name, [])) or None
            if received and name == "anthropic-beta":  # a list: one line for each and spaces are the same
                received = ",".join(beta.strip() for beta in received.split(","))
            if received != value:
                found.append(f"header {name} is {received!r}, not {value!r}")
        try:
            found += body_differences(expected["body"], json.loads(content))
        except ValueError:
            found.append(f"the body is no JSON: {content!r}")
        if found:
            self.wrong.append(f"{case['name']}: {'; '.join(found)}")
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": "; ".join(found)}}
            self.answer(
                {"status": 400, "headers": {"content-type": "application/json"}}, json.dumps(error).encode()
            )
        elif expected["body"].get("stream"):
            event = f"event: completion\ndata: {json.dumps(COMPLETION)}\n\n".encode()
            self.answer({"status": 200, "headers": {"content-type": "text/event-stream"}}, pieces=[event])
        else:
            headers = {"content-type": "application/json"}
            self.answer({"status": 200, "headers": headers}, json.dumps(COMPLETION).encode())

    def answer(
        self,
        reply: dict[str, Any],
        body: bytes = b"",
        pieces: list[bytes] | None = None,
        *,
        breaks: bool = False,
    ) -> None:
        """Send a reply, whole or in pieces; without its end where it breaks."""
        self.send_response(reply["status"], "As the vector says")
        for name, value in reply["headers"].items():
            self.send_header(name, value)
        if reply.get("gzip") and "gzip" in self.headers.get("accept-encoding", ""):
            self.send_header("content-encoding", "gzip")
            compress = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
            body = compress.compress(body) + compress.flush() if pieces is None else b""
            if pieces is not None:
                pieces = [compress.compress(piece) + compress.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
                pieces.append(compress.flush())
        if pieces is None:
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if breaks:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """One thread for each connection; a client may go when it likes."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def main(command: list[str]) -> int:
    """Run the command beside the server and return the exit status."""
    Handler.done, Handler.wrong = set(), []
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    environment = {**os.environ, "VECTORS_URL": url, "VECTORS": str(VECTORS)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    server.shutdown()
    print(done.stdout, end="", flush=True)
    left_out = {(group, number) for group in SERVED for number in range(len(ALL[group]))} - Handler.done
    problems = [f"wrong request: {problem}" for problem in Handler.wrong]
    problems += [
        f"not asked for: {group}: {ALL[group][number]['name']}" for group, number in sorted(left_out)
    ]
    total, ran = sum(map(len, ALL.values())), re.search(r"(\d+) vectors passed\s*$", done.stdout)
    if done.returncode == 0 and (ran is None or int(ran[1]) not in (total, total + BRIDGED)):
        wanted = f"'{total} vectors passed', or {total + BRIDGED} with those of messages.json"
        problems.insert(0, f"expected the program to end with {wanted}")
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    return done.returncode or bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
