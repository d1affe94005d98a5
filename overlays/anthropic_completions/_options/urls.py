"""URLs: where requests go, and their queries."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BASE_URL = re.compile(
    r"(?P<origin>https?://(?P<host>\[[0-9a-f:.]+\]|[^/:\[\]]+)(:(?P<port>[0-9]{1,5}))?)(?P<path>/.*)?",
    re.IGNORECASE,
)


def base_url(text: str, label: str = "base_url") -> str:
    """Return where requests go, without the endpoint's own path and without a slash at the end.

    `https://host`, `https://host/`, `https://host/v1` and `https://host/v1/complete` are the same place;
    the path of a gateway stays.

    Args:
        text: The URL.
        label: What to name in errors.

    Raises:
        ValueError: It is no http or https URL, or has a query, a fragment, or a user's name. What may be
            a password is not repeated.
    """
    if "?" in text or "#" in text:
        raise ValueError(f"{label}: expected a URL without a query or a fragment, got one with")
    if "@" in text.partition("://")[2].partition("/")[0] or "@" in text.partition("/")[0]:
        raise ValueError(
            f"{label}: expected a URL without a user's name and password, got one with; "
            "pass them as the header Authorization, in default_headers"
        )
    if any(character <= " " or character == "\x7f" for character in text):
        raise ValueError(f"{label}: expected a URL without white space and controls, got {text!r}")
    found = _BASE_URL.fullmatch(text)
    if found is None:
        raise ValueError(f"{label}: expected a URL such as https://host:443/path, got {text!r}")
    labels = found["host"].removesuffix(".").split(".")
    if int(found["port"] or 0) > 65535 or not all(0 < len(label) < 64 for label in labels):
        raise ValueError(f"{label}: expected a URL with a valid host and port, got {text!r}")
    path = (found["path"] or "").rstrip("/")
    return found["origin"] + re.sub(r"/v1(/complete)?$", "", path).rstrip("/")


def query_pairs(query: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return a query as pairs: lists as `name[]`, mappings as `name[key]`, None and empty text left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if isinstance(value, Mapping):
            pairs += query_pairs({f"{name}[{key}]": inner for key, inner in value.items()})
        elif isinstance(value, list | tuple):
            pairs += [pair for inner in value for pair in query_pairs({f"{name}[]": inner})]
        elif isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif value is not None and value != "":
            pairs.append((name, str(value)))
    return pairs
