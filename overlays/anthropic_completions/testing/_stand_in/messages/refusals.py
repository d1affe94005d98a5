"""Refuse requests of the right form as the service does, in its words where they are known.

Which models refuse what is in the contract, see `models.MessagesSupport`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text import words
from . import thinking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....models import MessagesSupport
    from .shapes import Content, MessagesRequest

# The only value of top_p that the newest models are known to take.
_TAKEN_TOP_P = 0.99


def refusals(request: MessagesRequest, model: str, support: MessagesSupport) -> Iterator[str]:
    """Yield what is refused of a request, the first being what the service says.

    Args:
        request: The request, of the right form.
        model: The model's full name.
        support: What it takes.
    """
    yield from _of_messages(request, support)
    if not all(sequence.strip() for sequence in request.get("stop_sequences") or ()):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    yield from thinking.refusals(request, model, support)
    yield from _of_sampling(request, support)
    yield from _of_sizes(request, support)


def texts(content: Content) -> list[str]:
    """Return the texts of a message, or of `system`."""
    return [content] if isinstance(content, str) else [block["text"] for block in content]


def _of_messages(request: MessagesRequest, support: MessagesSupport) -> Iterator[str]:
    messages = request["messages"]
    if not messages:
        yield "messages: at least one message is required"
        return
    if messages[0]["role"] != "user":
        yield 'messages: first message must use the "user" role'
    contents: list[tuple[str, Content]] = [("messages", one["content"]) for one in messages]
    contents += [("system", request["system"])] if "system" in request else []
    for where, content in contents:
        for text in texts(content) or [""]:
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
        last = "".join(texts(messages[-1]["content"]))
        if last != last.rstrip():
            yield "messages: final assistant content cannot end with trailing whitespace"


def _of_sampling(request: MessagesRequest, support: MessagesSupport) -> Iterator[str]:
    if support.sampling == "one":
        if request.get("top_p") == -1:
            yield "`top_p` cannot be set to -1 for this model."
        if {"temperature", "top_p"} <= request.keys():
            yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    if support.sampling == "none":
        taken = {"temperature": 1, "top_p": _TAKEN_TOP_P}
        for name in ("temperature", "top_k", "top_p"):
            if name in request and request.get(name) != taken.get(name):
                yield f"`{name}` is deprecated for this model."
        if {"temperature", "top_p"} <= request.keys():
            yield "`top_p` is deprecated for this model."
    elif thinking.thinks(request, support) and request.get("temperature", 1) != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."


def _of_sizes(request: MessagesRequest, support: MessagesSupport) -> Iterator[str]:
    most, asked = support.max_tokens, request["max_tokens"]
    if most is not None and asked > most:
        yield (
            f"max_tokens: {asked} > {most}, which is the maximum allowed number of output tokens "
            f"for {request['model']}"
        )
    said = [one["content"] for one in request["messages"]] + [request.get("system", "")]
    length = sum(len(words(text)) for content in said for text in texts(content))
    if support.context is not None and length > support.context:
        yield f"prompt is too long: {length} tokens > {support.context} maximum"
