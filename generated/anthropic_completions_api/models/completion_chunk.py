from __future__ import annotations

from collections.abc import Mapping
from typing import (
    Any,
    Literal,
    Self,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.known_model import KnownModel, check_known_model
from ..types import UNSET, Unset

T = TypeVar("T", bound="CompletionChunk")


@_attrs_define
class CompletionChunk:
    """The data of a `completion` event: the text that follows the text before it. Fields besides
    `completion` may be absent.

    """

    completion: str
    """ The next piece of text; empty in the last chunk of recorded streams. """
    id: str | Unset = UNSET
    """ The same in every chunk of a stream. """
    model: KnownModel | str | Unset = UNSET
    """ A model by name. The known names are in KnownModel, as a help for typing; they are no list of what the
    endpoint serves, and any other name is allowed.
     """
    stop_reason: None | str | Unset = UNSET
    """ Why the text ends: `stop_sequence` when a stop sequence was met, one of the request's or a built-in
    one; `max_tokens` when `max_tokens_to_sample` or the model's own maximum was reached. Others may be
    added. Null only in chunks that are not the last.
     """
    type_: Literal["completion"] | Unset = UNSET
    """ The kind of object. """
    stop: None | str | Unset = UNSET
    """ As in a completion; null until the last chunk. """
    log_id: str | Unset = UNSET
    """ As in a completion. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        completion = self.completion

        id = self.id

        model: str | Unset
        if isinstance(self.model, Unset):
            model = UNSET
        elif isinstance(self.model, str):
            model = self.model
        else:
            model = self.model

        stop_reason: None | str | Unset
        if isinstance(self.stop_reason, Unset):
            stop_reason = UNSET
        else:
            stop_reason = self.stop_reason

        type_ = self.type_

        stop: None | str | Unset
        if isinstance(self.stop, Unset):
            stop = UNSET
        else:
            stop = self.stop

        log_id = self.log_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "completion": completion,
            }
        )
        if id is not UNSET:
            field_dict["id"] = id
        if model is not UNSET:
            field_dict["model"] = model
        if stop_reason is not UNSET:
            field_dict["stop_reason"] = stop_reason
        if type_ is not UNSET:
            field_dict["type"] = type_
        if stop is not UNSET:
            field_dict["stop"] = stop
        if log_id is not UNSET:
            field_dict["log_id"] = log_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        completion = d.pop("completion")

        id = d.pop("id", UNSET)

        def _parse_model(data: object) -> KnownModel | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_model_type_0 = check_known_model(data)

                return componentsschemas_model_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(KnownModel | str | Unset, data)

        model = _parse_model(d.pop("model", UNSET))

        def _parse_stop_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        stop_reason = _parse_stop_reason(d.pop("stop_reason", UNSET))

        type_ = cast(Literal["completion"] | Unset, d.pop("type", UNSET))
        if type_ != "completion" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'completion', got '{type_}'")

        def _parse_stop(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        stop = _parse_stop(d.pop("stop", UNSET))

        log_id = d.pop("log_id", UNSET)

        completion_chunk = cls(
            completion=completion,
            id=id,
            model=model,
            stop_reason=stop_reason,
            type_=type_,
            stop=stop,
            log_id=log_id,
        )

        completion_chunk.additional_properties = d
        return completion_chunk

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
