"""Translate the events of a Messages stream into completion events, and keep the whole message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._beginnings import Answer
from ._replies import UntranslatableMessageError, block_text, ending, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._contract.schema import JSONObject

    Event = tuple[str, JSONObject]

# The field of a block that a kind of delta adds to. Whatever else comes adds to none.
_DELTA_FIELDS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "compaction_delta": ("compaction", "content"),
}


class StreamTranslator:
    """Turn the events of a Messages stream into those of a completion stream, one by one.

    Attributes:
        followed: Whether the answer begins with `beginning`; None while that is not decided, or where none
            was given.

    Args:
        leading_space: As for `to_completion`.
        beginning: As for `to_completion`. While it is not decided whether the answer begins with it, its
            text is held back.
        max_tokens: As for `to_completion`.
    """

    def __init__(
        self, *, leading_space: bool = True, beginning: str = "", max_tokens: int | None = None
    ) -> None:
        self._answer = Answer(leading_space=leading_space, beginning=beginning)
        self._max_tokens = max_tokens
        self._start: JSONObject = {}
        self._blocks: dict[int, _Block] = {}
        self._end: JSONObject = {}
        self._has_text = False

    @property
    def followed(self) -> bool | None:
        return self._answer.followed

    @property
    def begun(self) -> bool:
        """Whether something of the message has come."""
        return bool(self._start or self._blocks)

    def feed(self, event: str, data: Mapping[str, object]) -> list[Event]:
        """Return the events that one event stands for: none or one.

        Pings and errors are passed on as they are. Unknown events are left out, as the API demands.

        Args:
            event: The event's name.
            data: Its data, the decoded JSON object.

        Raises:
            UntranslatableMessageError: The message has no counterpart; what came of it is in `reply`.
        """
        if event in ("ping", "error"):
            return [(event, dict(data))]
        if event == "message_start":
            self._begin(self._part(data, "message"))
        elif event == "content_block_start":
            block = self._part(data, "content_block")
            self._blocks[_place(data, len(self._blocks))] = _Block(block)
            if block.get("type") == "fallback" and isinstance(to := block.get("to"), dict) and "model" in to:
                self._start["model"] = field(to, "model", str, self.message)
            return self._text_chunk(block_text(block, self.message))
        elif event == "content_block_delta":
            return self._text_chunk(self._delta(_place(data, -1), self._part(data, "delta")))
        elif event == "message_delta":
            delta = self._part(data, "delta")
            self._end |= delta
            if isinstance(usage := data.get("usage"), dict):
                earlier = self._start.get("usage")
                self._start["usage"] = {**earlier, **usage} if isinstance(earlier, dict) else usage
            if delta.get("stop_reason") is not None:
                return self._last_chunk()
        return []

    def message(self) -> JSONObject:
        """Return the message so far, as a plain reply would have it.

        It is put together when it is asked for: that takes the longer the more has come.
        """
        content = [block.whole() for block in self._blocks.values()]
        return {**self._start, "content": content, **self._end}

    def _begin(self, message: Mapping[str, object]) -> None:
        if self._start:
            raise UntranslatableMessageError(
                "the stream begins a second message", reason="malformed", reply=self.message()
            )
        self._start = dict(message)
        for name in ("id", "model"):
            field(self._start, name, str, self.message)

    def _delta(self, index: int, delta: Mapping[str, object]) -> str:
        kind = delta.get("type")
        if not isinstance(kind, str) or kind not in _DELTA_FIELDS:
            return ""
        block_type, name = _DELTA_FIELDS[kind]
        if (block := self._blocks.get(index)) is None:
            block = self._blocks[index] = _Block({"type": block_type})
        if kind != "text_delta":
            block.add(name, delta.get(name))
            return ""
        text = field(delta, name, str, self.message)
        block.add(name, text)
        return text

    def _text_chunk(self, text: str) -> list[Event]:
        self._has_text = self._has_text or bool(text)
        out = self._answer.feed(text) if text else ""
        return [self._chunk(out, None, None)] if out else []

    def _last_chunk(self) -> list[Event]:
        stop_reason, stop = ending(self._end, self.message, self._has_text, self._max_tokens)
        return [self._chunk(self._answer.end(), stop_reason, stop)]

    def _chunk(self, text: str, stop_reason: str | None, stop: str | None) -> Event:
        fields: JSONObject = {"type": "completion"}
        if "id" in self._start:
            fields["id"] = self._start["id"]
        fields |= {"completion": text, "stop_reason": stop_reason}
        if "model" in self._start:
            fields["model"] = self._start["model"]
        return "completion", {**fields, "stop": stop}

    def _part(self, data: Mapping[str, object], name: str) -> JSONObject:
        part: JSONObject = field(data, name, dict, self.message)
        return part


def _place(data: Mapping[str, object], otherwise: int) -> int:
    index = data.get("index")
    return index if isinstance(index, int) else otherwise


class _Block:
    """A block of content in the making: what it began with, and the pieces of its texts."""

    def __init__(self, start: Mapping[str, object]) -> None:
        self._start = start
        self._pieces: dict[str, list[str]] = {}

    def add(self, name: str, piece: object) -> None:
        if isinstance(piece, str):
            self._pieces.setdefault(name, []).append(piece)

    def whole(self) -> JSONObject:
        block = dict(self._start)
        for name, pieces in self._pieces.items():
            begun = block.get(name)
            block[name] = "".join([begun if isinstance(begun, str) else "", *pieces])
        return block
