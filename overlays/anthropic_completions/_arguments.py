"""The arguments of a call, checked against the contract and turned into what is sent. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ._options import Omit, is_given, merge_headers, query_pairs
from ._wire import body_fields, checker, request_kwargs

if TYPE_CHECKING:
    from ._options import HeaderValues

_REQUIRED = ("max_tokens_to_sample", "model", "prompt")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def completion_request(
    arguments: Mapping[str, Any], betas: object, extra_body: Mapping[str, object] | None
) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Return path, body and headers of a request for a completion.

    Args:
        arguments: The body's fields by name; those that were not given, or are `omit`, are not sent.
        betas: The `betas` argument.
        extra_body: Fields that are put over the others unchecked; `omit` takes one away.

    Raises:
        TypeError, ValueError: An argument is not what the contract says; it is named.
    """
    for name in _REQUIRED:
        if name not in arguments:
            raise TypeError(f"create() missing a required keyword argument: {name!r}")
    for name in arguments:
        if name not in body_fields():
            raise TypeError(f"create() got an unexpected keyword argument {name!r}")
    given = {name: _plain(value) for name, value in arguments.items() if is_given(value)}
    check_arguments(given)
    kwargs = request_kwargs(given, _beta_header(betas))
    body: dict[str, Any] = kwargs["json"]
    for name, value in (extra_body or {}).items():
        if isinstance(value, Omit):
            body.pop(name, None)
        else:
            body[name] = value
    return kwargs["url"], body, kwargs["headers"]


def check_arguments(given: Mapping[str, Any]) -> None:
    """Check the fields of a body against the contract; None stands for null in a field that may be left out.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A value is out of its range.
    """
    fields = {name: value for name, value in given.items() if value is not None or name in _REQUIRED}
    for violation in checker("CompletionRequest")(fields, ""):
        raise (TypeError if violation.rule == "type" else ValueError)(str(violation))


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return a body as the JSON that the old client sent: compact, UTF-8, unescaped.

    Raises:
        TypeError: It holds what JSON cannot.
        ValueError: It holds a number that is not finite, or a lone surrogate.
    """
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        for name, value in body.items():
            try:
                json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
            except UnicodeEncodeError as inner:
                raise ValueError(
                    f"{name}: expected text, got a lone surrogate at position {inner.start - 1}"
                ) from None
            except (TypeError, ValueError) as inner:
                raise type(error)(f"{name}: expected a JSON value, but {inner}") from None
        raise


def url_with_query(url: str, *queries: Mapping[str, Any] | None) -> str:
    """Return a URL with the queries' entries, later ones before earlier ones."""
    merged = {name: value for query in queries for name, value in (query or {}).items()}
    pairs = query_pairs(merged)
    return f"{url}?{urlencode(pairs)}" if pairs else url


def headers_to_send(*layers: HeaderValues | None) -> dict[str, str]:
    """Merge layers of headers, later ones before earlier ones, and check that they can be sent.

    Raises:
        TypeError, ValueError: A header cannot be sent; its name is told, its value is not.
    """
    merged = merge_headers(*layers)
    for name, value in merged.items():
        if not isinstance(value, str):
            raise TypeError(f"header {name!r}: expected a string, got a value of type {type(value).__name__}")
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"header {name!r}: expected a name of letters, digits and hyphens")
        if not value.isascii() or any(character in value for character in "\r\n\0"):
            raise ValueError(f"header {name!r}: expected ASCII text on one line, got other characters")
    return merged


def _plain(value: Any) -> Any:
    """Return a value in the type that JSON has for it."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping) and not isinstance(value, dict):
        return dict(value)
    return value


def _beta_header(betas: Any) -> str | None:
    if betas is None or not is_given(betas):
        return None
    if not isinstance(betas, list | tuple):
        raise TypeError(f"betas: expected a list of strings, got {type(betas).__name__}")
    for index, beta in enumerate(betas):
        if not isinstance(beta, str):
            raise TypeError(f"betas[{index}]: expected a string, got {type(beta).__name__}")
        if not _TOKEN.fullmatch(beta):
            raise ValueError(
                f"betas[{index}]: expected a name without commas, spaces and controls, got {beta!r}"
            )
    return ",".join(betas) or None
