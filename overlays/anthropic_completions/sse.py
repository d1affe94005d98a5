"""Server-sent events, decoded and encoded. Nothing here knows HTTP.

decoder = SSEDecoder()
for piece in response.iter_bytes():
    for event in decoder.feed(piece):
        print(event.event, event.data)

encode_event("ping", '{"type": "ping"}', newline="\\r\\n")
"""

from __future__ import annotations

from ._stream.sse import MAX_EVENT_BYTES, EventTooLargeError, ServerSentEvent, SSEDecoder, encode_event

__all__ = ["MAX_EVENT_BYTES", "EventTooLargeError", "SSEDecoder", "ServerSentEvent", "encode_event"]
