"""Streams over scripted replies: what they give, what they raise, when they try again."""

import gzip
import itertools
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncStream,
    AuthenticationError,
    BadRequestError,
    BillingError,
    ConflictError,
    DeadlineExceededError,
    IncompleteStreamError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    Stream,
)
from anthropic_completions._contract.generated import first_violation, statuses
from anthropic_completions._stream.shapes import is_chunk
from anthropic_completions._stream.sse import ServerSentEvent
from anthropic_completions.types import Completion
from strategies import texts
from support import (
    ARGUMENTS,
    KEY,
    PING,
    FakeClock,
    Script,
    Streamed,
    World,
    chunk,
    completion_reply,
    error_reply,
    event,
    stream_reply,
)

ONCE = {"max_retries": 0}
END = chunk("", "stop_sequence", stop="\n\nHuman:")

# As recorded from the service: CRLF, padding within the JSON, a ping after the first chunk.
RECORDED = (
    b"event: completion\r\n"
    b'data: {"type":"completion","id":"compl_015","completion":" Light","stop_reason":null,'
    b'"model":"claude-2.1","stop":null,"log_id":"compl_015"     }\r\n'
    b"\r\n"
    b"event: ping\r\n"
    b'data: {"type": "ping"}\r\n'
    b"\r\n"
    b"event: completion\r\n"
    b'data: {"type":"completion","id":"compl_015","completion":" is \xf0\x9f\x92\xa1","stop_reason":null,'
    b'"model":"claude-2.1","stop":null,"log_id":"compl_015"            }\r\n'
    b"\r\n"
    b"event: completion\r\n"
    b'data: {"type":"completion","id":"compl_015","completion":"","stop_reason":"stop_sequence",'
    b'"model":"claude-2.1","stop":"\\n\\nHuman:","log_id":"compl_015" }\r\n'
    b"\r\n"
)
RECORDED_TEXTS = [" Light", " is 💡", ""]


class Reader:
    """A stream of either kind, behind the same awaitable methods."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.blocking = isinstance(stream, Stream)
        assert self.blocking or isinstance(stream, AsyncStream)

    async def next(self) -> Any:
        """Return the next chunk, or None at the end."""
        return next(self.stream, None) if self.blocking else await anext(self.stream, None)

    async def chunks(self) -> list[Completion]:
        return list(self.stream) if self.blocking else [chunk async for chunk in self.stream]

    async def texts(self) -> list[str]:
        texts = self.stream.text_stream
        return list(texts) if self.blocking else [text async for text in texts]

    async def first(self) -> Completion:
        """Return the first chunk and leave the loop."""
        if self.blocking:
            for chunk in self.stream:
                return chunk
        else:
            async for chunk in self.stream:
                return chunk
        raise AssertionError("no chunk")

    async def final(self) -> Completion:
        final = self.stream.get_final_completion()
        return final if self.blocking else await final

    async def close(self) -> None:
        closed = self.stream.close()
        return closed if self.blocking else await closed

    async def events(self) -> list[ServerSentEvent]:
        events = type(self.stream).raw_events(self.stream.response)
        return list(events) if self.blocking else [event async for event in events]


def use(world: World, reply: Any, body: Callable[[Reader], Awaitable[Any]], **options: Any) -> Any:
    """Run a coroutine function with the stream of a reply, in any world."""

    def blocking(client: Any) -> Any:
        running = body(Reader(client.completions.create(**ARGUMENTS, stream=True))).__await__()
        try:
            next(running)
        except StopIteration as done:
            return done.value
        raise AssertionError("nothing waits in the blocking world")

    async def awaiting(client: Any) -> Any:
        return await body(Reader(await client.completions.create(**ARGUMENTS, stream=True)))

    return world.use(blocking, awaiting, reply if callable(reply) else Script([reply]), **{**ONCE, **options})


def failed(streamed: Streamed, kind: type[Exception], text: str = "", count: int = 0) -> Any:
    """Return the error of a stream, after checking its exact class and what it carries."""
    error = streamed.error
    assert type(error) is kind, repr(error)
    assert isinstance(error, APIError)
    assert error.completion == text
    assert error.chunk_count == count
    assert error.request_id == "req_1"
    assert "req_1" in str(error)
    assert len(streamed.texts) == count
    assert "".join(streamed.texts) == text == streamed.final.completion
    return error


class TestReading:
    """What a stream gives."""

    def test_gives_each_chunk_in_order(self, world: World) -> None:
        """Chunks come as they were sent, with all their fields; pings are no chunks."""

        async def body(stream: Reader) -> None:
            chunks = await stream.chunks()
            assert [chunk.completion for chunk in chunks] == RECORDED_TEXTS
            assert [chunk.stop_reason for chunk in chunks] == [None, None, "stop_sequence"]
            assert [chunk.stop for chunk in chunks] == [None, None, "\n\nHuman:"]
            assert {(chunk.id, chunk.model, chunk.log_id) for chunk in chunks} == {
                ("compl_015", "claude-2.1", "compl_015")
            }
            assert chunks[0]._request_id == "req_1"

        use(world, stream_reply(RECORDED), body)

    def test_a_cut_at_any_byte_changes_nothing(self, world: World) -> None:
        """The recorded stream, cut at every offset and byte by byte, gives the same chunks."""
        cuts = [(RECORDED[:offset], RECORDED[offset:]) for offset in range(len(RECORDED) + 1)]
        cuts.append(tuple(bytes([byte]) for byte in RECORDED))
        script = Script([stream_reply(*pieces) for pieces in cuts])

        def blocking(client: Any) -> None:
            for pieces in cuts:
                stream = client.completions.create(**ARGUMENTS, stream=True)
                assert [chunk.completion for chunk in stream] == RECORDED_TEXTS, pieces

        async def awaiting(client: Any) -> None:
            for pieces in cuts:
                stream = await client.completions.create(**ARGUMENTS, stream=True)
                assert [chunk.completion async for chunk in stream] == RECORDED_TEXTS, pieces

        world.use(blocking, awaiting, script, **ONCE)

    def test_text_stream_gives_strings(self, world: World) -> None:
        """`text_stream` gives the pieces of text, and no empty ones."""

        async def body(stream: Reader) -> None:
            assert await stream.texts() == [" Light", " is 💡"]

        use(world, stream_reply(RECORDED), body)

    def test_text_stream_only_looked_at_changes_nothing(self, world: World) -> None:
        """A text stream that nobody reads leaves the stream open."""

        async def body(stream: Reader) -> None:
            stream.stream.text_stream  # noqa: B018
            assert len(await stream.chunks()) == 3

        use(world, stream_reply(RECORDED), body)

    def test_next_gives_chunk_by_chunk(self, world: World) -> None:
        """`next` and `anext` step through the stream, and end for good."""

        async def body(stream: Reader) -> None:
            for text in RECORDED_TEXTS:
                assert (await stream.next()).completion == text
            assert await stream.next() is None
            assert await stream.next() is None

        use(world, stream_reply(RECORDED), body)

    def test_final_completion_is_the_whole(self, world: World) -> None:
        """`get_final_completion` gives the whole text with the last chunk's other fields."""

        async def body(stream: Reader) -> None:
            final = await stream.final()
            assert final.to_dict() == {
                "id": "compl_015",
                "completion": " Light is 💡",
                "model": "claude-2.1",
                "stop_reason": "stop_sequence",
                "type": "completion",
                "stop": "\n\nHuman:",
                "log_id": "compl_015",
            }
            assert final._request_id == "req_1"
            assert await stream.final() == final

        use(world, stream_reply(RECORDED), body)

    def test_final_completion_after_some_chunks_is_still_the_whole(self, world: World) -> None:
        """What was read before counts."""

        async def body(stream: Reader) -> None:
            await stream.next()
            assert (await stream.final()).completion == " Light is 💡"

        use(world, stream_reply(RECORDED), body)

    def test_final_completion_of_a_cut_stream_raises(self, world: World) -> None:
        """There is no final completion of a stream that did not end."""

        async def body(stream: Reader) -> None:
            with pytest.raises(IncompleteStreamError) as caught:
                await stream.final()
            assert caught.value.completion == " Hel"

        use(world, stream_reply(chunk(" Hel")), body)

    def test_completion_so_far_grows(self, world: World) -> None:
        """`completion_so_far` is what has been read, at any time."""

        async def body(stream: Reader) -> None:
            assert stream.stream.completion_so_far.to_dict() == {
                "completion": "",
                "stop_reason": None,
                "type": "completion",
            }
            seen = []
            while await stream.next():
                so_far = stream.stream.completion_so_far
                seen.append((so_far.completion, so_far.stop_reason, so_far.id))
            assert seen == [
                (" Light", None, "compl_015"),
                (" Light is 💡", None, "compl_015"),
                (" Light is 💡", "stop_sequence", "compl_015"),
            ]

        use(world, stream_reply(RECORDED), body)

    def test_fields_that_only_some_chunks_have_are_kept(self, world: World) -> None:
        """The first chunk's fields hold where later ones lack them; the stopping chunk's override all."""
        script = Script(
            [
                stream_reply(
                    chunk(" a", mood="calm"),
                    chunk(" b", "max_tokens", id=..., model=..., stop="x"),
                    chunk(" c", id=..., model=..., stop=None),
                )
            ]
        )
        final = world.stream(script).final
        assert (final.id, final.model, final.mood) == ("compl_1", "claude-2.1", "calm")
        assert (final.completion, final.stop_reason, final.stop) == (" a b c", "max_tokens", "x")

    def test_the_last_chunk_may_carry_text(self, world: World) -> None:
        """A stop reason beside text ends the stream as one beside none does."""
        streamed = world.stream(Script([stream_reply(chunk(" Hello"), chunk("!", "max_tokens"))]))
        assert streamed.error is None
        assert streamed.texts == [" Hello", "!"]
        assert (streamed.final.completion, streamed.final.stop_reason) == (" Hello!", "max_tokens")

    def test_raw_events_shows_everything(self, world: World) -> None:
        """`raw_events` gives the events of a reply, whatever they mean."""

        async def body(stream: Reader) -> None:
            events = await stream.events()
            assert [event.event for event in events] == ["completion", "ping", "error"]
            assert events[1] == ServerSentEvent("ping", '{"type": "ping"}')
            assert events[2].json() == {"a": 1}

        use(world, stream_reply(chunk(" Hello"), PING, event("error", {"a": 1})), body)

    @pytest.mark.parametrize(
        ("failure", "kind"),
        [
            (httpx.ReadError("gone"), APIConnectionError),
            (httpx.DecodingError("odd"), APIResponseValidationError),
        ],
    )
    def test_raw_events_maps_what_httpx_raises(
        self, world: World, failure: Exception, kind: type[APIError]
    ) -> None:
        """Not even `raw_events` lets a transport's own error through."""

        async def body(stream: Reader) -> None:
            with pytest.raises(kind) as caught:
                await stream.events()
            assert caught.value.request_id == "req_1"
            assert caught.value.__cause__ is failure

        use(world, stream_reply(chunk(" Hello"), failure), body)

    def test_tells_the_reply(self, world: World) -> None:
        """`response` and `request_id` are there before anything is read."""

        async def body(stream: Reader) -> None:
            assert stream.stream.response.status_code == 200
            assert stream.stream.request_id == "req_1"
            await stream.close()

        use(world, stream_reply(RECORDED), body)

    def test_raw_and_streaming_responses_give_the_same(self, world: World) -> None:
        """A stream parsed of a raw or an unread reply reads as one of `create` does."""

        def blocking(client: Any) -> list[list[str]]:
            raw = client.completions.with_raw_response.create(**ARGUMENTS, stream=True)
            texts = [[chunk.completion for chunk in raw.parse()]]
            with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as reply:
                texts.append([chunk.completion for chunk in reply.parse()])
            return texts

        async def awaiting(client: Any) -> list[list[str]]:
            raw = await client.completions.with_raw_response.create(**ARGUMENTS, stream=True)
            texts = [[chunk.completion async for chunk in raw.parse()]]
            async with client.completions.with_streaming_response.create(**ARGUMENTS, stream=True) as reply:
                texts.append([chunk.completion async for chunk in await reply.parse()])
            return texts

        script = Script([stream_reply(RECORDED), stream_reply(RECORDED)])
        assert world.use(blocking, awaiting, script) == [RECORDED_TEXTS] * 2


class TestClosing:
    """A stream that is left early is closed, and never looks complete."""

    def test_a_complete_stream_yields_nothing_more(self, world: World) -> None:
        """Iterating again after the end is no error, and gives nothing."""

        async def body(stream: Reader) -> None:
            assert len(await stream.chunks()) == 3
            assert await stream.chunks() == []
            assert await stream.texts() == []
            await stream.close()
            assert await stream.chunks() == []

        use(world, stream_reply(RECORDED), body)

    def test_reading_on_after_leaving_the_loop_raises(self, world: World) -> None:
        """A second loop over a stream whose first was left does not end as if all had come."""

        async def body(stream: Reader) -> None:
            assert (await stream.first()).completion == " Light"
            for read in (stream.chunks, stream.next, stream.texts, stream.final, stream.first):
                with pytest.raises(IncompleteStreamError, match="closed before its end") as caught:
                    await read()
                assert (caught.value.completion, caught.value.chunk_count) == (" Light", 1)
                assert caught.value.request_id == "req_1"

        use(world, stream_reply(RECORDED), body)

    def test_reading_on_after_close_raises(self, world: World) -> None:
        """`close` before the end is no end either."""

        async def body(stream: Reader) -> None:
            await stream.close()
            for read in (stream.next, stream.chunks, stream.final):
                with pytest.raises(IncompleteStreamError, match="closed before its end"):
                    await read()

        use(world, stream_reply(RECORDED), body)

    def test_closing_within_the_loop_raises(self, world: World) -> None:
        """A loop whose stream is closed under it does not end as if all had come."""

        def blocking(client: Any) -> None:
            stream = client.completions.create(**ARGUMENTS, stream=True)
            with pytest.raises(IncompleteStreamError, match="closed before its end"):  # noqa: PT012
                for _ in stream:
                    stream.close()

        async def awaiting(client: Any) -> None:
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            with pytest.raises(IncompleteStreamError, match="closed before its end"):  # noqa: PT012
                async for _ in stream:
                    await stream.close()

        world.use(blocking, awaiting, Script([stream_reply(RECORDED)]), **ONCE)

    def test_closing_twice_is_safe(self, world: World) -> None:
        """`close` may come at any time and any number of times; the reply is closed."""

        async def body(stream: Reader) -> None:
            await stream.next()
            await stream.close()
            await stream.close()
            assert stream.stream.response.is_closed

        use(world, stream_reply(RECORDED), body)

    def test_a_with_block_closes(self, world: World) -> None:
        """Leaving a `with` block, also by an exception, closes the reply and lets the exception pass."""

        def blocking(client: Any) -> None:
            with (
                pytest.raises(ZeroDivisionError),
                client.completions.create(**ARGUMENTS, stream=True) as stream,
            ):
                raise ZeroDivisionError
            assert stream.response.is_closed

        async def awaiting(client: Any) -> None:
            with pytest.raises(ZeroDivisionError):
                async with await client.completions.create(**ARGUMENTS, stream=True) as stream:
                    raise ZeroDivisionError
            assert stream.response.is_closed

        world.use(blocking, awaiting, Script([stream_reply(RECORDED)]), **ONCE)

    @pytest.mark.parametrize(
        "pieces", [[RECORDED], [chunk(" a")], [chunk(" a"), httpx.ReadError("gone")], [event("error", {})]]
    )
    def test_a_stream_that_ended_is_closed(self, world: World, pieces: list[Any]) -> None:
        """However a stream ends, its reply is closed."""
        reply = stream_reply(*pieces)
        world.stream(Script([reply]), ONCE)
        assert reply.is_closed

    def test_reading_on_after_an_error_raises_it_again(self, world: World) -> None:
        """An error is not told only once: the stream never looks complete afterwards."""

        async def body(stream: Reader) -> None:
            with pytest.raises(OverloadedError) as caught:
                await stream.chunks()
            for read in (stream.next, stream.chunks, stream.texts, stream.final):
                with pytest.raises(OverloadedError) as again:
                    await read()
                assert again.value is caught.value
            await stream.close()

        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        use(world, stream_reply(chunk(" a"), event("error", error)), body)


class TestCompleteness:
    """Complete means: a chunk with a stop reason, then a clean end of the body."""

    @pytest.mark.parametrize("length", [0, 1, 2])
    def test_an_end_without_stop_reason_is_an_error(self, world: World, length: int) -> None:
        """A body that ends cleanly before a stop reason came was cut."""
        streamed = world.stream(Script([stream_reply(*[chunk(" a"), chunk(" b")][:length], PING)]), ONCE)
        error = failed(streamed, IncompleteStreamError, " a b"[: 2 * length], length)
        assert error.__cause__ is None
        assert "without a stop reason" in str(error)
        assert isinstance(error, APIConnectionError)

    def test_every_prefix_is_incomplete(self, world: World) -> None:
        """The recorded stream, ended cleanly at any byte before its end, is an error with the text so far."""
        script = Script([stream_reply(RECORDED[:length]) for length in range(len(RECORDED) - 1)])
        texts = ["", " Light", " Light is 💡"]

        def blocking(client: Any) -> None:
            for _ in range(len(RECORDED) - 1):
                stream = client.completions.create(**ARGUMENTS, stream=True)
                with pytest.raises(IncompleteStreamError) as caught:
                    list(stream)
                assert caught.value.completion == texts[caught.value.chunk_count or 0]

        async def awaiting(client: Any) -> None:
            for _ in range(len(RECORDED) - 1):
                stream = await client.completions.create(**ARGUMENTS, stream=True)
                with pytest.raises(IncompleteStreamError) as caught:
                    [chunk async for chunk in stream]
                assert caught.value.completion == texts[caught.value.chunk_count or 0]

        world.use(blocking, awaiting, script, **ONCE)

    @pytest.mark.parametrize(
        "failure",
        [
            httpx.ReadError("reset"),
            httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
            httpx.CloseError("odd"),
            httpx.StreamClosed(),
            ConnectionResetError("reset"),
            EOFError("end"),
        ],
        ids=lambda failure: type(failure).__name__,
    )
    @pytest.mark.parametrize("ended", [False, True], ids=["", "after-the-stop-reason"])
    def test_a_broken_connection_is_an_error(self, world: World, failure: Exception, ended: bool) -> None:
        """A body that breaks off is incomplete, even after the stop reason."""
        pieces = [chunk(" a"), END] if ended else [chunk(" a")]
        streamed = world.stream(Script([stream_reply(*pieces, failure)]), ONCE)
        error = failed(streamed, IncompleteStreamError, " a", len(pieces))
        assert error.__cause__ is failure
        assert KEY not in repr(error.__cause__.__dict__)

    @pytest.mark.parametrize(
        "failure", [httpx.ReadTimeout("slow"), TimeoutError("slow")], ids=lambda f: type(f).__name__
    )
    def test_a_read_timeout_is_a_timeout(self, world: World, failure: Exception) -> None:
        """Silence on the connection raises `APITimeoutError`, with what had come."""
        error = failed(
            world.stream(Script([stream_reply(chunk(" a"), failure)]), ONCE), APITimeoutError, " a", 1
        )
        assert error.__cause__ is failure


KINDS = {
    "invalid_request_error": (BadRequestError, 400),
    "authentication_error": (AuthenticationError, 401),
    "billing_error": (BillingError, 402),
    "permission_error": (PermissionDeniedError, 403),
    "not_found_error": (NotFoundError, 404),
    "conflict_error": (ConflictError, 409),
    "request_too_large": (RequestTooLargeError, 413),
    "rate_limit_error": (RateLimitError, 429),
    "api_error": (InternalServerError, 500),
    "timeout_error": (DeadlineExceededError, 504),
    "overloaded_error": (OverloadedError, 529),
}


class TestErrorEvents:
    """An error in a stream is raised as the class of its type."""

    def test_all_documented_types_are_tested(self) -> None:
        """The table here has every type that the contract knows, with its status."""
        assert {kind: status for kind, (_, status) in KINDS.items()} == statuses()

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", ["error", None], ids=["named", "unnamed"])
    def test_raises_the_class_of_the_type(self, world: World, kind: str, name: str | None) -> None:
        """Each documented type has its class and its status, whether or not the event is named."""
        expected, status = KINDS[kind]
        body = {"type": "error", "error": {"type": kind, "message": "Because."}}
        streamed = world.stream(Script([stream_reply(chunk(" a"), event(name, body), chunk(" b"))]), ONCE)
        error = failed(streamed, expected, " a", 1)
        assert (error.type, error.status_code, error.body) == (kind, status, body)
        assert "Because." in str(error)

    @pytest.mark.parametrize(
        "body",
        [
            {"error": {"type": "strange_error", "message": "Because."}},
            {"error": {"message": "Because."}},
            {"error": "Because."},
            {"detail": "Because."},
        ],
    )
    def test_an_unknown_type_is_a_plain_status_error(self, world: World, body: dict[str, Any]) -> None:
        """What the type does not tell is still an error, and says more than its status of 200."""
        streamed = world.stream(Script([stream_reply(chunk(" a"), event("error", body))]), ONCE)
        error = failed(streamed, APIStatusError, " a", 1)
        assert error.status_code == 200
        assert error.body == body
        assert "Because." in str(error)

    def test_the_reply_keeps_its_status(self, world: World) -> None:
        """The error's response is the reply as it came."""
        body = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
        streamed = world.stream(Script([stream_reply(chunk(" a"), event("error", body))]), ONCE)
        assert failed(streamed, OverloadedError, " a", 1).response.status_code == 200

    def test_the_request_id_may_be_in_the_body(self, world: World) -> None:
        """Where the headers lack the request id, the error's own counts."""
        body = {"error": {"type": "api_error", "message": "No."}, "request_id": "req_2"}
        reply = httpx.Response(200, content=chunk(" a") + event("error", body))
        error = world.stream(Script([reply]), ONCE).error
        assert isinstance(error, InternalServerError)
        assert error.request_id == "req_2"


class TestOddStreams:
    """What real streams and gateways are like."""

    def read(self, world: World, *pieces: bytes | Exception, **headers: str) -> Streamed:
        return world.stream(Script([stream_reply(*pieces, **headers)]), ONCE)

    def test_unnamed_events_are_chunks(self, world: World) -> None:
        """Data without a name is what it says it is: a chunk, or nothing of interest, as `[DONE]`."""
        streamed = self.read(
            world,
            event(None, {"completion": " a"}),
            event(None, {"type": "ping"}),
            event(None, {"error": None, "completion": " b", "stop_reason": "max_tokens"}),
            event(None, "[DONE]"),
        )
        assert streamed.error is None
        assert streamed.texts == [" a", " b"]

    def test_done_is_no_stop_reason(self, world: World) -> None:
        """`[DONE]` alone does not make a stream complete."""
        failed(self.read(world, chunk(" a"), event(None, "[DONE]")), IncompleteStreamError, " a", 1)

    def test_unknown_events_are_ignored(self, world: World) -> None:
        """An event of a name to come is ignored, whatever its data."""
        odd = [event("thought", {"completion": "no"}), event("usage", "no JSON"), event("message", "[]")]
        streamed = self.read(world, *odd, chunk(" a"), *odd, END)
        assert (streamed.error, streamed.texts) == (None, [" a", ""])

    def test_pings_of_any_form_are_ignored(self, world: World) -> None:
        """Pings, comments, ids and retry times are no chunks."""
        odd = [PING, event("ping", {}), event("ping", ""), b": ping\n\n", b":\n", b"id: 7\nretry: 10\n\n"]
        streamed = self.read(world, *odd, chunk(" a"), *odd, END, *odd)
        assert (streamed.error, streamed.texts) == (None, [" a", ""])

    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
    def test_any_line_end_will_do(self, world: World, end: str) -> None:
        """The documented LF, the recorded CRLF and a lone CR all work."""
        data = {"completion": " a", "stop_reason": "max_tokens"}
        assert self.read(world, event("completion", data, end)).final.completion == " a"

    def test_a_byte_order_mark_loses_nothing(self, world: World) -> None:
        """A mark before the first event is no part of it, even if it comes in pieces."""
        assert self.read(world, b"\xef\xbb\xbf" + chunk(" a"), END).texts == [" a", ""]
        assert self.read(world, b"\xef", b"\xbb", b"\xbf", chunk(" a"), END).texts == [" a", ""]

    def test_missing_fields_are_absent(self, world: World) -> None:
        """Only `completion` must be there: 2023 chunks had no id and no type, the documented ones no id."""
        streamed = self.read(
            world,
            event("completion", {"completion": " a"}),
            event("completion", {"completion": " b", "stop_reason": "max_tokens", "model": "claude-2.0"}),
        )
        first = streamed.chunks[0]
        assert (first.id, first.model, first.type, first.stop_reason) == (None, None, None, None)
        assert first.to_dict() == {"completion": " a"}
        assert streamed.final.to_dict() == {
            "completion": " a b",
            "model": "claude-2.0",
            "stop_reason": "max_tokens",
            "type": "completion",
        }

    def test_padding_is_no_text(self, world: World) -> None:
        """White space around and within the JSON says nothing."""
        data = '  { "completion" : " a  "  , "stop_reason":"max_tokens"      }   '
        assert self.read(world, event("completion", data)).texts == [" a  "]

    def test_data_of_many_lines_is_one_value(self, world: World) -> None:
        """JSON that is spread over data lines is put together."""
        stream = (
            b'event: completion\ndata: {"completion":\ndata: " a",\ndata:"stop_reason": "max_tokens"}\n\n'
        )
        assert self.read(world, stream).texts == [" a"]

    def test_line_separators_in_text_are_text(self, world: World) -> None:
        """Characters that other line splitters stumble over pass."""
        text = " a\u2028b\u2029c\x85d\x0b\x0c\x1c"
        data = json.dumps({"completion": text, "stop_reason": "max_tokens"}, ensure_ascii=False)
        assert self.read(world, event("completion", data)).texts == [text]

    @pytest.mark.parametrize("name", ["completion", "error", None])
    @pytest.mark.parametrize(
        "data", ['{"completion": " b"', "oops", "", "NaN", '{"completion": NaN}', "[" * 10_000]
    )
    def test_data_that_is_no_json_is_an_error(self, world: World, name: str | None, data: str) -> None:
        """Text where JSON belongs is refused with the text as it came."""
        error = failed(self.read(world, chunk(" a"), event(name, data)), APIResponseValidationError, " a", 1)
        assert error.body == data
        assert isinstance(error.__cause__, ValueError)

    @pytest.mark.parametrize("name", ["completion", "error", None])
    @pytest.mark.parametrize("value", [[], [{"completion": "x"}], "x", 3, None, True])
    def test_data_that_is_no_object_is_an_error(self, world: World, name: str | None, value: Any) -> None:
        """JSON of another shape is refused with its value."""
        data = event(name, json.dumps(value))
        error = failed(self.read(world, chunk(" a"), data), APIResponseValidationError, " a", 1)
        assert error.body == value

    @pytest.mark.parametrize(
        "fields",
        [
            {"stop_reason": "max_tokens"},
            {"completion": None},
            {"completion": 3},
            {"completion": "x", "id": 3},
            {"completion": "x", "model": 3},
            {"completion": "x", "stop_reason": True},
            {"completion": "x", "type": "message"},
            {"completion": "x", "log_id": 3},
            {"completion": "x", "stop": []},
        ],
        ids=str,
    )
    def test_a_chunk_that_breaks_the_contract_is_an_error(self, world: World, fields: dict[str, Any]) -> None:
        """Fields that are missing or wrong are refused by name, not passed on."""
        streamed = self.read(world, chunk(" a"), event("completion", fields))
        error = failed(streamed, APIResponseValidationError, " a", 1)
        assert error.body == fields
        assert (list(fields)[-1] if "completion" in fields else "completion") in str(error)

    @pytest.mark.parametrize("cuts", [1, 7, 10_000])
    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_compressed_streams_work(self, world: World, encoding: str, cuts: int) -> None:
        """A content encoding is undone, wherever the compressed bytes are cut."""
        packed = gzip.compress(RECORDED) if encoding == "gzip" else zlib.compress(RECORDED)
        pieces = [packed[at : at + cuts] for at in range(0, len(packed), cuts)]
        streamed = self.read(world, *pieces, content_encoding=encoding)
        assert (streamed.error, streamed.texts) == (None, RECORDED_TEXTS)

    def test_a_broken_encoding_is_an_error(self, world: World) -> None:
        """Bytes that cannot be unpacked are refused; the text before them is kept."""
        packer = zlib.compressobj(wbits=31)
        first = packer.compress(chunk(" a")) + packer.flush(zlib.Z_SYNC_FLUSH)
        streamed = self.read(world, first, b"\xff" * 40, content_encoding="gzip")
        error = failed(streamed, APIResponseValidationError, " a", 1)
        assert isinstance(error.__cause__, httpx.DecodingError)
        assert KEY not in repr(error.__cause__.request.headers)

    def test_an_event_above_the_bound_is_an_error(self, world: World) -> None:
        """`max_event_bytes` bounds one event; the text before it is kept."""
        options = {**ONCE, "max_event_bytes": 1000}
        pieces = [chunk(" a") * 9, chunk("x" * 2000)]
        streamed = world.stream(Script([stream_reply(*pieces)]), options)
        error = failed(streamed, APIResponseValidationError, " a" * 9, 9)
        assert "larger than 1000 bytes" in str(error)


class TestNoStream:
    """A reply that is no stream, where one was asked for."""

    fields = json.loads(completion_reply().content)

    @pytest.mark.parametrize("content_type", ["application/json", "text/event-stream", "text/html", None])
    def test_a_completion_is_one_chunk(self, world: World, content_type: str | None) -> None:
        """A JSON completion is given as the one chunk, whatever its content type says."""
        reply = completion_reply()
        del reply.headers["content-type"]
        if content_type:
            reply.headers["content-type"] = content_type
        streamed = world.stream(Script([reply]), ONCE)
        assert streamed.error is None
        assert [chunk.to_dict() for chunk in streamed.chunks] == [self.fields]
        assert streamed.final.stop_reason == "stop_sequence"

    @pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n \t", b"\xef\xbb\xbf\n", b" " * 500])
    def test_a_completion_may_come_in_any_pieces(self, world: World, before: bytes) -> None:
        """What a reply is does not depend on how it is cut, nor on white space before it."""
        body = before + json.dumps(self.fields, indent=1).encode()
        for pieces in ([body], [bytes([byte]) for byte in body]):
            streamed = world.stream(Script([stream_reply(*pieces)]), ONCE)
            assert (streamed.error, streamed.texts) == (None, [" Hello! My name is Claude."])

    def test_a_byte_order_mark_may_end_a_piece_with_white_space(self, world: World) -> None:
        """Neither the mark nor the white space after it says what the reply is."""
        pieces = [b"\xef\xbb", b"\xbf \n", json.dumps(self.fields).encode()]
        streamed = world.stream(Script([stream_reply(*pieces)]), ONCE)
        assert (streamed.error, streamed.texts) == (None, [" Hello! My name is Claude."])

    @pytest.mark.parametrize("before", [b"\n", b"\r\n \r\n", b"\xef\xbb\xbf\n\n", b"\n" * 500])
    def test_a_stream_may_begin_with_white_space(self, world: World, before: bytes) -> None:
        """Blank lines before the first event are the stream's own."""
        for pieces in ([before + RECORDED], [bytes([byte]) for byte in before + RECORDED]):
            assert world.stream(Script([stream_reply(*pieces)]), ONCE).texts == RECORDED_TEXTS

    @pytest.mark.parametrize("content_type", ["application/json", "text/html"])
    def test_a_stream_is_one_whatever_its_content_type(self, world: World, content_type: str) -> None:
        """The bytes decide, not the header."""
        streamed = world.stream(Script([stream_reply(RECORDED, content_type=content_type)]), ONCE)
        assert (streamed.error, streamed.texts) == (None, RECORDED_TEXTS)

    @pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
    def test_an_error_object_is_raised(self, world: World, content_type: str) -> None:
        """An error with status 200 raises the class of its type."""
        body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        reply = stream_reply(json.dumps(body).encode(), content_type=content_type)
        error = failed(world.stream(Script([reply]), ONCE), OverloadedError)
        assert (error.body, error.status_code) == (body, 529)

    @pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/event-stream"])
    def test_a_page_is_refused(self, world: World, content_type: str) -> None:
        """HTML raises a typed error that holds the page."""
        page = "<!DOCTYPE html>\n<html>data: x\n\n</html>"
        reply = stream_reply(b"\n " + page.encode(), content_type=content_type)
        error = failed(world.stream(Script([reply]), ONCE), APIResponseValidationError)
        assert error.body.strip() == page

    @pytest.mark.parametrize(
        "body", [b'{"completion": ', b'{"a": 1}', b"[]", b"[1", b"{}", b'{"error": null}']
    )
    def test_other_json_is_refused(self, world: World, body: bytes) -> None:
        """JSON that is neither a completion nor an error, or is cut, raises a typed error."""
        failed(world.stream(Script([stream_reply(body)]), ONCE), APIResponseValidationError)

    @pytest.mark.parametrize(
        "body", [b"", b"\n", b"null", b"upstream connect error", b"\xef\xbb", b"\xff\xfe"]
    )
    def test_other_text_is_an_incomplete_stream(self, world: World, body: bytes) -> None:
        """Text that is no stream at all ends without a stop reason."""
        failed(world.stream(Script([stream_reply(body)]), ONCE), IncompleteStreamError)

    def test_a_reply_without_end_is_bounded(self, world: World) -> None:
        """A reply that is no stream may be no larger than an event."""
        for start in (b"<html>", b'{"completion": "', b" " * 10):
            streamed = world.stream(
                Script([stream_reply(start, *[b" " * 100] * 100)]), {**ONCE, "max_event_bytes": 1000}
            )
            assert "larger than 1000 bytes" in str(failed(streamed, APIResponseValidationError))

    @pytest.mark.parametrize("name", ["id", "model", "type", "stop_reason", "completion"])
    def test_a_completion_needs_all_its_fields(self, world: World, name: str) -> None:
        """What a chunk may lack, a whole completion may not."""
        streamed = world.stream(Script([completion_reply(**{name: ...})]), ONCE)
        assert name in str(failed(streamed, APIResponseValidationError))

    def test_a_completion_without_stop_reason_is_incomplete(self, world: World) -> None:
        """The one chunk needs a stop reason as well."""
        streamed = world.stream(Script([completion_reply(stop_reason=None)]), ONCE)
        failed(streamed, IncompleteStreamError, " Hello! My name is Claude.", 1)


def overload(name: str = "error") -> bytes:
    return event(name, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


GOOD = (chunk(" Hello"), END)
FAILURES: dict[str, Callable[[], Any]] = {
    "connection-drop": lambda: stream_reply(httpx.ReadError("reset")),
    "drop-after-ping": lambda: stream_reply(PING, httpx.RemoteProtocolError("cut")),
    "read-timeout": lambda: stream_reply(PING, httpx.ReadTimeout("slow")),
    "overload-in-stream": lambda: stream_reply(PING, overload()),
    "overload-as-json": lambda: stream_reply(json.dumps({"error": {"type": "overloaded_error"}}).encode()),
    "clean-end": lambda: stream_reply(PING),
    "empty": lambda: stream_reply(),
    "status-529": lambda: error_reply(529, "overloaded_error"),
    "no-connection": lambda: httpx.ConnectError("refused"),
}
each_failure = pytest.mark.parametrize("failure", FAILURES)


class TestRetries:
    """A failure before the first chunk is retried within `max_retries`; after it, never."""

    @each_failure
    def test_a_failure_before_the_first_chunk_is_retried(self, world: World, failure: str) -> None:
        """The next attempt's stream is read as if there had been no other."""
        clock = FakeClock()
        script = Script([FAILURES[failure](), stream_reply(*GOOD, request_id="req_2")])
        streamed = world.stream(script, {"max_retries": 1, "clock": clock})
        assert (streamed.error, streamed.texts) == (None, [" Hello", ""])
        assert streamed.final._request_id == "req_2"
        assert script.bodies == [{**ARGUMENTS, "stream": True}] * 2
        assert [request.headers["x-stainless-retry-count"] for request in script.requests] == ["0", "1"]
        assert clock.waits == [0.5]

    @each_failure
    def test_no_more_retries_than_allowed(self, world: World, failure: str) -> None:
        """With all attempts spent the last failure is raised; those in the stream count with the others."""
        script = Script([error_reply(500), FAILURES[failure](), FAILURES[failure](), stream_reply(*GOOD)])
        clock = FakeClock()
        options = {"max_retries": 2, "clock": clock}
        if failure in ("status-529", "no-connection"):
            with pytest.raises((OverloadedError, APIConnectionError)):
                world.stream(script, options)
        else:
            error = world.stream(script, options).error
            assert isinstance(error, APIError)
            assert (error.completion, error.chunk_count) == ("", 0)
        assert len(script.requests) == 3
        assert clock.waits == [0.5, 1.0]

    @each_failure
    def test_max_retries_of_zero_is_one_attempt(self, world: World, failure: str) -> None:
        """With `max_retries=0` nothing is tried again."""
        script = Script([FAILURES[failure](), stream_reply(*GOOD)])
        if failure in ("status-529", "no-connection"):
            with pytest.raises((OverloadedError, APIConnectionError)):
                world.stream(script, ONCE)
        else:
            assert isinstance(world.stream(script, ONCE).error, APIError)
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        "last",
        [httpx.ReadError("reset"), httpx.ReadTimeout("slow"), overload(), event("completion", "no"), None],
    )
    def test_a_failure_after_the_first_chunk_is_never_retried(self, world: World, last: Any) -> None:
        """Even an empty first chunk is one; a second attempt could not go on where the first broke off."""
        script = Script([stream_reply(chunk(""), *([last] if last else [])), stream_reply(*GOOD)])
        streamed = world.stream(script, {"max_retries": 5, "clock": FakeClock()})
        assert isinstance(streamed.error, APIError)
        assert streamed.error.chunk_count == 1
        assert len(script.requests) == 1

    @pytest.mark.parametrize(
        "first",
        [
            event("error", {"error": {"type": "invalid_request_error", "message": "No."}}),
            event("completion", "no JSON"),
            b"<html>",
            event("error", {"error": {"type": "strange_error", "message": "No."}}),
        ],
    )
    def test_what_another_attempt_would_not_mend_is_not_retried(self, world: World, first: bytes) -> None:
        """Errors of the request, unknown errors and broken contracts are raised at once."""
        script = Script([stream_reply(first), stream_reply(*GOOD)])
        assert isinstance(world.stream(script, {"max_retries": 5, "clock": FakeClock()}).error, APIError)
        assert len(script.requests) == 1

    def test_the_failed_reply_is_closed_before_the_next_attempt(self, world: World) -> None:
        """The connection of an attempt that failed is not held while waiting."""
        first = stream_reply(overload())
        closed: list[bool] = []

        def second(request: httpx.Request) -> httpx.Response:
            closed.append(first.is_closed)
            return stream_reply(*GOOD)

        world.stream(Script([first, second]), {"max_retries": 1, "clock": FakeClock()})
        assert closed == [True]

    def test_a_retry_that_fails_for_good_raises_that(self, world: World) -> None:
        """The last attempt's error is raised, with its own request id."""
        script = Script([stream_reply(PING), error_reply(401, "authentication_error", request_id="req_9")])
        error = world.stream(script, {"max_retries": 5, "clock": FakeClock()}).error
        assert type(error) is AuthenticationError
        assert (error.completion, error.chunk_count, error.request_id) == ("", 0, "req_9")

    def test_the_stream_tells_the_reply_of_the_last_attempt(self, world: World) -> None:
        """`response` and `request_id` are those of the attempt that is read."""

        async def body(stream: Reader) -> None:
            before = stream.stream.response
            assert (await stream.next()).completion == " Hello"
            assert stream.stream.response is not before
            assert stream.stream.request_id == "req_2"
            await stream.close()
            assert stream.stream.response.is_closed

        script = Script([stream_reply(), stream_reply(*GOOD, request_id="req_2")])
        use(world, script, body, max_retries=1, clock=FakeClock())


class Timed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose pieces come after a time, which passes on a clock of the test's."""

    def __init__(self, clock: FakeClock, *pieces: tuple[float, bytes]) -> None:
        self.clock = clock
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for seconds, piece in self.pieces:
            self.clock.now += seconds
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


class TestTime:
    """`stream_idle_timeout` and `deadline` end a stream that takes too long."""

    def read(self, world: World, *pieces: tuple[float, bytes], **options: Any) -> Streamed:
        clock = FakeClock()
        reply = httpx.Response(200, headers={"request-id": "req_1"}, stream=Timed(clock, *pieces))
        return world.stream(Script([reply]), {**ONCE, "clock": clock, **options})

    def test_pings_do_not_count(self, world: World) -> None:
        """Seconds without a completion event add up over pings, comments and unknown events."""
        pieces = [(20.0, chunk(" a")), (20.0, PING), (9.0, b": x\n\n"), (2.0, event("x", "y")), (1.0, END)]
        streamed = self.read(world, *pieces, stream_idle_timeout=30)
        error = failed(streamed, APITimeoutError, " a", 1)
        assert "No completion event came in 30" in str(error)

    def test_the_first_chunk_is_waited_for_no_longer(self, world: World) -> None:
        """The time before the first chunk counts as well."""
        failed(self.read(world, (31.0, PING), (0.0, END), stream_idle_timeout=30), APITimeoutError)

    def test_a_completion_event_starts_the_count_anew(self, world: World) -> None:
        """A long stream whose chunks come in time is fine; one that comes with the last second is in time."""
        pieces = [(20.0, PING), (10.0, chunk(" a"))] * 5
        streamed = self.read(world, *pieces, (30.0, END), stream_idle_timeout=30)
        assert (streamed.error, len(streamed.chunks)) == (None, 6)

    def test_no_idle_timeout_where_none_is_set(self, world: World) -> None:
        """Without the setting pings may go on."""
        assert self.read(world, (9999.0, PING), (9999.0, END)).error is None

    def test_a_slow_reader_is_not_a_silent_stream(self, world: World) -> None:
        """Only waiting for the stream counts, not what the reader does in between."""
        clock = FakeClock()
        pieces = [
            (1.0, PING),
            (1.0, chunk(" a")),
            (1.0, PING),
            (1.0, PING),
            (1.0, chunk(" b") + PING),
            (1.0, END),
        ]
        reply = httpx.Response(200, headers={"request-id": "req_1"}, stream=Timed(clock, *pieces))

        async def body(stream: Reader) -> None:
            for _ in range(3):
                clock.now += 100
                assert await stream.next()
            assert await stream.next() is None

        use(world, reply, body, clock=clock, stream_idle_timeout=30)

    def test_silence_before_the_first_chunk_is_retried(self, world: World) -> None:
        """An attempt that brought nothing but pings is tried again."""
        clock = FakeClock()
        silent = httpx.Response(200, stream=Timed(clock, (31.0, PING), (0.0, END)))
        script = Script([silent, stream_reply(*GOOD)])
        streamed = world.stream(script, {"max_retries": 1, "clock": clock, "stream_idle_timeout": 30})
        assert (streamed.error, streamed.texts) == (None, [" Hello", ""])

    def test_the_idle_timeout_bounds_each_read(self, world: World) -> None:
        """The transport is told to wait no longer than the idle timeout for bytes."""
        script = Script([stream_reply(*GOOD), stream_reply(*GOOD)])
        world.stream(script, {"stream_idle_timeout": 30, "timeout": 100})
        world.stream(script, {"stream_idle_timeout": 30, "timeout": 10})
        assert [request.extensions["timeout"]["read"] for request in script.requests] == [30, 10]

    def test_a_deadline_ends_a_stream(self, world: World) -> None:
        """A stream that goes on beyond the deadline is ended, with the text that came."""
        pieces = [(20.0, chunk(" a")), (20.0, chunk(" b")), (30.0, chunk(" c")), (1.0, END)]
        error = failed(self.read(world, *pieces, deadline=60), APITimeoutError, " a b c", 3)
        assert "deadline" in str(error)

    def test_a_stream_within_the_deadline_is_fine(self, world: World) -> None:
        """What has all come in time is complete."""
        assert self.read(world, (20.0, chunk(" a")), (20.0, END), deadline=60).error is None

    def test_no_attempt_begins_after_the_deadline(self, world: World) -> None:
        """The deadline spans the attempts."""
        clock = FakeClock()
        silent = httpx.Response(200, headers={"request-id": "req_1"}, stream=Timed(clock, (59.8, PING)))
        script = Script([silent, stream_reply(*GOOD)])
        error = world.stream(script, {"max_retries": 5, "clock": clock, "deadline": 60}).error
        assert type(error) is IncompleteStreamError
        assert len(script.requests) == 1


class TestProperties:
    """What holds for any bytes and any chunk."""

    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | texts(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts(max_size=3), inner, max_size=2),
        max_leaves=3,
    )
    names = st.sampled_from(["completion", "id", "model", "stop_reason", "type", "stop", "log_id", "other"])
    right = st.fixed_dictionaries(
        {"completion": texts(max_size=5)},
        optional={
            "id": texts(max_size=5),
            "model": st.sampled_from(["claude-2.1", "", "other"]),
            "stop_reason": st.none() | texts(max_size=5),
            "type": st.just("completion"),
            "stop": st.none() | texts(max_size=5),
            "log_id": texts(max_size=5),
            "other": json_values,
        },
    )

    @given(right, st.dictionaries(names, json_values, max_size=2), st.sets(names, max_size=1))
    def test_the_quick_check_agrees_with_the_contract(
        self, fields: dict[str, Any], changes: dict[str, Any], lost: set[str]
    ) -> None:
        """What is taken without asking the contract's checker is what the checker accepts, exactly."""
        fields = {name: value for name, value in (fields | changes).items() if name not in lost}
        assert is_chunk(fields) == (first_violation("CompletionChunk", fields) is None)

    wholes = (chunk(" a"), chunk(" é💡", id=...), END, PING, RECORDED, event(None, {"completion": " u"}))
    odds = (overload(), overload("x"), event(None, "[DONE]"), event("completion", "no"))
    bits = (b"\n", b"\r", b" ", b"{", b"<", b"\xef")
    fragments = st.sampled_from([*wholes, *odds, *bits])

    @given(
        st.lists(fragments | st.binary(max_size=3), max_size=8).map(b"".join),
        st.lists(st.integers(0, 1500), max_size=8),
    )
    def test_any_bytes_in_any_pieces_end_the_same_way(self, stream: bytes, offsets: list[int]) -> None:
        """Cuts change neither the chunks nor the error; a stream is complete or raises an error of ours."""
        starts = [0, *sorted(offsets), len(stream)]
        pieces = [stream[a:b] for a, b in itertools.pairwise(starts)]
        blocking = World(None)
        whole = blocking.stream(Script([stream_reply(stream)]), ONCE)
        cut = blocking.stream(Script([stream_reply(*pieces)]), ONCE)
        assert cut.texts == whole.texts
        assert type(cut.error) is type(whole.error)
        assert str(cut.error) == str(whole.error)
        if whole.error is None:
            assert any(chunk.stop_reason for chunk in whole.chunks)
        else:
            assert isinstance(whole.error, APIError)
            assert whole.error.completion == "".join(whole.texts)
