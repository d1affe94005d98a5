"""Leaving a stream early closes its connection, whatever the way; nothing is left open and nothing warns."""

import asyncio
import gc
import logging
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from anthropic_completions import Anthropic, AsyncAnthropic, IncompleteStreamError
from anthropic_completions._http.clients import AsyncDirectClient, DirectClient
from raw_server import CHUNKED, HANG, LAST, RawServer, Repeat, Step, framed
from support import ARGUMENTS, PING, Body, World, chunk

A, END = chunk(" a"), chunk("", "stop_sequence")
GOOD: list[Step] = [CHUNKED + framed(A, END) + LAST]
# Streams that do not end: silent after a chunk, full of small HTTP chunks, without pause.
ENDLESS: list[list[Step]] = [
    [CHUNKED + framed(A), HANG],
    [CHUNKED + framed(*[A] * 400), HANG],
    [CHUNKED, Repeat(framed(A * 50))],
]


class Left(Exception):
    """Raised by a loop's body."""


def leave_by_break(client: Anthropic) -> None:
    for _ in client.completions.create(**ARGUMENTS, stream=True):
        break


def leave_by_break_and_keep(client: Anthropic) -> None:
    stream = client.completions.create(**ARGUMENTS, stream=True)
    for _ in stream:
        break
    kept.append(stream)


def leave_by_exception(client: Anthropic) -> None:
    with suppress(Left):
        for _ in client.completions.create(**ARGUMENTS, stream=True):
            raise Left


def leave_text_stream(client: Anthropic) -> None:
    for _ in client.completions.create(**ARGUMENTS, stream=True).text_stream:
        break


def leave_with_block(client: Anthropic) -> None:
    with client.completions.create(**ARGUMENTS, stream=True) as stream:
        next(stream)


def leave_by_close(client: Anthropic) -> None:
    stream = client.completions.create(**ARGUMENTS, stream=True)
    next(stream)
    stream.close()
    kept.append(stream)


def forget_unread(client: Anthropic) -> None:
    client.completions.create(**ARGUMENTS, stream=True)


def forget_after_next(client: Anthropic) -> None:
    next(client.completions.create(**ARGUMENTS, stream=True))


def forget_in_a_cycle(client: Anthropic) -> None:
    cycle: list[Any] = [client.completions.create(**ARGUMENTS, stream=True)]
    cycle.append(cycle)
    next(cycle[0])
    del cycle
    gc.collect()


def forget_unparsed(client: Anthropic) -> None:
    with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as reply:
        next(reply.parse())


async def async_leave_by_break(client: AsyncAnthropic) -> None:
    async for _ in await client.completions.create(**ARGUMENTS, stream=True):
        break


async def async_leave_by_break_and_keep(client: AsyncAnthropic) -> None:
    stream = await client.completions.create(**ARGUMENTS, stream=True)
    async for _ in stream:
        break
    kept.append(stream)


async def async_leave_by_exception(client: AsyncAnthropic) -> None:
    with suppress(Left):
        async for _ in await client.completions.create(**ARGUMENTS, stream=True):
            raise Left


async def async_leave_text_stream(client: AsyncAnthropic) -> None:
    async for _ in (await client.completions.create(**ARGUMENTS, stream=True)).text_stream:
        break


async def async_leave_with_block(client: AsyncAnthropic) -> None:
    async with await client.completions.create(**ARGUMENTS, stream=True) as stream:
        await anext(stream)


async def async_leave_by_close(client: AsyncAnthropic) -> None:
    stream = await client.completions.create(**ARGUMENTS, stream=True)
    await anext(stream)
    await stream.close()
    kept.append(stream)


async def async_forget_unread(client: AsyncAnthropic) -> None:
    await client.completions.create(**ARGUMENTS, stream=True)


async def async_forget_after_next(client: AsyncAnthropic) -> None:
    await anext(await client.completions.create(**ARGUMENTS, stream=True))


async def async_forget_in_a_cycle(client: AsyncAnthropic) -> None:
    cycle: list[Any] = [await client.completions.create(**ARGUMENTS, stream=True)]
    cycle.append(cycle)
    await anext(cycle[0])
    del cycle
    gc.collect()


async def async_forget_unparsed(client: AsyncAnthropic) -> None:
    async with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as reply:
        await anext(await reply.parse())


async def cancel_while_reading(client: AsyncAnthropic) -> None:
    """Cancel a task that waits for more of a silent stream."""
    stream = await client.completions.create(**ARGUMENTS, stream=True)
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            async for _ in stream:
                tasks.cancel_scope.cancel()

        tasks.start_soon(read)
    kept.append(stream)


async def cancel_in_the_body(client: AsyncAnthropic) -> None:
    """Cancel a task that waits for something else between two chunks."""
    with anyio.CancelScope() as scope:
        async for _ in await client.completions.create(**ARGUMENTS, stream=True):
            scope.cancel()
            await anyio.sleep_forever()


async def cancel_by_timeout(client: AsyncAnthropic) -> None:
    """Let a time limit run out around a stream that stays silent."""
    with anyio.move_on_after(0.05):
        await (await client.completions.create(**ARGUMENTS, stream=True)).get_final_completion()


WAYS: dict[str, tuple[Callable[[Anthropic], None], Callable[[AsyncAnthropic], Awaitable[None]]]] = {
    "break": (leave_by_break, async_leave_by_break),
    "break-and-keep": (leave_by_break_and_keep, async_leave_by_break_and_keep),
    "exception": (leave_by_exception, async_leave_by_exception),
    "text-stream": (leave_text_stream, async_leave_text_stream),
    "with-block": (leave_with_block, async_leave_with_block),
    "close": (leave_by_close, async_leave_by_close),
    "forget-unread": (forget_unread, async_forget_unread),
    "forget-after-next": (forget_after_next, async_forget_after_next),
    "forget-in-a-cycle": (forget_in_a_cycle, async_forget_in_a_cycle),
    "forget-unparsed": (forget_unparsed, async_forget_unparsed),
}
CANCELLATIONS = [cancel_while_reading, cancel_in_the_body, cancel_by_timeout]

kept: list[Any] = []  # streams that are left but not forgotten


@pytest.fixture(autouse=True)
def _nothing_warns(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail where something warns, also in a finalizer, or an event loop complains."""
    gc.freeze()  # what is there already need not be looked at each time
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", "the model 'claude-")
        yield
        kept.clear()
        gc.collect()
    gc.unfreeze()
    assert [str(warning.message) for warning in caught] == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def use(
    world: World,
    server: RawServer,
    blocking: Callable[[Anthropic], Any],
    awaiting: Callable[[AsyncAnthropic], Any],
    connections: int = 2,
) -> Any:
    """Run a function with a client that may have few connections: one that is not closed is soon missed."""
    http = world.http(verify=False, limits=httpx.Limits(max_connections=connections))
    return world.use(blocking, awaiting, base_url=server.url, http_client=http, timeout=15, max_retries=0)


async def all_closed(server: RawServer) -> bool:
    """Wait until the server sees no open connection, letting the event loop work; tell whether it does."""
    with anyio.move_on_after(15):
        while server.open:  # noqa: ASYNC110 - it changes in a thread
            await anyio.sleep(0.001)
    return not server.open


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("endless", ENDLESS, ids=["silent", "full", "flood"])
def test_leaving_closes_the_connection(world: World, way: str, endless: list[Step]) -> None:
    """Each way to leave a stream closes its connection while the client lives, and the client goes on."""
    leave, async_leave = WAYS[way]

    def blocking(client: Anthropic) -> str:
        for _ in range(3):
            leave(client)
        assert server.all_closed()
        return client.completions.create(**ARGUMENTS, stream=True).get_final_completion().completion

    async def awaiting(client: AsyncAnthropic) -> str:
        for _ in range(3):
            await async_leave(client)
        assert await all_closed(server)
        stream = await client.completions.create(**ARGUMENTS, stream=True)
        return (await stream.get_final_completion()).completion

    with RawServer(lambda number: endless if number < 3 else GOOD) as server:
        assert use(world, server, blocking, awaiting) == " a"
        assert server.all_closed()


def test_hundreds_of_abandoned_streams_leave_no_connection(world: World) -> None:
    """Streams left in every way leave nothing open, with two connections at a time."""
    count = 240
    ways = list(WAYS.values())

    def blocking(client: Anthropic) -> None:
        for number in range(count):
            ways[number % len(ways)][0](client)
            if number % 30 == 0:
                kept.clear()
        assert server.all_closed()
        assert client.completions.create(**ARGUMENTS, stream=True).get_final_completion().completion == " a"

    async def awaiting(client: AsyncAnthropic) -> None:
        for number in range(count):
            await [*(way[1] for way in ways), *CANCELLATIONS[:2]][number % 12](client)
            if number % 30 == 0:
                kept.clear()
        assert await all_closed(server)
        stream = await client.completions.create(**ARGUMENTS, stream=True)
        assert (await stream.get_final_completion()).completion == " a"

    with RawServer(lambda number: ENDLESS[number % 25 == 0] if number < count else GOOD) as server:
        use(world, server, blocking, awaiting)
        assert server.requests == count + 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
class TestCancellation:
    """A task that is cancelled gives its connection back; the pool is usable afterwards."""

    @pytest.mark.parametrize("cancel", CANCELLATIONS)
    def test_a_cancelled_task_leaves_the_pool_usable(
        self, backend: str, cancel: Callable[[AsyncAnthropic], Awaitable[None]]
    ) -> None:
        """With one connection allowed, the next call gets it."""

        async def awaiting(client: AsyncAnthropic) -> None:
            for _ in range(5):
                await cancel(client)
            assert await all_closed(server)
            steps[:] = GOOD
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            assert (await stream.get_final_completion()).completion == " a"

        steps = [*ENDLESS[0]]
        with RawServer(lambda number: [*steps]) as server:
            use(World(backend), server, leave_by_break, awaiting, connections=1)

    def test_a_call_cancelled_before_its_reply_leaves_the_pool_usable(self, backend: str) -> None:
        """The same while `create` waits for the reply."""

        async def awaiting(client: AsyncAnthropic) -> None:
            with anyio.move_on_after(0.05) as scope:
                await client.completions.create(**ARGUMENTS, stream=True)
            assert scope.cancelled_caught
            assert await all_closed(server)
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            assert (await stream.get_final_completion()).completion == " a"

        with RawServer(lambda number: GOOD if number else [HANG]) as server:
            use(World(backend), server, leave_by_break, awaiting, connections=1)

    def test_a_cancelled_stream_does_not_look_complete(self, backend: str) -> None:
        """Reading on after a cancellation raises, with the text so far."""

        async def awaiting(client: AsyncAnthropic) -> None:
            await cancel_while_reading(client)
            with pytest.raises(IncompleteStreamError, match="closed before its end") as caught:
                await anext(kept[0])
            assert (caught.value.completion, caught.value.chunk_count) == (" a", 1)

        with RawServer(ENDLESS[0]) as server:
            use(World(backend), server, leave_by_break, awaiting)

    def test_a_cancelled_next_does_not_look_complete(self, backend: str) -> None:
        """The same without a loop; and where no chunk had come, nothing is tried again."""

        async def awaiting(client: AsyncAnthropic) -> None:
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            with anyio.move_on_after(0.05) as scope:
                await anext(stream)
            assert scope.cancelled_caught
            with pytest.raises(IncompleteStreamError, match="closed before its end"):
                await anext(stream)
            assert await all_closed(server)

        with RawServer([CHUNKED + framed(PING), HANG]) as server:
            world = World(backend)
            http = AsyncDirectClient(verify=False)
            world.use(leave_by_break, awaiting, base_url=server.url, http_client=http, max_retries=3)
            assert server.requests == 1

    @pytest.mark.parametrize("ends", [False, True])
    def test_a_reply_that_takes_time_to_close_is_closed_in_a_cancelled_task(
        self, backend: str, ends: bool
    ) -> None:
        """Closing is not cut off by the cancellation that brought it about."""

        class SlowToClose(Body):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield A
                if not ends:
                    await anyio.sleep_forever()

            async def aclose(self) -> None:
                await anyio.lowlevel.checkpoint()
                await super().aclose()

        body = SlowToClose()

        async def awaiting(client: AsyncAnthropic) -> None:
            with anyio.CancelScope() as scope:
                async with await client.completions.create(**ARGUMENTS, stream=True) as stream:
                    await anext(stream)
                    scope.cancel()
                    await anyio.sleep_forever()
            assert body.closed

        reply = httpx.Response(200, stream=body)
        World(backend).use(leave_by_break, awaiting, lambda request: reply)

    def test_another_task_may_close(self, backend: str) -> None:
        """`close` ends a stream that another task is waiting for, which does not try again."""

        async def awaiting(client: AsyncAnthropic) -> None:
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            errors: list[Exception] = []

            async def read() -> None:
                try:
                    await anext(stream)
                except Exception as error:
                    errors.append(error)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                await stream.close()
            assert [type(error) for error in errors] == [IncompleteStreamError]
            assert "closed before its end" in str(errors[0])

        with RawServer([CHUNKED + framed(PING), HANG]) as server:
            world = World(backend)
            http = AsyncDirectClient(verify=False)
            world.use(leave_by_break, awaiting, base_url=server.url, http_client=http, max_retries=3)
            assert server.requests == 1

    def test_a_stream_left_as_the_last_act_harms_nothing(self, backend: str) -> None:
        """An event loop that ends right after a stream was left ends in peace."""

        async def main(url: str) -> None:
            async with AsyncDirectClient(verify=False) as http:
                client = AsyncAnthropic(api_key="key", base_url=url, http_client=http)
                stream = await client.completions.create(**ARGUMENTS, stream=True)
                await anext(stream)
            async for _ in stream:
                raise AssertionError("nothing more can come")

        with RawServer(ENDLESS[0]) as server:
            for _ in range(10):
                with pytest.raises(IncompleteStreamError):
                    anyio.run(main, server.url, backend=backend)

    def test_a_stream_forgotten_as_the_last_act_harms_nothing(self, backend: str) -> None:
        """The same for one that is forgotten while the loop ends, with its client still open."""

        async def main(url: str) -> None:
            http = AsyncDirectClient(verify=False)
            client = AsyncAnthropic(api_key="key", base_url=url, http_client=http)
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            await client.close()
            del stream

        with RawServer(ENDLESS[0]) as server:
            for _ in range(30):
                anyio.run(main, server.url, backend=backend)

    def test_a_stream_may_outlive_its_event_loop(self, backend: str) -> None:
        """Forgetting a stream whose event loop has ended harms nothing."""

        async def main(url: str) -> Any:
            async with AsyncDirectClient(verify=False) as http:
                client = AsyncAnthropic(api_key="key", base_url=url, http_client=http)
                return await client.completions.create(**ARGUMENTS, stream=True)

        with RawServer(ENDLESS[0]) as server:
            stream = anyio.run(main, server.url, backend=backend)
            assert stream.completion_so_far.completion == ""
            del stream
            assert server.all_closed()

    def test_another_thread_may_forget_a_stream(self, backend: str) -> None:
        """A stream that is collected in another thread is closed by its own event loop."""

        async def awaiting(client: AsyncAnthropic) -> None:
            box = [await client.completions.create(**ARGUMENTS, stream=True)]
            await anext(box[0])
            thread = threading.Thread(target=box.clear)
            thread.start()
            thread.join()
            assert await all_closed(server)

        with RawServer(ENDLESS[0]) as server:
            use(World(backend), server, leave_by_break, awaiting)


def test_a_native_cancellation_leaves_the_pool_usable() -> None:
    """`Task.cancel` and `asyncio.timeout`, which know no scopes, close the connection too."""

    async def awaiting(client: AsyncAnthropic) -> None:
        started = asyncio.Event()

        async def read() -> None:
            async for _ in await client.completions.create(**ARGUMENTS, stream=True):
                started.set()

        for _ in range(3):
            started.clear()
            task = asyncio.create_task(read())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await read()
        assert await all_closed(server)
        steps[:] = GOOD
        stream = await client.completions.create(**ARGUMENTS, stream=True)
        assert (await stream.get_final_completion()).completion == " a"

    steps = [*ENDLESS[0]]
    with RawServer(lambda number: [*steps]) as server:
        use(World("asyncio"), server, leave_by_break, awaiting, connections=1)


def test_another_thread_may_close() -> None:
    """`close` in another thread ends a stream at the next bytes; it is neither complete nor retried."""
    with RawServer([CHUNKED, Repeat(framed(PING), 0.02)]) as server, DirectClient(verify=False) as http:
        client = Anthropic(api_key="key", base_url=server.url, http_client=http, timeout=15, max_retries=3)
        stream = client.completions.create(**ARGUMENTS, stream=True)
        timer = threading.Timer(0.1, stream.close)
        timer.start()
        with pytest.raises(IncompleteStreamError, match="closed before its end"):
            next(stream)
        timer.join()
        assert server.all_closed()
        assert server.requests == 1


@pytest.mark.parametrize("read", [False, True], ids=["unread", "in-a-loop"])
def test_the_garbage_collector_may_strike_anywhere(read: bool) -> None:
    """A stream that is collected while its thread holds the connection pool's lock is closed all the same."""
    with RawServer(ENDLESS[0]) as server, DirectClient(verify=False) as http:
        pool = http._transport._pool  # type: ignore[attr-defined]
        client = Anthropic(api_key="key", base_url=server.url, http_client=http, timeout=15)
        cycle: list[Any] = [client.completions.create(**ARGUMENTS, stream=True)]
        cycle.append(cycle)
        if read:
            cycle.append(iter(cycle[0]))
            next(cycle[-1])

        def collect() -> None:
            with pool._optional_thread_lock:
                gc.collect()

        gc.disable()
        try:
            del cycle
            thread = threading.Thread(target=collect, daemon=True)
            thread.start()
            thread.join(10)
        finally:
            gc.enable()
        assert not thread.is_alive()
        assert server.all_closed()


def test_the_connection_of_a_complete_stream_is_used_again(world: World) -> None:
    """Streams that are read to their end share one connection."""

    def blocking(client: Anthropic) -> None:
        for _ in range(5):
            client.completions.create(**ARGUMENTS, stream=True).get_final_completion()

    async def awaiting(client: AsyncAnthropic) -> None:
        for _ in range(5):
            await (await client.completions.create(**ARGUMENTS, stream=True)).get_final_completion()

    with RawServer(GOOD) as server:
        use(world, server, blocking, awaiting)
        assert (server.requests, server.accepted) == (5, 1)
