"""Scripted replies: the same in process and over a socket, for each kind of client."""

import asyncio
import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from anthropic_completions import APIError
from anthropic_completions.testing import (
    Scripted,
    StandIn,
    completion,
    drop,
    drop_after,
    error,
    overloaded,
    rate_limited,
    raw,
    stall,
    truncate,
)
from spread import spread, with_both_clients
from support import ARGUMENTS, World

TEXT = " Hello! My name is Claude."
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
HTML = b"<html><body>Bad gateway</body></html>"
CHUNK = b'event: completion\r\ndata: {"completion":" x","stop_reason":"max_tokens"}\r\n\r\n'
PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"


class Outcome(NamedTuple):
    """What came of a call: the class of the error or None, and the text."""

    error: str | None
    text: str | None


class Case(NamedTuple):
    script: Scripted
    plain: Outcome
    streamed: Outcome


def fails(name: str, plain: str | None = None, text: str | None = "") -> tuple[Outcome, Outcome]:
    """Return the outcomes for plain calls and for streams."""
    return Outcome(plain or name, None), Outcome(name, text)


FINE = (Outcome(None, TEXT),) * 2
REFUSED = None  # what a stream that was never opened has as its text

CASES = {
    "completion": Case(completion(" Mine."), *[Outcome(None, " Mine.")] * 2),
    "an empty completion": Case(completion(""), *[Outcome(None, "")] * 2),
    "overloaded": Case(overloaded(), *fails("OverloadedError", text=REFUSED)),
    "overloaded in a stream": Case(overloaded(after_chunks=2), *fails("OverloadedError", text=" Hello! My")),
    "overloaded at once in a stream": Case(overloaded(after_chunks=0), *fails("OverloadedError", text="")),
    "rate limited": Case(rate_limited(0.2), *fails("RateLimitError", text=REFUSED)),
    "billing": Case(error(402), *fails("BillingError", text=REFUSED)),
    "an unknown kind": Case(
        error(500, "new_error", "New.", after_chunks=1),
        Outcome("InternalServerError", None),
        Outcome("APIStatusError", " Hello!"),
    ),
    "drop": Case(drop(), *fails("APIConnectionError", text=REFUSED)),
    "drop after no chunk": Case(
        drop_after(0), *fails("IncompleteStreamError", "APIConnectionError", text="")
    ),
    "drop after some": Case(
        drop_after(3), *fails("IncompleteStreamError", "APIConnectionError", text=" Hello! My name")
    ),
    "drop after all": Case(drop_after(99), *fails("IncompleteStreamError", "APIConnectionError", text=TEXT)),
    "a short silence": Case(stall(0.01), *FINE),
    "a short silence inside": Case(stall(0.01, after_chunks=2, ping_every=0.004), *FINE),
    "silence": Case(stall(3600), *fails("APITimeoutError", text=REFUSED)),
    "silence inside": Case(
        stall(3600, after_chunks=2),
        Outcome("APITimeoutError", None),
        Outcome("APITimeoutError", " Hello! My"),
    ),
    "truncated after chunks": Case(
        truncate(chunks=2), *fails("IncompleteStreamError", "APIResponseValidationError", " Hello! My")
    ),
    "truncated in an event": Case(
        truncate(size=30), *fails("IncompleteStreamError", "APIResponseValidationError", "")
    ),
    "truncated in the middle": Case(
        truncate(text=" a b c d e f"), *fails("IncompleteStreamError", "APIResponseValidationError", " a b c")
    ),
    "markup": Case(raw(HTML), *fails("APIResponseValidationError")),
    "markup with a status": Case(raw(HTML, status=503), *fails("ServiceUnavailableError", text=REFUSED)),
    "raw events": Case(
        raw(CHUNK[:5], CHUNK[5:]), *fails("APIResponseValidationError")[:1], Outcome(None, " x")
    ),
}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[StandIn, str]]:
    stand_in = StandIn()
    with stand_in.serve() as url:
        yield stand_in, url


def call(world: World, stand_in: StandIn, url: str | None, *, stream: bool, patience: float) -> Outcome:
    """Make one call, without retries, in process or to a URL."""
    options: dict[str, Any] = {"max_retries": 0, "timeout": patience}
    arguments = {**ARGUMENTS, "stream": stream}

    def blocking(client: Any) -> str:
        result = client.completions.create(**arguments)
        return result.get_final_completion().completion if stream else result.completion

    async def awaiting(client: Any) -> str:
        result = await client.completions.create(**arguments)
        return (await result.get_final_completion()).completion if stream else result.completion

    try:
        if url is not None:
            # Loading certificates takes longer than all the rest, and there is no TLS here.
            kind = httpx.Client if world.backend is None else httpx.AsyncClient
            options["http_client"] = kind(verify=False)
            return Outcome(None, world.use(blocking, awaiting, base_url=url, **options))
        if world.backend is None:
            with stand_in.client(**options) as client:
                return Outcome(None, blocking(client))

        async def run() -> str:
            async with stand_in.async_client(**options) as client:
                return await awaiting(client)

        return Outcome(None, anyio.run(run, backend=world.backend))
    except APIError as caught:
        return Outcome(type(caught).__name__, caught.completion)


each_case = pytest.mark.parametrize(
    ("name", "stream", "world"),
    spread({name: (name,) for name in CASES}, with_both_clients({"plain": (False,), "streamed": (True,)})),
)


@each_case
def test_a_reply_in_process(world: World, name: str, stream: bool) -> None:
    case = CASES[name]
    stand_in = StandIn()
    stand_in.queue(case.script)
    outcome = call(world, stand_in, None, stream=stream, patience=600)
    assert outcome == (case.streamed if stream else case.plain)
    # The next one is as usual.
    assert call(world, stand_in, None, stream=stream, patience=600) == Outcome(None, TEXT)


@each_case
def test_a_reply_over_a_socket(world: World, served: tuple[StandIn, str], name: str, stream: bool) -> None:
    case = CASES[name]
    stand_in, url = served
    stand_in.queue(case.script)
    # Long enough for the request to arrive at a busy machine.
    patience = 0.5 if name in ("silence", "silence inside") else 60
    outcome = call(world, stand_in, url, stream=stream, patience=patience)
    assert outcome == (case.streamed if stream else case.plain)
    assert call(world, stand_in, url, stream=stream, patience=60) == Outcome(None, TEXT)


class TestScripts:
    """What scripts say, and in which order they are taken."""

    def test_replies_are_taken_in_order(self) -> None:
        stand_in = StandIn()
        client = stand_in.client()
        stand_in.queue(completion("1"), completion("2"))
        stand_in.queue(completion("3"))
        assert [client.completions.create(**ARGUMENTS).completion for _ in range(4)] == ["1", "2", "3", TEXT]
        assert not stand_in.queued

    def test_a_client_waits_for_as_long_as_it_is_asked_to_and_no_time_passes(self, world: World) -> None:
        stand_in = StandIn()
        stand_in.queue(rate_limited(20), overloaded())
        if world.backend is None:
            stand_in.client().completions.create(**ARGUMENTS)
        else:

            async def run() -> None:
                await stand_in.async_client().with_options(max_retries=2).completions.create(**ARGUMENTS)

            anyio.run(run, backend=world.backend)
        assert stand_in.clock.waits == [20.0, 1.0]

    def test_a_function_can_answer_by_the_request(self) -> None:
        stand_in = StandIn(
            respond=lambda received: completion("Two.") if "second" in received.json()["prompt"] else None
        )
        client = stand_in.client()
        assert client.completions.create(**ARGUMENTS).completion == TEXT
        second = {**ARGUMENTS, "prompt": "\n\nHuman: second\n\nAssistant:"}
        assert client.completions.create(**second).completion == "Two."
        stand_in.queue(completion("Three."))
        assert client.completions.create(**second).completion == "Three."

    def test_fields_of_a_completion_can_be_set(self) -> None:
        stand_in = StandIn()
        stand_in.queue(completion(" x", stop_reason="max_tokens", model="mine", extra=1))
        result = stand_in.client().completions.create(**ARGUMENTS)
        assert (result.stop_reason, result.stop, result.model, result.extra) == (
            "max_tokens",
            None,
            "mine",
            1,
        )

    def test_an_error_says_what_it_is_told_to(self) -> None:
        stand_in = StandIn()
        stand_in.queue(error(418, "teapot_error", "Short and stout.", headers={"x-teapot": "yes"}))
        with pytest.raises(APIError, match="Short and stout") as caught:
            stand_in.client().completions.create(**ARGUMENTS)
        assert (caught.value.status_code, caught.value.type) == (418, "teapot_error")
        assert caught.value.response.headers["x-teapot"] == "yes"

    @pytest.mark.parametrize("status", [200, 399, 600])
    def test_an_error_has_an_errors_status(self, status: int) -> None:
        with pytest.raises(ValueError, match="status"):
            error(status)

    def test_raw_headers_are_all_that_is_sent(self) -> None:
        stand_in = StandIn()
        stand_in.queue(raw(b"x", status=418, headers={"x-mine": "1"}))
        client = httpx.Client(transport=stand_in.transport())
        headers = {"x-api-key": "k", "anthropic-version": "v", "content-type": "application/json"}
        response = client.post("http://x/v1/complete", json=ARGUMENTS, headers=headers)
        assert (response.status_code, dict(response.headers), response.content) == (
            418,
            {"x-mine": "1"},
            b"x",
        )

    def test_silence_that_is_broken_by_pings_is_idle_for_a_stream(self) -> None:
        stand_in = StandIn()
        stand_in.queue(stall(100, after_chunks=1, ping_every=10))
        client = stand_in.client(stream_idle_timeout=30.0)
        with pytest.raises(APIError) as caught:
            client.completions.create(**ARGUMENTS, stream=True).get_final_completion()
        assert (type(caught.value).__name__, caught.value.completion) == ("APITimeoutError", " Hello!")

    def test_a_script_shows_what_it_is(self) -> None:
        shown = repr([overloaded(), drop_after(3), stall(5), completion("x")])
        assert shown == "[<error(529, 'overloaded_error')>, <drop_after(3)>, <stall(5)>, <completion('x')>]"


def request_bytes(body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    lines = ["POST /v1/complete HTTP/1.1", "host: x", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join([*lines, f"content-length: {len(content)}", "", ""]).encode() + content


class TestServed:
    """What only a socket shows."""

    def test_the_connection_is_really_closed(self, served: tuple[StandIn, str]) -> None:
        stand_in, url = served
        stand_in.queue(drop_after(2))
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(request_bytes({**ARGUMENTS, "stream": True}))
            came = b"".join(iter(lambda: connection.recv(65536), b""))
        assert came.count(b"event: completion") == 2
        assert not came.endswith(b"0\r\n\r\n")  # what would end the body

    def test_beta_headers_on_several_lines_are_all_heard(self, served: tuple[StandIn, str]) -> None:
        stand_in, url = served
        headers = [("anthropic-beta", "a-1"), ("anthropic-beta", "b-2")]
        httpx.post(f"{url}/v1/complete?x=1", headers=headers)
        assert stand_in.received[-1].betas == ["a-1", "b-2"]
        assert stand_in.received[-1].query == "x=1"

    def test_a_body_above_the_limit_is_read_and_refused(self) -> None:
        with StandIn(max_body_bytes=1000).serve() as url:
            assert httpx.post(f"{url}/v1/complete", content=b"x" * 3_000_000).status_code == 413

    def test_a_reply_waits_for_no_acknowledgement(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nagle's algorithm would hold the second write of each reply back for some 40 ms."""
        options: list[int] = []
        made = H11Protocol.connection_made

        def noted(protocol: H11Protocol, transport: asyncio.Transport) -> None:
            connection = transport.get_extra_info("socket")
            options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            made(protocol, transport)

        monkeypatch.setattr(H11Protocol, "connection_made", noted)
        with StandIn().serve() as url:
            assert httpx.post(f"{url}/v1/complete", json=ARGUMENTS, headers=HEADERS).status_code == 200
        assert len(options) == 1
        assert options[0] != 0

    def test_stopping_waits_for_no_one(self) -> None:
        stand_in = StandIn()
        stand_in.queue(stall(3600))
        serving = stand_in.serve()
        url = serving.__enter__()
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20) as connection:
            connection.sendall(request_bytes({**ARGUMENTS}))
            while not stand_in.received:
                pass
            serving.__exit__(None, None, None)
            assert connection.recv(1) == b""

    def test_a_delay_is_real_and_kept_to_a_given_clock(self) -> None:
        from anthropic_completions.testing import FakeClock

        clock = FakeClock()
        with StandIn(delay=3600.0, clock=clock).serve() as url:
            response = httpx.post(f"{url}/v1/complete", json=ARGUMENTS, headers=HEADERS)
        assert response.status_code == 200
        assert clock.waits == [3600.0]


class TestThePage:
    """The examples of docs/testing.md."""

    def blocks(self) -> list[str]:
        return re.findall(
            r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )

    def test_the_examples_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        plain = [
            block for block in self.blocks() if "pytest_plugins" not in block and "def test_" not in block
        ]
        assert len(plain) == 6
        for block in plain:
            exec(compile(block, str(PAGE), "exec"), {})
        assert "sk-secret" not in Path("evaluation.json").read_text(encoding="utf-8")

    def test_the_fixtures_work(self, tmp_path: Path) -> None:
        (conftest,) = [block for block in self.blocks() if "pytest_plugins" in block]
        (tests,) = [block for block in self.blocks() if "def test_" in block]
        (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
        (tmp_path / "test_page.py").write_text(tests, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "--rootdir=.",
        ]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            # Plugins that the page does not name take seconds to load.
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_serving_leaves_the_programs_logging_alone(tmp_path: Path) -> None:
    """A program's log file is written to the end, also where it was opened anew for writing."""
    handler = logging.FileHandler(tmp_path / "log", mode="w")
    record = logging.makeLogRecord({"msg": "after"})
    with StandIn().serve():
        pass
    handler.emit(record)
    handler.close()
    assert (tmp_path / "log").read_text() == "after\n"


def test_a_negative_number_of_chunks_is_refused() -> None:
    """It would otherwise count from the end."""
    with pytest.raises(ValueError, match="chunks: expected 0 or more, got -1"):
        drop_after(-1)
