"""Make completions of what a service answers: a whole reply, or the events of a stream.

Sans-I/O: bytes in, completions or errors out. `reading` fetches the bytes of streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._contract.completion import Completion
from .._contract.generated import first_violation
from .._errors import (
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    IncompleteStreamError,
)
from .._http.failures import (
    TRANSPORT_ERRORS,
    body_failure,
    body_of,
    holds_error,
    parse_json,
    reported_error,
)
from .sse import EventTooLargeError, SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from .sse import ServerSentEvent

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How long a stream may take, and how large its events may be.

    Attributes:
        monotonic: What tells the time, in seconds.
        deadline_at: The time at which the call ends, or None.
        idle_timeout: The most seconds of waiting without a completion event, or None.
        max_event_bytes: The most bytes of the data of one event, or of a reply that is no stream.
    """

    monotonic: Callable[[], float]
    deadline_at: float | None
    idle_timeout: float | None
    max_event_bytes: int


class Assembly:
    """The chunks of one stream so far.

    A reply to a request for a stream may be no stream: a JSON object is taken as the one chunk, or as the
    error that it is; anything that begins like a markup language is refused. The first byte that is no
    white space decides, as content types were seen to lie.

    Attributes:
        complete: Whether its end has come and was as it should be.
        over: Whether its last event has come, so that it ends whether or not the body does.

    Args:
        limits: Its limits.
    """

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._monotonic = limits.monotonic
        self._idle_timeout = limits.idle_timeout
        self._texts: list[str] = []
        self._first: Completion | None = None
        self._last: Completion | None = None
        self._stopping: Completion | None = None  # the chunk that has a stop reason
        self.complete = False
        self.over = False

    def begin(self, response: httpx.Response) -> None:
        """Start with a reply; nothing of one before it was taken."""
        self.response = response
        self._decoder = SSEDecoder(max_event_bytes=self._limits.max_event_bytes)
        self._is_stream = False
        self._start: bytes | None = None  # the first byte of a reply that is no stream
        self._body = bytearray()  # of a reply that is not known to be a stream
        self._silence = 0.0  # seconds of waiting since the last chunk
        self.over = False
        self.wait()

    @property
    def chunk_count(self) -> int:
        """How many chunks have come."""
        return len(self._texts)

    def wait(self) -> None:
        """Note that the next bytes are now waited for. Time that the reader takes is not the stream's."""
        if self._idle_timeout is not None:
            self._waits_since = self._monotonic()

    def feed(self, piece: bytes) -> Iterator[Completion]:
        """Take the next bytes and yield the chunks that they complete.

        Raises:
            APIError: The stream says so, or is not what the contract says; it is decorated by `failure`.
        """
        if self._idle_timeout is not None:
            self._silence += self._monotonic() - self._waits_since
        if not self._is_stream:
            piece = self._stream_part(piece)
        try:
            for event in self._decoder.feed(piece):
                chunk = self._chunk_of(event)
                if chunk is not None:
                    yield chunk
                if self.over:
                    return
        except EventTooLargeError as error:
            raise self._invalid(f"The stream is not usable: {error}.") from error
        if self._idle_timeout is not None and self._silence > self._idle_timeout:
            raise self._timeout(f"No completion event came in {self._idle_timeout} seconds.")
        if self._limits.deadline_at is not None and self._monotonic() > self._limits.deadline_at:
            raise self._timeout("The deadline has passed.")

    def finish(self) -> Iterator[Completion]:
        """Take the clean end of the body.

        Raises:
            IncompleteStreamError: No chunk had a stop reason.
            APIError: The body was no stream and is an error or not what the contract says.
        """
        if self._start is not None:
            yield self._whole_reply()
        if self._stopping is None:
            raise IncompleteStreamError(
                message="The stream ended without a stop reason.", request=self.response.request
            )
        self.complete = True

    def failure(self, error: Exception) -> Exception:
        """Return the error to raise for one that was met, with the text that had come.

        Errors that are neither this package's nor a transport's are returned as they are.
        """
        if isinstance(error, TRANSPORT_ERRORS):
            mapped = self._transport_failure(error)
            mapped.__cause__ = error
            error = mapped
        if isinstance(error, APIError):
            error.completion = "".join(self._texts)
            error.chunk_count = self.chunk_count
            error.request_id = error.request_id or self.response.headers.get("request-id")
        return error

    def left_early(self) -> APIError:
        """Return the error for reading on after the stream was closed before its end."""
        error = IncompleteStreamError(
            message="The stream was closed before its end.", request=self.response.request
        )
        self.failure(error)
        return error

    def so_far(self) -> Completion:
        """Return one completion of all chunks so far.

        It has the whole text. Of the other fields those of the first chunk are replaced by the last one's,
        and these by those of the chunk with the stop reason.
        """
        fields: dict[str, Any] = {"stop_reason": None, "type": "completion"}
        for chunk in (self._first, self._last, self._stopping):
            if chunk is not None:
                fields |= chunk.model_dump()
        fields["completion"] = "".join(self._texts)
        return Completion._from_wire(fields, self.response.headers, self._message())

    def _message(self) -> dict[str, Any] | None:
        """Return the message so far, where Messages is what is read."""
        return None

    def _stream_part(self, piece: bytes) -> bytes:
        """Return what is for the decoder, of a body that is not known to be a stream."""
        self._body += piece
        if self._start is None and not piece.isspace() and not _BOM.startswith(self._body):
            start = bytes(self._body).removeprefix(_BOM).lstrip()[:1]
            if start in (b"{", b"[", b"<"):
                self._start = start
            elif start:
                self._is_stream = True
                piece = bytes(self._body)
                self._body.clear()
                return piece
        if len(self._body) > self._limits.max_event_bytes:
            raise self._invalid(
                f"The reply is no stream and larger than {self._limits.max_event_bytes} bytes."
            )
        return b""

    def _chunk_of(self, event: ServerSentEvent) -> Completion | None:
        name = event.event
        if name == "completion":
            value = self._object(event.data)
            if "error" in value and holds_error(value):
                raise self._stream_error(value)
            return self._chunk(value)
        if name == "error":
            raise self._stream_error(self._object(event.data))
        if name is None and event.data.strip() != "[DONE]":
            # Without a name the data itself must tell. What it does not tell is ignored, like unknown names.
            value = self._object(event.data)
            if holds_error(value):
                raise self._stream_error(value)
            if "completion" in value:
                return self._chunk(value)
        return None

    def _object(self, text: str | bytes) -> dict[str, Any]:
        try:
            value = parse_json(text)
        except ValueError as error:
            shown = text.decode(errors="replace") if isinstance(text, bytes) else text
            raise self._invalid(
                f"Expected a JSON object in the stream, got other text: {error}", shown
            ) from error
        if not isinstance(value, dict):
            raise self._invalid(f"Expected a JSON object in the stream, got {type(value).__name__}", value)
        return value

    def _chunk(self, fields: dict[str, Any]) -> Completion:
        if not is_chunk(fields):
            self._check("CompletionChunk", fields)
        chunk = Completion._from_wire(fields, self.response.headers)
        self._texts.append(fields["completion"])
        if self._first is None:
            self._first = chunk
        self._last = chunk
        if fields.get("stop_reason") is not None:
            self._stopping = chunk
        self._silence = 0.0
        return chunk

    def _whole_reply(self) -> Completion:
        body = bytes(self._body).removeprefix(_BOM)
        if self._start == b"<":
            text = body.decode(errors="replace")
            raise self._invalid("Expected a stream of events, got a document in a markup language.", text)
        value = self._object(body)
        if holds_error(value):
            raise self._stream_error(value)
        fields = self._fields(value)
        self._check("Completion", fields)
        return self._chunk(fields)

    def _fields(self, value: dict[str, Any]) -> Any:
        """Return the fields of the completion that a reply's JSON object is."""
        return value

    def _check(self, schema: str, fields: dict[str, Any]) -> None:
        if violation := first_violation(schema, fields):
            raise self._invalid(f"The reply is not what the contract says. {violation}", fields)

    def _stream_error(self, body: dict[str, Any]) -> APIStatusError:
        return reported_error(self.response, body, where="stream")

    def _invalid(self, message: str, body: object = None) -> APIResponseValidationError:
        return APIResponseValidationError(self.response, body, message=message)

    def _transport_failure(self, error: Exception) -> APIError:
        failure = body_failure(error, self.response)
        if isinstance(failure, APIResponseValidationError | APITimeoutError):
            return failure
        broken = IncompleteStreamError(
            message=f"The stream broke off. {failure.message}", request=failure.request
        )
        broken._final = failure._final
        return broken

    def _timeout(self, message: str) -> APITimeoutError:
        return APITimeoutError(self.response.request, message=message)


class Reader:
    """Reads the replies to one call; this one, those of the old endpoint."""

    def assembly(self, limits: StreamLimits) -> Assembly:
        """Return what puts the chunks of a stream together."""
        return Assembly(limits)

    def fields(self, response: httpx.Response, body: Any) -> Any:
        """Return the fields of the completion that a reply's JSON value is, unchecked."""
        return body

    def message(self, body: Any) -> dict[str, Any] | None:
        """Return the message that a reply's JSON value is, if it is one."""
        return None

    def completion(self, response: httpx.Response) -> Completion:
        """Return the completion that a reply is.

        Raises:
            APIStatusError: It is an error, although its status is 200; of the class that its type stands for,
                as in a stream.
            APIResponseValidationError: It is none; the error holds status, headers and body.
        """
        body = body_of(response)
        if holds_error(body):
            raise reported_error(response, body, where="reply")
        fields = self.fields(response, body)
        violation = first_violation("Completion", fields)
        if violation is None:
            return Completion._from_wire(fields, response.headers, self.message(body))
        message = f"The reply (status {response.status_code}) is no completion. {violation}"
        raise APIResponseValidationError(response, body, message=message)


COMPLETIONS = Reader()


def is_chunk(fields: dict[str, Any]) -> bool:
    """Tell whether JSON fields are what the contract calls a CompletionChunk.

    The contract's own check says what is wrong, but takes longer than all else that is done for a chunk. A
    test holds the two together.
    """
    get = fields.get
    stop_reason, stop = get("stop_reason"), get("stop")
    return (
        type(get("completion")) is str
        and (stop_reason is None or type(stop_reason) is str)
        and (stop is None or type(stop) is str)
        and type(get("id", "")) is type(get("model", "")) is type(get("log_id", "")) is str
        and get("type", "completion") == "completion"
    )
