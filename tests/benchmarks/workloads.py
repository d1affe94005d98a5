"""One client's part in one metric, in a process of its own: workloads.py CLIENT URL METRIC

CLIENT is `anthropic_completions`, the same with `:aiohttp` or `:rust` for what it sends with, `anthropic`,
`httpx`, `aiohttp` or `pyreqwest`. Prints a line when it is ready, and for each line that it is given one with
a sample: JSON of the seconds per operation, of CPU (`cpu`) and of the clock (`wall`), or of `bytes`, by
metric. CPU time decides, as the server and the machine's other work are not the client's.
"""

import asyncio
import gc
import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import mean
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


class Taken(NamedTuple):
    """Memory."""

    bytes: float


# By metric.
Sample = dict[str, Spent | Taken]
# Gets a client ready and returns what takes a sample.
Prepare = Callable[[str, str], Callable[[], Sample]]


def now() -> Spent:
    return Spent(process_time(), perf_counter())


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


def importing(name: str, url: str) -> Callable[[], Sample]:
    return lambda: {"import": spent(lambda: importlib.import_module(name))}


def first_reply(name: str, url: str) -> Callable[[], Sample]:
    def first() -> None:
        user = load(name)
        user.call(user.client(f"{url}/plain"), f"{url}/plain")

    return lambda: {"first reply": spent(first)}


def memory(name: str, url: str) -> Callable[[], Sample]:
    def sample() -> Sample:
        user = load(name)
        client = user.client(f"{url}/plain")
        user.call(client, f"{url}/plain")
        return {"memory": Taken(resident())}

    return sample


def repeated(
    metric: str, method: str, path: str, *, times: int = 1, per: int, asynchronous: bool = False
) -> Prepare:
    """Have a client do something some times, one after the other, and take what it took, divided by `per`."""

    def prepare(name: str, url: str) -> Callable[[], Sample]:
        user, target = load(name), f"{url}/{path}"
        do = getattr(user, method)
        if asynchronous:
            runner = asyncio.Runner()

            async def made() -> Any:
                return user.async_client(target)

            client = runner.run(made())

            async def all_awaited() -> None:
                for _ in range(times):
                    await do(client, target)

            def all_done() -> None:
                runner.run(all_awaited())

        else:
            client = user.client(target)

            def all_done() -> None:
                for _ in range(times):
                    do(client, target)

        all_done()
        all_done()
        return lambda: {metric: spent(all_done, per)}

    return prepare


def concurrent(metric: str, method: str, path: str, count: int, *, memory: bool = False) -> Prepare:
    """Have a client do something many times at once."""

    def prepare(name: str, url: str) -> Callable[[], Sample]:
        user, target = load(name), f"{url}/{path}"
        runner = asyncio.Runner()

        async def made() -> Any:
            client = user.async_client(target)
            await getattr(user, method)(client, target)
            return client

        client = runner.run(made())

        async def all_at_once() -> None:
            await asyncio.gather(*(getattr(user, method)(client, target) for _ in range(count)))

        def sample() -> Sample:
            before = resident()
            took = spent(lambda: runner.run(all_at_once()), count)
            return {metric: Taken((resident() - before) / count) if memory else took}

        return sample

    return prepare


SIZES = {f"event of 10^{power}": 10**power for power in range(2, 6)}


def growth(name: str, url: str) -> Callable[[], Sample]:
    """Take the time per event of streams of different lengths, one after the other.

    The call itself does not count: what a stream with two events takes is taken off. They come in two HTTP
    chunks, as the last event of each stream comes in one of its own.
    """
    user = load(name)
    runner = asyncio.Runner() if name.endswith("aiohttp") else None  # which awaits only

    async def made(target: str) -> Any:
        return user.async_client(target)

    targets = {events: f"{url}/large-{events}" for events in (2, *SIZES.values())}
    clients = {
        events: runner.run(made(target)) if runner else user.client(target)
        for events, target in targets.items()
    }

    def stream(events: int) -> int:
        if runner:
            return runner.run(user.async_stream(clients[events], targets[events]))
        return user.stream(clients[events], targets[events])

    def of(events: int, streams: int) -> Spent:
        return spent(lambda: [stream(events) for _ in range(streams)], streams)

    for events in targets:
        of(events, 2)

    def per_event(events: int) -> Spent:
        streams = max(1, 10_000 // events // 2)
        return of(events, streams).without(of(2, max(25, streams))).share(events - 2)

    *short, (longest, most) = SIZES.items()

    def sample() -> Sample:
        found: dict[str, list[Spent]] = {metric: [] for metric in SIZES}
        for part in range(4):
            for metric, events in short:
                found[metric].append(per_event(events))
            if part == 1:
                found[longest].append(per_event(most))
        return {metric: Spent(*map(mean, zip(*parts, strict=True))) for metric, parts in found.items()}

    return sample


METRICS: dict[str, Prepare] = {
    "import": importing,
    "first reply": first_reply,
    "memory": memory,
    "plain call": repeated("plain call", "call", "plain", times=40, per=40),
    "async call": repeated("async call", "async_call", "plain", times=40, per=40, asynchronous=True),
    "event alone": repeated("event alone", "stream", "alone-1000", per=1000),
    "event in large reads": repeated("event in large reads", "stream", "large-3000", per=3000),
    "async event alone": repeated(
        "async event alone", "async_stream", "alone-1000", per=1000, asynchronous=True
    ),
    "async event in large reads": repeated(
        "async event in large reads", "async_stream", "large-3000", per=3000, asynchronous=True
    ),
    "500 concurrent calls, each": concurrent("500 concurrent calls, each", "async_call", "plain", 500),
    "500 concurrent calls, memory each": concurrent(
        "500 concurrent calls, memory each", "async_call", "plain", 500, memory=True
    ),
    "200 concurrent streams, each": concurrent(
        "200 concurrent streams, each", "async_stream", "large-200", 200
    ),
    "200 concurrent streams, memory each": concurrent(
        "200 concurrent streams, memory each", "async_stream", "large-200", 200, memory=True
    ),
    **dict.fromkeys(SIZES, growth),
}


def main() -> None:
    client, url, metric = sys.argv[1:]
    sample = METRICS[metric](client, url)
    print("ready", flush=True)
    for _ in sys.stdin:
        found = sample()
        print(json.dumps({metric: value._asdict() for metric, value in found.items()}), flush=True)
    os._exit(0)  # clients are left open: their complaints are of no interest


if __name__ == "__main__":
    main()
