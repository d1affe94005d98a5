"""Middleware: functions of the user's around each attempt, within the retries."""

from __future__ import annotations

import functools
import inspect
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, cast

import httpx

from .._contract.completion import Completion
from .._http.call import Exchanged
from .._http.exchange import RETRIES_TAKEN
from .._http.failures import TRANSPORT_ERRORS, transport_failure
from .._options import NOT_GIVEN, NotGiven, is_given, mapping
from .._secrets import Headers
from .arguments import encode_body, headers_to_send
from .responses import APIResponse, AsyncAPIResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from typing import Self

    from .._http.call import AsyncPort, BasePort, Call, Port
    from .calls import Prepared

T = TypeVar("T")
_Next: TypeAlias = "Callable[[APIRequest], T]"
_Handler: TypeAlias = "Callable[[APIRequest, _Next[T]], T]"
# The whole reply or a stream, as the call asked for.
Answer: TypeAlias = "APIResponse[Any]"
AsyncAnswer: TypeAlias = "AsyncAPIResponse[Any]"
CallNext: TypeAlias = "Callable[[APIRequest], Answer]"
AsyncCallNext: TypeAlias = "Callable[[APIRequest], Awaitable[AsyncAnswer]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class APIRequest:
    """One attempt, as middleware sees it.

    Attributes:
        method: The HTTP method.
        url: The whole URL, without the query.
        headers: The headers, credentials among them.
        query_params: The query's parameters.
        json: The body's JSON value; None where there is no body.
        timeout: The time limits of the attempt.
        max_retries: How often the call is tried again at the most.
        retries_taken: How often it was tried again before this attempt.
        stream: Whether a stream was asked for.
        remaining: The seconds to the call's deadline when the attempt began; None for no deadline.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query_params: Mapping[str, str]
    json: object
    timeout: httpx.Timeout
    max_retries: int
    retries_taken: int
    stream: bool
    remaining: float | None = None

    def __repr__(self) -> str:
        return f"<APIRequest method={self.method!r} url={self.url!r} stream={self.stream!r}>"

    def copy(
        self,
        *,
        method: str | NotGiven = NOT_GIVEN,
        url: str | NotGiven = NOT_GIVEN,
        headers: Mapping[str, str] | NotGiven = NOT_GIVEN,
        params: Mapping[str, str] | NotGiven = NOT_GIVEN,
        body: object = NOT_GIVEN,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
    ) -> Self:
        """Return a request with some things changed, to be passed on."""
        return replace(
            self,
            method=method if is_given(method) else self.method,
            url=url if is_given(url) else self.url,
            headers=headers if is_given(headers) else self.headers,
            query_params=params if is_given(params) else self.query_params,
            json=body if is_given(body) else self.json,
            timeout=httpx.Timeout(timeout) if is_given(timeout) else self.timeout,
        )


class Middleware:
    """Base of middleware that serves both clients; override one method or both."""

    def handle(self, request: APIRequest, call_next: CallNext) -> Answer:
        """Handle one attempt of `Anthropic`."""
        return call_next(request)

    async def handle_async(self, request: APIRequest, call_next: AsyncCallNext) -> AsyncAnswer:
        """Handle one attempt of `AsyncAnthropic`."""
        return await call_next(request)


def check_middleware(entries: tuple[object, ...], *, asynchronous: bool) -> None:
    """Check that middleware fits the client.

    Raises:
        TypeError: It does not; it is named.
    """
    method = "handle_async" if asynchronous else "handle"
    for entry in entries:
        name = getattr(entry, "__name__", type(entry).__name__)
        if isinstance(entry, Middleware) and getattr(type(entry), method) is getattr(Middleware, method):
            raise TypeError(f"middleware: expected {name} to have {method}(), which this client calls")
        handler = _handler(entry, asynchronous=asynchronous)
        if not callable(handler):
            raise TypeError(f"middleware: expected a function, got {name}")
        waits = inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
        if waits != asynchronous:
            wanted = "an async function" if asynchronous else "a function that is not async"
            raise TypeError(f"middleware: expected {wanted}, got {name}")


class _MiddlewarePort:
    """A port that sends through middleware, the first entry outermost.

    Of the replies that come within, those that middleware does not return are closed.
    """

    asynchronous: ClassVar[bool]

    def __init__(self, port: BasePort, prepared: Prepared, entries: tuple[object, ...]) -> None:
        self.build = port.build
        self.is_closed = port.is_closed
        self._call = prepared.call
        self._reader = prepared.reader
        self._handlers: list[_Handler[object]] = [
            cast("_Handler[object]", _handler(entry, asynchronous=self.asynchronous))  # by check_middleware
            for entry in reversed(entries)
        ]

    def _built(self, request: httpx.Request, attempt: APIRequest) -> httpx.Request:
        """Return the request that an attempt describes; what was not changed stays as it was prepared."""
        view = _view(request, self._call)
        url, content = request.url, request.content
        # The length is made anew, from the body.
        headers = {name: value for name, value in attempt.headers.items() if name.lower() != "content-length"}
        if (attempt.url, attempt.query_params) != (view.url, view.query_params):
            url = httpx.URL(attempt.url, params=attempt.query_params or None)
        if attempt.json != view.json:
            content = encode_body(mapping("middleware: the request's json", attempt.json))
        return self.build(
            attempt.method, url, headers=headers_to_send(headers), content=content, timeout=attempt.timeout
        )


class MiddlewarePort(_MiddlewarePort):
    """Sends through middleware, blocking."""

    asynchronous = False

    def __init__(self, port: Port, prepared: Prepared, entries: tuple[object, ...]) -> None:
        super().__init__(port, prepared, entries)
        self._send, self.read, self.close, self.sleep = port.send, port.read, port.close, port.sleep

    def send(self, request: httpx.Request, call: Call) -> httpx.Response:
        opened: list[httpx.Response] = []
        returned = None

        def last(attempt: APIRequest) -> object:
            changed = self._built(request, attempt)
            try:
                opened.append(self._send(changed, call))
            except TRANSPORT_ERRORS as error:
                raise transport_failure(error, changed, None) from error
            exchanged = Exchanged(opened[-1], attempt.retries_taken, call.max_reply_bytes)
            return APIResponse[object](exchanged, self._reader, streamed=self._call.streamed)

        try:
            returned = _response(_chain(self._handlers, last)(_view(request, self._call)), request)
            return returned
        finally:
            for response in opened:
                if response is not returned:
                    self.close(response)


class AsyncMiddlewarePort(_MiddlewarePort):
    """Sends through middleware, awaiting it."""

    asynchronous = True

    def __init__(self, port: AsyncPort, prepared: Prepared, entries: tuple[object, ...]) -> None:
        super().__init__(port, prepared, entries)
        self._send, self.read, self.close, self.sleep = port.send, port.read, port.close, port.sleep

    async def send(self, request: httpx.Request, call: Call) -> httpx.Response:
        opened: list[httpx.Response] = []
        returned = None

        async def last(attempt: APIRequest) -> object:
            changed = self._built(request, attempt)
            try:
                opened.append(await self._send(changed, call))
            except TRANSPORT_ERRORS as error:
                raise transport_failure(error, changed, None) from error
            exchanged = Exchanged(opened[-1], attempt.retries_taken, call.max_reply_bytes)
            return AsyncAPIResponse[object](exchanged, self._reader, streamed=self._call.streamed)

        try:
            made = cast("Awaitable[object]", _chain(self._handlers, last)(_view(request, self._call)))
            returned = _response(await made, request)
            return returned
        finally:
            for response in opened:
                if response is not returned:
                    await self.close(response)


def _handler(entry: object, *, asynchronous: bool) -> object:
    if isinstance(entry, Middleware):
        return entry.handle_async if asynchronous else entry.handle
    return entry


def _chain(handlers: Iterable[_Handler[T]], last: _Next[T]) -> _Next[T]:
    """Return a function of a request that calls the handlers, the last of them first."""
    for handler in handlers:
        last = functools.partial(_call_with, handler, last)
    return last


def _call_with(handler: _Handler[T], call_next: _Next[T], request: APIRequest) -> T:
    return handler(request, call_next)


def _view(request: httpx.Request, call: Call) -> APIRequest:
    return APIRequest(
        method=request.method,
        url=str(request.url.copy_with(query=None)),
        headers=Headers(request.headers),
        query_params=dict(request.url.params),
        json=json.loads(request.content) if request.content else None,
        timeout=call.timeout,
        max_retries=call.max_retries,
        retries_taken=request.extensions[RETRIES_TAKEN],
        stream=call.streamed,
        remaining=call.remaining(),
    )


def _response(result: object, request: httpx.Request) -> httpx.Response:
    """Return the reply that middleware answered with; a completion or a dict stands for a reply of itself."""
    if isinstance(result, APIResponse | AsyncAPIResponse):
        return result.http_response
    if isinstance(result, Completion):
        result = result.to_dict()
    if isinstance(result, dict):
        return httpx.Response(200, json=result, request=request)
    raise TypeError(f"middleware: expected it to return a reply, got a value of type {type(result).__name__}")
