"""Record exchanges with the service in a file, and replay them without it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx

from ..._client.clients import Anthropic, AsyncAnthropic
from ..._http.decoding import Decoder
from ..._options import MAX_REPLY_BYTES
from .._clients import async_client, sync_client
from .._clock import FakeClock
from .recording import ERRORS, LEFT, Tape, hidden, request_entry, request_key, shown
from .removal import Removal

if TYPE_CHECKING:
    import os
    from collections import deque
    from collections.abc import AsyncIterator, Callable, Iterator

    from .recording import Entry, ReplyEntry

# These headers are of no use to the decoded body that is stored.
_OF_THE_ENCODING = (b"content-encoding", b"content-length")
# While replaying; too short to be looked for in what is replayed.
_NO_KEY = "none"


class NotRecordedError(LookupError):
    """There is no recorded reply left for a request."""


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport for `httpx.Client` and `httpx.AsyncClient` that records exchanges or replays them.

    The file is a JSON array, readable and fit for version control. Of a request it holds the method, path
    and query, the body, and the headers `anthropic-version`, `anthropic-beta` and `content-type`; of a reply
    the status, the headers and the body's bytes in the pieces in which they came. Keys are removed, wherever
    they stand. So that bodies are readable, replies are asked for uncompressed.

    A replayed request gets the reply that was recorded for the same one, whatever the order of different
    ones; the n-th of several same ones gets the n-th reply. Nothing is sent, and errors are raised again.

    Args:
        path: The file.
        mode: `record` sends requests and begins the file anew, `replay` sends nothing, and `auto` replays
            where the file is there and records where it is not.
        transport: What to send with while recording; otherwise an `httpx.HTTPTransport`, or an
            `httpx.AsyncHTTPTransport`.

    Attributes:
        replays: Whether it replays.

    Raises:
        ValueError: The mode is unknown.
        FileNotFoundError: It would record into a directory that is not there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        mode: Literal["auto", "record", "replay"] = "auto",
        transport: object = None,
    ) -> None:
        if mode not in ("auto", "record", "replay"):
            raise ValueError(f"mode: expected auto, record or replay, got {mode!r}")
        self._tape = Tape(Path(path))
        self.replays = mode == "replay" or (mode == "auto" and self._tape.path.exists())
        if not self.replays and not self._tape.path.parent.is_dir():
            raise FileNotFoundError(f"path: {self._tape.path.parent} is no directory to record in")
        self._transport = transport
        self._entries: dict[str, deque[Entry]] | None = None
        self._lock = threading.Lock()

    def client(self, **options: Any) -> Anthropic:
        """Return a client that sends through this; the options are those of `Anthropic`.

        While replaying it needs no key, and does not wait between attempts.
        """
        if self.replays:
            return sync_client(self, FakeClock(), {"api_key": _NO_KEY, **options})
        return Anthropic(http_client=httpx.Client(transport=self), **options)

    def async_client(self, **options: Any) -> AsyncAnthropic:
        """Return a client that sends through this; see `client`."""
        if self.replays:
            return async_client(self, FakeClock(), {"api_key": _NO_KEY, **options})
        return AsyncAnthropic(http_client=httpx.AsyncClient(transport=self), **options)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if self.replays:
            return self._replayed(request)
        if self._transport is None:
            self._transport = httpx.HTTPTransport()
        recording = self._begin(request)
        try:
            response = cast("httpx.BaseTransport", self._transport).handle_request(request)
        except httpx.TransportError as error:
            recording.fail(error)
            raise
        return recording.response(response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if self.replays:
            return self._replayed(request)
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport()
        recording = self._begin(request)
        try:
            response = await cast("httpx.AsyncBaseTransport", self._transport).handle_async_request(request)
        except httpx.TransportError as error:
            recording.fail(error)
            raise
        return recording.response(response)

    def close(self) -> None:
        """Close the transport that is sent with."""
        if self._transport is not None:
            cast("httpx.BaseTransport", self._transport).close()

    async def aclose(self) -> None:
        """Close the transport that is sent with."""
        if self._transport is not None:
            await cast("httpx.AsyncBaseTransport", self._transport).aclose()

    def _begin(self, request: httpx.Request) -> _Recording:
        request.headers["accept-encoding"] = "identity"
        return _Recording(request, self._tape.path, self._save)

    def _save(self, entry: Entry) -> None:
        with self._lock:
            self._tape.append(entry)

    def _replayed(self, request: httpx.Request) -> httpx.Response:
        asked = Removal(request).value(request_entry(request))
        with self._lock:
            if self._entries is None:
                self._entries = self._tape.load()
            entries = self._entries.get(request_key(asked))
            if not entries:
                raise NotRecordedError(
                    f"{self._tape.path} holds no reply{' more' if entries is not None else ''} to "
                    f"{asked['method']} {asked['target']} with the body {asked['body']!r}"
                )
            entry = entries.popleft()
        reply = entry.get("response")
        if reply is None:
            raise _error(entry.get("error", {}), request)
        headers = [(name, value) for name, value in reply["headers"]]
        return httpx.Response(reply["status"], headers=headers, stream=_Replayed(reply, request))


class _Recording:
    """One exchange that is being recorded."""

    def __init__(self, request: httpx.Request, path: Path, save: Callable[[Entry], None]) -> None:
        self._removal = Removal(request)
        self._path = path
        self._save = save
        self._saved = False
        self._entry: Entry = {"request": request_entry(request)}
        self._body: list[bytes] = []

    def fail(self, error: httpx.TransportError) -> None:
        """Note that no reply came."""
        self._entry["error"] = _described(error)
        self._finish()

    def response(self, response: httpx.Response) -> httpx.Response:
        """Note the head of the reply, and return the reply with a body that is noted as it is read."""
        encoded = "content-encoding" in response.headers
        self._decoder = Decoder(response.headers["content-encoding"]) if encoded else None
        headers = [
            [name.decode("latin-1"), value.decode("latin-1")]
            for name, value in response.headers.raw
            if name.lower() not in (b"set-cookie", *(_OF_THE_ENCODING if encoded else ()))
        ]
        self._entry["response"] = {"status": response.status_code, "headers": headers, "body": []}
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Recorded(response.stream, self),
            extensions=response.extensions,
        )

    def add(self, piece: bytes) -> None:
        """Note a piece of the body."""
        self._body.append(piece)

    def end(self, how: str | dict[str, str] | None = None) -> None:
        """Note the end of the body: None where it is whole."""
        if not self._saved and how is not None and (reply := self._entry.get("response")) is not None:
            reply["end"] = how
        self._finish()

    def _finish(self) -> None:
        if self._saved:
            return
        self._saved = True
        entry = self._removal.value(self._entry)
        if (reply := entry.get("response")) is not None:
            reply["body"] = [shown(piece) for piece in self._removal.pieces(self._decoded())]
            if self._removal.left_in(json.dumps(reply, ensure_ascii=False)):
                raise self._refusal("the reply holds what a credential says that is too short to be removed")
        self._save(entry)

    def _decoded(self) -> list[bytes]:
        """Return the body's pieces as they are stored: a key that is compressed cannot be found."""
        if self._decoder is None:
            return self._body
        if self._decoder.unknown:
            raise self._refusal(f"nothing is installed that decodes {', '.join(self._decoder.unknown)}")
        pieces, count = [], 0
        try:
            for piece in self._body:
                parts = []
                for part in self._decoder.decode(piece):
                    parts.append(part)
                    count += len(part)
                    if count > MAX_REPLY_BYTES:
                        raise self._refusal(f"the reply is larger than {MAX_REPLY_BYTES} bytes")
                pieces.append(b"".join(parts))
        except httpx.DecodingError as error:
            raise self._refusal(f"the reply cannot be decoded: {error}") from error
        return pieces

    def _refusal(self, why: str) -> ValueError:
        return ValueError(f"{self._path}: not recorded, as no key may get into the file: {why}")


class _Recorded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is noted while it is read."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, recording: _Recording) -> None:
        self._stream = stream
        self._recording = recording

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in cast("httpx.SyncByteStream", self._stream):
                self._recording.add(piece)
                yield piece
        except httpx.TransportError as error:
            self._recording.end(_described(error))
            raise
        self._recording.end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in cast("httpx.AsyncByteStream", self._stream):
                self._recording.add(piece)
                yield piece
        except httpx.TransportError as error:
            self._recording.end(_described(error))
            raise
        self._recording.end()

    def close(self) -> None:
        self._recording.end(LEFT)
        cast("httpx.SyncByteStream", self._stream).close()

    async def aclose(self) -> None:
        self._recording.end(LEFT)
        await cast("httpx.AsyncByteStream", self._stream).aclose()


class _Replayed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A recorded body, in the pieces in which it came."""

    def __init__(self, reply: ReplyEntry, request: httpx.Request) -> None:
        self._reply = reply
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._reply["body"]:
            yield hidden(piece)
        end = self._reply.get("end")
        if end == LEFT:
            raise httpx.ReadError("The recording ends here: its reader left.", request=self._request)
        if isinstance(end, dict):
            raise _error(end, self._request)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def _described(error: httpx.TransportError) -> dict[str, str]:
    known = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in ERRORS)
    return {"type": known, "message": str(error)}


def _error(description: dict[str, str], request: httpx.Request) -> httpx.TransportError:
    return ERRORS[description["type"]](description["message"], request=request)
