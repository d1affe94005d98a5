"""What is wrong around a client is said at once, by name, and without passwords."""

import logging
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    APIConnectionError,
    APIError,
    APITimeoutError,
    AsyncAnthropic,
    RequestTooLargeError,
)
from anthropic_completions._restore.shared_http import SharedAsyncClient, SharedClient
from anthropic_completions.batch import acomplete_many, complete_many
from anthropic_completions.testing import StandIn
from raw_server import RawServer
from reachable import assert_holds_none
from support import ARGUMENTS, FakeClock, Script, World, completion_reply, error_reply

QUERY_KEY = "query-key-of-a-gateway"
BODY = completion_reply().content
REPLY = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY

ENVIRONMENTS: dict[str, tuple[str, str, list[str]]] = {
    "no certificates": ("SSL_CERT_FILE", "/no/such/file.pem", ["SSL_CERT_FILE", "/no/such/file.pem"]),
    "no folder of certificates": ("SSL_CERT_DIR", "/no/such/folder", ["SSL_CERT_DIR", "/no/such/folder"]),
    "an unknown proxy": (
        "HTTPS_PROXY",
        "gopher://user:pass-word@proxy:1",
        ["HTTPS_PROXY", "gopher", "proxy:1"],
    ),
    "socks without socksio": (
        "ALL_PROXY",
        "socks5://user:pass-word@proxy:1",
        ["ALL_PROXY", "socksio", "proxy:1"],
    ),
}


@pytest.mark.parametrize("what", ENVIRONMENTS)
def test_an_environment_that_cannot_work_is_a_value_error_at_the_first_call(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """It names the variable and its value, but no password."""
    if world.lent:
        pytest.skip("a lent httpx client reads the environment itself")
    monkeypatch.setitem(sys.modules, "socksio", None)
    variable, value, says = ENVIRONMENTS[what]
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError) as caught:
        world.create()
    for text in says:
        assert text in str(caught.value)
    assert "pass-word" not in str(caught.value)


def test_a_connection_error_names_host_and_port(world: World) -> None:
    with pytest.raises(APIConnectionError, match=r"\(127\.0\.0\.1:1\)"):
        world.create(None, {"base_url": "http://127.0.0.1:1", "max_retries": 0})


def test_a_connection_error_names_the_variable_that_says_where(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://[::1]:1")
    with pytest.raises(APIConnectionError, match=r"\(\[::1\]:1, which ANTHROPIC_BASE_URL says\)"):
        world.create(None, {"max_retries": 0})
    with pytest.raises(APIConnectionError) as caught:
        world.create(None, {"base_url": "http://127.0.0.1:1", "max_retries": 0})
    assert "ANTHROPIC_BASE_URL" not in str(caught.value)
    copied = Anthropic(api_key="k").copy(base_url="http://127.0.0.1:1", max_retries=0)
    with pytest.raises(APIConnectionError) as caught:
        copied.completions.create(**ARGUMENTS)
    assert "ANTHROPIC_BASE_URL" not in str(caught.value)


def test_a_certificate_error_is_not_tried_again(world: World) -> None:
    """The other side would show the same certificate."""

    def refuse(request: httpx.Request) -> httpx.Response:
        error = httpx.ConnectError("certificate verify failed")
        error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
        raise error

    script = Script([refuse])
    with pytest.raises(APIConnectionError):
        world.create(script, {"clock": FakeClock()})
    assert len(script.requests) == 1


class TestQueries:
    """Gateways take keys there."""

    OPTIONS: ClassVar[Any] = {"default_query": {"key": QUERY_KEY, "of": {"the": QUERY_KEY}}}

    def test_no_log_line_holds_what_the_settings_put_into_the_query(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("anthropic_completions", httpx.__name__):
            caplog.set_level(logging.DEBUG, name)
        with StandIn().serve() as url:
            world.create(None, {**self.OPTIONS, "base_url": url})
        assert "HTTP Request" in caplog.text
        assert QUERY_KEY not in caplog.text

    def test_no_log_line_of_a_call_through_a_proxy_holds_it(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There httpx sends as it always does, and logs the address."""
        caplog.set_level(logging.DEBUG, httpx.__name__)
        with StandIn().serve() as url:  # in the proxy's place
            monkeypatch.setenv("HTTP_PROXY", url)
            with pytest.raises(APIError):
                world.create(None, {**self.OPTIONS, "base_url": "http://completions.test", "max_retries": 0})
        assert "HTTP Request: POST http://completions.test" in caplog.text
        assert QUERY_KEY not in caplog.text

    def test_a_lent_transport_sees_the_address_as_it_is_to_be_sent(self, world: World) -> None:
        """Also by `str`, by which transports for other libraries, signatures and mocks take it."""
        seen: list[tuple[str, bool, str]] = []

        def transport(request: httpx.Request) -> httpx.Response:
            url = request.url
            seen.append((str(url), url == httpx.URL(str(url)), url.query.decode()))
            return completion_reply()

        world.create(Script([transport]), {"default_query": {"key": QUERY_KEY}})
        assert seen == [(f"https://api.anthropic.com/v1/complete?key={QUERY_KEY}", True, f"key={QUERY_KEY}")]

    def test_a_restored_client_sends_the_address_as_it_is(self, world: World) -> None:
        transport = httpx.MockTransport(script := Script([completion_reply()]))
        http: Any = (
            SharedClient(httpx.Client(transport=transport), None)
            if world.backend is None
            else SharedAsyncClient(httpx.AsyncClient(transport=transport), None)
        )
        world.create(None, {"default_query": {"key": QUERY_KEY}, "http_client": http})
        assert script.requests[0].url.raw_path.decode().endswith(f"?key={QUERY_KEY}")

    @pytest.mark.parametrize("reply", [lambda: error_reply(400), lambda: httpx.ConnectError("refused")])
    def test_no_error_holds_it(self, world: World, reply: Any) -> None:
        script = Script([lambda request: reply()])
        with pytest.raises(APIError) as caught:
            world.create(
                script, {**self.OPTIONS, "max_retries": 0}, extra_query={"page": "2", "token": QUERY_KEY}
            )
        assert script.requests[0].url.params["key"] == QUERY_KEY
        assert script.requests[0].url.params["of[the]"] == QUERY_KEY
        assert caught.value.request.url.params["page"] == "2"
        assert "redacted" in str(caught.value.request.url)
        assert_holds_none([QUERY_KEY], caught.value, str(caught.value.request.url))

    def test_a_result_does_not_show_it(self, world: World) -> None:
        def blocking(client: Any) -> Any:
            return client.completions.with_raw_response.create(**ARGUMENTS)

        async def awaiting(client: Any) -> Any:
            return await client.completions.with_raw_response.create(**ARGUMENTS)

        raw = world.use(blocking, awaiting, Script([completion_reply()]), **self.OPTIONS)
        assert QUERY_KEY not in f"{raw.url} {raw.http_request.url} {raw.http_response.url!r}"


@pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
def test_a_client_whose_making_failed_has_a_repr(cls: Any) -> None:
    """Debuggers and reports of errors show it."""
    client = cls.__new__(cls)
    with pytest.raises(ValueError):
        client.__init__(api_key="k", max_retries=-1)
    assert repr(client).startswith(f"{cls.__name__}(")


class _Refusing:
    """Answers 413 as soon as the head of a request is there, and closes without reading the rest."""

    def __init__(self) -> None:
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.requests += 1
                connection.recv(1024)
                body = b'{"error": {"type": "request_too_large", "message": "Too large."}}'
                connection.sendall(
                    b"HTTP/1.1 413 Too Large\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
                    + body
                )
                time.sleep(0.05)

    def close(self) -> None:
        self._listener.close()


# httpx drops the generator of a request's body where sending it fails, of which trio may warn.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_early_413_is_that_error_and_is_not_sent_again(world: World) -> None:
    """Of an edge that closes while a large body is being sent to it."""
    server = _Refusing()
    try:
        with pytest.raises(RequestTooLargeError) as caught:
            world.create(
                None,
                {"base_url": server.url, "http_client": world.http(verify=False), "clock": FakeClock()},
                extra_body={"padding": "x" * 20_000_000},
            )
        assert "Too large." in str(caught.value)
        assert server.requests == 1
    finally:
        server.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted in /proc")
def test_event_loops_that_are_never_closed_keep_few_connections() -> None:
    """As in programs with a new loop in a new thread for each request."""
    program = """
import asyncio, os, sys, threading
from anthropic_completions import AsyncAnthropic
client = AsyncAnthropic(api_key="k", base_url=sys.argv[1], max_retries=0)
failures = []
def work():
    async def ask():
        await client.completions.create(model="m", max_tokens_to_sample=1, prompt="p")
    try:
        asyncio.new_event_loop().run_until_complete(ask())
    except Exception as error:
        failures.append(error)
for _ in range(150):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
assert not failures, failures
print(len(os.listdir("/proc/self/fd")))
"""
    with RawServer([REPLY]) as server:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, server.url], capture_output=True, text=True
        )
        assert done.stderr == ""
        assert int(done.stdout) < 300  # of 150 loops with 5 each
        assert server.all_closed()


class TestBatches:
    """What holds for a call holds for each of many."""

    def results(self, world: World, reply: Any, requests: int, **options: Any) -> list[Any]:
        arguments = {**ARGUMENTS, "concurrency": 2}
        many = [{"id": number} for number in range(requests)]

        async def awaiting(client: Any) -> list[Any]:
            return [result async for result in acomplete_many(client, many, **arguments)]

        found: list[Any] = world.use(
            lambda client: list(complete_many(client, many, **arguments)), awaiting, reply, **options
        )
        return found

    def test_no_call_waits_beyond_its_deadline_for_the_limits_of_another(self, world: World) -> None:
        """One call is told to wait for 40 s; none of the others takes them."""
        replies = [lambda request: error_reply(429, retry_after="40")]
        clock = FakeClock()
        begun = clock.now
        results = self.results(world, Script(replies), 4, clock=clock, max_retries=0, deadline=5)
        assert len(results) == 4
        assert clock.now - begun <= 5
        late = [result.error for result in results if isinstance(result.error, APITimeoutError)]
        assert late
        assert all("deadline" in str(error) for error in late)

    def test_an_environment_that_cannot_work_is_told_once(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
        with pytest.raises(ValueError, match="SSL_CERT_FILE"):
            self.results(world, None, 3)
