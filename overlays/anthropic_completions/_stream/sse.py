"""Decode server-sent events, bytes in and events out, and encode them.

The rules are the WHATWG's, https://html.spec.whatwg.org/multipage/server-sent-events.html, section
"Interpreting an event stream". Nothing here knows HTTP or JSON.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_EVENT_BYTES = 16 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"
# A larger piece is taken in parts, so that its lines are never all in memory at once.
_PART_BYTES = 64 * 1024


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


def encode_event(event: str | None, data: str, *, newline: str = "\n") -> bytes:
    """Return the bytes of one event; every line of its data becomes a line of the stream.

    Args:
        event: Its name, or None for none.
        data: Its data.
        newline: What ends a line: `\\n`, `\\r\\n` or `\\r`. The old endpoint sent `\\r\\n` (observed).

    Raises:
        ValueError: The name holds a line's end, or `newline` is none.
    """
    if newline not in ("\n", "\r\n", "\r"):
        raise ValueError(f"newline: expected a line's end, got {newline!r}")
    if event is not None and ("\n" in event or "\r" in event):
        raise ValueError(f"event: expected a name in one line, got {event!r}")
    lines = [] if event is None else [f"event: {event}"]
    lines += [f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "".join(f"{line}{newline}" for line in (*lines, "")).encode()


# A tuple's own constructor, which takes half the time.
_event = cast(
    "Callable[[type[ServerSentEvent], tuple[str | None, str, str, int | None]], ServerSentEvent]",
    tuple.__new__,
)


class EventTooLargeError(ValueError):
    """One event of the stream is larger than is allowed."""


def _parts(piece: bytes) -> Iterator[bytes]:
    return (piece[at : at + _PART_BYTES] for at in range(0, len(piece), _PART_BYTES))


class SSEDecoder:
    """Decode a stream that arrives in pieces, cut anywhere.

    The work is linear in the bytes fed, and no more than one event is held.

    Args:
        max_event_bytes: The most bytes that the data of one event may have, newlines between its lines
            included. A line of another kind may be as long as one with that much data.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._longest = max_event_bytes + len(b"data: ")
        self._at_start = True
        self._pending = bytearray()  # a line whose end has not come
        self._after_cr = False  # the last part ended in CR: a LF that follows belongs to it
        self._event = ""
        self._first: bytes | None = None  # the data line, where there is one so far
        self._data = bytearray()  # the data lines, where there are more, each with a newline after it
        self._named: tuple[bytes, str] = (b"", "")  # the last line that named an event, and the name
        self._id = ""
        self._retry: int | None = None

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """Take the next bytes and yield the events that they complete; iterate to the end.

        Raises:
            EventTooLargeError: An event is larger than `max_event_bytes`; the decoder is of no use then.
        """
        if self._at_start:
            piece = bytes(self._pending) + piece
            if _BOM.startswith(piece):
                self._pending[:] = piece
                return
            self._at_start = False
            self._pending.clear()
            piece = piece.removeprefix(_BOM)

        data = self._data
        first = self._first
        for part in (piece,) if 0 < len(piece) <= _PART_BYTES else _parts(piece):
            lines = part.splitlines()  # of bytes: at CR, LF and CRLF and nowhere else
            last = part[-1]
            if self._after_cr and part[0] == _LF:
                del lines[0]
            self._after_cr = last == _CR
            unended = b"" if last in (_LF, _CR) else lines.pop()
            if lines and self._pending:
                self._pending += lines[0]
                lines[0] = bytes(self._pending)
                self._pending.clear()

            for line in lines:
                if line[:6] == b"data: ":
                    raw = line[6:]
                elif not line:
                    if first is not None:
                        text = first.decode("utf-8", "replace")
                        yield _event(ServerSentEvent, (self._event or None, text, self._id, self._retry))
                        first = None
                    elif data:
                        text = data[:-1].decode("utf-8", "replace")
                        yield _event(ServerSentEvent, (self._event or None, text, self._id, self._retry))
                        data.clear()
                    self._event, self._retry = "", None
                    continue
                elif line == self._named[0] and first is None and not data:
                    self._event = self._named[1]
                    continue
                else:
                    name, _, raw = line.partition(b":")
                    if raw[:1] == b" ":
                        raw = raw[1:]
                    if name != b"data":
                        self._first = first
                        self._take(name, raw, line)
                        continue
                if not data:
                    if first is None:
                        first = raw
                        if len(raw) > self._max_event_bytes:
                            raise self._too_large()
                        continue
                    data += first
                    data.append(_LF)
                    first = None
                data += raw
                data.append(_LF)
                if len(data) > self._max_event_bytes + 1:
                    raise self._too_large()

            self._first = first
            if unended:
                self._pending += unended
                if self._held() + len(self._pending) > self._longest:
                    raise self._too_large()

    def _held(self) -> int:
        """Return how many bytes of data there are, newlines included."""
        return len(self._data) if self._first is None else len(self._first) + 1

    def _take(self, name: bytes, raw: bytes, line: bytes) -> None:
        """Take a line of another kind than data."""
        if self._held() + len(line) > self._longest:
            raise self._too_large()
        value = raw.decode("utf-8", "replace")
        if name == b"event":
            self._event = value
            self._named = (line, value)
        elif name == b"id":
            if "\0" not in value:
                self._id = value
        elif name == b"retry" and value.isascii() and value.isdigit() and len(value) < 19:
            self._retry = int(value)

    def _too_large(self) -> EventTooLargeError:
        self._pending.clear()
        self._data.clear()
        self._first = None
        return EventTooLargeError(f"an event of the stream is larger than {self._max_event_bytes} bytes")
