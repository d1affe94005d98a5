"""What a hostile or broken other side sends, over real sockets: nothing is lost, waits or grows."""

import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from anthropic_completions import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    IncompleteStreamError,
    OverloadedError,
    RateLimitError,
)
from client.attacks import END, FIELDS, JSON, A, B, call, options, read, reply
from raw_server import CHUNKED, CLOSE, GO, HANG, LAST, RESET, RawServer, Repeat, Step, framed, head
from support import ARGUMENTS, PING, World, chunk, event

# A call may come this much later than its deadline, on a machine that is busy with other tests.
LATE = 1.0
# A deadline that is short to wait for.
TIME = 0.25


GZIP = head("transfer-encoding: chunked", "content-encoding: gzip")


_warm: set[int] = set()


@pytest.fixture(autouse=True)
def warm(world: World) -> None:
    """Have what a way to run a client needs imported, before the time of the first one is taken."""
    if id(world) not in _warm:
        call(world, [reply(JSON)])
        _warm.add(id(world))


ABRUPT: dict[str, list[Step]] = {
    "no last chunk": [CHUNKED + framed(A, END), GO, CLOSE],
    "reset": [CHUNKED + framed(A, END), GO, RESET],
    "a length that is too long": [head("content-length: 5000") + A + END, GO, CLOSE],
    "broken framing": [CHUNKED + framed(A, END), GO, b"oops\r\n"],
}


class TestTheEndOfAStream:
    """A stream is over when its text is."""

    @pytest.mark.parametrize(
        "after",
        [
            [HANG],
            [Repeat(framed(PING), 0.02)],
            [b"5\r\n", HANG],
            [Repeat(b"5\r\n: xx\n\r\n", 0.02)],
        ],
        ids=["silence", "pings", "half a chunk", "comments"],
    )
    def test_a_connection_that_stays_open_ends_after_the_grace(self, world: World, after: list[Step]) -> None:
        begun = time.monotonic()
        streamed = read(world, [CHUNKED + framed(A, END), *after], stream_end_grace=0.3)
        assert (streamed.error, streamed.final.completion) == (None, " a")
        assert streamed.final.stop_reason == "stop_sequence"
        assert 0.2 < time.monotonic() - begun < 0.3 + LATE

    def test_no_grace_waits_for_nothing(self, world: World) -> None:
        begun = time.monotonic()
        streamed = read(world, [CHUNKED + framed(A, END), HANG], stream_end_grace=0)
        assert (streamed.error, streamed.final.completion) == (None, " a")
        assert time.monotonic() - begun < LATE

    def test_a_reader_that_takes_its_time_uses_up_no_grace(self, world: World) -> None:
        """Were it otherwise, the connection would be closed that could be used again."""

        def blocking(client: Any) -> None:
            for _ in range(2):
                for piece in client.completions.create(**ARGUMENTS, stream=True):
                    time.sleep(0.3 if piece.stop_reason else 0)

        async def awaiting(client: Any) -> None:
            for _ in range(2):
                async for piece in await client.completions.create(**ARGUMENTS, stream=True):
                    time.sleep(0.3 if piece.stop_reason else 0)  # noqa: ASYNC251

        with RawServer([CHUNKED + framed(A, END) + LAST]) as server:
            world.use(blocking, awaiting, **options(world, server, stream_end_grace=0.2))
            assert (server.requests, server.accepted) == (2, 1)

    @pytest.mark.parametrize("end", ABRUPT)
    def test_a_bad_end_after_the_stop_reason_is_an_error_that_has_both(self, world: World, end: str) -> None:
        error = read(world, ABRUPT[end]).error
        assert type(error) is IncompleteStreamError
        assert (error.completion, error.stop_reason, error.chunk_count) == (" a", "stop_sequence", 2)

    @pytest.mark.parametrize("end", ABRUPT)
    def test_a_bad_end_after_the_stop_reason_can_be_tolerated(self, world: World, end: str) -> None:
        streamed = read(world, ABRUPT[end], tolerate_abrupt_end=True)
        assert (streamed.error, streamed.texts) == (None, [" a", ""])
        assert streamed.final.stop_reason == "stop_sequence"

    @pytest.mark.parametrize("end", [CLOSE, RESET])
    def test_a_bad_end_before_the_stop_reason_is_never_tolerated(self, world: World, end: Step) -> None:
        error = read(world, [CHUNKED + framed(A, B), GO, end], tolerate_abrupt_end=True).error
        assert type(error) is IncompleteStreamError
        assert (error.completion, error.stop_reason) == (" a b", None)

    @pytest.mark.parametrize("none", ["", "null"])
    def test_an_empty_stop_reason_is_none(self, world: World, none: str) -> None:
        """Some gateways send it in every chunk: cut off, such a stream would look complete."""
        streamed = read(world, [CHUNKED + framed(chunk(" a", none), chunk(" b", none)) + LAST])
        assert type(streamed.error) is IncompleteStreamError
        assert [piece.stop_reason for piece in streamed.chunks] == [None, None]
        whole = read(world, [CHUNKED + framed(chunk(" a", none), END) + LAST])
        assert (whole.error, whole.final.stop_reason) == (None, "stop_sequence")
        plain = call(world, [reply(json.dumps({**FIELDS, "stop_reason": none}).encode())])
        assert plain.stop_reason is None


MESSAGE: list[bytes] = [
    event(name, {"type": name, **data})
    for name, data in (
        ("message_start", {"message": {"id": "msg_1", "model": "claude-2.1", "content": []}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": " a"}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}}),
        ("message_stop", {}),
    )
]


@pytest.mark.parametrize(
    "after", [HANG, CLOSE, RESET, Repeat(framed(PING), 0.02)], ids=["silence", "close", "reset", "pings"]
)
def test_a_stream_through_messages_is_over_at_message_stop(world: World, after: Step) -> None:
    """Whatever its connection does then, and without waiting for it."""
    begun = time.monotonic()
    streamed = read(world, [CHUNKED + framed(*MESSAGE), after], backend="messages", stream_end_grace=10)
    assert (streamed.error, streamed.final.completion) == (None, " a")
    assert streamed.final.stop_reason == "stop_sequence"
    assert time.monotonic() - begun < 5


@dataclass(frozen=True)
class Shape:
    """Events that real servers sent, and what comes of them."""

    pieces: Sequence[bytes]
    texts: Sequence[str] = (" a", "")
    error: type[APIError] | None = None
    says: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


SHAPES: dict[str, Shape] = {
    "id null": Shape([chunk(" a", id=None), chunk("", "stop_sequence", id=None)], fields={"id": None}),
    "model and log_id null": Shape([chunk(" a", model=None, log_id=None), END]),
    "neither id nor type": Shape([chunk(" a", id=..., type=...), chunk("", "max_tokens", id=..., type=...)]),
    "null for the last text": Shape([A, chunk(None, "stop_sequence")]),  # type: ignore[arg-type]
    "null for another text": Shape(
        [A, chunk(None), END],  # type: ignore[arg-type]
        [" a"],
        APIResponseValidationError,
        "completion",
    ),
    "the end of 2023-01-01 under the name completion": Shape([A, END, event("completion", "[DONE]")]),
    "the end of 2023-01-01 under another name": Shape([A, END, event("done", "[DONE]")]),
    "the end of 2023-01-01 under the name error": Shape([A, END, event("error", "[DONE]")]),
    "events named message": Shape(
        [event("message", {"completion": " a"}), END.replace(b"completion\r", b"message\r")]
    ),
    "an event of another kind named message": Shape([event("message", "hello"), A, END]),
    "an error named message": Shape(
        [A, event("message", {"error": {"type": "overloaded_error"}})], [" a"], OverloadedError
    ),
    "an error in plain text": Shape(
        [A, event("error", "upstream timed out")], [" a"], APIResponseValidationError, "upstream timed out"
    ),
    "an error with a status as text for its code": Shape(
        [A, event("error", {"error": {"code": "429", "message": "Slow down."}})],
        [" a"],
        RateLimitError,
        "Slow",
    ),
    "an error with a status as text for its type": Shape(
        [A, event("error", {"error": {"type": "529", "message": "Busy."}})], [" a"], OverloadedError, "Busy"
    ),
    "an error with a status for its code": Shape(
        [A, event(None, {"error": {"code": 429}})], [" a"], RateLimitError
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_an_old_or_odd_shape_works_or_says_what_came(world: World, name: str) -> None:
    shape = SHAPES[name]
    streamed = read(world, [CHUNKED + framed(*shape.pieces) + LAST])
    assert streamed.texts == list(shape.texts)
    if shape.error is None:
        assert streamed.error is None
        assert streamed.final.stop_reason
        for field_name, value in shape.fields.items():
            assert getattr(streamed.final, field_name) == value
    else:
        assert type(streamed.error) is shape.error
        assert shape.says in str(streamed.error)


def test_a_plain_reply_of_2023_is_a_completion(world: World) -> None:
    """It has neither `id` nor `type`."""
    old = {"completion": " Hi", "stop_reason": "stop_sequence", "model": "claude-v1", "log_id": "x"}
    result = call(world, [reply(json.dumps({**old, "stop": "\n\nHuman:", "truncated": False}).encode())])
    assert (result.completion, result.id, result.type) == (" Hi", None, None)
    refused = call(world, [reply(json.dumps({**FIELDS, "id": None}).encode())])
    assert type(refused) is APIResponseValidationError
    assert "id" in str(refused)


def test_a_plain_error_with_a_status_as_text_is_that_error(world: World) -> None:
    error = call(world, [reply(b'{"error": {"code": "429", "message": "Slow down."}}')])
    assert (type(error), error.status_code) == (RateLimitError, 429)


DRIPS: dict[str, list[Step]] = {
    "the head": [b"HTTP/1.1 200 OK\r\n", Repeat(b"x-y: z\r\n", 0.05)],
    "the first line": [Repeat(b"H", 0.05)],
    "replies with 1xx": [Repeat(b"HTTP/1.1 102 Processing\r\n\r\n", 0.05)],
    "replies with 1xx without a pause": [Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)],
    "the body": [reply(b"")[:-5] + b"99999\r\n\r\n", Repeat(b" ", 0.05)],
    "an error's body": [b"HTTP/1.1 500 No\r\ncontent-length: 9999\r\n\r\n", Repeat(b" ", 0.05)],
    "chunk sizes": [CHUNKED, Repeat(b"0", 0.05)],
}
# Deflate's empty block: bytes that expand to none.
NOTHING = b"\x00\x00\x00\xff\xff"
STREAM_DRIPS: dict[str, list[Step]] = {
    "pings": [CHUNKED + framed(A), Repeat(framed(PING), 0.05)],
    "half a chunk": [CHUNKED + framed(A), Repeat(b"0", 0.05)],
    "compressed, nothing": [GZIP + framed(gzip.compress(A)[:10]), Repeat(framed(NOTHING), 0.05)],
    "silence": [CHUNKED + framed(A), HANG],
    "silence after pings": [CHUNKED + framed(A, PING, PING), HANG],
}


class TestDeadlines:
    """A call ends in time, whatever comes."""

    @pytest.mark.parametrize("what", DRIPS)
    def test_a_plain_call_ends_by_its_deadline(self, world: World, what: str) -> None:
        begun = time.monotonic()
        error = call(world, DRIPS[what], deadline=TIME)
        assert time.monotonic() - begun < TIME + LATE
        assert isinstance(error, APITimeoutError) or getattr(error, "status_code", 0) == 500

    @pytest.mark.parametrize("what", {**DRIPS, **STREAM_DRIPS})
    def test_a_stream_ends_by_its_deadline(self, world: World, what: str) -> None:
        begun = time.monotonic()
        error = self.streamed(world, {**DRIPS, **STREAM_DRIPS}[what], deadline=TIME)
        assert time.monotonic() - begun < TIME + LATE
        assert isinstance(error, APITimeoutError) or getattr(error, "status_code", 0) == 500

    @pytest.mark.parametrize(
        "what", {**{name: drip for name, drip in DRIPS.items() if "error" not in name}, **STREAM_DRIPS}
    )
    def test_a_stream_is_idle_no_longer_than_its_limit(self, world: World, what: str) -> None:
        begun = time.monotonic()
        error = self.streamed(world, {**DRIPS, **STREAM_DRIPS}[what], stream_idle_timeout=TIME)
        assert time.monotonic() - begun < TIME + LATE
        assert isinstance(error, APITimeoutError)

    def streamed(self, world: World, steps: list[Step], **limits: Any) -> APIError | None:
        try:
            error = read(world, steps, **limits).error
        except APIError as caught:
            error = caught
        assert error is None or isinstance(error, APIError)
        return error

    def test_an_early_success_within_the_deadline_is_one(self, world: World) -> None:
        steps = [b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + reply(JSON)]
        assert call(world, steps, deadline=15).to_dict() == FIELDS

    def test_nobody_accepts(self, world: World) -> None:
        """A host whose first address answers nothing does not take the time of the whole for each address."""
        begun = time.monotonic()
        with pytest.raises(APIConnectionError):
            world.create(
                None,
                {
                    "base_url": "http://192.0.2.1:81",
                    "deadline": TIME,
                    "http_client": world.http(verify=False),
                },
            )
        assert time.monotonic() - begun < TIME + LATE
