"""Many completions at a time: each result once, the number of calls bounded, the service's limits obeyed."""

import asyncio
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from anthropic_completions import Anthropic, AsyncAnthropic
from anthropic_completions.batch import Result, acomplete_many, complete_many
from anthropic_completions.testing import (
    FakeClock,
    Received,
    Scripted,
    StandIn,
    completion,
    drop,
    drop_after,
    error,
    overloaded,
    rate_limited,
    raw,
    stall,
)
from anthropic_completions.types import Completion
from support import World, completion_reply

COMMON: dict[str, Any] = {"model": "claude-2.1", "max_tokens_to_sample": 256}


def asked(number: object) -> dict[str, Any]:
    return {"id": number, "prompt": f"\n\nHuman: {number}\n\nAssistant:"}


def run(world: World, stand_in: StandIn, requests: Any, **options: Any) -> list[Result]:
    """Complete all requests in a world."""
    settings = options.pop("settings", {})
    arguments = {**COMMON, **options}
    if world.backend is None:
        with stand_in.client(**settings) as client:
            return list(complete_many(client, requests, **arguments))

    async def main() -> list[Result]:
        async with stand_in.async_client(**settings) as client:
            return [result async for result in acomplete_many(client, requests, **arguments)]

    return anyio.run(main, backend=world.backend)


def texts(results: Iterable[Result]) -> dict[Any, str]:
    return {result.id: result.completion.completion if result.completion else "" for result in results}


class TestResults:
    """What comes back."""

    @pytest.mark.parametrize("concurrency", [1, 3, 100])
    def test_each_request_has_one_result(self, world: World, concurrency: int) -> None:
        results = run(world, StandIn(), map(asked, range(50)), concurrency=concurrency)
        assert len(results) == 50
        assert texts(results) == {number: f" You said: {number}" for number in range(50)}

    def test_no_requests_have_no_results(self, world: World) -> None:
        assert run(world, StandIn(), []) == []

    def test_a_requests_arguments_go_before_the_common_ones(self, world: World) -> None:
        stand_in = StandIn()
        (result,) = run(world, stand_in, [{**asked(1), "model": "claude-2", "betas": ["b"]}], temperature=0.5)
        assert result.request["model"] == "claude-2"
        assert stand_in.received[0].json()["model"] == "claude-2"
        assert stand_in.received[0].json()["temperature"] == 0.5
        assert stand_in.received[0].betas == ["b"]
        assert "id" not in stand_in.received[0].json()

    def test_what_goes_wrong_with_one_stops_no_other(self, world: World) -> None:
        def respond(received: Received) -> Scripted | None:
            return {"2": error(402), "3": drop(), "4": raw(b"{}")}.get(received.json()["prompt"][9:10])

        requests: list[Any] = [*map(asked, range(6)), {"id": "t"}, {**asked("s"), "stream": True}]
        results = run(world, StandIn(respond=respond), requests, settings={"max_retries": 1})
        assert {result.id: type(result.error).__name__ for result in results if result.error} == {
            2: "BillingError",
            3: "APIConnectionError",
            4: "APIResponseValidationError",
            "t": "TypeError",
            "s": "TypeError",
        }
        assert sorted(result.id for result in results if result.completion) == [0, 1, 5]

    def test_what_is_no_request_is_an_error_of_its_own(self, world: World) -> None:
        (result,) = run(world, StandIn(), ["text"])
        assert isinstance(result.error, TypeError)
        assert "expected a mapping" in str(result.error)

    def test_the_clients_settings_hold(self, world: World) -> None:
        stand_in = StandIn()
        stand_in.queue(overloaded(), overloaded())
        (result,) = run(world, stand_in, [asked(1)], settings={"max_retries": 1})
        assert result.error is not None
        assert len(stand_in.received) == 2

    def test_an_error_of_the_source_comes_after_the_results(self, world: World) -> None:
        def source() -> Iterator[Any]:
            yield asked(1)
            yield asked(2)
            raise LookupError("no more")

        seen: list[Any] = []

        def blocking(client: Anthropic) -> None:
            for result in complete_many(client, source(), **COMMON):
                seen.append(result.id)

        async def awaiting(client: AsyncAnthropic) -> None:
            async for result in acomplete_many(client, source(), **COMMON):
                seen.append(result.id)

        with pytest.raises(LookupError, match="no more"):
            world.use(blocking, awaiting, StandIn().transport().handler)
        assert sorted(seen) == [1, 2]

    @pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "3", None])
    def test_concurrency_is_a_number_of_calls(self, wrong: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="concurrency"):
            complete_many(StandIn().client(), [], concurrency=wrong)
        with pytest.raises((TypeError, ValueError), match="concurrency"):
            acomplete_many(StandIn().async_client(), [], concurrency=wrong)

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_an_asynchronous_source(self, backend: str) -> None:
        async def source() -> AsyncIterator[dict[str, Any]]:
            for number in range(20):
                await anyio.lowlevel.checkpoint()
                yield asked(number)

        async def main() -> list[Result]:
            async with StandIn().async_client() as client:
                return [r async for r in acomplete_many(client, source(), concurrency=3, **COMMON)]

        assert len(texts(anyio.run(main, backend=backend))) == 20


class TestBounds:
    """How many calls there are at a time, and how many requests are taken."""

    def test_as_many_calls_as_allowed_and_no_more_in_threads(self) -> None:
        barrier = threading.Barrier(4)
        lock = threading.Lock()
        under_way = most = 0

        def answer(_: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            with lock:
                under_way += 1
                most = max(most, under_way)
            barrier.wait(30)  # passes only when four calls are here together
            with lock:
                under_way -= 1
            return completion_reply()

        with Anthropic(
            api_key="k", http_client=httpx.Client(transport=httpx.MockTransport(answer))
        ) as client:
            assert len(list(complete_many(client, map(asked, range(40)), concurrency=4, **COMMON))) == 40
        assert most == 4

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_as_many_calls_as_allowed_and_no_more_in_tasks(self, backend: str) -> None:
        under_way = most = 0

        async def answer(_: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            under_way -= 1
            return completion_reply()

        async def main() -> int:
            http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
            async with AsyncAnthropic(api_key="k", http_client=http) as client:
                results = acomplete_many(client, map(asked, range(40)), concurrency=4, **COMMON)
                return len([result async for result in results])

        assert anyio.run(main, backend=backend) == 40
        assert most == 4

    def test_an_endless_source_is_taken_from_as_needed(self, world: World) -> None:
        taken = 0

        def source() -> Iterator[Any]:
            nonlocal taken
            for taken in itertools.count(1):
                yield asked(taken)

        def blocking(client: Anthropic) -> int:
            results = complete_many(client, source(), concurrency=5, **COMMON)
            return len({result.id for result in itertools.islice(results, 20)})

        async def awaiting(client: AsyncAnthropic) -> int:
            results = acomplete_many(client, source(), concurrency=5, **COMMON)
            return len({(await anext(results)).id for _ in range(20)})

        assert world.use(blocking, awaiting, StandIn().transport().handler) == 20
        assert taken <= 20 + 5

    def test_a_result_that_was_given_away_is_not_kept(self, world: World) -> None:
        def alive() -> int:
            return sum(isinstance(thing, Completion | Result) for thing in gc.get_objects())

        before = alive()

        def blocking(client: Anthropic) -> int:
            results = complete_many(client, map(asked, range(200)), concurrency=4, **COMMON)
            for _ in itertools.islice(results, 150):
                pass
            return alive()

        async def awaiting(client: AsyncAnthropic) -> int:
            results = acomplete_many(client, map(asked, range(200)), concurrency=4, **COMMON)
            for _ in range(150):
                await anext(results)
            return alive()

        # Some are under way, and each thread holds its last one; 150 were given away.
        assert world.use(blocking, awaiting, StandIn().transport().handler) - before <= 30

    def test_leaving_early_begins_no_further_calls(self, world: World) -> None:
        stand_in = StandIn()

        def blocking(client: Anthropic) -> None:
            for _ in complete_many(client, map(asked, itertools.count()), concurrency=2, **COMMON):
                break

        async def awaiting(client: AsyncAnthropic) -> None:
            async for _ in acomplete_many(client, map(asked, itertools.count()), concurrency=2, **COMMON):
                break
            gc.collect()
            for _ in range(50):
                await anyio.lowlevel.checkpoint()

        world.use(blocking, awaiting, stand_in.transport().handler)
        assert 1 <= len(stand_in.received) <= 3

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_closing_cancels_the_calls_under_way(self, backend: str) -> None:
        ended: list[str] = []

        async def answer(_: httpx.Request) -> httpx.Response:
            try:
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class():
                ended.append("cancelled")
                raise
            raise AssertionError

        async def main() -> None:
            http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
            async with AsyncAnthropic(api_key="k", http_client=http) as client:
                results = acomplete_many(client, map(asked, range(9)), concurrency=3, **COMMON)
                with anyio.move_on_after(0.02):
                    await anext(results)
                await results.aclose()
                while len(ended) < 3:
                    await anyio.lowlevel.checkpoint()
                with pytest.raises(StopAsyncIteration):
                    await anext(results)

        anyio.run(main, backend=backend)
        assert ended == ["cancelled"] * 3

    def test_a_call_that_is_cancelled_from_within_has_a_result(self) -> None:
        async def middleware(request: Any, call_next: Any) -> Any:
            raise asyncio.CancelledError

        async def main() -> list[Result]:
            async with StandIn().async_client(middleware=[middleware]) as client:
                return [
                    result
                    async for result in acomplete_many(client, map(asked, range(3)), concurrency=2, **COMMON)
                ]

        results = asyncio.run(main())
        assert sorted(result.id for result in results) == [0, 1, 2]
        assert all("cancelled" in str(result.error) for result in results)

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_a_wait_for_a_result_can_be_given_up_and_taken_up_again(self, backend: str) -> None:
        async def answer(_: httpx.Request) -> httpx.Response:
            await anyio.sleep(0.02)
            return completion_reply()

        async def main() -> int:
            http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
            async with AsyncAnthropic(api_key="k", http_client=http) as client:
                results = acomplete_many(client, map(asked, range(5)), concurrency=2, **COMMON)
                with anyio.move_on_after(0):
                    await anext(results)
                return len([result async for result in results])

        assert anyio.run(main, backend=backend) == 5


class TestPace:
    """The service's limits hold for all calls together."""

    def test_nothing_is_sent_before_the_limit_is_full_again(self, world: World) -> None:
        clock = FakeClock(1_700_000_000.0)
        stand_in = StandIn(requests_per_minute=10, clock=clock)
        results = run(world, stand_in, map(asked, range(25)), concurrency=1)
        assert len(texts(results)) == 25
        assert [received.json()["prompt"] for received in stand_in.received] == [
            asked(number)["prompt"] for number in range(25)
        ]  # not one was refused
        assert clock.waits == [60.0, 60.0]

    def test_one_calls_order_to_wait_holds_for_all(self, world: World) -> None:
        stand_in = StandIn()
        stand_in.queue(completion("1"), rate_limited(20))
        run(world, stand_in, map(asked, range(5)), concurrency=1, settings={"max_retries": 0})
        assert stand_in.clock.waits == [20.0]

    def test_the_wait_has_a_limit(self, world: World) -> None:
        stand_in = StandIn()
        stand_in.queue(rate_limited(3000))
        run(world, stand_in, map(asked, range(2)), concurrency=1, settings={"max_retry_after": 30.0})
        assert stand_in.clock.waits == [30.0]

    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({"anthropic-ratelimit-tokens-remaining": "0"}, []),
            ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "soon"}, []),
            ({"anthropic-ratelimit-tokens-reset": "2023-11-14T22:13:50Z"}, []),
            (
                {
                    "anthropic-ratelimit-output-tokens-remaining": "0",
                    "anthropic-ratelimit-output-tokens-reset": "2023-11-14T22:13:50Z",
                },
                [30.0],
            ),
            (
                {
                    "anthropic-ratelimit-tokens-remaining": "0",
                    "anthropic-ratelimit-tokens-reset": "2023-11-14T22:13:00Z",
                },
                [],
            ),
        ],
    )
    def test_only_a_limit_that_is_used_up_is_waited_for(
        self, world: World, headers: dict[str, str], wait: list[float]
    ) -> None:
        stand_in = StandIn(clock=FakeClock(1_700_000_000.0))
        body = completion_reply().content
        stand_in.queue(raw(body, headers={"content-type": "application/json", **headers}))
        run(world, stand_in, map(asked, range(2)), concurrency=1)
        assert stand_in.clock.waits == wait

    def test_middleware_of_the_client_is_kept(self) -> None:
        seen: list[str] = []

        def middleware(request: Any, call_next: Any) -> Any:
            seen.append(request.url)
            return call_next(request)

        with StandIn().client(middleware=[middleware]) as client:
            assert len(list(complete_many(client, map(asked, range(3)), **COMMON))) == 3
        assert len(seen) == 3


def test_many_requests_with_failures_of_each_kind_are_each_done_once(world: World) -> None:
    """5 % of the attempts fail in each of six ways; five retries make up for that."""
    kinds = [overloaded(), rate_limited(0.2), error(500), drop(), stall(10_000), drop_after(1)]
    attempts = itertools.count()

    def respond(_: Received) -> Scripted | None:
        number = next(attempts) * 7 % 20
        return kinds[number] if number < len(kinds) else None

    stand_in = StandIn(respond=respond, keep=0)
    results = run(world, stand_in, map(asked, range(300)), concurrency=16, settings={"max_retries": 9})
    assert sorted(result.id for result in results if result.completion) == list(range(300))


def test_results_do_not_wait_for_the_end_of_a_slow_source(world: World) -> None:
    """Calls that end while the source makes one wait are given out before its end."""
    taken: list[int] = []
    seen: list[int] = []
    turn = threading.Event()

    def note(received: Received) -> Scripted | None:
        turn.set()
        return None

    stand_in = StandIn(respond=note)

    def source() -> Iterator[dict[str, Any]]:
        for number in range(20):
            taken.append(number)
            yield asked(number)
            assert turn.wait(30)
            turn.clear()

    async def slow_source() -> AsyncIterator[dict[str, Any]]:
        for number in range(20):
            taken.append(number)
            yield asked(number)
            for _ in range(50):
                await anyio.lowlevel.checkpoint()

    if world.backend is None:
        with stand_in.client() as client:
            for _ in complete_many(client, source(), concurrency=20, **COMMON):
                seen.append(len(taken))
    else:

        async def main() -> None:
            async with stand_in.async_client() as client:
                async for _ in acomplete_many(client, slow_source(), concurrency=2, **COMMON):
                    seen.append(len(taken))

        anyio.run(main, backend=world.backend)
    assert len(seen) == 20
    assert seen[0] < 20


def test_what_is_no_exception_of_a_call_is_raised_to_the_caller() -> None:
    """A call in a thread that ends with SystemExit does not leave the loop waiting for ever."""

    def leave(received: Received) -> None:
        raise SystemExit(3)

    results = complete_many(StandIn(respond=leave).client(), [asked(1)], **COMMON)
    ended: list[BaseException] = []

    def consume() -> None:
        try:
            list(results)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=consume, daemon=True)
    thread.start()
    thread.join(30)
    assert [type(error) for error in ended] == [SystemExit]
