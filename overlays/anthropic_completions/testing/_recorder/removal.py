"""Remove the credentials of a request from what is stored, in each encoding that they may come in. Pure."""

from __future__ import annotations

import base64
import json
import re
from html import escape
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote, quote_plus

from ..._errors import HIDDEN_PARAMETERS
from ..._secrets import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

T = TypeVar("T")

REMOVED = "[removed]"
# A shorter text would be found in many a word.
_SHORTEST = 8


class Removal:
    """Removes the credentials of one request.

    Args:
        request: The request, as it is sent.
    """

    def __init__(self, request: httpx.Request) -> None:
        found = _credentials(request)
        long = {text for text in found if len(text) >= _SHORTEST}
        self._short = sorted(found - long)
        # The longest first, since one may hold another.
        forms = {form for text in long for form in _forms(text)}
        self._forms = sorted(forms, key=len, reverse=True)

    def value(self, value: T) -> T:
        """Return a JSON value without the credentials, wherever they stand in its texts."""
        return cast(T, self._without(value))

    def _without(self, value: object) -> object:
        if isinstance(value, str):
            for form in self._forms:
                value = value.replace(form, REMOVED)
            return value
        if isinstance(value, list):
            return [self._without(item) for item in value]
        if isinstance(value, dict):
            return {self._without(name): self._without(item) for name, item in value.items()}
        return value

    def pieces(self, pieces: list[bytes]) -> list[bytes]:
        """Return the pieces of a body without the credentials.

        A credential may begin in one piece and end in a later one. It is replaced where it begins.
        """
        for form in self._forms:
            pieces = _cut(pieces, form.encode())
        return pieces

    def left_in(self, text: str) -> bool:
        """Tell whether a credential that is too short to be removed stands in a text."""
        return any(short in text for short in self._short)


def _credentials(request: httpx.Request) -> set[str]:
    found: set[str] = set()
    for name, value in request.headers.items():
        if is_secret(name):
            _, _, token = value.partition(" ")  # after a scheme, such as Bearer
            found |= {value, token, *value.split("; ")}
            found |= set(_of_basic(value, token))
    hidden = request.extensions.get(HIDDEN_PARAMETERS) or ()
    for name, value in request.url.params.multi_items():
        if is_secret(name) or (name in hidden and len(value) >= _SHORTEST):
            found.add(value)
    return found - {""}


def _of_basic(value: str, token: str) -> Iterable[str]:
    """Return the password of a header with a user's name and password."""
    if value.lower().startswith("basic "):
        try:
            yield base64.b64decode(token).decode().partition(":")[2]
        except ValueError:
            return


def _forms(text: str) -> set[str]:
    """Return a text as it may stand in other texts: as it is, escaped, percent-encoded, in base64, in hex."""
    data = text.encode()
    forms = {
        text,
        json.dumps(text)[1:-1],
        json.dumps(text)[1:-1].replace("/", "\\/"),
        escape(text),
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
        re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
        data.hex(),
        data.hex().upper(),
    }
    # Within the base64 of a longer text it stands in one of three ways; the characters at its ends hold bits
    # of its neighbours.
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data)
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        inner = whole[first:last].decode()
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms


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
