"""Keys are where they are sent, and nowhere else: not in what is shown, logged, raised or pickled."""

import copy
import gzip
import logging
import pickle
import subprocess
import sys
from typing import Any

import httpx
import pytest

from anthropic_completions import Anthropic, APIError, AsyncAnthropic, BadRequestError, Stream
from anthropic_completions.testing import StandIn
from reachable import assert_holds_none, shown_locals
from support import (
    ARGUMENTS,
    KEY,
    Body,
    FakeClock,
    Script,
    World,
    chunk,
    completion_reply,
    error_reply,
    stream_reply,
)

TOKEN = "sk-ant-oat-a-secret-token"
GATEWAY = "gateway-secret"
QUERY_KEY = "key-in-the-query"
SECRETS = (KEY, TOKEN, GATEWAY, QUERY_KEY)
# All the ways in which a credential can be given.
EVERYWHERE: dict[str, Any] = {
    "api_key": KEY,
    "auth_token": TOKEN,
    "default_headers": {"X-Gateway-Token": GATEWAY},
    "default_query": {"key": QUERY_KEY},
}


def assert_holds_no_secret(*values: object) -> None:
    assert_holds_none(SECRETS, *values)


def test_the_search_finds_a_secret() -> None:
    """In the headers of the request of the cause of an error, for one."""
    request = httpx.Request("POST", "http://h", headers={"X-Api-Key": KEY})
    error = ValueError()
    error.__cause__ = httpx.ReadError("r", request=request)
    with pytest.raises(AssertionError):
        assert_holds_no_secret(error)


@pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
def test_a_client_shows_no_key(cls: Any) -> None:
    """Neither itself, nor `vars` of it and of all that it holds."""
    client = cls(**EVERYWHERE)
    waiting = [client, client.completions, client.with_raw_response, client.copy(max_retries=0)]
    seen: list[object] = []
    while waiting:
        value = waiting.pop()
        shown = f"{value!r} {value!s} {getattr(value, '__dict__', '')!r}"
        assert not [secret for secret in SECRETS if secret in shown]
        seen.append(value)
        inner = list(getattr(value, "__dict__", {}).values())
        waiting += [
            item for item in inner if not isinstance(item, str) and not any(item is old for old in seen)
        ]
    assert len(seen) > 5
    assert (client.api_key, client.auth_token) == (KEY, TOKEN)


@pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
def test_a_clients_headers_show_no_key(cls: Any) -> None:
    """They hold it, for programs that read it; their repr does not."""
    client = cls(**EVERYWHERE)
    assert client.auth_headers == {"X-Api-Key": KEY, "Authorization": f"Bearer {TOKEN}"}
    assert client.default_headers["X-Api-Key"] == KEY
    for headers in (client.auth_headers, client.default_headers):
        assert not [secret for secret in SECRETS if secret in f"{headers!r} {headers}"]


def test_what_sent_a_request_shows_no_key(world: World) -> None:
    """Although it remembers the headers for the next one."""
    http = world.http(transport=httpx.MockTransport(Script([completion_reply()])))
    world.create(None, {**EVERYWHERE, "http_client": http})
    assert not [secret for secret in SECRETS if secret in f"{http!r} {vars(http)!r}"]


def test_sends_the_key(world: World) -> None:
    script = Script([completion_reply()])
    world.create(script, EVERYWHERE)
    headers = script.requests[0].headers
    assert headers["x-api-key"] == KEY
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-gateway-token"] == GATEWAY


def raised_by_hook(response: httpx.Response) -> None:
    response.raise_for_status()


FAILURES = {
    "status": lambda: error_reply(400),
    "status after retries": lambda: error_reply(529),
    "status, html": lambda: httpx.Response(502, html="<html>"),
    "status, broken body": lambda: httpx.Response(500, stream=Body(b"x", httpx.ReadError("reset"))),
    "status, bad gzip": lambda: httpx.Response(500, headers={"content-encoding": "gzip"}, stream=Body(b"x")),
    "no completion": lambda: httpx.Response(200, json={}),
    "no JSON": lambda: httpx.Response(200, text="{"),
    "bad gzip": lambda: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Body(b"x")),
    "cut gzip": lambda: httpx.Response(
        200,
        headers={"content-encoding": "gzip"},
        stream=Body(gzip.compress(b"x" * 999)[:30], httpx.ReadError("cut")),
    ),
    "broken body": lambda: httpx.Response(200, stream=Body(b"{", httpx.RemoteProtocolError("cut"))),
    "slow body": lambda: httpx.Response(200, stream=Body(b"{", httpx.ReadTimeout("slow"))),
    "refused": lambda: httpx.ConnectError("refused"),
    "slow": lambda: httpx.ConnectTimeout("slow"),
    "system": lambda: OSError("broken"),
    "redirect": lambda: httpx.Response(307, headers={"location": "http://elsewhere/"}),
    "redirect to nowhere": lambda: httpx.Response(307, headers={"location": "http://["}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_no_error_holds_a_key(world: World, failure: str) -> None:
    """Nor do its causes and contexts, their requests, its copies and its pickle."""
    script = Script([lambda request: FAILURES[failure]()])
    with pytest.raises(APIError) as caught:
        world.create(script, {**EVERYWHERE, "clock": FakeClock()})
    error = caught.value
    assert script.requests[0].headers["x-api-key"] == KEY
    assert_holds_no_secret(error, copy.copy(error), copy.deepcopy(error))
    assert not [secret for secret in SECRETS if secret.encode() in pickle.dumps(error)]
    assert error.request.headers["x-api-key"] == "[redacted]"
    assert error.request.content == script.requests[0].content


@pytest.mark.parametrize("failure", FAILURES)
def test_no_local_variable_of_a_failed_call_shows_a_key(world: World, failure: str) -> None:
    """Also not of the transport, which has the request as it goes over the wire."""

    def as_a_transport(request: httpx.Request) -> httpx.Response:
        sent = bytes(str(request.headers.multi_items()), "ascii")
        reply: Any = FAILURES[failure]()
        if isinstance(reply, Exception):
            raise reply
        assert sent
        return reply

    with pytest.raises(APIError) as caught:
        world.create(Script([as_a_transport]), {**EVERYWHERE, "clock": FakeClock()})
    shown = [*shown_locals(caught.value, besides="as_a_transport")]
    assert shown
    assert not [text for text in shown if any(secret in text for secret in SECRETS)]


@pytest.mark.parametrize("failure", FAILURES)
def test_no_error_of_a_stream_holds_a_key(world: World, failure: str) -> None:
    """Before the first chunk, and after it."""
    clock = FakeClock()
    with pytest.raises(APIError) as caught:
        raise (
            world.stream(Script([lambda request: FAILURES[failure]()]), {**EVERYWHERE, "clock": clock}).error
            or AssertionError
        )
    assert_holds_no_secret(caught.value)


@pytest.mark.parametrize(
    "end",
    [
        [httpx.ReadError("reset")],
        [httpx.ReadTimeout("slow")],
        [],
        [b'event: error\r\ndata: {"error": {"type": "overloaded_error"}}\r\n\r\n'],
        [b"event: completion\r\ndata: {\r\n\r\n"],
    ],
)
def test_no_error_within_a_stream_holds_a_key(world: World, end: list[Any]) -> None:
    streamed = world.stream(Script([stream_reply(chunk("Hi"), *end)]), EVERYWHERE)
    assert isinstance(streamed.error, APIError)
    assert streamed.error.completion == "Hi"
    assert_holds_no_secret(streamed.error, pickle.loads(pickle.dumps(streamed.error)))


def test_no_error_of_a_hook_of_the_users_holds_a_key(world: World) -> None:
    """httpx's own error for a status holds the request, and the reply, which holds it as well."""

    async def raised_by_async_hook(response: httpx.Response) -> None:
        response.raise_for_status()

    transport = httpx.MockTransport(Script([error_reply(500)]))
    http: Any = (
        httpx.Client(transport=transport, event_hooks={"response": [raised_by_hook]})
        if world.backend is None
        else httpx.AsyncClient(transport=transport, event_hooks={"response": [raised_by_async_hook]})
    )
    with pytest.raises(APIError) as caught:
        world.create(None, {**EVERYWHERE, "http_client": http, "max_retries": 0})
    assert isinstance(caught.value.__cause__, httpx.HTTPStatusError)
    assert_holds_no_secret(caught.value)


def test_no_result_holds_a_key(world: World) -> None:
    """A completion, a raw reply and its request."""

    def blocking(client: Anthropic) -> Any:
        return client.completions.create(**ARGUMENTS), client.completions.with_raw_response.create(
            **ARGUMENTS
        )

    async def awaiting(client: AsyncAnthropic) -> Any:
        raw = await client.completions.with_raw_response.create(**ARGUMENTS)
        return await client.completions.create(**ARGUMENTS), raw

    completion, raw = world.use(blocking, awaiting, Script([completion_reply()]), **EVERYWHERE)
    assert_holds_no_secret(completion, raw.headers, raw.http_request, raw.http_response)
    assert raw.http_request.headers["x-api-key"] == "[redacted]"


def test_no_decoding_error_of_raw_events_holds_a_key() -> None:
    """Also for a reply that httpx was asked for directly, whose request still has its key."""
    reply = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip"))
    with httpx.Client(transport=httpx.MockTransport(lambda _: reply)) as http:
        request = http.build_request("POST", "http://host/v1/complete", headers={"x-api-key": KEY})
        response = http.send(request, stream=True)
        with pytest.raises(APIError) as caught:
            list(Stream.raw_events(response))
    cause = caught.value.__cause__
    assert isinstance(cause, httpx.DecodingError)
    assert KEY not in (cause.request.headers["x-api-key"], caught.value.request.headers["x-api-key"])


def test_a_stream_shows_no_key(world: World) -> None:
    def shown(stream: Any) -> str:
        inner = [value for value in vars(stream).values() if hasattr(value, "__dict__")]
        return f"{stream!r} {vars(stream)!r} {[vars(value) for value in inner]!r}"

    def blocking(client: Anthropic) -> str:
        with client.completions.create(**ARGUMENTS, stream=True) as stream:
            return shown(stream)

    async def awaiting(client: AsyncAnthropic) -> str:
        async with await client.completions.create(**ARGUMENTS, stream=True) as stream:
            return shown(stream)

    text = world.use(blocking, awaiting, Script([stream_reply(chunk("Hi", "stop_sequence"))]), **EVERYWHERE)
    assert "Stream" in text
    assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("argument", ["api_key", "auth_token"])
@pytest.mark.parametrize(
    "bad", [f"{KEY}\n", f" {KEY}", f"{KEY} x", f"{KEY}\x00", f"{KEY}é", b"" + KEY.encode()]
)
def test_a_bad_key_is_refused_without_being_repeated(argument: str, bad: Any) -> None:
    """At once, for the client and for its copies."""
    for cls in (Anthropic, AsyncAnthropic):
        for make in (cls, cls(api_key="k").copy):
            with pytest.raises((TypeError, ValueError), match=f"^{argument}: expected") as caught:
                make(**{argument: bad})
            assert_holds_no_secret(caught.value)


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_a_bad_key_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"{KEY}\n")
    with pytest.raises(
        ValueError, match=f"^{name}: expected visible ASCII characters only, got white space at"
    ) as caught:
        Anthropic()
    assert_holds_no_secret(caught.value)


def test_a_password_in_the_base_url_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for url in (f"https://user:{KEY}@host", f"https://host?key={KEY}", httpx.URL(f"https://user:{KEY}@host")):
        for give in (lambda: Anthropic(base_url=url), lambda: Anthropic().copy(base_url=url)):  # noqa: B023
            with pytest.raises(ValueError, match=r"^base_url: expected") as caught:
                give()
            assert_holds_no_secret(caught.value)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"https://user:{KEY}@host")
    with pytest.raises(ValueError, match=r"^ANTHROPIC_BASE_URL: expected") as caught:
        Anthropic()
    assert_holds_no_secret(caught.value)


@pytest.mark.parametrize("bodies", [False, True])
def test_no_log_line_holds_a_key(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, bodies: bool
) -> None:
    """Of this package, httpx and httpcore, over a socket; prompts only where they were asked for."""
    caplog.set_level(logging.DEBUG)
    loggers = {"anthropic_completions", httpx.__name__}
    if world.has_pool:
        loggers.add(httpx.__name__.replace("httpx", "httpcore"))
    for name in loggers:
        caplog.set_level(logging.DEBUG, name)
    if bodies:
        monkeypatch.setenv("ANTHROPIC_LOG_BODIES", "1")
    with StandIn().serve() as url:
        options = {**EVERYWHERE, "base_url": url, "clock": FakeClock()}
        world.create(None, options, prompt="\n\nHuman: A private matter\n\nAssistant:")
        world.stream(None, options, prompt="\n\nHuman: A private matter\n\nAssistant:")
        with pytest.raises(BadRequestError):
            world.create(None, options, extra_body={"colour": "red"})
    world.create(Script([error_reply(500), completion_reply()]), {**EVERYWHERE, "clock": FakeClock()})
    assert {record.name.partition(".")[0] for record in caplog.records} >= loggers
    assert "POST /v1/complete with headers" in caplog.text
    assert "Retrying POST /v1/complete in 0.500 s after InternalServerError" in caplog.text
    assert "[redacted]" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]
    assert ("private matter" in caplog.text) is bodies


@pytest.mark.parametrize(
    ("level", "present", "absent"),
    [
        ("debug", ["- DEBUG] POST /v1/complete with headers", "- INFO] Retrying", "- httpx:"], []),
        ("info", ["- INFO] Retrying POST /v1/complete in", "- httpx:"], ["DEBUG"]),
        ("DEBUG", [], ["INFO", "DEBUG"]),
        ("", [], ["INFO", "DEBUG"]),
    ],
)
def test_anthropic_log_sets_up_logging(level: str, present: list[str], absent: list[str]) -> None:
    """As the old client did, in its spelling; with the first call, and without keys and prompts."""
    program = (
        "import os, httpx\n"
        f"os.environ.update(ANTHROPIC_LOG={level!r}, ANTHROPIC_API_KEY={KEY!r})\n"
        "from anthropic_completions import Anthropic\n"
        "replies = [httpx.Response(500, headers={'retry-after-ms': '1'}), httpx.Response(200, json={\n"
        "    'id': 'c', 'completion': '', 'model': 'm', 'stop_reason': None, 'type': 'completion'})]\n"
        "http = httpx.Client(transport=httpx.MockTransport(lambda request: replies.pop(0)))\n"
        "create = Anthropic(http_client=http).completions.create\n"
        "create(model='m', max_tokens_to_sample=1, prompt='A private matter')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0
    for text in present:
        assert text in done.stderr
    for text in (*absent, KEY, "private matter"):
        assert text not in done.stderr
