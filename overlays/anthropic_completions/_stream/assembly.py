"""Make completions of what a service answers: a whole reply, or the events of a stream.

Sans-I/O: bytes in, completions or errors out. `reading` fetches the bytes of streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import httpx

from .._contract.completion import Completion
from .._contract.generated import first_violation
from .._errors import (
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    IncompleteStreamError,
)
from .._http.bodies import too_large
from .._http.decoding import decoder_of
from .._http.failures import (
    TRANSPORT_ERRORS,
    body_failure,
    holds_error,
    parse_json,
    reported_error,
)
from .repeats import Pattern, pattern_of
from .shapes import DONE, is_chunk, usual, usual_chunk, violation_of
from .sse import EventTooLargeError, SSEDecoder
from .waits import StreamLimits, Waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._contract.schema import JSONObject
    from .sse import ServerSentEvent

_BOM = b"\xef\xbb\xbf"


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
        self._texts: list[str] = []
        self._first: Completion | None = None
        self._last: Completion | None = None
        self._stopping: Completion | None = None  # the chunk that has a stop reason
        self.complete = False
        self.over = False

    def begin(self, response: httpx.Response) -> None:
        """Start with a reply; nothing of one before it was taken."""
        self.response = response
        self._headers = response.headers
        self._decoder = SSEDecoder(max_event_bytes=self._limits.max_event_bytes)
        self._is_stream = False
        self._start: bytes | None = None  # the first byte of a reply that is no stream
        self._body = bytearray()  # of a reply that is not known to be a stream
        self._waits = Waits(self._limits)
        self._pattern: Pattern | None = None
        self._count = 0  # of bytes, decoded
        # A body that was read already is decoded.
        self._content = None if response.is_stream_consumed else decoder_of(response)
        self.over = False
        self.wait()

    @property
    def chunk_count(self) -> int:
        """How many chunks have come."""
        return len(self._texts)

    def is_stopped(self) -> bool:
        """Tell whether all that belongs to the text has come, so that only the end is waited for."""
        return self._stopping is not None

    def wait(self) -> float | None:
        """Note that the next bytes are now waited for, and return the time at which that ends, or None.

        Time that the reader takes is not the stream's.
        """
        if self._stopping is None and self._waits.is_endless:
            return None
        return self._waits.begin(stopped=self.is_stopped())

    def feed(self, piece: bytes) -> Iterator[Completion]:
        """Take the next bytes, as they came, and yield the chunks that they complete.

        Raises:
            APIError: The stream says so, or is not what the contract says; it is decorated by `failure`.
        """
        waits = self._waits
        if not waits.is_endless:
            waits.end()
        for part in (piece,) if self._content is None else self._content.decode(piece):
            self._count += len(part)
            if self._count > self._limits.max_reply_bytes:
                raise too_large(self.response, self._limits.max_reply_bytes)
            try:
                for event in self._decoder.feed(part if self._is_stream else self._stream_part(part)):
                    chunk = self._chunk_of(event)
                    if chunk is not None:
                        yield chunk
                    if self.over:
                        return
            except EventTooLargeError as error:
                raise self._invalid(f"The stream is not usable: {error}.") from error
        if self._stopping is None and waits.is_endless:
            return
        if waits.is_grace_over():
            self.complete = True
        elif overdue := waits.overdue():
            raise self._timeout(overdue)

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

    def is_end(self, error: Exception) -> bool:
        """Tell whether an error is no fault, since all of the text had come; note the end then.

        Silence after the stop reason is none. A connection that breaks then is one, unless the settings
        tolerate it.
        """
        if not self.is_stopped() or isinstance(error, httpx.DecodingError):
            return False
        silent = isinstance(error, httpx.TimeoutException | TimeoutError | APITimeoutError)
        broken = self._limits.tolerates_abrupt_end and isinstance(error, TRANSPORT_ERRORS)
        self.complete = silent or broken
        return self.complete

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
            error.stop_reason = None if self._stopping is None else self._stopping.stop_reason
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
        fields: JSONObject = {"stop_reason": None, "type": "completion"}
        for chunk in (self._first, self._last, self._stopping):
            if chunk is not None:
                fields |= chunk.model_dump()
        fields["completion"] = "".join(self._texts)
        return Completion._from_wire(fields, self.response.headers, self._message())

    def _message(self) -> JSONObject | None:
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
        name, text, _, _ = event
        if name == "completion" and self._pattern is not None:
            chunk = self._pattern.chunk_of(text)
            if chunk is not None:  # neither the first nor the last
                self._texts.append(chunk.completion)
                self._last = chunk
                self._waits.chunk()
                return chunk
        if text.startswith(DONE):  # as of 2023-01-01, and of gateways under any name
            return None
        if name == "completion":
            value = self._object(text)
            if "error" in value and holds_error(value):
                raise self._stream_error(value)
            if self._texts:
                return self._chunk(value)
            fields = dict(value)  # of the first chunk, which the others may repeat
            chunk = self._chunk(value)
            self._pattern = pattern_of(text, fields, self._headers)
            return chunk
        if name == "error":
            raise self._stream_error(self._told(text))
        if name == "message":  # what a browser calls an event without a name, or an event of other services
            data = self._value(text)
            value = data if isinstance(data, dict) else {}
        elif name is None:
            value = self._object(text)
        else:
            return None
        # Without a name the data itself must tell. What it does not tell is ignored, like unknown names.
        if holds_error(value):
            raise self._stream_error(value)
        return self._chunk(value) if "completion" in value else None

    def _told(self, text: str) -> JSONObject:
        """Return the JSON object of an event that reports an error."""
        message = f"The stream reports an error in another form than a JSON object: {text[:500]!r}"
        try:
            told = parse_json(text)
        except ValueError as error:
            raise self._invalid(message, text) from error
        if not isinstance(told, dict):
            raise self._invalid(message, told)
        return told

    def _value(self, text: str) -> object:
        """Return the JSON value that a text is, or the text."""
        try:
            return parse_json(text)
        except ValueError:
            return text

    def _object(self, text: str | bytes) -> JSONObject:
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

    def _chunk(self, fields: JSONObject) -> Completion:
        if not is_chunk(fields) or fields.get("stop_reason") in ("", "null"):
            fields = usual_chunk(fields)
            self._check(first_violation("CompletionChunk", fields), fields)
        chunk = Completion._of_own(fields, self._headers)
        self._texts.append(chunk.completion)
        if self._first is None:
            self._first = chunk
        self._last = chunk
        if chunk.stop_reason is not None:
            self._stopping = chunk
        self._waits.chunk()
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
        self._check(violation_of(fields), fields)
        return self._chunk(cast("JSONObject", fields))  # by the check

    def _fields(self, value: JSONObject) -> object:
        """Return the fields of the completion that a reply's JSON object is."""
        return usual(value)

    def _check(self, violation: object | None, fields: object) -> None:
        if violation is not None:
            raise self._invalid(f"The reply is not what the contract says. {violation}", fields)

    def _stream_error(self, body: JSONObject) -> APIStatusError:
        return reported_error(self.response, body, where="stream")

    def _invalid(self, message: str, body: object = None) -> APIResponseValidationError:
        return APIResponseValidationError(self.response, body, message=message)

    def _transport_failure(self, error: Exception) -> APIError:
        failure = body_failure(error, self.response)
        if isinstance(failure, APIResponseValidationError):
            return failure
        if isinstance(failure, APITimeoutError):
            overdue = self._waits.overdue(waiting=True)
            return self._timeout(overdue) if overdue else failure
        broken = IncompleteStreamError(
            message=f"The stream broke off. {failure.message}", request=failure.request
        )
        broken._final = failure._final
        return broken

    def _timeout(self, message: str) -> APITimeoutError:
        return APITimeoutError(self.response.request, message=message)
