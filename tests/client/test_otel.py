"""Spans and metrics of completions, as the in-memory exporter of OpenTelemetry gets them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import anyio
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes, server_attributes
from opentelemetry.trace import SpanKind, StatusCode

from anthropic_completions import Anthropic, AsyncAnthropic, OverloadedError, restore
from anthropic_completions.otel import AnthropicCompletionsInstrumentor
from anthropic_completions.testing import StandIn, drop_after, overloaded, rate_limited, stall
from support import World

ASKED: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "prompt": "\n\nHuman: Hello there\n\nAssistant:",
    "max_tokens_to_sample": 20,
    "temperature": 0.5,
    "stop_sequences": ["END"],
}


class Told:
    """What was exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])

    def span(self) -> Any:
        """Return the one span that there is."""
        (span,) = self.exporter.get_finished_spans()
        return span

    def points(self, name: str) -> list[Any]:
        """Return the points of a metric."""
        data = self.reader.get_metrics_data()
        found = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [point for metric in found for point in metric.data.data_points]


@pytest.fixture
def told() -> Iterator[Told]:
    one = Told()
    instrumentor = AnthropicCompletionsInstrumentor()
    instrumentor.instrument(tracer_provider=one.tracers, meter_provider=one.meters, skip_dep_check=True)
    yield one
    instrumentor.uninstrument()


def complete(world: World, stand_in: StandIn, *, leave: bool = False, **arguments: Any) -> Any:
    """Make one call, and read its stream to the end, or leave it after its first chunk."""
    fields = {**ASKED, **arguments}
    if world.backend is None:
        with stand_in.client(backend="messages", max_retries=1) as client:
            result = client.completions.create(**fields)
            if fields.get("stream") and leave:
                next(result)
                return result.close()
            return list(result) if fields.get("stream") else result

    async def run() -> Any:
        async with stand_in.async_client(backend="messages", max_retries=1) as client:
            result = await client.completions.create(**fields)
            if fields.get("stream") and leave:
                await anext(result)
                return await result.close()
            return [chunk async for chunk in result] if fields.get("stream") else result

    return anyio.run(run, backend=world.backend)


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_a_span_of_the_conventions(told: Told, world: World, stream: bool) -> None:
    complete(world, StandIn(), stream=stream)
    span = told.span()
    attributes = dict(span.attributes)
    assert (span.name, span.kind) == ("text_completion claude-haiku-4-5", SpanKind.CLIENT)
    assert attributes.pop("gen_ai.response.id").startswith("msg_")
    assert attributes.pop("anthropic.request_id").startswith("req_")
    assert attributes.pop("gen_ai.usage.input_tokens") > 0
    assert attributes == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-haiku-4-5",
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.response.model": "claude-haiku-4-5-20251001",
        "gen_ai.response.finish_reasons": ("stop_sequence",),
        "gen_ai.usage.output_tokens": 4,
        "server.address": "stand-in",
        "server.port": 80,
    }
    assert span.status.status_code is StatusCode.UNSET
    (point,) = told.points("gen_ai.client.operation.duration")
    assert (point.count, point.attributes["gen_ai.request.model"]) == (1, "claude-haiku-4-5")
    assert len(told.points("gen_ai.client.token.usage")) == 2


def test_the_names_are_those_of_the_installed_conventions(told: Told, world: World) -> None:
    stand_in = StandIn()
    stand_in.queue(rate_limited(0), overloaded())
    with pytest.raises(OverloadedError):
        complete(world, stand_in)
    complete(world, StandIn(), temperature=None, top_k=5, top_p=0.5)
    modules = (gen_ai_attributes, error_attributes, http_attributes, server_attributes)
    known = {value for module in modules for value in vars(module).values() if isinstance(value, str)}
    used = {name for span in told.exporter.get_finished_spans() for name in span.attributes}
    assert used - known == {"anthropic.request_id"}
    assert gen_ai_metrics.GEN_AI_CLIENT_OPERATION_DURATION == "gen_ai.client.operation.duration"
    assert gen_ai_metrics.GEN_AI_CLIENT_TOKEN_USAGE == "gen_ai.client.token.usage"
    assert told.points("gen_ai.client.operation.duration")
    assert told.points("gen_ai.client.token.usage")


def test_a_failed_call_has_its_error(told: Told, world: World) -> None:
    stand_in = StandIn()
    stand_in.queue(overloaded(), overloaded())
    with pytest.raises(OverloadedError):
        complete(world, stand_in)
    span = told.span()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "529"
    assert span.attributes["anthropic.request_id"].startswith("req_")
    (point,) = told.points("gen_ai.client.operation.duration")
    assert point.attributes["error.type"] == "529"


def test_a_call_that_was_tried_again_says_how_often(told: Told, world: World) -> None:
    stand_in = StandIn()
    stand_in.queue(overloaded())
    complete(world, stand_in)
    assert told.span().attributes["http.request.resend_count"] == 1


def test_a_stream_that_breaks_off_has_its_error_and_what_came(told: Told, world: World) -> None:
    stand_in = StandIn()
    stand_in.queue(drop_after(1))
    with pytest.raises(Exception, match="broke off"):
        complete(world, stand_in, stream=True)
    span = told.span()
    assert (span.status.status_code, span.attributes["error.type"]) == (
        StatusCode.ERROR,
        "IncompleteStreamError",
    )
    assert span.attributes["gen_ai.response.id"].startswith("msg_")


def test_a_stream_that_is_left_ends_its_span_without_an_error(told: Told, world: World) -> None:
    complete(world, StandIn(), stream=True, leave=True)
    span = told.span()
    assert span.status.status_code is StatusCode.UNSET
    assert "gen_ai.response.finish_reasons" not in span.attributes


def test_a_span_lasts_as_long_as_its_stream(told: Told) -> None:
    with StandIn().client() as client:
        stream = client.completions.create(**ASKED, stream=True)
        next(stream)
        assert told.exporter.get_finished_spans() == ()
        list(stream)
    assert told.span()


@pytest.mark.parametrize(("loop", "kind"), [("asyncio", "CancelledError"), ("trio", "Cancelled")])
def test_a_call_that_is_cancelled_ends_its_span(told: Told, loop: str, kind: str) -> None:
    stand_in = StandIn()
    stand_in.queue(stall(5))

    class Clock:
        monotonic = staticmethod(lambda: 0.0)
        wall = staticmethod(lambda: 0.0)
        sleep = staticmethod(lambda _: None)

        async def sleep_async(self, seconds: float) -> None:
            await anyio.sleep_forever()

    stand_in.clock = Clock()

    async def run() -> None:
        async with stand_in.async_client() as client:
            with anyio.move_on_after(0.05):
                await client.completions.create(**ASKED)

    anyio.run(run, backend=loop)
    assert told.span().attributes["error.type"] == kind


@pytest.mark.parametrize(
    ("switch", "captured"), [("true", True), ("span_only", True), ("", False), ("no", False)]
)
def test_prompts_are_told_only_where_the_standard_switch_says_so(
    told: Told, world: World, switch: str, captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", switch)
    complete(world, StandIn())
    attributes = told.span().attributes
    assert ("gen_ai.input.messages" in attributes) == captured
    assert ("Hello there" in str(attributes)) == captured
    if captured:
        (message,) = json.loads(attributes["gen_ai.output.messages"])
        assert message["parts"] == [{"type": "text", "content": " You said: Hello there"}]


def test_calls_of_a_restored_package_are_traced(told: Told) -> None:
    import httpx

    package: Any = ModuleType("modern")

    class Client:
        def __init__(self, http: Any) -> None:
            self._client, self._custom_headers, self.custom_auth = http, {}, None
            self.api_key, self.auth_token, self.base_url = "k", None, "http://stand-in"
            self.timeout, self.max_retries, self.default_query = 5, 0, {}

    vars(package).update(Anthropic=Client, AsyncAnthropic=type("AsyncAnthropic", (Client,), {}))
    with restore(package), httpx.Client(transport=StandIn().transport()) as http:
        package.Anthropic(http).completions.create(**ASKED)
    assert told.span().attributes["gen_ai.response.finish_reasons"] == ("stop_sequence",)


def test_raw_replies_are_traced_and_not_read(told: Told) -> None:
    with StandIn().client() as client:
        assert client.completions.with_raw_response.create(**ASKED).parse().completion
        with client.completions.with_streaming_response.create(**ASKED) as reply:
            assert not reply.is_closed
    assert len(told.exporter.get_finished_spans()) == 2


def test_nothing_is_traced_after_it_was_taken_back(told: Told) -> None:
    AnthropicCompletionsInstrumentor().uninstrument()
    with StandIn().client() as client:
        client.completions.create(**ASKED)
    assert told.exporter.get_finished_spans() == ()
    assert Anthropic._complete.__module__ == AsyncAnthropic._complete.__module__ == Anthropic.__module__


def test_opentelemetry_instrument_finds_it() -> None:
    (found,) = entry_points(group="opentelemetry_instrumentor", name="anthropic-completions")
    assert found.load() is AnthropicCompletionsInstrumentor


def test_it_costs_nothing_where_it_is_not_switched_on() -> None:
    program = """
import sys
import anthropic_completions
from anthropic_completions.testing import StandIn
PROMPT = "\\n\\nHuman: Hi\\n\\nAssistant:"
with StandIn().client() as client:
    client.completions.create(model="claude-2.1", max_tokens_to_sample=9, prompt=PROMPT)
classes = anthropic_completions.Anthropic, anthropic_completions.AsyncAnthropic
assert all(one._complete.__module__ == "anthropic_completions._client.clients" for one in classes)
assert [name for name in sys.modules if name.startswith("opentelemetry")] == []
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)
