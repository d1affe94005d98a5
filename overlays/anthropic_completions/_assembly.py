"""What a stream's bytes mean: events to chunks, chunks to the whole, and what makes it complete.

Pure: bytes in, completions or errors out. The shells in `_streaming` fetch the bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from ._completion import Completion
from ._errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    IncompleteStreamError,
    error_type,
    status_error_class,
)
from ._failures import TRANSPORT_ERRORS, parse_json, transport_failure
from ._sse import EventTooLargeError, SSEDecoder
from ._wire import first_violation, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._sse import ServerSentEvent
    from ._transport import Call

_BOM = b"\xef\xbb\xbf"
# White space before the first byte that tells what a reply is; more of it can only be a stream's blank lines.
_LEADING_SPACE = 64


class Assembly:
    """The chunks of one stream so far.

    A reply to a request for a stream may be no stream: a JSON object is taken as the one chunk, or as the
    error that it is; anything that begins like a markup language is refused. The first byte decides, as
    content types were seen to lie.

    Args:
        call: The call that the stream answers.
        idle_timeout: The most seconds without a completion event, or None.
        max_event_bytes: The most bytes of one event, or of a reply that is no stream.
    """

    def __init__(self, call: Call, *, idle_timeout: float | None, max_event_bytes: int) -> None:
        self._call = call
        self._idle_timeout = idle_timeout
        self._max_event_bytes = max_event_bytes
        self._texts: list[str] = []
        self._first: Completion | None = None
        self._last: Completion | None = None
        self.complete = False

    def begin(self, response: httpx.Response) -> None:
        """Start with a reply; nothing of one before it was taken."""
        self.response = response
        self._decoder = SSEDecoder(max_event_bytes=self._max_event_bytes)
        self._kind: bytes | None = None
        self._body = bytearray()
        self._stopped = False
        self._heard_at = self._call.clock.monotonic()

    @property
    def chunk_count(self) -> int:
        """How many chunks have come."""
        return len(self._texts)

    def feed(self, piece: bytes) -> Iterator[Completion]:
        """Take the next bytes and yield the chunks that they complete.

        Raises:
            APIError: The stream says so, or is not what the contract says; it is decorated by `failure`.
        """
        if self._kind is None:
            self._body += piece
            start = bytes(self._body).removeprefix(_BOM).lstrip()[:1]
            if not start and len(self._body) < _LEADING_SPACE:
                return
            self._kind = start if start in (b"{", b"[", b"<") else b""
            if self._kind == b"":
                piece = bytes(self._body)
                self._body.clear()
        elif self._kind:
            self._body += piece
        if self._kind:
            if len(self._body) > self._max_event_bytes:
                raise self._invalid(f"The reply is no stream and larger than {self._max_event_bytes} bytes.")
        else:
            yield from self._decode(piece)
        self._check_time()

    def finish(self) -> Iterator[Completion]:
        """Take the clean end of the body.

        Raises:
            IncompleteStreamError: No chunk had a stop reason.
            APIError: The body was no stream and is an error or not what the contract says.
        """
        if self._kind:
            yield self._whole_reply()
        if not self._stopped:
            raise IncompleteStreamError(
                message="The stream ended without a stop reason.", request=self.response.request
            )
        self.complete = True

    def failure(self, error: Exception) -> Exception:
        """Return the error to raise for one that was met, with what had arrived.

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
        """Return one completion of all chunks so far: the whole text, and the last chunk's other fields."""
        fields: dict[str, Any] = {"stop_reason": None, "type": "completion"}
        for chunk in (self._first, self._last):
            if chunk is not None:
                fields |= chunk.model_dump()
        fields["completion"] = "".join(self._texts)
        return Completion._from_wire(fields, self.response.headers)

    def _decode(self, piece: bytes) -> Iterator[Completion]:
        try:
            for event in self._decoder.feed(piece):
                if chunk := self._chunk_of(event):
                    yield chunk
        except EventTooLargeError as error:
            raise self._invalid(f"The stream is not usable: {error}.") from error

    def _chunk_of(self, event: ServerSentEvent) -> Completion | None:
        name = event.event
        if name == "completion":
            return self._chunk(self._object(event.data))
        if name == "error":
            raise self._stream_error(self._object(event.data))
        if name is None and event.data.strip() != "[DONE]":
            # Without a name the data itself must tell. What it does not tell is ignored, like unknown names.
            value = self._object(event.data)
            if "error" in value:
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

    def _chunk(self, fields: dict[str, Any], schema: str = "CompletionChunk") -> Completion:
        if violation := first_violation(schema, fields):
            raise self._invalid(f"The reply is not what the contract says. {violation}", fields)
        chunk = Completion._from_wire(fields, self.response.headers)
        self._texts.append(chunk.completion)
        if self._first is None:
            self._first = chunk
        self._last = chunk
        self._stopped = self._stopped or chunk.stop_reason is not None
        self._heard_at = self._call.clock.monotonic()
        return chunk

    def _whole_reply(self) -> Completion:
        body = bytes(self._body).removeprefix(_BOM)
        if self._kind == b"<":
            text = body.decode(errors="replace")
            raise self._invalid("Expected a stream of events, got a document in a markup language.", text)
        value = self._object(body)
        if "error" in value and "completion" not in value:
            raise self._stream_error(value)
        return self._chunk(value, "Completion")

    def _stream_error(self, body: dict[str, Any]) -> APIStatusError:
        kind = error_type(body)
        status = statuses().get(kind or "", self.response.status_code)
        error = status_error_class(status)(f"Error in the stream: {body}", response=self.response, body=body)
        error.status_code = status
        return error

    def _invalid(self, message: str, body: object = None) -> APIResponseValidationError:
        return APIResponseValidationError(self.response, body, message=message)

    def _transport_failure(self, error: Exception) -> APIError:
        if isinstance(error, httpx.DecodingError):
            return self._invalid(f"The stream could not be decoded: {error}")
        if isinstance(error, httpx.TimeoutException):
            return transport_failure(error, self.response.request, self.response)
        failure: APIConnectionError = transport_failure(error, self.response.request, self.response)
        return IncompleteStreamError(
            message=f"The stream broke off. {failure.message}", request=failure.request
        )

    def _check_time(self) -> None:
        now = self._call.clock.monotonic()
        if self._idle_timeout is not None and now - self._heard_at > self._idle_timeout:
            raise APITimeoutError(
                self.response.request, message=f"No completion event came in {self._idle_timeout} seconds."
            )
        if self._call.deadline_at is not None and now > self._call.deadline_at:
            raise APITimeoutError(self.response.request, message="The deadline has passed.")
