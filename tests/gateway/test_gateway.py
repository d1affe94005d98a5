"""The gateway, in process: what callers get, what the upstream is asked, and what is bounded."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx
import pytest

from anthropic_completions.gateway import Settings, create_app
from anthropic_completions.sse import SSEDecoder
from anthropic_completions.testing import (
    Scripted,
    StandIn,
    completion,
    drop_after,
    error,
    overloaded,
    rate_limited,
)

HEADERS = {
    "x-api-key": "sk-of-the-caller",
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
}
ASKED: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "prompt": "\n\nHuman: Hello there\n\nAssistant:",
    "max_tokens_to_sample": 20,
}


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    """Each event loop that the gateway runs in."""
    return str(request.param)


def ask(
    loop: str,
    stand_in: StandIn,
    fields: Any = None,
    *,
    headers: dict[str, str] | None = None,
    method: str = "POST",
    path: str = "/v1/complete",
    **settings: Any,
) -> httpx.Response:
    """Send one request through a gateway whose upstream is a stand-in."""

    async def run() -> httpx.Response:
        upstream = httpx.AsyncClient(transport=stand_in.transport())
        app = create_app(Settings(upstream="http://upstream", **settings), http_client=upstream)
        transport = httpx.ASGITransport(app)
        async with upstream, httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
            body = fields if isinstance(fields, bytes) else json.dumps(ASKED if fields is None else fields)
            return await http.request(
                method, path, content=body, headers=HEADERS if headers is None else headers
            )

    return anyio.run(run, backend=loop)


def direct(fields: dict[str, Any], *scripted: Scripted) -> httpx.Response:
    """Send the same request to the old endpoint itself."""
    stand_in = StandIn(padding=False)
    stand_in.queue(*scripted)
    with httpx.Client(transport=stand_in.transport(), base_url="http://old") as http:
        return http.post("/v1/complete", json=fields, headers=HEADERS)


def events(body: bytes) -> list[tuple[str | None, Any]]:
    return [(event.event, event.json()) for event in SSEDecoder().feed(body)]


def without_ids(value: Any) -> Any:
    return {name: one for name, one in value.items() if name not in ("id", "log_id", "request_id")}


@pytest.mark.parametrize("stop", [None, ["there"]])
def test_a_completion_is_as_the_old_endpoint_gave_it(loop: str, stop: Any) -> None:
    fields = {**ASKED, **({"stop_sequences": stop} if stop else {})}
    answer, old = ask(loop, StandIn(), fields), direct(fields)
    assert answer.status_code == 200
    assert list(answer.json()) == list(old.json())
    assert without_ids(answer.json()) == without_ids(old.json())
    assert answer.headers["request-id"].startswith("req_")
    assert "anthropic-ratelimit-requests-limit" in answer.headers


def test_a_stream_is_as_the_old_endpoint_gave_it(loop: str) -> None:
    fields = {**ASKED, "stream": True}
    answer, old = ask(loop, StandIn(), fields), direct(fields)
    assert answer.headers["content-type"] == old.headers["content-type"]
    assert b"\r\n\r\n" in answer.content
    wanted = [(name, without_ids(data)) for name, data in events(old.content) if name != "ping"]
    got = [(name, without_ids(data)) for name, data in events(answer.content) if name != "ping"]
    assert got == wanted
    assert answer.content.replace(b"msg_", b"compl_") == old.content.replace(
        b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n', b""
    )


@pytest.mark.parametrize(
    "scripted", [overloaded(), rate_limited(7), error(500), error(401), error(403), error(413)]
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_comes_back_as_it_is(loop: str, scripted: Scripted, stream: bool) -> None:
    stand_in = StandIn()
    stand_in.queue(scripted)
    fields = {**ASKED, "stream": stream}
    answer, old = ask(loop, stand_in, fields), direct(fields, scripted)
    assert answer.status_code == old.status_code
    assert without_ids(answer.json()) == without_ids(old.json())
    for name in ("retry-after", "x-should-retry"):
        assert answer.headers.get(name) == old.headers.get(name)
    assert len(stand_in.received) == 1


def test_an_error_inside_a_stream_comes_as_its_event(loop: str) -> None:
    stand_in = StandIn()
    stand_in.queue(overloaded(after_chunks=1))
    name, data = events(ask(loop, stand_in, {**ASKED, "stream": True}).content)[-1]
    assert (name, data["error"]["type"]) == ("error", "overloaded_error")


def test_a_stream_that_the_upstream_drops_ends_in_an_error(loop: str) -> None:
    stand_in = StandIn()
    stand_in.queue(drop_after(1))
    got = events(ask(loop, stand_in, {**ASKED, "stream": True}).content)
    assert got[0][0] == "completion"
    assert (got[-1][0], got[-1][1]["error"]["type"]) == ("error", "api_error")
    assert all(data.get("stop_reason") is None for _, data in got)


def test_an_answer_that_breaks_off_is_a_502(loop: str) -> None:
    stand_in = StandIn()
    stand_in.queue(drop_after(1))
    answer = ask(loop, stand_in)
    assert (answer.status_code, answer.json()["error"]["type"]) == (502, "api_error")


def test_a_refusal_is_an_error_with_its_category(loop: str) -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "so"}
    for stream in (False, True):
        stand_in = StandIn()
        stand_in.queue(completion("", stop_reason="refusal", stop_details=details))
        answer = ask(loop, stand_in, {**ASKED, "stream": stream})
        data = events(answer.content)[-1][1] if stream else answer.json()
        assert answer.status_code == (200 if stream else 400)
        assert data["error"]["type"] == "invalid_request_error"
        assert "bio" in data["error"]["message"]


def test_the_callers_credentials_and_versions_are_passed_on_and_no_others(loop: str) -> None:
    stand_in = StandIn()
    more = {
        "anthropic-beta": "a,b",
        "anthropic-workspace-id": "wrkspc_1",
        "cookie": "c=1",
        "x-forwarded-for": "10.0.0.1",
    }
    ask(loop, stand_in, headers={**HEADERS, **more})
    (received,) = stand_in.received
    assert received.path == "/v1/messages"
    assert received.headers["x-api-key"] == HEADERS["x-api-key"]
    assert received.headers["anthropic-version"] == "2023-06-01"
    assert (received.betas, received.headers["anthropic-workspace-id"]) == (["a", "b"], "wrkspc_1")
    assert not {"cookie", "x-forwarded-for"} & received.headers.keys()


def test_nothing_of_the_gateways_environment_is_sent_for_a_caller(
    loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of-the-gateway")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Secret: 1")
    stand_in = StandIn()
    headers = {**HEADERS, "authorization": "Bearer token"}
    del headers["x-api-key"]
    ask(loop, stand_in, headers=headers)
    (received,) = stand_in.received
    assert received.headers["authorization"] == "Bearer token"
    assert not {"x-api-key", "x-secret"} & received.headers.keys()


@pytest.mark.parametrize("shown", ["x-api-key", "authorization"])
def test_a_key_of_the_gateway_asks_for_callers_who_show_theirs(loop: str, shown: str) -> None:
    stand_in = StandIn()
    keys: dict[str, Any] = {"api_key": "upstream-key", "client_key": "ours"}
    headers = {name: value for name, value in HEADERS.items() if name != "x-api-key"}
    right = {**headers, shown: "ours" if shown == "x-api-key" else "Bearer ours"}
    assert ask(loop, stand_in, headers=right, **keys).status_code == 200
    assert stand_in.received[0].headers["x-api-key"] == "upstream-key"
    assert "ours" not in str(stand_in.received[0].headers.values())
    wrong = {**headers, shown: "upstream-key"}
    assert ask(loop, stand_in, headers=wrong, **keys).status_code == 401
    assert len(stand_in.received) == 1


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"prompt": "Hello"}, 400, "prompt must start with"),
        ({"max_tokens": 5}, 400, "max_tokens: Extra inputs are not permitted"),
        ({"max_tokens_to_sample": 0}, 400, "max_tokens_to_sample"),
        ({"model": 5}, 400, "model"),
    ],
)
def test_a_wrong_request_is_refused_in_the_old_terms_and_not_passed_on(
    loop: str, change: dict[str, Any], status: int, told: str
) -> None:
    stand_in = StandIn()
    answer = ask(loop, stand_in, {**ASKED, **change})
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, "invalid_request_error")
    assert told in answer.json()["error"]["message"]
    assert stand_in.received == []


@pytest.mark.parametrize("body", [b"{", b'{"model": "\\ud800"}', b"\xff"])
def test_a_body_that_is_no_json_is_refused(loop: str, body: bytes) -> None:
    answer = ask(loop, StandIn(), body)
    assert answer.status_code == 400
    assert "not valid JSON" in answer.json()["error"]["message"]


def test_other_paths_and_methods_have_the_services_errors(loop: str) -> None:
    assert ask(loop, StandIn(), path="/v1/other").json()["error"]["type"] == "not_found_error"
    answer = ask(loop, StandIn(), method="GET")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_model_map_is_followed_and_losses_are_told_in_a_header(loop: str) -> None:
    stand_in = StandIn()
    fields = {**ASKED, "model": "claude-2.1", "top_k": 5}
    answer = ask(loop, stand_in, fields, model_map={"claude-2.1": "claude-opus-4-8"})
    assert answer.json()["model"] == stand_in.received[0].json()["model"] == "claude-opus-4-8"
    assert answer.headers["anthropic-completions-losses"] == "sampling_refused"
    quiet = ask(loop, StandIn(), fields, model_map={"claude-2.1": "claude-opus-4-8"}, on_loss="drop")
    assert "anthropic-completions-losses" not in quiet.headers


def test_with_losses_an_error_the_request_is_refused(loop: str) -> None:
    stand_in = StandIn()
    answer = ask(loop, stand_in, {**ASKED, "model": "claude-opus-4-8", "top_k": 5}, on_loss="error")
    assert answer.status_code == 400
    assert "top_k" in answer.json()["error"]["message"]
    assert stand_in.received == []


def test_a_retired_model_without_a_map_is_a_404_that_says_how_to_map(loop: str) -> None:
    stand_in = StandIn()
    stand_in.queue(error(404, "not_found_error", "model: claude-2.1"))
    answer = ask(loop, stand_in, {**ASKED, "model": "claude-2.1"})
    assert answer.status_code == 404
    assert "--map claude-2.1=" in answer.json()["error"]["message"]


def test_an_upstreams_word_for_the_limit_is_the_old_one(loop: str) -> None:
    stand_in = StandIn()
    stand_in.queue(error(400, "invalid_request_error", "max_tokens: 9 > 8, which is the maximum"))
    message = ask(loop, stand_in).json()["error"]["message"]
    assert message.startswith("max_tokens_to_sample: 9 > 8")


def test_a_model_that_is_passed_through_is_asked_of_the_old_endpoint(loop: str) -> None:
    stand_in = StandIn()
    fields = {**ASKED, "model": "claude-2.1"}
    answer = ask(loop, stand_in, fields, passthrough=("claude-2*",), model_map={"claude-2.1": "other"})
    assert stand_in.received[0].path == "/v1/complete"
    assert answer.json()["id"].startswith("compl_")


def test_the_gateway_tries_again_where_it_is_told_to(loop: str) -> None:
    stand_in = StandIn()
    stand_in.queue(rate_limited(0.001))
    assert ask(loop, stand_in, max_retries=1).status_code == 200
    assert len(stand_in.received) == 2


def test_a_body_above_the_limit_is_refused_as_the_edge_does() -> None:
    # In asyncio only: httpx leaves what it did not send to be forgotten, of which trio warns.
    answer = ask("asyncio", StandIn(), max_body_bytes=100)
    assert answer.status_code == 413
    assert answer.json() == {
        "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}
    }


def test_health_readiness_and_metrics_are_told(loop: str) -> None:
    for path in ("/healthz", "/readyz"):
        answer = ask(loop, StandIn(), method="GET", path=path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "anthropic_completions_gateway_running" in ask(loop, StandIn(), method="GET", path="/metrics").text


def test_the_log_tells_of_a_request_without_its_prompt_or_key(
    loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        ask(loop, StandIn())
    (line,) = [one.getMessage() for one in caplog.records if one.name == "anthropic_completions.gateway"]
    told = json.loads(line)
    assert (told["status"], told["outcome"], told["model"]) == (200, "complete", "claude-haiku-4-5")
    assert told["request_id"].startswith("req_")
    assert "Hello there" not in caplog.text
    assert HEADERS["x-api-key"] not in caplog.text


# What is driven below HTTP: callers that leave, that are slow, that are many.

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/complete",
    "query_string": b"",
    "headers": [(name.encode(), value.encode()) for name, value in HEADERS.items()],
}


class Hanging(httpx.AsyncBaseTransport):
    """An upstream that falls silent, before its answer or inside a stream."""

    def __init__(self, start: bytes | None) -> None:
        self._start = start
        self.left = anyio.Event()
        self.asked = anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        if self._start is None:
            await self._silence()
        return httpx.Response(200, stream=Silent(self, self._start or b""))

    async def _silence(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self.left.set()


class Silent(httpx.AsyncByteStream):
    def __init__(self, upstream: Hanging, start: bytes) -> None:
        self._upstream = upstream
        self._start = start

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._start
        await self._upstream._silence()


def drive(
    loop: str, upstream: httpx.AsyncBaseTransport, play: Callable[..., Any], stream: bool, **settings: Any
) -> Any:
    """Call the application with what plays the caller: it is given ways to leave, and what was sent."""

    async def run() -> Any:
        http = httpx.AsyncClient(transport=upstream)
        app = create_app(Settings(upstream="http://upstream", **settings), http_client=http)
        body = json.dumps({**ASKED, "stream": stream}).encode()
        left, sent, changed = anyio.Event(), [], [anyio.Event()]
        begun = False

        async def receive() -> dict[str, Any]:
            nonlocal begun
            if not begun:
                begun = True
                return {"type": "http.request", "body": body}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            changed[0].set()
            changed[0] = anyio.Event()

        with anyio.fail_after(20):
            async with http, anyio.create_task_group() as group:
                group.start_soon(app, SCOPE, receive, send)
                result = await play(left, sent, changed)
                left.set()
        return result

    return anyio.run(run, backend=loop)


START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m"}}\n\n'
    b'event: content_block_start\ndata: {"index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
)


@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_that_leaves_frees_the_upstream_at_once(loop: str, stream: bool) -> None:
    async def play(left: anyio.Event, sent: list[Any], changed: list[anyio.Event]) -> None:
        await upstream.asked.wait()
        while stream and len(sent) < 2:
            await changed[0].wait()
        left.set()
        with anyio.fail_after(1):
            await upstream.left.wait()

    upstream = Hanging(START if stream else None)
    drive(loop, upstream, play, stream)


def test_a_silent_stream_is_kept_alive_with_pings(loop: str) -> None:
    async def play(left: anyio.Event, sent: list[Any], changed: list[anyio.Event]) -> Any:
        while len(sent) < 5:
            await changed[0].wait()
        return [message.get("body", b"") for message in sent]

    bodies = drive(loop, Hanging(START), play, stream=True, ping_seconds=0.01)
    assert bodies.count(b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n') >= 2


def test_more_callers_than_there_may_be_are_answered_529(loop: str) -> None:
    async def run() -> Any:
        upstream = Hanging(None)
        http = httpx.AsyncClient(transport=upstream)
        app = create_app(Settings(upstream="http://upstream", max_concurrency=1), http_client=http)
        transport = httpx.ASGITransport(app)
        caller = httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=HEADERS)
        async with http, caller, anyio.create_task_group() as group:
            group.start_soon(lambda: caller.post("/v1/complete", json=ASKED))
            await upstream.asked.wait()
            second = await caller.post("/v1/complete", json=ASKED)
            ready = await caller.get("/readyz")
            group.cancel_scope.cancel()
        return second, ready

    second, ready = anyio.run(run, backend=loop)
    assert (second.status_code, second.json()["error"]["type"]) == (529, "overloaded_error")
    assert second.headers["retry-after"] == "1"
    assert ready.status_code == 503


def test_a_body_that_does_not_come_is_given_up(loop: str) -> None:
    async def run() -> list[Any]:
        app = create_app(Settings(upstream="http://upstream", body_timeout=0.01))
        sent: list[Any] = []

        async def receive() -> Any:
            await anyio.sleep_forever()

        async def send(message: Any) -> None:
            sent.append(message)

        await app(SCOPE, receive, send)
        return sent

    assert anyio.run(run, backend=loop)[0]["status"] == 408
