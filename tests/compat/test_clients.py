"""A client tells of itself what the old one told."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from compat.look import look, settled
from compat.play import NEW, NOT_GIVEN, OLD, OMIT, WORLDS, Case, Name, client_of, environment, run
from compat.recorder import Recorder

CASES = [
    Case("an ordinary client"),
    Case("a client for the API itself", path=None),
    Case("a client behind a gateway", path="/gateway"),
    Case("a client of another host", path=None, client={"base_url": "https://example.com"}),
    Case("a client of an httpx.URL", path=None, client={"base_url": httpx.URL("https://example.com/a/")}),
    Case("a client of the environment", path=None, client={"api_key": ...}, env={
        "ANTHROPIC_API_KEY": "ek", "ANTHROPIC_AUTH_TOKEN": "et", "ANTHROPIC_BASE_URL": "{url}/a",
        "ANTHROPIC_CUSTOM_HEADERS": "X-One: 1",
    }),
    Case("a client without credentials", client={"api_key": ...}),
    Case("a client with options", client={
        "auth_token": "t", "timeout": 7, "max_retries": 5, "default_query": {"a": [1]},
        "default_headers": {"X-A": "1", "User-Agent": "me"},
    }),
    Case("a client without time limits", client={"timeout": None}),
    Case("a client with a Timeout", client={"timeout": Name("Timeout", called={"timeout": 3, "connect": 1})}),
    Case("a client with an httpx client", http={"timeout": 7}),
    Case("a copy", client={"max_retries": 5}, copy={"default_headers": {"X-B": ""}}),
    Case("a copy with everything else", copy={
        "api_key": "k2", "auth_token": "t2", "timeout": 1, "max_retries": 0, "base_url": "https://example.com",
        "set_default_headers": {"X-C": "3"}, "set_default_query": {"q": "1"},
    }),
    Case("a copy with nothing", copy={"timeout": NOT_GIVEN, "max_retries": NOT_GIVEN, "base_url": None}),
    Case("a header that is omitted", client={"default_headers": {"User-Agent": OMIT}}),
]  # fmt: skip


def _headers(client: Any) -> dict[str, Any]:
    """Return the default headers but those of which the difference is listed."""
    return {
        name.lower(): value if isinstance(value, str) else type(value).__name__
        for name, value in client.default_headers.items()
        if not name.lower().startswith("x-stainless-") and "nthropic" not in value
    }


PROBES: dict[str, Callable[[Any], Any]] = {
    "base_url": lambda c: (type(c.base_url).__name__, str(c.base_url)),
    "timeout": lambda c: httpx.Timeout(c.timeout),
    "max_retries": lambda c: c.max_retries,
    "default_headers": _headers,
    "default_query": lambda c: dict(c.default_query),
    "api_key": lambda c: c.api_key,
    "auth_token": lambda c: c.auth_token,
    "auth_headers": lambda c: dict(c.auth_headers),
    "middleware": lambda c: c.middleware,
    "HUMAN_PROMPT": lambda c: c.HUMAN_PROMPT,
    "AI_PROMPT": lambda c: c.AI_PROMPT,
    "is_closed": lambda c: c.is_closed(),
    "completions again": lambda c: c.completions is c.completions,
    "with_raw_response": lambda c: hasattr(c.with_raw_response.completions, "create"),
    "with_streaming_response": lambda c: hasattr(c.completions.with_streaming_response, "create"),
    "equal to its copy": lambda c: c == c.copy(),
    "class of its copy": lambda c: type(c.with_options()) is type(c),
    "base_url after setting it": lambda c: (setattr(c, "base_url", "http://localhost/x"), str(c.base_url))[1],
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("probe", PROBES)
def test_tells_the_same_of_itself(recorder: Recorder, probe: str, world: str) -> None:
    async def told(package: Any, case: Case) -> dict[str, Any]:
        async with client_of(package, recorder.url, case, world) as client:
            return look(case.name, client, {probe: PROBES[probe]})

    for case in CASES:
        with environment(case, recorder.url):
            assert run(world, told(NEW, case)) == run(world, told(OLD, case))


@pytest.mark.parametrize("kind", ["Anthropic", "AsyncAnthropic"])
def test_the_same_attributes_can_be_set(kind: str) -> None:
    """Settings that programs change on a client."""
    values = {
        "api_key": "k",
        "auth_token": "t",
        "base_url": "http://localhost",
        "timeout": 1.5,
        "max_retries": 1,
    }
    for name, value in values.items():
        for package in (OLD, NEW):
            client = getattr(package, kind)(api_key="k")
            setattr(client, name, value)
            assert str(getattr(client, name)).rstrip("/") == str(value)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("package", [OLD, NEW], ids=lambda package: package.__name__)
def test_is_closed_with_its_copies(recorder: Recorder, package: Any, world: str) -> None:
    async def closed() -> dict[str, Any]:
        async with client_of(package, recorder.url, Case("one"), world) as client:
            copied = client.copy(timeout=1)
            await settled(copied.close())
            return {"client": client.is_closed(), "copy": copied.is_closed()}

    assert run(world, closed()) == {"client": True, "copy": True}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("package", [OLD, NEW], ids=lambda package: package.__name__)
def test_is_a_context_manager(package: Any, world: str) -> None:
    async def entered() -> dict[str, Any]:
        if world == "sync":
            with package.Anthropic(api_key="k") as client:
                inside = client.is_closed()
        else:
            async with package.AsyncAnthropic(api_key="k") as client:
                inside = client.is_closed()
        return {"inside": inside, "after": client.is_closed()}

    assert run(world, entered()) == {"inside": False, "after": True}


@pytest.mark.parametrize("kind", ["Anthropic", "AsyncAnthropic"])
@pytest.mark.parametrize("package", [OLD, NEW], ids=lambda package: package.__name__)
def test_takes_keywords_only(package: Any, kind: str) -> None:
    with pytest.raises(TypeError):
        getattr(package, kind)("sk-ant-a-key")
