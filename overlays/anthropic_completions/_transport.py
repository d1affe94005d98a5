"""One call: attempts, redirects, waits, and the mapping of what httpx raises.

`exchange` decides everything and does nothing: it is a generator that yields steps, each a function and
its argument, and is sent their results. `run` and `run_async` are the shells that carry them out. What
differs between the two worlds is in the `Port` that names the functions.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from . import _retry
from ._errors import APIConnectionError, APIError, APIStatusError, APITimeoutError, RetryableError
from ._failures import (
    TRANSPORT_ERRORS,
    KeptBody,
    body_of,
    status_error,
    transport_failure,
    undecodable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
Step = tuple[Callable[[Any], Any], Any]
Steps = Generator[Step, Any, T]

MAX_REDIRECTS = 5
RETRY_COUNT_HEADER = "x-stainless-retry-count"
log = logging.getLogger("anthropic_completions")

# The request itself is at fault: another attempt would fail in the same way.
_FINAL_ERRORS = (
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.CookieConflict,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time and chance come from; tests put their own in place."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, ready to send.

    Attributes:
        deadline_at: The monotonic time at which the call ends, or None.
        stream: Whether the body is left unread.
        streamed: Whether the body is a stream of events.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    timeout: httpx.Timeout
    stream: bool
    streamed: bool
    max_retries: int
    max_retry_after: float | None
    deadline_at: float | None = None
    clock: Clock

    def remaining(self) -> float | None:
        """Return the seconds to the deadline, or None."""
        return None if self.deadline_at is None else self.deadline_at - self.clock.monotonic()


@dataclass(frozen=True, slots=True)
class Port:
    """How steps are done, in one of the two worlds."""

    build: Callable[..., httpx.Request]
    send: Callable[[httpx.Request], Any]
    read: Callable[[httpx.Response], Any]
    close: Callable[[httpx.Response], Any]
    sleep: Callable[[float], Any]
    closed: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A successful reply.

    Attributes:
        response: The reply; read, unless it was asked for as a stream.
        retries_taken: How many attempts had failed before.
    """

    response: httpx.Response
    retries_taken: int


def run(steps: Steps[T]) -> T:
    """Carry out steps, blocking."""
    try:
        function, argument = next(steps)
        while True:
            try:
                result = function(argument)
            except BaseException as error:  # noqa: BLE001 - the generator decides what becomes of it
                function, argument = steps.throw(error)
            else:
                function, argument = steps.send(result)
    except StopIteration as done:
        return cast(T, done.value)


async def run_async(steps: Steps[T]) -> T:
    """Carry out steps, awaiting each."""
    try:
        function, argument = next(steps)
        while True:
            try:
                result = await function(argument)
            except BaseException as error:  # noqa: BLE001 - the generator decides what becomes of it
                function, argument = steps.throw(error)
            else:
                function, argument = steps.send(result)
    except StopIteration as done:
        return cast(T, done.value)


def exchange(
    call: Call, port: Port, *, retries_taken: int = 0, failure: APIError | RetryableError | None = None
) -> Steps[Exchanged]:
    """Send a request until it succeeds or may not be tried again.

    Args:
        call: What to send.
        port: How steps are done.
        retries_taken: How many retries went before.
        failure: What the attempt before ended in; where given, it is decided upon first.

    Raises:
        APIError: The last attempt's failure.
    """
    while True:
        if failure is not None:
            wait = _wait(call, failure, retries_taken)
            if wait is None:
                raise failure
            log.info("Retrying %s %s in %.3f s after: %s", call.method, call.url, wait, failure)
            yield port.sleep, wait
            retries_taken += 1
        try:
            response = yield from _attempt(call, port, retries_taken)
        except (APIError, RetryableError) as error:
            failure = error
        else:
            return Exchanged(response, retries_taken)


def _wait(call: Call, failure: APIError | RetryableError, retries_taken: int) -> float | None:
    """Return the seconds to wait before the next attempt, or None where there shall be none."""
    wish = failure.retry_after if isinstance(failure, APIError) else None
    if retries_taken >= call.max_retries or not _may_retry(failure):
        return None
    if wish is not None and call.max_retry_after is not None and wish > call.max_retry_after:
        return None
    wait = wish if wish is not None else _retry.backoff(retries_taken, random=call.clock.random())
    remaining = call.remaining()
    return None if remaining is not None and wait >= remaining else wait


def _may_retry(failure: APIError | RetryableError) -> bool:
    if isinstance(failure, APIStatusError):
        return _retry.should_retry(failure.status_code, failure.response.headers)
    if isinstance(failure, APIConnectionError):
        return not isinstance(failure.__cause__, _FINAL_ERRORS)
    return isinstance(failure, RetryableError)


def _attempt(call: Call, port: Port, retries_taken: int) -> Steps[httpx.Response]:
    """Send a request once, following the redirects that may be followed."""
    headers = call.headers
    if not any(name.lower() == RETRY_COUNT_HEADER for name in headers):
        headers = {**headers, RETRY_COUNT_HEADER: str(retries_taken)}
    url = httpx.URL(call.url)
    redirects = 0
    while True:
        request = port.build(call.method, url, headers=headers, content=call.content, timeout=_timeout(call))
        _check_ready(call, port, request)
        started = call.clock.monotonic()
        opened: httpx.Response | None = None
        try:
            response: httpx.Response = yield port.send, request
            opened = response
            took = call.clock.monotonic() - started
            log.debug("%s %s: %s in %.3f s", call.method, url, response.status_code, took)
            if response.is_success:
                if not call.stream:
                    yield from _read(port, response)
                return response
            if not response.has_redirect_location:
                raise (yield from _status_failure(call, port, response))
            url = _allowed_target(request, response)
            if redirects == MAX_REDIRECTS:
                raise status_error(response, message=f"Stopped after {redirects} redirects, before {url}.")
        except BaseException as error:
            if opened is not None:
                yield port.close, opened
            if isinstance(error, TRANSPORT_ERRORS):
                raise transport_failure(error, request, opened) from error
            raise
        yield port.close, response
        redirects += 1


def _read(port: Port, response: httpx.Response) -> Steps[None]:
    """Read the body of a reply."""
    kept = KeptBody.of(response)
    try:
        yield port.read, response
    except httpx.DecodingError as error:
        raise undecodable(response, kept, error) from error


def _check_ready(call: Call, port: Port, request: httpx.Request) -> None:
    if port.closed():
        raise APIConnectionError(message="The client is closed.", request=request) from RuntimeError("closed")
    remaining = call.remaining()
    if remaining is not None and remaining <= 0:
        raise APITimeoutError(request, message="The deadline has passed.")


def _timeout(call: Call) -> httpx.Timeout:
    """Return the time limits of one attempt, none longer than what the deadline leaves."""
    remaining = call.remaining()
    if remaining is None:
        return call.timeout
    limits = {
        name: remaining if value is None else min(value, remaining)
        for name, value in call.timeout.as_dict().items()
    }
    return httpx.Timeout(**limits)


def _allowed_target(request: httpx.Request, response: httpx.Response) -> httpx.URL:
    """Return where a redirect leads.

    Raises:
        APIStatusError: It is not one to follow: credentials and prompt stay with the origin they were sent
            to, and only 307 and 308 keep the method and the body.
    """
    try:
        target = request.url.join(response.headers["location"])
    except httpx.InvalidURL:
        raise status_error(response, message="Refused a redirect to something that is no URL.") from None
    if (target.scheme, target.host, target.port) != (request.url.scheme, request.url.host, request.url.port):
        raise status_error(
            response, message=f"Refused a redirect to another origin, {target}; nothing was sent there."
        )
    if response.status_code not in (307, 308):
        raise status_error(
            response,
            message=f"Refused a redirect to {target}: it would turn the POST into a GET.",
        )
    return target


def _status_failure(call: Call, port: Port, response: httpx.Response) -> Steps[APIStatusError]:
    """Read an error reply and return the error that it stands for."""
    try:
        yield port.read, response
        body = body_of(response)
    except TRANSPORT_ERRORS as error:
        log.debug("The body of the error reply could not be read: %r", error)
        body = None
    failure = status_error(response, body)
    failure.retry_after = _retry.retry_after(response.headers, now=call.clock.wall())
    return failure


def sync_port(http: httpx.Client, clock: Clock, closed: Callable[[], bool]) -> Port:
    """Return the blocking way to do steps."""
    return Port(
        build=http.build_request,
        send=lambda request: http.send(request, stream=True, follow_redirects=False),
        read=lambda response: response.read(),
        close=lambda response: response.close(),
        sleep=clock.sleep,
        closed=closed,
    )


def async_port(http: httpx.AsyncClient, clock: Clock, closed: Callable[[], bool]) -> Port:
    """Return the awaiting way to do steps."""
    import anyio

    async def close(response: httpx.Response) -> None:
        # A task that is being cancelled still gives its connection back.
        with anyio.CancelScope(shield=True):
            await response.aclose()

    return Port(
        build=http.build_request,
        send=lambda request: http.send(request, stream=True, follow_redirects=False),
        read=lambda response: response.aread(),
        close=close,
        sleep=clock.sleep_async or anyio.sleep,
        closed=closed,
    )
