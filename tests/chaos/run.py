"""Call and stream through a proxy that has accidents, and cancel: `make test-chaos`, again with SEED=...

2,000 calls and 500 streams in threads, on asyncio and on trio; then 10,000 cancellations on asyncio and
on trio, of calls and streams, with a pool of the client's own and one that is lent to it.
Each call ends in the right text or in a documented error that keeps what came, and nothing is left over.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import random
import sys
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import anyio
import httpx
import trio

from anthropic_completions import Anthropic, APIError, AsyncAnthropic, DefaultAsyncHttpxClient
from anthropic_completions.testing import StandIn
from chaos.proxy import ChaosProxy
from client.test_cancellation import WAYS, cancel_over_sockets, lost
from reachable import assert_holds_none
from support import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS, STREAMS, CANCELLATIONS = 2_000, 500, 10_000
# All calls and streams together; what is not begun by then on a slow machine is left out, and said so.
MOST_SECONDS = 60
PARALLEL = 48
SETTINGS: dict[str, Any] = {
    "api_key": KEY,
    "max_retries": 1,
    "timeout": 3,
    "deadline": 6,
    "model_warnings": False,
}


class Outcomes:
    """What calls ended in."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def text(self, expected: str, text: str) -> None:
        assert text == expected, f"expected {expected!r}, got {text!r}"
        self.counts["text"] += 1

    def error(self, expected: str, came: list[str], error: APIError) -> None:
        """Note an error, which has to keep what came, and no key."""
        text = "".join(came)
        assert expected.startswith(text), f"{text!r} is no part of {expected!r}"
        assert (error.completion or "") == text, f"{text!r} came, and the error has {error.completion!r}"
        assert_holds_none([KEY], error)
        self.counts[type(error).__name__] += 1


class KeyFinder(logging.Handler):
    """Keeps the log lines that hold the key."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if KEY in line:
            self.found.append(line)


def arguments(number: int) -> tuple[dict[str, Any], str]:
    said = f"number {number} " + "and so on " * (number % 7)
    prompt = f"\n\nHuman: {said.strip()}\n\nAssistant:"
    return {"model": "claude-2.1", "max_tokens_to_sample": 99, "prompt": prompt}, f" You said: {said.strip()}"


def kinds(calls: int, streams: int, seed: int, seconds: float) -> Iterator[tuple[int, bool]]:
    """Yield numbers of calls and whether they are streams, mixed, for so many seconds."""
    ends_at = time.monotonic() + seconds
    mixed = [False] * calls + [True] * streams
    random.Random(seed).shuffle(mixed)
    for number, stream in enumerate(mixed):
        if time.monotonic() > ends_at:
            print(f"{number} of {len(mixed)} were begun in {seconds:.0f} s: this machine is slow")
            return
        yield number, stream


def in_threads(url: str, work: Iterator[tuple[int, bool]], outcomes: Outcomes) -> None:
    lock = threading.Lock()
    with Anthropic(base_url=url, **SETTINGS) as client:

        def one(number: int, stream: bool) -> None:
            given, expected = arguments(number)
            came: list[str] = []
            try:
                if stream:
                    with client.completions.create(**given, stream=True) as read:
                        came.extend(read.text_stream)
                        outcomes.text(expected, "".join(came))
                else:
                    outcomes.text(expected, client.completions.create(**given).completion)
            except APIError as error:
                outcomes.error(expected, came, error)

        def worker() -> None:
            while True:
                with lock:
                    item = next(work, None)
                if item is None:
                    return
                one(*item)

        with ThreadPoolExecutor(PARALLEL) as pool:
            for done in [pool.submit(worker) for _ in range(PARALLEL)]:
                done.result()


async def in_tasks(url: str, work: Iterator[tuple[int, bool]], outcomes: Outcomes, seed: int) -> None:
    chance = random.Random(seed)
    http = DefaultAsyncHttpxClient(verify=False)
    tasks = tasks_living()
    async with AsyncAnthropic(base_url=url, http_client=http, **SETTINGS) as client:

        async def one(number: int, stream: bool) -> None:
            given, expected = arguments(number)
            came: list[str] = []
            patience = chance.random() * 0.1 if chance.random() < 0.1 else 30
            with anyio.move_on_after(patience) as scope:
                try:
                    if stream:
                        async with await client.completions.create(**given, stream=True) as read:
                            async for text in read.text_stream:
                                came.append(text)
                        outcomes.text(expected, "".join(came))
                    else:
                        outcomes.text(expected, (await client.completions.create(**given)).completion)
                except APIError as error:
                    outcomes.error(expected, came, error)
            if scope.cancelled_caught:
                outcomes.counts["cancelled"] += 1

        async def worker() -> None:
            for number, stream in work:
                await one(number, stream)

        async with anyio.create_task_group() as group:
            for _ in range(PARALLEL):
                group.start_soon(worker)
        pool: Any = http._transport._pool
        with anyio.move_on_after(5):  # for the tasks that close connections
            while lost(pool) or tasks_living() > tasks:  # noqa: ASYNC110 - nothing tells
                await anyio.sleep(0.01)
        assert lost(pool) == []
    assert tasks_living() <= tasks, "tasks are left over"


def tasks_living() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return trio.lowlevel.current_statistics().tasks_living


def descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.exists() else 0  # noqa: PTH208


def settled(what: str, now: Any, before: int) -> None:
    """Wait until a number is no larger than before."""
    ends_at = time.monotonic() + 15
    while now() > before and time.monotonic() < ends_at:
        gc.collect()
        time.sleep(0.05)
    assert now() <= before, f"{now() - before} {what} are left over"


def chaos(url: str, seed: int, share: float) -> None:
    ends_at = time.monotonic() + MOST_SECONDS
    for name, number in (("threads", 0), ("asyncio", 1), ("trio", 2)):
        outcomes, begun = Outcomes(), time.monotonic()
        calls, streams = (ceil(total * share / 3) for total in (CALLS, STREAMS))
        work = kinds(calls, streams, seed + number, (ends_at - time.monotonic()) / (3 - number))
        if name == "threads":
            in_threads(url, work, outcomes)
        else:
            anyio.run(in_tasks, url, work, outcomes, seed, backend=name)
        assert outcomes.counts["text"] > outcomes.counts.total() / 2, outcomes.counts
        print(f"{name:8} {time.monotonic() - begun:5.1f} s  {dict(outcomes.counts)}", flush=True)


def cancellations(seed: int, share: float) -> None:
    for way, (backend, _) in WAYS.items():
        begun, done = time.monotonic(), 0
        ways = sum(other == backend for other, _ in WAYS.values())
        for number, (stream, lent) in enumerate(product((False, True), repeat=2)):
            count = int(CANCELLATIONS * share) // (4 * ways)
            cancel_over_sockets(way, count, stream=stream, lent=lent, seed=seed + number)
            done += count
        print(f"{way:16} {done} cancellations in {time.monotonic() - begun:.1f} s", flush=True)


def main() -> None:
    """Run it all and print the seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--share", type=float, default=1.0, help="of the calls; less for a quick look")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    finder = KeyFinder()
    logging.basicConfig(level=logging.INFO, handlers=[finder])
    warnings.simplefilter("ignore", ResourceWarning)
    with StandIn().serve() as url:
        parts = urlsplit(url)
        httpx.get(url)  # so that what the first connection opens is there before counting
        threads, before = threading.active_count(), descriptors()
        with ChaosProxy(str(parts.hostname), parts.port or 80, seed) as proxy:
            chaos(proxy.url, seed, given.share)
            print(f"the proxy: {proxy.fates}")
        settled("threads", threading.active_count, threads)
        settled("descriptors", descriptors, before)
    cancellations(seed, given.share)
    assert finder.found == [], "the log has the key"
    print(f"seed {seed}: nothing was lost, nothing is left over")


if __name__ == "__main__":
    main()
