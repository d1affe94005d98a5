"""`Completion`, the result of a call and of each chunk of a stream."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypedDict, cast

from .fields import CompletionFields
from .generated import first_violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Literal, Self

    import httpx

    from ..rate_limits import RateLimits
    from .schema import JSONObject

    # Of its values nothing is known, and those who ask for one know what it is. (`dict` is a method below.)
    Fields = dict[str, Any]

_FIELDS = ("id", "completion", "model", "stop_reason", "type")
# The generated model keeps `type` under a name that shadows nothing.
_SLOTS = {
    "id": "id",
    "completion": "completion",
    "model": "model",
    "stop_reason": "stop_reason",
    "type": "type_",
}


class _DumpOptions(TypedDict, total=False):
    mode: str
    include: Collection[str] | None
    exclude: Collection[str] | None
    exclude_unset: bool
    exclude_defaults: bool
    exclude_none: bool


class Completion(CompletionFields):
    """The text that continues a prompt: the whole of it, or one chunk of a stream.

    Fields of the reply that the API does not document (`stop`, `log_id`, whatever comes) are attributes as
    well. A field that did not come is absent from dumps and iteration; as an attribute, a documented one
    is None then. `"stop" in completion` tells whether a field came, and `completion["stop"]` returns it.

    It is a subclass of the generated model and keeps fields as they came, in its own way: to change or to
    dump one, use `model_copy` and `to_dict`, not `attrs.evolve` and `attrs.asdict`.

    Attributes:
        id: Names the completion.
        completion: The generated text, without the stop sequence.
        model: The model that answered; an alias is resolved.
        stop_reason: `stop_sequence`, `max_tokens`, or None in a chunk that is not the last.
        type: Always `completion`.
        stop: The stop sequence that was met, where the service says so; undocumented.
        log_id: Undocumented; observed to equal `id`.
    """

    # A slot that is not set stands for a field that did not come. Undocumented fields are all kept in
    # `additional_properties`, in the order in which they came.
    __slots__ = ("_headers", "_message")

    _headers: httpx.Headers | None
    _message: JSONObject | None

    def __init__(
        self,
        *,
        id: str,
        completion: str,
        model: str,
        stop_reason: str | None = None,
        type: str,
        **extra: object,
    ) -> None:
        """Make a completion by hand, as tests do.

        Raises:
            ValueError: A field is not what the contract says.
        """
        fields: JSONObject = {
            "id": id,
            "completion": completion,
            "model": model,
            "stop_reason": stop_reason,
            "type": type,
        }
        fields.update(extra)
        if violation := first_violation("Completion", fields):
            raise ValueError(str(violation))
        self._fill(fields, None)

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, object]) -> Self:
        """Make a completion of a reply's JSON object, which may lack fields.

        Raises:
            ValueError: A field is not what the contract says.
        """
        if violation := first_violation("CompletionChunk", src_dict):
            raise ValueError(str(violation))
        return cls._from_wire(src_dict, None)

    @classmethod
    def construct(cls, _fields_set: set[str] | None = None, **values: object) -> Self:
        """Make a completion of any fields, unchecked."""
        return cls._from_wire(values, None)

    model_construct = construct

    @classmethod
    def _from_wire(
        cls, fields: Mapping[str, object], headers: httpx.Headers | None, message: JSONObject | None = None
    ) -> Self:
        new = cls._of_own(dict(fields), headers)
        if message is not None:
            new._message = message
        return new

    @classmethod
    def _of_own(cls, fields: JSONObject, headers: httpx.Headers | None) -> Self:
        """Make a completion of a dict that nobody else has, as this takes the documented fields out of it."""
        new = cls.__new__(cls)
        new._fill(fields, headers)
        return new

    def _sibling(self, text: str) -> Self:
        """Return a copy with another text. All documented fields must be set, none a list or object."""
        new = object.__new__(type(self))
        new.id = self.id
        new.completion = text
        new.model = self.model
        new.stop_reason = self.stop_reason
        new.type_ = self.type_
        new.additional_properties = self.additional_properties.copy()
        new._headers = self._headers
        return new

    def _fill(self, rest: Fields, headers: httpx.Headers | None) -> None:
        # Without a loop over names: this is done for each chunk of a stream.
        if "id" in rest:
            self.id = rest.pop("id")
        if "completion" in rest:
            self.completion = rest.pop("completion")
        if "model" in rest:
            self.model = rest.pop("model")
        if "stop_reason" in rest:
            self.stop_reason = rest.pop("stop_reason")
        if "type" in rest:
            self.type_ = rest.pop("type")
        self.additional_properties = rest
        self._headers = headers

    def __getattr__(self, name: str) -> Any:
        # Called only for what is not set: an undocumented field, or one that did not come.
        if not name.startswith("_") and name != "additional_properties":
            if name in self.additional_properties:
                return self.additional_properties[name]
            if name in _FIELDS or name == "type_":
                return None
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    if TYPE_CHECKING:
        type: Literal["completion"]
    else:
        type = property(lambda self: self.type_, lambda self, value: setattr(self, "type_", value))

    # What came with it

    @property
    def headers(self) -> httpx.Headers | None:
        """The reply's headers; None for a completion made by hand."""
        return self._headers

    @property
    def message(self) -> Fields | None:
        """The reply of the Messages API that this was made of, a JSON object; None where there was none.

        It tells what a completion has no field for: `usage`, thinking tokens, `stop_details`. Of a stream,
        the whole completion has it, put together of the events; chunks have none. It is in no dump, and two
        completions are equal without it.
        """
        message: JSONObject | None = getattr(self, "_message", None)
        return message

    @property
    def _request_id(self) -> str | None:
        """What names the exchange at Anthropic."""
        return None if self._headers is None else self._headers.get("request-id")

    @property
    def _workspace_id(self) -> str | None:
        """The workspace that the request was counted for, where the service says so."""
        return None if self._headers is None else self._headers.get("anthropic-workspace-id")

    @property
    def rate_limit(self) -> RateLimits:
        """What is left of the rate limits, as the reply's headers say."""
        from ..rate_limits import RateLimits

        return RateLimits.from_headers(self._headers or {})

    # Dumps

    def __iter__(self) -> Iterator[tuple[str, object]]:
        """Iterate over (field, value) pairs: the documented fields, then the others as they came."""
        for name, slot in _SLOTS.items():
            try:
                yield name, object.__getattribute__(self, slot)
            except AttributeError:
                continue
        yield from self.additional_properties.items()

    def __contains__(self, name: object) -> bool:
        return any(name == field for field, _ in self)

    def __getitem__(self, name: str) -> object:
        for field, value in self:
            if name == field:
                return value
        raise KeyError(name)

    def __setitem__(self, name: str, value: object) -> None:
        if name in _SLOTS:
            setattr(self, _SLOTS[name], value)
        else:
            self.additional_properties[name] = value

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        if name in _SLOTS:
            delattr(self, _SLOTS[name])
        else:
            del self.additional_properties[name]

    @property
    def model_extra(self) -> Fields:
        """The fields that the API does not document."""
        return self.additional_properties

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that came."""
        return {name for name, _ in self}

    def model_dump(
        self,
        *,
        mode: str = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_unset: bool = False,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        **_: object,
    ) -> Fields:
        """Return the fields as a dict.

        Args:
            mode: Of no effect: every value is a JSON value.
            include: Names of the only fields to return.
            exclude: Names of fields to leave out.
            exclude_unset: Of no effect: what did not come is left out anyway.
            exclude_defaults: Whether to leave out a `stop_reason` of None.
            exclude_none: Whether to leave out fields that are None.
            **_: Further arguments of the old method, of no effect on these fields.
        """
        return {
            name: value
            for name, value in self
            if (include is None or name in include)
            and not (exclude is not None and name in exclude)
            and not (value is None and (exclude_none or (exclude_defaults and name == "stop_reason")))
        }

    def model_dump_json(self, *, indent: int | None = None, **options: object) -> str:
        """Return the fields as JSON text; the options are those of `model_dump`."""
        separators = (",", ":") if indent is None else None
        return json.dumps(
            self.model_dump(**cast("_DumpOptions", options)),
            ensure_ascii=False,
            allow_nan=False,
            indent=indent,
            separators=separators,
        )

    def to_dict(self, **options: object) -> Fields:
        """Return the fields as a dict; the options are those of `model_dump`."""
        return self.model_dump(**cast("_DumpOptions", options))

    def to_json(self, *, indent: int | None = 2, **options: object) -> str:
        """Return the fields as JSON text, indented; the options are those of `model_dump`."""
        return self.model_dump_json(indent=indent, **options)

    def dict(self, **options: object) -> Fields:
        """Return the fields as a dict. Deprecated, for `to_dict`."""
        return self.model_dump(**cast("_DumpOptions", options))

    def json(self, *, indent: int | None = None, **options: object) -> str:
        """Return the fields as JSON text. Deprecated, for `to_json`."""
        return self.model_dump_json(indent=indent, **options)

    def model_copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """Return a copy.

        Args:
            update: Fields to change in it, unchecked.
            deep: Whether undocumented fields that are lists or objects are copied too.
        """
        fields = {**self.model_dump(), **(update or {})}
        message = self.message
        if deep:
            fields, message = deepcopy((fields, message))
        return self._from_wire(fields, self._headers, message)

    def copy(self, *, update: Mapping[str, object] | None = None, deep: bool = False) -> Self:
        """Return a copy. Deprecated, for `model_copy`."""
        return self.model_copy(update=update, deep=deep)

    # What every object has

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self)})"

    def __eq__(self, other: object) -> bool:
        return self.model_dump() == other.model_dump() if isinstance(other, Completion) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self.model_copy()

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return type(self)._from_wire, (self.model_dump(), self._headers, self.message)
