"""Check the arguments of a call against the contract, and make URL, headers and body of them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from .._contract.generated import body_fields, first_violation, request_kwargs
from .._options import NotGiven, Omit, is_given, layer_headers, mapping, omit, sequence
from .._options.urls import query_pairs
from .._secrets import Headers

if TYPE_CHECKING:
    from .._contract.schema import JSONObject
    from .._options import HeaderValues

_REQUIRED = ("max_tokens_to_sample", "model", "prompt")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Visible ASCII, with spaces and tabs inside only.
_HEADER_VALUE = re.compile(r"([!-~]([\t -~]*[!-~])?)?")
# Visible ASCII without commas, which separate the names in the header.
_BETA = re.compile(r"[!-+\--~]+")


def completion_request(
    arguments: Mapping[str, object], betas: object, extra_body: object
) -> tuple[str, JSONObject, dict[str, str]]:
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
    if not arguments.keys() <= body_fields():
        unknown = next(name for name in arguments if name not in body_fields())
        raise TypeError(f"create() got an unexpected keyword argument {unknown!r}")
    # Most are left out, and `omit` then.
    given = {
        name: _plain(value) for name, value in arguments.items() if value is not omit and is_given(value)
    }
    check_arguments(given)
    kwargs = request_kwargs(given, _beta_header(betas))
    body, extra = kwargs["json"], mapping("extra_body", extra_body)
    return kwargs["url"], put_over(body, extra) if extra else body, kwargs["headers"]


def put_over(fields: Mapping[str, object], extra: Mapping[str, object]) -> JSONObject:
    """Put further fields over others: `omit` takes one away, NOT_GIVEN leaves it."""
    changed = {**fields, **{name: value for name, value in extra.items() if not isinstance(value, NotGiven)}}
    return {name: value for name, value in changed.items() if not isinstance(value, Omit)}


def check_arguments(given: Mapping[str, object]) -> None:
    """Check the fields of a body against the contract; None stands for null in a field that may be left out.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A value is out of its range.
    """
    fields = {name: value for name, value in given.items() if value is not None or name in _REQUIRED}
    if violation := first_violation("CompletionRequest", fields):
        raise (TypeError if violation.rule == "type" else ValueError)(str(violation))


def encode_body(body: Mapping[str, object]) -> bytes:
    """Return a body as the JSON that the old client sent: compact, UTF-8, unescaped.

    Raises:
        TypeError: It holds what JSON cannot.
        ValueError: It holds a number that is not finite, or a lone surrogate, or is nested too deeply.
    """
    try:
        return _json(body)
    except (TypeError, ValueError, RecursionError):
        for name, value in body.items():
            try:
                _json({name: value})
            except UnicodeEncodeError:
                raise ValueError(f"{name}: expected text that UTF-8 has, got a lone surrogate") from None
            except RecursionError:
                raise ValueError(
                    f"{name}: expected a JSON value, got one that is nested too deeply"
                ) from None
            except (TypeError, ValueError) as error:
                raise type(error)(f"{name}: expected a JSON value, but {error}") from None
        raise


def url_with_query(url: str, *queries: Mapping[str, object]) -> str:
    """Return a URL with the queries' entries, later ones over earlier ones.

    Raises:
        ValueError: An entry holds a lone surrogate.
    """
    merged: Mapping[str, object] = {}
    for query in queries:
        merged = put_over(merged, query)
    try:
        encoded = urlencode(query_pairs(merged))
    except UnicodeEncodeError:
        raise ValueError("extra_query: expected text that UTF-8 has, got a lone surrogate") from None
    return f"{url}{'&' if '?' in url else '?'}{encoded}" if encoded else url


def headers_to_send(*layers: HeaderValues | None) -> Headers[str]:
    """Put layers of headers over each other, later ones over earlier ones, and check that they can be sent.

    Raises:
        TypeError, ValueError: A header cannot be sent; its name is told, its value is not.
    """
    merged = layer_headers(*layers)
    for name, value in merged.items():
        if isinstance(value, Omit):
            continue
        if not isinstance(value, str):
            raise TypeError(f"header {name!r}: expected a string, got a value of type {type(value).__name__}")
        if name.lower() in ("content-length", "transfer-encoding"):
            raise ValueError(f"header {name!r}: expected none, as it is made from the body")
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"header {name!r}: expected a name of letters, digits and hyphens")
        if not _HEADER_VALUE.fullmatch(value):
            expected = "visible ASCII text without spaces around it"
            raise ValueError(f"header {name!r}: expected {expected}, got {_wrong_in(value)}")
    return Headers((name, value) for name, value in merged.items() if not isinstance(value, Omit))


def _wrong_in(value: str) -> str:
    """Say what a header's value has that it may not have, without repeating it."""
    for position, character in enumerate(value):
        if not (" " <= character <= "~" or character == "\t"):
            what = "a newline" if character in "\r\n" else "a control or non-ASCII character"
            return f"{what} at position {position}"
    return "white space around it"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def _json(value: object) -> bytes:
    return _encode(value).encode()


def _plain(value: object) -> object:
    """Return a value in the type that JSON has for it."""
    if isinstance(value, (str, int, float)):  # the most, by far
        return value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return list(value)
    return value


def _beta_header(betas: object) -> str | None:
    if betas is None or not is_given(betas):
        return None
    names: list[str] = []
    for index, beta in enumerate(sequence("betas", betas)):
        if not isinstance(beta, str):
            raise TypeError(f"betas[{index}]: expected a string, got a value of type {type(beta).__name__}")
        if not _BETA.fullmatch(beta):
            raise ValueError(f"betas[{index}]: expected visible ASCII without commas, got {beta!r}")
        names.append(beta)
    return ",".join(names) or None
