"""The arguments of `create` as typed dicts."""

# Made of openapi.yaml by `make generate`. Do not edit.

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from .._contract.generated import KnownBeta, KnownModel
    from .._options import HeaderValues, NotGiven, Omit, QueryValues

__all__ = [
    "AnthropicBetaParam",
    "CompletionCreateParams",
    "CompletionCreateParamsBase",
    "CompletionCreateParamsNonStreaming",
    "CompletionCreateParamsStreaming",
    "CompletionRequestNonStreaming",
    "CompletionRequestNonStreamingMetadata",
    "CompletionRequestStreaming",
    "CompletionRequestStreamingMetadata",
    "CreateOptions",
    "Metadata",
    "MetadataParam",
    "Model",
    "ModelParam",
]

# Any string besides the known names, which editors complete. Not `"KnownModel | str"`: people write
# `Model | None`, which must also work when it is run.
ModelParam: TypeAlias = Union["KnownModel", str]
AnthropicBetaParam: TypeAlias = Union["KnownBeta", str]
Model: TypeAlias = ModelParam


class MetadataParam(TypedDict, total=False):
    r"""Facts about the request that are not part of the prompt.

    Attributes:
        user_id: Whose request this is, as an opaque identifier such as a UUID or a hash. It may be used to
            detect abuse. No names, mail addresses or telephone numbers. At most 256 characters.
    """

    user_id: str | None


class CompletionCreateParamsBase(TypedDict, total=False):
    """The arguments that both forms share; they mean what the arguments of `create` mean."""

    max_tokens_to_sample: Required[int]
    model: Required[ModelParam]
    prompt: Required[str]
    metadata: MetadataParam
    stop_sequences: Sequence[str]
    temperature: float
    top_k: int
    top_p: float
    betas: Sequence[AnthropicBetaParam]


class CompletionCreateParamsNonStreaming(CompletionCreateParamsBase, total=False):
    """The arguments of a call that returns a `Completion`."""

    stream: Literal[False]


class CompletionCreateParamsStreaming(CompletionCreateParamsBase):
    """The arguments of a call that returns a `Stream`."""

    stream: Required[Literal[True]]


CompletionCreateParams = CompletionCreateParamsNonStreaming | CompletionCreateParamsStreaming
Metadata = MetadataParam
CompletionRequestNonStreaming = CompletionCreateParamsNonStreaming
CompletionRequestNonStreamingMetadata = MetadataParam
CompletionRequestStreaming = CompletionCreateParamsStreaming
CompletionRequestStreamingMetadata = MetadataParam


class CreateOptions(TypedDict, total=False):
    """All keywords of `create` but `stream`, as its overloads take them."""

    max_tokens_to_sample: Required[int]
    model: Required[ModelParam]
    prompt: Required[str]
    metadata: MetadataParam | Omit | NotGiven | None
    stop_sequences: Sequence[str] | Omit | NotGiven | None
    temperature: float | Omit | NotGiven | None
    top_k: int | Omit | NotGiven | None
    top_p: float | Omit | NotGiven | None
    betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None
    extra_headers: HeaderValues | None
    extra_query: QueryValues | None
    extra_body: Mapping[str, object] | None
    timeout: float | httpx.Timeout | NotGiven | None
    deadline: float | NotGiven | None
    check_prompt: bool
