"""What is tried again, when, and how it is told; time is injected throughout."""

from email.utils import formatdate
from typing import Any

import anyio
import httpx
import pytest

import anthropic_completions
from anthropic_completions import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    RateLimitError,
)
from support import Body, FakeClock, Script, World, chunk, completion_reply, error_reply, stream_reply

# Status, kind of error in the body, class, and whether it is tried again.
STATUSES = [
    (400, "invalid_request_error", "BadRequestError", False),
    (401, "authentication_error", "AuthenticationError", False),
    (402, "billing_error", "BillingError", False),
    (403, "permission_error", "PermissionDeniedError", False),
    (404, "not_found_error", "NotFoundError", False),
    (408, "timeout_error", "APIStatusError", True),
    (409, "conflict_error", "ConflictError", True),
    (413, "request_too_large", "RequestTooLargeError", False),
    (418, "teapot_error", "APIStatusError", False),
    (422, "invalid_request_error", "UnprocessableEntityError", False),
    (429, "rate_limit_error", "RateLimitError", True),
    (500, "api_error", "InternalServerError", True),
    (502, "api_error", "InternalServerError", True),
    (503, "api_error", "ServiceUnavailableError", True),
    (504, "timeout_error", "DeadlineExceededError", True),
    (522, "api_error", "InternalServerError", True),
    (529, "overloaded_error", "OverloadedError", True),
]


def call(world: World, script: Any, clock: FakeClock | None = None, **options: Any) -> Any:
    """Call `create` with options of the client and return the completion or the error."""
    try:
        return world.create(script, {"clock": clock or FakeClock(), **options})
    except APIError as error:
        return error


@pytest.mark.parametrize(("status", "kind", "name", "retried"), STATUSES)
def test_every_status_has_its_class_and_its_retries(
    world: World, status: int, kind: str, name: str, retried: bool
) -> None:
    script = Script([error_reply(status, kind, "No.")])
    error = call(world, script)
    assert type(error) is getattr(anthropic_completions, name)
    assert (error.status_code, error.type, error.request_id) == (status, kind, "req_1")
    assert error.body == {"type": "error", "error": {"type": kind, "message": "No."}}
    assert len(script.requests) == (3 if retried else 1)


@pytest.mark.parametrize(("status", "kind", "name", "retried"), STATUSES)
def test_a_reply_of_no_json_has_the_class_of_its_status(
    world: World, status: int, kind: str, name: str, retried: bool
) -> None:
    script = Script([httpx.Response(status, html="<h1>No</h1>")])
    error = call(world, script)
    assert type(error) is getattr(anthropic_completions, name)
    assert (error.type, error.body, error.request_id) == (None, "<h1>No</h1>", None)
    assert len(script.requests) == (3 if retried else 1)


@pytest.mark.parametrize(
    ("status", "wish", "requests"), [(400, "true", 3), (529, "false", 1), (400, "yes", 1), (529, "no", 3)]
)
def test_the_services_wish_goes_before_the_status(
    world: World, status: int, wish: str, requests: int
) -> None:
    script = Script([error_reply(status, x_should_retry=wish)])
    call(world, script)
    assert len(script.requests) == requests


def test_goes_on_after_a_retry(world: World) -> None:
    script = Script([error_reply(529), error_reply(500), completion_reply()])
    clock = FakeClock()
    assert call(world, script, clock).completion == " Hello! My name is Claude."
    assert clock.waits == [0.5, 1.0]


@pytest.mark.parametrize(
    ("chance", "waits"), [(0.0, [0.5, 1, 2, 4, 8, 8]), (1.0, [0.375, 0.75, 1.5, 3, 6, 6])]
)
def test_backs_off_with_jitter(world: World, chance: float, waits: list[float]) -> None:
    clock = FakeClock(random=chance)
    call(world, Script([error_reply(500)]), clock, max_retries=6)
    assert clock.waits == waits


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "100", "retry_after": "9"}, 0.1),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9.0),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after": "60"}, 60.0),
        ({"retry_after": formatdate(1030, usegmt=True)}, 30.0),
        ({"retry_after": "0"}, 0.5),
        ({"retry_after": "-5"}, 0.5),
        ({"retry_after": "nan"}, 0.5),
        ({"retry_after": "inf"}, 0.5),
        ({"retry_after": "1e300"}, 0.5),
        ({"retry_after": "soon"}, 0.5),
        ({"retry_after": formatdate(900, usegmt=True)}, 0.5),
    ],
)
def test_waits_as_the_service_asks(world: World, headers: dict[str, str], wait: float) -> None:
    """What makes no sense counts as nothing asked."""
    clock = FakeClock()
    script = Script([error_reply(429, **headers), completion_reply()])
    assert call(world, script, clock).completion == " Hello! My name is Claude."
    assert clock.waits == [wait]


@pytest.mark.parametrize("headers", [{"retry_after": "61"}, {"retry_after_ms": "61000"}])
def test_a_long_wait_is_raised_at_once(world: World, headers: dict[str, str]) -> None:
    script = Script([error_reply(429, **headers)])
    clock = FakeClock()
    error = call(world, script, clock)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 61.0
    assert (len(script.requests), clock.waits) == (1, [])


@pytest.mark.parametrize("cap", [61, 3600.0, None])
def test_a_long_wait_is_slept_where_the_caller_allows_it(world: World, cap: float | None) -> None:
    script = Script([error_reply(429, retry_after="61"), completion_reply()])
    clock = FakeClock()
    call(world, script, clock, max_retry_after=cap)
    assert clock.waits == [61.0]


def test_the_cap_can_be_lowered(world: World) -> None:
    script = Script([error_reply(429, retry_after="5")])
    assert call(world, script, max_retry_after=4).retry_after == 5.0
    assert len(script.requests) == 1


@pytest.mark.parametrize("max_retries", [0, 1, 2, 5])
def test_counts_the_retries_in_a_header(world: World, max_retries: int) -> None:
    script = Script([error_reply(500)])
    call(world, script, max_retries=max_retries)
    counts = [request.headers["x-stainless-retry-count"] for request in script.requests]
    assert counts == [str(count) for count in range(max_retries + 1)]


@pytest.mark.parametrize(
    ("value", "sent"), [("7", "7"), (anthropic_completions.omit, None)], ids=["replaced", "omitted"]
)
def test_the_callers_retry_count_goes_before(world: World, value: Any, sent: str | None) -> None:
    script = Script([error_reply(500), completion_reply()])
    world.create(script, {"clock": FakeClock()}, extra_headers={"X-Stainless-Retry-Count": value})
    assert [request.headers.get("x-stainless-retry-count") for request in script.requests] == [sent, sent]


def test_each_attempt_sends_the_same_bytes(world: World) -> None:
    script = Script([error_reply(500), httpx.ConnectError("gone"), completion_reply()])
    call(world, script)
    assert len({request.content for request in script.requests}) == 1
    assert len({request.url for request in script.requests}) == 1


@pytest.mark.parametrize(
    ("failure", "cls"),
    [
        (httpx.ConnectError("refused"), APIConnectionError),
        (httpx.ConnectTimeout("slow"), APITimeoutError),
        (httpx.ReadTimeout("slow"), APITimeoutError),
        (httpx.PoolTimeout("full"), APITimeoutError),
        (httpx.RemoteProtocolError("garbage"), APIConnectionError),
        (httpx.ProxyError("no proxy"), APIConnectionError),
        (OSError("from a transport of the user's"), APIConnectionError),
    ],
)
def test_a_lost_connection_is_tried_again(world: World, failure: Exception, cls: type[APIError]) -> None:
    script = Script([failure])
    clock = FakeClock()
    error = call(world, script, clock)
    assert type(error) is cls
    assert error.__cause__ is failure
    assert (len(script.requests), clock.waits) == (3, [0.5, 1.0])


@pytest.mark.parametrize(
    "failure",
    [
        httpx.LocalProtocolError("bad header"),
        httpx.UnsupportedProtocol("ftp"),
        httpx.InvalidURL("bad"),
        UnicodeError(),
    ],
)
def test_what_would_fail_again_is_not_tried_again(world: World, failure: Exception) -> None:
    script = Script([failure])
    error = call(world, script)
    assert type(error) is APIConnectionError
    assert len(script.requests) == 1


def test_a_body_that_breaks_off_is_tried_again(world: World) -> None:
    """Nothing of it was returned."""
    body = Body(b'{"id": "compl', httpx.ReadError("reset"))
    script = Script([httpx.Response(200, stream=body), completion_reply()])
    assert call(world, script).completion == " Hello! My name is Claude."
    assert body.closed
    script = Script([httpx.Response(200, stream=body)])
    assert type(call(world, script, max_retries=0)) is APIConnectionError


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_is_closed_whatever_goes_wrong_after_it_came(world: World, stream: bool) -> None:
    class Broken(FakeClock):
        def monotonic(self) -> float:
            if script.requests:
                raise ZeroDivisionError
            return super().monotonic()

    body = Body(b"{}")
    script = Script([httpx.Response(200, stream=body)])
    with pytest.raises(ZeroDivisionError):
        world.create(script, {"clock": Broken()}, stream=stream)
    assert body.closed


def test_a_reply_that_is_no_completion_is_not_tried_again(world: World) -> None:
    script = Script([httpx.Response(200, text="{")])
    assert type(call(world, script)) is APIResponseValidationError
    assert len(script.requests) == 1


def test_the_failures_before_are_no_context_of_the_last(world: World) -> None:
    """Each attempt is told by itself."""
    error = call(world, Script([error_reply(500), httpx.ConnectError("gone"), error_reply(503)]))
    assert error.status_code == 503
    assert error.__context__ is None


@pytest.mark.parametrize("stream", [False, True])
def test_an_unread_reply_is_retried_before_it_is_returned(world: World, stream: bool) -> None:
    replies = [stream_reply(chunk("Hi", "stop_sequence"))] if stream else [completion_reply()]
    script = Script([error_reply(529), *replies])
    clock = FakeClock()

    def blocking(client: Any) -> Any:
        with client.completions.with_streaming_response.create(**arguments) as reply:
            return reply.retries_taken

    async def awaiting(client: Any) -> Any:
        async with client.completions.with_streaming_response.create(**arguments) as reply:
            return reply.retries_taken

    arguments = {"model": "m", "prompt": "p", "max_tokens_to_sample": 1, "stream": stream}
    assert world.use(blocking, awaiting, script, clock=clock) == 1


class TestDeadline:
    """Seconds for a whole call: all attempts and waits."""

    def test_a_wait_beyond_it_is_not_slept(self, world: World) -> None:
        script = Script([error_reply(429, retry_after="10")])
        clock = FakeClock()
        error = call(world, script, clock, deadline=10)
        assert isinstance(error, RateLimitError)
        assert (len(script.requests), clock.waits) == (1, [])

    def test_waits_within_it_are_slept(self, world: World) -> None:
        script = Script([error_reply(429, retry_after="10")])
        clock = FakeClock()
        call(world, script, clock, deadline=25, max_retries=9)
        assert (len(script.requests), clock.waits) == (3, [10.0, 10.0])

    def test_an_attempts_limits_are_what_is_left(self, world: World) -> None:
        script = Script([error_reply(429, retry_after="10"), completion_reply()])
        call(world, script, deadline=30)
        assert [request.extensions["timeout"] for request in script.requests] == [
            {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 30.0},
            {"connect": 5.0, "read": 20.0, "write": 20.0, "pool": 20.0},
        ]

    def test_no_attempt_begins_after_it(self, world: World) -> None:
        clock = FakeClock()

        def slow(request: httpx.Request) -> httpx.Response:
            clock.now += 31
            raise httpx.ReadTimeout("slow")

        script = Script([slow])
        assert type(call(world, script, clock, deadline=30)) is APITimeoutError
        assert (len(script.requests), clock.waits) == (1, [])

    def test_a_body_that_drips_past_it_is_left(self, world: World) -> None:
        clock = FakeClock()

        class Dripping(Body):
            def __iter__(self) -> Any:
                for _ in range(100):
                    clock.now += 1
                    yield b" "

            async def __aiter__(self) -> Any:
                for piece in self:
                    await anyio.lowlevel.checkpoint()
                    yield piece

        body = Dripping()
        script = Script([httpx.Response(200, stream=body)])
        error = call(world, script, clock, deadline=30)
        assert (type(error), str(error)) == (APITimeoutError, "The deadline has passed.")
        assert clock.now <= 1031
        assert body.closed

    def test_an_error_reply_is_told_though_its_body_drips(self, world: World) -> None:
        clock = FakeClock()

        class Late(Body):
            def __iter__(self) -> Any:
                clock.now += 31
                yield b"Slow d"

        error = call(world, Script([httpx.Response(429, stream=Late())]), clock, deadline=30)
        assert (type(error), error.body) == (RateLimitError, "Slow d")

    @pytest.mark.parametrize(("per_call", "read"), [(7, 7.0), (None, 600.0)])
    def test_a_calls_own_goes_before_the_clients(
        self, world: World, per_call: float | None, read: float
    ) -> None:
        script = Script([completion_reply()])
        world.create(script, {"clock": FakeClock(), "deadline": 30}, deadline=per_call)
        assert script.requests[0].extensions["timeout"]["read"] == read

    def test_holds_for_unread_replies_too(self, world: World) -> None:
        script = Script([error_reply(500)])
        clock = FakeClock()
        streamed = pytest.raises(APIStatusError)
        with streamed:
            world.stream(script, {"clock": clock, "deadline": 0.4})
        assert (len(script.requests), clock.waits) == (1, [])
