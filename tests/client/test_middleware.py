"""Functions of the user's around each attempt."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    APIConnectionError,
    AsyncAnthropic,
    BadRequestError,
    InternalServerError,
    RetryableError,
    omit,
)
from anthropic_completions._client.middleware import APIRequest, Middleware
from anthropic_completions.types import Completion
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


class Around(Middleware):
    """Calls one function of the request before it is sent, and one of the reply after it came."""

    def __init__(
        self,
        before: Callable[[APIRequest], APIRequest] = lambda request: request,
        after: Callable[[Any], Any] = lambda response: response,
    ) -> None:
        self.before = before
        self.after = after

    def handle(self, request: APIRequest, call_next: Any) -> Any:
        return self.after(call_next(self.before(request)))

    async def handle_async(self, request: APIRequest, call_next: Any) -> Any:
        return self.after(await call_next(self.before(request)))


def create(world: World, script: Any, *middleware: Any, **arguments: Any) -> Any:
    return world.create(script, {"middleware": middleware, "clock": FakeClock()}, **arguments)


def test_sees_the_request_and_the_reply(world: World) -> None:
    seen: list[Any] = []

    def note(value: Any) -> Any:
        seen.append(value)
        return value

    script = Script([completion_reply()])
    arguments: dict[str, Any] = {
        "extra_query": {"a": 1},
        "betas": ["b"],
        "timeout": 7,
        "extra_body": {"new": 1},
    }
    create(world, script, Around(note, note), **arguments)
    request, response = seen
    assert (request.method, request.url) == ("POST", "https://api.anthropic.com/v1/complete")
    assert request.query_params == {"a": "1"}
    assert (request.headers["x-api-key"], request.headers["anthropic-beta"]) == (KEY, "b")
    assert request.json == {**ARGUMENTS, "new": 1}
    assert (request.timeout, request.max_retries, request.retries_taken) == (httpx.Timeout(7), 2, 0)
    assert request.stream is False
    assert (response.status_code, response.retries_taken) == (200, 0)
    assert KEY not in f"{request!r} {request.headers!r}"


def test_the_first_is_the_outermost(world: World) -> None:
    order: list[str] = []

    def named(name: str) -> Around:
        def note(value: Any, moment: str) -> Any:
            order.append(f"{moment} {name}")
            return value

        return Around(lambda request: note(request, "before"), lambda response: note(response, "after"))

    script = Script([completion_reply()])

    def blocking(client: Anthropic) -> Any:
        return client.with_middleware(named("b"), named("c")).completions.create(**ARGUMENTS)

    async def awaiting(client: AsyncAnthropic) -> Any:
        return await client.with_middleware(named("b"), named("c")).completions.create(**ARGUMENTS)

    world.use(blocking, awaiting, script, middleware=[named("a")])
    assert order == ["before a", "before b", "before c", "after c", "after b", "after a"]


def test_is_called_for_each_attempt(world: World) -> None:
    """Within the retries; an error's reply is a reply to it."""
    seen: list[Any] = []
    script = Script([error_reply(500), httpx.ConnectError("gone"), completion_reply()])
    note = Around(
        lambda request: seen.append(request.retries_taken) or request,  # type: ignore[func-returns-value]
        lambda response: seen.append(response.status_code) or response,  # type: ignore[func-returns-value]
    )
    create(world, script, note)
    assert seen == [0, 500, 1, 2, 200]


def test_is_told_the_retries_also_where_the_header_is_omitted(world: World) -> None:
    seen: list[int] = []
    note = Around(lambda request: seen.append(request.retries_taken) or request)  # type: ignore[func-returns-value]
    script = Script([error_reply(500), completion_reply()])
    create(world, script, note, extra_headers={"x-stainless-retry-count": omit})
    assert seen == [0, 1]


def test_can_change_the_request(world: World) -> None:
    changed = Around(
        lambda request: request.copy(
            url="http://elsewhere/v2",
            headers={**request.headers, "x-team": "blue"},
            params={"q": "1"},
            body={**request.json, "model": "other"},
            timeout=3,
        )
    )
    script = Script([completion_reply()])
    create(world, script, changed)
    (request,) = script.requests
    assert str(request.url) == "http://elsewhere/v2?q=1"
    assert (request.headers["x-team"], request.headers["x-api-key"]) == ("blue", KEY)
    assert script.bodies == [{**ARGUMENTS, "model": "other"}]
    assert request.headers["content-length"] == str(len(request.content))
    assert request.extensions["timeout"]["read"] == 3


def test_can_change_headers_and_body_in_place(world: World) -> None:
    def change(request: APIRequest) -> APIRequest:
        request.json["model"] = "other"
        request.headers["x-team"] = "blue"  # type: ignore[index]
        return request

    script = Script([completion_reply()])
    create(world, script, Around(change))
    assert script.bodies == [{**ARGUMENTS, "model": "other"}]
    assert script.requests[0].headers["x-team"] == "blue"


def test_what_is_not_changed_is_sent_as_it_was(world: World) -> None:
    """Repeated entries of the query among it."""
    plain, through = Script([completion_reply()]), Script([completion_reply()])
    arguments: dict[str, Any] = {"extra_query": {"q": [1, 2]}, "prompt": "\n\nHuman: ü\n\nAssistant:"}
    world.create(plain, **arguments)
    create(world, through, Around(lambda request: request.copy()), **arguments)
    first, second = plain.requests[0], through.requests[0]
    assert (first.url, first.content, first.headers) == (second.url, second.content, second.headers)


def test_cannot_change_a_header_into_what_cannot_be_sent(world: World) -> None:
    """The value is not repeated."""
    script = Script([completion_reply()])
    bad = Around(lambda request: request.copy(headers={"x-api-key": f"{KEY}\n"}))
    with pytest.raises(ValueError, match="header 'x-api-key': expected visible ASCII text") as caught:
        create(world, script, bad)
    assert KEY not in str(caught.value)
    assert script.requests == []


@pytest.mark.parametrize(
    "answer", [Completion(id="c", completion="Mine", model="m", type="completion"), None]
)
def test_can_answer_itself(world: World, answer: Any) -> None:
    """With a completion, or the fields of one; nothing is sent."""
    answer = answer or {
        "id": "c",
        "completion": "Mine",
        "model": "m",
        "stop_reason": None,
        "type": "completion",
    }
    script = Script([completion_reply()])

    def handle(request: APIRequest, call_next: Any) -> Any:
        return answer

    async def handle_async(request: APIRequest, call_next: Any) -> Any:
        return answer

    completion = create(world, script, handle if world.backend is None else handle_async)
    assert (completion.completion, completion.stop_reason) == ("Mine", None)
    assert script.requests == []


@pytest.mark.parametrize("stream", [False, True])
def test_can_read_the_reply(world: World, stream: bool) -> None:
    """What it has read is still there."""
    texts: list[str] = []

    class Reader(Middleware):
        def handle(self, request: APIRequest, call_next: Any) -> Any:
            response = call_next(request)
            texts.append(response.text())
            return response

        async def handle_async(self, request: APIRequest, call_next: Any) -> Any:
            response = await call_next(request)
            texts.append(await response.text())
            return response

    event = chunk("Hi", "stop_sequence")
    body = event if stream else completion_reply(completion="Hi").content
    script = Script([httpx.Response(200, stream=Body(body))])
    if stream:
        assert world.stream(script, {"middleware": [Reader()]}).texts == ["Hi"]
    else:
        assert create(world, script, Reader()).completion == "Hi"
    assert texts == [body.decode()]


def test_can_have_the_request_tried_again(world: World) -> None:
    def doubt(response: Any) -> Any:
        if response.retries_taken == 0:
            raise RetryableError("once more")
        return response

    script = Script([completion_reply()])
    create(world, script, Around(after=doubt))
    assert len(script.requests) == 2


def test_a_wish_that_is_never_content_is_raised(world: World) -> None:
    def doubt(response: Any) -> Any:
        raise RetryableError("once more")

    script = Script([completion_reply()])
    with pytest.raises(RetryableError, match="once more"):
        create(world, script, Around(after=doubt))
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("failure", "cls"),
    [(httpx.ConnectError("gone"), APIConnectionError), (httpx.ReadTimeout("slow"), APIConnectionError)],
)
def test_meets_the_errors_of_this_package(world: World, failure: Exception, cls: type[Exception]) -> None:
    """Not httpx's."""
    met: list[Exception] = []

    class Catcher(Middleware):
        def handle(self, request: APIRequest, call_next: Any) -> Any:
            try:
                return call_next(request)
            except Exception as error:
                met.append(error)
                raise

        async def handle_async(self, request: APIRequest, call_next: Any) -> Any:
            try:
                return await call_next(request)
            except Exception as error:
                met.append(error)
                raise

    with pytest.raises(cls) as caught:
        create(world, Script([failure]), Catcher())
    assert met[-1] is caught.value
    assert len(met) == 3


def test_its_own_errors_come_out(world: World) -> None:
    def fail(request: APIRequest) -> APIRequest:
        raise KeyError("mine")

    script = Script([completion_reply()])
    with pytest.raises(KeyError, match="mine"):
        create(world, script, Around(fail))
    assert script.requests == []


def test_an_errors_reply_is_raised_after_it(world: World) -> None:
    with pytest.raises(BadRequestError, match="No"):
        create(world, Script([error_reply(400)]), Around())


@pytest.mark.parametrize("result", [None, 5, "text", httpx.Response(200)])
def test_an_answer_of_another_kind_is_refused(world: World, result: Any) -> None:
    with pytest.raises(TypeError, match="middleware: expected it to return a reply, got a value of type"):
        create(world, Script([completion_reply()]), Around(after=lambda response: result))


@pytest.mark.parametrize("raises", [False, True])
def test_a_reply_that_it_does_not_return_is_closed(world: World, raises: bool) -> None:
    """So that no connection is lost."""
    dropped, kept = Body(b"{}"), Body(completion_reply().content)

    class Again(Middleware):
        def handle(self, request: APIRequest, call_next: Any) -> Any:
            call_next(request)
            if raises:
                raise KeyError
            return call_next(request)

        async def handle_async(self, request: APIRequest, call_next: Any) -> Any:
            await call_next(request)
            if raises:
                raise KeyError
            return await call_next(request)

    script = Script([httpx.Response(200, stream=dropped), httpx.Response(200, stream=kept)])
    if raises:
        with pytest.raises(KeyError):
            create(world, script, Again())
    else:
        assert create(world, script, Again()).completion == " Hello! My name is Claude."
    assert dropped.closed


def test_is_around_streams_too(world: World) -> None:
    seen: list[bool] = []
    note = Around(lambda request: seen.append(request.stream) or request)  # type: ignore[func-returns-value]
    script = Script([stream_reply(chunk("Hi", "stop_sequence"))])
    assert world.stream(script, {"middleware": [note]}).texts == ["Hi"]
    assert seen == [True]


def test_retries_count_with_middleware_as_without(world: World) -> None:
    script = Script([error_reply(500)])
    with pytest.raises(InternalServerError):
        create(world, script, Around())
    assert [request.headers["x-stainless-retry-count"] for request in script.requests] == ["0", "1", "2"]


class OnlyBlocking(Middleware):
    def handle(self, request: APIRequest, call_next: Any) -> Any:
        return call_next(request)


class OnlyAwaiting(Middleware):
    async def handle_async(self, request: APIRequest, call_next: Any) -> Any:
        return await call_next(request)


class WronglyAwaiting(Middleware):
    async def handle(self, request: APIRequest, call_next: Any) -> Any:  # type: ignore[override]
        return await call_next(request)


class Callable_:  # noqa: N801
    async def __call__(self, request: APIRequest, call_next: Any) -> Any:
        return await call_next(request)


def blocking_function(request: APIRequest, call_next: Any) -> Any:
    return call_next(request)


async def awaiting_function(request: APIRequest, call_next: Any) -> Any:
    return await call_next(request)


@pytest.mark.parametrize(
    ("cls", "middleware", "message"),
    [
        (Anthropic, awaiting_function, "expected a function that is not async, got awaiting_function"),
        (Anthropic, Callable_(), "expected a function that is not async, got Callable_"),
        (Anthropic, WronglyAwaiting(), "expected a function that is not async, got WronglyAwaiting"),
        (Anthropic, OnlyAwaiting(), r"expected OnlyAwaiting to have handle\(\), which this client calls"),
        (AsyncAnthropic, blocking_function, "expected an async function, got blocking_function"),
        (AsyncAnthropic, OnlyBlocking(), r"expected OnlyBlocking to have handle_async\(\)"),
        (Anthropic, 5, "expected a function, got int"),
        (AsyncAnthropic, 5, "expected a function, got int"),
    ],
)
def test_what_does_not_fit_the_client_is_refused_at_once(cls: Any, middleware: Any, message: str) -> None:
    for make in (
        lambda: cls(middleware=[middleware]),
        lambda: cls().copy(middleware=[middleware]),
        lambda: cls().with_middleware(middleware),
    ):
        with pytest.raises(TypeError, match=f"^middleware: {message}"):
            make()


def test_what_fits_one_client_is_taken_by_it() -> None:
    assert len(Anthropic(middleware=[OnlyBlocking(), blocking_function, Around()]).middleware) == 3
    assert len(AsyncAnthropic(middleware=(OnlyAwaiting(), awaiting_function, Callable_())).middleware) == 3
    assert Anthropic(middleware=[Around()]).copy(middleware=None).middleware == ()
