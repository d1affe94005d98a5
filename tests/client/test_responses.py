"""Replies as HTTP shows them, and what is refused as no completion."""

import datetime
import gzip
import json
import zlib
from typing import Any

import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    APIConnectionError,
    APIResponse,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncAnthropic,
    AsyncAPIResponse,
    AsyncStream,
    BadRequestError,
    InternalServerError,
    OverloadedError,
    Stream,
)
from anthropic_completions.types import Completion
from support import (
    ARGUMENTS,
    Body,
    FakeClock,
    Script,
    World,
    chunk,
    completion_reply,
    error_reply,
    stream_reply,
)

FIELDS = {
    "id": "compl_1",
    "completion": " Hi",
    "model": "claude-2.1",
    "stop_reason": "stop_sequence",
    "type": "completion",
}


def raw(world: World, reply: Any, **arguments: Any) -> Any:
    """Return the raw response of a call."""
    arguments = {**ARGUMENTS, **arguments}
    return world.use(
        lambda client: client.completions.with_raw_response.create(**arguments),
        lambda client: client.completions.with_raw_response.create(**arguments),
        Script([reply]),
        clock=FakeClock(),
    )


def unread(world: World, reply: Any, method: str, *given: Any, **keywords: Any) -> Any:
    """Call a method of the unread response of a call; an iterator is read to its end."""
    arguments = {**ARGUMENTS, "stream": keywords.pop("stream", False)}

    def blocking(client: Anthropic) -> Any:
        with client.completions.with_streaming_response.create(**arguments) as response:
            assert isinstance(response, APIResponse)
            result = getattr(response, method)(*given, **keywords)
            return list(result) if method.startswith("iter") else result

    async def awaiting(client: AsyncAnthropic) -> Any:
        async with client.completions.with_streaming_response.create(**arguments) as response:
            assert isinstance(response, AsyncAPIResponse)
            result = getattr(response, method)(*given, **keywords)
            return [piece async for piece in result] if method.startswith("iter") else await result

    return world.use(blocking, awaiting, Script([reply]), clock=FakeClock())


class TestErrorWithStatus200:
    """A success that reports an error is that error, as in a stream."""

    @pytest.mark.parametrize(
        ("kind", "error_class", "status"),
        [("overloaded_error", OverloadedError, 529), ("surprise_error", APIStatusError, 200)],
    )
    def test_has_the_class_and_status_of_its_type(
        self, world: World, kind: str, error_class: type[APIStatusError], status: int
    ) -> None:
        body = {"type": "error", "error": {"type": kind, "message": "Oh"}}
        with pytest.raises(APIStatusError) as caught:
            world.create(Script([httpx.Response(200, json=body, headers={"request-id": "req_1"})]))
        error = caught.value
        assert type(error) is error_class
        assert (error.status_code, error.type, error.body, error.request_id) == (status, kind, body, "req_1")
        assert error.message.startswith("Error in the reply: ")

    def test_is_one_also_beside_the_fields_of_a_completion(self, world: World) -> None:
        with pytest.raises(InternalServerError):
            world.create(Script([httpx.Response(200, json={**FIELDS, "error": {"type": "api_error"}})]))

    def test_is_none_where_the_error_is_null(self, world: World) -> None:
        completion = world.create(Script([httpx.Response(200, json={**FIELDS, "error": None})]))
        assert completion.to_dict() == {**FIELDS, "error": None}


class TestNoCompletion:
    """A success that is none: the error holds status, headers and the body as received."""

    @pytest.mark.parametrize(
        ("content", "body", "message"),
        [
            (b"{}", {}, "id: expected a value, got nothing"),
            (b"[]", [], "value: expected an object, got a value of type list"),
            (b"null", None, "value: expected an object, got None"),
            (b'"text"', "text", "value: expected an object, got 'text'"),
            (b"5", 5, "value: expected an object, got 5"),
            (b"", "", "value: expected an object, got ''"),
            (b"<html>Hi</html>", "<html>Hi</html>", "value: expected an object, got '<html>Hi</html>'"),
            (b'{"id": "compl', '{"id": "compl', "value: expected an object"),
            (b"\xff\xfe{", "\ufffd\ufffd{", "value: expected an object"),
            (b"[" * 100_000, "[" * 100_000, "value: expected an object, got a string of 100000 characters"),
            (b'{"error": "api_error"}', {"error": "api_error"}, "id: expected a value"),
            (b'{"error": null}', {"error": None}, "id: expected a value"),
        ],
    )
    @pytest.mark.parametrize("kind", ["application/json", "text/html; charset=undefined", "image/png"])
    def test_is_refused(self, world: World, content: bytes, body: object, message: str, kind: str) -> None:
        """Whatever its content type says."""
        headers = {"content-type": kind, "request-id": "req_1", "x-more": "1"}
        with pytest.raises(APIResponseValidationError) as caught:
            world.create(Script([httpx.Response(200, content=content, headers=headers)]))
        error = caught.value
        assert error.message.startswith("The reply (status 200) is no completion. ")
        assert message in error.message
        assert (error.status_code, error.body, error.request_id) == (200, body, "req_1")
        assert error.response.headers["x-more"] == "1"
        assert error.response.content == content

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            (name, value)
            for name in FIELDS
            for value in (..., 5, [], None)
            if (name, value) != ("stop_reason", None)
        ],
    )
    def test_a_field_that_is_missing_or_wrong_is_named(self, world: World, name: str, value: Any) -> None:
        fields = {**FIELDS, name: value}
        fields = {name: value for name, value in fields.items() if value is not ...}
        with pytest.raises(APIResponseValidationError, match=f"no completion. {name}: expected") as caught:
            world.create(Script([httpx.Response(200, json=fields)]))
        assert caught.value.body == fields

    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_an_empty_success_is_one(self, world: World, status: int) -> None:
        with pytest.raises(APIResponseValidationError) as caught:
            world.create(Script([httpx.Response(status)]))
        assert caught.value.status_code == status

    @pytest.mark.parametrize("status", [200, 201])
    def test_a_completion_of_any_success_is_taken(self, world: World, status: int) -> None:
        script = Script([httpx.Response(status, json=FIELDS, headers={"content-type": "text/html"})])
        assert world.create(script).to_dict() == FIELDS

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    @pytest.mark.parametrize("unread", [False, True])
    def test_a_body_that_cannot_be_decoded_is_refused(
        self, world: World, encoding: str, unread: bool
    ) -> None:
        """With the bytes as they came."""
        content = b"no compressed data"
        reply = httpx.Response(
            200, headers={"content-encoding": encoding}, stream=Body(content[:5], content[5:])
        )
        with pytest.raises(
            APIResponseValidationError, match="The reply's body could not be decoded: "
        ) as caught:
            globals()["unread"](world, reply, "parse") if unread else world.create(Script([reply]))
        assert (caught.value.body, caught.value.status_code) == (content, 200)
        assert isinstance(caught.value.__cause__, httpx.DecodingError)

    @pytest.mark.parametrize(
        ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("x-unknown", bytes)]
    )
    def test_a_compressed_completion_is_taken(self, world: World, encoding: str, pack: Any) -> None:
        """In pieces as small as they come."""
        content = pack(json.dumps(FIELDS).encode())
        pieces = [content[index : index + 1] for index in range(len(content))]
        reply = httpx.Response(200, headers={"content-encoding": encoding}, stream=Body(*pieces))
        assert world.create(Script([reply])).to_dict() == FIELDS


class TestRaw:
    def test_tells_what_http_told(self, world: World) -> None:
        body = Body(json.dumps(FIELDS).encode())
        response = raw(world, httpx.Response(200, stream=body, headers={"request-id": "req_1"}))
        assert (response.status_code, response.method, response.http_version) == (200, "POST", "HTTP/1.1")
        assert str(response.url) == "https://api.anthropic.com/v1/complete"
        assert (response.headers["request-id"], response.request_id) == ("req_1", "req_1")
        assert (response.workspace_id, response.retries_taken, response.is_closed) == (None, 0, True)
        assert json.loads(response.content) == json.loads(response.text) == FIELDS
        assert isinstance(response.elapsed, datetime.timedelta)
        assert response.http_request.content == response.http_response.request.content
        assert repr(response) == "<RawAPIResponse [200 OK] of a completion>"

    def test_is_parsed_on_demand_and_once(self, world: World) -> None:
        response = raw(world, httpx.Response(200, json=FIELDS))
        assert response.parse().to_dict() == FIELDS
        assert response.parse() is response.parse()
        with pytest.raises(APIResponseValidationError):
            raw(world, httpx.Response(200, text="no")).parse()

    @pytest.mark.parametrize(
        ("content", "to", "value"),
        [
            ('{"a": 1}', dict, {"a": 1}),
            ('{"a": 1}', dict[str, int], {"a": 1}),
            ('{"a": 1}', object, {"a": 1}),
            ("[1]", list, [1]),
            ("[1]", list[int], [1]),
            ("[1]", dict | list, [1]),
            ("5", int, 5),
            ("0.5", float, 0.5),
            ("true", bool, True),
            ("[", str, "["),
            ("[", bytes, b"["),
        ],
    )
    def test_is_parsed_as_another_type(self, world: World, content: str, to: Any, value: object) -> None:
        response = raw(world, httpx.Response(200, text=content))
        assert response.parse(to=to) == value
        assert unread(world, httpx.Response(200, text=content), "parse", to=to) == value

    @pytest.mark.parametrize(
        ("content", "to"), [("{}", list), ("[]", dict[str, int]), ('"5"', int), ("{", dict), ("NaN", float)]
    )
    def test_is_not_parsed_as_what_it_is_not(self, world: World, content: str, to: Any) -> None:
        with pytest.raises(APIResponseValidationError) as caught:
            raw(world, httpx.Response(200, text=content)).parse(to=to)
        assert caught.value.response.text == content

    def test_is_parsed_as_a_completion_that_lacks_fields(self, world: World) -> None:
        response = raw(world, httpx.Response(200, json={"completion": "Hi"}))
        assert response.parse(to=Completion).to_dict() == {"completion": "Hi"}
        assert response.parse(to=httpx.Response) is response.http_response

    def test_counts_the_retries(self, world: World) -> None:
        response = world.use(
            lambda client: client.with_raw_response.completions.create(**ARGUMENTS),
            lambda client: client.with_raw_response.completions.create(**ARGUMENTS),
            Script([error_reply(500), error_reply(500), completion_reply()]),
            clock=FakeClock(),
        )
        assert response.retries_taken == 2

    def test_raises_as_create_does(self, world: World) -> None:
        with pytest.raises(BadRequestError):
            raw(world, error_reply(400))

    def test_of_a_stream_gives_the_stream(self, world: World) -> None:
        reply = stream_reply(chunk("Hi", "stop_sequence"))

        def blocking(client: Anthropic) -> Any:
            response = client.completions.with_raw_response.create(**ARGUMENTS, stream=True)
            stream = response.parse()
            assert isinstance(stream, Stream)
            return repr(response), [part.completion for part in stream]

        async def awaiting(client: AsyncAnthropic) -> Any:
            response = await client.completions.with_raw_response.create(**ARGUMENTS, stream=True)
            stream = response.parse()
            assert isinstance(stream, AsyncStream)
            return repr(response), [part.completion async for part in stream]

        assert world.use(blocking, awaiting, Script([reply])) == (
            "<RawAPIResponse [200 OK] of a stream>",
            ["Hi"],
        )


class TestUnread:
    @pytest.mark.parametrize(
        ("method", "given", "result"),
        [
            ("read", (), b'{"a":\n "\xc3\xbc"}'),
            ("text", (), '{"a":\n "ü"}'),
            ("json", (), {"a": "ü"}),
            ("iter_bytes", (), [b'{"a":\n', b' "\xc3\xbc"}']),
            ("iter_bytes", (9,), [b'{"a":\n "\xc3', b'\xbc"}']),
            ("iter_text", (), ['{"a":\n', ' "ü"}']),
            ("iter_text", (4,), ['{"a"', ':\n "', 'ü"}']),
            ("iter_lines", (), ['{"a":', ' "ü"}']),
        ],
    )
    def test_is_read_in_many_ways(self, world: World, method: str, given: Any, result: object) -> None:
        reply = httpx.Response(200, stream=Body(b'{"a":\n', b' "\xc3\xbc"}'))
        assert unread(world, reply, method, *given) == result

    def test_is_not_read_before(self, world: World) -> None:
        body = Body(AssertionError("it was read"))

        def blocking(client: Anthropic) -> int:
            with client.completions.with_streaming_response.create(**ARGUMENTS) as response:
                return response.status_code

        async def awaiting(client: AsyncAnthropic) -> int:
            async with client.completions.with_streaming_response.create(**ARGUMENTS) as response:
                return response.status_code

        assert world.use(blocking, awaiting, Script([httpx.Response(200, stream=body)])) == 200

    def test_is_closed_at_the_end(self, world: World) -> None:
        """Read or not, and also after an error of the caller's."""
        for failing in (False, True):
            body = Body(b"{}")

            def blocking(client: Anthropic, failing: bool = failing) -> None:
                with client.completions.with_streaming_response.create(**ARGUMENTS):
                    assert not failing, "the caller's"

            async def awaiting(client: AsyncAnthropic, failing: bool = failing) -> None:
                async with client.completions.with_streaming_response.create(**ARGUMENTS):
                    assert not failing, "the caller's"

            try:
                world.use(blocking, awaiting, Script([httpx.Response(200, stream=body)]))
            except AssertionError:
                assert failing
            assert body.closed

    @pytest.mark.parametrize("method", ["iter_bytes", "iter_text", "iter_lines"])
    def test_may_be_left_half_read(self, world: World, method: str) -> None:
        """Without a warning, and closed."""
        body = Body(b"a\nb\n", b"c\nd\n", b"e\n")

        def blocking(client: Anthropic) -> Any:
            with client.completions.with_streaming_response.create(**ARGUMENTS) as response:
                return next(iter(getattr(response, method)()))

        async def awaiting(client: AsyncAnthropic) -> Any:
            async with client.completions.with_streaming_response.create(**ARGUMENTS) as response:
                return await anext(aiter(getattr(response, method)()))

        assert world.use(blocking, awaiting, Script([httpx.Response(200, stream=body)]))
        assert body.closed

    def test_sends_nothing_before_it_is_entered(self, world: World) -> None:
        script = Script([completion_reply()])

        async def awaiting(client: AsyncAnthropic) -> None:
            client.completions.with_streaming_response.create(**ARGUMENTS)

        world.use(
            lambda client: client.completions.with_streaming_response.create(**ARGUMENTS), awaiting, script
        )
        assert script.requests == []

    def test_is_parsed(self, world: World) -> None:
        assert unread(world, httpx.Response(200, json=FIELDS), "parse").to_dict() == FIELDS
        with pytest.raises(APIResponseValidationError):
            unread(world, httpx.Response(200, text="no"), "parse")

    @pytest.mark.parametrize(
        "method", ["read", "text", "json", "parse", "iter_bytes", "iter_text", "iter_lines"]
    )
    @pytest.mark.parametrize(
        ("broken", "cls"),
        [
            (httpx.ReadError("reset"), APIConnectionError),
            (httpx.ReadTimeout("slow"), APITimeoutError),
            (httpx.RemoteProtocolError("cut"), APIConnectionError),
        ],
    )
    def test_a_body_that_breaks_off_is_told(
        self, world: World, method: str, broken: Exception, cls: type[Exception]
    ) -> None:
        reply = httpx.Response(200, headers={"request-id": "req_1"}, stream=Body(b"{", broken))
        with pytest.raises(cls) as caught:
            unread(world, reply, method)
        assert type(caught.value) is cls
        assert caught.value.__cause__ is broken
        assert caught.value.request_id == "req_1"  # type: ignore[attr-defined]

    # httpx drops its own generators then.
    @pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
    @pytest.mark.parametrize("method", ["iter_bytes", "iter_text", "iter_lines"])
    def test_a_body_that_cannot_be_decoded_is_told(self, world: World, method: str) -> None:
        reply = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Body(b"no", b" gzip"))
        with pytest.raises(APIResponseValidationError, match="could not be decoded"):
            unread(world, reply, method)

    def test_raises_as_create_does(self, world: World) -> None:
        with pytest.raises(BadRequestError):
            unread(world, error_reply(400), "read")

    def test_of_a_stream_gives_the_stream(self, world: World) -> None:
        def blocking(client: Anthropic) -> Any:
            with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as response:
                return [part.completion for part in response.parse()]

        async def awaiting(client: AsyncAnthropic) -> Any:
            streaming = client.with_streaming_response.completions.create(**ARGUMENTS, stream=True)
            async with streaming as response:
                return [part.completion async for part in await response.parse()]

        script = Script([stream_reply(chunk("Hi"), chunk("!", "stop_sequence"))])
        assert world.use(blocking, awaiting, script) == ["Hi", "!"]
