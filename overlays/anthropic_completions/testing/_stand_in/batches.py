"""`/v1/messages/batches`: batches that are created, processed in time, cancelled, and give results."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import parse_qs

from ..._stream.serving import Fault, credential_fault, version_fault
from .replies import Drop, Reply
from .requests import Received

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..._contract.schema import JSONObject
    from .replies import Exchange
    from .scripts import Scripted

    Ask = Callable[[Received, "Scripted | None"], Reply]
    Script = Callable[[Received], "Scripted | None"]

PATH = "/v1/messages/batches"
_MOST_REQUESTS = 100_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DAY_SECONDS = 86_400
_RESULTS_DAYS = 29
_RESULTS_AT_ONCE = 64
_OUTCOMES = ("succeeded", "errored", "canceled", "expired")


class _Request(TypedDict):
    """A request of a batch."""

    custom_id: str
    params: JSONObject


@dataclass(slots=True)
class _Batch:
    """A batch.

    Attributes:
        scripted: What is answered to the requests in some places.
        cancelled_at: When it was cancelled; requests that were not done by then are cancelled.
    """

    id: str
    created_at: float
    seconds: float
    requests: list[_Request]
    scripted: dict[int, Scripted] = field(default_factory=dict)
    cancelled_at: float | None = None
    looked_at: bool = False

    def ended_at(self) -> float:
        """When it ends: as asked for, or when it is cancelled, or after a day."""
        end = self.created_at + min(self.seconds, _DAY_SECONDS)
        return end if self.cancelled_at is None else min(end, self.cancelled_at)

    def left_out(self, place: int) -> str | None:
        """Return what became of a request that was not done before the end."""
        if self.seconds <= 0:
            return None
        done = (self.ended_at() - self.created_at) / self.seconds
        if place < done * len(self.requests):
            return None
        return "expired" if self.cancelled_at is None else "canceled"


class Batches:
    """The batches of a stand-in.

    Args:
        seconds: How long one is processed; beyond a day the requests that are left expire.
        api_key: The key or token that is wanted; None for any.
        most_bytes: The most bytes of a body.
        scripts: Gives what is to be answered to a request for a message, or None.
        respond: Gives what is to be answered to a request about batches, or None.
    """

    def __init__(
        self,
        *,
        seconds: float,
        api_key: str | None,
        most_bytes: int,
        script: Script,
        respond: Script,
    ) -> None:
        self._seconds = seconds
        self._api_key = api_key
        self._most_bytes = most_bytes
        self._script = script
        self._respond = respond
        self._batches: dict[str, _Batch] = {}

    def reply(self, received: Received, now: float, exchange: Exchange, ask: Ask) -> Reply:
        """Return the reply to a request about batches.

        Args:
            received: The request.
            now: Seconds since the epoch.
            exchange: Its exchange.
            ask: Returns the reply to a request for a message.
        """
        fault = credential_fault(received.headers, self._api_key) or version_fault(received.headers)
        if fault is not None:
            return exchange.error(fault.status, fault.type, fault.message)
        scripted = self._respond(received)
        if scripted is not None and (planned := scripted.make(exchange)).status >= 400:
            return planned
        made = self._route(received, now, exchange, ask)
        if isinstance(made, Fault):
            return exchange.error(made.status, made.type, made.message)
        # A reply that was to get lost: what was asked for has happened.
        return made if scripted is None else scripted.make(exchange)

    def _route(self, received: Received, now: float, exchange: Exchange, ask: Ask) -> Reply | Fault:
        name, _, verb = received.path.removeprefix(PATH).removeprefix("/").partition("/")
        batch = self._batches.get(name)
        route = (received.method, bool(name), verb)
        if route == ("POST", False, ""):
            return self._create(received, now, exchange)
        if route == ("GET", False, ""):
            return _json(exchange, self._list(received.query, now))
        if not name or batch is None:
            return Fault.of("not_found_error", f"{received.method} {received.path}: not found")
        if route == ("GET", True, ""):
            return _json(exchange, self._told(batch, now))
        if route == ("POST", True, "cancel"):
            if batch.cancelled_at is None and now < batch.ended_at():
                batch.cancelled_at = now
                return _json(exchange, {**self._told(batch, now), "processing_status": "canceling"})
            return _json(exchange, self._told(batch, now))
        if route == ("GET", True, "results"):
            return self._results(batch, now, exchange, ask)
        return Fault(405, "invalid_request_error", f"{received.method}: method not allowed")

    def _create(self, received: Received, now: float, exchange: Exchange) -> Reply | Fault:
        if len(received.body) > self._most_bytes:
            return Fault.of("request_too_large", "Request exceeds the maximum size")
        try:
            requests = received.json()["requests"]
            names = [request["custom_id"] for request in requests]
            right = all(_CUSTOM_ID.fullmatch(name) for name in names) and all(
                isinstance(request["params"], dict) for request in requests
            )
        except (ValueError, KeyError, TypeError) as error:
            return Fault.invalid(f"requests: {error!r}")
        if not 0 < len(requests) <= _MOST_REQUESTS:
            return Fault.invalid(f"requests: expected 1 to {_MOST_REQUESTS}, got {len(requests)}")
        if not right or len(set(names)) < len(names):
            return Fault.invalid("requests: custom_id: must be unique and match ^[a-zA-Z0-9_-]{1,64}$")
        batch = _Batch(f"msgbatch_{exchange.number:024}", now, self._seconds, requests)
        for place, request in enumerate(requests):
            if (scripted := self._script(_asked(received, request))) is not None:
                batch.scripted[place] = scripted
        self._batches[batch.id] = batch
        return _json(exchange, self._told(batch, now))

    def _list(self, query: str, now: float) -> JSONObject:
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        names = [*reversed(self._batches)]
        if asked.get("after_id") in names:
            names = names[names.index(asked["after_id"]) + 1 :]
        limit = int(asked.get("limit", "20"))
        page = names[:limit]
        return {
            "data": [self._told(self._batches[name], now) for name in page],
            "has_more": len(names) > limit,
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }

    def _told(self, batch: _Batch, now: float) -> JSONObject:
        ended = now >= batch.ended_at()
        gone = now > batch.created_at + _RESULTS_DAYS * _DAY_SECONDS
        counts: dict[str, int] = dict.fromkeys(("processing", *_OUTCOMES), 0)
        if ended:
            for place in range(len(batch.requests)):
                counts[batch.left_out(place) or "succeeded"] += 1
        else:
            counts["processing"] = len(batch.requests)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": _time(batch.created_at),
            "expires_at": _time(batch.created_at + _DAY_SECONDS),
            "ended_at": _time(batch.ended_at()) if ended else None,
            "cancel_initiated_at": None if batch.cancelled_at is None else _time(batch.cancelled_at),
            "archived_at": _time(batch.created_at + _RESULTS_DAYS * _DAY_SECONDS) if gone else None,
            "results_url": f"https://api.anthropic.com{PATH}/{batch.id}/results"
            if ended and not gone
            else None,
        }

    def _results(self, batch: _Batch, now: float, exchange: Exchange, ask: Ask) -> Reply | Fault:
        told = self._told(batch, now)
        if told["results_url"] is None:
            return Fault.of("not_found_error", f"{batch.id}: there are no results")

        def lines() -> Iterator[bytes]:
            # In another order than that of the requests.
            places = [*range(1, len(batch.requests), 2), *range(0, len(batch.requests), 2)]
            for start in range(0, len(places), _RESULTS_AT_ONCE):
                yield b"".join(_line(batch, place, ask) for place in places[start : start + _RESULTS_AT_ONCE])

        headers = {"content-type": "application/binary", **exchange.headers}
        return Reply(200, headers, tuple(lines()))


def _line(batch: _Batch, place: int, ask: Ask) -> bytes:
    request = batch.requests[place]
    outcome = batch.left_out(place)
    if outcome is None:
        result = _result(ask(_asked(None, request), batch.scripted.get(place)))
    else:
        result = b'{"type":"%b"}' % outcome.encode()
    return b'{"custom_id":"%b","result":%b}\n' % (request["custom_id"].encode(), result)


def _result(reply: Reply) -> bytes:
    """Return the result that a reply to a request for a message would have in a batch, byte by byte."""
    if any(isinstance(step, Drop) for step in reply.before):
        return b'{"type":"expired"}'
    body = b"".join(step for step in reply.body if isinstance(step, bytes))
    if reply.status == 200:
        return b'{"type":"succeeded","message":%b}' % body
    return b'{"type":"errored","error":%b}' % body


def _asked(received: Received | None, request: _Request) -> Received:
    """Return a request of a batch as if it had come by itself."""
    headers = {"x-api-key": "batch", "anthropic-version": "2023-06-01", "content-type": "application/json"}
    if received is not None:
        headers = {**received.headers, **headers}
    return Received("POST", "/v1/messages", headers, json.dumps(request["params"]).encode())


def _json(exchange: Exchange, value: Mapping[str, object]) -> Reply:
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(200, {"content-type": "application/json", **exchange.headers}, (body,))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
