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

T = TypeVar("T", bound="Completion")


@_attrs_define
class Completion:
    """The text that continues the prompt."""

    id: str
    """ Names the completion. Format and length may change. """
    completion: str
    """ The generated text, without the stop sequence. After a prompt that ends in `\\n\\nAssistant:` it
    normally begins with a space.
     """
    model: KnownModel | str
    """ A model by name. The known names are in KnownModel, as a help for typing; they are no list of what the
    endpoint serves, and any other name is allowed.
     """
    stop_reason: None | str
    """ Why the text ends: `stop_sequence` when a stop sequence was met, one of the request's or a built-in
    one; `max_tokens` when `max_tokens_to_sample` or the model's own maximum was reached. Others may be
    added. Null only in chunks that are not the last.
     """
    type_: Literal["completion"]
    """ The kind of object. """
    stop: None | str | Unset = UNSET
    """ The stop sequence that was met. Undocumented; observed as `\\n\\nHuman:` at a natural end. For
    a sequence from the request it is that sequence, as third parties report.
     """
    log_id: str | Unset = UNSET
    """ Undocumented; observed to equal `id`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        completion = self.completion

        model: str
        if isinstance(self.model, str):
            model = self.model
        else:
            model = self.model

        stop_reason: None | str
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
                "id": id,
                "completion": completion,
                "model": model,
                "stop_reason": stop_reason,
                "type": type_,
            }
        )
        if stop is not UNSET:
            field_dict["stop"] = stop
        if log_id is not UNSET:
            field_dict["log_id"] = log_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        completion = d.pop("completion")

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

        def _parse_stop_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        stop_reason = _parse_stop_reason(d.pop("stop_reason"))

        type_ = cast(Literal["completion"], d.pop("type"))
        if type_ != "completion":
            raise ValueError(f"type must match const 'completion', got '{type_}'")

        def _parse_stop(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        stop = _parse_stop(d.pop("stop", UNSET))

        log_id = d.pop("log_id", UNSET)

        completion = cls(
            id=id,
            completion=completion,
            model=model,
            stop_reason=stop_reason,
            type_=type_,
            stop=stop,
            log_id=log_id,
        )

        completion.additional_properties = d
        return completion

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
