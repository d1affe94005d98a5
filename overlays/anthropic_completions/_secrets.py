"""Hold credentials so that no repr shows them."""

from __future__ import annotations

import re
import traceback
from functools import lru_cache
from typing import TypeVar

V = TypeVar("V")

REDACTED = "[redacted]"
# Gateways take their keys in headers of many names.
_SECRET_NAME = re.compile("auth|cookie|credential|key|password|secret|token", re.IGNORECASE)


class Secret:
    """A key or token. Its text is in no repr, and not in `vars` of what holds it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({REDACTED!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Headers(dict[str, V]):
    """Headers whose repr leaves out the values that may be credentials."""

    def __repr__(self) -> str:
        return repr({name: REDACTED if is_secret(name) else value for name, value in self.items()})


class QueryDefaults(dict[str, V]):
    """Parameters of the query whose repr leaves out the values: gateways take keys there."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, REDACTED))


def clear_locals(error: BaseException) -> None:
    """Empty the local variables of the frames that an error and what led to it went through.

    Those of an HTTP library hold requests as they are sent, and reports of errors may show local variables.
    """
    waiting, seen = [error], set[int]()
    while waiting:
        reached = waiting.pop()
        if id(reached) not in seen:
            seen.add(id(reached))
            traceback.clear_frames(reached.__traceback__)
            waiting += [led for led in (reached.__cause__, reached.__context__) if led is not None]


@lru_cache
def is_secret(name: str) -> bool:
    """Tell by its name whether a header may carry a credential."""
    return _SECRET_NAME.search(name) is not None


def secret(name: str, text: object) -> Secret | None:
    """Return a key or token as a secret, after a check that a header can carry it.

    Raises:
        TypeError, ValueError: It cannot; the message does not repeat it.
    """
    if text is None or isinstance(text, Secret):
        return text
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a string, got a value of type {type(text).__name__}")
    for position, character in enumerate(text):
        if not "!" <= character <= "~":
            what = "white space" if character.isspace() else "a control or non-ASCII character"
            where = "at its end" if position == len(text.rstrip()) else f"at position {position}"
            raise ValueError(f"{name}: expected visible ASCII characters only, got {what} {where}")
    if not text:
        raise ValueError(f"{name}: expected a key, got an empty string")
    return Secret(text)
