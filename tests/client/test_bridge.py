"""The bridge's settings in a client: maps of models, prefills, advice, and what messages are kept."""

import copy
import inspect
import pickle
import warnings
from typing import Any

import httpx
import pytest

from anthropic_completions import Anthropic, AsyncAnthropic, BadRequestError, NotFoundError, models
from anthropic_completions._client import routing
from anthropic_completions.messages import LossWarning, UntranslatableReplyError
from anthropic_completions.models import ModelMapWarning
from raw_server import CHUNKED, HANG, LAST, RawServer, framed
from support import ARGUMENTS, PING, PROMPT, Script, World, completion_reply, error_reply, event, stream_reply

QUIET = {"backend": "messages", "model_warnings": False}
BEGINNING = "The answer is ("


@pytest.fixture(autouse=True)
def _nothing_warned_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_warned", {})
    routing.tell_of.cache_clear()


def message(text: str = "Hi.", **changes: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 3},
        **changes,
    }


def reply(text: str = "Hi.", **changes: Any) -> httpx.Response:
    return httpx.Response(200, json=message(text, **changes), headers={"request-id": "req_1"})


def part(name: str, **data: Any) -> bytes:
    return event(name, {"type": name, **data}, end="\n")


def events(*texts: str, end: bool = True, **delta: Any) -> list[bytes]:
    start = {**message(), "content": [], "stop_reason": None, "usage": {"input_tokens": 9}}
    return [
        part("message_start", message=start),
        PING,
        part("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(part("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in texts),
        part("content_block_stop", index=0),
        part(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None, **delta},
            usage={"output_tokens": 3},
        ),
        *([part("message_stop")] if end else []),
    ]


# model_map


def asked(script: Script) -> list[str]:
    return [body["model"] for body in script.bodies]


@pytest.mark.parametrize("backend", ["completions", "messages"])
@pytest.mark.parametrize("entries", [{"claude-2.1": "claude-haiku-5-5"}, {"claude-*": "claude-haiku-5-5"}])
def test_another_model_is_asked_for_and_told_once(
    world: World, entries: dict[str, str], backend: str
) -> None:
    answers = [completion_reply() if backend == "completions" else reply() for _ in range(2)]
    script = Script(answers)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            world.create(script, {"backend": backend, "model_map": entries})
    assert asked(script) == ["claude-haiku-5-5"] * 2
    assert [(told.category, str(told.message)) for told in caught] == [
        (
            ModelMapWarning,
            "the model 'claude-haiku-5-5' is asked for in place of 'claude-2.1', as model_map says",
        )
    ]
    assert caught[0].filename == __file__ or "support" in caught[0].filename


def test_the_model_that_answered_is_on_the_completion(world: World) -> None:
    options = {**QUIET, "model_map": {"claude-2.1": "claude-haiku-5-5"}}
    assert world.create(Script([reply()]), options).model == "claude-haiku-5-5"


def test_a_model_without_an_entry_is_asked_for_itself(world: World) -> None:
    script = Script([completion_reply()])
    world.create(script, {"model_map": {"a": "b"}, "model_warnings": False})
    assert asked(script) == [ARGUMENTS["model"]]


@pytest.mark.parametrize(
    ("model", "instead"),
    [
        ("claude-2", "claude-opus-4-8"),
        ("claude-v1", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("my-claude", "my-claude"),
    ],
)
def test_a_retired_model_gives_way_to_the_recommended_one(world: World, model: str, instead: str) -> None:
    script = Script([reply()])
    world.create(script, {**QUIET, "model_map": "recommended"}, model=model)
    assert asked(script) == [instead]


def test_a_model_of_extra_body_is_mapped_too(world: World) -> None:
    script = Script([reply()])
    world.create(script, {**QUIET, "model_map": {"other": "claude-haiku-5-5"}}, extra_body={"model": "other"})
    assert asked(script) == ["claude-haiku-5-5"]


def test_a_mapped_model_is_not_told_to_be_retired(world: World) -> None:
    script = Script([reply()])
    with pytest.warns(ModelMapWarning) as caught:
        world.create(script, {"backend": "messages", "model_map": "recommended"})
    assert [told.category for told in caught] == [ModelMapWarning]


def test_a_map_that_is_an_error_sends_nothing_and_is_told_again(world: World) -> None:
    script = Script([reply()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(ModelMapWarning):
                world.create(script, {"backend": "messages", "model_map": "recommended"})
    assert not script.requests


# Retired, or served elsewhere


@pytest.mark.parametrize("backend", ["completions", "messages"])
def test_a_retired_model_is_told_with_date_replacement_and_argument(world: World, backend: str) -> None:
    script = Script([error_reply(404, "not_found_error", "model: claude-2.1")])
    options = {"backend": backend, "model_warnings": False}
    with pytest.raises(NotFoundError) as raised:
        world.create(script, options)
    error = pickle.loads(pickle.dumps(raised.value))
    assert str(error).endswith(
        "; the model 'claude-2.1' was retired on 2025-07-21; "
        'model_map={"claude-2.1": "claude-opus-4-8"} (--map claude-2.1=claude-opus-4-8) asks for that instead'
    )
    assert str(error).startswith(error.message)
    assert "model_map" not in error.message


@pytest.mark.parametrize(
    "refusal",
    [
        error_reply(404, "not_found_error", "model: claude-opus-5-5"),
        error_reply(
            400, "invalid_request_error", '"x" is not supported. Please use the Messages API instead.'
        ),
    ],
)
def test_a_model_that_messages_serves_is_told_with_the_argument(
    world: World, refusal: httpx.Response
) -> None:
    script = Script([lambda _: httpx.Response(refusal.status_code, json=refusal.json())])
    with pytest.raises((NotFoundError, BadRequestError)) as raised:
        world.create(script, model="claude-opus-5-5")
    assert str(raised.value).endswith(
        '; this model is served by Messages: backend="messages" (--backend messages)'
    )


def test_of_other_names_and_errors_no_advice_is_given(world: World) -> None:
    for answer, model in (
        (error_reply(404, "not_found_error", "model: claude-next"), "claude-next"),
        (error_reply(400, "invalid_request_error", "temperature: range"), "claude-2.1"),
    ):
        with pytest.raises((NotFoundError, BadRequestError)) as raised:
            world.create(Script([answer]), {"model_warnings": False}, model=model)
        assert raised.value.advice is None


# Prefills that are asked for in words


def instruct(world: World, script: Script, stream: bool, **changes: Any) -> Any:
    options = {**QUIET, "prefill": "instruct", **changes}
    arguments = {"model": "claude-haiku-5-5", "prompt": f"{PROMPT} {BEGINNING}"}
    if not stream:
        return world.create(script, options, **arguments).completion
    read = world.stream(script, options, **arguments)
    assert read.error is None
    return read.final.completion


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answer", "text", "told"),
    [
        ("The answer is (B).", "B).", 1),
        ("The answer\nis (B).", "B).", 1),
        ("B).", " B).", 2),
        ("The answer", " The answer", 2),
    ],
)
def test_the_beginning_is_taken_off_and_told_where_it_does_not_come(
    world: World, stream: bool, answer: str, text: str, told: int
) -> None:
    pieces = [answer[:5], answer[5:12], answer[12:]]
    script = Script([stream_reply(*events(*filter(None, pieces))) if stream else reply(answer)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert instruct(world, script, stream) == text
    found: list[Any] = [warning.message for warning in caught]
    assert [type(one) for one in found] == [LossWarning] * told
    assert {loss.rule for one in found for loss in one.losses} == {"prefill_instructed"}
    if told > 1:
        (loss,) = found[1].losses
        assert (loss.field, loss.value) == ("prompt", BEGINNING)
        assert loss.consequence == "The answer does not begin so; it is returned whole."
    assert BEGINNING in script.bodies[0]["messages"][-1]["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_dropped_losses_stay_silent_at_the_reply_too(world: World, stream: bool) -> None:
    script = Script([stream_reply(*events("B).")) if stream else reply("B).")])
    assert instruct(world, script, stream, on_loss="drop") == " B)."


def test_a_prefill_that_is_an_error_is_not_sent(world: World) -> None:
    script = Script([reply()])
    with pytest.raises(ValueError, match="prefill_refused"):
        instruct(world, script, False, prefill="error", on_loss="drop")
    assert not script.requests


# completion.message


def test_a_completion_keeps_the_message_that_it_was_made_of(world: World) -> None:
    found = world.create(Script([reply(service_tier="standard")]), QUIET)
    assert found.message == message(service_tier="standard")
    assert found.message["usage"]["output_tokens"] == 3
    for twin in (
        copy.copy(found),
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
        found.model_copy(),
    ):
        assert twin.message == found.message


def test_the_message_is_in_no_dump_and_no_comparison(world: World) -> None:
    found = world.create(Script([reply()]), QUIET)
    other = world.create(Script([reply(usage={})]), QUIET)
    assert found == other
    assert found.message != other.message
    assert "message" not in {*found.model_dump(), *dict(found), *found.model_fields_set, *found.to_dict()}
    assert "usage" not in found.to_json() + repr(found)


def test_a_completion_of_the_old_endpoint_has_none(world: World) -> None:
    assert world.create(Script([completion_reply()])).message is None


def test_the_whole_of_a_stream_has_the_message(world: World) -> None:
    read = world.stream(Script([stream_reply(*events("Hi", "."))]), QUIET)
    assert read.final.message == message(usage={"input_tokens": 9, "output_tokens": 3})
    assert [chunk.message for chunk in read.chunks] == [None] * 3


def test_a_plain_message_in_place_of_a_stream_is_kept_too(world: World) -> None:
    assert world.stream(Script([reply()]), QUIET).final.message == message()


def test_a_raw_reply_makes_a_completion_with_its_message(world: World) -> None:
    def blocking(client: Anthropic) -> Any:
        return client.completions.with_raw_response.create(**ARGUMENTS).parse()

    async def awaiting(client: AsyncAnthropic) -> Any:
        return (await client.completions.with_raw_response.create(**ARGUMENTS)).parse()

    assert world.use(blocking, awaiting, Script([reply()]), **QUIET).message == message()


# How streams end


DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [*events("Hi."), DONE],
        [*events("Hi.", end=False), DONE],
        [*events("Hi."), b"data: \n\n", b"data:  \n\n"],
        [b"data:  \n\n", *events("Hi.")],
        [*events("Hi."), b"data: {broken\n\n"],
        [*events("Hi."), httpx.ReadError("gone")],
    ],
    ids=["done after", "done instead", "blank after", "blank before", "rubbish after", "broken after"],
)
def test_a_stream_is_complete_at_message_stop(world: World, pieces: list[Any]) -> None:
    read = world.stream(Script([stream_reply(*pieces)]), QUIET)
    assert (read.error, read.final.completion) == (None, " Hi.")


def test_done_does_not_stand_for_a_stop_reason(world: World) -> None:
    read = world.stream(Script([stream_reply(*events("Hi.", end=False)[:-1], DONE)]), QUIET)
    assert type(read.error).__name__ == "IncompleteStreamError"


def test_a_refusal_in_a_stream_tells_why(world: World) -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "No recipes."}
    pieces = events("I can", stop_reason="refusal", stop_details=details)
    error = world.stream(Script([stream_reply(*pieces)]), QUIET).error
    assert isinstance(error, UntranslatableReplyError)
    error = pickle.loads(pickle.dumps(error))
    assert (error.reason, error.category, error.explanation) == ("refusal", "bio", "No recipes.")
    assert "bio: No recipes." in str(error)
    assert error.reply["stop_details"] == details


def test_an_answer_that_is_all_thinking_tells_the_cap_that_was_sent(world: World) -> None:
    thought = message(
        content=[{"type": "thinking", "thinking": "", "signature": "c2ln"}],
        stop_reason="max_tokens",
        usage={"output_tokens": 69, "output_tokens_details": {"thinking_tokens": 69}},
    )
    options = {**QUIET, "on_loss": "drop", "thinking_room": 64}
    with pytest.raises(UntranslatableReplyError, match="thinking took 69 tokens of the 69") as raised:
        world.create(Script([reply(**thought)]), options, model="claude-opus-5-5", max_tokens_to_sample=5)
    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.reason, error.thinking_tokens, error.max_tokens) == ("thinking", 69, 69)


def test_every_setting_of_the_bridge_can_be_given_and_changed() -> None:
    names = {"backend", "on_loss", "model_map", "prefill", "thinking_room", "learn", "model_warnings"}
    for cls in (Anthropic, AsyncAnthropic):
        for method in (cls.__init__, cls.copy, cls.with_options):
            assert names <= inspect.signature(method).parameters.keys()


# On real connections


def served(world: World, server: RawServer, calls: int) -> list[str]:
    """Return the texts of streams that one client reads from a server, one after the other."""
    options = {**QUIET, "base_url": server.url, "max_retries": 0}

    def blocking(client: Anthropic) -> list[str]:
        return [
            client.completions.create(**ARGUMENTS, stream=True).get_final_completion().completion
            for _ in range(calls)
        ]

    async def awaiting(client: AsyncAnthropic) -> list[str]:
        texts = []
        for _ in range(calls):
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            texts.append((await stream.get_final_completion()).completion)
        return texts

    found: list[str] = world.use(blocking, awaiting, **options)
    return found


def test_a_stream_is_complete_although_the_connection_stays_open(world: World) -> None:
    with RawServer([CHUNKED, framed(*events("Hi.")), HANG]) as server:
        assert served(world, server, 2) == [" Hi."] * 2
        assert server.accepted == 2


@pytest.mark.parametrize("end", [[LAST], [framed(DONE) + LAST], [framed(DONE), LAST]])
def test_a_connection_whose_reply_ends_with_its_stream_is_used_again(world: World, end: list[bytes]) -> None:
    with RawServer([CHUNKED, framed(*events("Hi.")), *end]) as server:
        assert served(world, server, 3) == [" Hi."] * 3
        assert server.accepted == 1
