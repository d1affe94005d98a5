"""Findings: the uses of the old client, and what to do about each."""

from __future__ import annotations

from typing import NamedTuple

CONSTANTS = ("AI_PROMPT", "HUMAN_PROMPT")
TYPES = frozenset(
    {
        "Completion",
        "CompletionCreateParams",
        "CompletionCreateParamsNonStreaming",
        "CompletionCreateParamsStreaming",
    }
)
RESOURCES = frozenset(
    {
        "AsyncCompletions",
        "AsyncCompletionsWithRawResponse",
        "AsyncCompletionsWithStreamingResponse",
        "Completions",
        "CompletionsWithRawResponse",
        "CompletionsWithStreamingResponse",
    }
)
# What users of completions import, by the module that has it.
LEGACY = {
    "anthropic": frozenset(CONSTANTS),
    "anthropic.types": TYPES,
    "anthropic.resources": RESOURCES,
}
# Modules that are all about completions, and where to find here what they hold.
MODULES = {
    "anthropic.resources.completions": "anthropic_completions.resources.completions",
    "anthropic.types.completion": "anthropic_completions.types",
    "anthropic.types.completion_create_params": "anthropic_completions.types.completion_create_params",
}
# Functions of the package that counted tokens, and the modules that had them.
TOKENIZERS = frozenset({"count_tokens", "get_tokenizer"})
TOKENIZER_MODULES = frozenset({"anthropic", "anthropic.tokenizer", "anthropic._tokenizers"})

NO_TOKENIZER = "it has no counterpart; the Messages API has an endpoint for it"
# Methods of clients that were removed before `completions` was.
OLD_METHODS = {
    **dict.fromkeys(
        ("acompletion", "acompletion_stream", "completion", "completion_stream"),
        "use client.completions.create of anthropic_completions",
    ),
    **dict.fromkeys(TOKENIZERS, NO_TOKENIZER),
}
# Errors that both packages have, by the same names.
ERRORS = frozenset(
    {
        "APIConnectionError",
        "APIError",
        "APIResponseValidationError",
        "APIStatusError",
        "APITimeoutError",
        "AnthropicError",
        "AuthenticationError",
        "BadRequestError",
        "ConflictError",
        "DeadlineExceededError",
        "InternalServerError",
        "NotFoundError",
        "OverloadedError",
        "PermissionDeniedError",
        "RateLimitError",
        "RequestTooLargeError",
        "ServiceUnavailableError",
        "UnprocessableEntityError",
    }
)
ERROR_MODULES = frozenset({"anthropic", "anthropic._exceptions"})

USE_CLIENT = "make the client with anthropic_completions.Anthropic; the rest stays as it is"
MARKER = (
    "build prompts with anthropic_completions.prompts, or convert them with "
    "anthropic_completions.messages.to_messages_request"
)
ENDPOINT = "call anthropic_completions.Anthropic().completions.create in place of the path"
BODY = (
    "pass the body to anthropic_completions.Anthropic().completions.create, or convert it with "
    "anthropic_completions.messages.to_messages_request"
)


class Finding(NamedTuple):
    """One use of the old client.

    Attributes:
        file: The name of the source.
        line: Its line, from 1; in a notebook the line of the cell.
        column: Its column in characters, from 1.
        what: What is used, such as `from anthropic import HUMAN_PROMPT`.
        advice: What to do about it.
        cell: The number of the notebook's cell, from 1, all kinds of cells counted. None outside notebooks.
    """

    file: str
    line: int
    column: int
    what: str
    advice: str
    cell: int | None = None

    def __str__(self) -> str:
        cell = "" if self.cell is None else f"cell {self.cell}:"
        return f"{self.file}:{cell}{self.line}:{self.column}: {self.what}: {self.advice}"


def advice_on(module: str) -> str:
    """Say where to find here what the old client has in a module."""
    here = MODULES.get(module) or module.replace("anthropic", "anthropic_completions", 1)
    return f"take it from {here} instead"


def advice_on_error(name: str) -> str:
    """Say what to catch in the place of an error of the old client."""
    return f"completions of this package raise other classes; catch anthropic_completions.{name} (as well)"
