"""Answer in process: an httpx transport before the stand-in, which fails as a socket would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from .replies import Drop
from .requests import Received

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from .._clock import FakeClock
    from .replies import Reply, Step, Wait


class StandInTransport(httpx.MockTransport):
    """Gives requests to a function and plays the steps of its reply.

    Silence that is longer than the request's limit for reading raises `httpx.ReadTimeout`, a broken
    connection `httpx.RemoteProtocolError`.
    """

    def __init__(self, answer: Callable[[Received], Reply], clock: FakeClock) -> None:
        super().__init__(self._answer)
        self._reply_to = answer
        self._clock = clock

    def _answer(self, request: httpx.Request) -> httpx.Response:
        reply = self._reply_to(_received(request))
        for step in reply.before:
            seconds, failure = _outcome(step, request, _NO_REPLY)
            if seconds:
                self._clock.sleep(seconds)
            if failure:
                raise failure
        return self._response(reply, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        reply = self._reply_to(_received(request))
        for step in reply.before:
            seconds, failure = _outcome(step, request, _NO_REPLY)
            if seconds:
                await self._clock.sleep_async(seconds)
            if failure:
                raise failure
        return self._response(reply, request)

    def _response(self, reply: Reply, request: httpx.Request) -> httpx.Response:
        body = _Body(reply.body, request, self._clock)
        return httpx.Response(reply.status, headers=reply.headers, stream=body)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A reply's body, step by step."""

    def __init__(self, steps: tuple[Step, ...], request: httpx.Request, clock: FakeClock) -> None:
        self._steps = steps
        self._request = request
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
                continue
            seconds, failure = _outcome(step, self._request, _CUT_SHORT)
            if seconds:
                self._clock.sleep(seconds)
            if failure:
                raise failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if isinstance(step, bytes):
                yield step
                continue
            seconds, failure = _outcome(step, self._request, _CUT_SHORT)
            if seconds:
                await self._clock.sleep_async(seconds)
            if failure:
                raise failure


# What httpx says of a real socket.
_NO_REPLY = "Server disconnected without sending a response."
_CUT_SHORT = "peer closed connection without sending complete message body (incomplete chunked read)"


def _outcome(
    step: Wait | Drop, request: httpx.Request, dropped: str
) -> tuple[float, httpx.TransportError | None]:
    """Return how long to wait, and what to raise then."""
    if isinstance(step, Drop):
        return 0.0, httpx.RemoteProtocolError(dropped, request=request)
    limit = request.extensions.get("timeout", {}).get("read")
    if limit is not None and step.seconds > limit:
        return limit, httpx.ReadTimeout("timed out", request=request)
    return step.seconds, None


def _received(request: httpx.Request) -> Received:
    return Received(
        request.method,
        request.url.path,
        dict(request.headers),
        request.content,
        request.url.query.decode("ascii"),
    )
