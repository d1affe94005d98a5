"""Pace many calls: send none while the service's rate limits say to wait."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._errors import APITimeoutError
from .._http.retry import retry_after
from ..rate_limits import RateLimits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from .._client.clients import Anthropic, AsyncAnthropic
    from .._client.middleware import APIRequest
    from .._client.responses import ReplyBase
    from .._http.call import Clock

    C = TypeVar("C", Anthropic, AsyncAnthropic)
    R = TypeVar("R", bound=ReplyBase[object])


class Pace:
    """When the next attempt may be sent.

    Args:
        clock: Time.
        cap: The most seconds to wait at once; None for no limit.
    """

    def __init__(self, clock: Clock, cap: float | None) -> None:
        self._clock = clock
        self._cap = cap
        self._open_at = 0.0

    def wait(self) -> float:
        """Return the seconds to wait before sending."""
        return max(0.0, self._open_at - self._clock.monotonic())

    def noted(self, reply: R) -> R:
        """Note what the headers of a reply ask for, and return the reply."""
        headers, now = dict(reply.headers), self._clock.wall()
        limits = RateLimits.from_headers(headers)
        longest = retry_after(headers, now=now) or 0.0
        for limit in (limits.requests, limits.tokens, limits.input_tokens, limits.output_tokens):
            if limit is not None and limit.remaining == 0 and limit.reset is not None:
                longest = max(longest, limit.reset.timestamp() - now)
        if self._cap is not None:
            longest = min(longest, self._cap)
        if longest > 0:
            self._open_at = max(self._open_at, self._clock.monotonic() + longest)
        return reply


def paced(client: C) -> tuple[C, Pace]:
    """Return a client whose attempts wait while the service's limits say so, and its pace."""
    clock = client._clock
    pace = Pace(clock, client._options.max_retry_after)

    def middleware(request: APIRequest, call_next: Callable[[APIRequest], R]) -> R:
        ends_at = _end(request, clock)
        while seconds := pace.wait():
            _check(request, clock.monotonic() + seconds, ends_at)
            clock.sleep(seconds)
        return pace.noted(call_next(request))

    async def async_middleware(request: APIRequest, call_next: Callable[[APIRequest], Awaitable[R]]) -> R:
        import anyio

        sleep: Callable[[float], Awaitable[None]] = clock.sleep_async or anyio.sleep
        ends_at = _end(request, clock)
        while seconds := pace.wait():
            _check(request, clock.monotonic() + seconds, ends_at)
            await sleep(seconds)
        return pace.noted(await call_next(request))

    new = client.with_middleware(async_middleware if client._asynchronous else middleware)
    new.__dict__.setdefault("_clock", clock)
    return new, pace


def _end(request: APIRequest, clock: Clock) -> float:
    """Return the time of an attempt's deadline."""
    return math.inf if request.remaining is None else clock.monotonic() + request.remaining


def _check(request: APIRequest, opens_at: float, ends_at: float) -> None:
    """Check that a wait for the service's limits ends before the call's deadline.

    Raises:
        APITimeoutError: It does not.
    """
    if opens_at >= ends_at:
        import httpx

        message = "The deadline would pass before the service's limits let the call be sent."
        late = APITimeoutError(httpx.Request(request.method, request.url), message=message)
        late._final = True
        raise late
