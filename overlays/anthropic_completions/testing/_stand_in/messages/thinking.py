"""Thinking: whether a model thinks before it answers, and the blocks that show it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....models import MessagesSupport
    from ..dialects import Event
    from .shapes import Block, MessagesRequest, OutputConfig, Thinking

# What asks for thinking, and what switches it off.
_ON = ("adaptive", "enabled")
_SUMMARY = "The question is repeated."
# Efforts with which thinking cannot be switched off, and a model with which it can all the same (documented).
_HIGH_EFFORTS = ("xhigh", "max")
_OFF_AT_ANY_EFFORT = "claude-sonnet-5"
_PREVIEW = "claude-mythos-preview"
_ADVICE = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'


def thinks(request: MessagesRequest, support: MessagesSupport) -> bool:
    """Tell whether a model thinks before it answers a request."""
    kind = _asked(request).get("type")
    return kind in _ON if kind else support.thinking in ("on", "always")


def block_of(request: MessagesRequest, support: MessagesSupport, number: int) -> Block:
    """Return the block in front of the text: with a signature, and empty where models leave it so."""
    display = _asked(request).get("display")
    shown = display == "summarized" or (display is None and support.sampling != "none")
    signature = b64encode(b"signature %d" % number).decode()
    return {"type": "thinking", "thinking": _SUMMARY if shown else "", "signature": signature}


def events_of(block: Block, index: int) -> Iterator[Event]:
    """Yield the events of a stream that say what a block says, but for its beginning and end."""
    deltas: list[dict[str, str]] = [{"type": "signature_delta", "signature": block.get("signature", "")}]
    if text := block.get("thinking"):
        deltas.insert(0, {"type": "thinking_delta", "thinking": text})
    for delta in deltas:
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}


def refusals(request: MessagesRequest, model: str, support: MessagesSupport) -> Iterator[str]:
    """Yield what the service says against `thinking` and `output_config`.

    Args:
        request: The request, of the right form.
        model: The model's full name.
        support: What it takes.
    """
    thinking = _asked(request)
    kind = thinking.get("type")
    config: OutputConfig = request.get("output_config") or {}
    effort = config.get("effort")
    if kind == "disabled" and support.off_switch == "between_tools":
        yield (
            'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of '
            '{"type": "disabled"}. The model does not think before responding. The short updates it writes '
            "between tool calls come back as thinking blocks."
        )
    elif kind == "disabled" and support.thinking == "always":
        yield f'"thinking.type.disabled" is not supported for this model. {_advice(model)}'
    if kind == "between_tools" and support.thinking and support.off_switch != "between_tools":
        yield '"thinking.type.between_tools" is not supported for this model.'
    if kind == "enabled" and support.sampling == "none" and model != _PREVIEW:
        yield f'"thinking.type.enabled" is not supported for this model. {_ADVICE}'
    if kind == "enabled" and thinking.get("budget_tokens", 0) >= request["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if kind == "adaptive" and support.prefill:
        yield "adaptive thinking is not supported on this model"
    if effort and support.thinking and support.effort is None:
        yield "This model does not support the effort parameter."
    if effort and support.effort and effort not in support.effort.levels:
        yield f"output_config.effort: this model supports {', '.join(support.effort.levels)}; got {effort}"
    if (
        effort in _HIGH_EFFORTS
        and kind in ("disabled", "between_tools")
        and support.thinking == "on"
        and model != _OFF_AT_ANY_EFFORT
    ):
        yield (
            f"output_config.effort '{effort}' is not supported when thinking is disabled on this model. "
            "Use effort 'high' or below, or enable thinking."
        )


def _asked(request: MessagesRequest) -> Thinking:
    return request.get("thinking") or {}


def _advice(model: str) -> str:
    if model != _PREVIEW:
        return _ADVICE
    return (
        'Thinking defaults to adaptive mode when not specified; use "thinking.type.enabled" with '
        '"budget_tokens" for extended thinking.'
    )
