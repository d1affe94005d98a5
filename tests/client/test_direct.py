"""The client that is made where none is given sends past `httpx.Client`, and nobody can tell."""

import datetime
import logging
from typing import Any

import httpx
import pytest

from anthropic_completions import DefaultHttpxClient
from anthropic_completions._http.clients import AsyncDirectClient, DirectClient
from raw_server import RawServer
from support import ARGUMENTS, KEY, Script, World, chunk, completion_reply, stream_reply

KINDS = pytest.mark.parametrize("kind", [DirectClient, AsyncDirectClient])
URL = httpx.URL("http://host:8080/v1/complete?a=b")
HEADERS = {"Accept": "application/json", "X-Api-Key": "key", "Content-Type": "application/json"}
REPLY = completion_reply()
SENT = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: %d\r\n\r\n%b" % (
    len(REPLY.content),
    REPLY.content,
)


@KINDS
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"headers": {**HEADERS, "host": "other", "accept-encoding": "identity", "CONNECTION": "close"}},
        {"headers": {}},
        {"content": None},
        {"content": b""},
        {"timeout": httpx.Timeout(3, connect=None)},
        {"extensions": {"a": 1}},
        {"url": httpx.URL("https://[::1]/ü")},
    ],
)
def test_a_request_is_the_one_that_httpx_would_build(kind: Any, changes: dict[str, Any]) -> None:
    """Down to the order and the case of the headers."""
    parts: dict[str, Any] = {"url": URL, "headers": HEADERS, "content": b"{}", "timeout": httpx.Timeout(9)}
    parts |= changes
    http = kind()
    prepared, built = http.prepare("POST", **parts), http.build_request("POST", **parts)
    for name in ("method", "url", "content", "extensions"):
        assert getattr(prepared, name) == getattr(built, name)
    assert prepared.headers.raw == built.headers.raw
    assert b"".join(prepared.stream) == built.content


def test_cookies_are_sent_back(world: World) -> None:
    """As httpx does, and what stands before the service may rely on it; the request shows none."""
    reply = completion_reply()
    reply.headers["set-cookie"] = "__cf_bm=cookie; path=/"
    script = Script([reply, completion_reply()])

    def blocking(client: Any) -> Any:
        client.completions.create(**ARGUMENTS)
        return client.completions.with_raw_response.create(**ARGUMENTS)

    async def awaiting(client: Any) -> Any:
        await client.completions.create(**ARGUMENTS)
        return await client.completions.with_raw_response.create(**ARGUMENTS)

    raw = world.use(blocking, awaiting, script)
    assert [request.headers.get("cookie") for request in script.requests] == [None, "__cf_bm=cookie"]
    assert raw.http_request.headers["cookie"] == "[redacted]"


def test_httpx_logs_each_request(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its line at the level INFO, which programs look for."""
    caplog.set_level(logging.INFO, logger=httpx.__name__)
    world.create(Script([completion_reply()]))
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        (httpx.__name__, 'HTTP Request: POST https://api.anthropic.com/v1/complete "HTTP/1.1 200 OK"')
    ]


def test_a_reply_tells_how_long_it_took_once_it_is_read(world: World) -> None:
    script = Script([stream_reply(chunk("Hi", "stop_sequence"))])

    def blocking(client: Any) -> Any:
        stream = client.completions.create(**ARGUMENTS, stream=True)
        with pytest.raises(RuntimeError):
            stream.response.elapsed  # noqa: B018
        list(stream)
        return stream.response

    async def awaiting(client: Any) -> Any:
        stream = await client.completions.create(**ARGUMENTS, stream=True)
        with pytest.raises(RuntimeError):
            stream.response.elapsed  # noqa: B018
        [chunk async for chunk in stream]
        return stream.response

    response = world.use(blocking, awaiting, script)
    assert response.elapsed > datetime.timedelta(0)


def test_the_environments_proxy_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not exist is reached by it."""
    with RawServer([SENT]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        completion = world.create(None, {"base_url": "http://nowhere.invalid", "max_retries": 0})
        assert proxy.requests == 1
    assert completion == world.create(Script([completion_reply()]))


@KINDS
def test_exceptions_from_proxies_are_no_proxies(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY alone, as many machines have it, leaves nothing for httpx to choose from."""
    transport = kind()._direct.__class__
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert type(kind()._direct) is transport
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    assert kind()._direct is None


def test_a_connection_is_used_again(world: World) -> None:
    """And what was read of it tells its HTTP version and its bytes, as from httpx."""

    def blocking(client: Any) -> Any:
        return [client.completions.with_raw_response.create(**ARGUMENTS) for _ in range(3)]

    async def awaiting(client: Any) -> Any:
        return [await client.completions.with_raw_response.create(**ARGUMENTS) for _ in range(3)]

    with RawServer([SENT]) as server:
        replies = world.use(blocking, awaiting, base_url=server.url)
        assert (server.accepted, server.requests) == (1, 3)
    for reply in replies:
        assert reply.http_version == "HTTP/1.1"
        assert reply.http_response.num_bytes_downloaded == len(REPLY.content)
        assert reply.http_response.is_closed


def test_a_client_that_is_given_sends_itself() -> None:
    """Its hooks see each request, as what a user made may do more than send."""
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(Script([completion_reply()]))
    http = DefaultHttpxClient(transport=transport, event_hooks={"request": [seen.append]})
    World(None).create(None, {"http_client": http})
    assert [request.headers["x-api-key"] for request in seen] == [KEY]


def test_what_one_call_adds_is_not_in_the_next(world: World) -> None:
    """What is made of a client's settings is remembered; what a call adds to them is not."""
    extras: list[dict[str, Any]] = [
        {},
        {"extra_headers": {"X-Call": "1"}, "extra_query": {"call": 1}},
        {"betas": ["first"]},
        {"betas": ["second"]},
        {},
    ]
    script = Script([completion_reply()])

    def blocking(client: Any) -> None:
        for extra in extras:
            client.completions.create(**ARGUMENTS, **extra)

    async def awaiting(client: Any) -> None:
        for extra in extras:
            await client.completions.create(**ARGUMENTS, **extra)

    world.use(blocking, awaiting, script)
    assert [
        (request.url.query, request.headers.get("x-call"), request.headers.get("anthropic-beta"))
        for request in script.requests
    ] == [
        (b"", None, None),
        (b"call=1", "1", None),
        (b"", None, "first"),
        (b"", None, "second"),
        (b"", None, None),
    ]


def test_a_setting_that_changes_holds_for_the_next_call(world: World) -> None:
    script = Script([completion_reply()])

    def change(client: Any) -> None:
        client.api_key = "other"
        client.base_url = "http://other"

    def blocking(client: Any) -> None:
        client.completions.create(**ARGUMENTS)
        change(client)
        client.completions.create(**ARGUMENTS)

    async def awaiting(client: Any) -> None:
        await client.completions.create(**ARGUMENTS)
        change(client)
        await client.completions.create(**ARGUMENTS)

    world.use(blocking, awaiting, script)
    assert [(request.url.host, request.headers["x-api-key"]) for request in script.requests] == [
        ("api.anthropic.com", KEY),
        ("other", "other"),
    ]
