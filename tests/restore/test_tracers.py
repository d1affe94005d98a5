"""Tracers that patch completions by name, or wrap a client, see the calls of a restored package."""

import warnings
from collections.abc import Iterator
from typing import Any

import anthropic
import anyio
import pytest
from langsmith import Client
from langsmith.run_helpers import tracing_context
from openinference.instrumentation.anthropic import AnthropicInstrumentor as OpenInference
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as OpenLLMetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from anthropic_completions import restore
from restore.service import Service

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langsmith.wrappers import wrap_anthropic

ARGUMENTS: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens_to_sample": 9,
    "prompt": "\n\nHuman: Hello\n\nAssistant:",
}
WORLDS = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restore(anthropic):
        yield


def complete(
    asynchronous: bool, service: Service, *, stream: bool, prepare: Any = lambda client: client
) -> str:
    """Return the text that a client of the other package gets."""
    if not asynchronous:
        with anthropic.Anthropic(api_key="k", base_url=service.url) as client:
            result = prepare(client).completions.create(**ARGUMENTS, stream=stream)
            return "".join(chunk.completion for chunk in result) if stream else result.completion

    async def run() -> str:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=service.url) as client:
            result = await prepare(client).completions.create(**ARGUMENTS, stream=stream)
            return "".join([one.completion async for one in result]) if stream else result.completion

    return anyio.run(run)


@WORLDS
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("instrumentor", [OpenInference, OpenLLMetry])
def test_an_instrumentor_that_patches_by_name_traces_completions(
    instrumentor: Any, stream: bool, asynchronous: bool, service: Service
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor().instrument(tracer_provider=provider)
    try:
        assert complete(asynchronous, service, stream=stream) == " You said: Hello"
    finally:
        instrumentor().uninstrument()
    (span,) = exporter.get_finished_spans()
    assert "claude-haiku-4-5" in map(str, span.attributes.values())
    assert complete(asynchronous, service, stream=stream)
    assert len(exporter.get_finished_spans()) == 1


@WORLDS
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_client_that_langsmith_wraps_is_traced_and_so_are_its_copies(
    stream: bool, asynchronous: bool, service: Service
) -> None:
    runs: list[Any] = []

    class Recording(Client):
        def create_run(self, name: str, *args: Any, **kwargs: Any) -> None:
            runs.append(name)

        def update_run(self, *args: Any, **kwargs: Any) -> None:
            pass

    with tracing_context(enabled=True, client=Recording(api_key="k", auto_batch_tracing=False)):
        text = complete(
            asynchronous,
            service,
            stream=stream,
            prepare=lambda client: wrap_anthropic(client).with_options(max_retries=0),
        )
    assert text == " You said: Hello"
    assert runs == ["Anthropic"]
