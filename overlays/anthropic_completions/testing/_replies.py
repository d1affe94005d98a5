"""What is answered, step by step, and the replies that a test can put in line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .._constants import HUMAN_PROMPT
from .._wire import statuses
from ..models import lifecycle
from ._text import completion_of, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_EVENT = b"event: completion"
_PING = b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n'


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
        request: The request's body, which the contract allows; empty for a request that it does not allow.
        number: Its number, from which ids are made.
        headers: The headers that every reply to it has.
        style: How replies are sent.
    """

    request: Mapping[str, Any]
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
            return self.completion(text, "stop_sequence", HUMAN_PROMPT)
        return self.completion(*completion_of(self.request))

    def completion(self, text: str, stop_reason: str, stop: str | None, **more: Any) -> Reply:
        """Return the reply with a completion, in the recorded order of fields."""
        fields: dict[str, Any] = {
            "type": "completion",
            "id": f"compl_{self.number:024}",
            "completion": text,
            "stop_reason": stop_reason,
            "model": lifecycle(self.request["model"]).snapshot,
            "stop": stop,
            "log_id": f"compl_{self.number:024}",
            **more,
        }
        if self.streams:
            return self.stream(self._events(fields))
        before = (Wait(self.style.delay),) if self.style.delay else ()
        headers = {"content-type": "application/json", **self.headers}
        return Reply(200, headers, (to_json(fields),), before)

    def stream(self, steps: Iterable[Step]) -> Reply:
        """Return the reply with a stream of these steps."""
        content = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        return Reply(200, {**content, **self.headers}, tuple(steps))

    def error(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Return the reply with an error. The edge, which answers 413, uses a shorter form."""
        error: dict[str, Any] = {"error": {"type": kind, "message": message}}
        if status == 413:
            return Reply(status, {"content-type": "application/json", **(headers or {})}, (to_json(error),))
        error = {"type": "error", **error, "request_id": self.headers["request-id"]}
        content = {"content-type": "application/json"}
        if status in (400, 401):
            content["x-should-retry"] = "false"
        return Reply(status, {**content, **self.headers, **(headers or {})}, (to_json(error),))

    def _events(self, fields: Mapping[str, Any]) -> Iterable[Step]:
        """Yield the events of a stream in the recorded form: CRLF, padding in the JSON, pings."""
        silent = {"completion": "", "stop_reason": None, "stop": None}
        texts = pieces(fields["completion"], self.style.chunk_size)
        for index, text in enumerate(texts):
            yield from self._chunk({**fields, **silent, "completion": text}, index)
            if self.style.pings_after(index + 1):
                yield _PING
        yield from self._chunk({**fields, "completion": ""}, len(texts))

    def _chunk(self, fields: Mapping[str, Any], index: int) -> Iterable[Step]:
        if self.style.delay:
            yield Wait(self.style.delay)
        yield event("completion", fields, padding=index * 7 % 16 if self.style.padding else 0)


def event(name: str, data: Mapping[str, Any], *, padding: int = 0) -> bytes:
    """Return a server-sent event, with spaces before the closing brace of its JSON."""
    padded = to_json(data)[:-1] + b" " * padding + b"}"
    return b"event: %b\r\ndata: %b\r\n\r\n" % (name.encode(), padded)


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


# Replies to put in line


@dataclass(frozen=True, slots=True)
class Scripted:
    """A reply to put in line with `StandIn.queue`; made by the functions below.

    Attributes:
        name: What it is, for people.
        make: Makes the reply to a request.
    """

    name: str
    make: Callable[[Exchange], Reply]

    def __repr__(self) -> str:
        return f"<{self.name}>"


def completion(
    text: str, *, stop_reason: str = "stop_sequence", stop: str | None = None, **fields: Any
) -> Scripted:
    r"""Answer with a completion of this text, streamed if the request asks for a stream.

    Args:
        text: The text, sent as it is, whatever limits and stop sequences the request has.
        stop_reason: `stop_sequence` or `max_tokens`.
        stop: The stop sequence that was met; otherwise `\n\nHuman:`, and none for `max_tokens`.
        **fields: Other fields of the completion, such as `model`.
    """
    if stop is None and stop_reason == "stop_sequence":
        stop = HUMAN_PROMPT
    return Scripted(
        f"completion({text!r})", lambda exchange: exchange.completion(text, stop_reason, stop, **fields)
    )


def error(
    status: int,
    type: str | None = None,
    message: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    after_chunks: int | None = None,
) -> Scripted:
    """Answer with an error.

    Args:
        status: The HTTP status, 400 to 599.
        type: The kind of error in the API's terms; otherwise the one that the status stands for.
        message: What happened, for people.
        headers: Further headers.
        after_chunks: Where a stream was asked for: how many chunks come before the error, which is then an
            event inside the stream, under status 200.
    """
    if not 400 <= status <= 599:
        raise ValueError(f"status: expected an error's status, 400 to 599, got {status}")
    kind = type or _kind(status)
    words = message or kind.removesuffix("_error").replace("_", " ").capitalize()

    def make(exchange: Exchange) -> Reply:
        if after_chunks is None or not exchange.streams:
            return exchange.error(status, kind, words, headers)
        failure = event("error", {"type": "error", "error": {"type": kind, "message": words}})
        return exchange.stream((*_first(exchange.text(), after_chunks), failure))

    return Scripted(f"error({status}, {kind!r})", make)


def overloaded(*, after_chunks: int | None = None) -> Scripted:
    """Answer that the service is overloaded: status 529, or an event inside a stream; see `error`."""
    return error(529, "overloaded_error", "Overloaded", after_chunks=after_chunks)


def rate_limited(retry_after: float | None = None) -> Scripted:
    """Answer that there were too many requests: status 429.

    Args:
        retry_after: The seconds after which to try again, told in `retry-after`; None for no such header.
    """
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    return error(429, "rate_limit_error", "Rate limited", headers=headers)


def drop() -> Scripted:
    """Break the connection before anything is answered."""
    return Scripted("drop()", lambda exchange: Reply(200, {}, (), (Drop(),)))


def drop_after(chunks: int, *, text: str | None = None) -> Scripted:
    """Break the connection after some chunks of a stream, or in the middle of a reply that is no stream.

    Args:
        chunks: How many completion events come, 0 or more.
        text: The text to answer with; otherwise the one that the prompt gives.
    """
    if chunks < 0:
        raise ValueError(f"chunks: expected 0 or more, got {chunks}")

    def make(exchange: Exchange) -> Reply:
        reply = exchange.text(text)
        return _with_body(reply, (*_first(reply, chunks), Drop()))

    return Scripted(f"drop_after({chunks})", make)


def stall(
    seconds: float, *, after_chunks: int = 0, ping_every: float | None = None, text: str | None = None
) -> Scripted:
    """Fall silent for a while, then go on.

    Args:
        seconds: How long.
        after_chunks: How many completion events of a stream come before. Where that is 0, or no stream was
            asked for, the silence comes before anything is answered.
        ping_every: The seconds between pings inside the silence; None for no pings.
        text: The text to answer with; otherwise the one that the prompt gives.
    """

    def make(exchange: Exchange) -> Reply:
        reply = exchange.text(text)
        if not after_chunks or not exchange.streams:
            return Reply(reply.status, reply.headers, reply.body, (Wait(seconds), *reply.before))
        start = _first(reply, after_chunks)
        return _with_body(reply, (*start, *_silence(seconds, ping_every), *reply.body[len(start) :]))

    return Scripted(f"stall({seconds:g})", make)


def truncate(*, chunks: int | None = None, size: int | None = None, text: str | None = None) -> Scripted:
    """End the body too early, but cleanly, so that only its content shows that something is missing.

    Args:
        chunks: How many completion events of a stream come.
        size: How many bytes of the body come. Without both it is half of them.
        text: The text to answer with; otherwise the one that the prompt gives.
    """

    def make(exchange: Exchange) -> Reply:
        reply = exchange.text(text)
        if chunks is not None and exchange.streams:
            return _with_body(reply, _first(reply, chunks))
        body = b"".join(step for step in reply.body if isinstance(step, bytes))
        return _with_body(reply, (body[: len(body) // 2 if size is None else size],))

    return Scripted("truncate()", make)


def raw(*body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Scripted:
    """Answer with these bytes.

    Args:
        *body: The body, in the pieces in which it is sent.
        status: The HTTP status, 200 to 599.
        headers: All headers; otherwise those of a completion or, where one was asked for, of a stream.
    """

    def make(exchange: Exchange) -> Reply:
        return Reply(status, exchange.text().headers if headers is None else headers, body)

    return Scripted(f"raw(status={status})", make)


def _kind(status: int) -> str:
    kinds = {number: kind for kind, number in statuses().items()}
    return kinds.get(status) or ("api_error" if status >= 500 else "invalid_request_error")


def _with_body(reply: Reply, body: tuple[Step, ...]) -> Reply:
    return Reply(reply.status, reply.headers, body, reply.before)


def _first(reply: Reply, chunks: int) -> tuple[Step, ...]:
    """Return the steps up to a number of completion events; half of a body that is no stream."""
    if "event-stream" not in reply.headers["content-type"]:
        return tuple(step[: len(step) // 2] for step in reply.body if isinstance(step, bytes))
    ends = [
        at for at, step in enumerate(reply.body, 1) if isinstance(step, bytes) and step.startswith(_EVENT)
    ]
    return reply.body[: ([0, *ends])[min(chunks, len(ends))]]


def _silence(seconds: float, ping_every: float | None) -> Iterable[Step]:
    while ping_every is not None and seconds > ping_every:
        yield Wait(ping_every)
        yield _PING
        seconds -= ping_every
    yield Wait(seconds)
