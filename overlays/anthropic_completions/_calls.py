"""From settings and arguments to a `Call`, and from a reply to what a method returns."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import httpx

from ._arguments import completion_request, encode_body, headers_to_send, url_with_query
from ._assembly import Assembly
from ._completion import Completion
from ._errors import APIResponseValidationError
from ._failures import body_of
from ._http import DEFAULT_TIMEOUT
from ._options import API_VERSION, NOT_GIVEN, NotGiven, is_given, layer_headers, omit, retries, seconds
from ._responses import RawAPIResponse
from ._transport import Call
from ._version import __version__
from ._wire import first_violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._options import HeaderValues, Omit, Options, RequestOptions
    from ._transport import Clock, Exchanged, Port

_BASE_HEADERS = {
    "Accept": "application/json",
    "User-Agent": f"anthropic-completions/{__version__} Python/{platform.python_version()}",
}
_HTTPX_TIMEOUT = httpx.Timeout(5.0)
_NO_CREDENTIALS = (
    "no credentials: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) in the environment, or pass api_key "
    "(or auth_token) to the client"
)


def completion_call(
    options: Options,
    clock: Clock,
    http: Any,
    *,
    unread: bool,
    betas: object = NOT_GIVEN,
    extra_headers: HeaderValues | None = None,
    extra_query: Mapping[str, Any] | None = None,
    extra_body: Mapping[str, object] | None = None,
    timeout: Any = NOT_GIVEN,
    deadline: Any = NOT_GIVEN,
    **fields: Any,
) -> Call:
    """Return the call that `create` makes of its arguments.

    Args:
        options: The client's settings.
        clock: Where time comes from.
        http: The httpx client that will send it.
        unread: Whether the reply is left unread although it is no stream.
        **fields: The arguments that are fields of the body.
    """
    path, body, headers = completion_request(fields, betas, extra_body)
    return _call(
        options,
        clock,
        http,
        path=path,
        content=encode_body(body),
        headers=headers,
        extra_headers=extra_headers,
        extra_query=extra_query,
        timeout=timeout,
        deadline=deadline,
        streamed=body.get("stream") is True,
        unread=unread,
    )


def raw_call(
    options: Options,
    clock: Clock,
    http: Any,
    *,
    path: str,
    body: Any,
    request_options: RequestOptions,
    stream: bool,
) -> Call:
    """Return the call that `post` makes of its arguments."""
    extra = request_options.get("extra_json")
    if body is not None or extra:
        body = {**(body or {}), **(extra or {})}
    return _call(
        options,
        clock,
        http,
        path=path if path.startswith("/") else f"/{path}",
        content=None if body is None else encode_body(body),
        headers={"anthropic-version": API_VERSION, "Content-Type": "application/json"},
        extra_headers=request_options.get("headers"),
        extra_query=request_options.get("params"),
        timeout=request_options.get("timeout", NOT_GIVEN),
        deadline=NOT_GIVEN,
        streamed=stream,
        unread=False,
        max_retries=request_options.get("max_retries"),
    )


def _call(
    options: Options,
    clock: Clock,
    http: Any,
    *,
    path: str,
    content: bytes | None,
    headers: Mapping[str, str],
    extra_headers: HeaderValues | None,
    extra_query: Mapping[str, Any] | None,
    timeout: Any,
    deadline: Any,
    streamed: bool,
    unread: bool,
    max_retries: int | None = None,
) -> Call:
    limit = seconds("deadline", deadline) if is_given(deadline) else options.deadline
    # The betas go over the client's default headers; what else the generated code sets goes under them.
    betas = {name: value for name, value in headers.items() if name == "anthropic-beta"}
    return Call(
        method="POST",
        url=url_with_query(options.base_url + path, options.default_query, extra_query),
        headers=headers_to_send(
            _BASE_HEADERS,
            headers,
            credentials(options, extra_headers),
            options.default_headers,
            betas,
            extra_headers,
        ),
        content=content,
        timeout=_time_limits(
            timeout if is_given(timeout) else options.timeout,
            http,
            options.stream_idle_timeout if streamed else None,
        ),
        stream=unread or streamed,
        streamed=streamed,
        max_retries=options.max_retries if max_retries is None else retries(max_retries),
        max_retry_after=options.max_retry_after,
        deadline_at=None if limit is None else clock.monotonic() + limit,
        clock=clock,
    )


def client_headers(options: Options) -> dict[str, str | Omit]:
    """Return the headers that every request of a client has."""
    own = {**_BASE_HEADERS, "Content-Type": "application/json", "anthropic-version": API_VERSION}
    found = credentials(options, {"x-api-key": omit})
    return layer_headers(layer_headers(own, found), options.default_headers)


def credentials(options: Options, extra_headers: HeaderValues | None = None) -> dict[str, str]:
    """Return the headers that say who calls.

    Raises:
        TypeError: There are none, and no header of the caller's stands for them.
    """
    found = {}
    if options.api_key is not None:
        found["X-Api-Key"] = options.api_key.reveal()
    if options.auth_token is not None:
        found["Authorization"] = f"Bearer {options.auth_token.reveal()}"
    if not found:
        named = {name.lower() for layer in (options.default_headers, extra_headers or {}) for name in layer}
        if not named & {"x-api-key", "authorization"}:
            raise TypeError(_NO_CREDENTIALS)
    return found


def _time_limits(given: Any, http: Any, idle: float | None) -> httpx.Timeout:
    if isinstance(given, NotGiven):
        limits = default_timeout([http])
    else:
        limits = given if isinstance(given, httpx.Timeout) else httpx.Timeout(seconds("timeout", given))
    if idle is None:
        return limits
    read = idle if limits.read is None else min(idle, limits.read)
    return httpx.Timeout(connect=limits.connect, read=read, write=limits.write, pool=limits.pool)


def default_timeout(clients: list[Any]) -> httpx.Timeout:
    """Return the limits that hold where none are set: the httpx client's, unless they are httpx's default."""
    for http in clients:
        if http.timeout != _HTTPX_TIMEOUT:
            limits: httpx.Timeout = http.timeout
            return limits
    return DEFAULT_TIMEOUT


def reply_to(
    options: Options, call: Call, port: Port, exchanged: Exchanged, *, form: Any, stream: Any
) -> Any:
    """Return a reply in the form that was asked for.

    Args:
        form: The class of the reply, or None for one that is read already.
        stream: The class of streams.
    """

    def open_stream(_: httpx.Response) -> Any:
        assembly = Assembly(
            call, idle_timeout=options.stream_idle_timeout, max_event_bytes=options.max_event_bytes
        )
        return stream(call, port, exchanged, assembly)

    convert = open_stream if call.streamed else convert_plain
    return (form or RawAPIResponse)(exchanged, convert, streamed=call.streamed)


def convert_plain(response: httpx.Response) -> Completion:
    """Return the completion that a reply is.

    Raises:
        APIResponseValidationError: It is none; the error holds status, headers and body.
    """
    body = body_of(response)
    violation = first_violation("Completion", body)
    if violation is None:
        return Completion._from_wire(body, response.headers)  # type: ignore[arg-type]
    message = f"The reply (status {response.status_code}) is no completion. {violation}"
    raise APIResponseValidationError(response, body, message=message)
