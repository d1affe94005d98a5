"""`restore`, for what looks like a modern `anthropic`; `make test-compat` does it with the real one."""

from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest

from anthropic_completions import APIConnectionError, IncompleteStreamError, restore
from support import ARGUMENTS, KEY, Script, World, completion_reply, stream_reply

MESSAGE = {
    "id": "msg_1",
    "model": "m",
    "content": [{"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
}


class NotGiven:
    pass


class Modern:
    """What `restore` asks of a client."""

    def __init__(self, http: Any, **settings: Any) -> None:
        self._client = http
        self._custom_headers: dict[str, Any] = {}
        self.custom_auth: Any = None
        self.api_key: str | None = KEY
        self.auth_token: str | None = None
        self.base_url = httpx.URL("https://gateway.example/a/")
        self.timeout: Any = httpx.Timeout(5)
        self.max_retries = 0
        self.default_query: dict[str, object] = {}
        vars(self).update(settings)


@pytest.fixture
def package() -> Iterator[ModuleType]:
    made = ModuleType("modern")
    clients = {name: type(name, (Modern,), {}) for name in ("Anthropic", "AsyncAnthropic")}
    vars(made).update(clients, NotGiven=NotGiven)
    yield made
    restore(made).undo()


def use(world: World, package: Any, reply: Any, do: Any = None, **settings: Any) -> Any:
    """Run a function with a client of the package."""
    if world.backend is None:
        with httpx.Client(transport=httpx.MockTransport(reply), params={"p": "1"}) as http:
            return (do or create)(package.Anthropic(http, **settings))

    async def run() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(reply), params={"p": "1"}) as http:
            return await (do or create)(package.AsyncAnthropic(http, **settings))

    return anyio.run(run, backend=world.backend)


def create(client: Any) -> Any:
    return client.completions.create(**ARGUMENTS, top_k=NotGiven())


def message() -> httpx.Response:
    return httpx.Response(200, json=MESSAGE, headers={"content-encoding": "identity"})


def test_a_clients_settings_and_connections_serve_its_completions(world: World, package: ModuleType) -> None:
    script = Script([message()])
    restore(package)
    settings = {"_custom_headers": {"X-A": "1", "User-Agent": object()}, "default_query": {"q": "2"}}
    completion = use(world, package, script, **settings)
    assert (completion.completion, completion.stop_reason, completion.stop) == (
        " Hi.",
        "stop_sequence",
        "\n\nHuman:",
    )
    (request,) = script.requests
    assert str(request.url) == "https://gateway.example/a/v1/messages?p=1&q=2"
    assert (request.headers["x-api-key"], request.headers["x-a"]) == (KEY, "1")
    assert "anthropic-completions" not in request.headers["user-agent"]
    assert request.extensions["timeout"]["read"] == 5
    assert "top_k" not in script.bodies[0]


def test_the_old_endpoint_can_be_asked_for(world: World, package: ModuleType) -> None:
    script = Script([completion_reply()])
    restore(package, backend="completions")
    assert use(world, package, script).id.startswith("compl_")
    assert script.requests[0].url.path == "/a/v1/complete"


def test_what_signs_the_clients_requests_signs_these(
    world: World, package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of the environment")
    script = Script([message()])
    restore(package)
    use(world, package, script, api_key="", custom_auth=httpx.BasicAuth("u", "p"))
    assert script.requests[0].headers["authorization"].startswith("Basic ")
    assert "x-api-key" not in script.requests[0].headers


def test_no_credential_is_taken_from_elsewhere(
    world: World, package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "of the environment")
    restore(package)
    with pytest.raises(TypeError, match="no credentials"):
        use(world, package, Script([message()]), api_key=None)


def test_a_stream_that_breaks_off_is_told(world: World, package: ModuleType) -> None:
    restore(package)

    def blocking(client: Any) -> None:
        list(client.completions.create(**ARGUMENTS, stream=True))

    async def awaiting(client: Any) -> None:
        async for _ in await client.completions.create(**ARGUMENTS, stream=True):
            pass

    start = b'event: message_start\ndata: {"message": {"id": "i", "model": "m"}}\n\n'
    text = b'event: content_block_delta\ndata: {"delta": {"type": "text_delta", "text": "Hi"}}\n\n'
    script = Script([stream_reply(start, text, httpx.ReadError("gone"))])
    with pytest.raises(IncompleteStreamError) as raised:
        use(world, package, script, blocking if world.backend is None else awaiting)
    assert raised.value.completion == " Hi"


def test_leaving_a_stream_closes_the_clients_reply(world: World, package: ModuleType) -> None:
    restore(package)
    reply = stream_reply(b": a comment\n\n")

    def blocking(client: Any) -> None:
        client.completions.create(**ARGUMENTS, stream=True).close()

    async def awaiting(client: Any) -> None:
        await (await client.completions.create(**ARGUMENTS, stream=True)).close()

    body = reply.stream
    use(world, package, Script([reply]), blocking if world.backend is None else awaiting)
    assert body.closed  # type: ignore[union-attr]


def test_a_connection_that_cannot_be_made_has_its_error(world: World, package: ModuleType) -> None:
    restore(package)
    with pytest.raises(APIConnectionError, match="refused"):
        use(world, package, Script([httpx.ConnectError("refused")]))


def test_an_error_that_is_none_of_http_comes_as_it_is(world: World, package: ModuleType) -> None:
    restore(package)
    error = RuntimeError("hook")
    with pytest.raises(RuntimeError, match="hook") as raised:
        use(world, package, Script([error]))
    assert raised.value is error
    assert raised.value.__cause__ is None


def test_a_client_whose_http_client_is_closed_says_so(world: World, package: ModuleType) -> None:
    restore(package)

    def blocking(client: Any) -> None:
        client._client.close()
        create(client)

    async def awaiting(client: Any) -> None:
        await client._client.aclose()
        await create(client)

    with pytest.raises(APIConnectionError, match="The client is closed"):
        use(world, package, Script([message()]), blocking if world.backend is None else awaiting)


def test_the_markers_are_back_and_all_of_it_can_be_undone(package: Any) -> None:
    before = [dict(vars(owner)) for owner in (package, package.Anthropic, package.AsyncAnthropic)]
    with restore(package) as restoration:
        assert package.HUMAN_PROMPT == package.Anthropic.HUMAN_PROMPT == "\n\nHuman:"
        assert package.AI_PROMPT == package.AsyncAnthropic.AI_PROMPT == "\n\nAssistant:"
        assert restore(package, on_loss="drop") is restoration
        assert restoration.settings["on_loss"] == "drop"
    restoration.undo()
    after = [dict(vars(owner)) for owner in (package, package.Anthropic, package.AsyncAnthropic)]
    assert after == before


def test_undoing_what_somebody_took_away_undoes_the_rest(package: Any) -> None:
    restoration = restore(package)
    del package.AsyncAnthropic.AI_PROMPT
    restoration.undo()
    assert not hasattr(package, "HUMAN_PROMPT")
    assert not hasattr(package.Anthropic, "completions")


def test_completions_of_its_own_come_back_when_undone(package: Any) -> None:
    package.Anthropic.completions = own = object()
    with restore(package):
        assert package.Anthropic.completions is not own
    assert package.Anthropic.completions is own


def test_completions_stay_the_same_object_and_follow_the_clients_settings(package: Any) -> None:
    restoration = restore(package)
    with httpx.Client() as http:
        client = package.Anthropic(http)
        completions = client.completions
        first = completions.server.client()
        assert completions.server.client() is first
        client.max_retries = 1
        assert completions.server.client().max_retries == 1
        second = completions.server.client()
        restore(package, backend="auto")
        assert completions.server.client() is not second
        assert client.completions is completions
    assert restoration.settings["backend"] == "auto"


def test_the_clouds_clients_get_none(package: Any) -> None:
    cloud = type("AnthropicCloud", (package.Anthropic,), {"__module__": "modern.lib.cloud"})
    restore(package)
    assert not hasattr(cloud(None), "completions")


@pytest.mark.parametrize("wrong", [None, SimpleNamespace(), SimpleNamespace(Anthropic=int)])
def test_what_is_not_the_package_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="anthropic: expected the package, imported, got"):
        restore(wrong)


def test_a_wrong_setting_is_refused_before_anything_is_changed(package: Any) -> None:
    wrong: Any = "sometimes"
    with pytest.raises(ValueError, match="backend: expected one of"):
        restore(package, backend=wrong)
    assert not hasattr(package, "HUMAN_PROMPT")
