"""The stand-in: requests in, replies out."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._http.call import Clock
from ...models import lifecycle
from .._clients import async_client, sync_client
from .._clock import FakeClock
from .batches import PATH as BATCHES
from .batches import Batches
from .dialects import Completions
from .limits import RateLimiter
from .messages.endpoint import Messages
from .replies import Exchange, Reply, Style
from .requests import Received, fault_of
from .server import serve
from .transport import StandInTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager

    from ..._client.clients import Anthropic, AsyncAnthropic
    from .dialects import Dialect
    from .scripts import Scripted

MESSAGES = "/v1/messages"
_OPTIONS = {"api_key": "stand-in", "base_url": "http://stand-in"}


class StandIn:
    """Answers as the service does on the wire, with text made up from the prompt.

    Every request is checked against the contract and the rules for prompts. One that breaks them is answered
    with the error that the service gives, whatever replies are in line. The API reference's example gets the
    reference's reply, any other prompt its last question said back.

    It also speaks the part of `/v1/messages` that completions have a counterpart in: text, thinking, and what
    models refuse. The same transcript gets the same text there, without the space in front.

    In process no time passes: delays, and the waits of `client()` between attempts, move `clock` and return
    at once. Served on a port, delays are real.

    Args:
        chunk_size: Characters of text in each chunk of a stream; None for a word.
        delay: Seconds before each chunk of a stream, and before any other completion.
        ping_every: After how many chunks a stream pings, 0 for never; None for once, after the first chunk.
        padding: Whether the JSON in streams holds spaces before its last brace, as the service's does.
        api_key: The key, or token, that requests must have; None for any.
        max_body_bytes: The most bytes of a request; beyond them the answer is 413.
        requests_per_minute: How many requests are answered in a minute; further ones get 429 with
            `retry-after`. None for no limit.
        models: The models that there are; others get 404. None for any.
        messages_only: The models that only `/v1/messages` serves, and that `/v1/complete` refuses. Which
            those are at the service is unknown; here there are none unless they are named.
        today: Whether to answer as the service does by now: models that are retired, or that the contract
            does not list, get 404, and all others are served by `/v1/messages` only.
        thinking_tokens: How many tokens models think for on `/v1/messages`, where they think; they count in
            `max_tokens`.
        like: Further names of models, and whose rules hold for them on `/v1/messages`, such as
            `{"claude-next": "claude-haiku-5-5"}`. A model that neither this nor the contract lists takes all.
        reword: Changes the message of each refusal of `/v1/messages`, as gateways do.
        batch_seconds: How long a batch of `/v1/messages/batches` is processed, by the clock; what is not done
            within a day expires. Each request of a batch gets a reply in line, or what `respond` says, as if
            it had come by itself to `/v1/messages`; a broken connection stands for one that expired.
        respond: Asked for the reply where none is in line; it may return None for the usual one. Where a
            request about batches is answered with less than 400, what it asks for has happened all the same,
            so that `drop()` loses the reply only.
        clock: Time, with the methods of `FakeClock`; also when served. Otherwise a `FakeClock` in process,
            and the machine's time when served.
        keep: How many of the latest requests `received` holds; None for all.

    Attributes:
        received: The requests so far, in the order in which they came.
        queued: The replies in line.
        clock: Time in process.
    """

    def __init__(
        self,
        *,
        chunk_size: int | None = None,
        delay: float = 0.0,
        ping_every: int | None = None,
        padding: bool = True,
        api_key: str | None = None,
        max_body_bytes: int = 32 * 1024 * 1024,
        requests_per_minute: int | None = None,
        models: Collection[str] | None = None,
        messages_only: Collection[str] = (),
        today: bool = False,
        thinking_tokens: int = 50,
        batch_seconds: float = 0.0,
        like: Mapping[str, str] | None = None,
        reword: Callable[[str], str] | None = None,
        respond: Callable[[Received], Scripted | None] | None = None,
        clock: Any = None,
        keep: int | None = None,
    ) -> None:
        for name, value, least in (
            ("chunk_size", chunk_size, 1),
            ("delay", delay, 0),
            ("ping_every", ping_every, 0),
            ("max_body_bytes", max_body_bytes, 0),
            ("requests_per_minute", requests_per_minute, 1),
            ("thinking_tokens", thinking_tokens, 0),
            ("batch_seconds", batch_seconds, 0),
            ("keep", keep, 0),
        ):
            if value is not None and not least <= value < math.inf:
                raise ValueError(f"{name}: expected {least} or more, got {value}")
        self.received: list[Received] = []
        self.queued: deque[Scripted] = deque()
        self.clock = clock or FakeClock()
        self._given_clock = clock
        self._style = Style(chunk_size, delay, ping_every, padding)
        self._api_key = api_key
        self._max_body_bytes = max_body_bytes
        self._models = models
        self._today = today
        self._like = {**(like or {})}
        self._completions = Completions(None if today else messages_only)
        messages = Messages(thinking_tokens=thinking_tokens, like=self._like, reword=reword)
        self._dialects: dict[str, Dialect] = {one.path: one for one in (self._completions, messages)}
        self._batches = Batches(
            seconds=batch_seconds,
            api_key=api_key,
            most_bytes=max_body_bytes,
            script=self._script,
            respond=lambda received: None if self._respond is None else self._respond(received),
        )
        self._limiter = RateLimiter(requests_per_minute)
        self._respond = respond
        self._keep = keep
        self._count = 0
        self._lock = threading.Lock()

    def queue(self, *replies: Scripted) -> None:
        """Put replies in line; each is given to one request that is not refused, in order."""
        self.queued.extend(replies)

    def handle(self, received: Received, *, now: float | None = None) -> Reply:
        """Note a request and return the reply to it.

        Args:
            received: The request.
            now: Seconds since the epoch; otherwise what `clock` says.
        """
        time = float(self.clock.wall() if now is None else now)
        if received.path == BATCHES or received.path.startswith(f"{BATCHES}/"):
            return self._of_batches(received, time)
        dialect = self._dialects.get(received.path, self._completions)
        fault = fault_of(
            received,
            dialect,
            api_key=self._api_key,
            max_body_bytes=self._max_body_bytes,
            is_there=self._is_there,
        )
        request = {} if fault else received.json()
        words = 0 if fault else len(dialect.as_completion(request)["prompt"].split())
        with self._lock:
            ids = self._noted(received)
            limits, wait = self._limiter.take(time, words)
            scripted = self.queued.popleft() if self.queued and not fault and wait is None else None
            exchange = Exchange(dialect, request, self._count, {**ids, **limits}, self._style)
        if fault:
            allow = {"allow": "POST"} if fault.status == 405 else None
            return exchange.error(fault.status, fault.type, fault.message, allow)
        if wait is not None:
            message = "This request would exceed the limit on requests per minute"
            return exchange.error(429, "rate_limit_error", message, {"retry-after": str(wait)})
        if scripted is None and self._respond is not None:
            scripted = self._respond(received)
        return exchange.text() if scripted is None else scripted.make(exchange)

    def _noted(self, received: Received) -> dict[str, str]:
        """Note a request, and return the headers that name its exchange."""
        self._count += 1
        self.received.append(received)
        if self._keep is not None:
            del self.received[: -self._keep or len(self.received)]
        return {
            "request-id": f"req_{self._count:024}",
            "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        }

    def _of_batches(self, received: Received, now: float) -> Reply:
        messages = self._dialects[MESSAGES]
        with self._lock:
            exchange = Exchange(messages, {}, self._count + 1, self._noted(received), self._style)

            def ask(request: Received, scripted: Scripted | None) -> Reply:
                fault = fault_of(
                    request,
                    messages,
                    api_key=None,
                    max_body_bytes=self._max_body_bytes,
                    is_there=self._is_there,
                )
                asked = replace(exchange, request={} if fault else request.json())
                if fault:
                    return asked.error(fault.status, fault.type, fault.message)
                return asked.text() if scripted is None else scripted.make(asked)

            return self._batches.reply(received, now, exchange, ask)

    def _script(self, received: Received) -> Scripted | None:
        """Return what is to be answered to a request of a batch."""
        if self.queued:
            return self.queued.popleft()
        return None if self._respond is None else self._respond(received)

    def _is_there(self, model: str) -> bool:
        if self._models is not None and model not in self._models:
            return False
        return not self._today or lifecycle(self._like.get(model, model)).status in ("active", "deprecated")

    def transport(self) -> StandInTransport:
        """Return a transport for `httpx.Client` or `httpx.AsyncClient`."""
        return StandInTransport(self.handle, self.clock)

    def client(self, **options: object) -> Anthropic:
        """Return a client of this stand-in; the options are those of `Anthropic`."""
        return sync_client(self.transport(), self.clock, {**_OPTIONS, **options})

    def async_client(self, **options: object) -> AsyncAnthropic:
        """Return a client of this stand-in; the options are those of `AsyncAnthropic`."""
        return async_client(self.transport(), self.clock, {**_OPTIONS, **options})

    def serve(self, *, port: int = 0) -> AbstractContextManager[str]:
        """Serve on a loopback port while the context lasts; the context's value is the URL.

        Args:
            port: The port, or 0 for any that is free.

        Raises:
            ImportError: The extra `server` is not installed.
            OSError: The port is taken.
        """
        clock = self._given_clock or Clock()
        return serve(
            lambda received: self.handle(received, now=clock.wall()),
            clock,
            port=port,
            max_body_bytes=self._max_body_bytes,
        )
