"""`AnthropicLLM` of langchain-anthropic 0.3.17, over a package without completions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import anyio
import pytest
from langchain_anthropic import AnthropicLLM

from anthropic_completions import restore
from anthropic_completions.messages import LossWarning
from restore.service import Service

pytestmark = [
    pytest.mark.filterwarnings("ignore:This Anthropic LLM is deprecated"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:langchain_core"),
]
PROMPT = "\n\nHuman: Hello\n\nAssistant:"


@contextmanager
def made(service: Service) -> Iterator[Any]:
    """Make an `AnthropicLLM`, and close its clients, which nobody else does."""
    llm = AnthropicLLM(model="claude-3-haiku-20240307", base_url=service.url, api_key="k", max_tokens=9)
    with llm.client:
        yield llm
    anyio.run(llm.async_client.close)


@pytest.fixture(params=["messages", "completions"])
def llm(request: pytest.FixtureRequest, service: Service) -> Any:
    with restore(anthropic, backend=request.param), made(service) as llm:
        yield llm
    path = {"messages": "/v1/messages", "completions": "/v1/complete"}[request.param]
    assert {received.path for received in service.received} == {path}


def test_invoke(llm: Any) -> None:
    assert llm.invoke(PROMPT) == " You said: Hello"


def test_stream(llm: Any) -> None:
    assert "".join(llm.stream(PROMPT)) == " You said: Hello"


def test_ainvoke(llm: Any) -> None:
    async def run() -> str:
        async with llm.async_client:
            return str(await llm.ainvoke(PROMPT))

    assert anyio.run(run) == " You said: Hello"


def test_astream(llm: Any) -> None:
    async def run() -> str:
        async with llm.async_client:
            return "".join([piece async for piece in llm.astream(PROMPT)])

    assert anyio.run(run) == " You said: Hello"


def test_stop_words_and_sampling_arrive(llm: Any, service: Service) -> None:
    llm.temperature = 0.5
    llm.invoke(PROMPT, stop=["END"])
    body = service.received[0].json()
    assert (body["stop_sequences"], body["temperature"]) == (["END", "\n\nHuman:"], 0.5)


def test_its_own_prefill_ends_in_white_space_and_that_is_told(service: Service) -> None:
    with restore(anthropic), made(service) as llm, pytest.warns(LossWarning, match="prefill_whitespace"):
        llm.invoke("Hello")
    assert service.received[0].json()["messages"] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Sure, here you go:"},
    ]
