"""Script the stand-in's next replies: texts, errors, delays, faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._contract.generated import statuses
from ...prompts import HUMAN_PROMPT
from .replies import CHUNKS, THINKING_DELTAS, Drop, Reply, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .replies import Exchange, Step

_CHUNKS = tuple(f"event: {name}".encode() for name in CHUNKS)
_THINKING = tuple(f'"type":"{name}"'.encode() for name in THINKING_DELTAS)


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
    text: str, *, stop_reason: str = "stop_sequence", stop: str | None = None, **fields: object
) -> Scripted:
    r"""Answer with a completion of this text, streamed if the request asks for a stream.

    `/v1/messages` answers with the message that says the same: without the space in front, unless it
    continues a prefill, and with `end_turn` for the end at `\n\nHuman:`.

    Args:
        text: The text, sent as it is, whatever limits and stop sequences the request has.
        stop_reason: `stop_sequence` or `max_tokens`; of a message also its own, such as `refusal`.
        stop: The stop sequence that was met; otherwise `\n\nHuman:`, and none for `max_tokens`.
        **fields: Other fields of the completion, such as `model`.
    """
    if stop is None and stop_reason == "stop_sequence":
        stop = HUMAN_PROMPT
    return Scripted(
        f"completion({text!r})", lambda exchange: exchange.answer(text, stop_reason, stop, **fields)
    )


def refusal(category: str | None = None, explanation: str | None = None, *, text: str = "") -> Scripted:
    """Answer on `/v1/messages` that the model refuses: status 200 with the stop reason `refusal`.

    Args:
        category: Why, such as `cyber`, `bio`, `reasoning_extraction` or `general_harms`; None where none is
            told.
        explanation: The reason in words, for people.
        text: What of an answer had come before; empty where it was refused at once.
    """
    details = {"type": "refusal", "category": category, "explanation": explanation}
    return Scripted(
        f"refusal({category!r})",
        lambda exchange: exchange.answer(text, "refusal", None, stop_details=details),
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
        return exchange.stream((*_first(exchange.text(), after_chunks), exchange.error_event(kind, words)))

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
        chunks: How many chunks come, 0 or more; the last one is that with the stop reason.
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
        after_chunks: How many chunks of a stream come before. Where that is 0, or no stream was
            asked for, the silence comes before anything is answered.
        ping_every: The seconds between pings inside the silence; None for no pings.
        text: The text to answer with; otherwise the one that the prompt gives.
    """

    def make(exchange: Exchange) -> Reply:
        reply = exchange.text(text)
        if not after_chunks or not exchange.streams:
            return Reply(reply.status, reply.headers, reply.body, (Wait(seconds), *reply.before))
        start = _first(reply, after_chunks)
        return _with_body(
            reply, (*start, *_silence(seconds, ping_every, exchange.ping), *reply.body[len(start) :])
        )

    return Scripted(f"stall({seconds:g})", make)


def truncate(*, chunks: int | None = None, size: int | None = None, text: str | None = None) -> Scripted:
    """End the body too early, but cleanly, so that only its content shows that something is missing.

    Args:
        chunks: How many chunks of a stream come.
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
    ends = [at for at, step in enumerate(reply.body, 1) if isinstance(step, bytes) and _is_chunk(step)]
    return reply.body[: ([0, *ends])[min(chunks, len(ends))]]


def _is_chunk(step: bytes) -> bool:
    return step.startswith(_CHUNKS) and not any(kind in step for kind in _THINKING)


def _silence(seconds: float, ping_every: float | None, ping: bytes) -> Iterable[Step]:
    while ping_every is not None and seconds > ping_every:
        yield Wait(ping_every)
        yield ping
        seconds -= ping_every
    yield Wait(seconds)
