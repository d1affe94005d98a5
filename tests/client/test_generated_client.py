"""The generated package's own functions, with a client of this package behind them."""

from typing import Any

import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncAnthropic,
    AuthenticationError,
    BadRequestError,
    BillingError,
    ConflictError,
    DeadlineExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    ServiceUnavailableError,
    UnprocessableEntityError,
    generated_client,
)
from anthropic_completions.testing import StandIn
from anthropic_completions_api.api.completions import create_completion
from anthropic_completions_api.models import Completion, CompletionRequest, Metadata
from reachable import assert_holds_none, shown_locals
from support import (
    ARGUMENTS,
    KEY,
    Body,
    FakeClock,
    Script,
    World,
    chunk,
    completion_reply,
    error_reply,
    stream_reply,
)

REQUEST = CompletionRequest(**ARGUMENTS)
COMPLETION = completion_reply().json()


def call(
    world: World, script: Any, body: CompletionRequest = REQUEST, *, options: Any = None, **arguments: Any
) -> Any:
    """Call `sync_detailed` or `asyncio_detailed` and return the reply."""

    def blocking(client: Anthropic) -> Any:
        return create_completion.sync_detailed(client=generated_client(client), body=body, **arguments)

    async def awaiting(client: AsyncAnthropic) -> Any:
        return await create_completion.asyncio_detailed(
            client=generated_client(client), body=body, **arguments
        )

    return world.use(blocking, awaiting, script, **{"clock": FakeClock(), **(options or {})})


def no_json(text: str) -> Any:
    return lambda: httpx.Response(200, text=text)


def with_status(status: int) -> Any:
    return lambda: httpx.Response(
        status, json={"type": "error", "error": {"type": "api_error", "message": "x"}}
    )


def without(name: str, **changed: Any) -> Any:
    return lambda: httpx.Response(200, json={**{k: v for k, v in COMPLETION.items() if k != name}, **changed})


# What comes, and the error that it is.
REPLIES: dict[str, tuple[Any, type[APIError]]] = {
    "400": (with_status(400), BadRequestError),
    "401": (with_status(401), AuthenticationError),
    "402": (with_status(402), BillingError),
    "403": (with_status(403), PermissionDeniedError),
    "404": (with_status(404), NotFoundError),
    "409": (with_status(409), ConflictError),
    "413": (with_status(413), RequestTooLargeError),
    "418": (with_status(418), APIStatusError),
    "422": (with_status(422), UnprocessableEntityError),
    "429": (with_status(429), RateLimitError),
    "500": (with_status(500), InternalServerError),
    "503": (with_status(503), ServiceUnavailableError),
    "504": (with_status(504), DeadlineExceededError),
    "529": (with_status(529), OverloadedError),
    **{str(status): (with_status(status), InternalServerError) for status in range(520, 528)},
    "html with an error's status": (lambda: httpx.Response(502, html="<html>"), InternalServerError),
    "an error with no body": (lambda: httpx.Response(529), OverloadedError),
    "an error with status 200": (
        lambda: httpx.Response(200, json={"type": "error", "error": {"type": "overloaded_error"}}),
        OverloadedError,
    ),
    "a redirect to elsewhere": (
        lambda: httpx.Response(307, headers={"location": "http://elsewhere/"}),
        APIStatusError,
    ),
    "html": (lambda: httpx.Response(200, html="<html>"), APIResponseValidationError),
    "nothing": (no_json(""), APIResponseValidationError),
    "half of it": (no_json('{"completion": '), APIResponseValidationError),
    "a list": (no_json("[]"), APIResponseValidationError),
    "no id": (without("id"), APIResponseValidationError),
    "a number as text": (without("completion", completion=1), APIResponseValidationError),
    "another type": (without("type", type="message"), APIResponseValidationError),
    "a stream": (lambda: stream_reply(chunk("Hi", "stop_sequence")), APIResponseValidationError),
    "bad gzip": (
        lambda: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Body(b"x")),
        APIResponseValidationError,
    ),
    "a broken body": (
        lambda: httpx.Response(200, stream=Body(b"{", httpx.ReadError("reset"))),
        APIConnectionError,
    ),
    "no connection": (lambda: httpx.ConnectError("refused"), APIConnectionError),
    "nothing in time": (lambda: httpx.ReadTimeout("slow"), APITimeoutError),
}


@pytest.mark.parametrize("reply", REPLIES)
def test_raises_a_typed_error_that_shows_no_key(world: World, reply: str) -> None:
    make, kind = REPLIES[reply]
    script = Script([lambda request: make()])
    with pytest.raises(APIError) as caught:
        call(world, script)
    assert type(caught.value) is kind
    assert script.requests[0].headers["x-api-key"] == KEY
    assert_holds_none([KEY], caught.value)
    assert not [text for text in shown_locals(caught.value) if KEY in text]


def test_returns_the_completion(world: World) -> None:
    reply = call(world, Script([completion_reply()]))
    assert reply.status_code == 200
    assert isinstance(reply.parsed, Completion)
    assert reply.parsed.to_dict() == COMPLETION
    assert_holds_none([KEY], reply)


def test_keeps_what_the_contract_does_not_know(world: World) -> None:
    reply = call(world, Script([httpx.Response(200, json={**COMPLETION, "model": "new", "extra": [1]})]))
    assert (reply.parsed.model, reply.parsed["extra"]) == ("new", [1])


def test_sends_what_was_given_and_nothing_else(world: World) -> None:
    script = Script([completion_reply()])
    call(world, script)
    assert script.bodies == [ARGUMENTS]


def test_sends_fields_and_headers(world: World) -> None:
    script = Script([completion_reply()])
    metadata = Metadata.from_dict({"user_id": "u"})
    body = CompletionRequest(
        **ARGUMENTS, metadata=metadata, stop_sequences=["x"], temperature=0.5, stream=False
    )
    call(world, script, body, anthropic_beta="a,b", anthropic_workspace_id="w")
    assert script.bodies == [
        {**ARGUMENTS, "metadata": {"user_id": "u"}, "stop_sequences": ["x"], "temperature": 0.5}
    ]
    headers = script.requests[0].headers
    assert (headers["anthropic-beta"], headers["anthropic-workspace-id"]) == ("a,b", "w")
    assert headers["anthropic-version"] == "2023-06-01"
    assert headers["user-agent"].startswith("anthropic-completions/")


def test_tries_again(world: World) -> None:
    script = Script([error_reply(529), completion_reply()])
    assert call(world, script).parsed
    assert len(script.requests) == 2


def test_refuses_a_stream_before_it_is_sent(world: World) -> None:
    script = Script([completion_reply()])
    with pytest.raises(ValueError, match="stream: expected False"):
        call(world, script, CompletionRequest(**ARGUMENTS, stream=True))
    assert script.requests == []


def test_refuses_what_the_contract_does_not_allow(world: World) -> None:
    script = Script([completion_reply()])
    with pytest.raises(ValueError, match="temperature: expected a number from 0 to 1, got 2"):
        call(world, script, CompletionRequest(**ARGUMENTS, temperature=2))
    assert script.requests == []


def test_changed_copies_send_as_well(world: World) -> None:
    """As the generated client's `with_headers` and `with_timeout` make them."""
    script = Script([completion_reply()])
    timeout = httpx.Timeout(3.0)

    def blocking(client: Anthropic) -> Any:
        changed = generated_client(client).with_headers({"x-tag": "t"}).with_timeout(timeout)
        return create_completion.sync(client=changed, body=REQUEST)

    async def awaiting(client: AsyncAnthropic) -> Any:
        changed = generated_client(client).with_headers({"x-tag": "t"}).with_timeout(timeout)
        return await create_completion.asyncio(client=changed, body=REQUEST)

    assert world.use(blocking, awaiting, script)
    (request,) = script.requests
    assert (request.headers["x-tag"], request.headers["x-api-key"]) == ("t", KEY)
    assert request.extensions["timeout"] == timeout.as_dict()


def test_uses_the_settings_of_the_client(world: World) -> None:
    script = Script([completion_reply()])
    options = {
        "base_url": "http://gateway/path/v1",
        "auth_token": "token",
        "default_headers": {"x-a": "b"},
        "timeout": 7,
    }
    call(world, script, options=options)
    (request,) = script.requests
    assert str(request.url) == "http://gateway/path/v1/complete"
    assert (request.headers["authorization"], request.headers["x-a"]) == ("Bearer token", "b")
    assert request.extensions["timeout"] == httpx.Timeout(7).as_dict()


@pytest.mark.parametrize("cls", [Anthropic, AsyncAnthropic])
def test_shows_no_key(cls: Any) -> None:
    made = generated_client(cls(api_key=KEY, auth_token="token-secret"))
    assert not [
        text
        for text in (repr(made), str(vars(type(made))), repr(made.get_httpx_client().headers))
        if KEY in text or "token-secret" in text
    ]


def test_is_answered_by_messages_where_the_client_is() -> None:
    client = StandIn().client(backend="messages")
    with generated_client(client) as made:
        reply = create_completion.sync(
            client=made, body=CompletionRequest(**{**ARGUMENTS, "model": "claude-opus-4-6"})
        )
    assert isinstance(reply, Completion)
    assert client.is_closed()


def test_closes_the_client(world: World) -> None:
    def blocking(client: Anthropic) -> Any:
        with generated_client(client):
            pass
        return client

    async def awaiting(client: AsyncAnthropic) -> Any:
        async with generated_client(client):
            pass
        return client

    assert world.use(blocking, awaiting, Script([])).is_closed()


def test_names_the_client_that_a_function_needs() -> None:
    with pytest.raises(
        TypeError, match="sync: expected a client that was made of an Anthropic, got one of an Async"
    ):
        create_completion.sync(client=generated_client(AsyncAnthropic(api_key="k")), body=REQUEST)


def test_refuses_what_is_no_client() -> None:
    with pytest.raises(
        TypeError, match="client: expected an Anthropic or an AsyncAnthropic, got a value of type str"
    ):
        generated_client("key")  # type: ignore[arg-type]
