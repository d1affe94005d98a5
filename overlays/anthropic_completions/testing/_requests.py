"""A request as the stand-in gets it, and what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .._failures import parse_json
from .._wire import first_violation, statuses
from ..prompts import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._schema import Violation

PATH = "/v1/complete"


@dataclass(frozen=True, slots=True)
class Received:
    """A request that the stand-in got.

    Attributes:
        method: The HTTP method.
        path: The path, without the query.
        headers: The headers, names in lower case; lines of the same name are joined with `, `.
        body: The body's bytes.
        query: The query, without the question mark.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes
    query: str = ""

    def json(self) -> Any:
        """Return the body's JSON value.

        Raises:
            ValueError: The body is no JSON.
        """
        return parse_json(self.body)

    @property
    def betas(self) -> list[str]:
        """The beta features that the request asked for."""
        return [name for part in self.headers.get("anthropic-beta", "").split(",") if (name := part.strip())]


class Fault(NamedTuple):
    """Why a request is refused: the error's status, type and message."""

    status: int
    type: str
    message: str


def fault_of(received: Received, *, api_key: str | None, max_body_bytes: int) -> Fault | None:
    """Return what is wrong with a request, or None.

    Args:
        received: The request.
        api_key: The key or token that is wanted; None for any.
        max_body_bytes: The most bytes of a body.
    """
    if received.path != PATH:
        return _fault("not_found_error", f"{received.method} {received.path}: not found")
    if received.method != "POST":
        return Fault(405, "invalid_request_error", f"{received.method}: method not allowed")
    if len(received.body) > max_body_bytes:
        return _fault("request_too_large", "Request exceeds the maximum size")
    return (
        _credential_fault(received.headers, api_key)
        or _header_fault(received.headers)
        or _body_fault(received)
    )


def _fault(kind: str, message: str) -> Fault:
    return Fault(statuses()[kind], kind, message)


def _invalid(message: str) -> Fault:
    return _fault("invalid_request_error", message)


def _credential_fault(headers: Mapping[str, str], api_key: str | None) -> Fault | None:
    key = headers.get("x-api-key")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if key:
        return _fault("authentication_error", "invalid x-api-key") if api_key not in (None, key) else None
    if scheme.lower() == "bearer" and token.strip():
        wrong = api_key not in (None, token.strip())
        return _fault("authentication_error", "Invalid bearer token") if wrong else None
    return _fault("authentication_error", "x-api-key header is required")


def _header_fault(headers: Mapping[str, str]) -> Fault | None:
    if "anthropic-version" not in headers:
        return _invalid("anthropic-version: header is required")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _invalid("content-type: application/json is required")
    return None


def _body_fault(received: Received) -> Fault | None:
    try:
        request = received.json()
        # Half of a pair is no character; JSON can spell it, UTF-8 cannot.
        if b"\\u" in received.body:
            json.dumps(request, ensure_ascii=False).encode()
    except ValueError as error:
        return _invalid(f"The request body is not valid JSON: {error}")
    violation = first_violation("CompletionRequest", request)
    if violation is not None:
        return _invalid(_message(violation))
    verdict = validate(request["prompt"])
    return None if verdict else _invalid(str(verdict.message))


def _message(violation: Violation) -> str:
    if violation.rule == "additionalProperties":
        return f"{violation.path}: Extra inputs are not permitted"
    if violation.rule == "required":
        return f"{violation.path}: Field required"
    return str(violation)
