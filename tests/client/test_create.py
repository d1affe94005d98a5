"""A call from end to end, over scripted replies: what is returned, what is raised."""

import httpx
import pytest

from anthropic_completions import (
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    OverloadedError,
)
from anthropic_completions.testing import StandIn
from anthropic_completions.types import Completion
from support import ARGUMENTS, Script, World, chunk, completion_reply, error_reply, stream_reply

ONCE = {"max_retries": 0}


def test_returns_the_completion(world: World) -> None:
    script = Script([completion_reply()])
    completion = world.create(script)
    assert isinstance(completion, Completion)
    assert completion.completion == " Hello! My name is Claude."
    assert completion.stop_reason == "stop_sequence"
    assert completion.stop == "\n\nHuman:"
    assert script.bodies == [ARGUMENTS]


def test_streams_the_chunks(world: World) -> None:
    script = Script(
        [stream_reply(chunk(" Hello"), chunk("!"), chunk("", "stop_sequence", stop="\n\nHuman:"))]
    )
    streamed = world.stream(script)
    assert streamed.error is None
    assert streamed.texts == [" Hello", "!", ""]
    assert streamed.final.completion == " Hello!"
    assert streamed.final.stop_reason == "stop_sequence"
    assert streamed.final.id == "compl_1"
    assert script.bodies == [{**ARGUMENTS, "stream": True}]


def test_takes_a_model_that_it_does_not_know(world: World) -> None:
    script = Script([completion_reply(model="claude-of-tomorrow")])
    assert world.create(script, model="claude-of-tomorrow").model == "claude-of-tomorrow"
    assert script.bodies[0]["model"] == "claude-of-tomorrow"


def test_keeps_a_field_that_it_does_not_know(world: World) -> None:
    completion = world.create(Script([completion_reply(mood={"value": 3})]))
    assert completion.mood == {"value": 3}
    assert completion.to_dict()["mood"] == {"value": 3}
    assert list(completion)[-1] == ("mood", {"value": 3})


def test_names_an_overload(world: World) -> None:
    with pytest.raises(OverloadedError) as caught:
        world.create(Script([error_reply(529, "overloaded_error", "Overloaded")]), ONCE)
    assert caught.value.status_code == 529
    assert caught.value.type == "overloaded_error"
    assert caught.value.request_id == "req_1"
    assert "req_1" in str(caught.value)


@pytest.mark.parametrize("stream", [False, True])
def test_names_a_gateway_that_answers_html(world: World, stream: bool) -> None:
    page = httpx.Response(502, html="<html><h1>Bad gateway</h1></html>")
    with pytest.raises(InternalServerError, match=r"502.*Bad gateway") as caught:
        world.create(Script([page]), ONCE, stream=stream)
    assert caught.value.body == "<html><h1>Bad gateway</h1></html>"
    assert caught.value.type is None


def test_refuses_html_with_status_200(world: World) -> None:
    with pytest.raises(APIResponseValidationError) as caught:
        world.create(Script([httpx.Response(200, html="<html>Welcome</html>")]))
    assert caught.value.body == "<html>Welcome</html>"
    assert caught.value.status_code == 200


def test_says_what_the_service_found_wrong(world: World) -> None:
    with pytest.raises(BadRequestError, match="prompt must start"):
        world.create(Script([error_reply(400, "invalid_request_error", "prompt must start with …")]))


class TestAgainstTheStandIn:
    """The same over the stand-in's own transport and over a socket."""

    def test_in_process(self, world: World) -> None:
        stand_in = StandIn()
        assert world.create(stand_in.transport().handler).completion == " Hello! My name is Claude."
        streamed = world.stream(stand_in.transport().handler)
        assert streamed.final.completion == " Hello! My name is Claude."
        assert streamed.texts[-1] == ""
        assert [received.path for received in stand_in.received] == ["/v1/complete"] * 2

    def test_served(self, world: World) -> None:
        with StandIn().serve() as url:
            assert world.create(None, {"base_url": url}).completion == " Hello! My name is Claude."
            streamed = world.stream(None, {"base_url": url})
        assert streamed.error is None
        assert streamed.final.completion == " Hello! My name is Claude."

    def test_honours_the_limit_and_the_stops(self, world: World) -> None:
        handler = StandIn().transport().handler
        short = world.create(handler, max_tokens_to_sample=2)
        assert (short.completion, short.stop_reason, short.stop) == (" Hello! My", "max_tokens", None)
        stopped = world.create(handler, stop_sequences=["name"])
        assert (stopped.completion, stopped.stop_reason, stopped.stop) == (
            " Hello! My ",
            "stop_sequence",
            "name",
        )

    def test_answers_a_bad_request_as_the_service_does(self, world: World) -> None:
        with pytest.raises(BadRequestError, match="colour: Extra inputs are not permitted"):
            world.create(StandIn().transport().handler, extra_body={"colour": "red"})
        with pytest.raises(BadRequestError, match="max_tokens_to_sample") as caught:
            world.create(StandIn().transport().handler, extra_body={"max_tokens_to_sample": 0})
        assert caught.value.type == "invalid_request_error"

    def test_wants_a_key(self, world: World) -> None:
        with pytest.raises(AuthenticationError):
            world.create(StandIn().transport().handler, extra_headers={"X-API-Key": ""})
