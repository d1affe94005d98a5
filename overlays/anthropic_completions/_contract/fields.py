"""The fields of a reply that may be absent, as attributes that are None then."""

# Made of openapi.yaml by `make generate`. Do not edit.

from __future__ import annotations

from .generated import CompletionModel


class CompletionFields(CompletionModel):
    """The generated model, with a property for each field that a reply may lack."""

    __slots__ = ()

    @property  # type: ignore[override]
    def stop(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        r"""The stop sequence that was met. Undocumented; observed as `\n\nHuman:` at a natural end. For a
        sequence from the request it is that sequence, as third parties report. None also where it did not
        come."""
        return self.additional_properties.get("stop")

    @stop.setter
    def stop(self, value: str | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.additional_properties["stop"] = value

    @property  # type: ignore[override]
    def log_id(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        r"""Undocumented; observed to equal `id`. None also where it did not come."""
        return self.additional_properties.get("log_id")

    @log_id.setter
    def log_id(self, value: str | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.additional_properties["log_id"] = value
