"""`restore` and the `anthropic` package of today."""

import gc
import os
import pickle
import re
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import anyio
import httpx
import httpx2
import pytest

import anthropic_completions
from anthropic_completions import APIConnectionError, APITimeoutError, restore
from anthropic_completions.types import Completion
from reachable import assert_holds_none
from restore.service import Service

ARGUMENTS: dict[str, Any] = {
    "model": "m",
    "max_tokens_to_sample": 9,
    "prompt": "\n\nHuman: Hello\n\nAssistant:",
}
KEY = "sk-ant-a-secret-key"
WORLDS = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def _restored() -> Any:
    with restore(anthropic):
        yield


def use(asynchronous: bool, do: Any, do_async: Any, **options: Any) -> Any:
    """Run a function with a client of the other package."""
    if not asynchronous:
        with anthropic.Anthropic(**{"api_key": KEY, **options}) as client:
            return do(client)

    async def run() -> Any:
        async with anthropic.AsyncAnthropic(**{"api_key": KEY, **options}) as client:
            return await do_async(client)

    return anyio.run(run)


def create(asynchronous: bool, options: dict[str, Any], **arguments: Any) -> Any:
    def do(client: Any) -> Any:
        return client.completions.create(**ARGUMENTS, **arguments)

    return use(asynchronous, do, do, **options)


def test_it_is_the_series_that_is_meant() -> None:
    """`make test-compat` runs these tests with the newest releases of two."""
    assert anthropic.__version__.partition(".")[0] == os.environ.get("RESTORE_SERIES", "2")


@WORLDS
@pytest.mark.parametrize("backend", ["messages", "completions", "auto"])
def test_completions_are_back(asynchronous: bool, backend: Any, service: Service) -> None:
    restore(anthropic, backend=backend)
    completion = create(asynchronous, {"base_url": service.url, "default_headers": {"X-A": "1"}})
    assert type(completion) is Completion
    assert (completion.completion, completion.stop_reason) == (" You said: Hello", "stop_sequence")
    (received,) = service.received
    assert received.path == ("/v1/messages" if backend == "messages" else "/v1/complete")
    assert (received.headers["x-api-key"], received.headers["x-a"]) == (KEY, "1")
    assert received.headers["anthropic-version"] == "2023-06-01"


@WORLDS
def test_streams_are_back(asynchronous: bool, service: Service) -> None:
    def do(client: Any) -> list[str]:
        return list(client.completions.create(**ARGUMENTS, stream=True).text_stream)

    async def do_async(client: Any) -> list[str]:
        stream = await client.completions.create(**ARGUMENTS, stream=True)
        return [text async for text in stream.text_stream]

    assert use(asynchronous, do, do_async, base_url=service.url) == [" You", " said:", " Hello"]


@WORLDS
def test_copies_have_their_own_settings(asynchronous: bool, service: Service) -> None:
    def do(client: Any) -> Any:
        copied = client.with_options(api_key="other", set_default_headers={})
        return copied.completions.create(**ARGUMENTS)

    use(asynchronous, do, do, base_url=service.url, default_headers={"X-A": "1"})
    assert service.received[0].headers["x-api-key"] == "other"
    assert "x-a" not in service.received[0].headers


def test_a_setting_that_changes_holds_from_then_on(service: Service) -> None:
    client = anthropic.Anthropic(api_key=KEY, base_url=service.url)
    before = client.completions
    assert client.completions is before
    client.api_key = "other"
    client.completions.create(**ARGUMENTS)
    assert service.received[0].headers["x-api-key"] == "other"


def test_what_the_package_has_for_arguments_that_are_not_given_is_taken(service: Service) -> None:
    create(
        False,
        {"base_url": service.url},
        top_k=anthropic.NOT_GIVEN,
        top_p=anthropic.omit,
        timeout=anthropic.Timeout(5),
    )
    assert not {"top_k", "top_p"} & service.received[0].json().keys()


def test_a_client_over_aiohttp_sends_completions_so(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    request = aiohttp.ClientSession._request

    async def noting(self: Any, method: str, *arguments: Any, **options: Any) -> Any:
        sent.append(method)
        return await request(self, method, *arguments, **options)

    monkeypatch.setattr(aiohttp.ClientSession, "_request", noting)

    async def run() -> list[str]:
        http = anthropic.DefaultAioHttpClient()
        async with anthropic.AsyncAnthropic(api_key=KEY, base_url=service.url, http_client=http) as client:
            completion = await client.completions.create(**ARGUMENTS)
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            return [completion.completion, *[text async for text in stream.text_stream]]

    assert anyio.run(run) == [" You said: Hello", " You", " said:", " Hello"]
    assert sent == ["POST", "POST"]


@pytest.mark.parametrize("kind", ["DefaultAioHttpClient", "DefaultAsyncRustHttpClient"])
def test_a_client_refuses_ways_to_the_network_that_are_of_httpx(kind: str) -> None:
    """As the pages say; once it takes them, they are to be tested here."""
    http = getattr(anthropic_completions, kind)()
    with pytest.raises(TypeError, match="httpx2"):
        anthropic.AsyncAnthropic(api_key=KEY, http_client=http)


@WORLDS
def test_a_clients_http_client_sends(asynchronous: bool) -> None:
    seen: list[Any] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(529, json={"type": "error", "error": {"type": "overloaded_error"}})

    kind: Any = httpx2.AsyncClient if asynchronous else httpx2.Client
    with pytest.raises(anthropic_completions.OverloadedError) as raised:
        create(
            asynchronous,
            {
                "http_client": kind(transport=httpx2.MockTransport(answer), params={"a": "b"}),
                "max_retries": 0,
                "timeout": 7,
            },
        )
    assert str(seen[0].url) == "https://api.anthropic.com/v1/messages?a=b"
    assert seen[0].extensions["timeout"]["read"] == 7
    assert_holds_none([KEY], raised.value)


@WORLDS
@pytest.mark.parametrize(
    ("failure", "wanted", "cause"),
    [
        (httpx2.ConnectError("refused"), APIConnectionError, httpx.ConnectError),
        (httpx2.ReadTimeout("late"), APITimeoutError, httpx.ReadTimeout),
        (OSError("gone"), APIConnectionError, OSError),
    ],
)
def test_a_failure_has_its_class_and_no_key(
    asynchronous: bool, failure: Exception, wanted: Any, cause: Any
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise failure

    kind: Any = httpx2.AsyncClient if asynchronous else httpx2.Client
    http = kind(transport=httpx2.MockTransport(answer))
    with pytest.raises(wanted) as raised:
        create(asynchronous, {"http_client": http, "max_retries": 0})
    assert isinstance(raised.value.__cause__, cause)
    assert_holds_none([KEY], raised.value)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


@WORLDS
def test_a_client_that_is_closed_says_so(asynchronous: bool) -> None:
    def do(client: Any) -> None:
        client.close()
        client.completions.create(**ARGUMENTS)

    async def do_async(client: Any) -> None:
        await client.close()
        await client.completions.create(**ARGUMENTS)

    with pytest.raises(APIConnectionError, match="The client is closed"):
        use(asynchronous, do, do_async)


@WORLDS
def test_a_provider_of_credentials_serves_completions_too(
    asynchronous: bool, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not this one")

    def token(**_: Any) -> Any:
        from anthropic.lib.credentials import AccessToken

        return AccessToken(token="minted", expires_at=None)

    create(asynchronous, {"api_key": None, "credentials": token, "base_url": service.url})
    assert service.received[0].headers["authorization"] == "Bearer minted"
    assert "x-api-key" not in service.received[0].headers


def test_a_clouds_client_gets_none() -> None:
    client = anthropic.AnthropicFoundry(resource="r", api_key="k")
    assert not hasattr(client, "completions")


def test_a_subclass_of_somebodys_has_them(service: Service) -> None:
    class Mine(anthropic.Anthropic):
        pass

    with Mine(api_key=KEY, base_url=service.url) as client:
        assert client.completions.create(**ARGUMENTS).id.startswith("msg_")


def test_a_client_goes_when_it_is_forgotten() -> None:
    client = anthropic.Anthropic(api_key=KEY)
    assert client.completions
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None


def test_the_example_of_the_page_runs(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", service.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    page = Path(__file__).parents[2] / "docs" / "migrating.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    (code,) = [block for block in blocks if "import anthropic\n" in block]
    exec(compile(code, str(page), "exec"), {})
    assert capsys.readouterr().out == " You said: How many toes do dogs have?\n"
    assert service.received[0].path == "/v1/messages"


def test_undone_all_is_as_before() -> None:
    code = (
        "import anthropic, anthropic_completions\n"
        "def look(): return [{n: v for n, v in vars(x).items() if not n.startswith('__')}\n"
        "    for x in (anthropic, anthropic.Anthropic, anthropic.AsyncAnthropic)]\n"
        "before = look()\n"
        "first = anthropic_completions.restore(anthropic)\n"
        "assert anthropic.HUMAN_PROMPT == anthropic.Anthropic.HUMAN_PROMPT == '\\n\\nHuman:'\n"
        "assert anthropic_completions.restore(anthropic, on_loss='drop') is first\n"
        "assert first.settings['on_loss'] == 'drop'\n"
        "assert look() != before\n"
        "first.undo(); first.undo()\n"
        "assert look() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
