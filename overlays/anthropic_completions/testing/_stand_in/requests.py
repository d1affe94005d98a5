"""Check a request as the service does, and say what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._http.failures import parse_json
from ..._stream.serving import Fault, credential_fault, header_fault, read_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .dialects import Dialect


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


def fault_of(
    received: Received,
    dialect: Dialect,
    *,
    api_key: str | None,
    max_body_bytes: int,
    is_there: Callable[[str], bool],
) -> Fault | None:
    """Return what is wrong with a request, or None.

    Args:
        received: The request.
        dialect: That of its path; for a path that there is not, any one.
        api_key: The key or token that is wanted; None for any.
        max_body_bytes: The most bytes of a body.
        is_there: Tells whether there is a model of a name.
    """
    if received.path != dialect.path:
        return Fault.of("not_found_error", f"{received.method} {received.path}: not found")
    if received.method != "POST":
        return Fault(405, "invalid_request_error", f"{received.method}: method not allowed")
    if len(received.body) > max_body_bytes:
        return Fault.of("request_too_large", "Request exceeds the maximum size")
    return (
        credential_fault(received.headers, api_key)
        or header_fault(received.headers)
        or _body_fault(received, dialect, is_there)
    )


def _body_fault(received: Received, dialect: Dialect, is_there: Callable[[str], bool]) -> Fault | None:
    try:
        request = read_body(received.body)
    except ValueError as error:
        return Fault.invalid(f"The request body is not valid JSON: {error}")
    model = request.get("model") if isinstance(request, dict) else None
    if isinstance(model, str) and not is_there(model):
        return Fault.of("not_found_error", f"model: {model}")
    return dialect.fault_of(request)
