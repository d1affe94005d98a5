"""Speak the old endpoint's wire as the service does: refuse requests, write events and errors.

The service's side of the old endpoint: what the stand-in and the gateway share.
"""

from __future__ import annotations

import json
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from .._contract.generated import first_violation, statuses
from .._http.failures import parse_json
from ..prompts import validate
from .sse import encode_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._contract.schema import Violation


class Fault(NamedTuple):
    """Why a request is refused: the error's status, type and message."""

    status: int
    type: str
    message: str

    @classmethod
    def of(cls, kind: str, message: str) -> Fault:
        """Return the fault of a kind, with the status that the kind has."""
        return cls(statuses()[kind], kind, message)

    @classmethod
    def invalid(cls, message: str) -> Fault:
        """Return the fault of a request that is not as it should be."""
        return cls.of("invalid_request_error", message)

    @classmethod
    def violation(cls, violation: Violation) -> Fault:
        """Return the fault of a request that breaks its schema, in the service's words where known."""
        if violation.rule == "additionalProperties":
            return cls.invalid(f"{violation.path}: Extra inputs are not permitted")
        if violation.rule == "required":
            return cls.invalid(f"{violation.path}: Field required")
        return cls.invalid(str(violation))


def read_body(body: bytes) -> object:
    """Return the JSON value of a request's body.

    Raises:
        ValueError: It is none; also where it spells half of a pair of surrogates, which UTF-8 does not have.
    """
    value = parse_json(body)
    if b"\\u" in body:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def credential_fault(headers: Mapping[str, str], key: str | None) -> Fault | None:
    """Return what is wrong with the credential of a request, or None.

    Args:
        headers: The headers, with names in lower case.
        key: The key or token that is wanted; None for any.
    """
    kind = "authentication_error"
    given = headers.get("x-api-key")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if given:
        return None if _is_wanted(given, key) else Fault.of(kind, "invalid x-api-key")
    if scheme.lower() == "bearer" and token.strip():
        return None if _is_wanted(token.strip(), key) else Fault.of(kind, "Invalid bearer token")
    return Fault.of(kind, "x-api-key header is required")


def version_fault(headers: Mapping[str, str]) -> Fault | None:
    """Return what is wrong with the header that names the API's version, or None."""
    if "anthropic-version" not in headers:
        return Fault.invalid("anthropic-version: header is required")
    return None


def header_fault(headers: Mapping[str, str]) -> Fault | None:
    """Return what is wrong with the headers of a request besides its credential, or None."""
    if (fault := version_fault(headers)) is not None:
        return fault
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Fault.invalid("content-type: application/json is required")
    return None


def form_fault(request: object) -> Fault | None:
    """Return what is wrong with the form of a request for a completion, or None."""
    violation = first_violation("CompletionRequest", request)
    return None if violation is None else Fault.violation(violation)


def prompt_fault(prompt: str) -> Fault | None:
    """Return what is wrong with a prompt, or None."""
    verdict = validate(prompt)
    return None if verdict else Fault.invalid(str(verdict.message))


def compact_json(value: object) -> str:
    """Return a value as the service writes JSON: compact, not escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def error_body(kind: str, message: str, request_id: str | None, *, by_edge: bool = False) -> str:
    """Return the body of an error. The edge, which answers for what is too large, uses a shorter form."""
    error = {"error": {"type": kind, "message": message}}
    if by_edge:
        return compact_json(error)
    return compact_json({"type": "error", **error} | ({"request_id": request_id} if request_id else {}))


def error_event(kind: str, message: str, newline: str) -> bytes:
    """Return the event that tells of an error inside a stream."""
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return encode_event("error", compact_json(error), newline=newline)


def ping_event(newline: str) -> bytes:
    """Return the event that only shows that the connection lives."""
    return encode_event("ping", '{"type": "ping"}', newline=newline)


def _is_wanted(given: str, wanted: str | None) -> bool:
    # In a time that tells nothing of the key.
    return wanted is None or compare_digest(given.encode(), wanted.encode())
