"""Calls that are cancelled at any moment: the pool loses no connection, and no task is left."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from anthropic_completions import AsyncAnthropic
from anthropic_completions._http.clients import AsyncDirectClient
from anthropic_completions._http.network import core
from raw_server import CHUNKED, LAST, RawServer, framed
from support import ARGUMENTS, KEY, World, chunk, completion_reply

BODY = completion_reply().content
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
STREAM = CHUNKED + framed(chunk(" a"), chunk("", "stop_sequence")) + LAST
PLACES = 10
# More steps than a call has where nothing is waited for.
MOST_STEPS = 80
SECOND_CANCELLATIONS = [None, 1, 2, 4]

Cancel = Callable[[AsyncAnthropic, random.Random, bool], Awaitable[bool]]


async def _call(client: AsyncAnthropic, stream: bool) -> None:
    if stream:
        async for _ in await client.completions.create(**ARGUMENTS, stream=True):
            pass
    else:
        await client.completions.create(**ARGUMENTS)


async def _steps(count: int) -> None:
    """Wait for a number of turns of the event loop."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


async def _wait(chance: random.Random) -> None:
    """Wait about as long as a call takes, on a machine that may be busy."""
    await anyio.sleep(chance.random() * chance.choice([0.005, 0.02, 0.05]))


async def cancelled_scoped(client: AsyncAnthropic, chance: random.Random, stream: bool) -> bool:
    """As by trio, anyio and what is built on them; return whether the call was cancelled."""
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            await _wait(chance)
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        await _call(client, stream)
        group.cancel_scope.cancel()
        return False
    return True


async def cancelled_natively(client: AsyncAnthropic, chance: random.Random, stream: bool) -> bool:
    """As by `asyncio.wait_for` and servers that give up a request, which may do so twice."""
    task = asyncio.ensure_future(_call(client, stream))
    for again in range(chance.choice([1, 1, 2, 3])):
        await (_steps(chance.randrange(5)) if again else _wait(chance))
        task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    return isinstance(ended, asyncio.CancelledError)


def lost(pool: Any) -> list[str]:
    """Return what a pool of httpcore's holds besides idle connections, for people."""
    if pool is None:
        return []
    return [f"{request.request!r} on {request.connection!r}" for request in pool._requests] + [
        repr(connection) for connection in pool._connections if not connection.is_idle()
    ]


async def cancel_at_random(
    url: str, count: int, cancel: Cancel, *, stream: bool, seed: int, lent: bool
) -> None:
    """Cancel so many calls, twice as many at once as the pool has places; then use all its places."""
    chance = random.Random(seed)
    limits = httpx.Limits(max_connections=PLACES, max_keepalive_connections=PLACES)
    http = (httpx.AsyncClient if lent else AsyncDirectClient)(limits=limits, verify=False)
    timeout = httpx.Timeout(20, pool=10)
    async with AsyncAnthropic(
        api_key=KEY, base_url=url, max_retries=0, http_client=http, timeout=timeout
    ) as client:
        left = count

        async def work() -> None:
            nonlocal left
            while left > 0:
                if await cancel(client, chance, stream):
                    left -= 1

        async with anyio.create_task_group() as group:
            for _ in range(2 * PLACES):
                group.start_soon(work)
        pool: Any = getattr(http._transport, "_pool", None)
        with anyio.move_on_after(5):  # for the tasks that close connections
            while lost(pool):  # noqa: ASYNC110 - nothing tells
                await anyio.sleep(0.01)
        assert lost(pool) == [], f"seed {seed}"
        async with anyio.create_task_group() as group:
            for _ in range(2 * PLACES):
                group.start_soon(_call, client, stream)


WAYS: dict[str, tuple[str, Cancel]] = {
    "asyncio": ("asyncio", cancelled_scoped),
    "asyncio natively": ("asyncio", cancelled_natively),
    "trio": ("trio", cancelled_scoped),
}


def cancel_over_sockets(way: str, count: int, *, stream: bool, lent: bool, seed: int) -> None:
    """Cancel so many calls of a client of a server, and see that both sides keep no connection."""
    backend, cancel = WAYS[way]
    with RawServer([STREAM if stream else REPLY]) as server:
        anyio.run(
            lambda: cancel_at_random(server.url, count, cancel, stream=stream, seed=seed, lent=lent),
            backend=backend,
        )
        assert server.all_closed(), f"seed {seed}"


@pytest.mark.parametrize("lent", [False, True], ids=["own", "lent"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("way", WAYS)
def test_no_cancellation_loses_a_connection(way: str, stream: bool, lent: bool) -> None:
    """600 in all; `make test-chaos` does the same with 10,000 on asyncio and as many on trio."""
    cancel_over_sockets(way, 50, stream=stream, lent=lent, seed=random.randrange(2**32))


class Network(core.AsyncNetworkBackend):  # type: ignore[misc]  # httpcore is looked up
    """A network without sockets, each of whose waits takes one turn of the event loop."""

    def __init__(self, reply: bytes) -> None:
        self._reply = reply
        self.open: set[Connection] = set()

    async def connect_tcp(self, *_: object, **__: object) -> object:
        await _steps(1)
        return Connection(self.open, self._reply)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


class Connection(core.AsyncNetworkStream):  # type: ignore[misc]
    """A connection that answers a request as soon as that is sent whole."""

    def __init__(self, opened: "set[Connection]", reply: bytes) -> None:
        self._reply = reply
        self._coming = b""
        self._all = opened
        opened.add(self)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        await _steps(1)
        came, self._coming = self._coming[:64], self._coming[64:]
        return came

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        await _steps(1)
        if buffer.startswith(b"CONNECT"):
            self._coming = b"HTTP/1.1 200 OK\r\n\r\n"
        elif buffer.endswith(b"}"):
            self._coming = self._reply
        await _steps(1)

    async def start_tls(self, *_: object, **__: object) -> object:
        await _steps(2)
        return self

    async def aclose(self) -> None:
        self._all.discard(self)
        await _steps(1)

    def get_extra_info(self, info: str) -> object:
        return False if info == "is_readable" else None


async def _cancelled_after(way: str, call: Any, first: int, second: int | None) -> bool:
    """Cancel a call after a number of turns, and maybe again; return whether it was cancelled."""
    if way == "asyncio natively":
        task = asyncio.ensure_future(call)
        for steps in (first, second):
            if steps is not None:
                await _steps(steps)
                task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        return isinstance(ended, asyncio.CancelledError)
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            await _steps(first)
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        await call
        group.cancel_scope.cancel()
        return False
    return True


@pytest.mark.parametrize("where", ["http", "https", "https through a proxy", "http, lent"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("way", WAYS)
def test_a_call_cancelled_at_any_step_gives_its_place_back(way: str, stream: bool, where: str) -> None:
    """Every step of a call that waits for the only place, takes it, sends, reads and closes; also twice."""
    if not where.endswith("lent") and not World("asyncio").has_pool:
        pytest.skip("another transport, which has no httpcore within")

    async def at_each_step() -> None:
        network = Network(STREAM if stream else REPLY)
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        proxy = {"proxy": "http://proxy.test:8080"} if where.endswith("proxy") else {}
        kind = httpx.AsyncClient if where.endswith("lent") else AsyncDirectClient
        http = kind(limits=limits, **proxy)
        pool: Any = http._transport._pool
        pool._network_backend = network
        async with AsyncAnthropic(
            api_key=KEY,
            base_url=f"{re.split('[ ,]', where)[0]}://api.test",
            http_client=http,
            max_retries=0,
            timeout=httpx.Timeout(20, pool=2),
        ) as client:
            for first in range(2 * MOST_STEPS):
                was_cancelled = False
                for second in SECOND_CANCELLATIONS if way == "asyncio natively" else [None]:
                    async with anyio.create_task_group() as group:
                        group.start_soon(_call, client, stream)
                        await _steps(1)
                        was_cancelled |= await _cancelled_after(way, _call(client, stream), first, second)
                    await _steps(20)  # for the tasks that close connections
                    assert lost(pool) == [], (first, second)
                    assert len(network.open) == len(pool._connections), (first, second)
                    # Half of the calls find no connection to go on with.
                    if first % 2:
                        for connection in pool._connections[:]:
                            pool._connections.remove(connection)
                            await connection.aclose()
                if not was_cancelled:
                    return
            raise AssertionError("the calls have more steps than expected")

    anyio.run(at_each_step, backend=WAYS[way][0])


@pytest.mark.skipif(not World("asyncio").has_pool, reason="another transport, which has no httpcore within")
def test_an_idle_connection_that_is_given_to_a_request_is_not_closed_under_it() -> None:
    """It is idle until the request begins to send, and other requests may come meanwhile."""

    async def run() -> None:
        http = AsyncDirectClient()
        pool: Any = http._transport._pool
        pool._network_backend = Network(REPLY)
        async with AsyncAnthropic(api_key=KEY, base_url="http://api.test", http_client=http) as client:
            await _call(client, False)
            (connection,) = pool._connections
            connection.has_expired = lambda: True
            waiting = SimpleNamespace(connection=connection, is_queued=lambda: False)
            pool._requests.append(waiting)
            assert (pool._assign_requests_to_connections(), pool._connections) == ([], [connection])
            pool._requests.remove(waiting)
            assert (pool._assign_requests_to_connections(), pool._connections) == ([connection], [])

    anyio.run(run)
