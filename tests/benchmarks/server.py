"""The server that the benchmark's clients talk to: prepared bytes, as little work as can be.

The first part of the path says what is answered:

    /plain          a completion
    /alone-N        a stream of N events, each an HTTP chunk of its own, which httpx hands on one by one
    /large-N        a stream of N events in HTTP chunks of 64 KiB
"""

import asyncio
import json
import sys

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


EVENT = b"event: completion\r\ndata: %b\r\n\r\n" % encode()
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


async def answer(path: str, writer: asyncio.StreamWriter) -> None:
    kind, _, count = path.split("/")[1].partition("-")
    if kind == "plain":
        writer.write(PLAIN)
        return
    writer.write(STREAM)
    frame = framed(EVENT) if kind == "alone" else framed(EVENT * (LARGE // len(EVENT)))
    per_frame = 1 if kind == "alone" else LARGE // len(EVENT)
    whole, rest = divmod(int(count) - 1, per_frame)
    for _ in range(0, whole, 100):
        writer.write(frame * min(100, whole))
        whole -= 100
        await writer.drain()
    if rest:
        writer.write(framed(EVENT * rest))
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
