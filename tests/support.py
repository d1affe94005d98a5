"""What tests share: the worlds in which a client runs, and scripted replies."""

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

from anthropic_completions import Anthropic, AsyncAnthropic
from anthropic_completions._http.clients import AsyncDirectClient, DirectClient
from anthropic_completions.types import Completion

PROMPT = "\n\nHuman: Hello, world!\n\nAssistant:"
ARGUMENTS: dict[str, Any] = {"model": "claude-2.1", "max_tokens_to_sample": 256, "prompt": PROMPT}
KEY = "sk-ant-a-secret-key"


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in pieces; a piece that is an exception is raised. Notes whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Script:
    """A transport that answers requests in turn with scripted replies, and notes them.

    A reply is an `httpx.Response`, an exception to raise, or a function of the request. The last one stays.
    """

    replies: list[Any]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        # As it is sent: the client takes the credentials out of its own afterwards.
        sent = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        sent.read()
        self.requests.append(sent)
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, httpx.Response)
        return reply

    @property
    def bodies(self) -> list[Any]:
        """The JSON of the requests' bodies."""
        return [json.loads(request.content) for request in self.requests]


class FakeClock:
    """Time that passes only while something sleeps; notes the waits."""

    def __init__(self, *, random: float = 0.0) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        self.chance = random

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    def random(self) -> float:
        return self.chance

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


@dataclass
class Streamed:
    """What came of reading a stream to its end."""

    chunks: list[Completion]
    error: Exception | None
    final: Completion

    @property
    def texts(self) -> list[str]:
        return [chunk.completion for chunk in self.chunks]


class World:
    """One of the ways to run a client, so that a test is written once for all of them."""

    def __init__(self, backend: str | None, *, lent: bool = False) -> None:
        self.backend = backend  # None for the blocking client
        self.lent = lent  # whether it sends with an httpx client of the user's

    def http(self, **options: Any) -> Any:
        """Return what a client sends with: as it makes it itself, or an httpx client of the user's."""
        if self.backend is None:
            return httpx.Client(**options) if self.lent else DirectClient(**options)
        return AsyncDirectClient(**options)

    @property
    def has_pool(self) -> bool:
        """Whether it sends by httpcore's pool, also where the suite runs over another transport."""
        if self.backend is None:
            return self.lent or issubclass(DirectClient.transports(), httpx.HTTPTransport)
        return issubclass(AsyncDirectClient.transports(), httpx.AsyncHTTPTransport)

    def use(
        self,
        blocking: Callable[[Anthropic], Any],
        awaiting: Callable[[AsyncAnthropic], Any],
        reply: Any = None,
        **options: Any,
    ) -> Any:
        """Run a function with a client of its world and close the client.

        Args:
            blocking: What to do with `Anthropic`.
            awaiting: The same with `AsyncAnthropic`.
            reply: A `Script` or other handler of requests; None for a client with its own transport.
            **options: Arguments of the client; `clock` is put in place of the real one.
        """
        clock = options.pop("clock", None)
        options = {"api_key": KEY, **options}
        if self.backend is None:
            if reply is not None:
                options["http_client"] = self.http(transport=httpx.MockTransport(reply))
            with Anthropic(**options) as client:
                if clock:
                    client.__dict__["_clock"] = clock
                return blocking(client)

        async def run() -> Any:
            if reply is not None:
                options["http_client"] = self.http(transport=httpx.MockTransport(reply))
            async with AsyncAnthropic(**options) as client:
                if clock:
                    client.__dict__["_clock"] = clock
                return await awaiting(client)

        return anyio.run(run, backend=self.backend)

    def create(self, reply: Any = None, options: dict[str, Any] | None = None, **arguments: Any) -> Any:
        """Call `create` with the usual arguments, changed by `arguments`."""
        arguments = {**ARGUMENTS, **arguments}
        return self.use(
            lambda client: client.completions.create(**arguments),
            lambda client: client.completions.create(**arguments),
            reply,
            **(options or {}),
        )

    def stream(
        self,
        reply: Any = None,
        options: dict[str, Any] | None = None,
        *,
        after_each: Callable[[], object] = lambda: None,
        **arguments: Any,
    ) -> Streamed:
        """Call `create(stream=True)` and read to the end; an error while reading is part of the result."""
        arguments = {**ARGUMENTS, **arguments, "stream": True}
        chunks: list[Completion] = []

        def blocking(client: Anthropic) -> Streamed:
            stream = client.completions.create(**arguments)
            error = None
            try:
                for chunk in stream:
                    chunks.append(chunk)
                    after_each()
            except Exception as caught:
                error = caught
            return Streamed(chunks, error, stream.completion_so_far)

        async def awaiting(client: AsyncAnthropic) -> Streamed:
            stream = await client.completions.create(**arguments)
            error = None
            try:
                async for chunk in stream:
                    chunks.append(chunk)
                    after_each()
            except Exception as caught:
                error = caught
            return Streamed(chunks, error, stream.completion_so_far)

        result: Streamed = self.use(blocking, awaiting, reply, **(options or {}))
        return result


WORLDS = {
    "sync": World(None),
    "asyncio": World("asyncio"),
    "lent": World(None, lent=True),
    "trio": World("trio"),
}
# Over another transport (tests/transport.py), where it has them; a lent client has its own.
if transport := os.environ.get("TRANSPORT"):
    WORLDS = {name: WORLDS[name] for name in {"aiohttp": ["asyncio"], "rust": ["sync", "asyncio"]}[transport]}


def completion_reply(**changes: Any) -> httpx.Response:
    """Return a reply with a completion; a field that is changed to `...` is left out."""
    fields = {
        "type": "completion",
        "id": "compl_018CKm6gsux7P8yMcwZbeCPw",
        "completion": " Hello! My name is Claude.",
        "stop_reason": "stop_sequence",
        "model": "claude-2.1",
        "stop": "\n\nHuman:",
        "log_id": "compl_018CKm6gsux7P8yMcwZbeCPw",
        **changes,
    }
    fields = {name: value for name, value in fields.items() if value is not ...}
    return httpx.Response(200, json=fields, headers={"request-id": "req_1"})


def error_reply(status: int, kind: str = "api_error", message: str = "No.", **headers: str) -> httpx.Response:
    """Return a reply with the API's error shape; underscores in header names stand for hyphens."""
    body = {"type": "error", "error": {"type": kind, "message": message}}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers={"request-id": "req_1", **names})


def event(name: str | None, data: Any, end: str = "\r\n") -> bytes:
    """Return one server-sent event; data that is no string is turned into JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    lines = ([f"event: {name}"] if name else []) + [f"data: {text}", ""]
    return "".join(line + end for line in lines).encode()


def chunk(text: str, stop_reason: str | None = None, **fields: Any) -> bytes:
    """Return a completion event; a field that is `...` is left out."""
    data = {"type": "completion", "id": "compl_1", "completion": text, "stop_reason": stop_reason}
    data |= {"model": "claude-2.1", **fields}
    return event("completion", {name: value for name, value in data.items() if value is not ...})


PING = event("ping", '{"type": "ping"}')


def stream_reply(*pieces: bytes | Exception, **headers: str) -> httpx.Response:
    """Return a reply with a stream in pieces."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(
        200,
        headers={"content-type": "text/event-stream; charset=utf-8", "request-id": "req_1", **names},
        stream=Body(*pieces),
    )
