"""From settings and arguments to a `Call`, and from a reply to what a method returns."""

from __future__ import annotations

import platform
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from .. import models, prompts
from .._callers import stacklevel
from .._http.clients import DEFAULT_TIMEOUT
from .._http.exchange import RETRY_COUNT_HEADER, Call
from .._options import (
    API_VERSION,
    BASE_URL,
    NOT_GIVEN,
    NotGiven,
    RequestOptions,
    count,
    flag,
    is_given,
    layer_headers,
    mapping,
    seconds,
    timeout,
)
from .._secrets import Headers
from .._stream.reader import COMPLETIONS
from .._version import __version__
from .arguments import completion_request, encode_body, headers_to_send, put_over, url_with_query
from .backends import asked_by, backend_for
from .responses import RawAPIResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._errors import BadRequestError
    from .._http.exchange import Clock, Exchanged, Port
    from .._options import Omit, Options
    from .._stream.reader import Reader

_BASE_HEADERS = {
    "Accept": "application/json",
    "User-Agent": f"anthropic-completions/{__version__} Python/{platform.python_version()}",
}
_HTTPX_TIMEOUT = httpx.Timeout(5.0)
_DAY = 24 * 3600
_OFFICIAL_HOST = urlsplit(BASE_URL).hostname
_NO_CREDENTIALS = (
    "no credentials: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) in the environment, or pass api_key "
    "(or auth_token) to the client"
)


def completion_call(
    options: Options, clock: Clock, http: Any, arguments: Mapping[str, Any], *, unread: bool
) -> Call:
    """Return the call that `create` makes of its arguments.

    Args:
        options: The client's settings.
        clock: Where time comes from.
        http: The httpx client that will send it.
        arguments: The arguments, by name.
        unread: Whether the reply is left unread although it is no stream.

    Raises:
        TypeError, ValueError: An argument is wrong, or there is no credential.
        LossError: Messages cannot say all of it, and the settings say that this is an error.
    """
    fields = dict(arguments)
    extra_headers, extra_query, extra_body, betas = (
        fields.pop(name, None) for name in ("extra_headers", "extra_query", "extra_body", "betas")
    )
    limits = {name: fields.pop(name, NOT_GIVEN) for name in ("timeout", "deadline")}
    check_prompt = flag("check_prompt", fields.pop("check_prompt", False))
    path, body, headers = completion_request(fields, betas, extra_body)
    sent = body.get("model")  # `extra_body` may name another, and anything
    model = sent if isinstance(sent, str) else fields["model"]
    if check_prompt:
        prompts.check(fields["prompt"])
    if options.model_warnings:
        tell_of(model, options.base_url, clock.wall() // _DAY)
    options = backend_for(options, model)
    path, body, reader = asked_by(options, path, body)
    call = _call(
        options,
        clock,
        http,
        path=path,
        content=encode_body(body),
        headers=headers,
        extra_headers=mapping("extra_headers", extra_headers),
        extra_query=mapping("extra_query", extra_query),
        streamed=body.get("stream") is True,
        unread=unread,
        reader=reader,
        **limits,
    )
    if options.backend != "auto":
        return call

    def by_messages(refusal: BadRequestError) -> Call:
        from ..messages._reader import switch

        switch(options, model, refusal)
        other = completion_call(options, clock, http, arguments, unread=unread)
        return replace(other, deadline_at=call.deadline_at)

    return replace(call, after=by_messages)


@lru_cache(maxsize=256)  # an answer holds for a day; a warning that is raised is none
def tell_of(model: str, base_url: str, day: float) -> None:
    """Warn of a model that is deprecated or retired, where it is asked of the service that made it so."""
    if urlsplit(base_url).hostname == _OFFICIAL_HOST:
        models.warn_about(model, stacklevel=stacklevel())


def raw_call(
    options: Options, clock: Clock, http: Any, *, path: str, body: Any, request_options: Any, stream: bool
) -> Call:
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
    return _call(
        options,
        clock,
        http,
        path=f"/{path.removeprefix('/')}",
        path_query=dict(parse_qsl(query, keep_blank_values=True)),
        content=None if body is None else encode_body(body),
        headers={"anthropic-version": API_VERSION, "Content-Type": "application/json"},
        extra_headers=mapping("options (headers)", given.get("headers")),
        extra_query=mapping("options (params)", given.get("params")),
        timeout=given.get("timeout", NOT_GIVEN),
        deadline=NOT_GIVEN,
        streamed=stream,
        unread=False,
        reader=COMPLETIONS,
        max_retries=given.get("max_retries"),
    )


def _call(
    options: Options,
    clock: Clock,
    http: Any,
    *,
    path: str,
    path_query: Mapping[str, str] | None = None,
    content: bytes | None,
    headers: Mapping[str, str],
    extra_headers: Mapping[str, Any],
    extra_query: Mapping[str, Any],
    timeout: Any,
    deadline: Any,
    streamed: bool,
    unread: bool,
    reader: Reader,
    max_retries: object = None,
) -> Call:
    limit = seconds("deadline", deadline) if is_given(deadline) else options.deadline
    # What is remembered is little: not the paths, queries, headers and betas of single calls.
    url: httpx.URL | None
    if extra_query or path_query is not None:
        url = _url(options, path, path_query or {}, options.default_query, extra_query)
    elif (url := options.prepared.get(path)) is None:
        url = options.prepared[path] = _url(options, path, options.default_query)
    key = None if extra_headers or "anthropic-beta" in headers else (*headers.items(),)
    if (ready := options.prepared.get(key)) is None:
        ready = _headers(options, headers, extra_headers)
        if key is not None:
            options.prepared[key] = ready
    ready_headers, counts_retries = ready
    return Call(
        method="POST",
        url=url,
        headers=ready_headers,
        content=content,
        timeout=_time_limits(
            timeout if is_given(timeout) else options.timeout,
            http,
            options.stream_idle_timeout if streamed else None,
        ),
        stream=unread or streamed,
        streamed=streamed,
        max_retries=options.max_retries
        if max_retries is None
        else count("max_retries", max_retries, least=0),
        max_retry_after=options.max_retry_after,
        deadline_at=None if limit is None else clock.monotonic() + limit,
        counts_retries=counts_retries,
        clock=clock,
        reader=reader,
    )


def _url(options: Options, path: str, *queries: Mapping[str, Any]) -> httpx.URL:
    try:
        return httpx.URL(url_with_query(options.base_url + path, *queries))
    except httpx.InvalidURL as error:
        raise ValueError(f"base_url, path and query: expected them to make up a URL, but {error}") from None


def _headers(
    options: Options, headers: Mapping[str, str], extra_headers: Mapping[str, Any]
) -> tuple[Headers, bool]:
    """Return the headers of a request, and whether the number of retries goes with them."""
    # What the caller says of a header holds, also where it is `omit`.
    said = {name.lower() for layer in (options.default_headers, extra_headers) for name in layer}
    found = credentials(options)
    if not found and not said & {"x-api-key", "authorization"}:
        raise TypeError(_NO_CREDENTIALS)
    # The betas go over the client's default headers; what else the generated code sets goes under them.
    betas = {name: value for name, value in headers.items() if name == "anthropic-beta"}
    layers = (_BASE_HEADERS, headers, found, options.default_headers, betas, extra_headers)
    return headers_to_send(*layers), RETRY_COUNT_HEADER not in said


def client_headers(options: Options) -> dict[str, str | Omit]:
    """Return the headers that every request of a client has."""
    own = {**_BASE_HEADERS, "Content-Type": "application/json", "anthropic-version": API_VERSION}
    return layer_headers(own, credentials(options), options.default_headers)


def credentials(options: Options) -> dict[str, str]:
    """Return the headers that say who calls; empty where nothing does."""
    found = Headers()
    if options.api_key is not None:
        found["X-Api-Key"] = options.api_key.reveal()
    if options.auth_token is not None:
        found["Authorization"] = f"Bearer {options.auth_token.reveal()}"
    return found


def _time_limits(given: Any, http: Any, idle: float | None) -> httpx.Timeout:
    given = timeout(given)
    if isinstance(given, NotGiven):
        limits = default_timeout([http])
    elif hasattr(given, "as_dict"):
        limits = httpx.Timeout(**given.as_dict())
    else:
        limits = httpx.Timeout(given)
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
        assembly = call.reader.assembly(
            call, idle_timeout=options.stream_idle_timeout, max_event_bytes=options.max_event_bytes
        )
        return stream(call, port, exchanged, assembly)

    return (form or RawAPIResponse)(exchanged, call, open_stream if call.streamed else None)
