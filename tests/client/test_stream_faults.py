"""What can go wrong with a stream on its way, over real sockets: which error, and what it carries."""

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from anthropic_completions import (
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
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
)
from client.attacks import options
from raw_server import CHUNKED, CLOSE, GO, HANG, LAST, RESET, RawServer, Repeat, Step, framed, head
from support import KEY, PING, FakeClock, Streamed, World, chunk, event

A, B, END = chunk(" a"), chunk(" b"), chunk("", "stop_sequence")
# Long enough that a busy machine does not come late, short enough to wait for.
SHORT = 0.6


def read(world: World, server: RawServer, **changes: Any) -> Streamed:
    """Read a stream of the server to its end or its error; after each chunk the server may go on."""
    return world.stream(None, options(world, server, **changes), after_each=server.go)


@dataclass(frozen=True)
class Fault:
    """A reply that goes wrong, and what shall come of it."""

    steps: Sequence[Step]
    error: type[APIError]
    cause: type[Exception] | None = None  # Exception for one or none, by chance
    says: str = ""
    text: str = " a"
    count: int = 1
    options: dict[str, Any] = field(default_factory=dict)


def in_stream(kind: str, message: str = "Because.") -> bytes:
    return event("error", {"type": "error", "error": {"type": kind, "message": message}})


def packed(*pieces: bytes) -> list[bytes]:
    """Return pieces as a gzip stream without its end, each flushed."""
    packer = zlib.compressobj(wbits=31)
    return [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]


GZIP = head("transfer-encoding: chunked", "content-encoding: gzip")
IDLE = {"stream_idle_timeout": SHORT}
BROKEN = httpx.RemoteProtocolError

FAULTS: dict[str, Fault] = {
    # The body ends as HTTP says it should, and lacks the stop reason.
    "cut-clean": Fault(
        [CHUNKED + framed(A, B) + LAST], IncompleteStreamError, None, "stop reason", " a b", 2
    ),
    "cut-clean-by-length": Fault(
        [head(f"content-length: {len(A)}") + A], IncompleteStreamError, None, "stop reason"
    ),
    "cut-clean-by-close": Fault(
        [head("connection: close") + A, CLOSE], IncompleteStreamError, None, "stop reason"
    ),
    "cut-inside-an-event": Fault([CHUNKED + framed(A, B[:-9]) + LAST], IncompleteStreamError),
    "cut-before-the-blank-line": Fault([CHUNKED + framed(A, END[:-2]) + LAST], IncompleteStreamError),
    "cut-before-the-first-chunk": Fault(
        [CHUNKED + framed(PING) + LAST], IncompleteStreamError, None, "stop reason", "", 0
    ),
    "no-body": Fault([CHUNKED + LAST], IncompleteStreamError, None, "stop reason", "", 0),
    # The connection ends before the body does.
    "closed-between-http-chunks": Fault(
        [CHUNKED + framed(A), GO, CLOSE], IncompleteStreamError, BROKEN, "broke off"
    ),
    "closed-inside-an-http-chunk": Fault(
        [CHUNKED + framed(A), GO, framed(B)[:-20], CLOSE], IncompleteStreamError, BROKEN, "broke off"
    ),
    "closed-inside-a-chunk-size": Fault(
        [CHUNKED + framed(A), GO, b"1", CLOSE], IncompleteStreamError, BROKEN
    ),
    "closed-short-of-its-length": Fault(
        [head("content-length: 5000") + A, GO, CLOSE], IncompleteStreamError, BROKEN, "broke off"
    ),
    "closed-after-the-stop-reason": Fault(
        [CHUNKED + framed(A, END), GO, CLOSE], IncompleteStreamError, BROKEN, "broke off", " a", 2
    ),
    "closed-before-the-first-chunk": Fault(
        [CHUNKED + framed(PING), CLOSE], IncompleteStreamError, BROKEN, "broke off", "", 0
    ),
    "reset": Fault([CHUNKED + framed(A), GO, RESET], IncompleteStreamError, httpx.ReadError, "broke off"),
    "framing-without-size": Fault([CHUNKED + framed(A), GO, b"oops\r\n" * 9], IncompleteStreamError, BROKEN),
    "framing-with-wrong-size": Fault(
        [CHUNKED + framed(A), GO, b"5\r\n" + B + b"\r\n"], IncompleteStreamError, BROKEN
    ),
    # Nothing comes, or nothing of use.
    "silence": Fault(
        [CHUNKED + framed(A), HANG],
        APITimeoutError,
        httpx.ReadTimeout,
        "timed out",
        options={"timeout": SHORT},
    ),
    "silence-for-the-idle-timeout": Fault(
        [CHUNKED + framed(A), HANG], APITimeoutError, httpx.ReadTimeout, "timed out", options=IDLE
    ),
    "silence-before-the-first-chunk": Fault(
        [CHUNKED, HANG], APITimeoutError, httpx.ReadTimeout, "timed out", "", 0, IDLE
    ),
    "pings-only": Fault(
        [CHUNKED + framed(A), Repeat(framed(PING), 0.02)],
        APITimeoutError,
        Exception,
        "No completion event",
        options=IDLE,
    ),
    "pings-before-the-first-chunk": Fault(
        [CHUNKED, Repeat(framed(PING), 0.02)], APITimeoutError, Exception, "No completion event", "", 0, IDLE
    ),
    "pings-beyond-the-deadline": Fault(
        [CHUNKED + framed(A), Repeat(framed(PING), 0.02)],
        APITimeoutError,
        Exception,
        "deadline",
        options={"deadline": 2 * SHORT},
    ),
    # The stream says what is wrong, or is wrong itself.
    **{
        f"error-{kind}": Fault(
            [CHUNKED + framed(A), framed(in_stream(kind), B), LAST], error, None, "Because."
        )
        for kind, error in {
            "invalid_request_error": BadRequestError,
            "authentication_error": AuthenticationError,
            "billing_error": BillingError,
            "permission_error": PermissionDeniedError,
            "not_found_error": NotFoundError,
            "conflict_error": ConflictError,
            "request_too_large": RequestTooLargeError,
            "rate_limit_error": RateLimitError,
            "api_error": InternalServerError,
            "timeout_error": DeadlineExceededError,
            "overloaded_error": OverloadedError,
            "error_to_come": APIStatusError,
        }.items()
    },
    "error-before-the-first-chunk": Fault(
        [CHUNKED + framed(in_stream("overloaded_error")) + LAST], OverloadedError, None, "Because.", "", 0
    ),
    "error-without-an-end": Fault(
        [CHUNKED + framed(A, in_stream("overloaded_error")), HANG], OverloadedError, None, "Because."
    ),
    "error-that-is-no-json": Fault(
        [CHUNKED + framed(A, event("error", "oops")) + LAST], APIResponseValidationError, ValueError, "oops"
    ),
    "bad-json": Fault(
        [CHUNKED + framed(A, event("completion", '{"completion": " b"')) + LAST],
        APIResponseValidationError,
        ValueError,
        "JSON",
    ),
    "no-object": Fault(
        [CHUNKED + framed(A, event("completion", "[]")) + LAST], APIResponseValidationError, says="list"
    ),
    "no-text": Fault(
        [CHUNKED + framed(A, chunk(...)) + LAST],  # type: ignore[arg-type]
        APIResponseValidationError,
        says="completion",
    ),
    "endless-event": Fault(
        [CHUNKED + framed(A, b"event: completion\ndata: "), Repeat(framed(b"x" * 4096))],
        APIResponseValidationError,
        ValueError,
        "larger than 100000 bytes",
        options={"max_event_bytes": 100_000},
    ),
    "endless-event-of-many-lines": Fault(
        [CHUNKED + framed(A), Repeat(framed(b"data: x\n" * 1000))],
        APIResponseValidationError,
        ValueError,
        "larger than 100000 bytes",
        options={"max_event_bytes": 100_000},
    ),
    "endless-event-and-the-default-bound": Fault(
        [CHUNKED + framed(A, b"event: completion\ndata: "), Repeat(framed(b"x" * 60_000))],
        APIResponseValidationError,
        ValueError,
        "larger than 16777216 bytes",
    ),
    # What comes is no stream.
    "html": Fault(
        [CHUNKED + framed(b"<html>", b"<h1>Welcome</h1></html>") + LAST],
        APIResponseValidationError,
        None,
        "markup",
        "",
        0,
    ),
    "endless-html": Fault(
        [CHUNKED + framed(b"<html>"), Repeat(framed(b" " * 4096))],
        APIResponseValidationError,
        None,
        "larger than 100000 bytes",
        "",
        0,
        {"max_event_bytes": 100_000},
    ),
    "error-object": Fault(
        [CHUNKED + framed(json.dumps({"error": {"type": "overloaded_error"}}).encode()) + LAST],
        OverloadedError,
        text="",
        count=0,
    ),
    "json-cut": Fault(
        [CHUNKED + framed(b'{"completion": " a'), CLOSE], IncompleteStreamError, BROKEN, "broke off", "", 0
    ),
    # Compressed.
    "gzip-cut-clean": Fault(
        [GZIP + framed(*packed(A, B)) + LAST], IncompleteStreamError, None, "stop reason", " a b", 2
    ),
    "gzip-closed": Fault([GZIP + framed(*packed(A)), GO, CLOSE], IncompleteStreamError, BROKEN, "broke off"),
    "gzip-broken": Fault(
        [GZIP + framed(*packed(A), b"\xff" * 40) + LAST],
        APIResponseValidationError,
        httpx.DecodingError,
        "decoded",
    ),
    "gzip-that-is-none": Fault(
        [GZIP + framed(A, END) + LAST], APIResponseValidationError, httpx.DecodingError, "decoded", "", 0
    ),
    "gzip-bomb": Fault(
        [GZIP + framed(gzip.compress(A + b"data: " + b"x" * 5_000_000)) + LAST],
        APIResponseValidationError,
        ValueError,
        "larger than 100000 bytes",
        options={"max_event_bytes": 100_000},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_loses_nothing(world: World, name: str) -> None:
    """A fault raises its class with the text so far, the number of chunks, the request id and the cause."""
    fault = FAULTS[name]
    with RawServer(fault.steps) as server:
        streamed = read(world, server, **fault.options)
        assert server.all_closed()
    error = streamed.error
    assert type(error) is fault.error, repr(error)
    assert isinstance(error, APIError)
    assert error.completion == fault.text == "".join(streamed.texts) == streamed.final.completion
    assert error.chunk_count == fault.count == len(streamed.chunks)
    assert error.request_id == "req_1"
    if fault.cause is None:
        assert error.__cause__ is None
    elif fault.cause is Exception:
        assert error.__cause__ is None or isinstance(error.__cause__, httpx.ReadTimeout)
    else:
        assert isinstance(error.__cause__, fault.cause)
    assert fault.says in str(error)
    assert KEY not in repr((error, vars(error), error.request.headers))
    assert server.requests == 1


@pytest.mark.parametrize(
    "steps",
    [
        [CHUNKED + framed(A, PING, B, END) + LAST],
        [CHUNKED, *(framed(bytes([byte])) for byte in A + PING + B + END), LAST],
        [head("connection: close") + A + B + END, CLOSE],
        [head(f"content-length: {len(A + B + END)}") + A + B + END],
        [GZIP + framed(gzip.compress(A + B + END)) + LAST],
        [GZIP, *(framed(bytes([byte])) for byte in gzip.compress(A + B + END)), LAST],
        [GZIP + framed(*packed(A, B, END)) + LAST],
    ],
    ids=[
        "chunked",
        "byte-by-byte",
        "until-close",
        "by-length",
        "gzip",
        "gzip-byte-by-byte",
        "gzip-without-end",
    ],
)
def test_a_stream_without_fault_is_complete(world: World, steps: list[Step]) -> None:
    """However HTTP carries the stream, its chunks and its end are the same."""
    with RawServer(steps) as server:
        streamed = read(world, server)
    assert streamed.error is None
    assert streamed.texts == [" a", " b", ""]
    assert (streamed.final.completion, streamed.final.stop_reason) == (" a b", "stop_sequence")


def test_an_event_of_sixteen_mebibytes_passes(world: World) -> None:
    """The largest event that is allowed comes whole."""
    bare = len(chunk("").split(b"data: ")[1].rstrip())
    text = "x" * (16 * 1024 * 1024 - bare)
    with RawServer([CHUNKED + framed(A, chunk(text), END) + LAST]) as server:
        streamed = read(world, server)
    assert streamed.error is None
    assert streamed.texts == [" a", text, ""]


@pytest.mark.parametrize(
    "steps",
    [
        [CHUNKED + framed(PING), CLOSE],
        [CHUNKED + framed(PING), RESET],
        [CHUNKED + LAST],
        [CHUNKED + framed(in_stream("overloaded_error")), HANG],
        [CHUNKED, HANG],
    ],
    ids=["closed", "reset", "empty", "overloaded", "silent"],
)
def test_a_fault_before_the_first_chunk_is_retried(world: World, steps: list[Step]) -> None:
    """A second attempt, over the same client, mends what broke before any text came."""
    good: list[Step] = [CHUNKED + framed(A, END) + LAST]
    with RawServer(lambda number: good if number else steps) as server:
        idle = SHORT if HANG in steps else None
        streamed = read(world, server, max_retries=1, stream_idle_timeout=idle, clock=FakeClock())
        assert server.all_closed()
    assert streamed.error is None
    assert streamed.texts == [" a", ""]
    assert server.requests == 2
