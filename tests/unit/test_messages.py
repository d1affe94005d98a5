"""The bridge to Messages: every row of the table in its docstring, and every loss."""

import contextlib
import copy
import json
import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anthropic_completions import AnthropicError
from anthropic_completions._contract import generated as _wire
from anthropic_completions.messages import (
    LOSSES,
    Loss,
    LossError,
    StreamTranslator,
    UntranslatableMessageError,
    UntranslatablePromptError,
    to_completion,
    to_message_stop,
    to_messages_request,
    translate,
)
from anthropic_completions.messages._beginnings import Answer
from anthropic_completions.models import MessagesSupport
from anthropic_completions.prompts import Prompt, parse, validate
from strategies import texts

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
    done = translate(case["params"], **case.get("settings", {}))
    assert done.request == case["request"]
    assert [{"rule": loss.rule, "field": loss.field, "value": loss.value} for loss in done.losses] == case[
        "losses"
    ]
    assert done.leading_space == case["leading_space"]
    assert done.beginning == case.get("beginning", "")


# Requests


@cases(REQUESTS)
def test_a_request_is_translated(case: dict[str, Any]) -> None:
    check_request(case)


def test_a_prefill_can_be_an_error_where_the_model_refuses_it() -> None:
    params = {**PARAMS, "model": "claude-opus-4-8", "prompt": f"{PARAMS['prompt']} Hi", "temperature": 0}
    with pytest.raises(LossError, match='prefill="instruct" asks for it in words') as raised:
        translate(params, prefill="error")
    assert [loss.rule for loss in raised.value.losses] == ["prefill_refused"]


def test_a_loss_of_a_model_in_no_list_says_that_it_is_treated_as_the_newest() -> None:
    params = {**PARAMS, "prompt": f"{PARAMS['prompt']} Hi", "stop_sequences": [" "]}
    losses = {loss.rule: loss for loss in translate({**params, "model": "claude-next"}).losses}
    sentence = " The model is not in the contract; it is treated as the newest models are."
    assert losses["prefill_refused"].consequence == LOSSES["prefill_refused"].consequence + sentence
    assert losses["blank_stop_sequence"].consequence == LOSSES["blank_stop_sequence"].consequence


@pytest.mark.parametrize(
    ("model", "known"), [("claude-opus-5", True), ("claude-next", True), ("my-claude", False)]
)
def test_of_names_that_gateways_make_up_losses_cannot_be_judged(model: str, known: bool) -> None:
    assert translate({**PARAMS, "model": model}).is_judged is known


def test_what_was_learned_of_a_model_overrides_the_contract() -> None:
    params = {**PARAMS, "model": "my-claude", "top_k": 5}
    done = translate(params, support=MessagesSupport(sampling="none"))
    assert "top_k" not in done.request
    assert [loss.rule for loss in done.losses] == ["sampling_refused"]


@pytest.mark.parametrize("name", ["messages", "max_tokens"])
def test_what_is_made_of_another_field_is_refused_beside_it(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected none"):
        translate({**PARAMS, name: 5})


def test_system_beside_white_space_before_the_first_turn_is_taken() -> None:
    done = translate({**PARAMS, "prompt": f"\n{PARAMS['prompt']}", "system": "Be brief."})
    assert (done.request["system"], done.losses) == ("Be brief.", ())


def test_thinking_cannot_be_switched_off_where_nothing_is_known_to_do_it() -> None:
    assert "thinking" not in translate({**PARAMS, "model": "my-claude"}).request


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
    st.lists(texts(max_size=3), max_size=3),
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
    """Take a prompt apart; white space before its first turn and after its last marker says nothing."""
    transcript = parse(prompt)
    turns = [(turn.role, turn.content) for turn in transcript.turns]
    role, last = turns.pop()
    system = transcript.system if transcript.system.strip() else ""
    return system, [*turns, (role, last if last.strip() else "")]


# Replies


@cases(succeeding("replies"))
def test_a_reply_becomes_a_completion(case: dict[str, Any]) -> None:
    completion = to_completion(
        case["message"], leading_space=case["leading_space"], beginning=case.get("beginning", "")
    )
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


def test_a_refusal_tells_category_and_explanation() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "No break-ins."}
    with pytest.raises(UntranslatableMessageError, match=r"'refusal'.* \(cyber: No break-ins\.\)$") as raised:
        to_completion({"content": [], "stop_reason": "refusal", "stop_details": details})
    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.category, error.explanation) == ("cyber", "No break-ins.")


@pytest.mark.parametrize("details", [None, {"category": None}, "cyber", {"category": 5, "explanation": []}])
def test_a_refusal_without_details_tells_none(details: object) -> None:
    with pytest.raises(UntranslatableMessageError) as raised:
        to_completion({"content": [], "stop_reason": "refusal", "stop_details": details})
    assert (raised.value.category, raised.value.explanation) == (None, None)


@pytest.mark.parametrize("stop_reason", ["max_tokens", "end_turn"])
def test_an_answer_that_is_all_thinking_tells_what_it_took_and_what_helps(stop_reason: str) -> None:
    message = {
        "content": [{"type": "thinking", "thinking": "", "signature": "c2ln"}],
        "stop_reason": stop_reason,
        "usage": {"output_tokens": 64, "output_tokens_details": {"thinking_tokens": 61}},
    }
    sentence = "thinking took 61 tokens of the 64 .*; a larger thinking_room .* or max_tokens_to_sample"
    with pytest.raises(UntranslatableMessageError, match=sentence) as raised:
        to_completion(message, max_tokens=64)
    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.reason, error.thinking_tokens, error.max_tokens) == ("thinking", 61, 64)


def test_thinking_whose_tokens_are_not_told_is_told_all_the_same() -> None:
    with pytest.raises(UntranslatableMessageError, match="an unknown number of tokens; ") as raised:
        to_completion({"content": [{"type": "redacted_thinking"}], "stop_reason": "max_tokens"})
    assert raised.value.reason == "thinking"


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
    translator = StreamTranslator(leading_space=case["leading_space"], beginning=case.get("beginning", ""))
    out: list[dict[str, Any]] = []
    for index, event in enumerate(case["events"]):
        try:
            found = translator.feed(event["event"], event["data"])
        except UntranslatableMessageError as error:
            assert index == len(case["events"]) - 1
            return out, error
        out += [{"event": name, "data": data} for name, data in found]
    assert translator.followed == case.get("followed")
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
    monkeypatch.setattr(StreamTranslator, "message", lambda _: pytest.fail("put together"))
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


def test_a_stream_gives_the_whole_message() -> None:
    translator = StreamTranslator()
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    for event, data in [
        (
            "message_start",
            {"message": {"id": "m", "model": "c", "content": [], "usage": {"input_tokens": 3}}},
        ),
        ("content_block_start", {"index": 0, "content_block": thinking}),
        ("content_block_delta", {"index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "news_delta", "news": "?"}}),
        ("content_block_start", {"index": 1, "content_block": {"type": "text", "text": "H"}}),
        ("content_block_delta", {"index": 1, "delta": {"type": "text_delta", "text": "i"}}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
    ]:
        translator.feed(event, data)
    assert translator.message() == {
        "id": "m",
        "model": "c",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
            {"type": "text", "text": "Hi"},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 5},
        "stop_reason": "end_turn",
    }


@given(
    st.text("ab \n", max_size=6),
    st.text("ab \n", max_size=8),
    st.lists(st.integers(0, 8), max_size=4),
    st.booleans(),
)
def test_a_beginning_is_taken_off_the_same_however_the_answer_is_cut(
    beginning: str, text: str, cuts: list[int], leading_space: bool
) -> None:
    def run(pieces: list[str]) -> tuple[str, bool | None]:
        answer = Answer(leading_space=leading_space, beginning=beginning)
        out = "".join(map(answer.feed, pieces)) + answer.end()
        return out, answer.followed

    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    out, followed = run([text[start:stop] for start, stop in pairwise(edges)])
    assert (out, followed) == run([text])
    wanted = "".join(beginning.split())
    assert followed == ("".join(text.split()).startswith(wanted) if wanted else None)
    if followed and text.startswith(beginning):
        assert out == text[len(beginning) :]
    if not followed:
        assert out == (text if not leading_space or not text or text[0].isspace() else f" {text}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | texts(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts(max_size=3), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"]
)


def fields(*names: str, **known: Any) -> Any:
    """JSON objects with any values in these fields, and some of the right ones."""
    values = dict.fromkeys(names, JSON)
    values |= {name: JSON | st.sampled_from(right) for name, right in known.items()}
    return st.fixed_dictionaries({}, optional=values)


BLOCKS = fields(
    "text", "thinking", "signature", "content", "from", "to",
    type=["text", "thinking", "fallback", "compaction", "tool_use"],
)  # fmt: skip
DELTAS = fields(
    "text", "thinking", "signature", "content", "stop_sequence", "stop_details",
    type=["text_delta", "thinking_delta", "signature_delta", "compaction_delta"],
    stop_reason=["end_turn", "max_tokens", "refusal"],
)  # fmt: skip
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "index": JSON | st.just(0),
        "message": JSON | fields("content", "usage", id=["msg_1"], model=["claude-2.1"]),
        "content_block": JSON | BLOCKS,
        "delta": JSON | DELTAS,
        "usage": JSON | fields("output_tokens", "output_tokens_details"),
    },
)


@given(st.lists(st.tuples(NAMES, EVENTS), max_size=6), texts(max_size=3))
@example([("message_delta", {"delta": {"stop_reason": "end_turn", "content": None}})], "")
def test_whatever_comes_in_a_stream_is_translated_or_refused(
    events: list[tuple[str, dict[str, Any]]], beginning: str
) -> None:
    translator = StreamTranslator(beginning=beginning)
    with contextlib.suppress(UntranslatableMessageError):
        for event, data in events:
            translator.feed(event, data)
    json.dumps(translator.message())


@given(fields("id", "model", "usage", "stop_details", content=[[{"type": "thinking"}], []],
                     stop_reason=["end_turn", "refusal"]))  # fmt: skip
def test_whatever_comes_as_a_reply_is_translated_or_refused(reply: Any) -> None:
    with contextlib.suppress(UntranslatableMessageError):
        to_completion(reply)


def test_what_comes_in_is_not_changed_and_what_is_passed_on_is_a_copy() -> None:
    ping = {"type": "ping"}
    ((_, passed_on),) = StreamTranslator().feed("ping", ping)
    passed_on["more"] = 1
    assert ping == {"type": "ping"}


@given(
    texts(),
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
