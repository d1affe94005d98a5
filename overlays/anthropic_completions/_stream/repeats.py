"""Read a chunk that differs from the first of its stream in its text alone, as nearly all do."""

from __future__ import annotations

from json import JSONDecoder
from typing import TYPE_CHECKING, NamedTuple

from .._contract.completion import Completion
from .._http.failures import parse_json
from .shapes import is_chunk

if TYPE_CHECKING:
    import httpx

    from .._contract.schema import JSONObject

_BEFORE = '"completion":"'
_ALWAYS_THERE = {"id", "completion", "model", "stop_reason", "type"}
_NESTED = {dict, list}
# Reads one JSON value within a text, and returns it and where it ends.
_read_at = JSONDecoder().raw_decode


class Pattern(NamedTuple):
    """A chunk's data without its text.

    Data that begins and ends alike, with a JSON string between, is the same object but for that string:
    it needs neither to be read as a whole nor to be checked.

    Attributes:
        before: What comes before the text, its opening quote included.
        after: What comes after the text and its closing quote.
        start: Where the text's opening quote is.
        chunk: A chunk like it, which nobody else has.
    """

    before: str
    after: str
    start: int
    chunk: Completion

    def chunk_of(self, data: str) -> Completion | None:
        """Return the chunk that an event's data is; None where more than the text differs, or may."""
        before, after, start, chunk = self
        if not (data.startswith(before) and data.endswith(after)):
            return None
        try:
            text, end = _read_at(data, start)
        except ValueError:
            return None
        return chunk._sibling(text) if end + len(after) == len(data) else None


def pattern_of(data: str, fields: JSONObject, headers: httpx.Headers) -> Pattern | None:
    """Return the pattern of a chunk, or None where nothing can be told of others that look alike.

    Args:
        data: The event's data.
        fields: What it is, read as JSON; they are kept.
        headers: The reply's headers.
    """
    start = data.find(_BEFORE) + len(_BEFORE) - 1
    usual = is_chunk(fields) and fields.keys() >= _ALWAYS_THERE and fields["stop_reason"] is None
    if not usual or start < len(_BEFORE) - 1:
        return None
    text, end = _read_at(data, start)
    # With more text in that place, the chunk is to have more text: the place might be one of a deeper object.
    changed = parse_json(f"{data[: end - 1]}.{data[end - 1 :]}")
    fields["completion"] = f"{text}."
    if changed != fields or not _NESTED.isdisjoint(map(type, fields.values())):
        return None
    fields["completion"] = ""  # which may be large, and each repeat has its own
    return Pattern(data[: start + 1], data[end:], start, Completion._of_own(fields, headers))
