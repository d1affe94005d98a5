"""Send one call: attempts, redirects, waits and retries.

Sans-I/O: `exchange` yields the steps that it wants carried out, for the blocking and the awaiting client
alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx

from .._errors import (
    HIDDEN_PARAMETERS,
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    RetryableError,
)
from .._log import log, log_body, log_request, log_response
from .._secrets import Headers
from . import retry as _retry
from .call import Close, Exchanged, Read, Send, Sleep
from .failures import TRANSPORT_ERRORS, body_of, hide_values, status_error, transport_failure

if TYPE_CHECKING:
    from .call import BasePort, Call, Steps

MAX_REDIRECTS = 5
_LATE = "The deadline has passed."
RETRY_COUNT_HEADER = "x-stainless-retry-count"
# The extension of a request with the number of retries before it, which middleware is told.
RETRIES_TAKEN = "anthropic_completions.retries_taken"


def exchange(
    call: Call, port: BasePort, *, retries_taken: int = 0, failure: APIError | RetryableError | None = None
) -> Steps[Exchanged]:
    """Send a request until it succeeds or may not be tried again.

    Args:
        call: What to send.
        port: Builds the requests.
        retries_taken: How many retries there were already.
        failure: What the attempt before ended in; where given, it is decided upon first.

    Raises:
        APIError: The last attempt's failure.
    """
    while True:
        if failure is not None:
            wait = _retry.wait_before(call, failure, retries_taken)
            if wait is None:
                raise failure
            reason = type(failure).__name__
            log.info("Retrying %s %s in %.3f s after %s", call.method, call.url.path, wait, reason)
            yield Sleep(wait)
            retries_taken += 1
        try:
            response = yield from _attempt(call, port, retries_taken)
        except (APIError, RetryableError) as error:
            failure = error
        else:
            return Exchanged(response, retries_taken, call.max_reply_bytes)


def _attempt(call: Call, port: BasePort, retries_taken: int) -> Steps[httpx.Response]:
    """Send a request once, following the redirects that may be followed."""
    headers = call.headers
    if call.counts_retries:
        headers = Headers({**headers, RETRY_COUNT_HEADER: str(retries_taken)})
    url = call.url
    for redirects in range(MAX_REDIRECTS + 1):
        request = port.build(
            call.method,
            url,
            headers=headers,
            content=call.content,
            timeout=_timeout(call),
            extensions={RETRIES_TAKEN: retries_taken, HIDDEN_PARAMETERS: call.hidden_parameters},
        )
        _check_ready(call, port, request)
        log_request(request)
        started = call.clock.monotonic()
        opened: httpx.Response | None = None
        try:
            response = cast("httpx.Response", (yield Send(request, call)))
            opened = response
            log_response(response, call.clock.monotonic() - started)
            if response.is_success:
                if not call.stream:
                    yield from _read(call, response)
                return response
            target = _redirect(request, response, redirects)
            if not isinstance(target, httpx.URL):
                raise (yield from _status_failure(call, response, target))
        except BaseException as error:
            # A report of the error may show the local variables of all that hold the request.
            hide_values(request)
            url = request.url
            if opened is not None:
                yield Close(opened)
            if isinstance(error, TRANSPORT_ERRORS):
                failure = transport_failure(error, request, opened, variable=call.base_url_variable)
                if isinstance(failure, APITimeoutError) and call.is_late():
                    failure = APITimeoutError(request, message=_LATE)
                raise failure from error
            if isinstance(error, RuntimeError) and port.is_closed():
                raise _closed(request) from error
            raise
        yield Close(response)
        url = target
    raise AssertionError("the last redirect is refused")


def _read(call: Call, response: httpx.Response) -> Steps[None]:
    """Read the body of a reply."""
    whole = yield Read(response, call)
    if not whole and response.is_success:
        raise APITimeoutError(response.request, message=_LATE)
    log_body(response)


def _check_ready(call: Call, port: BasePort, request: httpx.Request) -> None:
    if port.is_closed():
        raise _closed(request) from RuntimeError("closed")
    if call.is_late():
        raise APITimeoutError(request, message=_LATE)


def _closed(request: httpx.Request) -> APIConnectionError:
    failure = APIConnectionError(message="The client is closed.", request=request)
    failure._final = True
    return failure


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


def _status_failure(call: Call, response: httpx.Response, message: str | None) -> Steps[APIStatusError]:
    """Read an error reply and return the error that it stands for."""
    try:
        yield from _read(call, response)
        body = body_of(response)
    except (APIError, *TRANSPORT_ERRORS) as error:
        log.debug("The body of the error reply could not be read: %r", error)
        body = None
    failure = status_error(response, body, message=message)
    failure.retry_after = _retry.retry_after(response.headers, now=call.clock.wall())
    return failure
