"""Server-sent events: bytes in, events out.

The rules are the WHATWG's, https://html.spec.whatwg.org/multipage/server-sent-events.html, section
"Interpreting an event stream". Nothing here knows HTTP or JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EVENT_BYTES = 16 * 1024 * 1024


class ServerSentEvent(NamedTuple):
    """One event.

    Attributes:
        event: Its name; None where it has none (a browser would say "message").
        data: Its data lines, joined with newlines.
        id: The last id that the stream has set up to here, empty where none.
        retry: The reconnection time in milliseconds that the event sets; None where it sets none.
    """

    event: str | None = None
    data: str = ""
    id: str = ""
    retry: int | None = None

    def json(self) -> Any:
        """Return the data, read as JSON.

        Raises:
            ValueError: The data is no JSON.
        """
        return json.loads(self.data)


class EventTooLargeError(ValueError):
    """One event of the stream is larger than is allowed."""


class SSEDecoder:
    """Decode a stream that arrives in pieces, cut anywhere.

    The work is linear in the bytes fed, and no more than one event is held.

    Args:
        max_event_bytes: The most bytes that the data of one event, or one line, may have.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._at_start = True
        self._pending = bytearray()  # a line whose end has not come
        self._after_cr = False  # the last piece ended in CR: a LF that follows belongs to it
        self._size = 0  # bytes of the event's data so far
        self._event: str | None = None
        self._data: list[str] = []
        self._id = ""
        self._retry: int | None = None

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Take the next bytes and yield the events that they complete; iterate to the end.

        Raises:
            EventTooLargeError: An event is larger than `max_event_bytes`; the decoder is of no use then.
        """
        if self._after_cr and piece:
            self._after_cr = False
            if piece.startswith(b"\n"):
                piece = piece[1:]
        if not piece:
            return
        lines = piece.splitlines()  # of bytes: at CR, LF and CRLF and nowhere else
        self._after_cr = piece.endswith(b"\r")
        unended = None if piece.endswith((b"\n", b"\r")) else lines.pop()

        if lines:
            if self._pending:
                lines[0] = bytes(self._pending) + lines[0]
                self._pending.clear()
            if self._at_start:
                self._at_start = False
                lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
            for line in lines:
                if line:
                    self._take(line)
                elif event := self._dispatch():
                    yield event
        if unended is not None:
            self._pending += unended
            self._check_size(len(self._pending))

    def _take(self, line: bytes) -> None:
        name, _, raw = line.partition(b":")
        if not name:
            return  # a comment
        value = raw.removeprefix(b" ").decode(errors="replace")
        if name == b"data":
            self._size += len(raw)
            self._check_size(0)
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id":
            if "\0" not in value:
                self._id = value
        elif name == b"retry" and value.isascii() and value.isdigit():
            self._retry = int(value) if len(value) < 19 else None

    def _dispatch(self) -> ServerSentEvent | None:
        event = ServerSentEvent(self._event or None, "\n".join(self._data), self._id, self._retry)
        dispatched = bool(self._data)
        self._event, self._data, self._retry, self._size = None, [], None, 0
        return event if dispatched else None

    def _check_size(self, pending: int) -> None:
        if self._size + pending > self._max_event_bytes:
            self._pending.clear()
            self._data.clear()
            raise EventTooLargeError(f"an event of the stream is larger than {self._max_event_bytes} bytes")
