"""The gateway's command and its settings: what is refused, and what its server is told."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from anthropic_completions.cli._app import run
from anthropic_completions.gateway import Settings, create_app
from anthropic_completions.gateway._answering import Gateway


class Transport(asyncio.Transport):
    """A transport that only tells its socket."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__({"socket": connection})


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Undo what the command puts into the environment for its workers."""
    with patch.dict(os.environ):
        yield


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What the server of two workers is told."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: given.update(options))
    assert run(["gateway", "--workers", "2", "--port", "0"]) == 0
    return given


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"ANTHROPIC_COMPLETIONS_GATEWAY_MAX_RETRIES": "x"}, "GATEWAY_MAX_RETRIES: expected a number"),
        ({"ANTHROPIC_COMPLETIONS_ON_LOSS": "x"}, "ANTHROPIC_COMPLETIONS_ON_LOSS"),
        ({"ANTHROPIC_COMPLETIONS_GATEWAY_CLIENT_KEY": "x"}, "CLIENT_KEY: expected an api_key beside it"),
        ({"ANTHROPIC_COMPLETIONS_GATEWAY_CLIENT_KEY": "x"}, "ANTHROPIC_COMPLETIONS_GATEWAY_API_KEY"),
        ({"ANTHROPIC_COMPLETIONS_GATEWAY_TIMEOUT": "0"}, "GATEWAY_TIMEOUT: expected seconds .* got 0"),
        ({"ANTHROPIC_BASE_URL": "x"}, "ANTHROPIC_BASE_URL: expected a URL such as"),
    ],
)
def test_a_wrong_setting_of_the_environment_is_named(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=told):
        Settings.of_environment()


def test_settings_show_no_key() -> None:
    assert "secret" not in repr(Settings(api_key="secret", client_key="secret"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--upstream", "localhost:9"], "--upstream: expected a URL such as https://host:443/path"),
        (["--map", "claude-2.1"], "--map: expected 'recommended', or old=new,old=new, got 'claude-2.1'"),
        (["--map", "a=b", "--map", "recommended"], "--map: expected 'recommended' alone, or pairs old=new"),
        (["--client-key", "c"], "expected an api_key beside it"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gateway", "--check", *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("command", [["gateway"], ["gateway", "--workers", "2"], ["serve"]])
def test_a_port_that_is_taken_is_one_line_that_says_what_to_do(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run([*command, "--port", str(port)]) == 1
    told = (
        f"Error: --port {port}: 127.0.0.1:{port} is in use; name another port, or --port 0 for a free one\n"
    )
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("name", ["--thinking-room", "--room"])
def test_room_for_thinking_has_two_names(name: str) -> None:
    assert run(["gateway", "--check", name, "7"]) == 0
    assert os.environ["ANTHROPIC_COMPLETIONS_THINKING_ROOM"] == "7"


def test_a_port_that_is_taken_on_one_address_of_the_host_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """uvicorn listens on all of them, such as `localhost` in both families."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert run(["gateway", "--host", "localhost", "--port", str(port)]) == 1
    assert f"Error: --port {port}: localhost:{port} is in use" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "prometheus_client"])
def test_a_missing_extra_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("anthropic_completions.gateway")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, missing, None)
    assert run(["gateway", "--check"]) == 2
    assert "pip install 'anthropic-completions[gateway]'" in capsys.readouterr().err


def test_a_free_port_that_was_found_is_told_and_served(
    given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gateway", "--port", "0"]) == 0
    assert given["port"] > 0
    assert f"Listening on http://127.0.0.1:{given['port']};" in capsys.readouterr().err


def test_an_event_does_not_wait_until_the_one_before_is_acknowledged(given: dict[str, Any]) -> None:
    """That is so on the socket that workers share, as it names no protocol."""
    with socket.socket(socket.AF_INET) as connection, asyncio.Runner() as runner:
        config = uvicorn.Config(create_app(), log_config=None)
        made = given["http"](config, ServerState(), {}, runner.get_loop())
        made.connection_made(Transport(connection))
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_public_address_with_the_gateways_key_and_no_key_for_callers_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_GATEWAY_API_KEY", "k")
    for host, code in (("127.0.0.1", 0), ("localhost", 0), ("0.0.0.0", 2), ("example.org", 2)):
        assert run(["gateway", "--check", "--host", host]) == code
    assert "--client-key" in capsys.readouterr().err
    assert run(["gateway", "--check", "--host", "0.0.0.0", "--client-key", "c"]) == 0


def test_an_idle_connection_is_closed_by_the_side_that_sends_next(given: dict[str, Any]) -> None:
    """Callers and balancers keep one for up to 90 s, and servers upstream for no less than 5 s."""
    assert given["timeout_keep_alive"] > 90
    upstream = Gateway(Settings(max_concurrency=2000), None)._client._pool.get()._transport
    assert isinstance(upstream, httpx.AsyncHTTPTransport)
    assert upstream._pool._keepalive_expiry < 4


def test_as_many_connections_are_kept_as_there_may_be_requests() -> None:
    upstream = Gateway(Settings(max_concurrency=2000), None)._client._pool.get()._transport
    assert isinstance(upstream, httpx.AsyncHTTPTransport)
    pool = upstream._pool
    assert (pool._max_connections, pool._max_keepalive_connections) == (2000, 2000)


def test_a_worker_that_loads_slowly_is_not_taken_for_dead(given: dict[str, Any]) -> None:
    assert given["timeout_worker_healthcheck"] >= 60
