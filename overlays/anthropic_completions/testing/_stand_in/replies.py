"""Make replies of the stand-in, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..._stream.serving import compact_json, error_body, error_event, ping_event
from ..._stream.sse import encode_event
from ...prompts import HUMAN_PROMPT
from .dialects import Answer
from .text import completion_of, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .dialects import Dialect

# Events that hold a piece of the text, or end it; but not those deltas that belong to thinking.
CHUNKS = ("completion", "content_block_delta", "message_delta")
THINKING_DELTAS = ("signature_delta", "thinking_delta")


@dataclass(frozen=True, slots=True)
class Wait:
    """A step: nothing is sent for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """A step, and the last one: the connection breaks."""


Step: TypeAlias = "bytes | Wait | Drop"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered.

    Attributes:
        status: The HTTP status.
        headers: The headers.
        body: The body, in the pieces in which it is sent, and what happens between them.
        before: What happens before anything is sent.
    """

    status: int
    headers: Mapping[str, str]
    body: tuple[Step, ...]
    before: tuple[Wait | Drop, ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How replies are sent; see the arguments of `StandIn`."""

    chunk_size: int | None = None
    delay: float = 0.0
    ping_every: int | None = None
    padding: bool = True

    def pings_after(self, chunks: int) -> bool:
        """Whether a ping follows this number of chunks."""
        if self.ping_every is None:
            return chunks == 1
        return self.ping_every > 0 and chunks % self.ping_every == 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what is needed to answer it.

    Attributes:
        dialect: How its endpoint speaks.
        request: The request's body, which the endpoint takes; empty for a request that is refused.
        number: Its number, from which ids are made.
        headers: The headers that every reply to it has.
        style: How replies are sent.
    """

    dialect: Dialect
    request: Mapping[str, object]
    number: int
    headers: Mapping[str, str]
    style: Style

    @property
    def streams(self) -> bool:
        """Whether a stream was asked for."""
        return bool(self.request.get("stream"))

    def text(self, text: str | None = None) -> Reply:
        """Return the reply with a text, or with the text that the prompt gives."""
        if text is not None:
            return self.answer(text, "stop_sequence", HUMAN_PROMPT)
        return self.answer(*completion_of(self.dialect.as_completion(self.request)))

    def answer(self, text: str, stop_reason: str, stop: str | None, **more: object) -> Reply:
        """Return the reply with an answer, in the terms of completions whatever the dialect."""
        answer = Answer(self.number, text, stop_reason, stop, more)
        reply = self.dialect.reply(self.request, answer)
        if self.streams:
            return self.stream(self._events(reply))
        before = (Wait(self.style.delay),) if self.style.delay else ()
        headers = {"content-type": "application/json", **self.headers}
        return Reply(200, headers, (compact_json(reply).encode(),), before)

    def stream(self, steps: Iterable[Step]) -> Reply:
        """Return the reply with a stream of these steps."""
        content = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        return Reply(200, {**content, **self.headers}, tuple(steps))

    def error(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Return the reply with an error. The edge, which answers 413, uses a shorter form."""
        if status == 413:
            body = error_body(kind, message, None, by_edge=True).encode()
            return Reply(status, {"content-type": "application/json", **(headers or {})}, (body,))
        content = {"content-type": "application/json"}
        if status in (400, 401):
            content["x-should-retry"] = "false"
        body = error_body(kind, message, self.headers["request-id"]).encode()
        return Reply(status, {**content, **self.headers, **(headers or {})}, (body,))

    def error_event(self, kind: str, message: str) -> bytes:
        """Return the event that tells of an error inside a stream."""
        return error_event(kind, message, self.dialect.newline)

    @property
    def ping(self) -> bytes:
        """The event that only shows that the connection lives."""
        return ping_event(self.dialect.newline)

    def _events(self, reply: Mapping[str, object]) -> Iterable[Step]:
        """Yield the events of a stream in the recorded form: padding in the JSON, pings between."""
        chunks = 0
        for name, data in self.dialect.events(reply, lambda text: pieces(text, self.style.chunk_size)):
            padding = 0
            delta = data.get("delta")
            kind = delta.get("type") if isinstance(delta, dict) else None
            if name in CHUNKS and kind not in THINKING_DELTAS:
                if chunks and self.style.pings_after(chunks):
                    yield self.ping
                if self.style.delay:
                    yield Wait(self.style.delay)
                padding = chunks * 7 % 16 if self.style.padding else 0
                chunks += 1
            padded = f"{compact_json(data)[:-1]}{' ' * padding}}}"
            yield encode_event(name, padded, newline=self.dialect.newline)
