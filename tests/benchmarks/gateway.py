"""Measure what one worker of the gateway carries: plain requests and streams, beside the stand-in behind it.

    python tests/benchmarks/gateway.py [--seconds N] [--connections N]

The stand-in, the gateway and this process, which asks, share the machine: a gateway alone on its core carries
more. The figures to compare are the ratios, and the processor time of the gateway for each request.
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from soak.run import started

TICKS = 100  # of a second, in which Linux counts processor time
COMPLETION: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "prompt": "\n\nHuman: one two three four five six seven eight\n\nAssistant:",
    "max_tokens_to_sample": 50,
}
MESSAGE: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "messages": [{"role": "user", "content": "one two three four five six seven eight"}],
    "max_tokens": 50,
}


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def ask(url: str, path: str, fields: dict[str, Any], until: float) -> int:
    """Send one request after the other over one connection; return how many were answered whole."""
    parts, count = urlsplit(url), 0
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    body = json.dumps(fields).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {parts.netloc}",
        "x-api-key: k",
        "anthropic-version: 2023-06-01",
    ]
    lines += ["content-type: application/json", f"content-length: {len(body)}", "", ""]
    request = "\r\n".join(lines).encode() + body
    while time.monotonic() < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise ValueError(f"expected status 200, got {head[:100]!r}")
        if b"content-length: " in head:
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split()[0]))
        else:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        count += 1
    writer.close()
    return count


async def rate(
    url: str, path: str, fields: dict[str, Any], seconds: float, connections: int
) -> tuple[int, float]:
    """Return how many requests were answered, and in how many seconds."""
    begun = time.monotonic()
    counts = await asyncio.gather(*(ask(url, path, fields, begun + seconds) for _ in range(connections)))
    return sum(counts), time.monotonic() - begun


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    with ExitStack() as stack:
        _, upstream = started(stack, "serve")
        gateway, url = started(stack, "gateway", "--upstream", upstream)
        for kind, stream in (("plain", False), ("streamed", True)):
            options = (given.seconds, given.connections)
            alone, alone_seconds = asyncio.run(
                rate(upstream, "/v1/messages", {**MESSAGE, "stream": stream}, *options)
            )
            used = processor_seconds(gateway.pid)
            through, seconds = asyncio.run(
                rate(url, "/v1/complete", {**COMPLETION, "stream": stream}, *options)
            )
            used = processor_seconds(gateway.pid) - used
            rates = through / seconds, alone / alone_seconds
            print(
                f"{kind:9} {rates[0]:7.1f} requests/s by the gateway, {rates[1]:7.1f} by the stand-in alone: "
                f"{rates[0] / rates[1]:.2f}; {used / through * 1000:.2f} ms of processor time each"
            )


if __name__ == "__main__":
    main()
