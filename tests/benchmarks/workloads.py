"""One measurement of one client, in a process of its own: workloads.py CLIENT METRIC URL

CLIENT is `anthropic_completions`, the same with `:aiohttp` or `:rust` for what it sends with, `anthropic`,
`httpx`, `aiohttp` or `pyreqwest`. Prints the result as JSON: the seconds per operation, of CPU and of the
clock, or bytes. CPU time decides, as the server and the machine's other work are not the client's.
"""

import asyncio
import gc
import importlib
import json
import resource
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

ARGUMENTS = {
    "model": "claude-2.1",
    "max_tokens_to_sample": 256,
    "prompt": "\n\nHuman: Hello, world!\n\nAssistant:",
}
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}


class Package:
    """The old package and this one: the same program, but for the import."""

    def __init__(self, name: str, sender: str = "") -> None:
        self.package = importlib.import_module(name)
        self.sender = sender

    def client(self, url: str) -> Any:
        http = self.package.DefaultRustHttpClient() if self.sender == "rust" else None
        return self.package.Anthropic(api_key="key", base_url=url, http_client=http)

    def async_client(self, url: str) -> Any:
        kinds = {"aiohttp": "DefaultAioHttpClient", "rust": "DefaultAsyncRustHttpClient"}
        http = getattr(self.package, kinds[self.sender])() if self.sender else None
        return self.package.AsyncAnthropic(api_key="key", base_url=url, http_client=http)

    def call(self, client: Any, url: str) -> str:
        return client.completions.create(**ARGUMENTS).completion

    async def async_call(self, client: Any, url: str) -> str:
        return (await client.completions.create(**ARGUMENTS)).completion

    def stream(self, client: Any, url: str) -> int:
        length = 0
        for chunk in client.completions.create(**ARGUMENTS, stream=True):
            length += len(chunk.completion)
        return length

    async def async_stream(self, client: Any, url: str) -> int:
        length = 0
        async for chunk in await client.completions.create(**ARGUMENTS, stream=True):
            length += len(chunk.completion)
        return length


class Raw:
    """httpx and parsing by hand: no checks, no retries, no errors."""

    def __init__(self, name: str) -> None:
        self.httpx = importlib.import_module(name)
        self.limits = self.httpx.Limits(max_connections=1000, max_keepalive_connections=100)

    def client(self, url: str) -> Any:
        return self.httpx.Client(headers=HEADERS, limits=self.limits, timeout=600)

    def async_client(self, url: str) -> Any:
        return self.httpx.AsyncClient(headers=HEADERS, limits=self.limits, timeout=600)

    def call(self, client: Any, url: str) -> str:
        return client.post(f"{url}/v1/complete", json=ARGUMENTS).json()["completion"]

    async def async_call(self, client: Any, url: str) -> str:
        return (await client.post(f"{url}/v1/complete", json=ARGUMENTS)).json()["completion"]

    def stream(self, client: Any, url: str) -> int:
        length, rest = 0, b""
        with client.stream("POST", f"{url}/v1/complete", json={**ARGUMENTS, "stream": True}) as response:
            for piece in response.iter_bytes():
                *blocks, rest = (rest + piece).split(b"\r\n\r\n")
                for block in blocks:
                    length += len(json.loads(block[block.index(b"data:") + 5 :])["completion"])
        return length

    async def async_stream(self, client: Any, url: str) -> int:
        length, rest = 0, b""
        async with client.stream(
            "POST", f"{url}/v1/complete", json={**ARGUMENTS, "stream": True}
        ) as response:
            async for piece in response.aiter_bytes():
                *blocks, rest = (rest + piece).split(b"\r\n\r\n")
                for block in blocks:
                    length += len(json.loads(block[block.index(b"data:") + 5 :])["completion"])
        return length


class RawAiohttp:
    """aiohttp and parsing by hand."""

    def __init__(self) -> None:
        self.aiohttp = importlib.import_module("aiohttp")

    def async_client(self, url: str) -> Any:
        connector = self.aiohttp.TCPConnector(limit=1000)
        return self.aiohttp.ClientSession(headers=HEADERS, connector=connector)

    async def async_call(self, client: Any, url: str) -> str:
        async with client.post(f"{url}/v1/complete", json=ARGUMENTS) as response:
            return json.loads(await response.read())["completion"]

    async def async_stream(self, client: Any, url: str) -> int:
        length, rest = 0, b""
        async with client.post(f"{url}/v1/complete", json={**ARGUMENTS, "stream": True}) as response:
            async for piece in response.content.iter_any():
                *blocks, rest = (rest + piece).split(b"\r\n\r\n")
                for block in blocks:
                    length += len(json.loads(block[block.index(b"data:") + 5 :])["completion"])
        return length


class RawRust:
    """pyreqwest and parsing by hand."""

    def __init__(self) -> None:
        self.module = importlib.import_module("pyreqwest.client")

    def client(self, url: str) -> Any:
        return self.module.SyncClientBuilder().http1_only().default_headers(HEADERS).build()

    def async_client(self, url: str) -> Any:
        return self.module.ClientBuilder().http1_only().default_headers(HEADERS).build()

    def _request(self, client: Any, url: str, **more: Any) -> Any:
        body = json.dumps({**ARGUMENTS, **more}).encode()
        return client.post(f"{url}/v1/complete").header("content-type", "application/json").body_bytes(body)

    def call(self, client: Any, url: str) -> str:
        return json.loads(bytes(self._request(client, url).build().send().bytes()))["completion"]

    async def async_call(self, client: Any, url: str) -> str:
        response = await self._request(client, url).build().send()
        return json.loads(bytes(await response.bytes()))["completion"]

    def stream(self, client: Any, url: str) -> int:
        length, rest = 0, b""
        with self._request(client, url, stream=True).build_streamed() as response:
            while (piece := response.body_reader.read_chunk()) is not None:
                *blocks, rest = (rest + bytes(piece)).split(b"\r\n\r\n")
                for block in blocks:
                    length += len(json.loads(block[block.index(b"data:") + 5 :])["completion"])
        return length

    async def async_stream(self, client: Any, url: str) -> int:
        length, rest = 0, b""
        async with self._request(client, url, stream=True).build_streamed() as response:
            while (piece := await response.body_reader.read_chunk()) is not None:
                *blocks, rest = (rest + bytes(piece)).split(b"\r\n\r\n")
                for block in blocks:
                    length += len(json.loads(block[block.index(b"data:") + 5 :])["completion"])
        return length


def load(name: str) -> Any:
    package, _, sender = name.partition(":")
    raw: dict[str, Callable[[], Any]] = {
        "httpx": lambda: Raw(name),
        "aiohttp": RawAiohttp,
        "pyreqwest": RawRust,
    }
    return raw[package]() if package in raw else Package(package, sender)


class Spent(NamedTuple):
    """Seconds."""

    cpu: float
    wall: float

    def share(self, per: float) -> "Spent":
        return Spent(self.cpu / per, self.wall / per)

    def without(self, other: "Spent") -> "Spent":
        return Spent(self.cpu - other.cpu, self.wall - other.wall)


def now() -> Spent:
    return Spent(process_time(), perf_counter())


def median(samples: list[Spent]) -> Spent:
    return Spent(*(statistics.median(values) for values in zip(*samples, strict=True)))


def spent(function: Callable[[], Any], per: int = 1) -> Spent:
    """Return what a function takes, divided by a count."""
    gc.collect()
    started = now()
    function()
    return now().without(started).share(per)


def resident() -> int:
    """Return the bytes of memory that the process holds."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmRSS:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_import(name: str, url: str) -> Spent:
    return spent(lambda: importlib.import_module(name))


def measure_first_reply(name: str, url: str) -> Spent:
    def first() -> None:
        user = load(name)
        user.call(user.client(f"{url}/plain"), f"{url}/plain")

    return spent(first)


def measure_memory(name: str, url: str) -> int:
    user = load(name)
    client = user.client(f"{url}/plain")
    user.call(client, f"{url}/plain")
    return resident()


def measure_plain(name: str, url: str, calls: int = 100) -> Spent:
    user, target = load(name), f"{url}/plain"
    client = user.client(target)
    for _ in range(100):
        user.call(client, target)
    return median([spent(lambda: [user.call(client, target) for _ in range(calls)], calls) for _ in range(5)])


def measure_async(name: str, url: str, calls: int = 100) -> Spent:
    async def run() -> Spent:
        user, target = load(name), f"{url}/plain"
        client = user.async_client(target)
        shares = []
        for _ in range(6):
            gc.collect()
            started = now()
            for _ in range(calls):
                await user.async_call(client, target)
            shares.append(now().without(started).share(calls))
        return median(shares[1:])

    return asyncio.run(run())


def stream_measure(
    kind: str, events: int, *, asynchronous: bool = False
) -> Callable[[str, str], Spent | float]:
    def measure(name: str, url: str) -> Spent:
        user, target = load(name), f"{url}/{kind}-{events}"
        if asynchronous:

            async def run() -> Spent:
                client = user.async_client(target)
                shares = []
                for _ in range(4):
                    gc.collect()
                    started = now()
                    await user.async_stream(client, target)
                    shares.append(now().without(started).share(events))
                return median(shares[1:])

            return asyncio.run(run())
        client = user.client(target)
        user.stream(client, target)
        return median([spent(lambda: user.stream(client, target), events) for _ in range(3)])

    return measure


def growth(events: int) -> Callable[[str, str], Spent | float]:
    """Measure the time per event without the call: that of a stream with one event is taken off."""

    def measure(name: str, url: str) -> Spent:
        user, short, long = load(name), f"{url}/large-1", f"{url}/large-{events}"
        stream: Callable[[Any, str], int] = getattr(user, "stream", None)
        make = user.client if hasattr(user, "client") else None
        if name.endswith("aiohttp"):  # which awaits only
            runner = asyncio.Runner()

            async def made(target: str) -> Any:
                return user.async_client(target)

            def make(target: str) -> Any:
                return runner.run(made(target))

            def stream(client: Any, target: str) -> int:
                return runner.run(user.async_stream(client, target))

        clients = {target: make(target) for target in (short, long)}

        def of(target: str, streams: int) -> Spent:
            return spent(lambda: [stream(clients[target], target) for _ in range(streams)], streams)

        streams = max(1, 10_000 // events)
        of(short, 50), of(long, 1)
        # 10^5 events are a mean already.
        samples = 1 if events > 10_000 else 3
        shares = [
            of(long, streams).without(of(short, max(50, streams))).share(events - 1) for _ in range(samples)
        ]
        return median(shares)

    return measure


def concurrent(method: str, path: str, count: int, result: str) -> Callable[[str, str], Spent | float]:
    def measure(name: str, url: str) -> Spent:
        async def run() -> Spent | float:
            user, target = load(name), f"{url}/{path}"
            client = user.async_client(target)
            await getattr(user, method)(client, target)
            before = resident()
            started = now()
            await asyncio.gather(*(getattr(user, method)(client, target) for _ in range(count)))
            took = now().without(started).share(count)
            return took if result == "time" else (resident() - before) / count

        return asyncio.run(run())

    return measure


METRICS: dict[str, Callable[[str, str], Spent | float]] = {
    "import": measure_import,
    "first reply": measure_first_reply,
    "memory": measure_memory,
    "plain call": measure_plain,
    "async call": measure_async,
    "event alone": stream_measure("alone", 5000),
    "event in large reads": stream_measure("large", 20000),
    "async event alone": stream_measure("alone", 5000, asynchronous=True),
    "async event in large reads": stream_measure("large", 20000, asynchronous=True),
    "500 concurrent calls, each": concurrent("async_call", "plain", 500, "time"),
    "500 concurrent calls, memory each": concurrent("async_call", "plain", 500, "memory"),
    "200 concurrent streams, each": concurrent("async_stream", "large-200", 200, "time"),
    "200 concurrent streams, memory each": concurrent("async_stream", "large-200", 200, "memory"),
    "event of 10^2": growth(100),
    "event of 10^3": growth(1_000),
    "event of 10^4": growth(10_000),
    "event of 10^5": growth(100_000),
}

if __name__ == "__main__":
    client_name, metric, base = sys.argv[1:]
    result = METRICS[metric](client_name, base)
    print(json.dumps(result._asdict() if isinstance(result, Spent) else {"bytes": result}))
