from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..models.known_model import KnownModel, check_known_model
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.metadata import Metadata


T = TypeVar("T", bound="CompletionRequest")


@_attrs_define
class CompletionRequest:
    """What to continue, with what, and how far."""

    max_tokens_to_sample: int
    """ The most tokens to generate. The model may stop earlier. Values above what a model can do were
    capped, not refused, by the models of this API's time.
     """
    model: KnownModel | str
    """ A model by name. The known names are in KnownModel, as a help for typing; they are no list of what the
    endpoint serves, and any other name is allowed.
     """
    prompt: str
    """ The transcript to continue: optional system text, then turns that begin with `\\n\\nHuman:` and
    `\\n\\nAssistant:`, a Human turn first and an Assistant turn last. Text after the last
    `\\n\\nAssistant:` is taken as the beginning of the answer. The documented limit is under
    99,999 tokens; the true one of each model is unknown.
     """
    metadata: Metadata | Unset = UNSET
    """ Facts about the request that are not part of the prompt. """
    stop_sequences: list[str] | Unset = UNSET
    """ Strings that end the completion when the model generates one; the string itself is left out.
    `\\n\\nHuman:` always does, and models may have further built-in ones.
     """
    stream: bool | Unset = UNSET
    """ Whether the text arrives piecewise, as server-sent events. """
    temperature: float | Unset = UNSET
    """ Randomness: near 0 for analysis and multiple choice, near 1 for creative writing. Even 0 is not
    fully deterministic.
     """
    top_k: int | Unset = UNSET
    """ Sample from the K likeliest tokens only, to leave out the "long tail" of unlikely ones. For
    advanced use; the default is not documented. `-1` says that none is set: the documentation of
    2023 gave it as the default, "which disables it". What the service makes of it today is unknown.
     """
    top_p: float | Unset = UNSET
    """ Nucleus sampling: sample from the likeliest tokens whose probabilities add up to this, 0 to 1.
    For advanced use, and in place of `temperature` rather than with it; the default is not
    documented. `-1`, and below 0 nothing else, says that none is set: the documentation of 2023 gave
    it as the default, "which disables it". What the service makes of it today is unknown.
     """

    def to_dict(self) -> dict[str, Any]:
        max_tokens_to_sample = self.max_tokens_to_sample

        model: str
        if isinstance(self.model, str):
            model = self.model
        else:
            model = self.model

        prompt = self.prompt

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        stop_sequences: list[str] | Unset = UNSET
        if not isinstance(self.stop_sequences, Unset):
            stop_sequences = self.stop_sequences

        stream = self.stream

        temperature = self.temperature

        top_k = self.top_k

        top_p = self.top_p

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "max_tokens_to_sample": max_tokens_to_sample,
                "model": model,
                "prompt": prompt,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if stop_sequences is not UNSET:
            field_dict["stop_sequences"] = stop_sequences
        if stream is not UNSET:
            field_dict["stream"] = stream
        if temperature is not UNSET:
            field_dict["temperature"] = temperature
        if top_k is not UNSET:
            field_dict["top_k"] = top_k
        if top_p is not UNSET:
            field_dict["top_p"] = top_p

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.metadata import Metadata

        d = dict(src_dict)
        max_tokens_to_sample = d.pop("max_tokens_to_sample")

        def _parse_model(data: object) -> KnownModel | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_model_type_0 = check_known_model(data)

                return componentsschemas_model_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(KnownModel | str, data)

        model = _parse_model(d.pop("model"))

        prompt = d.pop("prompt")

        _metadata = d.pop("metadata", UNSET)
        metadata: Metadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = Metadata.from_dict(_metadata)

        stop_sequences = cast(list[str], d.pop("stop_sequences", UNSET))

        stream = d.pop("stream", UNSET)

        temperature = d.pop("temperature", UNSET)

        top_k = d.pop("top_k", UNSET)

        top_p = d.pop("top_p", UNSET)

        completion_request = cls(
            max_tokens_to_sample=max_tokens_to_sample,
            model=model,
            prompt=prompt,
            metadata=metadata,
            stop_sequences=stop_sequences,
            stream=stream,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )

        return completion_request
