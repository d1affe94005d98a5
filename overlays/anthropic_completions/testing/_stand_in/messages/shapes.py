"""The shapes of requests and replies of `/v1/messages`, as far as they are looked at."""

from __future__ import annotations

from typing import Required, TypeAlias, TypedDict


class TextBlock(TypedDict):
    """A block of text in a request."""

    type: str
    text: str


Content: TypeAlias = str | list[TextBlock]


class Turn(TypedDict):
    """A message of a request."""

    role: str
    content: Content


class Thinking(TypedDict, total=False):
    """What a request says of thinking."""

    type: str
    display: str
    budget_tokens: int


class OutputConfig(TypedDict, total=False):
    """What a request says of the output."""

    effort: str


class MessagesRequest(TypedDict, total=False):
    """A request of the right form."""

    model: Required[str]
    messages: Required[list[Turn]]
    max_tokens: Required[int]
    system: Content
    stop_sequences: list[str] | None
    thinking: Thinking
    output_config: OutputConfig
    temperature: float
    top_k: int
    top_p: float


class Block(TypedDict, total=False):
    """A block of a reply: text, or thinking."""

    type: Required[str]
    text: str
    thinking: str
    signature: str


class Message(TypedDict):
    """A reply."""

    content: list[Block]
    usage: dict[str, object]
    stop_reason: str | None
    stop_sequence: str | None
    stop_details: object
