"""Spans and metrics of completions, by OpenTelemetry's conventions for generative AI.

    from anthropic_completions.otel import AnthropicCompletionsInstrumentor

    AnthropicCompletionsInstrumentor().instrument()

`opentelemetry-instrument` finds it by itself. It traces `completions.create` of all clients of this package,
plain and streamed, raw replies too, and those of a restored `anthropic`. It needs the extra `otel`.

A span is named `text_completion MODEL`, and lasts until the reply is read, or the stream is read or left:

| attribute | |
|---|---|
| `gen_ai.operation.name`, `gen_ai.provider.name` | `text_completion`, `anthropic` |
| `gen_ai.request.model`, `.max_tokens`, `.temperature`, `.top_k`, `.top_p`, `.stop_sequences` | as asked |
| `gen_ai.response.id`, `.model`, `.finish_reasons` | as answered |
| `gen_ai.usage.input_tokens`, `.output_tokens` | where Messages answered, which tells them |
| `server.address`, `server.port` | where the request went |
| `http.request.resend_count` | how often it was tried again, where it was |
| `anthropic.request_id` | what names the exchange at Anthropic |
| `error.type` | the HTTP status of an error, otherwise its class |
| `gen_ai.input.messages`, `gen_ai.output.messages` | prompt and text, where asked for |

The last two only with `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` set to `true`, `span_only` or
`span_and_event`. The metrics are `gen_ai.client.operation.duration`, in seconds, and
`gen_ai.client.token.usage`.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, TypeVar, cast

from opentelemetry import metrics, trace
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from opentelemetry.trace import SpanKind, Status, StatusCode

from ._client.clients import Anthropic, AsyncAnthropic
from ._client.responses import RawAPIResponse, ReplyBase
from ._errors import APIStatusError
from ._options import is_given
from ._stream.reading import AwaitingReading, BlockingReading, Reading
from ._stream.streams import AsyncStream, Stream
from ._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider
    from opentelemetry.util.types import AttributeValue

    from ._contract.completion import Completion

__all__ = ["AnthropicCompletionsInstrumentor"]

_NAME = "anthropic_completions"
_OPERATION = "text_completion"
F = TypeVar("F", bound="ReplyBase[object]")
_COMMON = {"gen_ai.operation.name": _OPERATION, "gen_ai.provider.name": "anthropic"}
_REQUEST = {
    "max_tokens_to_sample": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_k": "gen_ai.request.top_k",
    "top_p": "gen_ai.request.top_p",
    "stop_sequences": "gen_ai.request.stop_sequences",
}
_CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
# As the conventions advise.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)


class AnthropicCompletionsInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Traces completions of this package; see the module."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return what has to be installed besides: nothing."""
        return ()

    def _instrument(self, **kwargs: object) -> None:
        telemetry = _Telemetry(
            cast("TracerProvider | None", kwargs.get("tracer_provider")),
            cast("MeterProvider | None", kwargs.get("meter_provider")),
        )
        self._before = (Anthropic._complete, AsyncAnthropic._complete)
        blocking, awaiting = self._before

        def complete(client: Anthropic, arguments: Mapping[str, object], form: type[F]) -> F:
            call = _TracedCall(telemetry, client, arguments)
            with trace.use_span(call.span, record_exception=False, set_status_on_exception=False):
                try:
                    reply = blocking(client, arguments, form)
                except BaseException as error:
                    call.fail(error)
                    raise
            call.take(reply)
            return reply

        async def complete_async(client: AsyncAnthropic, arguments: Mapping[str, object], form: type[F]) -> F:
            call = _TracedCall(telemetry, client, arguments)
            with trace.use_span(call.span, record_exception=False, set_status_on_exception=False):
                try:
                    reply = await awaiting(client, arguments, form)
                except BaseException as error:  # also where it is cancelled
                    call.fail(error)
                    raise
            call.take(reply)
            return reply

        Anthropic._complete = complete  # type: ignore[method-assign, assignment]
        AsyncAnthropic._complete = complete_async  # type: ignore[method-assign, assignment]

    def _uninstrument(self, **kwargs: object) -> None:
        Anthropic._complete, AsyncAnthropic._complete = self._before  # type: ignore[method-assign]


class _Telemetry:
    """Where spans and metrics go."""

    def __init__(self, tracers: TracerProvider | None, meters: MeterProvider | None) -> None:
        self.tracer: Tracer = trace.get_tracer(_NAME, __version__, tracers)
        meter = metrics.get_meter(_NAME, __version__, meters)
        self.seconds: Histogram = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.tokens: Histogram = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )


class _TracedCall:
    """One call, from its arguments to the end of its reply."""

    def __init__(
        self, telemetry: _Telemetry, client: Anthropic | AsyncAnthropic, arguments: Mapping[str, object]
    ) -> None:
        given = {name: value for name, value in arguments.items() if value is not None and is_given(value)}
        model, url = str(given.get("model", "")), client.base_url
        self._common: dict[str, str | int] = {
            **_COMMON,
            "gen_ai.request.model": model,
            "server.address": url.host,
        }
        if url.port or url.scheme in ("http", "https"):
            self._common["server.port"] = url.port or (443 if url.scheme == "https" else 80)
        asked = {_REQUEST[name]: _value(value) for name, value in given.items() if name in _REQUEST}
        self._telemetry = telemetry
        self._captures = os.environ.get(_CAPTURE, "").lower() in ("true", "span_only", "span_and_event")
        self._started = time.perf_counter()
        self._ended = False
        self.span: Span = telemetry.tracer.start_span(
            f"{_OPERATION} {model}", kind=SpanKind.CLIENT, attributes={**self._common, **asked}
        )
        if self._captures:
            self._put_message("gen_ai.input.messages", "user", str(given.get("prompt", "")))

    def take(self, reply: ReplyBase[object]) -> None:
        """Go on with a reply: to the end of its stream, where it is one."""
        if reply.retries_taken:
            self.span.set_attribute("http.request.resend_count", reply.retries_taken)
        self._put_request_id(reply.request_id)
        if not isinstance(reply, RawAPIResponse):
            self.end()  # whoever asked for it reads it, in a way of their own
            return
        try:
            parsed = reply.parse()
        except Exception as error:  # noqa: BLE001 - it is raised again where the reply is parsed
            self.fail(error)
            return
        if isinstance(parsed, Stream | AsyncStream):
            _observe(parsed._reading, self._stream_ended)
        else:
            self._put_completion(cast("Completion", parsed))
            self.end()

    def fail(self, error: BaseException) -> None:
        """End with an error."""
        kind = type(error)
        told = str(error.status_code) if isinstance(error, APIStatusError) else kind.__qualname__
        self._common["error.type"] = told
        self.span.set_attribute("error.type", told)
        self._put_request_id(getattr(error, "request_id", None))
        self.span.set_status(Status(StatusCode.ERROR, kind.__name__))
        self.end()

    def end(self) -> None:
        """End the span, once."""
        if self._ended:
            return
        self._ended = True
        self._telemetry.seconds.record(time.perf_counter() - self._started, self._common)
        self.span.end()

    def _stream_ended(self, reading: Reading) -> None:
        if reading.assembly.chunk_count:
            self._put_completion(reading.assembly.so_far())
        if reading.failure is not None:
            self.fail(reading.failure)
        self.end()

    def _put_completion(self, completion: Completion) -> None:
        fields = completion.to_dict()
        for name, attribute in (("id", "gen_ai.response.id"), ("model", "gen_ai.response.model")):
            if isinstance(value := fields.get(name), str):
                self.span.set_attribute(attribute, value)
        if isinstance(model := fields.get("model"), str):
            self._common["gen_ai.response.model"] = model
        if completion.stop_reason:
            self.span.set_attribute("gen_ai.response.finish_reasons", [completion.stop_reason])
        usage = (getattr(completion, "message", None) or {}).get("usage")
        for kind in ("input", "output"):
            tokens = usage.get(f"{kind}_tokens") if isinstance(usage, dict) else None
            if isinstance(tokens, int):
                self.span.set_attribute(f"gen_ai.usage.{kind}_tokens", tokens)
                self._telemetry.tokens.record(tokens, {**self._common, "gen_ai.token.type": kind})
        if self._captures:
            self._put_message(
                "gen_ai.output.messages",
                "assistant",
                completion.completion,
                finish_reason=completion.stop_reason or "",
            )

    def _put_request_id(self, request_id: object) -> None:
        if isinstance(request_id, str):
            self.span.set_attribute("anthropic.request_id", request_id)

    def _put_message(self, name: str, role: str, text: str, **more: str) -> None:
        message = {"role": role, "parts": [{"type": "text", "content": text}], **more}
        self.span.set_attribute(name, json.dumps([message], ensure_ascii=False))


class _Observed(Reading):
    """A reading that tells when it ends. Its class is put in the place of an instance's own."""

    _on_end: Callable[[Reading], None] | None

    @property
    def ended(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether nothing more shall be read."""
        return bool(vars(self).get("ended", False))

    @ended.setter
    def ended(self, value: bool) -> None:
        vars(self)["ended"] = value
        if value:
            self._tell()

    def fail(self, error: Exception) -> Exception:
        failure = super().fail(error)
        self._tell()
        return failure

    def _tell(self) -> None:
        on_end = vars(self).pop("_on_end", None)
        if on_end is not None:
            on_end(self)


class _ObservedBlocking(_Observed, BlockingReading):
    pass


class _ObservedAwaiting(_Observed, AwaitingReading):
    pass


def _observe(reading: BlockingReading | AwaitingReading, on_end: Callable[[Reading], None]) -> None:
    vars(reading)["_on_end"] = on_end
    if isinstance(reading, BlockingReading):
        reading.__class__ = _ObservedBlocking
    else:
        reading.__class__ = _ObservedAwaiting


def _value(value: object) -> AttributeValue:
    return [str(one) for one in value] if isinstance(value, list | tuple) else cast("AttributeValue", value)
