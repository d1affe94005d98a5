"""`create(check_prompt=True)`: what the service would refuse is not sent."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions import AnthropicError
from anthropic_completions.prompts import InvalidPromptError, check
from support import Script, World, chunk, completion_reply, stream_reply

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "prompts.json").read_text("utf-8"))["validate"]
CASES = pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])


@CASES
def test_a_prompt_is_refused_where_the_service_would(case: dict[str, Any]) -> None:
    if case["ok"]:
        check(case["prompt"])
        return
    with pytest.raises(InvalidPromptError) as raised:
        check(case["prompt"])
    assert (raised.value.reason, raised.value.position) == (case["reason"], case["position"])


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_sent_of_a_prompt_that_the_service_would_refuse(world: World, stream: bool) -> None:
    script = Script([completion_reply()])
    with pytest.raises(InvalidPromptError) as raised:
        world.create(script, prompt="\n\nHuman: Hi\nAssistant:", check_prompt=True, stream=stream)
    told = r'prompt must end with "\n\nAssistant:" turn (at position 11 of 22)'
    assert str(raised.value) == told + '; write a question as f"{HUMAN_PROMPT} …{AI_PROMPT}"'
    assert not script.requests


@pytest.mark.parametrize("form", ["with_raw_response", "with_streaming_response"])
def test_the_other_forms_check_it_too(world: World, form: str) -> None:
    arguments: dict[str, Any] = {
        "model": "m",
        "max_tokens_to_sample": 1,
        "prompt": "Hi",
        "check_prompt": True,
    }

    def blocking(client: Any) -> None:
        reply = getattr(client.completions, form).create(**arguments)
        reply.__enter__()

    async def awaiting(client: Any) -> None:
        reply = getattr(client.completions, form).create(**arguments)
        await (reply if form == "with_raw_response" else reply.__aenter__())

    with pytest.raises(InvalidPromptError):
        world.use(blocking, awaiting, Script([completion_reply()]))


def test_what_the_service_only_sanitises_is_sent_as_it_is(world: World) -> None:
    script = Script([completion_reply()])
    world.create(script, prompt="Human: Hi\n\nAssistant: ", check_prompt=True)
    assert script.bodies[0]["prompt"] == "Human: Hi\n\nAssistant: "
    assert "check_prompt" not in script.bodies[0]


@pytest.mark.parametrize("arguments", [{}, {"check_prompt": False}])
def test_it_is_off_by_default(world: World, arguments: dict[str, Any]) -> None:
    script = Script([stream_reply(chunk("Hi", "max_tokens"))])
    assert world.stream(script, prompt="Hi", **arguments).error is None
    assert script.bodies[0]["prompt"] == "Hi"


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_the_switch_is_true_or_false(world: World, value: Any) -> None:
    with pytest.raises(TypeError, match="check_prompt: expected True or False, got a value of type"):
        world.create(Script([completion_reply()]), check_prompt=value)


def test_the_error_is_a_value_error_of_ours_and_survives_pickle() -> None:
    error = pickle.loads(pickle.dumps(InvalidPromptError("No.", reason="empty", position=0)))
    assert isinstance(error, ValueError)
    assert isinstance(error, AnthropicError)
    assert (str(error), error.reason, error.position) == ("No.", "empty", 0)
