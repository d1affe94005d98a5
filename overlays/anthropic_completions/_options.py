"""Settings: what was given, what the environment says, what holds otherwise."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeGuard, TypeVar

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

BASE_URL = "https://api.anthropic.com"
API_VERSION = "2023-06-01"
MAX_RETRIES = 2
TIMEOUT_SECONDS = 600.0
CONNECT_SECONDS = 5.0


class NotGiven:
    """The value of an argument that was not given, where None means something else. It is falsy."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


class Omit:
    """The value that takes away what would be sent otherwise, such as a default header. It is falsy."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "omit"


NOT_GIVEN = NotGiven()
not_given = NotGiven()
omit = Omit()

HeaderValues = Mapping[str, str | Omit]
QueryValue = str | int | float | bool | None
QueryValues = Mapping[str, "QueryValue | Sequence[QueryValue] | Mapping[str, QueryValue]"]


class RequestOptions(TypedDict, total=False):
    """Settings of one call to `post`, as the old client named them."""

    headers: HeaderValues
    max_retries: int
    timeout: float | httpx.Timeout | None
    params: QueryValues
    extra_json: Mapping[str, object]


class Secret:
    """A key or token. Its text is in no repr, and not in `vars` of what holds it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('[redacted]')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True)
class Options:
    """The settings of a client. Immutable: a client with other settings is another client.

    The fields mean what the arguments of `Anthropic` mean.
    """

    api_key: Secret | None
    auth_token: Secret | None
    base_url: str
    timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN
    max_retries: int = MAX_RETRIES
    max_retry_after: float | None = 60.0
    deadline: float | None = None
    stream_idle_timeout: float | None = None
    max_event_bytes: int = 16 * 1024 * 1024
    # Not shown: people put credentials there.
    default_headers: Mapping[str, str | Omit] = field(default_factory=dict, repr=False)
    default_query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    middleware: tuple[Any, ...] = ()


def is_given(value: T | NotGiven | Omit) -> TypeGuard[T]:
    """Tell whether an argument was given."""
    return not isinstance(value, NotGiven | Omit)


def environment(name: str) -> str | None:
    """Return a variable of the environment; an empty one counts as not set."""
    return os.environ.get(name) or None


def secret(name: str, text: object) -> Secret | None:
    """Return a key or token as a secret, after a check that a header can carry it.

    Raises:
        TypeError, ValueError: It cannot; the message does not repeat it.
    """
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a string, got a value of type {type(text).__name__}")
    for position, character in enumerate(text):
        if not "!" <= character <= "~":
            what = "white space" if character.isspace() else "a control or non-ASCII character"
            where = "at its end" if position == len(text.rstrip()) else f"at position {position}"
            raise ValueError(f"{name}: expected visible ASCII characters only, got {what} {where}")
    if not text:
        raise ValueError(f"{name}: expected a key, got an empty string")
    return Secret(text)


def base_url(text: str) -> str:
    """Return where requests go, without the endpoint's own path and without a slash at the end.

    `https://host`, `https://host/`, `https://host/v1` and `https://host/v1/complete` are the same place;
    the path of a gateway stays.

    Raises:
        ValueError: It is no http or https URL, or has a query or a fragment.
    """
    if not re.match(r"https?://[^/?#\s]+", text, re.IGNORECASE):
        raise ValueError(f"base_url: expected a URL that begins with http:// or https://, got {text!r}")
    if "?" in text or "#" in text:
        raise ValueError(f"base_url: expected a URL without a query or a fragment, got {text!r}")
    return re.sub(r"(/v1(/complete)?)?/*$", "", text.rstrip("/"))


def custom_headers(text: str | None) -> dict[str, str]:
    """Return the headers of ANTHROPIC_CUSTOM_HEADERS: one `Name: value` in each line."""
    pairs = (line.partition(":") for line in (text or "").splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def merge_headers(*layers: Mapping[str, str | Omit] | None) -> dict[str, str]:
    """Merge layers of headers, later ones before earlier ones, without regard to the case of names.

    A value of `omit` takes the header away.
    """
    merged: dict[str, str | Omit] = {}
    for layer in layers:
        merged = layer_headers(merged, layer)
    return {name: value for name, value in merged.items() if not isinstance(value, Omit)}


def layer_headers(below: HeaderValues | None, above: HeaderValues | None) -> dict[str, str | Omit]:
    """Put headers over others, without regard to the case of names; `omit` stays, to act further below."""
    merged = {
        name.lower(): (name, value) for layer in (below, above) for name, value in (layer or {}).items()
    }
    return dict(merged.values())


def query_pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a query as pairs: lists as `name[]`, mappings as `name[key]`, None left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        if isinstance(value, Mapping):
            pairs += query_pairs({f"{name}[{key}]": inner for key, inner in value.items()})
        elif isinstance(value, list | tuple):
            pairs += [pair for inner in value for pair in query_pairs({f"{name}[]": inner})]
        elif isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif value is not None:
            pairs.append((name, str(value)))
    return pairs


def seconds(name: str, value: object) -> float | None:
    """Return a number of seconds above zero, or None for no limit.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(
            f"{name}: expected seconds as a number, or None, got a value of type {type(value).__name__}"
        )
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}: expected seconds above 0, got {value!r}")
    return float(value)


def retries(value: object) -> int:
    """Return a number of retries, 0 or more.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_retries: expected an integer, got {value!r}; 0 means no retries")
    if value < 0:
        raise ValueError(f"max_retries: expected 0 or more, got {value}")
    return value


def timeout(value: Any) -> Any:
    """Return a time limit: seconds, an `httpx.Timeout`, None, or NOT_GIVEN.

    Raises:
        TypeError, ValueError: It is something else.
    """
    # By its method: asking httpx for its class would load it.
    if isinstance(value, NotGiven) or hasattr(value, "as_dict"):
        return value
    return seconds("timeout", value)


def count(name: str, value: object) -> int:
    """Return a whole number above zero.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name}: expected 1 or more, got {value}")
    return value


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "api_key": lambda value: secret("api_key", value),
    "auth_token": lambda value: secret("auth_token", value),
    "base_url": lambda value: base_url(str(value)),
    "timeout": timeout,
    "max_retries": retries,
    "max_retry_after": lambda value: seconds("max_retry_after", value),
    "deadline": lambda value: seconds("deadline", value),
    "stream_idle_timeout": lambda value: seconds("stream_idle_timeout", value),
    "max_event_bytes": lambda value: count("max_event_bytes", value),
    "default_headers": dict,
    "default_query": dict,
    "middleware": tuple,
}


def checked(**settings: Any) -> dict[str, Any]:
    """Return settings as `Options` takes them.

    Raises:
        TypeError, ValueError: One is wrong; it is named.
    """
    return {name: _CHECKS[name](value) for name, value in settings.items()}
