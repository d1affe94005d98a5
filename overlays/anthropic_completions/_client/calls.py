"""Make calls of settings and arguments: URL, headers, body, limits, and what reads the reply."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn
from urllib.parse import parse_qsl

import httpx

from .._http.call import Call
from .._http.clients import DEFAULT_TIMEOUT
from .._http.exchange import RETRY_COUNT_HEADER
from .._options import (
    API_VERSION,
    NOT_GIVEN,
    NotGiven,
    RequestOptions,
    count,
    is_given,
    layer_headers,
    mapping,
    seconds,
    timeout,
)
from .._options.urls import query_pairs
from .._secrets import Headers, is_secret
from .._stream.replies import COMPLETIONS
from .._stream.waits import StreamLimits
from .._version import __version__
from .arguments import encode_body, headers_to_send, put_over, url_with_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .._errors import APIStatusError
    from .._http.call import Clock
    from .._options import HeaderValues, Omit, Options
    from .._stream.assembly import Assembly
    from .._stream.replies import Reader

_BASE_HEADERS = {
    "Accept": "application/json",
    "User-Agent": f"anthropic-completions/{__version__} Python/{sys.version.split()[0]}",
}
_HTTPX_TIMEOUT = httpx.Timeout(5.0)
_NO_CREDENTIALS = (
    "no credentials: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) in the environment, or pass api_key "
    "(or auth_token) to the client"
)


def raise_refusal(refusal: APIStatusError) -> NoReturn:
    """Raise an error that no other call can avoid."""
    raise refusal


class Caller(NamedTuple):
    """Where calls come from: the settings of a client, its clock, and the httpx client that will send."""

    options: Options
    clock: Clock
    http: httpx.Client | httpx.AsyncClient


class Prepared(NamedTuple):
    """A call, with what becomes of its reply.

    Attributes:
        call: What the exchange sends.
        options: The settings that it was made of.
        reader: What reads the reply.
        after: Returns the call to make where this one is refused, or raises the refusal.
    """

    call: Call
    options: Options
    reader: Reader
    after: Callable[[APIStatusError], Prepared] = raise_refusal

    def assembly(self) -> Assembly:
        """Return what puts the chunks of the reply's stream together."""
        call, options = self.call, self.options
        return self.reader.assembly(
            StreamLimits(
                monotonic=call.clock.monotonic,
                deadline_at=call.deadline_at,
                idle_timeout=options.stream_idle_timeout,
                end_grace=options.stream_end_grace,
                tolerates_abrupt_end=options.tolerate_abrupt_end,
                max_event_bytes=options.max_event_bytes,
                max_reply_bytes=options.max_reply_bytes,
            )
        )


class Request(NamedTuple):
    """What the contract makes of the arguments, ready to be addressed."""

    path: str
    headers: Mapping[str, str]
    content: bytes | None
    streamed: bool
    unread: bool


class Extras(NamedTuple):
    """What a single call says besides the contract's arguments.

    Attributes:
        path_query: The query that came with a path of the user's; None where the path is the contract's.
    """

    headers: HeaderValues
    query: Mapping[str, object]
    timeout: object
    deadline: object = NOT_GIVEN
    path_query: Mapping[str, str] | None = None


def raw_call(caller: Caller, path: str, body: object, request_options: object, *, stream: bool) -> Prepared:
    """Return the call that `post` makes of its arguments.

    Raises:
        TypeError, ValueError: An argument is wrong, or there is no credential.
    """
    given = mapping("options", request_options)
    known = RequestOptions.__optional_keys__
    for name in given:
        if name not in known:
            raise TypeError(f"options: expected {', '.join(sorted(known))}, got {name!r}")
    if "://" in path:
        raise ValueError(f"path: expected one that goes on from base_url, got {path!r}")
    path, _, query = path.partition("?")
    if body is not None or given.get("extra_json"):
        body = put_over(mapping("body", body), mapping("options (extra_json)", given.get("extra_json")))
    request = Request(
        path=f"/{path.removeprefix('/')}",
        headers={"anthropic-version": API_VERSION, "Content-Type": "application/json"},
        content=None if body is None else encode_body(mapping("body", body)),
        streamed=stream,
        unread=False,
    )
    extras = Extras(
        headers=mapping("options (headers)", given.get("headers")),
        query=mapping("options (params)", given.get("params")),
        path_query=dict(parse_qsl(query, keep_blank_values=True)),
        timeout=given.get("timeout", NOT_GIVEN),
    )
    call = make_call(caller, request, extras)
    if (retries := given.get("max_retries")) is not None:
        call = call._replace(max_retries=count("max_retries", retries, least=0))
    return Prepared(call, caller.options, COMPLETIONS)


def make_call(caller: Caller, request: Request, extras: Extras) -> Call:
    """Return the call that sends a request.

    Raises:
        TypeError, ValueError: An argument is wrong, or there is no credential.
    """
    options, clock, http = caller
    limit = seconds("deadline", extras.deadline) if is_given(extras.deadline) else options.deadline
    headers, counts_retries = _headers(options, request.headers, extras.headers)
    url = _url(options, request.path, extras)
    return Call(
        method="POST",
        url=url,
        headers=headers,
        content=request.content,
        timeout=_time_limits(
            extras.timeout if is_given(extras.timeout) else options.timeout,
            http,
            options.stream_idle_timeout if request.streamed else None,
        ),
        stream=request.unread or request.streamed,
        streamed=request.streamed,
        max_retries=options.max_retries,
        max_retry_after=options.max_retry_after,
        deadline_at=None if limit is None else clock.monotonic() + limit,
        idle_timeout=options.stream_idle_timeout if request.streamed else None,
        max_reply_bytes=options.max_reply_bytes,
        hidden_parameters=_hidden(options, url) if url.query else frozenset(),
        base_url_variable=options.base_url_variable,
        counts_retries=counts_retries,
        clock=clock,
    )


def _hidden(options: Options, url: httpx.URL) -> frozenset[str]:
    """Return the names of parameters that may be credentials: the settings' own, and those named like one."""
    own = {name for name, _ in query_pairs(options.default_query)}
    return frozenset(name for name in url.params if name in own or is_secret(name))


def _url(options: Options, path: str, extras: Extras) -> httpx.URL:
    # Remembered are the contract's own paths only, not the paths and queries of single calls.
    remembered = extras.path_query is None and not extras.query
    if remembered and (known := options.urls.get(path)) is not None:
        return known
    queries = (extras.path_query or {}, options.default_query, extras.query)
    try:
        url = httpx.URL(url_with_query(options.base_url + path, *queries))
    except httpx.InvalidURL as error:
        raise ValueError(f"base_url, path and query: expected them to make up a URL, but {error}") from None
    if remembered:
        options.urls[path] = url
    return url


def _headers(
    options: Options, headers: Mapping[str, str], extra_headers: HeaderValues
) -> tuple[Headers[str], bool]:
    """Return the headers of a request, and whether the number of retries is sent with them."""
    # Remembered are not those of single calls.
    key = None if extra_headers or "anthropic-beta" in headers else (*headers.items(),)
    if key is not None and (known := options.headers.get(key)) is not None:
        return known
    # What the caller says of a header holds, also where it is `omit`.
    said = {name.lower() for layer in (options.default_headers, extra_headers) for name in layer}
    found = credentials(options)
    if not found and not said & {"x-api-key", "authorization"}:
        raise TypeError(_NO_CREDENTIALS)
    # The betas override the client's default headers, which override what else the generated code sets.
    betas = {name: value for name, value in headers.items() if name == "anthropic-beta"}
    layers = (_BASE_HEADERS, headers, found, options.default_headers, betas, extra_headers)
    made = headers_to_send(*layers), RETRY_COUNT_HEADER not in said
    if key is not None:
        options.headers[key] = made
    return made


def client_headers(options: Options) -> dict[str, str | Omit]:
    """Return the headers that every request of a client has."""
    own = {**_BASE_HEADERS, "Content-Type": "application/json", "anthropic-version": API_VERSION}
    return layer_headers(own, credentials(options), options.default_headers)


def credentials(options: Options) -> dict[str, str]:
    """Return the headers that say who calls; empty where nothing does."""
    found: Headers[str] = Headers()
    if options.api_key is not None:
        found["X-Api-Key"] = options.api_key.reveal()
    if options.auth_token is not None:
        found["Authorization"] = f"Bearer {options.auth_token.reveal()}"
    return found


def _time_limits(given: object, http: httpx.Client | httpx.AsyncClient, idle: float | None) -> httpx.Timeout:
    checked = timeout(given)
    if isinstance(checked, NotGiven):
        limits = default_timeout([http])
    elif checked is None or isinstance(checked, int | float):
        limits = httpx.Timeout(checked)
    else:
        limits = httpx.Timeout(**checked.as_dict())
    if idle is None:
        return limits
    read = idle if limits.read is None else min(idle, limits.read)
    return httpx.Timeout(connect=limits.connect, read=read, write=limits.write, pool=limits.pool)


def default_timeout(clients: Sequence[httpx.Client | httpx.AsyncClient]) -> httpx.Timeout:
    """Return the limits that hold where none are set: the httpx client's, unless they are httpx's default."""
    for http in clients:
        if http.timeout != _HTTPX_TIMEOUT:
            return http.timeout
    return DEFAULT_TIMEOUT
