"""The server that the benchmark's clients talk to: prepared bytes, as little work as can be.

The first part of the path says what is answered:

    /plain          a completion
    /alone-N        a stream of N events, each an HTTP chunk of its own, which httpx hands on one by one
    /large-N        a stream of N events in HTTP chunks of 64 KiB
"""

import asyncio
import json
import sys
from functools import cache

LARGE = 64 * 1024
FIELDS = {
    "type": "completion",
    "id": "compl_018CKm6gsux7P8yMcwZbeCPw",
    "completion": " Hello",
    "stop_reason": None,
}
FIELDS |= {"model": "claude-2.1", "stop": None, "log_id": "compl_018CKm6gsux7P8yMcwZbeCPw"}


def encode(**changes: object) -> bytes:
    return json.dumps({**FIELDS, **changes}, separators=(",", ":")).encode()


# As in a real stream, the text alone differs from event to event.
TEXTS = [
    " Hello",
    "!",
    " My",
    " name",
    " is",
    " Cl",
    "aude",
    ".",
    " What",
    "'s",
    " the",
    " 10",
    "th",
    "?",
    "\n\n",
    " \u201c",
]
EVENTS = [b"event: completion\r\ndata: %b\r\n\r\n" % encode(completion=text) for text in TEXTS]
LAST = b"event: completion\r\ndata: %b\r\n\r\n" % encode(
    completion="", stop_reason="stop_sequence", stop="\n\nHuman:"
)
BODY = encode(completion=" Hello! My name is Claude.", stop_reason="stop_sequence", stop="\n\nHuman:")
PLAIN = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_1\r\ncontent-length: %d\r\n\r\n%b"
    % (len(BODY), BODY)
)
STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: req_1\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@cache
def frame(first: int, count: int) -> bytes:
    return framed(b"".join(EVENTS[number % len(EVENTS)] for number in range(first, first + count)))


async def answer(path: str, writer: asyncio.StreamWriter) -> None:
    kind, _, count = path.split("/")[1].partition("-")
    if kind == "plain":
        writer.write(PLAIN)
        return
    writer.write(STREAM)
    count = int(count) - 1
    per_frame = 1 if kind == "alone" else LARGE // max(map(len, EVENTS))
    for begun in range(0, count, 100 * per_frame):
        starts = range(begun, min(count, begun + 100 * per_frame), per_frame)
        frames = [frame(start % len(EVENTS), min(per_frame, count - start)) for start in starts]
        writer.write(b"".join(frames))
        await writer.drain()
    writer.write(framed(LAST) + b"0\r\n\r\n")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            await answer(head.split(b" ", 2)[1].decode(), writer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until the benchmark ends


if __name__ == "__main__":
    asyncio.run(main())
