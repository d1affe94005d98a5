"""The bridge to Messages: every row of the table in its docstring, and every loss."""

import copy
import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions import AnthropicError
from anthropic_completions._contract import generated as _wire
from anthropic_completions.messages import (
    LOSSES,
    Loss,
    StreamTranslator,
    UntranslatableMessageError,
    UntranslatablePromptError,
    needs_leading_space,
    to_completion,
    to_message_stop,
    to_messages_request,
)
from anthropic_completions.prompts import Prompt, parse, validate

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "messages.json").read_text("utf-8"))
REQUESTS = [case for case in VECTORS["requests"] if "error" not in case]
PARAMS = {"model": "claude-2.1", "max_tokens_to_sample": 5, "prompt": "\n\nHuman: A\n\nAssistant:"}


def cases(found: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def failing(kind: str) -> list[dict[str, Any]]:
    return [case for case in VECTORS[kind] if "error" in case]


def succeeding(kind: str) -> list[dict[str, Any]]:
    return [case for case in VECTORS[kind] if "error" not in case]


def check_request(case: dict[str, Any]) -> None:
    request, losses = to_messages_request(case["params"])
    assert request == case["request"]
    assert [{"rule": loss.rule, "field": loss.field, "value": loss.value} for loss in losses] == case[
        "losses"
    ]
    assert needs_leading_space(case["params"], request) == case["leading_space"]


# Requests


@cases(REQUESTS)
def test_a_request_is_translated(case: dict[str, Any]) -> None:
    check_request(case)


@cases(failing("requests"))
def test_a_prompt_without_a_counterpart_is_refused_and_the_reason_told(case: dict[str, Any]) -> None:
    with pytest.raises(UntranslatablePromptError) as raised:
        to_messages_request(case["params"])
    assert str(raised.value) == case["error"]


@pytest.mark.parametrize("rule", LOSSES)
def test_no_rule_can_be_removed_without_a_vector_that_misses_it(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expecting = [case for case in REQUESTS if any(loss["rule"] == rule for loss in case["losses"])]
    assert expecting
    monkeypatch.delitem(LOSSES, rule)
    for case in expecting:
        with pytest.raises(AssertionError):
            check_request(case)


@cases(REQUESTS)
def test_the_request_that_comes_in_is_not_changed(case: dict[str, Any]) -> None:
    params = copy.deepcopy(case["params"])
    to_messages_request(params)
    assert params == case["params"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompt": None}, "prompt: expected a string"),
        ({"prompt": ["A"]}, "prompt: expected a string"),
        ({"model": 5}, "model: expected a string"),
        ({"stop_sequences": "END"}, "stop_sequences: expected a list, got 'END'"),
        ({"stop_sequences": [5]}, r"stop_sequences\[0\]: expected a string, got 5"),
        ({"temperature": "hot"}, "temperature: expected a number"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        to_messages_request({**PARAMS, **changes})


@pytest.mark.parametrize("field", PARAMS)
def test_a_field_that_is_missing_is_named(field: str) -> None:
    with pytest.raises(TypeError, match=f"^{field}: expected a value, got nothing"):
        to_messages_request({name: value for name, value in PARAMS.items() if name != field})


def test_ranges_are_for_the_service_to_judge() -> None:
    request, losses = to_messages_request({**PARAMS, "max_tokens_to_sample": 0, "temperature": 2})
    assert (request["max_tokens"], request["temperature"], losses) == (0, 2, [])


def test_every_rule_says_why_and_what_comes_of_it() -> None:
    for name, rule in LOSSES.items():
        assert rule.id == name
        assert rule.reason.endswith(".")
        assert rule.consequence.endswith(".")


def test_a_loss_reads_as_a_sentence_and_cuts_long_values() -> None:
    loss = Loss("stop_sequences[0]", "\n", "blank_stop_sequence", "It is left out.")
    assert str(loss) == r"stop_sequences[0]: '\n': It is left out. [blank_stop_sequence]"
    assert str(Loss("prompt", "x" * 1000, "r", "Oh.")) == f"prompt: '{'x' * 39}… (1002 characters): Oh. [r]"


def test_a_loss_tells_the_consequence_of_its_rule() -> None:
    _, losses = to_messages_request({**PARAMS, "stop_sequences": [" "]})
    assert [loss.consequence for loss in losses] == [LOSSES["blank_stop_sequence"].consequence]


MODELS = sorted(_wire.component("#/components/schemas/KnownModel")["x-models"])
TEXTS = st.lists(st.sampled_from(["A", " ", "\n", "Human:", "b c", "🦕"]), max_size=5).map("".join)
TURNS = st.lists(st.tuples(st.sampled_from(["\n\nHuman:", "\n\nAssistant:"]), TEXTS), max_size=6)
PROMPTS = st.builds(
    lambda system, turns, last: system + "".join(map("".join, turns)) + "\n\nAssistant:" + last,
    TEXTS,
    TURNS,
    TEXTS,
)


@given(
    PROMPTS,
    st.sampled_from(MODELS),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["temperature", "top_p"]), st.sampled_from([0, 0.5, 1])),
)
def test_what_comes_out_holds_nothing_that_messages_is_known_to_refuse(
    prompt: str, model: str, stops: list[str], sampling: dict[str, Any]
) -> None:
    params = {**PARAMS, "prompt": prompt, "model": model, "stop_sequences": stops, **sampling}
    try:
        request, losses = to_messages_request(params)
    except UntranslatablePromptError:
        return
    messages = request["messages"]
    assert all(message["content"].strip() for message in messages)
    assert messages[0]["role"] == "user"
    assert messages[-1]["content"] == messages[-1]["content"].rstrip() or messages[-1]["role"] == "user"
    assert all(stop.strip() for stop in request["stop_sequences"] if stop != "\n\nHuman:")
    assert "\n\nHuman:" in request["stop_sequences"]
    assert request.get("system", "x").strip()
    assert all(loss.rule in LOSSES for loss in losses)


@given(PROMPTS)
def test_a_request_that_loses_nothing_says_the_whole_prompt(prompt: str) -> None:
    try:
        request, losses = to_messages_request({**PARAMS, "prompt": prompt})
    except UntranslatablePromptError:
        return
    system = [{"role": "system", "content": request["system"]}] if "system" in request else []
    again = Prompt.from_turns([*system, *request["messages"]]).build()
    if not losses:
        assert said(again) == said(validate(prompt).sanitised)


def said(prompt: str) -> tuple[str, list[tuple[str, str]]]:
    transcript = parse(prompt)
    return transcript.system, [(turn.role, turn.content) for turn in transcript.turns]


# Replies


@cases(succeeding("replies"))
def test_a_reply_becomes_a_completion(case: dict[str, Any]) -> None:
    completion = to_completion(case["message"], leading_space=case["leading_space"])
    assert list(completion.items()) == list(case["completion"].items())
    assert _wire.first_violation("Completion", completion) is None


@cases(failing("replies"))
def test_a_reply_without_a_counterpart_is_surfaced(case: dict[str, Any]) -> None:
    with pytest.raises(UntranslatableMessageError) as raised:
        to_completion(case["message"])
    assert raised.value.reason == case["error"]
    assert raised.value.reply == case["message"]


def test_the_error_is_one_of_ours_and_a_value_error_and_survives_pickle() -> None:
    with pytest.raises(UntranslatableMessageError) as raised:
        to_completion({"content": [], "stop_reason": "refusal"})
    error = pickle.loads(pickle.dumps(raised.value))
    assert isinstance(error, AnthropicError)
    assert isinstance(error, ValueError)
    assert (error.reason, error.reply) == ("refusal", {"content": [], "stop_reason": "refusal"})
    assert str(error) == "the message ends with the stop reason 'refusal', which completions do not have"


@pytest.mark.parametrize(
    "reply", [{}, {"content": None}, {"content": [5]}, {"content": [], "stop_reason": []}]
)
def test_what_is_no_message_is_malformed(reply: dict[str, Any]) -> None:
    with pytest.raises(UntranslatableMessageError) as raised:
        to_completion(reply)
    assert raised.value.reason == "malformed"


@cases(VECTORS["stops"])
def test_stops_are_translated_both_ways(case: dict[str, Any]) -> None:
    reason, stop = case["completion"]
    assert to_message_stop(reason, stop) == tuple(case["message"])
    if reason and (stop or reason == "max_tokens"):
        reply = next(found for found in VECTORS["replies"] if found["name"] == "a natural end")["message"]
        reply = {**reply, "stop_reason": case["message"][0], "stop_sequence": case["message"][1]}
        completion = to_completion(reply)
        assert (completion["stop_reason"], completion["stop"]) == (reason, stop)


# Streams


def run(case: dict[str, Any]) -> tuple[list[dict[str, Any]], UntranslatableMessageError | None]:
    translator = StreamTranslator(leading_space=case["leading_space"])
    out: list[dict[str, Any]] = []
    for index, event in enumerate(case["events"]):
        try:
            found = translator.feed(event["event"], event["data"])
        except UntranslatableMessageError as error:
            assert index == len(case["events"]) - 1
            return out, error
        out += [{"event": name, "data": data} for name, data in found]
    return out, None


@cases(VECTORS["streams"])
def test_a_stream_is_translated_event_by_event(case: dict[str, Any]) -> None:
    out, error = run(case)
    assert out == case["completions"]
    assert (error and error.reason) == case.get("error")
    for event in out:
        if event["event"] == "completion":
            assert _wire.first_violation("CompletionChunk", event["data"]) is None


def test_an_error_in_a_stream_holds_what_had_come_of_the_message() -> None:
    case = next(case for case in VECTORS["streams"] if case["name"] == "a refusal")
    _, error = run(case)
    assert error is not None
    assert error.reply["id"] == "msg_1"
    assert error.reply["content"] == [{"type": "text", "text": "I can"}]
    assert error.reply["stop_reason"] == "refusal"


def test_what_came_is_put_together_for_errors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the time that a stream takes grows with the square of its length."""
    monkeypatch.setattr(StreamTranslator, "_so_far", lambda _: pytest.fail("put together"))
    for case in succeeding("streams"):
        assert run(case) == (case["completions"], None)


def test_a_stream_that_begins_a_second_message_is_malformed() -> None:
    translator = StreamTranslator()
    start = {"message": {"id": "msg_1", "model": "claude-2.1"}}
    translator.feed("message_start", start)
    translator.feed("content_block_delta", {"delta": {"type": "text_delta", "text": "Hi"}})
    with pytest.raises(UntranslatableMessageError, match="begins a second message") as raised:
        translator.feed("message_start", start)
    assert raised.value.reason == "malformed"
    assert raised.value.reply["content"] == [{"type": "text", "text": "Hi"}]


def test_a_stream_whose_start_is_missing_has_chunks_without_id_and_model() -> None:
    delta = {"delta": {"type": "text_delta", "text": "Hi"}}
    assert StreamTranslator().feed("content_block_delta", delta) == [
        ("completion", {"type": "completion", "completion": " Hi", "stop_reason": None, "stop": None})
    ]


@pytest.mark.parametrize("start", [{"id": 5, "model": "m"}, {"id": "msg_1", "model": None}, {"model": "m"}])
def test_a_start_whose_id_or_model_is_no_text_is_malformed(start: dict[str, Any]) -> None:
    with pytest.raises(UntranslatableMessageError) as raised:
        StreamTranslator().feed("message_start", {"message": start})
    assert raised.value.reason == "malformed"


def test_what_comes_in_is_not_changed_and_what_is_passed_on_is_a_copy() -> None:
    ping = {"type": "ping"}
    ((_, passed_on),) = StreamTranslator().feed("ping", ping)
    passed_on["more"] = 1
    assert ping == {"type": "ping"}


@given(
    st.text(),
    st.lists(st.integers(0, 50), max_size=5),
    st.booleans(),
    st.sampled_from([("end_turn", None), ("stop_sequence", "END"), ("max_tokens", None)]),
)
def test_a_stream_in_any_pieces_says_what_the_whole_message_says(
    text: str, cuts: list[int], leading_space: bool, end: tuple[str, str | None]
) -> None:
    whole = {
        "id": "msg_1",
        "model": "claude-2.1",
        "content": [{"type": "text", "text": text}],
        "stop_reason": end[0],
        "stop_sequence": end[1],
    }
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    events = [
        ("message_start", {"message": {**whole, "content": [], "stop_reason": None}}),
        ("content_block_start", {"content_block": {"type": "text", "text": ""}}),
        *(
            ("content_block_delta", {"delta": {"type": "text_delta", "text": text[start:stop]}})
            for start, stop in pairwise(edges)
        ),
        ("message_delta", {"delta": {"stop_reason": end[0], "stop_sequence": end[1]}}),
    ]
    translator = StreamTranslator(leading_space=leading_space)

    def streamed() -> list[dict[str, Any]]:
        return [data for event, data in events for _, data in translator.feed(event, data)]

    try:
        completion = to_completion(whole, leading_space=leading_space)
    except UntranslatableMessageError as error:
        with pytest.raises(UntranslatableMessageError) as raised:
            streamed()
        assert raised.value.reason == error.reason  # noqa: PT017
        return
    chunks = streamed()
    assert "".join(chunk["completion"] for chunk in chunks) == completion["completion"]
    assert {**chunks[-1], "completion": completion["completion"]} == completion
