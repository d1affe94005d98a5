"""Clients over time: closing, copying, pickling, threads and forks."""

import copy
import gc
import pickle
import subprocess
import sys
import threading
from typing import Any

import anyio
import httpx
import pytest

from anthropic_completions import Anthropic, APIConnectionError, AsyncAnthropic
from anthropic_completions._client.middleware import Middleware
from anthropic_completions.testing import StandIn
from raw_server import RawServer
from support import ARGUMENTS, KEY, FakeClock, Script, World, completion_reply, error_reply

BODY = completion_reply().content
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY


class Tagging(Middleware):
    """Middleware that can be pickled."""

    def handle(self, request: Any, call_next: Any) -> Any:
        return call_next(request.copy(headers={**request.headers, "x-tag": "1"}))

    async def handle_async(self, request: Any, call_next: Any) -> Any:
        return await call_next(request.copy(headers={**request.headers, "x-tag": "1"}))


class TestClosing:
    def test_a_context_closes(self, world: World) -> None:
        seen: list[Any] = []

        async def awaiting(client: AsyncAnthropic) -> None:
            seen.append(client)
            assert not client.is_closed()

        def blocking(client: Anthropic) -> None:
            seen.append(client)
            assert not client.is_closed()

        world.use(blocking, awaiting, Script([completion_reply()]))
        assert seen[0].is_closed()

    def test_a_closed_client_raises_at_once(self, world: World) -> None:
        """Whether it was used before or not, for streams too, and without a wait."""
        clock = FakeClock()

        def blocking(client: Anthropic) -> None:
            client.close()
            client.close()
            for stream in (False, True):
                client.completions.create(**ARGUMENTS, stream=stream)

        async def awaiting(client: AsyncAnthropic) -> None:
            await client.close()
            await client.close()
            for stream in (False, True):
                await client.completions.create(**ARGUMENTS, stream=stream)

        for reply in (Script([completion_reply()]), None):
            with pytest.raises(APIConnectionError, match=r"^The client is closed\.$") as caught:
                world.use(blocking, awaiting, reply, clock=clock)
            assert isinstance(caught.value.__cause__, RuntimeError)
        assert clock.waits == []

    def test_closing_a_given_httpx_client_closes_the_client(self, world: World) -> None:
        script = Script([completion_reply()])
        if world.backend is None:
            http = httpx.Client(transport=httpx.MockTransport(script))
            client = Anthropic(api_key=KEY, http_client=http)
            http.close()
            assert client.is_closed()
            with pytest.raises(APIConnectionError, match="The client is closed"):
                client.completions.create(**ARGUMENTS)
        else:

            async def run() -> None:
                http = httpx.AsyncClient(transport=httpx.MockTransport(script))
                client = AsyncAnthropic(api_key=KEY, http_client=http)
                await http.aclose()
                assert client.is_closed()
                with pytest.raises(APIConnectionError, match="The client is closed"):
                    await client.completions.create(**ARGUMENTS)

            anyio.run(run, backend=world.backend)
        assert script.requests == []

    def test_closes_a_given_httpx_client(self, world: World) -> None:
        script = Script([completion_reply()])
        kind = httpx.Client if world.backend is None else httpx.AsyncClient
        http = kind(transport=httpx.MockTransport(script))
        world.create(None, {"http_client": http})
        assert http.is_closed

    def test_closing_a_copy_closes_both(self, world: World) -> None:
        """They share their connections, made or not; a copy with an httpx client of its own does not."""

        def blocking(client: Anthropic) -> list[bool]:
            twin = client.copy(max_retries=0)
            other = client.copy(http_client=httpx.Client())
            twin.close()
            states = [client.is_closed(), twin.is_closed(), other.is_closed()]
            other.close()
            return states

        async def awaiting(client: AsyncAnthropic) -> list[bool]:
            twin = client.copy(max_retries=0)
            other = client.copy(http_client=httpx.AsyncClient())
            await twin.close()
            states = [client.is_closed(), twin.is_closed(), other.is_closed()]
            await other.close()
            return states

        assert world.use(blocking, awaiting) == [True, True, False]
        assert world.use(blocking, awaiting, Script([completion_reply()])) == [True, True, False]

    def test_closed_while_a_call_waits_to_retry(self, world: World) -> None:
        """The call ends at once; nothing more is sent."""
        script = Script([error_reply(500)])

        class Closing(FakeClock):
            def sleep(self, seconds: float) -> None:
                client = clients[0]
                client.close() if isinstance(client, Anthropic) else client._pool.__setattr__("closed", True)

        clients: list[Any] = []

        def blocking(client: Anthropic) -> None:
            clients.append(client)
            client.completions.create(**ARGUMENTS)

        async def awaiting(client: AsyncAnthropic) -> None:
            clients.append(client)
            await client.completions.create(**ARGUMENTS)

        with pytest.raises(APIConnectionError, match="The client is closed"):
            world.use(blocking, awaiting, script, clock=Closing())
        assert len(script.requests) == 1

    def test_closed_between_the_check_and_the_sending(self, world: World) -> None:
        """As by another thread: httpx's RuntimeError is told as what it is."""

        def closing(client: Any) -> Any:
            def build(*arguments: Any, **keywords: Any) -> Any:
                return httpx.Request(arguments[0], arguments[1], content=keywords["content"])

            def send(*arguments: Any, **keywords: Any) -> Any:
                client._pool.closed = True
                raise RuntimeError("Cannot send a request, as the client has been closed.")

            http = client._pool.get()
            http.build_request = http.prepare = build
            http.send = http.deliver = send
            return client.completions.create(**ARGUMENTS)

        with pytest.raises(APIConnectionError, match="The client is closed") as caught:
            world.use(closing, closing, Script([completion_reply()]))
        assert str(caught.value.__cause__).startswith("Cannot send a request")

    @pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
    def test_forgetting_it_runs_nothing(self, cls: Any) -> None:
        """No `__del__` anywhere in its classes, and no warning."""
        for base in cls.__mro__:
            assert "__del__" not in vars(base)
        client = cls(api_key=KEY)
        client._pool.get()
        del client
        gc.collect()


SETTINGS: dict[str, Any] = {
    "api_key": KEY,
    "base_url": "http://host",
    "timeout": 7.0,
    "default_headers": {"X-Team": "blue"},
    "middleware": [Tagging()],
}


@pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
class TestDuplicates:
    @pytest.mark.parametrize(
        "duplicate", [copy.copy, copy.deepcopy, lambda client: pickle.loads(pickle.dumps(client))]
    )
    @pytest.mark.parametrize("used", [False, True])
    def test_a_client_survives_copy_and_pickle(self, cls: Any, duplicate: Any, used: bool) -> None:
        client = cls(**SETTINGS)
        if used:
            client.completions, client.with_raw_response, client._pool.get(), client._clock
        twin = duplicate(client)
        assert type(twin) is cls
        options, expected = vars(twin)["_options"], vars(client)["_options"]
        assert (options.api_key, options.base_url, options.timeout) == (
            expected.api_key,
            expected.base_url,
            expected.timeout,
        )
        assert options.default_headers == expected.default_headers
        assert [type(entry) for entry in twin.middleware] == [Tagging]
        assert twin.completions._client is twin
        assert twin.completions is not client.completions

    def test_a_copy_shares_the_connections_and_a_pickle_does_not(self, cls: Any) -> None:
        client = cls(**SETTINGS)
        assert copy.copy(client)._pool is copy.deepcopy(client)._pool is client._pool
        assert pickle.loads(pickle.dumps(client))._pool is not client._pool

    def test_a_client_with_an_httpx_client_of_its_own_is_not_pickled(self, cls: Any) -> None:
        """And says so; copies share it."""
        http = httpx.Client() if cls is Anthropic else httpx.AsyncClient()
        client = cls(api_key=KEY, http_client=http)
        with pytest.raises(TypeError, match="a client with an http_client of its own cannot be pickled"):
            pickle.dumps(client)
        assert copy.deepcopy(client)._pool.get() is copy.copy(client)._pool.get() is http


def test_an_unpickled_client_works() -> None:
    with StandIn().serve() as url:
        client = pickle.loads(pickle.dumps(Anthropic(api_key=KEY, base_url=url)))
        with client:
            assert client.completions.create(**ARGUMENTS).completion == " Hello! My name is Claude."


def test_twenty_threads_share_a_client() -> None:
    """Each gets the answers to its own questions; there is one pool, whoever comes first."""
    threads, calls = 20, 5
    answers: dict[int, list[str]] = {}
    failures: list[Exception] = []
    start = threading.Barrier(threads)
    pools: set[int] = set()

    def work(number: int) -> None:
        try:
            start.wait(20)
            own = client if number % 2 else client.with_options(max_retries=1)
            answers[number] = [
                own.completions.create(
                    model="m", max_tokens_to_sample=99, prompt=f"\n\nHuman: {number} {call}\n\nAssistant:"
                ).completion
                for call in range(calls)
            ]
            pools.add(id(own._pool.get()))
        except Exception as error:
            failures.append(error)

    with StandIn().serve() as url, Anthropic(api_key=KEY, base_url=url) as client:
        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
    assert failures == []
    assert len(pools) == 1
    for number, texts in answers.items():
        assert len(texts) == calls
        assert all(f" {number} {call}" in text for call, text in enumerate(texts))


def test_a_fork_opens_connections_of_its_own() -> None:
    """The child's call goes over a new one; the parent goes on with its own."""
    program = """
import os, sys
from anthropic_completions import Anthropic
client = Anthropic(api_key="k", base_url=sys.argv[1], max_retries=0)
def ask():
    return client.completions.create(model="m", max_tokens_to_sample=1, prompt="p").completion
ask()
child = os.fork()
if child == 0:
    ask()
    client.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
ask()
assert not client.is_closed()
client.close()
"""
    with RawServer([REPLY]) as server:
        done = subprocess.run([sys.executable, "-c", program, server.url], capture_output=True, text=True)
        assert done.stderr == ""
        assert server.all_closed()
        assert (server.requests, server.accepted) == (3, 2)


# The connections of a loop that has ended cannot be closed.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_client_works_in_one_event_loop_after_another(backend: str) -> None:
    """As in scripts that call `asyncio.run` twice; what is left of the first loop is no hindrance."""
    with RawServer([REPLY]) as server:
        clients = [AsyncAnthropic(api_key=KEY, base_url=server.url, max_retries=0)]

        async def ask() -> str:
            completion = await clients[0].completions.create(**ARGUMENTS)
            return completion.completion

        for _ in range(3):
            assert anyio.run(ask, backend=backend) == " Hello! My name is Claude."
        anyio.run(clients[0].close, backend=backend)
        clients.clear()
        gc.collect()
