"""Make up the text of a completion from its prompt, and cut it into pieces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..._contract.generated import find
from ...prompts import AI_PROMPT, HUMAN_PROMPT

if TYPE_CHECKING:
    from .dialects import CompletionRequest

_EXAMPLE = "#/paths/~1v1~1complete/post/requestBody/content/application~1json/examples/smallest/value/prompt"


def completion_of(request: CompletionRequest) -> tuple[str, str, str | None]:
    """Return text, stop reason and stop of the completion of a valid request.

    The API reference's example is answered as there; any other prompt by its last question, said back.
    A token is a word with the white space before it. Of the stop sequences the one that is met first ends
    the text.
    """
    prompt = request["prompt"]
    if prompt == find(_EXAMPLE):
        text = " Hello! My name is Claude."
    else:
        question = f"\n\n{prompt}".rpartition(HUMAN_PROMPT)[2].partition(AI_PROMPT)[0].strip()
        text = f" You said: {question}"
    stop_reason = "stop_sequence"
    stop: str | None = HUMAN_PROMPT
    tokens = words(text)
    # The limit may be a float: JSON does not tell 2.0 from 2.
    if len(tokens) > request["max_tokens_to_sample"]:
        text = "".join(tokens[: int(request["max_tokens_to_sample"])])
        stop_reason, stop = "max_tokens", None
    wanted = request.get("stop_sequences", [])
    met = [(text.index(sequence), sequence) for sequence in wanted if sequence and sequence in text]
    if met:
        at, stop = min(met)
        text, stop_reason = text[:at], "stop_sequence"
    return text, stop_reason, stop


def pieces(text: str, size: int | None) -> list[str]:
    """Return a text in pieces of a number of characters, or of one word where that is None."""
    if size is None:
        return words(text)
    return [text[at : at + size] for at in range(0, len(text), size)]


def words(text: str) -> list[str]:
    """Return the words of a text, each with the white space before it; they add up to the text."""
    return re.findall(r"\s*\S+|\s+\Z", text)
