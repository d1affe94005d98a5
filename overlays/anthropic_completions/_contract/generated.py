"""Import the generated package, for all others; look things up in the contract that it bundles.

What the contract says is asked here: its schemas, its models, what a request looks like on the wire.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

import anthropic_completions_api
from anthropic_completions_api import Client as GeneratedClient
from anthropic_completions_api.api.completions.create_completion import _get_kwargs
from anthropic_completions_api.models import Completion as CompletionModel
from anthropic_completions_api.models import CompletionRequest, Metadata
from anthropic_completions_api.types import UNSET

from .checks import QUICK, REQUEST_FIELDS
from .schema import JSONObject, compile_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anthropic_completions_api.models import KnownBeta as KnownBeta
    from anthropic_completions_api.models import KnownModel as KnownModel

    from .schema import Check, KnownModels, Schema, Violation

__all__ = [
    "CompletionModel",
    "GeneratedClient",
    "body_fields",
    "checker",
    "component",
    "contract",
    "find",
    "first_violation",
    "known_models",
    "request_kwargs",
    "statuses",
    "violations",
]


@cache
def contract() -> JSONObject:
    """Return the bundled contract, an OpenAPI 3.1 document."""
    file = Path(anthropic_completions_api.__file__).with_name("openapi.json")
    document: JSONObject = json.loads(file.read_bytes())
    return document


def component(reference: str) -> Schema:
    """Return the schema of the contract that a reference such as `#/components/schemas/Error` names."""
    return cast("Schema", find(reference))


def find(reference: str) -> object:
    """Return whatever part of the contract a reference names."""
    node: object = contract()
    for key in reference.removeprefix("#/").split("/"):
        node = cast("JSONObject", node)[key.replace("~1", "/")]
    return node


@cache
def checker(name: str) -> Check:
    """Return the function that tells what is wrong with a value of the schema with that name."""
    return compile_schema(component(f"#/components/schemas/{name}"), component)


def violations(name: str, value: object) -> Sequence[Violation]:
    """Return all that is wrong with a value of the named schema."""
    if (is_right := QUICK.get(name)) is not None and is_right(value):
        return ()
    return checker(name)(value, "")


def first_violation(name: str, value: object) -> Violation | None:
    """Return the first thing that is wrong with a value of the named schema, or None."""
    return next(iter(violations(name, value)), None)


def body_fields() -> frozenset[str]:
    """Return the names of all fields of a request's body."""
    return REQUEST_FIELDS


@cache
def statuses() -> dict[str, int]:
    """Return the HTTP status that each known kind of error stands for."""
    kinds = find("#/components/schemas/ErrorDetail/properties/type/x-statuses")
    return cast("dict[str, int]", kinds)


@cache
def known_models() -> KnownModels:
    """Return what the contract says of models."""
    return cast("KnownModels", find("#/components/schemas/KnownModel"))


class _NullMetadata(Metadata):
    """`metadata=None`, which the old client sent as null."""

    def to_dict(self) -> None:  # type: ignore[override]
        return None


class RequestParts(TypedDict):
    """A request as the generated code makes it."""

    method: str
    url: str
    json: JSONObject
    headers: dict[str, str]


def request_kwargs(arguments: Mapping[str, object], betas: str | None) -> RequestParts:
    """Return method, url, JSON body and headers of a request, as the generated code makes them.

    Args:
        arguments: The body's fields that were given, by their names on the wire.
        betas: The value of the anthropic-beta header, or None for no such header.
    """
    fields: dict[str, Any] = dict(arguments)
    if "metadata" in fields:
        metadata = fields["metadata"]
        fields["metadata"] = _NullMetadata() if metadata is None else Metadata.from_dict(metadata)
    parts = _get_kwargs(body=CompletionRequest(**fields), anthropic_beta=UNSET if betas is None else betas)
    return cast("RequestParts", parts)
