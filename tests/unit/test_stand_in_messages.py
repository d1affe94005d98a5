"""The stand-in's `/v1/messages`: what it refuses, what it answers, in which form, and like `/v1/complete`."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions._stream.sse import SSEDecoder
from anthropic_completions.messages import to_completion, to_message_stop
from anthropic_completions.testing import (
    Scripted,
    StandIn,
    completion,
    drop_after,
    overloaded,
    rate_limited,
    raw,
    stall,
    truncate,
)
from strategies import texts

HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
OLD, MIDDLE, NEW = "claude-3-haiku-20240307", "claude-sonnet-4-5-20250929", "claude-opus-4-8"
HELLO = [{"role": "user", "content": "Hello, world!"}]
REPLY = "Hello! My name is Claude."


def post(stand_in: StandIn, path: str, body: Any) -> httpx.Response:
    with httpx.Client(transport=stand_in.transport(), base_url="http://x") as client:
        return client.post(path, json=body, headers=HEADERS)


def send(stand_in: StandIn | None = None, **fields: Any) -> httpx.Response:
    """Send a request for a message, changed; a field that is `...` is left out."""
    body = {"model": OLD, "max_tokens": 64, "messages": HELLO, **fields}
    body = {name: value for name, value in body.items() if value is not ...}
    return post(stand_in or StandIn(), "/v1/messages", body)


def events(content: bytes) -> list[tuple[str | None, Any]]:
    return [(event.event, json.loads(event.data)) for event in SSEDecoder().feed(content)]


def text_of(response: httpx.Response) -> str:
    return "".join(block["text"] for block in response.json()["content"])


def turns(*contents: Any) -> list[dict[str, Any]]:
    return [
        {"role": role, "content": content}
        for role, content in zip(("user", "assistant") * 2, contents, strict=False)
    ]


class TestRefusals:
    """What the service refuses, in its words where they are known."""

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"messages": ...}, "messages: Field required"),
            ({"max_tokens": ...}, "max_tokens: Field required"),
            ({"max_tokens": 0}, "max_tokens: expected an integer of at least 1, got 0"),
            ({"prompt": "x"}, "prompt: Extra inputs are not permitted"),
            ({"metadata": {"name": "x"}}, "metadata.name: Extra inputs are not permitted"),
            ({"temperature": 1.5}, "temperature: expected a number from 0 to 1, got 1.5"),
            ({"stop_sequences": "x"}, "stop_sequences: expected a list, got 'x'"),
            ({"messages": [{"role": "human", "content": "x"}]}, "messages[0].role: "),
            ({"messages": turns([{"type": "image"}])}, "messages[0].content[0].text: Field required"),
            ({"system": 3}, "system: expected a list, got 3"),
            ({"messages": []}, "messages: at least one message is required"),
            (
                {"messages": [{"role": "assistant", "content": "x"}]},
                'messages: first message must use the "user" role',
            ),
            ({"messages": turns("")}, "messages: text content blocks must be non-empty"),
            ({"messages": turns([])}, "messages: text content blocks must be non-empty"),
            ({"messages": turns("A", "", "B")}, "messages: text content blocks must be non-empty"),
            ({"messages": turns(" \n")}, "messages: text content blocks must contain non-whitespace text"),
            ({"system": " "}, "system: text content blocks must contain non-whitespace text"),
            (
                {"messages": turns("A", "B ")},
                "messages: final assistant content cannot end with trailing whitespace",
            ),
            (
                {"messages": turns("A", "B"), "model": NEW},
                "This model does not support assistant message prefill.",
            ),
            (
                {"stop_sequences": ["x", "\n\n"]},
                "stop_sequences: each stop sequence must contain non-whitespace",
            ),
            (
                {"model": MIDDLE, "temperature": 1, "top_p": 0.5},
                "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            ),
            ({"model": NEW, "temperature": 0.5}, "`temperature` is deprecated for this model."),
            ({"model": NEW, "top_p": 0.5}, "`top_p` is deprecated for this model."),
            ({"model": NEW, "top_k": 5}, "`top_k` is deprecated for this model."),
            ({"model": NEW, "top_p": 1}, "`top_p` is deprecated for this model."),
            ({"model": NEW, "temperature": 1, "top_p": 0.99}, "`top_p` is deprecated for this model."),
            (
                {"model": NEW, "max_tokens": 9999999},
                (
                    "max_tokens: 9999999 > 128000, which is the maximum allowed number of output tokens for "
                    "claude-opus-4-8"
                ),
            ),
            (
                {"model": MIDDLE, "messages": turns("a " * 200_001)},
                "prompt is too long: 200002 tokens > 200000 maximum",
            ),
        ],
    )
    def test_a_request_is_refused(self, fields: dict[str, Any], says: str) -> None:
        response = send(**fields)
        assert (response.status_code, response.headers["x-should-retry"]) == (400, "false")
        error = response.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert error["message"].startswith(says)

    @pytest.mark.parametrize(
        "fields",
        [
            {"temperature": 0.5, "top_p": 0.5, "top_k": 5},
            {"model": MIDDLE, "temperature": 0.5, "top_k": 5},
            {"model": MIDDLE, "messages": turns("A", "B")},
            {"model": NEW, "temperature": 1},
            {"model": "claude-next", "temperature": 0.5, "top_p": 0.5, "messages": turns("A", "B")},
            {
                "system": [{"type": "text", "text": "Be brief."}],
                "messages": turns([{"type": "text", "text": "A"}]),
            },
            {"messages": turns("A", "B ", "C"), "service_tier": "auto", "metadata": {"user_id": "u"}},
            {"stop_sequences": ["\n\nHuman:"], "stream": False},
            {"stop_sequences": None},
        ],
    )
    def test_a_request_is_taken(self, fields: dict[str, Any]) -> None:
        assert send(**fields).status_code == 200

    def test_a_name_can_have_the_rules_of_a_model(self) -> None:
        stand_in = StandIn(like={"claude-next": NEW})
        assert send(stand_in, model="claude-next", temperature=0.5).status_code == 400
        assert send(stand_in, model="claude-next").json()["model"] == "claude-next"

    @pytest.mark.parametrize(
        ("reword", "says"),
        [
            (
                lambda text: f"The model returned the following errors: {text}",
                "The model returned the following errors: `temperature` is deprecated for this model.",
            ),
            (lambda text: text.replace("`", ""), "temperature is deprecated for this model."),
        ],
    )
    def test_refusals_can_be_worded_as_gateways_do(self, reword: Any, says: str) -> None:
        refused = send(StandIn(reword=reword), model=NEW, temperature=0.5)
        assert refused.json()["error"]["message"] == says

    @pytest.mark.parametrize(
        ("model", "complete", "messages"),
        [("claude-2.1", 404, 404), (OLD, 404, 404), ("claude-next", 404, 404), (NEW, 400, 200)],
    )
    def test_of_today_it_serves_living_models_by_messages_only(
        self, model: str, complete: int, messages: int
    ) -> None:
        stand_in = StandIn(today=True)
        body = {"model": model, "max_tokens_to_sample": 9, "prompt": "\n\nHuman: x\n\nAssistant:"}
        refused = post(stand_in, "/v1/complete", body)
        assert refused.status_code == complete
        assert refused.json()["error"]["message"] == (
            f"model: {model}"
            if complete == 404
            else f'"{model}" is not supported on this API. Please use the Messages API instead.'
        )
        assert send(stand_in, model=model).status_code == messages

    def test_of_today_it_serves_names_that_are_like_living_models(self) -> None:
        stand_in = StandIn(today=True, like={"claude-next": NEW})
        assert send(stand_in, model="claude-next").status_code == 200

    @pytest.mark.parametrize("model", ["claude-2", "claude-instant-1", "claude-1"])
    def test_the_old_aliases_are_unknown_here(self, model: str) -> None:
        response = send(model=model)
        assert (response.status_code, response.json()["error"]) == (
            404,
            {"type": "not_found_error", "message": f"model: {model}"},
        )

    @pytest.mark.parametrize("path", ["/v1/complete", "/v1/messages"])
    def test_models_can_be_named_and_others_are_unknown(self, path: str) -> None:
        body = {"model": OLD, "max_tokens": 9, "messages": HELLO}
        if path == "/v1/complete":
            body = {"model": OLD, "max_tokens_to_sample": 9, "prompt": "\n\nHuman: x\n\nAssistant:"}
        stand_in = StandIn(models=[OLD])
        assert post(stand_in, path, body).status_code == 200
        refused = post(stand_in, path, {**body, "model": NEW})
        assert (refused.status_code, refused.json()["error"]["message"]) == (404, f"model: {NEW}")

    def test_models_can_be_left_to_messages(self) -> None:
        stand_in = StandIn(messages_only=[NEW])
        body = {"max_tokens_to_sample": 9, "prompt": "\n\nHuman: x\n\nAssistant:"}
        assert post(stand_in, "/v1/complete", {**body, "model": OLD}).status_code == 200
        refused = post(stand_in, "/v1/complete", {**body, "model": NEW})
        assert (refused.status_code, refused.json()["error"]) == (
            400,
            {
                "type": "invalid_request_error",
                "message": f'"{NEW}" is not supported on this API. Please use the Messages API instead.',
            },
        )
        assert send(stand_in, model=NEW).status_code == 200

    def test_a_key_is_insisted_on_here_too(self) -> None:
        assert send(StandIn(api_key="other")).status_code == 401


class TestReplies:
    """What is answered."""

    def test_the_documented_form(self) -> None:
        assert send().json() == {
            "id": "msg_000000000000000000000001",
            "type": "message",
            "role": "assistant",
            "model": OLD,
            "content": [{"type": "text", "text": REPLY}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "stop_details": None,
            "usage": {"input_tokens": 4, "output_tokens": 5},
        }

    def test_an_alias_is_resolved(self) -> None:
        assert send(model="claude-haiku-4-5").json()["model"] == "claude-haiku-4-5-20251001"

    def test_what_continues_a_prefill_begins_with_its_space(self) -> None:
        assert text_of(send(messages=turns("Why?", "Because"))) == " You said: Why?"

    def test_a_text_without_words_has_no_block(self) -> None:
        stand_in = StandIn()
        stand_in.queue(*[completion("", stop="END")] * 2)
        assert send(stand_in).json()["content"] == []
        names = [name for name, _ in events(send(stand_in, stream=True).content)]
        assert names == ["message_start", "message_delta", "message_stop"]

    def test_a_message_can_end_as_no_completion_does(self) -> None:
        stand_in = StandIn()
        stand_in.queue(completion(" No.", stop_reason="refusal"))
        assert send(stand_in).json()["stop_reason"] == "refusal"

    def test_blocks_without_text_are_streamed_whole(self) -> None:
        stand_in = StandIn()
        tool = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
        stand_in.queue(completion("", stop_reason="tool_use", content=[tool]))
        data = [data for name, data in events(send(stand_in, stream=True).content)]
        assert [part["type"] for part in data if part["type"].startswith("content")] == [
            "content_block_start",
            "content_block_stop",
        ]
        assert data[1]["content_block"] == tool

    @given(
        question=texts(min_size=1).filter(str.strip),
        limit=st.integers(1, 6),
        stops=st.lists(texts(min_size=1, max_size=2).filter(str.strip), max_size=2),
        prefill=st.sampled_from(["", " Well,"]),
        stream=st.booleans(),
    )
    def test_a_transcript_gets_the_text_that_it_gets_as_a_prompt(
        self, question: str, limit: int, stops: list[str], prefill: str, stream: bool
    ) -> None:
        prompt = f"Be brief.\n\nHuman: {question}\n\nAssistant:{prefill}"
        common = {"model": OLD, "stop_sequences": stops}
        old = post(
            StandIn(), "/v1/complete", {**common, "prompt": prompt, "max_tokens_to_sample": limit}
        ).json()
        messages = turns(question, *([prefill.strip()] if prefill else []))
        new = send(system="Be brief.", messages=messages, max_tokens=limit, stream=stream, **common)
        message = assembled(new.content) if stream else new.json()
        stop_reason, stop_sequence = to_message_stop(old["stop_reason"], old["stop"])
        assert (message["stop_reason"], message["stop_sequence"]) == (stop_reason, stop_sequence)
        text = "".join(block["text"] for block in message["content"])
        assert text == (old["completion"] if prefill else old["completion"].removeprefix(" "))


def assembled(content: bytes) -> dict[str, Any]:
    """Return the message that a stream says."""
    came = [(name, data) for name, data in events(content) if name != "ping"]
    message: dict[str, Any] = came[0][1]["message"]
    texts = [data["delta"]["text"] for name, data in came if name == "content_block_delta"]
    message["content"] = [{"type": "text", "text": "".join(texts)}]
    return {**message, **came[-2][1]["delta"]}


class TestStreams:
    """The form of its streams, and scripted replies in them."""

    def test_the_recorded_form(self) -> None:
        response = send(stream=True)
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert b"\r" not in response.content
        assert response.content.startswith(b'event: message_start\ndata: {"type":"message_start","message":{')
        assert b'event: ping\ndata: {"type": "ping"}\n\n' in response.content
        assert b"  }\n\nevent: " in response.content
        came = events(response.content)
        assert [name for name, _ in came] == [
            "message_start",
            "content_block_start",
            "content_block_delta",
            "ping",
            *["content_block_delta"] * 4,
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        assert all(name == data["type"] for name, data in came)
        start = came[0][1]["message"]
        assert (start["content"], start["stop_reason"], start["usage"]["output_tokens"]) == ([], None, 0)
        assert came[-2][1] == {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None},
            "usage": {"output_tokens": 5},
        }
        assert to_completion(assembled(response.content))["completion"] == f" {REPLY}"

    @pytest.mark.parametrize(("every", "pings"), [(None, 1), (0, 0), (2, 2)])
    def test_the_pings(self, every: int | None, pings: int) -> None:
        came = events(send(StandIn(ping_every=every), stream=True).content)
        assert [name for name, _ in came].count("ping") == pings

    def test_delays_come_before_chunks(self) -> None:
        stand_in = StandIn(delay=0.5)
        send(stand_in, stream=True)
        assert stand_in.clock.waits == [0.5] * (5 + 1)

    @pytest.mark.parametrize(
        ("script", "texts", "last"),
        [
            (overloaded(after_chunks=2), 2, "error"),
            (truncate(chunks=3), 3, "content_block_delta"),
            (truncate(chunks=99), 5, "message_delta"),
            (stall(3, after_chunks=2, ping_every=2), 5, "message_stop"),
            (raw(b"event: ping\ndata: {}\n\n"), 0, "ping"),
        ],
    )
    def test_a_script_does_the_same_here(self, script: Scripted, texts: int, last: str) -> None:
        stand_in = StandIn()
        stand_in.queue(script)
        response = send(stand_in, stream=True)
        assert b"\r" not in response.content
        names = [name for name, _ in events(response.content)]
        assert (names.count("content_block_delta"), names[-1]) == (texts, last)

    def test_a_connection_breaks_here_too(self) -> None:
        stand_in = StandIn()
        stand_in.queue(drop_after(2), rate_limited(7))
        with pytest.raises(httpx.RemoteProtocolError):
            send(stand_in, stream=True)
        assert send(stand_in).headers["retry-after"] == "7"
