"""The clients: settings, where they come from, copies, and `post`."""

import inspect
import os
import socket
from pathlib import Path
from typing import Any

import anyio
import certifi
import httpx
import pytest

from anthropic_completions import (
    DEFAULT_CONNECTION_LIMITS,
    DEFAULT_TIMEOUT,
    NOT_GIVEN,
    Anthropic,
    APIError,
    APIResponseValidationError,
    AsyncAnthropic,
    BadRequestError,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    omit,
)
from anthropic_completions._client.base import BaseClient
from anthropic_completions.types import Completion
from raw_server import RawServer
from support import (
    ARGUMENTS,
    KEY,
    FakeClock,
    Script,
    World,
    chunk,
    completion_reply,
    error_reply,
    stream_reply,
)

CLIENTS = pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
SETTINGS: dict[str, Any] = {
    "api_key": KEY,
    "auth_token": "token",
    "base_url": "http://host/v1",
    "timeout": 7.0,
    "max_retries": 5,
    "max_retry_after": 90.0,
    "deadline": 100.0,
    "stream_idle_timeout": 3.0,
    "max_event_bytes": 1000,
    "default_headers": {"X-Team": "blue"},
    "default_query": {"a": 1},
}


def sent(world: World, **options: Any) -> httpx.Request:
    """Return the request that a client with these options sends."""
    script = Script([completion_reply()])
    world.create(script, {"api_key": None, **options})
    return script.requests[0]


class TestEnvironment:
    def test_the_key(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "from-environment")
        headers = sent(world).headers
        assert headers["x-api-key"] == "from-environment"
        assert "authorization" not in headers

    def test_the_token(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "from-environment")
        headers = sent(world).headers
        assert headers["authorization"] == "Bearer from-environment"
        assert "x-api-key" not in headers

    def test_key_and_token_are_both_sent(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "t")
        headers = sent(world).headers
        assert (headers["x-api-key"], headers["authorization"]) == ("k", "Bearer t")

    @pytest.mark.parametrize(("given", "header"), [("api_key", "x-api-key"), ("auth_token", "authorization")])
    def test_is_not_asked_for_a_credential_where_one_is_given(
        self, world: World, monkeypatch: pytest.MonkeyPatch, given: str, header: str
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "from-environment")
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "from-environment")
        headers = sent(world, **{given: "mine"}).headers
        assert headers[header].endswith("mine")
        assert "from-environment" not in repr(headers.raw)

    def test_the_base_url(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://gateway/anthropic/v1/")
        assert str(sent(world, api_key=KEY).url) == "http://gateway/anthropic/v1/complete"
        assert str(sent(world, api_key=KEY, base_url="http://mine").url) == "http://mine/v1/complete"

    def test_the_custom_headers(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """They go over the client's own and below those that are given."""
        monkeypatch.setenv(
            "ANTHROPIC_CUSTOM_HEADERS", "X-Team: red\nx-floor : 3\nANTHROPIC-VERSION: 2023-01-01"
        )
        headers = sent(world, api_key=KEY, default_headers={"x-team": "blue"}).headers
        assert (headers.get_list("x-team"), headers["x-floor"]) == (["blue"], "3")
        assert headers.get_list("anthropic-version") == ["2023-01-01"]

    def test_a_key_in_the_custom_headers_is_a_credential(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Api-Key: mine")
        assert sent(world).headers["x-api-key"] == "mine"

    def test_an_empty_variable_counts_as_not_set(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("API_KEY", "BASE_URL", "CUSTOM_HEADERS"):
            monkeypatch.setenv(f"ANTHROPIC_{name}", "")
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "t")
        request = sent(world)
        assert (request.url.host, "x-api-key" in request.headers) == ("api.anthropic.com", False)

    def test_is_read_when_the_client_is_made(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "first")
        client = Anthropic()
        monkeypatch.setenv("ANTHROPIC_API_KEY", "second")
        assert client.api_key == "first"


def test_a_missing_key_is_named_at_the_first_call(world: World) -> None:
    """With both variables; nothing is sent. Making the client does not need it."""
    script = Script([completion_reply()])
    with pytest.raises(TypeError, match=r"ANTHROPIC_API_KEY \(or ANTHROPIC_AUTH_TOKEN\)"):
        world.create(script, {"api_key": None})
    assert script.requests == []


@pytest.mark.parametrize("name", ["x-api-key", "X-Api-Key", "AUTHORIZATION"])
@pytest.mark.parametrize("value", ["mine", omit])
@pytest.mark.parametrize("where", ["default", "call"])
def test_a_header_of_the_callers_stands_for_a_key(world: World, name: str, value: Any, where: str) -> None:
    """Also where it says that none is to be sent."""
    script = Script([completion_reply()])
    headers = {name: value}
    options = {"api_key": None} | ({"default_headers": headers} if where == "default" else {})
    world.create(script, options, **({"extra_headers": headers} if where == "call" else {}))
    assert script.requests[0].headers.get(name) == (None if value is omit else "mine")


@CLIENTS
def test_its_settings_can_be_read(cls: Any) -> None:
    client = cls(**SETTINGS)
    assert (client.api_key, client.auth_token) == (KEY, "token")
    assert client.base_url == httpx.URL("http://host")
    assert (client.timeout, client.max_retries) == (7.0, 5)
    assert client.default_query == {"a": 1}
    assert client.default_headers["X-Team"] == "blue"
    assert client.default_headers["anthropic-version"] == "2023-06-01"
    assert client.auth_headers == {"X-Api-Key": KEY, "Authorization": "Bearer token"}
    assert client.middleware == ()
    assert not client.is_closed()


@CLIENTS
def test_its_defaults_are_the_old_clients(cls: Any) -> None:
    client = cls()
    assert (client.api_key, client.auth_token, client.auth_headers) == (None, None, {})
    assert str(client.base_url) == "https://api.anthropic.com"
    assert (client.timeout, client.max_retries) == (DEFAULT_TIMEOUT, 2)
    assert (client.default_query, dict(client.default_headers)["anthropic-version"]) == ({}, "2023-06-01")


@CLIENTS
@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("api_key", "other", "other"),
        ("auth_token", None, None),
        ("base_url", "http://host/gateway/v1/complete", httpx.URL("http://host/gateway/")),
        ("timeout", 3, 3.0),
        ("timeout", None, None),
        ("max_retries", 0, 0),
    ],
)
def test_some_settings_can_be_set(cls: Any, name: str, value: Any, read: object) -> None:
    """As the old client's; its copies keep theirs."""
    client = cls(**SETTINGS)
    twin = client.copy()
    setattr(client, name, value)
    assert getattr(client, name) == read != getattr(twin, name)


@CLIENTS
@pytest.mark.parametrize(
    ("name", "value"), [("api_key", "k\n"), ("base_url", "nowhere"), ("timeout", "5"), ("max_retries", -1)]
)
def test_a_wrong_setting_is_refused_when_it_is_set(cls: Any, name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{name}: expected"):
        setattr(cls(), name, value)


@CLIENTS
def test_its_arguments_are_keywords_only(cls: Any) -> None:
    with pytest.raises(TypeError, match="positional"):
        cls(KEY)


@CLIENTS
@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"base_url": "ftp://host"}, ValueError),
        ({"timeout": "5"}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"max_retries": None}, TypeError),
        ({"max_retries": float("inf")}, TypeError),
        ({"max_retries": -1}, ValueError),
        ({"max_retry_after": 0}, ValueError),
        ({"deadline": float("nan")}, ValueError),
        ({"stream_idle_timeout": "1"}, TypeError),
        ({"max_event_bytes": 0}, ValueError),
        ({"default_headers": 5}, TypeError),
        ({"default_headers": {5: "x"}}, TypeError),
        ({"default_query": "a=1"}, TypeError),
        ({"middleware": 5}, TypeError),
        ({"http_client": "x"}, TypeError),
    ],
)
def test_a_wrong_setting_is_named(cls: Any, option: dict[str, Any], error: type[Exception]) -> None:
    """At once, by the client and by its copies."""
    (name,) = option
    for make in (cls, cls(api_key=KEY).copy):
        with pytest.raises(error, match=f"^{name}: expected"):
            make(**option)


@CLIENTS
def test_an_httpx_client_of_the_wrong_kind_is_refused(cls: Any) -> None:
    """With what was expected, what came, and what takes it."""
    is_sync = cls is Anthropic
    wanted, other = ("Client", "AsyncClient") if is_sync else ("AsyncClient", "Client")
    use = "an async client: use AsyncAnthropic" if is_sync else "a blocking client: use Anthropic"
    told = rf"got a value of type {httpx.__name__}\.{other}; that is {use}$"
    with pytest.raises(TypeError, match=rf"^http_client: expected an httpx\.{wanted}, {told}"):
        cls(http_client=getattr(httpx, other)())


@CLIENTS
def test_what_is_no_httpx_client_is_refused_by_its_type(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"^http_client: expected an httpx\.\w+, got a value of type str$"):
        cls(http_client="x")


@CLIENTS
def test_an_unknown_setting_is_told_by_the_name_of_the_client(cls: Any) -> None:
    """Of a class of one's own by that of the client that it is made of; what it inherits beside stays."""

    class Mine(cls):  # type: ignore[misc]
        pass

    for made in (cls, Mine):
        with pytest.raises(TypeError, match=rf"^{cls.__name__}\(\) got an unexpected keyword argument 'key'"):
            made(key="x")
    assert inspect.signature(cls) == inspect.signature(BaseClient)


@CLIENTS
@pytest.mark.skipif(httpx.__name__ == "httpx2", reason="httpx2 stands for httpx")
def test_an_httpx2_client_is_refused_with_the_way_to_use_it(cls: Any) -> None:
    foreign = type("Client", (), {"__module__": "httpx2._client"})()
    with pytest.raises(
        TypeError, match=r"got a value of type httpx2\.Client; to use httpx2, call httpx2\.alias_httpx\(\)"
    ):
        cls(http_client=foreign)


@CLIENTS
def test_making_it_does_no_input_or_output(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is opened, no socket, no name is looked up; a copy is no different."""

    def refuse(*arguments: Any, **keywords: Any) -> Any:
        pytest.fail(f"input or output: {arguments}")

    for owner, name in ((socket, "socket"), (socket, "getaddrinfo")):
        monkeypatch.setattr(owner, name, refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    client = cls(**SETTINGS)
    client.with_options(max_retries=1).completions  # noqa: B018


class TestCopies:
    @CLIENTS
    def test_keep_what_is_not_changed(self, cls: Any) -> None:
        client = cls(**SETTINGS)
        assert vars(client.copy())["_options"] == vars(client)["_options"]
        assert client.with_options.__func__ is client.copy.__func__

    @CLIENTS
    @pytest.mark.parametrize(
        "changed",
        [
            {"api_key": "other"},
            {"auth_token": "other"},
            {"base_url": "http://other"},
            {"timeout": 8.0},
            {"timeout": None},
            {"max_retries": 0},
            {"max_retry_after": None},
            {"deadline": None},
            {"stream_idle_timeout": None},
            {"max_event_bytes": 5},
        ],
    )
    def test_change_one_setting(self, cls: Any, changed: dict[str, Any]) -> None:
        client = cls(**SETTINGS)
        twin = client.with_options(**changed)
        fresh = cls(**{**SETTINGS, **changed})
        assert type(twin) is cls
        assert vars(twin)["_options"] == vars(fresh)["_options"] != vars(client)["_options"]

    def test_are_what_their_calls_use(self, world: World) -> None:
        script = Script([error_reply(500), completion_reply()])
        clock = FakeClock()

        def changed(client: Any) -> Any:
            twin = client.with_options(base_url="http://other", api_key="other", max_retries=0)
            return twin.completions.create(**ARGUMENTS)

        with pytest.raises(Exception, match="500"):
            world.use(changed, changed, script, clock=clock)
        (request,) = script.requests
        assert (request.url.host, request.headers["x-api-key"]) == ("other", "other")

    def test_add_to_headers_and_query_or_replace_them(self, world: World) -> None:
        client = Anthropic(**SETTINGS)
        assert client.copy(default_query={"b": 2}).default_query == {"a": 1, "b": 2}
        assert client.copy(set_default_query={"b": 2}).default_query == {"b": 2}
        assert client.copy(set_default_query={}).default_query == {}
        added = client.copy(default_headers={"x-floor": "3"}).default_headers
        assert (added["X-Team"], added["x-floor"]) == ("blue", "3")
        replaced = client.copy(set_default_headers={"x-floor": "3"}).default_headers
        assert (replaced.get("X-Team"), replaced["x-floor"]) == (None, "3")
        assert client.copy(default_headers={"x-team": omit}).copy().default_headers["x-team"] is omit
        assert sent(world, default_headers={"x-api-key": omit}).headers.get("x-api-key") is None

    @pytest.mark.parametrize("kind", ["headers", "query"])
    def test_refuse_adding_and_replacing_together(self, kind: str) -> None:
        with pytest.raises(ValueError, match=f"^default_{kind} and set_default_{kind}: expected one of them"):
            Anthropic().copy(**{f"default_{kind}": {}, f"set_default_{kind}": {}})

    def test_take_the_arguments_of_the_client(self) -> None:
        """All of them, so that a setting can be changed that can be given."""
        given = set(inspect.signature(Anthropic.__init__).parameters) - {"self"}
        assert set(inspect.signature(Anthropic.copy).parameters) - {"self"} == given | {
            "set_default_headers",
            "set_default_query",
        }

    def test_of_a_subclass_are_of_it(self) -> None:
        class Mine(Anthropic):
            def __init__(self, team: str) -> None:
                super().__init__(api_key=KEY)
                self.team = team

        twin = Mine("blue").with_options(max_retries=0)
        assert (type(twin), twin.team, twin.max_retries) == (Mine, "blue", 0)
        assert twin.completions._client is twin


class TestTimeouts:
    """Of a client that was given an httpx client."""

    @pytest.mark.parametrize(
        ("lent", "own", "read"),
        [
            (httpx.Timeout(5.0), NOT_GIVEN, 600.0),
            (httpx.Timeout(9.0), NOT_GIVEN, 9.0),
            (httpx.Timeout(None), NOT_GIVEN, None),
            (httpx.Timeout(9.0), 7.0, 7.0),
            (httpx.Timeout(9.0), None, None),
        ],
    )
    def test_are_lent_unless_they_are_httpx_own(
        self, world: World, lent: Any, own: Any, read: float | None
    ) -> None:
        script = Script([completion_reply()])
        kind = httpx.Client if world.backend is None else httpx.AsyncClient
        http = kind(transport=httpx.MockTransport(script), timeout=lent)
        world.create(None, {"http_client": http, "timeout": own})
        assert script.requests[0].extensions["timeout"]["read"] == read

    def test_can_be_read(self) -> None:
        assert Anthropic(http_client=httpx.Client()).timeout == DEFAULT_TIMEOUT
        assert Anthropic(http_client=httpx.Client(timeout=9)).timeout == httpx.Timeout(9)
        assert Anthropic(http_client=httpx.Client(timeout=9), timeout=3).timeout == 3.0


class TestDefaultHttpClients:
    """What is made where no httpx client is given."""

    KINDS = pytest.mark.parametrize("kind", [DefaultHttpxClient, DefaultAsyncHttpxClient])

    @KINDS
    def test_have_the_old_clients_defaults(self, kind: Any) -> None:
        http = kind()
        assert http.timeout == DEFAULT_TIMEOUT
        assert http.follow_redirects
        pool = http._transport._pool
        assert pool._max_connections == DEFAULT_CONNECTION_LIMITS.max_connections
        assert pool._max_keepalive_connections == DEFAULT_CONNECTION_LIMITS.max_keepalive_connections
        options = {(level, name): value for level, name, value in pool._socket_options}
        assert options[socket.SOL_SOCKET, socket.SO_KEEPALIVE] == 1
        assert options[socket.IPPROTO_TCP, socket.TCP_KEEPIDLE] == 60
        assert options[socket.IPPROTO_TCP, socket.TCP_KEEPINTVL] == 60
        assert options[socket.IPPROTO_TCP, socket.TCP_KEEPCNT] == 5

    @KINDS
    def test_take_other_settings(self, kind: Any) -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(200))
        http = kind(timeout=3, limits=httpx.Limits(max_connections=2), follow_redirects=False)
        assert (http.timeout, http.follow_redirects) == (httpx.Timeout(3), False)
        assert http._transport._pool._max_connections == 2
        assert kind(transport=transport)._transport is transport

    @KINDS
    def test_use_the_environments_proxies(self, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """As httpx does that makes its transport itself."""
        plain = httpx.Client if kind is DefaultHttpxClient else httpx.AsyncClient
        for name, value in {
            "HTTP_PROXY": "proxy:3128",
            "HTTPS_PROXY": "http://secure:3128",
            "ALL_PROXY": "http://all:3128",
            "NO_PROXY": "localhost, example.com,.internal,127.0.0.1,::1,http://plain.org",
        }.items():
            monkeypatch.setenv(name, value)
            monkeypatch.delenv(name.lower(), raising=False)

        def proxied(http: Any) -> dict[str, Any]:
            """Return the proxy of each pattern of URLs."""
            return {
                pattern.pattern: None if transport is None else bytes(transport._pool._proxy_url)
                for pattern, transport in http._mounts.items()
            }

        assert len(proxied(kind())) == 9
        assert proxied(kind()) == proxied(plain())
        assert proxied(kind(trust_env=False)) == {}
        mine = httpx.MockTransport(lambda request: httpx.Response(200))
        mounted = kind(mounts={"https://": mine})._mounts
        assert {pattern.pattern: transport for pattern, transport in mounted.items()}["https://"] is mine
        monkeypatch.setenv("NO_PROXY", "*")
        assert proxied(kind()) == proxied(plain()) == {}

    @KINDS
    def test_pass_over_exceptions_from_proxies_that_are_no_hosts(
        self, kind: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """httpx itself fails at them."""
        monkeypatch.setenv("NO_PROXY", "host:port,[::2],10.0.0.0/8,a b,,example.com")
        patterns = {pattern.pattern for pattern in kind()._mounts}
        assert patterns >= {"all://[::2]", "all://*example.com"}
        assert not [pattern for pattern in patterns if "port" in pattern]

    def test_name_a_proxy_of_the_environment_that_is_none(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://user:hunter2@host:port")
        with pytest.raises(ValueError, match=r"^HTTPS_PROXY: expected the URL of a proxy") as caught:
            world.create(None)
        assert "hunter2" not in str(caught.value)

    @KINDS
    def test_take_one_proxy_for_all(self, kind: Any) -> None:
        assert bytes(kind(proxy="http://proxy:3128")._transport._pool._proxy_url) == b"http://proxy:3128/"

    @KINDS
    def test_take_a_way_to_verify(self, kind: Any) -> None:
        assert kind(verify=False)._transport._pool._ssl_context.check_hostname is False

    @KINDS
    def test_load_certificates_once_and_again_where_others_are_meant(
        self, kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Loading takes longer than all the rest; a file that is written anew has to be read anew."""

        def context(**options: Any) -> Any:
            return kind(**options)._transport._pool._ssl_context

        usual = context()
        assert context() is usual
        assert context(trust_env=False) is not usual
        file = tmp_path / "certificates.pem"
        file.write_bytes(Path(certifi.where()).read_bytes())
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        named = context()
        assert named is not usual
        os.utime(file, ns=(1, 1))
        assert context() is not named
        assert context(verify=False) is not context(verify=False)


def test_a_host_with_an_underscore_is_named_to_the_server_with_a_hyphen(world: World) -> None:
    """Python takes such a name for no name of a server; TLS would fail."""
    script = Script([completion_reply()])
    world.create(script, {"base_url": "https://my_host"})
    world.create(script)
    assert [request.extensions.get("sni_hostname") for request in script.requests] == ["my-host", None]
    assert script.requests[0].headers["host"] == "my_host"


class TestPost:
    """A POST with a body of the caller's own."""

    def post(self, world: World, reply: Any, *arguments: Any, **keywords: Any) -> Any:
        self.script = Script([reply])
        clock = FakeClock()
        return world.use(
            lambda client: client.post(*arguments, **keywords),
            lambda client: client.post(*arguments, **keywords),
            self.script,
            default_query={"a": "1"},
            clock=clock,
        )

    @pytest.mark.parametrize("path", ["/v1/complete", "v1/complete", "/v1/complete?b=2"])
    def test_sends_what_it_is_given(self, world: World, path: str) -> None:
        completion = self.post(world, completion_reply(), path, cast_to=Completion, body={"new": [None]})
        assert isinstance(completion, Completion)
        (request,) = self.script.requests
        assert request.content == b'{"new":[null]}'
        assert request.url.path == "/v1/complete"
        assert dict(request.url.params) == {"a": "1"} | ({"b": "2"} if "?" in path else {})
        assert request.headers["x-api-key"] == KEY
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert request.headers["content-type"] == "application/json"

    def test_takes_options(self, world: World) -> None:
        options = {
            "headers": {"X-Team": "blue", "Anthropic-Version": omit},
            "params": {"a": 2},
            "timeout": 3,
            "max_retries": 1,
            "extra_json": {"top_k": 1},
        }
        with pytest.raises(Exception, match="500"):
            self.post(world, error_reply(500), "/x", cast_to=dict, body={"model": "m"}, options=options)
        assert len(self.script.requests) == 2
        request = self.script.requests[0]
        assert request.content == b'{"model":"m","top_k":1}'
        assert (request.headers["x-team"], "anthropic-version" in request.headers) == ("blue", False)
        assert request.url.query == b"a=2"
        assert request.extensions["timeout"]["read"] == 3.0

    def test_may_send_nothing(self, world: World) -> None:
        assert self.post(world, httpx.Response(200, json=[]), "/x", cast_to=list) == []
        assert self.script.requests[0].content == b""

    @pytest.mark.parametrize(
        ("kind", "value"),
        [(dict, {"a": [1]}), (str, '{"a":[1]}'), (bytes, b'{"a":[1]}'), (object, {"a": [1]})],
    )
    def test_returns_the_kind_that_is_asked_for(self, world: World, kind: Any, value: object) -> None:
        assert self.post(world, httpx.Response(200, json={"a": [1]}), "/x", cast_to=kind) == value

    def test_returns_httpx_own_reply(self, world: World) -> None:
        reply = self.post(world, httpx.Response(201, text="made"), "/x", cast_to=httpx.Response)
        assert (reply.status_code, reply.text) == (201, "made")

    def test_refuses_another_kind(self, world: World) -> None:
        with pytest.raises(
            APIResponseValidationError, match="Expected a value of <class 'list'>, got one of type dict"
        ):
            self.post(world, httpx.Response(200, json={}), "/x", cast_to=list)
        with pytest.raises(APIResponseValidationError, match="completion: expected a value, got nothing"):
            self.post(world, httpx.Response(200, json={}), "/x", cast_to=Completion)

    def test_raises_as_create_does(self, world: World) -> None:
        with pytest.raises(BadRequestError):
            self.post(world, error_reply(400), "/x", cast_to=dict)

    def test_returns_a_stream(self, world: World) -> None:
        def blocking(client: Anthropic) -> list[str]:
            stream = client.post("/v1/complete", cast_to=Completion, body={}, stream=True)
            return [part.completion for part in stream]

        async def awaiting(client: AsyncAnthropic) -> list[str]:
            stream = await client.post("/v1/complete", cast_to=Completion, body={}, stream=True)
            return [part.completion async for part in stream]

        script = Script([stream_reply(chunk("Hi"), chunk("", "stop_sequence"))])
        assert world.use(blocking, awaiting, script) == ["Hi", ""]

    @pytest.mark.parametrize(
        ("keywords", "message"),
        [
            ({"body": [1]}, "body: expected a mapping"),
            ({"body": {"a": object}}, "a: expected a JSON value"),
            ({"options": {"colour": "red"}}, "options: expected extra_json, .* got 'colour'"),
            ({"options": {"max_retries": "1"}}, "max_retries: expected an integer"),
            ({"options": {"headers": "x"}}, r"options \(headers\): expected a mapping"),
            ({"options": 5}, "options: expected a mapping"),
        ],
    )
    def test_refuses_wrong_arguments(self, world: World, keywords: Any, message: str) -> None:
        with pytest.raises(TypeError, match=f"^{message}"):
            self.post(world, completion_reply(), "/x", cast_to=dict, **keywords)
        assert self.script.requests == []


class TestOldPrograms:
    """What programs for the old client do goes on to work, the import changed."""

    EXAMPLE = """
import os
from anthropic_completions import Anthropic

client = Anthropic(
    api_key=os.environ.get("ANTHROPIC_API_KEY"),  # This is the default and can be omitted
)
for completion in client.completions.create(
    max_tokens_to_sample=256,
    model="claude-2.1",
    prompt="\\n\\nHuman: Hello, world!\\n\\nAssistant:",
):
  print(completion)
"""
    REPLY = b"""{
  "id": "compl_018CKm6gsux7P8yMcwZbeCPw",
  "completion": " Hello! My name is Claude.",
  "model": "claude-2.1",
  "stop_reason": "stop_sequence",
  "type": "completion"
}"""

    def test_the_references_example_runs_as_printed(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It iterates over one completion, which yields its fields."""
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(self.REPLY)
        with RawServer([head + self.REPLY]) as server:
            monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
            monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
            names: dict[str, Any] = {}
            exec(self.EXAMPLE, names)
            names["client"].close()
        assert capsys.readouterr().out.splitlines() == [
            "('id', 'compl_018CKm6gsux7P8yMcwZbeCPw')",
            "('completion', ' Hello! My name is Claude.')",
            "('model', 'claude-2.1')",
            "('stop_reason', 'stop_sequence')",
            "('type', 'completion')",
        ]

    def test_a_harness_tries_on_until_there_is_no_api_error(self, world: World) -> None:
        """And puts what it got into a table."""
        script = Script([error_reply(529), httpx.ReadTimeout("slow"), error_reply(400), completion_reply()])

        def blocking(client: Anthropic) -> dict[str, Any]:
            while True:
                try:
                    return client.completions.create(**ARGUMENTS).model_dump()
                except APIError as error:
                    failures.append(error)

        async def awaiting(client: AsyncAnthropic) -> dict[str, Any]:
            while True:
                try:
                    return (await client.completions.create(**ARGUMENTS)).model_dump()
                except APIError as error:
                    failures.append(error)

        failures: list[APIError] = []
        row = world.use(blocking, awaiting, script, max_retries=0)
        assert row["completion"] == " Hello! My name is Claude."
        assert [type(error).__name__ for error in failures] == [
            "OverloadedError",
            "APITimeoutError",
            "BadRequestError",
        ]

    def test_a_program_joins_the_chunks(self, world: World) -> None:
        def blocking(client: Anthropic) -> str:
            stream = client.completions.create(**ARGUMENTS, stream=True)
            return "".join(part.completion for part in stream)

        async def awaiting(client: AsyncAnthropic) -> str:
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            return "".join([part.completion async for part in stream])

        script = Script([stream_reply(chunk(" Hel"), chunk("lo"), chunk("", "stop_sequence"))])
        assert world.use(blocking, awaiting, script) == " Hello"

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_a_program_asks_for_many_at_once(self, backend: str) -> None:
        """With a limit on how many wait at the same time."""

        async def awaiting(client: AsyncAnthropic) -> list[str]:
            limit = anyio.Semaphore(3)
            texts: list[str] = []

            async def ask() -> None:
                async with limit:
                    texts.append((await client.completions.create(**ARGUMENTS)).completion)

            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(ask)
            return texts

        script = Script([lambda request: completion_reply()])
        assert len(World(backend).use(lambda client: None, awaiting, script)) == 20
