"""What goes wrong upstream, over sockets, and what the caller gets of it; and what callers do wrong."""

import json
from typing import Any

import anyio
import httpx
import pytest

from anthropic_completions.gateway import Settings, create_app
from anthropic_completions.sse import SSEDecoder
from gateway.test_gateway import ASKED, HEADERS, SCOPE, START
from raw_server import CLOSE, HANG, RESET, RawServer, Repeat, Step, framed, head

HTML = b"<html><body>Bad gateway</body></html>"


def reply(status: str, kind: str, body: bytes, *headers: str) -> bytes:
    """Return a whole reply."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def said(kind: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": "No."}}).encode()


def ask(loop: str, steps: list[Step], stream: bool, **settings: Any) -> httpx.Response:
    """Send one request through a gateway in front of a server of scripted bytes, which it must leave."""

    async def run(url: str) -> httpx.Response:
        app = create_app(Settings(upstream=url, **settings))
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")
        async with app.router.lifespan_context(app), http:
            return await http.post("/v1/complete", json={**ASKED, "stream": stream}, headers=HEADERS)

    with RawServer(steps) as upstream:
        answer = anyio.run(run, upstream.url, backend=loop)
        assert upstream.all_closed()
        assert upstream.requests == 1
        return answer


BEFORE_A_HEAD: dict[str, tuple[list[Step], int, str]] = {
    "closed": ([CLOSE], 502, "api_error"),
    "reset": ([RESET], 502, "api_error"),
    "no HTTP": ([b"nonsense\r\n\r\n", CLOSE], 502, "api_error"),
    "half a head": ([b"HTTP/1.1 200 OK\r\ncontent-", CLOSE], 502, "api_error"),
    "silence": ([HANG], 504, "timeout_error"),
    "HTML": ([reply("200 OK", "text/html", HTML)], 502, "api_error"),
    "429": (
        [reply("429 X", "application/json", said("rate_limit_error"), "retry-after: 7")],
        429,
        "rate_limit_error",
    ),
    "529": (
        [reply("529 X", "application/json", said("overloaded_error"), "x-should-retry: true")],
        529,
        "overloaded_error",
    ),
}


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("fault", BEFORE_A_HEAD)
def test_what_fails_before_there_is_an_answer_has_a_status(fault: str, stream: bool, loop: str) -> None:
    steps, status, kind = BEFORE_A_HEAD[fault]
    answer = ask(loop, steps, stream, timeout=0.5)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert answer.headers.get("retry-after") == ("7" if fault == "429" else None)
    assert answer.headers.get("x-should-retry") == ("true" if fault == "529" else None)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_an_error_in_html_comes_back_as_it_is(stream: bool) -> None:
    answer = ask("asyncio", [reply("503 X", "text/html", HTML)], stream)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (503, HTML, "text/html")


INSIDE_A_STREAM: dict[str, list[Step]] = {
    "closed": [framed(START), CLOSE],
    "reset": [framed(START), RESET],
    "an end without a stop reason": [framed(START), b"0\r\n\r\n"],
    "silence": [framed(START), HANG],
    "no event stream": [framed(START, b"event: content_block_delta\ndata: {\n\n"), HANG],
    "an event without end": [framed(START), Repeat(framed(b"data: " + b"x" * 65536))],
}


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
@pytest.mark.parametrize("fault", INSIDE_A_STREAM)
def test_what_fails_inside_a_stream_is_its_last_event(fault: str, loop: str) -> None:
    steps = [head("transfer-encoding: chunked"), *INSIDE_A_STREAM[fault]]
    answer = ask(loop, steps, stream=True, timeout=0.5)
    first, *_, last = (event for event in SSEDecoder().feed(answer.content) if event.event != "ping")
    assert (answer.status_code, first.event, first.json()["completion"]) == (200, "completion", " Hi")
    assert last.event == "error"
    assert last.json()["error"]["type"] in ("api_error", "timeout_error")


def test_a_caller_that_leaves_while_it_sends_is_answered_nothing_and_nothing_is_asked() -> None:
    async def run() -> list[Any]:
        app = create_app(Settings(upstream="http://127.0.0.1:9"))
        messages = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await app(SCOPE, receive, send)
        return sent

    assert anyio.run(run) == []
