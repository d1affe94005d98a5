"""Answer a caller from the upstream, plain or streamed, until the caller leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
import httpx

from .._client.clients import AsyncAnthropic
from .._client.responses import AsyncAPIResponse
from .._client.routing import model_asked_for
from .._errors import AnthropicError, APIConnectionError
from .._http.clients import AsyncDirectClient, ready
from .._http.pool import Pool
from .._options import NOT_GIVEN
from .._stream.serving import Fault, ping_event
from ..messages import translate
from ..messages._learning import support_of
from ._replies import (
    NEWLINE,
    Answer,
    chunk_event,
    completion_body,
    error_answer,
    error_chunk,
    fault_answer,
    passed_on,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from anyio.streams.memory import MemoryObjectSendStream
    from starlette.types import Receive, Send

    from .._contract.completion import Completion
    from .._stream.streams import AsyncStream
    from ..types.completion_create_params import CompletionCreateParams
    from ._settings import Settings
    from ._watching import Told

T = TypeVar("T")

# Of a caller's headers; all others are the connection's, or the gateway's own to say.
_PASSED_ON = ("x-api-key", "authorization", "anthropic-beta", "anthropic-version", "anthropic-workspace-id")
_CREDENTIALS = ("x-api-key", "authorization")
EVENTS = "text/event-stream"
LOSSES_HEADER = "anthropic-completions-losses"
# Events of a stream that are made before its client takes them.
_AHEAD = 16
# Shorter than servers keep a connection that nothing goes over (5 s those of Node.js and uvicorn), by more
# than a busy machine is late: a request that meets one that is just closed fails, and is not sent twice.
_IDLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Asking:
    """What a caller asks.

    Attributes:
        fields: The request's body, which the contract takes.
        headers: The request's headers, names in lower case.
    """

    fields: CompletionCreateParams
    headers: Mapping[str, str]


class Gateway:
    """The client of the upstream, whose connections all callers share.

    Attributes:
        settings: The gateway's settings.
    """

    def __init__(self, settings: Settings, http_client: httpx.AsyncClient | None) -> None:
        self.settings = settings
        self._client = AsyncAnthropic(
            api_key="none",
            base_url=settings.upstream,
            backend="messages",
            model_map=settings.model_map,
            on_loss="error" if settings.on_loss == "error" else "drop",
            prefill=settings.prefill,
            thinking_room=settings.thinking_room,
            max_retries=settings.max_retries,
            timeout=settings.timeout,
            model_warnings=False,
            http_client=http_client,
        )
        if http_client is None:
            self._client._pool = Pool(None, self._connections)
        # Nothing of the gateway's own environment is sent for a caller.
        self._client._set(api_key=settings.api_key, auth_token=None, default_headers={})

    def _connections(self) -> httpx.AsyncClient:
        """Make what asks the upstream, with a connection for each request that there may be."""
        most = self.settings.max_concurrency
        # The pool closes what is above `max_keepalive_connections` also while all the others are in use.
        limits = httpx.Limits(
            max_connections=most, max_keepalive_connections=most, keepalive_expiry=_IDLE_SECONDS
        )
        return ready(AsyncDirectClient(limits=limits))

    def client_for(self, asking: Asking) -> AsyncAnthropic:
        """Return a client that asks in a caller's name; it lasts as long as the request."""
        given = asking.headers
        names = [name for name in _PASSED_ON if name in given]
        if self.settings.api_key is not None:
            names = [name for name in names if name not in _CREDENTIALS]
        through = self.settings.is_passed_through(asking.fields["model"])
        return self._client.copy(
            default_headers={name: given[name] for name in names},
            backend="completions" if through else NOT_GIVEN,
            model_map=None if through else NOT_GIVEN,
        )

    def losses(self, client: AsyncAnthropic, asking: Asking) -> tuple[str, ...]:
        """Return the rules of what Messages cannot say of a request, as far as is known by now."""
        options = client._options
        if options.backend != "messages":
            return ()
        model = model_asked_for(options, asking.fields["model"])
        done = translate(
            {**asking.fields, "model": model},
            prefill=options.prefill,
            thinking_room=options.thinking_room,
            support=support_of(options, model),
        )
        return tuple(dict.fromkeys(loss.rule for loss in done.losses))

    async def close(self) -> None:
        """Close the connections to the upstream."""
        await self._client.close()


async def answer_plain(gateway: Gateway, asking: Asking, receive: Receive, told: Told) -> Answer | None:
    """Return the answer to a request for a whole completion; None where the caller left."""

    async def ask() -> Answer:
        client = gateway.client_for(asking)
        try:
            reply = await client._complete(dict(asking.fields), AsyncAPIResponse)
            try:
                completion = cast("Completion", await reply.parse())
            finally:
                await reply.close()
        except (AnthropicError, TypeError, ValueError) as error:
            return error_answer(error, asking.fields["model"])
        told.answered = completion.model
        headers = {**passed_on(reply.headers), **_losses(gateway, client, asking, told)}
        return Answer(200, completion_body(completion).encode(), headers, "complete")

    return await _while_there(receive, ask)


async def answer_streamed(gateway: Gateway, asking: Asking, receive: Receive, send: Send, told: Told) -> None:
    """Answer a request for a stream."""

    async def ask() -> None:
        client = gateway.client_for(asking)
        try:
            reply = await client._complete(dict(asking.fields), AsyncAPIResponse)
            stream = cast("AsyncStream[Completion]", await reply.parse())
        except (AnthropicError, TypeError, ValueError) as error:
            await send_answer(error_answer(error, asking.fields["model"]), send, told)
            return
        async with stream:
            kind = reply.headers.get("content-type", EVENTS)
            if not kind.lower().startswith(EVENTS):
                text = f"The upstream's answer is not usable: expected {EVENTS}, got {kind}"
                answer = fault_answer(Fault(502, "api_error", text), passed_on(reply.headers))
                await send_answer(replace(answer, outcome="error"), send, told)
                return
            told.status, told.outcome = 200, "left"
            headers = {
                "content-type": f"{EVENTS}; charset=utf-8",
                "cache-control": "no-cache",
                **passed_on(reply.headers),
                **_losses(gateway, client, asking, told),
            }
            told.request_id = headers.get("request-id")
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 200, "headers": raw})
            await _send_events(stream, send, told, gateway.settings.ping_seconds)

    await _while_there(receive, ask)


async def send_answer(answer: Answer, send: Send, told: Told) -> None:
    """Send an answer that is no stream, and note it."""
    told.status, told.outcome = answer.status, answer.outcome
    told.request_id = answer.headers.get("request-id", told.request_id)
    headers = {"content-type": "application/json", **answer.headers, "content-length": str(len(answer.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_events(stream: AsyncStream[Completion], send: Send, told: Told, ping_seconds: float) -> None:
    into, events = anyio.create_memory_object_stream[bytes](_AHEAD)
    async with anyio.create_task_group() as group, events:
        group.start_soon(_read, stream, into, told)
        while True:
            event = ping_event(NEWLINE)
            with anyio.move_on_after(ping_seconds):
                try:
                    event = await events.receive()
                except anyio.EndOfStream:
                    break
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _read(stream: AsyncStream[Completion], into: MemoryObjectSendStream[bytes], told: Told) -> None:
    """Turn the upstream's chunks into events; what goes wrong becomes the last of them."""
    async with into:
        outcome = "complete"
        try:
            async for chunk in stream:
                told.answered = told.answered or chunk.to_dict().get("model")
                await into.send(chunk_event(chunk))
        except AnthropicError as error:
            outcome = "broken" if isinstance(error, APIConnectionError) else "error"
            await into.send(error_chunk(error))
        told.outcome = outcome


def _losses(gateway: Gateway, client: AsyncAnthropic, asking: Asking, told: Told) -> dict[str, str]:
    told.losses = gateway.losses(client, asking)
    shown = told.losses and gateway.settings.on_loss == "warn"
    return {LOSSES_HEADER: ", ".join(told.losses)} if shown else {}


async def _while_there(receive: Receive, work: Callable[[], Awaitable[T]]) -> T | None:
    """Do something until it is done or the caller leaves, which ends it at once and returns None."""
    done: list[T] = []
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(watch)
        done.append(await work())
        group.cancel_scope.cancel()
    return done[0] if done else None
