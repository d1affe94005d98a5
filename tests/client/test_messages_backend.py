"""`Anthropic(backend="messages")`: programs for completions, served by the Messages API."""

import inspect
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    AnthropicError,
    APIError,
    APIResponse,
    APIResponseValidationError,
    APITimeoutError,
    AsyncAnthropic,
    BadRequestError,
    IncompleteStreamError,
    NotFoundError,
    OverloadedError,
)
from anthropic_completions.messages import (
    LOSSES,
    BackendSwitchWarning,
    LossError,
    LossWarning,
    UntranslatableMessageError,
    UntranslatablePromptError,
    UntranslatableReplyError,
)
from anthropic_completions.types import Completion
from support import (
    ARGUMENTS,
    KEY,
    PING,
    PROMPT,
    FakeClock,
    Script,
    World,
    chunk,
    completion_reply,
    error_reply,
    event,
    stream_reply,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "messages.json").read_text("utf-8"))
# It begins as the vectors ask for.
ANSWER = [{"type": "text", "text": "The answer is (B)."}]
MESSAGES = {"backend": "messages", "model_warnings": False}
FILLED = f"{PROMPT} My name"
# Fields that completions never had.
_OF_MESSAGES = ("service_tier", "thinking", "output_config")
# Something that Messages cannot say.
LOSSY: dict[str, Any] = {"stop_sequences": [" ", "END"]}


def cases(kind: str, *, wrong: bool) -> Any:
    found = [case for case in VECTORS[kind] if ("error" in case) is wrong]
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def prompt_of(case: dict[str, Any]) -> str:
    if "beginning" in case:
        return f"{PROMPT} {case['beginning']}"
    return PROMPT if case.get("leading_space", True) else FILLED


def settings_of(case: dict[str, Any]) -> dict[str, Any]:
    return {**MESSAGES, "prefill": "instruct", "on_loss": "drop"} if "beginning" in case else MESSAGES


def model_of(case: dict[str, Any]) -> str:
    """A model that refuses a prefill where one is to be asked for in words."""
    return "claude-opus-4-8" if "beginning" in case else ARGUMENTS["model"]


def message_reply(message: Any = None, **changes: Any) -> httpx.Response:
    if message is None:
        message = {**VECTORS["replies"][0]["message"], **changes}
    return httpx.Response(200, json=message, headers={"request-id": "req_1"})


def message_event(name: str, **data: Any) -> bytes:
    return event(name, {"type": name, **data}, end="\n")


def events(case: dict[str, Any], field: str = "events") -> list[bytes]:
    return [event(part["event"], part["data"]) for part in case[field]]


START = message_event("message_start", message={"id": "msg_1", "model": "claude-2.1", "content": []})
BLOCK = message_event("content_block_start", index=0, content_block={"type": "text", "text": ""})
BLOCK_END = message_event("content_block_stop", index=0)
END = message_event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None})
STOP = message_event("message_stop")


def delta(text: str) -> bytes:
    return message_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


WHOLE = [START, BLOCK, PING, delta("Hi,"), delta(" you."), BLOCK_END, END, STOP]


def told(completion: Completion) -> tuple[str, str | None, str | None]:
    return completion.completion, completion.stop_reason, completion.stop


# What is sent


@cases("requests", wrong=False)
def test_a_request_is_sent_as_the_vectors_say(case: dict[str, Any]) -> None:
    params = dict(case["params"])
    extra_body = {name: params.pop(name) for name in _OF_MESSAGES if name in params}
    betas = params.get("betas")
    script = Script([stream_reply(*WHOLE) if params.get("stream") else message_reply()])
    options = {**MESSAGES, "on_loss": "drop", **case.get("settings", {})}
    World(None).create(script, options, extra_body=extra_body, **params)
    wanted = dict(case["request"])
    assert wanted.pop("betas", None) == betas
    assert script.bodies == [wanted]
    assert script.requests[0].headers.get("anthropic-beta") == (",".join(betas) if betas else None)


def test_it_goes_to_messages_with_the_usual_headers(world: World) -> None:
    script = Script([message_reply()])
    world.create(script, {**MESSAGES, "base_url": "https://gateway.example/x/v1/"}, extra_query={"a": "b"})
    request = script.requests[0]
    assert str(request.url) == "https://gateway.example/x/v1/messages?a=b"
    assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == (KEY, "2023-06-01")


def test_the_arguments_are_checked_as_ever(world: World) -> None:
    script = Script([message_reply()])
    with pytest.raises(ValueError, match="temperature: expected a number from 0 to 1"):
        world.create(script, MESSAGES, temperature=2)
    assert not script.requests


@cases("requests", wrong=True)
def test_a_prompt_without_a_counterpart_is_refused_before_it_is_sent(case: dict[str, Any]) -> None:
    script = Script([message_reply()])
    with pytest.raises(UntranslatablePromptError):
        World(None).create(script, MESSAGES, **case["params"])
    assert not script.requests


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"messages": []}, "messages: expected none"),
        ({"messages": [{"role": "user", "content": "B"}]}, "messages: expected none"),
        ({"system": "Be long."}, "system: expected none"),
        ({"max_tokens": 7}, "max_tokens: expected none, as max_tokens_to_sample stands for it"),
    ],
)
def test_what_would_replace_the_prompt_is_refused(world: World, extra: dict[str, Any], sentence: str) -> None:
    script = Script([message_reply()])
    with pytest.raises(ValueError, match=sentence):
        world.create(script, MESSAGES, prompt=f"Be brief.{PROMPT}", extra_body=extra)
    assert not script.requests


def test_system_can_be_given_where_the_prompt_has_none(world: World) -> None:
    script = Script([message_reply()])
    system = [{"type": "text", "text": "Be brief."}]
    world.create(script, MESSAGES, extra_body={"system": system})
    assert script.bodies[0]["system"] == system


def test_features_of_messages_can_be_asked_for(world: World) -> None:
    script = Script([message_reply()])
    world.create(script, MESSAGES, extra_body={"service_tier": "auto"})
    assert script.bodies[0]["service_tier"] == "auto"


# What is lost


@pytest.mark.parametrize("stream", [False, True])
def test_a_loss_is_warned_of_and_the_rest_is_sent(world: World, stream: bool) -> None:
    script = Script([stream_reply(*WHOLE) if stream else message_reply()])
    with pytest.warns(LossWarning, match=r"stop_sequences\[0\]: It is left out.* \[blank_stop") as caught:
        world.create(script, MESSAGES, stream=stream, **LOSSY)
    assert script.bodies[0]["stop_sequences"] == ["END", "\n\nHuman:"]
    warning: Any = caught[0].message
    assert [loss.rule for loss in warning.losses] == ["blank_stop_sequence"]
    assert pickle.loads(pickle.dumps(warning)).losses == warning.losses


def test_the_warning_points_at_the_line_of_the_call(world: World) -> None:
    def blocking(client: Anthropic) -> None:
        client.completions.create(**ARGUMENTS, **LOSSY)  # here

    async def awaiting(client: AsyncAnthropic) -> None:
        await client.completions.create(**ARGUMENTS, **LOSSY)  # here

    with pytest.warns(LossWarning) as caught:
        world.use(blocking, awaiting, Script([message_reply()]), **MESSAGES)
    lines, first = inspect.getsourcelines(blocking if world.backend is None else awaiting)
    (here,) = (first + index for index, line in enumerate(lines) if line.endswith("# here\n"))
    assert (caught[0].filename, caught[0].lineno) == (__file__, here)


def test_a_loss_can_be_an_error_that_tells_all_of_them(world: World) -> None:
    script = Script([message_reply()])
    with pytest.raises(LossError) as raised:
        world.create(script, {**MESSAGES, "on_loss": "error"}, prompt=f"{FILLED} ", **LOSSY)
    assert not script.requests
    error = pickle.loads(pickle.dumps(raised.value))
    assert [loss.rule for loss in error.losses] == ["prefill_whitespace", "blank_stop_sequence"]
    assert isinstance(error, AnthropicError)
    assert isinstance(error, ValueError)
    assert all(str(loss) in str(error) for loss in error.losses)


def test_a_loss_can_be_dropped_in_silence(world: World) -> None:
    script = Script([message_reply()])
    world.create(script, {**MESSAGES, "on_loss": "drop"}, **LOSSY)
    assert len(script.requests) == 1


@pytest.mark.parametrize("mode", ["warn", "error"])
@pytest.mark.parametrize("name", LOSSES)
def test_no_loss_is_silent(name: str, mode: str) -> None:
    """Of each rule one vector that no other rule is part of."""
    case = next(
        case for case in VECTORS["requests"] if {loss["rule"] for loss in case.get("losses", [])} == {name}
    )
    kind: Any = pytest.warns(LossWarning) if mode == "warn" else pytest.raises(LossError)
    with kind as caught:
        options = {**MESSAGES, "on_loss": mode, **case.get("settings", {})}
        World(None).create(Script([message_reply(content=ANSWER)]), options, **case["params"])
    found = caught[0].message if mode == "warn" else caught.value
    assert [loss.rule for loss in found.losses] == [loss["rule"] for loss in case["losses"]]


# The same through either backend


@cases("replies", wrong=False)
def test_a_plain_reply_says_the_same_as_the_old_endpoints(world: World, case: dict[str, Any]) -> None:
    prompt = prompt_of(case)
    native = world.create(Script([httpx.Response(200, json=case["completion"])]), prompt=prompt)
    bridged = world.create(
        Script([message_reply(case["message"])]), settings_of(case), prompt=prompt, model=model_of(case)
    )
    assert type(bridged) is Completion
    assert bridged == native
    assert bridged._request_id == "req_1"


@cases("streams", wrong=False)
def test_a_stream_says_the_same_as_the_old_endpoints(world: World, case: dict[str, Any]) -> None:
    prompt = prompt_of(case)
    native = world.stream(Script([stream_reply(*events(case, "completions"))]), prompt=prompt)
    bridged = world.stream(
        Script([stream_reply(*events(case))]), settings_of(case), prompt=prompt, model=model_of(case)
    )
    assert bridged.chunks == native.chunks
    assert told(bridged.final) == told(native.final)
    assert type(bridged.error) is type(native.error)
    if bridged.error is not None:
        assert str(bridged.error) == str(native.error)


def test_a_stream_is_the_same_however_it_is_cut() -> None:
    data = b"".join(WHOLE)
    for cut in range(len(data)):
        read = World(None).stream(Script([stream_reply(data[:cut], data[cut:])]), MESSAGES)
        assert read.error is None
        assert (read.texts, told(read.final)) == (
            [" Hi,", " you.", ""],
            (" Hi, you.", "stop_sequence", "\n\nHuman:"),
        )


def test_events_without_names_tell_what_they_are_themselves(world: World) -> None:
    pieces = [piece.partition(b"\n")[2] for piece in [*WHOLE[:2], *WHOLE[3:]]]
    assert world.stream(Script([stream_reply(*pieces)]), MESSAGES).texts == [" Hi,", " you.", ""]
    broken = [*pieces[:3], event(None, {"error": {"type": "overloaded_error"}})]
    assert isinstance(world.stream(Script([stream_reply(*broken)]), MESSAGES).error, OverloadedError)
    unknown = [*pieces[:2], b'data: {"type": "news"}\n\n', *pieces[2:]]
    assert world.stream(Script([stream_reply(*unknown)]), MESSAGES).error is None


def test_text_stream_and_final_completion(world: World) -> None:
    async def awaiting(client: AsyncAnthropic) -> tuple[list[str], Completion]:
        stream = await client.completions.create(**ARGUMENTS, stream=True)
        return [text async for text in stream.text_stream], stream.completion_so_far

    def blocking(client: Anthropic) -> tuple[list[str], Completion]:
        stream = client.completions.create(**ARGUMENTS, stream=True)
        return list(stream.text_stream), stream.completion_so_far

    texts, final = world.use(blocking, awaiting, Script([stream_reply(*WHOLE)]), **MESSAGES)
    assert (texts, final.id, final.model) == ([" Hi,", " you."], "msg_1", "claude-2.1")


def test_a_plain_message_in_place_of_a_stream_is_its_one_chunk(world: World) -> None:
    read = world.stream(Script([message_reply()]), MESSAGES)
    assert (read.error, [told(chunk) for chunk in read.chunks]) == (
        None,
        [(" Hi, I'm Claude.", "stop_sequence", "\n\nHuman:")],
    )


def test_the_old_endpoints_events_are_none_of_messages(world: World) -> None:
    pieces = [*WHOLE[:3], chunk("No.", "stop_sequence"), *WHOLE[3:]]
    assert world.stream(Script([stream_reply(*pieces)]), MESSAGES).texts == [" Hi,", " you.", ""]


# Streams that lie


@pytest.mark.parametrize("kept", range(len(WHOLE)))
def test_a_stream_that_ends_early_raises_with_the_text_so_far(world: World, kept: int) -> None:
    read = world.stream(Script([stream_reply(*WHOLE[:kept])]), MESSAGES)
    assert isinstance(read.error, IncompleteStreamError)
    assert read.error.completion == "".join(read.texts)
    assert read.error.chunk_count == len(read.texts)


def test_a_stream_that_stops_without_a_stop_reason_is_not_complete(world: World) -> None:
    read = world.stream(Script([stream_reply(START, BLOCK, delta("Hi"), STOP)]), MESSAGES)
    assert isinstance(read.error, IncompleteStreamError)


def test_a_stream_that_breaks_off_raises_with_the_text_so_far(world: World) -> None:
    broken = stream_reply(START, BLOCK, delta("Hi"), httpx.ReadError("gone"))
    read = world.stream(Script([broken]), MESSAGES)
    assert isinstance(read.error, IncompleteStreamError)
    assert read.error.completion == " Hi"


def test_an_error_in_a_stream_has_its_class_and_the_text_so_far(world: World) -> None:
    error = event("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    read = world.stream(Script([stream_reply(START, BLOCK, delta("Hi"), error)]), MESSAGES)
    assert isinstance(read.error, OverloadedError)
    assert (read.error.completion, read.error.request_id) == (" Hi", "req_1")


def test_a_stream_is_tried_again_before_its_first_chunk_with_nothing_left_over(world: World) -> None:
    script = Script([stream_reply(START, BLOCK, httpx.ReadError("gone")), stream_reply(*WHOLE)])
    read = world.stream(script, {**MESSAGES, "clock": FakeClock()})
    assert (read.error, read.texts) == (None, [" Hi,", " you.", ""])
    assert [str(request.url.path) for request in script.requests] == ["/v1/messages"] * 2


def test_thinking_is_a_sign_of_life_and_a_ping_is_none(world: World) -> None:
    clock = FakeClock()

    thinking = message_event("content_block_delta", delta={"type": "thinking_delta", "thinking": "Hm."})

    class Slow(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __init__(self, *pieces: bytes) -> None:
            self.pieces = pieces

        def __iter__(self) -> Any:
            for piece in self.pieces:
                clock.now += 4
                yield piece

        async def __aiter__(self) -> Any:
            for piece in self:
                yield piece

    def read(middle: bytes) -> Any:
        pieces = [START, middle, middle, middle, *WHOLE[1:]]
        answer = httpx.Response(200, stream=Slow(*pieces))
        options = {**MESSAGES, "clock": clock, "stream_idle_timeout": 10, "max_retries": 0}
        return world.stream(Script([answer]), options).error

    assert read(thinking) is None
    assert isinstance(read(PING), APITimeoutError)


# Replies that completions do not have


@cases("replies", wrong=True)
def test_a_reply_without_a_counterpart_is_an_error_that_keeps_it(world: World, case: dict[str, Any]) -> None:
    with pytest.raises(APIError) as raised:
        world.create(Script([message_reply(case["message"])]), MESSAGES, prompt=PROMPT)
    error: Any = pickle.loads(pickle.dumps(raised.value))
    assert error.body == case["message"]
    assert error.response.json() == case["message"]
    assert (error.status_code, error.request_id) == (200, "req_1")
    if case["error"] == "malformed":
        assert type(error) is APIResponseValidationError
    else:
        assert type(error) is UntranslatableReplyError
        assert isinstance(error, UntranslatableMessageError)
        assert (error.reason, error.reply) == (case["error"], case["message"])


@cases("streams", wrong=True)
def test_a_stream_without_a_counterpart_is_an_error_that_keeps_what_came(
    world: World, case: dict[str, Any]
) -> None:
    read = world.stream(Script([stream_reply(*events(case))]), MESSAGES)
    error: Any = read.error
    assert [chunk.to_dict() for chunk in read.chunks] == [
        part["data"] for part in case["completions"] if part["event"] == "completion"
    ]
    assert error.completion == "".join(read.texts)
    if case["error"] == "malformed":
        assert type(error) is APIResponseValidationError
    else:
        assert (type(error), error.reason) == (UntranslatableReplyError, case["error"])
        assert error.reply["id"] == "msg_1"


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"null", b'"text"', b"", b'{"type": "error", "error": null}']
)
def test_what_is_no_message_is_an_error_that_keeps_it(world: World, body: bytes) -> None:
    with pytest.raises(APIResponseValidationError) as raised:
        world.create(Script([httpx.Response(200, content=body)]), MESSAGES)
    assert raised.value.response.content == body


def test_an_error_with_status_200_is_raised_as_its_type(world: World) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(OverloadedError) as raised:
        world.create(Script([httpx.Response(200, json=body)]), MESSAGES)
    assert (raised.value.body, raised.value.status_code) == (body, 529)


@pytest.mark.parametrize(
    "changes", [{"id": 5}, {"model": None}, {"stop_reason": "stop_sequence", "stop_sequence": 5}]
)
def test_a_field_of_the_wrong_type_is_an_error(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(APIResponseValidationError, match=next(reversed(changes))):
        world.create(Script([message_reply(**changes)]), MESSAGES)
    start = {"id": "msg_1", "model": "claude-2.1", **changes}
    end = message_event("message_delta", delta={"stop_reason": "end_turn", **changes})
    pieces = [message_event("message_start", message=start), BLOCK, delta("Hi"), end, STOP]
    assert isinstance(
        world.stream(Script([stream_reply(*pieces)]), MESSAGES).error, APIResponseValidationError
    )


# The rest is as ever


def test_failures_are_tried_again(world: World) -> None:
    clock = FakeClock()
    script = Script([error_reply(529, "overloaded_error"), httpx.ConnectError("refused"), message_reply()])
    assert world.create(script, {**MESSAGES, "clock": clock}).completion == " Hi, I'm Claude."
    assert len(clock.waits) == 2


def test_an_error_has_its_class(world: World) -> None:
    with pytest.raises(BadRequestError, match="No"):
        world.create(Script([error_reply(400, "invalid_request_error")]), MESSAGES)


def test_a_raw_response_shows_the_message_and_parses_as_a_completion(world: World) -> None:
    reply = world.use(
        lambda client: client.completions.with_raw_response.create(**ARGUMENTS),
        lambda client: client.completions.with_raw_response.create(**ARGUMENTS),
        Script([message_reply()]),
        **MESSAGES,
    )
    assert reply.parse(to=dict)["type"] == "message"
    assert (
        told(reply.parse())
        == told(reply.parse(to=Completion))
        == (" Hi, I'm Claude.", "stop_sequence", "\n\nHuman:")
    )


@pytest.mark.parametrize("to", [None, Completion])
def test_a_raw_response_without_a_counterpart_says_so_however_it_is_parsed(to: Any) -> None:
    reply = World(None).use(
        lambda client: client.completions.with_raw_response.create(**ARGUMENTS),
        None,
        Script([message_reply(stop_reason="refusal")]),
        **MESSAGES,
    )
    with pytest.raises(UntranslatableReplyError) as raised:
        reply.parse(to=to)
    assert raised.value.reason == "refusal"


def test_an_unread_response_parses_as_a_completion_or_as_the_stream(world: World) -> None:
    def blocking(client: Anthropic) -> list[str]:
        with client.completions.with_streaming_response.create(**ARGUMENTS) as plain:
            text = plain.parse().completion
        with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as reply:
            return [text, *(chunk.completion for chunk in reply.parse())]

    async def awaiting(client: AsyncAnthropic) -> list[str]:
        async with client.completions.with_streaming_response.create(**ARGUMENTS) as plain:
            text = (await plain.parse()).completion
        async with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as reply:
            return [text, *[chunk.completion async for chunk in await reply.parse()]]

    script = Script([message_reply(), stream_reply(*WHOLE)])
    assert world.use(blocking, awaiting, script, **MESSAGES) == [" Hi, I'm Claude.", " Hi,", " you.", ""]


def test_middleware_sees_the_message_and_may_answer_with_a_completion(world: World) -> None:
    seen: list[Any] = []

    def handle(request: Any, call_next: Any) -> Any:
        seen.append(request.json["messages"])
        reply = call_next(request)
        seen.append(reply.parse().completion)
        return Completion(id="c", completion=" Mine.", model="m", stop_reason="max_tokens", type="completion")

    async def handle_async(request: Any, call_next: Any) -> Any:
        seen.append(request.json["messages"])
        reply: APIResponse[Any] = await call_next(request)
        seen.append((await reply.parse()).completion)  # type: ignore[misc]
        return Completion(id="c", completion=" Mine.", model="m", stop_reason="max_tokens", type="completion")

    options = {**MESSAGES, "middleware": [handle if world.backend is None else handle_async]}
    assert world.create(Script([message_reply()]), options).completion == " Mine."
    assert seen == [[{"role": "user", "content": "Hello, world!"}], " Hi, I'm Claude."]


def test_a_copy_keeps_the_backend_and_can_change_it(world: World) -> None:
    script = Script([message_reply(), message_reply(), completion_reply()])

    def blocking(client: Anthropic) -> None:
        client.copy().completions.create(**ARGUMENTS)
        client.with_options(on_loss="drop").completions.create(**ARGUMENTS, **LOSSY)
        client.with_options(backend="completions").completions.create(**ARGUMENTS)

    async def awaiting(client: AsyncAnthropic) -> None:
        await client.copy().completions.create(**ARGUMENTS)
        await client.with_options(on_loss="drop").completions.create(**ARGUMENTS, **LOSSY)
        await client.with_options(backend="completions").completions.create(**ARGUMENTS)

    world.use(blocking, awaiting, script, backend="messages", on_loss="error")
    assert paths(script) == ["messages", "messages", "complete"]


def test_post_is_not_translated(world: World) -> None:
    script = Script([completion_reply()])
    arguments: dict[str, Any] = {"cast_to": Completion, "body": {"prompt": "p"}}
    world.use(
        lambda client: client.post("/v1/complete", **arguments),
        lambda client: client.post("/v1/complete", **arguments),
        script,
        **MESSAGES,
    )
    assert script.bodies == [{"prompt": "p"}]


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"backend": "bedrock"}, "backend: expected one of 'completions', 'messages', 'auto', got 'bedrock'"),
        ({"on_loss": None}, "on_loss: expected one of 'warn', 'error', 'drop', got None"),
    ],
)
def test_an_unknown_choice_is_refused(option: dict[str, Any], sentence: str) -> None:
    for make in (Anthropic, AsyncAnthropic, Anthropic(api_key="k").with_options):
        with pytest.raises(ValueError, match=sentence):
            make(**({"api_key": "k"} | option))


# auto

REFUSAL = '"claude-2.1" is not supported on this API. Please use the Messages API instead.'


def refusal() -> httpx.Response:
    return error_reply(400, "invalid_request_error", REFUSAL)


def paths(script: Script) -> list[str]:
    return [request.url.path.removeprefix("/v1/") for request in script.requests]


@pytest.mark.parametrize("stream", [False, True])
def test_auto_switches_once_and_tells_so(world: World, stream: bool) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return stream_reply(*WHOLE) if stream else message_reply()

    script = Script([refusal(), answer])

    def blocking(client: Anthropic) -> None:
        for _ in range(2):
            client.completions.create(**ARGUMENTS, stream=stream)
        client.with_options(max_retries=0).completions.create(**ARGUMENTS, stream=stream)

    async def awaiting(client: AsyncAnthropic) -> None:
        for _ in range(2):
            await client.completions.create(**ARGUMENTS, stream=stream)
        await client.with_options(max_retries=0).completions.create(**ARGUMENTS, stream=stream)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        world.use(blocking, awaiting, script, backend="auto", model_warnings=False)
    assert paths(script) == ["complete", "messages", "messages", "messages"]
    assert [(warning.category.__name__, warning.filename) for warning in caught] == [
        ("BackendSwitchWarning", __file__)
    ]
    assert "'claude-2.1'" in str(pickle.loads(pickle.dumps(caught[0].message)))


@pytest.mark.filterwarnings("ignore:the service serves")
def test_auto_learns_for_each_model_and_address(world: World) -> None:
    script = Script([refusal(), message_reply(), completion_reply(), completion_reply()])

    def blocking(client: Anthropic) -> None:
        client.completions.create(**ARGUMENTS)
        client.completions.create(**{**ARGUMENTS, "model": "m"})
        client.with_options(base_url="https://gateway.example").completions.create(**ARGUMENTS)

    async def awaiting(client: AsyncAnthropic) -> None:
        await client.completions.create(**ARGUMENTS)
        await client.completions.create(**{**ARGUMENTS, "model": "m"})
        await client.with_options(base_url="https://gateway.example").completions.create(**ARGUMENTS)

    world.use(blocking, awaiting, script, backend="auto")
    assert paths(script) == ["complete", "messages", "complete", "complete"]


def test_auto_learns_the_model_that_was_asked(world: World) -> None:
    script = Script([refusal(), message_reply()])
    with pytest.warns(BackendSwitchWarning, match="'other'"):
        world.create(script, {"backend": "auto"}, extra_body={"model": "other"})
    assert script.bodies[1]["model"] == "other"


def test_auto_stays_where_it_is_answered(world: World) -> None:
    script = Script([completion_reply()])
    assert world.create(script, {"backend": "auto"}).id.startswith("compl_")
    assert paths(script) == ["complete"]


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: error_reply(400, "invalid_request_error", "temperature: range"),
        lambda _: error_reply(403, "permission_error", "model: claude-2.1"),
        lambda _: httpx.Response(400, content=b"use the Messages API"),
        lambda _: httpx.Response(400, json=["use the Messages API"]),
    ],
)
def test_auto_switches_for_nothing_else(world: World, reply: Any) -> None:
    script = Script([reply])
    with pytest.raises(APIError) as raised:
        world.create(script, {"backend": "auto"})
    assert paths(script) == ["complete"]
    assert type(raised.value).__name__ in ("BadRequestError", "PermissionDeniedError")


def test_auto_does_not_switch_for_a_name_that_the_contract_does_not_have(world: World) -> None:
    script = Script([error_reply(404, "not_found_error", "model: claude-next")])
    with pytest.raises(NotFoundError):
        world.create(script, {"backend": "auto"}, model="claude-next")
    assert paths(script) == ["complete"]


@pytest.mark.parametrize("model", ["claude-2.1", "claude-opus-5-5"])
def test_auto_switches_for_a_model_that_is_gone_or_is_served_by_messages(world: World, model: str) -> None:
    script = Script([error_reply(404, "not_found_error", f"model: {model}"), message_reply()])
    options = {"backend": "auto", "on_loss": "drop", "model_warnings": False}
    with pytest.warns(BackendSwitchWarning, match=f"does not serve the model '{model}' any more") as caught:
        world.create(script, options, model=model)
    assert paths(script) == ["complete", "messages"]
    warning: Any = pickle.loads(pickle.dumps(caught[0].message))
    assert (warning.missing, str(warning)) == (True, str(caught[0].message))


@pytest.mark.filterwarnings("ignore:the service serves")
def test_auto_tells_losses_too(world: World) -> None:
    script = Script([refusal(), message_reply()])
    with pytest.raises(LossError):
        world.create(script, {"backend": "auto", "on_loss": "error"}, **LOSSY)
    assert paths(script) == ["complete"]


@pytest.mark.filterwarnings("ignore:the service serves")
def test_the_deadline_holds_for_both_requests_of_auto(world: World) -> None:
    clock = FakeClock()

    def slow(_: httpx.Request) -> httpx.Response:
        clock.now += 6
        return refusal()

    script = Script([slow, message_reply()])
    world.create(script, {"backend": "auto", "deadline": 10, "clock": clock})
    assert [request.extensions["timeout"]["read"] for request in script.requests] == [10, 4]


def test_a_switch_whose_warning_is_an_error_is_not_made(world: World) -> None:
    script = Script([refusal(), refusal(), message_reply()])
    arguments = {**ARGUMENTS, "model": "m"}

    def blocking(client: Anthropic) -> None:
        for _ in range(2):
            with pytest.raises(UserWarning, match="by the Messages API only"):
                client.completions.create(**arguments)

    async def awaiting(client: AsyncAnthropic) -> None:
        for _ in range(2):
            with pytest.raises(UserWarning, match="by the Messages API only"):
                await client.completions.create(**arguments)

    world.use(blocking, awaiting, script, backend="auto")
    assert paths(script) == ["complete", "complete"]
