"""Types of arguments and results, under the names that the old client gave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .completion_create_params import (
    AnthropicBetaParam,
    CompletionCreateParams,
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
    MetadataParam,
    Model,
    ModelParam,
)

if TYPE_CHECKING:
    from .._contract.completion import Completion as Completion

__all__ = [
    "AnthropicBetaParam",
    "Completion",
    "CompletionCreateParams",
    "CompletionCreateParamsNonStreaming",
    "CompletionCreateParamsStreaming",
    "MetadataParam",
    "Model",
    "ModelParam",
]


def __getattr__(name: str) -> Any:
    # The result is a generated model, whose package loads httpx; it is loaded when it is asked for.
    if name == "Completion":
        from .._contract.completion import Completion

        return Completion
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
