"""The stand-in's `/v1/messages`: thinking, effort and refusals, as today's models have them."""

import json
from typing import Any

import httpx
import pytest

from anthropic_completions._contract.generated import component
from anthropic_completions._stream.sse import SSEDecoder
from anthropic_completions.models import lifecycle
from anthropic_completions.testing import StandIn, completion, refusal, truncate

HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
HELLO = [{"role": "user", "content": "Hello, world!"}]
REPLY = "Hello! My name is Claude."
HAIKU, OPUS, SONNET = "claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5-5"
OFF, OLD = "claude-opus-4-8", "claude-haiku-4-5"
USE_ADAPTIVE = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
# Every model that Messages has served, by its full name.
SERVED = [
    name
    for name in component("#/components/schemas/KnownModel")["x-models"]
    if lifecycle(name).snapshot == name and lifecycle(name).messages.thinking
]


def send(model: str, stand_in: StandIn | None = None, **fields: Any) -> httpx.Response:
    body = {"model": model, "max_tokens": 64, "messages": HELLO, **fields}
    transport = (stand_in or StandIn()).transport()
    with httpx.Client(transport=transport, base_url="http://x") as client:
        return client.post("/v1/messages", json=body, headers=HEADERS)


def says(model: str, **fields: Any) -> str:
    response = send(model, **fields)
    assert response.json()["error"]["type"] == "invalid_request_error"
    return str(response.json()["error"]["message"])


def effort(level: str) -> dict[str, Any]:
    return {"output_config": {"effort": level}}


def thinking(kind: str, **more: Any) -> dict[str, Any]:
    return {"thinking": {"type": kind, **more}}


class TestWhatIsRefused:
    """In the service's words."""

    @pytest.mark.parametrize(
        ("model", "fields", "text"),
        [
            (
                OPUS,
                thinking("disabled"),
                f'"thinking.type.disabled" is not supported for this model. {USE_ADAPTIVE}',
            ),
            (
                "claude-mythos-preview",
                thinking("disabled"),
                (
                    '"thinking.type.disabled" is not supported for this model. Thinking defaults to '
                    'adaptive mode when not specified; use "thinking.type.enabled" with "budget_tokens" '
                    "for extended thinking."
                ),
            ),
            (
                SONNET,
                thinking("disabled"),
                (
                    'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead '
                    'of {"type": "disabled"}. The model does not think before responding. The short updates '
                    "it writes between tool calls come back as thinking blocks."
                ),
            ),
            (
                HAIKU,
                thinking("between_tools"),
                '"thinking.type.between_tools" is not supported for this model.',
            ),
            (
                OPUS,
                thinking("between_tools"),
                '"thinking.type.between_tools" is not supported for this model.',
            ),
            (
                OLD,
                thinking("between_tools"),
                '"thinking.type.between_tools" is not supported for this model.',
            ),
            (
                HAIKU,
                {**thinking("disabled"), **effort("xhigh")},
                (
                    "output_config.effort 'xhigh' is not supported when thinking is disabled on this model. "
                    "Use effort 'high' or below, or enable thinking."
                ),
            ),
            (
                SONNET,
                {**thinking("between_tools"), **effort("max")},
                (
                    "output_config.effort 'max' is not supported when thinking is disabled on this model. "
                    "Use effort 'high' or below, or enable thinking."
                ),
            ),
            (
                OFF,
                thinking("enabled", budget_tokens=1024),
                f'"thinking.type.enabled" is not supported for this model. {USE_ADAPTIVE}',
            ),
            (OLD, thinking("adaptive"), "adaptive thinking is not supported on this model"),
            (OLD, effort("low"), "This model does not support the effort parameter."),
            (
                "claude-opus-4-5",
                effort("max"),
                "output_config.effort: this model supports low, medium, high; got max",
            ),
            (
                OLD,
                thinking("enabled", budget_tokens=1024),
                "`max_tokens` must be greater than `thinking.budget_tokens`.",
            ),
            (
                OLD,
                {**thinking("enabled", budget_tokens=1024), "max_tokens": 2000, "temperature": 0},
                "`temperature` may only be set to 1 when thinking is enabled.",
            ),
            (
                SONNET,
                thinking("between_tools", display="omitted"),
                "thinking.display: Extra inputs are not permitted",
            ),
            (OLD, thinking("enabled"), "thinking.budget_tokens: Field required"),
            (HAIKU, {"output_config": {"x": 1}}, "output_config.x: Extra inputs are not permitted"),
        ],
    )
    def test_a_text(self, model: str, fields: dict[str, Any], text: str) -> None:
        assert says(model, **fields) == text

    def test_an_unknown_kind_is_refused(self) -> None:
        assert says(HAIKU, **thinking("often")).startswith("thinking.type: ")

    @pytest.mark.parametrize("model", SERVED)
    def test_the_off_switch_of_the_contract_is_taken(self, model: str) -> None:
        switch = lifecycle(model).messages.off_switch
        for kind in ("disabled", "between_tools"):
            # Models that do not think anyway take `disabled`.
            taken = kind == switch or (kind == "disabled" and lifecycle(model).messages.thinking == "off")
            assert (send(model, **thinking(kind)).status_code == 200) == taken

    @pytest.mark.parametrize("model", SERVED)
    @pytest.mark.parametrize("level", ["low", "medium", "high", "xhigh", "max"])
    def test_the_efforts_of_the_contract_are_taken(self, model: str, level: str) -> None:
        known = lifecycle(model).messages.effort
        assert (send(model, **effort(level)).status_code == 200) == (
            known is not None and level in known.levels
        )

    @pytest.mark.parametrize("model", SERVED)
    def test_prefill_and_sampling_are_taken_as_the_contract_says(self, model: str) -> None:
        support = lifecycle(model).messages
        prefilled = [*HELLO, {"role": "assistant", "content": "So"}]
        assert (send(model, messages=prefilled).status_code == 200) == support.prefill
        assert (send(model, temperature=0).status_code == 200) == (support.sampling != "none")
        assert (send(model, top_k=5).status_code == 200) == (support.sampling != "none")
        both = send(model, temperature=0.5, top_p=0.5).status_code
        assert (both == 200) == (support.sampling == "any")

    def test_high_effort_goes_with_no_thinking_where_that_is_documented(self) -> None:
        assert send("claude-sonnet-5", **thinking("disabled"), **effort("max")).status_code == 200


class TestThinking:
    """Its tokens and its block."""

    @pytest.mark.parametrize(
        ("model", "fields", "thinks"),
        [
            (OPUS, {}, True),
            (HAIKU, {}, True),
            (HAIKU, thinking("disabled"), False),
            (SONNET, thinking("between_tools"), False),
            (OFF, {}, False),
            (OFF, thinking("adaptive"), True),
            (OLD, thinking("enabled", budget_tokens=1024), True),
            ("claude-next", {}, False),
        ],
    )
    def test_whether_it_happens(self, model: str, fields: dict[str, Any], thinks: bool) -> None:
        message = send(model, max_tokens=2000, **fields).json()
        assert [block["type"] for block in message["content"]] == ["thinking"] * thinks + ["text"]
        thought = 50 if thinks else 0
        assert message["usage"]["output_tokens"] == thought + 5
        assert message["usage"].get("output_tokens_details") == ({"thinking_tokens": 50} if thinks else None)

    def test_the_block_is_empty_and_signed_on_newer_models(self) -> None:
        block = send(HAIKU).json()["content"][0]
        assert (block["thinking"], bool(block["signature"])) == ("", True)

    @pytest.mark.parametrize(
        ("model", "fields"),
        [
            (OLD, thinking("enabled", budget_tokens=1024)),
            (HAIKU, thinking("adaptive", display="summarized")),
        ],
    )
    def test_the_block_has_a_summary_where_it_is_shown(self, model: str, fields: dict[str, Any]) -> None:
        assert send(model, max_tokens=2000, **fields).json()["content"][0]["thinking"]

    def test_it_counts_in_max_tokens(self) -> None:
        message = send(HAIKU, StandIn(thinking_tokens=62)).json()
        assert [block.get("text") for block in message["content"]] == [None, "Hello! My"]
        assert (message["stop_reason"], message["usage"]["output_tokens"]) == ("max_tokens", 64)

    def test_it_can_leave_nothing_for_the_text(self) -> None:
        message = send(OPUS, max_tokens=5).json()
        assert [block["type"] for block in message["content"]] == ["thinking"]
        assert (message["stop_reason"], message["stop_sequence"]) == ("max_tokens", None)
        assert message["usage"] == {
            "input_tokens": 4,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 5},
        }

    def test_it_takes_no_tokens_where_none_are_given(self) -> None:
        message = send(OPUS, StandIn(thinking_tokens=0), max_tokens=5).json()
        assert message["content"] == [{"type": "text", "text": REPLY}]


def events(response: httpx.Response) -> list[tuple[str | None, Any]]:
    return [(event.event, json.loads(event.data)) for event in SSEDecoder().feed(response.content)]


class TestStreams:
    """Thinking in streams."""

    def test_the_block_is_signed_before_the_text_begins(self) -> None:
        came = events(send(HAIKU, StandIn(ping_every=2), stream=True))
        assert [name for name, _ in came] == [
            "message_start",
            *["content_block_start", "content_block_delta", "content_block_stop"],
            "content_block_start",
            *["content_block_delta", "content_block_delta", "ping"] * 2,
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        assert came[1][1]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
        assert came[2][1]["delta"]["type"] == "signature_delta"
        assert came[4][1]["content_block"] == {"type": "text", "text": ""}
        assert (came[3][1]["index"], came[4][1]["index"]) == (0, 1)
        assert came[-2][1]["usage"] == {
            "output_tokens": 55,
            "output_tokens_details": {"thinking_tokens": 50},
        }

    def test_a_summary_comes_before_the_signature(self) -> None:
        shown = thinking("adaptive", display="summarized")
        came = events(send(HAIKU, stream=True, **shown))
        deltas = [data["delta"]["type"] for name, data in came if name == "content_block_delta"]
        assert deltas[:3] == ["thinking_delta", "signature_delta", "text_delta"]

    def test_scripts_count_chunks_of_text(self) -> None:
        stand_in = StandIn()
        stand_in.queue(truncate(chunks=2))
        response = send(HAIKU, stand_in, stream=True)
        texts = [
            data["delta"].get("text") for name, data in events(response) if name == "content_block_delta"
        ]
        assert texts == [None, "Hello!", " My"]


class TestRefusals:
    """Status 200, and a stop reason."""

    @pytest.mark.parametrize("stream", [False, True])
    def test_it_says_why_and_has_no_text(self, stream: bool) -> None:
        stand_in = StandIn()
        stand_in.queue(refusal("cyber", "It may do harm."))
        response = send(OPUS, stand_in, stream=stream)
        told = events(response)[-2][1]["delta"] if stream else response.json()
        assert (response.status_code, told["stop_reason"]) == (200, "refusal")
        assert told["stop_details"] == {
            "type": "refusal",
            "category": "cyber",
            "explanation": "It may do harm.",
        }
        if not stream:
            assert told["content"] == []

    def test_it_can_come_in_the_middle(self) -> None:
        stand_in = StandIn()
        stand_in.queue(refusal(text=" First you"))
        message = send(OFF, stand_in).json()
        assert message["content"] == [{"type": "text", "text": "First you"}]
        assert message["stop_details"]["category"] is None

    def test_other_stops_have_no_details(self) -> None:
        stand_in = StandIn()
        stand_in.queue(completion(" A", stop_reason="max_tokens"))
        assert send(HAIKU, stand_in).json()["stop_details"] is None
