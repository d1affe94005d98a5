"""Read and write recordings: exchanges as readable JSON, with no key in them."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NotRequired, TypedDict

import httpx

from .removal import REMOVED

if TYPE_CHECKING:
    from pathlib import Path

    Piece = str | dict[str, str]


class RequestEntry(TypedDict):
    """What is stored of a request."""

    method: str
    target: str
    headers: dict[str, str]
    body: object


class ReplyEntry(TypedDict):
    """What is stored of a reply.

    Attributes:
        end: How the body ended; None where it is whole.
    """

    status: int
    headers: list[list[str]]
    body: list[Piece]
    end: NotRequired[str | dict[str, str] | None]


class Entry(TypedDict):
    """What is stored of an exchange: the request, and either the reply or an error."""

    request: RequestEntry
    response: NotRequired[ReplyEntry]
    error: NotRequired[dict[str, str]]


# How a body ends whose reader left.
LEFT = "left"
# The errors that are recorded and raised again, by name.
ERRORS: dict[str, type[httpx.TransportError]] = {
    error.__name__: error
    for error in (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.LocalProtocolError,
        httpx.NetworkError,
        httpx.CloseError,
        httpx.PoolTimeout,
        httpx.ProtocolError,
        httpx.ProxyError,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.TimeoutException,
        httpx.TransportError,
        httpx.UnsupportedProtocol,
        httpx.WriteError,
        httpx.WriteTimeout,
    )
}
# The headers of a request that say what was asked; no other is stored.
_KEPT_HEADERS = ("anthropic-version", "anthropic-beta", "content-type")
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:key|token|secret|auth|sig|pass)[^=&]*=)[^&]*", re.IGNORECASE)
_TAIL = b"\n]\n"


def request_entry(request: httpx.Request) -> RequestEntry:
    """Return what is stored of a request."""
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    body: object
    try:
        body = json.loads(request.content)
    except ValueError:
        body = shown(request.content)
    target = _SECRET_PARAMETER.sub(rf"\g<1>{REMOVED}", request.url.raw_path.decode("ascii"))
    return {"method": request.method, "target": target, "headers": headers, "body": body}


def request_key(entry: RequestEntry) -> str:
    """Return what two requests have in common that are the same."""
    return json.dumps(entry, sort_keys=True)


def shown(data: bytes) -> Piece:
    """Return bytes as text, or in base64 where they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def hidden(value: Piece) -> bytes:
    """Return the bytes that `shown` was given."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


class Tape:
    """A file with the entries of exchanges, a JSON array that grows.

    Args:
        path: Where the file is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end: int | None = None
        self._state: tuple[int, int] | None = None  # of the file, after the last entry

    def append(self, entry: Entry) -> None:
        """Add an entry. The first one of a tape begins the file anew.

        Raises:
            ValueError: Somebody else wrote the file since the last entry.
        """
        text = json.dumps(entry, ensure_ascii=False, indent=1).encode()
        if self._end is None:
            self.path.write_bytes(b"[\n" + text + _TAIL)
            self._end = 2 + len(text)
        else:
            if not self.path.exists() or self._stat() != self._state:
                raise ValueError(
                    f"{self.path} was changed while it is being recorded; give each recorder its own file"
                )
            with self.path.open("r+b") as file:
                file.seek(self._end)
                file.write(b",\n" + text + _TAIL)
            self._end += 2 + len(text)
        self._state = self._stat()

    def _stat(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_size, found.st_mtime_ns

    def load(self) -> dict[str, deque[Entry]]:
        """Return the entries, those of the same request in order, by `request_key`.

        Raises:
            OSError: There is no such file.
            ValueError: The file is no recording, or not the whole of one.
        """
        entries: dict[str, deque[Entry]] = defaultdict(deque)
        try:
            found = json.loads(self.path.read_bytes())
        except ValueError as error:
            raise self._unusable(f"{error}; its recording was interrupted, or it was edited") from None
        if not isinstance(found, list):
            raise self._unusable("expected a list of exchanges")
        for number, entry in enumerate(found, 1):
            if problem := _problem(entry):
                raise self._unusable(f"exchange {number}: {problem}")
            entries[request_key(entry["request"])].append(entry)
        return entries

    def _unusable(self, why: str) -> ValueError:
        return ValueError(f"{self.path} is no recording: {why}. Delete it to record it anew.")


def _problem(entry: object) -> str | None:
    """Return what of an entry is not what a recorder writes, or None."""
    if not isinstance(entry, dict) or not isinstance(entry.get("request"), dict):
        return "expected an object with a request"
    if "error" in entry:
        return _problem_of_error(entry["error"])
    reply = entry.get("response")
    if not isinstance(reply, dict):
        return "expected a response or an error"
    if not isinstance(reply.get("status"), int) or not 100 <= reply["status"] <= 999:
        return f"expected a status, got {reply.get('status')!r}"
    headers, body = reply.get("headers"), reply.get("body")
    if not isinstance(headers, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
        for pair in headers
    ):
        return "expected headers as pairs of strings"
    if not isinstance(body, list) or not all(_is_piece(piece) for piece in body):
        return "expected a body as a list of texts, or of bytes in base64"
    end = reply.get("end")
    return None if end is None or end == LEFT else _problem_of_error(end)


def _problem_of_error(error: object) -> str | None:
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return "expected an error with a type and a message"
    if error.get("type") not in ERRORS:
        return f"expected the name of an error of a transport, got {error.get('type')!r}"
    return None


def _is_piece(piece: object) -> bool:
    if isinstance(piece, dict) and isinstance(piece.get("base64"), str):
        try:
            base64.b64decode(piece["base64"], validate=True)
        except ValueError:
            return False
        return True
    return isinstance(piece, str)
