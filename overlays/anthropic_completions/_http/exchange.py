"""One call: attempts, redirects, waits, and the mapping of what httpx raises.

`exchange` decides everything and does nothing: it is a generator that yields steps, each a function and
its argument, and is sent their results. `run` and `run_async` are the shells that carry them out. What
differs between the two worlds is in the `Port` that names the functions.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import httpx

from .._errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    RetryableError,
)
from .._log import log, log_body, log_request, log_response
from . import retry as _retry
from .failures import (
    TRANSPORT_ERRORS,
    body_of,
    status_error,
    transport_failure,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._errors import BadRequestError
    from .._stream.reader import Reader

T = TypeVar("T")
Step = tuple[Callable[[Any], Any], Any]
Steps = Generator[Step, Any, T]

MAX_REDIRECTS = 5
_LATE = "The deadline has passed."
RETRY_COUNT_HEADER = "x-stainless-retry-count"
# The extension of a request with the number of retries before it, which middleware is told.
RETRIES_TAKEN = "anthropic_completions.retries_taken"

# The request itself is at fault, or the client is closed: another attempt would fail in the same way.
_FINAL_ERRORS = (
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.CookieConflict,
    UnicodeError,
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


def raise_it(error: Exception) -> NoReturn:
    """Raise an error."""
    raise error


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, ready to send.

    Attributes:
        stream: Whether the body is left unread.
        streamed: Whether the body is a stream of events.
        deadline_at: The monotonic time at which the call ends, or None.
        counts_retries: Whether the header with the number of retries is sent.
        reader: What reads the replies.
        after: Returns the call to make where this one is answered with status 400, or raises the error.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None = field(repr=False)
    timeout: httpx.Timeout
    stream: bool
    streamed: bool
    max_retries: int
    max_retry_after: float | None
    deadline_at: float | None = None
    counts_retries: bool = True
    clock: Clock
    reader: Reader
    after: Callable[[BadRequestError], Call] = raise_it

    def remaining(self) -> float | None:
        """Return the seconds to the deadline, or None."""
        return None if self.deadline_at is None else self.deadline_at - self.clock.monotonic()

    def is_late(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.deadline_at is not None and self.clock.monotonic() >= self.deadline_at


@dataclass(frozen=True, slots=True)
class Port:
    """How steps are done, in one of the two worlds."""

    build: Callable[..., httpx.Request]
    send: Callable[[httpx.Request], Any]
    read: Callable[..., Any]
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
            reason = type(failure).__name__
            log.info("Retrying %s %s in %.3f s after %s", call.method, call.url.path, wait, reason)
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
    if call.counts_retries:
        headers = {**headers, RETRY_COUNT_HEADER: str(retries_taken)}
    url = call.url
    for redirects in range(MAX_REDIRECTS + 1):
        request = port.build(
            call.method,
            url,
            headers=headers,
            content=call.content,
            timeout=_timeout(call),
            extensions={RETRIES_TAKEN: retries_taken},
        )
        _check_ready(call, port, request)
        log_request(request)
        started = call.clock.monotonic()
        opened: httpx.Response | None = None
        try:
            response: httpx.Response = yield port.send, request
            opened = response
            log_response(response, call.clock.monotonic() - started)
            if response.is_success:
                if not call.stream:
                    yield from _read(call, port, response)
                return response
            target = _redirect(request, response, redirects)
            if not isinstance(target, httpx.URL):
                raise (yield from _status_failure(call, port, response, target))
        except BaseException as error:
            if opened is not None:
                yield port.close, opened
            if isinstance(error, TRANSPORT_ERRORS):
                raise transport_failure(error, request, opened) from error
            if isinstance(error, RuntimeError) and port.closed():
                raise _closed(request) from error
            raise
        yield port.close, response
        url = target
    raise AssertionError("the last redirect is refused")


def _read(call: Call, port: Port, response: httpx.Response) -> Steps[None]:
    """Read the body of a reply."""
    # Without a deadline, the port's own way of never being late.
    read = port.read if call.deadline_at is None else functools.partial(port.read, is_late=call.is_late)
    whole = yield read, response
    if not whole and response.is_success:
        raise APITimeoutError(response.request, message=_LATE)
    log_body(response)


def _check_ready(call: Call, port: Port, request: httpx.Request) -> None:
    if port.closed():
        raise _closed(request) from RuntimeError("closed")
    if call.is_late():
        raise APITimeoutError(request, message=_LATE)


def _closed(request: httpx.Request) -> APIConnectionError:
    return APIConnectionError(message="The client is closed.", request=request)


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


def _redirect(request: httpx.Request, response: httpx.Response, redirects: int) -> httpx.URL | str | None:
    """Return where a redirect leads, or why it is not followed, or None for what is no redirect.

    Credentials and prompt stay with the origin that they were sent to, and only 307 and 308 keep the method
    and the body.
    """
    if not response.has_redirect_location:
        return None
    try:
        target = request.url.join(response.headers["location"])
    except httpx.InvalidURL as error:  # as httpx calls it
        raise httpx.RemoteProtocolError(f"Invalid URL in location header: {error}.") from error
    if (target.scheme, target.host, target.port) != (request.url.scheme, request.url.host, request.url.port):
        return f"Refused a redirect to another origin, {target}; nothing was sent there."
    if response.status_code not in (307, 308):
        return f"Refused a redirect to {target}: it would turn the POST into a GET."
    if redirects == MAX_REDIRECTS:
        return f"Stopped after {redirects} redirects, before {target}."
    return target


def _status_failure(
    call: Call, port: Port, response: httpx.Response, message: str | None
) -> Steps[APIStatusError]:
    """Read an error reply and return the error that it stands for."""
    try:
        yield from _read(call, port, response)
        body = body_of(response)
    except (APIError, *TRANSPORT_ERRORS) as error:
        log.debug("The body of the error reply could not be read: %r", error)
        body = None
    failure = status_error(response, body, message=message)
    failure.retry_after = _retry.retry_after(response.headers, now=call.clock.wall())
    return failure
