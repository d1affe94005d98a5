"""The clients over aiohttp and Rust's reqwest: what is their own. `make test-transports` has the rest."""

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    APIConnectionError,
    APITimeoutError,
    AsyncAnthropic,
    DefaultAioHttpClient,
    DefaultAsyncRustHttpClient,
    DefaultRustHttpClient,
    IncompleteStreamError,
)
from anthropic_completions.testing import StandIn
from raw_server import CHUNKED, CLOSE, GO, HANG, LAST, PATIENCE_SECONDS, RawServer, framed
from support import ARGUMENTS, KEY, chunk, completion_reply

KINDS = [DefaultAioHttpClient, DefaultAsyncRustHttpClient, DefaultRustHttpClient]
MODULES = {"aiohttp": "httpx_aiohttp", "rust": "pyreqwest"}
EXTRAS = {
    DefaultAioHttpClient: "aiohttp",
    DefaultAsyncRustHttpClient: "rust",
    DefaultRustHttpClient: "rust",
}
WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 81\r\n\r\n"
    b'{"id":"c","completion":" Hi","model":"m","stop_reason":null,"type":"completion"}\n'
)
each = pytest.mark.parametrize("kind", KINDS)


def use(kind: Any, act: Callable[[Any], Any], http: dict[str, Any] | None = None, **options: Any) -> Any:
    """Return what comes of an act with a client; what it returns may be awaitable."""
    options = {"api_key": KEY, "max_retries": 0, **options}
    if kind is DefaultRustHttpClient:
        with Anthropic(http_client=kind(**(http or {})), **options) as client:
            return act(client)

    async def run() -> Any:
        async with AsyncAnthropic(http_client=kind(**(http or {})), **options) as client:
            return await act(client)

    return asyncio.run(run())


def call(client: Any, **arguments: Any) -> Any:
    return client.completions.create(**{**ARGUMENTS, **arguments})


@contextmanager
def received() -> Iterator[tuple[str, list[bytes]]]:
    """Serve one reply, and note the head of its request."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head or not head.endswith(b"}"):
                    head += connection.recv(65536)
                heads.append(head)
                connection.sendall(WHOLE)
                connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heads
        thread.join()


@each
def test_a_call_is_answered(kind: Any) -> None:
    with StandIn().serve() as url:
        assert use(kind, call, base_url=url).completion


@each
def test_names_the_extra_that_is_missing(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = EXTRAS[kind]
    for module in list(sys.modules):
        if module.endswith((".transports.aio", ".transports.rust")):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, MODULES[extra], None)
    with pytest.raises(ImportError) as caught:
        kind()
    expected = f"{kind.__name__} needs an extra: pip install 'anthropic-completions[{extra}]'"
    assert str(caught.value) == expected


@pytest.mark.parametrize("kind", KINDS[:2])
def test_says_under_trio_what_to_do(kind: Any) -> None:
    async def run() -> None:
        await call(AsyncAnthropic(api_key=KEY, http_client=kind(), max_retries=0))

    expected = (
        f"{kind.__name__} works in asyncio only.* leave http_client out, or give DefaultAsyncHttpxClient"
    )
    with pytest.raises(RuntimeError, match=expected):
        anyio.run(run, backend="trio")


@each
def test_a_piece_is_handed_on_as_it_comes(kind: Any) -> None:
    """The head, and the first event, are not held back until more has come."""
    end = chunk("", "stop_sequence")
    with RawServer([CHUNKED + framed(chunk(" a")), GO, framed(end) + LAST]) as server:

        def blocking(client: Any) -> str:
            text = ""
            for piece in call(client, stream=True):
                text += piece.completion
                server.go()
            return text

        async def awaiting(client: Any) -> str:
            text = ""
            async for piece in await call(client, stream=True):
                text += piece.completion
                server.go()
            return text

        act = blocking if kind is DefaultRustHttpClient else awaiting
        assert use(kind, act, base_url=server.url, timeout=10) == " a"


@each
def test_what_is_shown_to_nobody_is_sent(kind: Any) -> None:
    """Values of the query are hidden in what is shown of a URL; the other side gets them."""
    with received() as (url, heads):
        use(kind, call, base_url=url, default_query={"token": "s3cret"})
    assert b"token=s3cret" in heads[0]


@each
def test_connections_are_kept_also_by_calls_with_a_deadline(kind: Any) -> None:
    """A deadline leaves less time with each call, and is no set of limits of its own."""
    with RawServer([WHOLE]) as server:

        def blocking(client: Any) -> None:
            for _ in range(3):
                call(client, deadline=20)

        async def awaiting(client: Any) -> None:
            for _ in range(3):
                await call(client, deadline=20)

        use(kind, blocking if kind is DefaultRustHttpClient else awaiting, base_url=server.url)
        assert (server.requests, server.accepted) == (3, 1)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_another_task_ends_a_wait_by_closing(kind: Any) -> None:
    """At once, while the server says nothing and goes on to do so."""
    with RawServer([CHUNKED + framed(chunk(" a")), HANG]) as server:

        async def act(client: Any) -> float:
            stream = await call(client, stream=True)
            await anext(stream)
            waiting = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            await stream.close()
            with pytest.raises(IncompleteStreamError):
                await waiting
            return time.monotonic() - begun

        assert use(kind, act, base_url=server.url) < PATIENCE_SECONDS / 2


def test_another_thread_ends_a_wait_of_rusts_by_closing() -> None:
    with RawServer([CHUNKED + framed(chunk(" a")), HANG]) as server:

        def act(client: Any) -> float:
            stream = call(client, stream=True)
            next(stream)
            threading.Timer(0.2, stream.close).start()
            begun = time.monotonic()
            with pytest.raises(IncompleteStreamError):
                next(stream)
            return time.monotonic() - begun

        assert use(DefaultRustHttpClient, act, base_url=server.url) < PATIENCE_SECONDS / 2
        assert server.all_closed()


def test_rust_blocks_also_where_an_event_loop_runs() -> None:
    """Its waits leave the loop as it is, as where a notebook calls the blocking client."""
    with StandIn().serve() as url:

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert use(DefaultRustHttpClient, call, base_url=url).completion
            assert asyncio.get_running_loop() is loop

        asyncio.run(main())


@pytest.mark.parametrize("kind", [DefaultRustHttpClient, DefaultAsyncRustHttpClient])
def test_rust_says_which_certificates_are_none(
    kind: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    with pytest.raises(ValueError, match=r"verify: .*junk\.pem.*no certificate"):
        kind(verify=str(junk))
    monkeypatch.setenv("SSL_CERT_FILE", str(junk))
    with pytest.raises(ValueError, match=r"SSL_CERT_FILE: .*junk\.pem.*no certificate"):
        kind()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", "/no/such/folder")
    with pytest.raises(ValueError, match=r"SSL_CERT_DIR: .*/no/such/folder"):
        kind()


def test_threads_with_many_time_limits_share_one_client_of_rusts(monkeypatch: pytest.MonkeyPatch) -> None:
    """reqwest has limits for a client, so that there is one for each set of limits, up to a number."""
    with DefaultRustHttpClient() as http:
        rust = cast("Any", http)._transport._rust
        monkeypatch.setattr(rust, "_build", lambda *limits: limits)
        with ThreadPoolExecutor(8) as pool:
            got = [*pool.map(lambda n: (n % 20, rust._client(n % 20, 1, 1)), range(20_000))]
        monkeypatch.undo()
        rust._clients.clear()
    assert all(limits[0].total_seconds() == pytest.approx(n, abs=0.001) for n, limits in got)


def test_many_threads_wait_for_one_client_of_rusts() -> None:
    """No thread misses that it is told to go on."""
    answered: list[str] = []
    with StandIn().serve() as url, DefaultRustHttpClient() as http:
        client = Anthropic(api_key=KEY, base_url=url, http_client=http, max_retries=0)
        threads = [
            threading.Thread(target=lambda: answered.extend(call(client).completion for _ in range(20)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answered) == 160


@each
def test_broken_framing_within_a_stream_ends_a_wait(kind: Any) -> None:
    """aiohttp itself would let it wait for ever."""
    with RawServer([CHUNKED + framed(chunk(" a")), GO, b"oops\r\n" * 9, HANG]) as server:

        def blocking(client: Any) -> None:
            for _ in call(client, stream=True):
                server.go()

        async def awaiting(client: Any) -> None:
            async for _ in await call(client, stream=True):
                server.go()

        act = blocking if kind is DefaultRustHttpClient else awaiting
        with pytest.raises(APIConnectionError) as caught:
            use(kind, act, base_url=server.url, timeout=30)
        assert not isinstance(caught.value, APITimeoutError)


@each
def test_hooks_and_headers_that_are_set_later_hold(kind: Any) -> None:
    seen: list[httpx.Request] = []
    with received() as (url, heads):

        async def note(request: httpx.Request) -> None:
            seen.append(request)

        def act(client: Any) -> Any:
            http = client._pool._given
            http.headers["x-mine"] = "1"
            http.event_hooks = {"request": [seen.append if kind is DefaultRustHttpClient else note]}
            return call(client)

        use(kind, act, base_url=url)
    assert b"x-mine: 1" in heads[0].lower()
    assert len(seen) == 1


@each
def test_redirects_are_the_clients_own(kind: Any) -> None:
    """Credentials stay with the origin that they were sent to."""
    moved = b"HTTP/1.1 307 Moved\r\nlocation: http://elsewhere.invalid/\r\ncontent-length: 0\r\n\r\n"
    with RawServer([moved]) as server, pytest.raises(Exception, match="Refused a redirect to another origin"):
        use(kind, call, base_url=server.url)


def test_aiohttp_speaks_http_1_only() -> None:
    with pytest.raises(ValueError, match=r"^http2: expected False"):
        DefaultAioHttpClient(http2=True)


def test_aiohttp_names_the_variable_of_a_proxy_that_it_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:hunter2@127.0.0.1:1")
    with pytest.raises(ValueError, match=r"^ALL_PROXY: .*'socks5'; DefaultHttpxClient") as caught:
        DefaultAioHttpClient()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_rust_takes_no_context_of_pythons(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"^verify: expected True, False or the path .*got an SSLContext"):
        kind(verify=ssl.create_default_context())


@each
def test_a_proxy_of_the_environment_is_asked(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer([WHOLE]) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        assert use(kind, call, base_url="http://service.invalid").completion == " Hi"
        monkeypatch.setenv("NO_PROXY", "service.invalid")
        with pytest.raises(APIConnectionError):
            use(kind, call, base_url="http://service.invalid")
        assert server.requests == 1


def test_sockets_of_aiohttps_have_the_packages_options() -> None:
    """An idle connection is kept alive, and small parts are sent at once."""
    found: list[int] = []
    with RawServer([WHOLE]) as server:

        async def act(client: Any) -> None:
            await call(client)
            (session,) = client._pool._given._transport._sessions._made.values()
            ((connection, _),) = next(iter(session.connector._conns.values()))
            raw = connection.transport.get_extra_info("socket")
            found.append(raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
            found.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))
            found.append(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        use(DefaultAioHttpClient, act, base_url=server.url)
    keeps_alive, idle, no_delay = found
    assert keeps_alive
    assert idle == 60
    assert no_delay


@pytest.mark.parametrize("kind", KINDS[:2])
def test_one_client_serves_one_event_loop_after_another(kind: Any) -> None:
    # What a loop that has ended leaves open, asyncio tells of; so it does of httpx's connections.
    with RawServer([WHOLE]) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        client = AsyncAnthropic(api_key=KEY, base_url=server.url, http_client=kind(), max_retries=0)
        for _ in range(2):
            assert asyncio.run(client.completions.create(**ARGUMENTS)).completion == " Hi"
        asyncio.run(client.close())
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="There is no fork.")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_rust_says_in_a_fork_what_to_do() -> None:
    with RawServer([WHOLE]) as server:
        client = Anthropic(
            api_key=KEY, base_url=server.url, http_client=DefaultRustHttpClient(), max_retries=0
        )
        client.completions.create(**ARGUMENTS)
        context = multiprocessing.get_context("fork")
        reader, writer = context.Pipe()

        def child() -> None:
            try:
                client.completions.create(**ARGUMENTS)
            except RuntimeError as error:
                writer.send(str(error))

        process = context.Process(target=child)
        process.start()
        assert reader.poll(30)
        assert reader.recv().startswith("DefaultRustHttpClient does not survive a fork")
        process.join(30)


def test_ctrl_c_ends_a_wait_of_rusts() -> None:
    with RawServer([HANG]) as server:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # also where it is ignored
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        try:
            with pytest.raises(KeyboardInterrupt):
                use(DefaultRustHttpClient, call, base_url=server.url, timeout=20)
        finally:
            signal.signal(signal.SIGINT, before)
        assert time.monotonic() - started < 10


@each
def test_a_connection_that_ends_before_a_reply_is_no_time_limit(kind: Any) -> None:
    with RawServer([CLOSE]) as server, pytest.raises(APIConnectionError) as caught:
        use(kind, call, base_url=server.url)
    assert not isinstance(caught.value, APITimeoutError)


@each
def test_a_transport_of_the_users_own_is_taken(kind: Any) -> None:
    reply = httpx.MockTransport(lambda request: completion_reply())
    assert use(kind, call, {"transport": reply}).completion
