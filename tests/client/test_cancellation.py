"""Calls that are cancelled at any moment: the pool loses no connection, and no task is left."""

import asyncio
import os
import random
from typing import Any

import anyio
import httpx
import pytest

from anthropic_completions import AsyncAnthropic, DefaultAsyncHttpxClient
from raw_server import CHUNKED, LAST, RawServer, framed
from support import ARGUMENTS, KEY, chunk, completion_reply

BODY = completion_reply().content
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
STREAM = CHUNKED + framed(chunk(" a"), chunk("", "stop_sequence")) + LAST
PLACES = 10


async def _call(client: AsyncAnthropic, *, stream: bool) -> None:
    if stream:
        async for _ in await client.completions.create(**ARGUMENTS, stream=True):
            pass
    else:
        await client.completions.create(**ARGUMENTS)


async def cancelled_scoped(client: AsyncAnthropic, chance: random.Random, *, stream: bool) -> None:
    with anyio.move_on_after(chance.random() * 0.02):
        await _call(client, stream=stream)


async def cancelled_natively(client: AsyncAnthropic, chance: random.Random, *, stream: bool) -> None:
    """As by `asyncio.wait_for` and servers that give up a request, which may do so twice."""
    task = asyncio.ensure_future(_call(client, stream=stream))
    for _ in range(chance.choice([1, 1, 2])):
        await asyncio.sleep(chance.random() * 0.02)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def cancel_at_random(
    url: str, count: int, cancelled: Any, *, stream: bool, seed: int, http: Any
) -> None:
    """Cancel calls at random, four times as many at once as the pool has places; then use all its places."""
    chance = random.Random(seed)
    limits = httpx.Limits(max_connections=PLACES, max_keepalive_connections=PLACES)
    http = (http or DefaultAsyncHttpxClient)(limits=limits, verify=False)
    timeout = httpx.Timeout(20, pool=10)
    async with AsyncAnthropic(
        api_key=KEY, base_url=url, max_retries=0, http_client=http, timeout=timeout
    ) as client:
        left = iter(range(count))

        async def work() -> None:
            for _ in left:
                await cancelled(client, chance, stream=stream)

        async with anyio.create_task_group() as group:
            for _ in range(4 * PLACES):
                group.start_soon(work)
        await anyio.sleep(0.05)  # for the tasks that close connections
        pool = http._transport._pool
        assert pool._requests == [], f"seed {seed}"
        assert all(connection.is_idle() for connection in pool._connections), f"seed {seed}"
        async with anyio.create_task_group() as group:
            for _ in range(2 * PLACES):
                group.start_soon(lambda: _call(client, stream=stream))


@pytest.mark.skipif(
    "CHAOS" not in os.environ,
    reason="random, and not kept yet in every run; make test-chaos runs it",
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("how", ["asyncio", "asyncio natively", "trio", "asyncio, lent"])
def test_no_cancellation_loses_a_connection(how: str, stream: bool) -> None:
    """A part of what `make test-chaos` does, where it is 10,000 of each."""
    seed = random.randrange(2**32)
    cancelled = cancelled_natively if how == "asyncio natively" else cancelled_scoped
    http = httpx.AsyncClient if how.endswith("lent") else None
    with RawServer([STREAM if stream else REPLY]) as server:
        anyio.run(
            lambda: cancel_at_random(server.url, 600, cancelled, stream=stream, seed=seed, http=http),
            backend="trio" if how == "trio" else "asyncio",
        )
        assert server.all_closed()
