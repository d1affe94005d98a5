"""The part of `/v1/messages` that completions have a counterpart in, and its refusals, as far as known.

The contract is that of `/v1/complete`; what is checked here is written by hand. Which models refuse what is
in the contract, see `models.MessagesSupport`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..._contract.generated import component
from ..._contract.schema import compile_schema
from ...messages import to_message_stop
from ...models import lifecycle
from ...prompts import Prompt
from .dialects import Fault
from .text import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..._contract.schema import Check
    from .dialects import Answer, Event, Split

# Text, or a list of blocks of it.
_TEXT: dict[str, Any] = {
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
_MESSAGE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["role", "content"],
    "properties": {"role": {"type": "string", "enum": ["user", "assistant"]}, "content": _TEXT},
}
# Fields that are the same in both APIs.
_SHARED = ("metadata", "model", "stop_sequences", "stream", "temperature", "top_k", "top_p")


@cache
def _check() -> Check:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["model", "messages", "max_tokens"],
        "properties": {
            "messages": {"type": "array", "items": _MESSAGE},
            "system": _TEXT,
            "max_tokens": {"type": "integer", "minimum": 1},
            "service_tier": {"type": "string", "enum": ["auto", "standard_only"]},
            **{
                name: {"$ref": f"#/components/schemas/CompletionRequest/properties/{name}"}
                for name in _SHARED
            },
        },
    }
    return compile_schema(schema, component)


class Messages:
    """`/v1/messages`."""

    path = "/v1/messages"
    newline = b"\n"

    def fault_of(self, request: Any) -> Fault | None:
        if violations := _check()(request, ""):
            return Fault.violation(violations[0])
        model = lifecycle(request["model"])
        if model.snapshot != model.name and model.messages.prefill is None:
            # Of the aliases of the endpoint's own time, such as claude-2, it knows none.
            return Fault.of("not_found_error", f"model: {model.name}")
        message = next(_refusals(request), None)
        return None if message is None else Fault.invalid(message)

    def as_completion(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        turns = [
            {"role": one["role"], "content": "".join(_texts(one["content"]))} for one in request["messages"]
        ]
        if request.get("system"):
            turns.insert(0, {"role": "system", "content": "".join(_texts(request["system"]))})
        return {
            "model": request["model"],
            "prompt": str(Prompt.from_turns(turns, allow_markers=True)),
            "max_tokens_to_sample": request["max_tokens"],
            "stop_sequences": request.get("stop_sequences", []),
        }

    def reply(self, request: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
        """Return the body of the reply; a word counts as a token."""
        continues = request["messages"][-1]["role"] == "assistant"
        text = answer.text if continues else answer.text.removeprefix(" ")
        stop_reason, stop_sequence = to_message_stop(answer.stop_reason, answer.stop)
        asked = words(self.as_completion(request)["prompt"])
        return {
            "id": f"msg_{answer.number:024}",
            "type": "message",
            "role": "assistant",
            "model": lifecycle(request["model"]).snapshot,
            "content": [{"type": "text", "text": text}] if text else [],
            "stop_reason": stop_reason,
            "stop_sequence": stop_sequence,
            "usage": {"input_tokens": len(asked), "output_tokens": len(words(text))},
            **answer.more,
        }

    def events(self, reply: Mapping[str, Any], split: Split) -> Iterator[Event]:
        ending = {name: reply[name] for name in ("stop_reason", "stop_sequence")}
        start = {
            **reply,
            "content": [],
            **dict.fromkeys(ending),
            "usage": {**reply["usage"], "output_tokens": 0},
        }
        yield "message_start", {"type": "message_start", "message": start}
        for index, block in enumerate(reply["content"]):
            place = {"index": index}
            is_text = block.get("type") == "text"
            begun = {**block, "text": ""} if is_text else block
            yield "content_block_start", {"type": "content_block_start", **place, "content_block": begun}
            for text in split(block["text"]) if is_text else ():
                delta = {"type": "text_delta", "text": text}
                yield "content_block_delta", {"type": "content_block_delta", **place, "delta": delta}
            yield "content_block_stop", {"type": "content_block_stop", **place}
        usage = {"output_tokens": reply["usage"]["output_tokens"]}
        yield "message_delta", {"type": "message_delta", "delta": ending, "usage": usage}
        yield "message_stop", {"type": "message_stop"}


def _refusals(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the service says against a request of the right form, in its own words where known."""
    messages, support = request["messages"], lifecycle(request["model"]).messages
    if not messages:
        yield "messages: at least one message is required"
        return
    if messages[0]["role"] != "user":
        yield 'messages: first message must use the "user" role'
    contents = [("messages", one["content"]) for one in messages]
    contents += [("system", request["system"])] if "system" in request else []
    for where, content in contents:
        for text in _texts(content) or [""]:
            if not text:
                yield f"{where}: text content blocks must be non-empty"
            elif not text.strip():
                yield f"{where}: text content blocks must contain non-whitespace text"
    if messages[-1]["role"] == "assistant":
        if support.prefill is False:
            yield (
                "This model does not support assistant message prefill. "
                "The conversation must end with a user message."
            )
        last = "".join(_texts(messages[-1]["content"]))
        if last != last.rstrip():
            yield "messages: final assistant content cannot end with trailing whitespace"
    if not all(sequence.strip() for sequence in request.get("stop_sequences", ())):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    if support.sampling == "one" and {"temperature", "top_p"} <= request.keys():
        yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    if support.sampling == "none":
        for name in ("temperature", "top_k", "top_p"):
            if name in request and (name, request[name]) != ("temperature", 1):
                yield f"`{name}` is deprecated for this model."


def _texts(content: str | list[dict[str, str]]) -> list[str]:
    return [content] if isinstance(content, str) else [block["text"] for block in content]
