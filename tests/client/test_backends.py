"""A program written for completions gets the same from either backend of the stand-in."""

import json
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions import APIError, BadRequestError
from anthropic_completions.messages import BackendSwitchWarning, UntranslatableReplyError
from anthropic_completions.testing import (
    Scripted,
    StandIn,
    completion,
    drop,
    drop_after,
    error,
    overloaded,
    raw,
    stall,
    truncate,
)
from anthropic_completions.types import Completion
from spread import spread, with_both_clients
from support import ARGUMENTS, World

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "messages.json").read_text("utf-8"))
# What only Messages takes: a field of its own, and nulls, which are left out on the way to it.
ONLY_MESSAGES = {"fields that completions never had are passed on", "null stands for absent"}
# What Messages refuses where the old endpoint capped it.
TOO_HIGH = "too high a limit is left for the service to refuse"
# How the old endpoint's answer began there is unknown; the stand-in's begins with a space.
UNKNOWN = "white space after the last marker is where the answer goes"
SENDABLE = [
    case
    for case in VECTORS["requests"]
    if "error" not in case
    and not {"thinking", "output_config"} & case["params"].keys()
    and not case["name"].endswith(TOO_HIGH)
]
CASES = [
    case
    for case in SENDABLE
    if not case["losses"] and "settings" not in case and case["name"] not in {*ONLY_MESSAGES, UNKNOWN}
]
REPLIES: list[Scripted | None] = [
    None,  # what the prompt gives
    completion(" One two, three."),
    completion(" One", stop="END"),
    completion(" One two", stop_reason="max_tokens"),
    completion("", stop="END"),
]
BACKENDS = ["completions", "messages"]
streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def call(world: World, stand_in: StandIn, backend: str, **arguments: Any) -> Completion:
    """Make one call to a stand-in and return the completion, gathered where it is streamed."""
    kind = httpx.Client if world.backend is None else httpx.AsyncClient
    options = {"backend": backend, "base_url": "http://x", "max_retries": 0}
    arguments = {**ARGUMENTS, **arguments}
    stream = arguments["stream"]

    def blocking(client: Any) -> Any:
        result = client.completions.create(**arguments)
        return result.get_final_completion() if stream else result

    async def awaiting(client: Any) -> Any:
        result = await client.completions.create(**arguments)
        return await result.get_final_completion() if stream else result

    found: Completion = world.use(
        blocking, awaiting, http_client=kind(transport=stand_in.transport()), **options
    )
    return found


def told(found: Completion) -> tuple[Any, ...]:
    return found.completion, found.stop_reason, found.stop, found.model


def test_most_of_the_vectors_lose_nothing() -> None:
    assert len(CASES) > 25
    assert {case["name"] for case in VECTORS["requests"]} > ONLY_MESSAGES


@pytest.mark.parametrize(
    ("case", "stream", "world"),
    spread({case["name"]: (case,) for case in CASES}, {"plain": (False,), "streamed": (True,)}),
)
def test_text_stop_reason_and_stop_are_the_same(world: World, case: dict[str, Any], stream: bool) -> None:
    for reply in REPLIES:
        outcomes = []
        for backend in BACKENDS:
            stand_in = StandIn()
            stand_in.queue(*[reply] if reply else [])
            outcomes.append(told(call(world, stand_in, backend, **{**case["params"], "stream": stream})))
            assert [received.path for received in stand_in.received] == [
                "/v1/complete" if backend == "completions" else "/v1/messages"
            ]
        assert outcomes[0] == outcomes[1]


def test_too_high_a_limit_is_refused_by_messages(world: World) -> None:
    (case,) = (case for case in VECTORS["requests"] if case["name"] == TOO_HIGH)
    with pytest.raises(BadRequestError, match="maximum allowed number of output tokens"):
        call(world, StandIn(), "messages", **{**case["params"], "stream": False})


@streamed
@pytest.mark.parametrize("limit", [1, 3, 64])
@pytest.mark.parametrize("stops", [[], ["two"], [" three", "One"]])
def test_limits_and_stop_sequences_hold_in_both(
    world: World, limit: int, stops: list[str], stream: bool
) -> None:
    arguments = {
        "prompt": "\n\nHuman: One two three\n\nAssistant:",
        "max_tokens_to_sample": limit,
        "stop_sequences": stops,
    }
    assert (
        len({told(call(world, StandIn(), backend, stream=stream, **arguments)) for backend in BACKENDS}) == 1
    )


MISHAPS = [
    overloaded(),
    overloaded(after_chunks=0),
    overloaded(after_chunks=2),
    error(402),
    error(500, "new_error", "New.", after_chunks=1),
    drop(),
    drop_after(0),
    drop_after(3),
    drop_after(99),
    stall(3600),
    stall(3600, after_chunks=2),
    truncate(chunks=0),
    truncate(chunks=2),
    truncate(size=30),
    raw(b"<html>", status=503),
]


@pytest.mark.parametrize(
    ("script", "stream", "world"),
    spread(
        {f"{at} {one}": (one,) for at, one in enumerate(MISHAPS)},
        with_both_clients({"plain": (False,), "streamed": (True,)}),
    ),
)
def test_what_goes_wrong_is_the_same_error_with_the_same_text(
    world: World, script: Scripted, stream: bool
) -> None:
    outcomes = []
    for backend in BACKENDS:
        stand_in = StandIn()
        stand_in.queue(script)
        with pytest.raises(APIError) as caught:
            call(world, stand_in, backend, stream=stream)
        outcomes.append((type(caught.value), caught.value.completion))
    assert outcomes[0] == outcomes[1]


@streamed
def test_auto_finds_the_backend_that_serves_a_model(world: World, stream: bool) -> None:
    stand_in = StandIn(messages_only=["claude-opus-4-8"])
    with pytest.warns(BackendSwitchWarning, match="claude-opus-4-8"):
        served = call(world, stand_in, "auto", stream=stream, model="claude-opus-4-8")
    assert [received.path for received in stand_in.received] == ["/v1/complete", "/v1/messages"]
    assert served.completion == " Hello! My name is Claude."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call(world, stand_in, "auto", stream=stream).completion == " Hello! My name is Claude."
    assert stand_in.received[-1].path == "/v1/complete"


@streamed
def test_what_a_model_refuses_is_never_sent(world: World, stream: bool) -> None:
    for case in SENDABLE:
        if case["losses"]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert call(world, StandIn(), "messages", **{**case["params"], "stream": stream}).completion


@pytest.mark.filterwarnings("ignore:the service does not serve")
@streamed
def test_a_model_that_there_is_not_stays_unknown(world: World, stream: bool) -> None:
    stand_in = StandIn(models=["claude-opus-4-8"], messages_only=["claude-opus-4-8"])
    for backend in (*BACKENDS, "auto"):
        with pytest.raises(APIError, match=r"model: claude-2\.1"):
            call(world, stand_in, backend, stream=stream)
    with pytest.raises(BadRequestError, match="use the Messages API"):
        call(world, stand_in, "completions", stream=stream, model="claude-opus-4-8")


@streamed
def test_a_refusal_is_surfaced(world: World, stream: bool) -> None:
    stand_in = StandIn()
    stand_in.queue(completion(" I would rather not.", stop_reason="refusal"))
    with pytest.raises(UntranslatableReplyError) as caught:
        call(world, stand_in, "messages", stream=stream)
    assert caught.value.reason == "refusal"
