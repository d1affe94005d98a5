"""Read and write recordings: exchanges as readable JSON, with no key in them."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from ..._secrets import is_secret

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    Entry = dict[str, Any]

REMOVED = "[removed]"
# The headers of a request that say what was asked; no other is stored.
_KEPT_HEADERS = ("anthropic-version", "anthropic-beta", "content-type")
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:key|token|secret|auth|sig|pass)[^=&]*=)[^&]*", re.IGNORECASE)
_TAIL = b"\n]\n"


def request_entry(request: httpx.Request) -> Entry:
    """Return what is stored of a request."""
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    body: Any
    try:
        body = json.loads(request.content)
    except ValueError:
        body = shown(request.content)
    target = _SECRET_PARAMETER.sub(rf"\g<1>{REMOVED}", request.url.raw_path.decode("ascii"))
    return {"method": request.method, "target": target, "headers": headers, "body": body}


def request_key(entry: Entry) -> str:
    """Return what two requests have in common that are the same."""
    return json.dumps(entry, sort_keys=True)


def without_secrets(value: Any, request: httpx.Request) -> Any:
    """Return a JSON value without the request's credentials, wherever they stand in its texts."""
    return _replaced(value, _secrets_of(request))


def written(pieces: list[bytes], request: httpx.Request) -> list[Any]:
    """Return a body's pieces as they are stored, without the request's credentials.

    A credential may begin in one piece and end in a later one. It is replaced where it begins.
    """
    for secret in _secrets_of(request):
        pieces = _cut(pieces, secret.encode())
    return [shown(piece) for piece in pieces]


def _secrets_of(request: httpx.Request) -> list[str]:
    """Return the credentials of a request, the longest first, since one may hold another."""
    found = set()
    for name, value in request.headers.items():
        if is_secret(name):
            _, _, token = value.partition(" ")  # after a scheme, such as Bearer
            found |= {value, token, *value.split("; ")}
    # What is shorter is no credential and would be found in many a word.
    return sorted((text for text in found if len(text) >= 8), key=len, reverse=True)


def _cut(pieces: list[bytes], secret: bytes) -> list[bytes]:
    whole = b"".join(pieces)
    places = [match.span() for match in re.finditer(re.escape(secret), whole)]
    result, start = [], 0
    for piece in pieces:
        at, end, kept = start, start + len(piece), b""
        for first, last in places:
            if at < last and first < end:
                kept += whole[at : max(at, first)] + (REMOVED.encode() if first >= start else b"")
                at = min(last, end)
        result.append(kept + whole[at:end])
        start = end
    return result


def _replaced(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, REMOVED)
        return value
    if isinstance(value, list):
        return [_replaced(item, secrets) for item in value]
    if isinstance(value, dict):
        return {_replaced(name, secrets): _replaced(item, secrets) for name, item in value.items()}
    return value


def shown(data: bytes) -> Any:
    """Return bytes as text, or in base64 where they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def hidden(value: Any) -> bytes:
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

    def append(self, entry: Entry) -> None:
        """Add an entry. The first one of a tape begins the file anew."""
        text = json.dumps(entry, ensure_ascii=False, indent=1).encode()
        if self._end is None:
            self.path.write_bytes(b"[\n" + text + _TAIL)
            self._end = 2 + len(text)
            return
        with self.path.open("r+b") as file:
            file.seek(self._end)
            file.write(b",\n" + text + _TAIL)
        self._end += 2 + len(text)

    def load(self) -> dict[str, deque[Entry]]:
        """Return the entries, those of the same request in order, by `request_key`.

        Raises:
            OSError: There is no such file.
            ValueError: The file is no recording.
        """
        entries: dict[str, deque[Entry]] = defaultdict(deque)
        try:
            for entry in json.loads(self.path.read_bytes()):
                entries[request_key(entry["request"])].append(entry)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.path} is no recording: {error}") from None
        return entries
