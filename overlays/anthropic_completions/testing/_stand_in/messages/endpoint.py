"""The part of `/v1/messages` that completions have a counterpart in.

The contract is that of `/v1/complete`; the form that is checked here is written by hand.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from ...._contract.generated import component
from ...._contract.schema import compile_schema
from ...._stream.serving import Fault
from ....messages import to_message_stop
from ....models import lifecycle
from ....prompts import Prompt
from ..text import words
from . import thinking
from .refusals import refusals, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ...._contract.schema import Check, JSONObject, Schema
    from ....models import MessagesSupport
    from ..dialects import Answer, CompletionRequest, Event, Split
    from .shapes import Block, Message, MessagesRequest

# Text, or a list of blocks of it.
_TEXT: Schema = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "text"],
                "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
            },
        },
    ]
}
_MESSAGE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["role", "content"],
    "properties": {"role": {"type": "string", "enum": ["user", "assistant"]}, "content": _TEXT},
}
# The fields of each kind of `thinking`, beside the kind.
_THINKING: dict[str, dict[str, Schema]] = {
    "adaptive": {"display": {"type": "string", "enum": ["omitted", "summarized"]}},
    "enabled": {
        "budget_tokens": {"type": "integer", "minimum": 1024},
        "display": {"type": "string", "enum": ["omitted", "summarized"]},
    },
    "disabled": {},
    "between_tools": {},
}
_EFFORT: Schema = {"type": "string", "enum": ["low", "medium", "high", "xhigh", "max"]}
# Fields that are the same in both APIs.
_SHARED = ("metadata", "model", "stream", "temperature", "top_k", "top_p")
# Fields of blocks that are empty at first in streams.
_FILLED_BY_DELTAS = {"text": ("text",), "thinking": ("thinking", "signature")}


@cache
def _check() -> Check:
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["model", "messages", "max_tokens"],
        "properties": {
            "messages": {"type": "array", "items": _MESSAGE},
            "system": _TEXT,
            "max_tokens": {"type": "integer", "minimum": 1},
            "service_tier": {"type": "string", "enum": ["auto", "standard_only"]},
            "output_config": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"effort": _EFFORT, "format": {}},
            },
            # What the service makes of null is unknown; frameworks send it.
            "stop_sequences": {"anyOf": [{"type": "null"}, _same("stop_sequences")]},
            "thinking": {"type": "object", "required": ["type"]},
            **{name: _same(name) for name in _SHARED},
        },
    }
    return compile_schema(schema, component)


def _same(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/CompletionRequest/properties/{name}"}


@cache
def _check_thinking(kind: str) -> Check:
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "budget_tokens"] if kind == "enabled" else ["type"],
        "properties": {"type": {"type": "string", "enum": [*_THINKING]}, **_THINKING.get(kind, {})},
    }
    return compile_schema(schema, component)


class Messages:
    """`/v1/messages`.

    Args:
        thinking_tokens: How many tokens models think for, where they think.
        like: Names of models, and the models of the contract that they are to behave as.
        reword: Changes the message of each refusal.
    """

    path = "/v1/messages"
    newline = "\n"

    def __init__(
        self, *, thinking_tokens: int, like: Mapping[str, str], reword: Callable[[str], str] | None
    ) -> None:
        self._thinking_tokens = thinking_tokens
        self._like = like
        self._reword = reword

    def fault_of(self, request: object) -> Fault | None:
        violations = _check()(request, "")
        asked = cast("MessagesRequest", request)  # by its form
        if not violations and "thinking" in asked:
            violations = _check_thinking(str(asked["thinking"].get("type")))(asked["thinking"], "thinking")
        if violations:
            return Fault.violation(violations[0])
        name = asked["model"]
        model = lifecycle(self._like.get(name, name))
        if model.snapshot != model.name and model.messages.prefill is None:
            # Of the aliases of the endpoint's own time, such as claude-2, it knows none.
            return Fault.of("not_found_error", f"model: {name}")
        message = next(refusals(asked, model.snapshot, model.messages), None)
        if message is None:
            return None
        return Fault.invalid(self._reword(message) if self._reword else message)

    def _support(self, request: MessagesRequest) -> MessagesSupport:
        return lifecycle(self._like.get(request["model"], request["model"])).messages

    def _thought(self, request: MessagesRequest) -> int:
        """Return how many tokens the model thinks for: they count in `max_tokens`."""
        if not thinking.thinks(request, self._support(request)):
            return 0
        return min(self._thinking_tokens, int(request["max_tokens"]))

    def as_completion(self, request: Mapping[str, object]) -> CompletionRequest:
        asked = cast("MessagesRequest", request)
        turns = [
            {"role": one["role"], "content": "".join(texts(one["content"]))} for one in asked["messages"]
        ]
        if system := asked.get("system"):
            turns.insert(0, {"role": "system", "content": "".join(texts(system))})
        return {
            "model": asked["model"],
            "prompt": str(Prompt.from_turns(turns, allow_markers=True)),
            "max_tokens_to_sample": asked["max_tokens"] - self._thought(asked),
            "stop_sequences": asked.get("stop_sequences") or [],
        }

    def reply(self, request: Mapping[str, object], answer: Answer) -> JSONObject:
        """Return the body of the reply; a word counts as a token."""
        made = cast("MessagesRequest", request)
        continues = made["messages"][-1]["role"] == "assistant"
        text = answer.text if continues else answer.text.removeprefix(" ")
        stop_reason, stop_sequence = to_message_stop(answer.stop_reason, answer.stop)
        asked, thought = words(self.as_completion(request)["prompt"]), self._thought(made)
        content: list[Block] = [{"type": "text", "text": text}] if text else []
        usage: JSONObject = {"input_tokens": len(asked), "output_tokens": len(words(text)) + thought}
        if thought and stop_reason != "refusal":
            content.insert(0, thinking.block_of(made, self._support(made), answer.number))
            usage["output_tokens_details"] = {"thinking_tokens": thought}
        return {
            "id": f"msg_{answer.number:024}",
            "type": "message",
            "role": "assistant",
            "model": lifecycle(made["model"]).snapshot,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": stop_sequence,
            "stop_details": None,
            "usage": usage,
            **answer.more,
        }

    def events(self, reply: Mapping[str, object], split: Split) -> Iterator[Event]:
        message = cast("Message", reply)
        ending = {name: reply[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
        usage = {name: value for name, value in message["usage"].items() if name != "input_tokens"}
        start = {
            **reply,
            "content": [],
            **dict.fromkeys(ending),
            "usage": {"input_tokens": message["usage"]["input_tokens"], "output_tokens": 0},
        }
        yield "message_start", {"type": "message_start", "message": start}
        for index, block in enumerate(message["content"]):
            place = {"index": index}
            empty = dict.fromkeys(_FILLED_BY_DELTAS.get(block["type"], ()), "")
            begun = {"type": "content_block_start", **place, "content_block": {**block, **empty}}
            yield "content_block_start", begun
            if block.get("type") == "thinking":
                yield from thinking.events_of(block, index)
            for text in split(block.get("text", "")) if block.get("type") == "text" else ():
                delta = {"type": "text_delta", "text": text}
                yield "content_block_delta", {"type": "content_block_delta", **place, "delta": delta}
            yield "content_block_stop", {"type": "content_block_stop", **place}
        yield "message_delta", {"type": "message_delta", "delta": ending, "usage": usage}
        yield "message_stop", {"type": "message_stop"}
