"""Soak the gateway: 200 streams at a time, clients that leave at random, and what it holds meanwhile.

    python tests/soak/run.py [--seconds N] [--streams N] [--seed N]

A stand-in, the gateway and the clients are processes of their own. Memory and descriptors are those of the
gateway, read from /proc every few seconds. It fails where either grows after the first third, where
descriptors are left once all clients have gone, or where a stream that was read to its end was not whole.
"""

import argparse
import asyncio
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import processes

WORDS = [f"w{number}" for number in range(30)]
TEXT = " You said: " + " ".join(WORDS)
ASKED: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "prompt": f"\n\nHuman: {' '.join(WORDS)}\n\nAssistant:",
    "max_tokens_to_sample": 200,
}
HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
# What may come on top: allocators and pools do not stand still to the byte.
ROOM_MIB, ROOM_DESCRIPTORS = 12.0, 40


def held(pid: int) -> tuple[float, int]:
    """Return the MiB and the descriptors that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def client(
    http: httpx.AsyncClient, url: str, until: float, chance: random.Random, told: Counter[str]
) -> None:
    """Ask for one stream after the other, and leave some of them; a few requests are plain ones."""
    while time.monotonic() < until:
        kind = chance.choices(["read", "left", "plain", "plain left"], [55, 35, 7, 3])[0]
        fields = {**ASKED, "stream": "plain" not in kind}
        try:
            await with_attempts(http, url, fields, kind, chance, told)
        except TimeoutError:
            pass
        except (httpx.HTTPError, ValueError) as error:
            kind = f"failed: {type(error).__name__} {error}"
        told[kind] += 1


async def with_attempts(
    http: httpx.AsyncClient,
    url: str,
    fields: dict[str, Any],
    kind: str,
    chance: random.Random,
    told: Counter[str],
) -> None:
    """Make a request, and try again what connections fail, twice as the old clients did."""
    for attempt in range(3):
        try:
            if kind == "plain left":
                async with asyncio.timeout(chance.random() * 0.05):
                    await http.post(url, json=fields)
            elif kind == "plain":
                (await http.post(url, json=fields)).raise_for_status()
            else:
                await stream(http, url, fields, chance.randrange(1, 25) if kind == "left" else None)
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            if attempt == 2:
                raise
            told[f"tried again: {type(error).__name__} {str(error)[:60]}".rstrip()] += 1
        else:
            return


async def stream(http: httpx.AsyncClient, url: str, fields: dict[str, Any], most: int | None) -> None:
    """Read a stream to its end, or so many of its events."""
    text = ""
    async with http.stream("POST", url, json=fields) as reply:
        reply.raise_for_status()
        async for line in reply.aiter_lines():
            if line.startswith("event: error"):
                raise ValueError("an error event")
            if found := re.search(r'"completion": ?"([^"]*)"', line):
                text += found[1]
                if most is not None and (most := most - 1) == 0:
                    return
    if most is None and text != TEXT:
        raise ValueError(f"expected the whole text, got {text!r}")


async def load(
    url: str, pid: int, seconds: float, streams: int, seed: int
) -> tuple[list[tuple[float, int]], Counter[str]]:
    """Run the clients; return what the gateway held at each look, and what became of the requests."""
    told: Counter[str] = Counter()
    until = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=streams)
    looks: list[tuple[float, int]] = []
    async with (
        httpx.AsyncClient(timeout=120, limits=limits, headers=HEADERS) as http,
        asyncio.TaskGroup() as group,
    ):
        for number in range(streams):
            group.create_task(client(http, url, until, random.Random(seed + number), told))
        while time.monotonic() < until:
            await asyncio.sleep(min(5.0, seconds / 30))
            looks.append(held(pid))
            mib, descriptors = looks[-1]
            told_so_far = f"{mib:7.1f} MiB {descriptors:5} descriptors {told.total():7} requests"
            print(told_so_far, flush=True)
    return looks, told


def started(stack: ExitStack, *arguments: str) -> tuple["subprocess.Popen[bytes]", str]:
    """Start one of the package's services on a free port; return it and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "anthropic_completions", *arguments, "--port", str(port)]
    process = stack.enter_context(
        processes.started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            httpx.get(url)
            return process, url
        except httpx.TransportError:
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            time.sleep(0.1)
    raise TimeoutError(f"{command} did not start")


def main() -> None:
    """Soak it, print what was seen, and fail where something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with ExitStack() as stack:
        _, upstream = started(stack, "serve", "--today", "--delay", "0.2")
        gateway, url = started(stack, "gateway", "--upstream", upstream)
        before = held(gateway.pid)
        looks, told = asyncio.run(
            load(f"{url}/v1/complete", gateway.pid, given.seconds, given.streams, given.seed)
        )
        time.sleep(10)
        httpx.post(f"{url}/v1/complete", json=ASKED, headers=HEADERS)  # which closes connections long idle
        after = held(gateway.pid)
    third = len(looks) // 3
    early, late = looks[third : 2 * third], looks[2 * third :]
    memory = [max(look[0] for look in part) for part in (early, late)]
    descriptors = [max(look[1] for look in part) for part in (early, late)]
    print(
        f"{given.streams} streams at a time for {given.seconds:.0f} s; requests: {dict(told.most_common())}"
    )
    print(f"MiB: {before[0]:.1f} before, then {memory[0]:.1f} and {memory[1]:.1f} in the last thirds")
    print(f"descriptors: {before[1]} before, {descriptors[0]} and {descriptors[1]} at most, {after[1]} after")
    wrong = [kind for kind in told if kind.startswith("failed")]
    if sum(told[kind] for kind in told if kind.startswith("tried again")) > told.total() / 50:
        wrong.append("more than a fiftieth was tried again")
    if memory[1] > memory[0] + ROOM_MIB:
        wrong.append("memory grew")
    if descriptors[1] > descriptors[0] + ROOM_DESCRIPTORS or after[1] > before[1] + ROOM_DESCRIPTORS:
        wrong.append("descriptors were left")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
