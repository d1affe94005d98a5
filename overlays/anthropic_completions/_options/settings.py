"""The settings of a client: their checks, their defaults, and the values that mean "not given"."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeGuard, TypeVar, cast, get_args

from .._secrets import Headers, QueryDefaults, Secret, secret
from .model_map import ModelMap, model_map
from .urls import base_url

if TYPE_CHECKING:
    import httpx


T = TypeVar("T")

BASE_URL = "https://api.anthropic.com"
API_VERSION = "2023-06-01"
MAX_RETRIES = 2
TIMEOUT_SECONDS = 600.0
CONNECT_SECONDS = 5.0
MAX_RETRY_AFTER = 60.0
MAX_EVENT_BYTES = 16 * 1024 * 1024
# Tokens for thinking that cannot be switched off, besides those of the text: twice what effort `high` was
# seen to take. At effort `low`, which is asked for, it is less; no limit is documented.
THINKING_ROOM = 8_192
MAX_REPLY_BYTES = 64 * 1024 * 1024
STREAM_END_GRACE = 2.0
# Sockets and sleeps refuse much longer times.
_MAX_SECONDS = 1e9


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
Backend = Literal["completions", "messages", "auto"]
OnLoss = Literal["warn", "error", "drop"]
Prefill = Literal["drop", "error", "instruct"]
ModelMapping = Mapping[str, str] | Literal["recommended"] | ModelMap


class RequestOptions(TypedDict, total=False):
    """Settings of one call to `post`, as the old client named them."""

    headers: HeaderValues
    max_retries: int
    timeout: float | httpx.Timeout | None
    params: QueryValues
    extra_json: Mapping[str, object]


@dataclass(frozen=True)
class Options:
    """The settings of a client. Immutable: a client with other settings is another client.

    The fields mean what the arguments of `Anthropic` mean. `only_messages` is what `backend="auto"` has
    learned: the base URL and the model of calls that only Messages serves. `learned` is what refusals have
    told of how Messages serves a model, by the same pair. Copies of a client share both. `urls` (by path) and
    `headers` (by the headers of the request) are made of the settings for a call and kept for the next one;
    they are not pickled.
    """

    api_key: Secret | None
    auth_token: Secret | None
    base_url: str
    # The variable of the environment that it comes from, if it does.
    base_url_variable: str | None = field(default=None, kw_only=True)
    timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN
    max_retries: int = MAX_RETRIES
    max_retry_after: float | None = MAX_RETRY_AFTER
    deadline: float | None = None
    stream_idle_timeout: float | None = None
    stream_end_grace: float = STREAM_END_GRACE
    tolerate_abrupt_end: bool = False
    max_event_bytes: int = MAX_EVENT_BYTES
    max_reply_bytes: int = MAX_REPLY_BYTES
    default_headers: HeaderValues = field(default_factory=Headers)
    default_query: QueryDefaults[object] = field(default_factory=QueryDefaults)
    middleware: tuple[object, ...] = ()
    backend: Backend = "completions"
    on_loss: OnLoss = "warn"
    model_map: ModelMap | None = None
    prefill: Prefill = "drop"
    thinking_room: int = THINKING_ROOM
    learn: bool = True
    model_warnings: bool = True
    only_messages: dict[tuple[str, str], object] = field(default_factory=dict, repr=False, compare=False)
    learned: dict[tuple[str, str], object] = field(default_factory=dict, repr=False, compare=False)
    urls: dict[str, httpx.URL] = field(default_factory=dict, init=False, repr=False, compare=False)
    headers: dict[tuple[tuple[str, str], ...], tuple[Headers[str], bool]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def changed(self, **settings: Any) -> Options:
        """Return settings with some of them changed; they are checked already."""
        if "base_url" in settings:
            settings["base_url_variable"] = None
        return replace(self, **settings)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name not in ("urls", "headers")}

    def __setstate__(self, state: dict[str, object]) -> None:
        # Of a version before, whose settings were fewer, and whose cache had another form.
        made = {entry.name: entry.default_factory for entry in fields(self)}
        vars(self).update({name: make() for name, make in made.items() if make is not MISSING})
        vars(self).update({name: value for name, value in state.items() if name in made})
        vars(self)["default_query"] = QueryDefaults(self.default_query)


def is_given(value: T | NotGiven | Omit) -> TypeGuard[T]:
    """Tell whether an argument was given."""
    return not isinstance(value, (NotGiven, Omit))


def environment(name: str) -> str | None:
    """Return a variable of the environment; an empty one counts as not set."""
    return os.environ.get(name) or None


def custom_headers(text: str | None) -> dict[str, str]:
    """Return the headers of ANTHROPIC_CUSTOM_HEADERS: one `Name: value` in each line."""
    pairs = (line.partition(":") for line in (text or "").splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def mapping(name: str, value: object) -> Mapping[str, Any]:
    """Return a mapping with strings as keys; None counts as an empty one.

    Raises:
        TypeError: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name}: expected a mapping, got a value of type {type(value).__name__}")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{name}: expected strings as keys, got one of type {type(key).__name__}")
    return value


def sequence(name: str, value: object) -> list[object]:
    """Return the items of a list or another sequence; text counts as none.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Sequence):
        raise TypeError(f"{name}: expected a list, got a value of type {type(value).__name__}")
    return list(value)


def layer_headers(*layers: HeaderValues | None) -> dict[str, str | Omit]:
    """Put layers of headers over each other, later ones over earlier ones.

    Names are compared without regard to case. A value of `omit` stays, to act on what is further below;
    one that is not given is nothing.
    """
    given = [item for layer in layers for item in (layer or {}).items() if not isinstance(item[1], NotGiven)]
    return Headers({name.lower(): (name, value) for name, value in given}.values())


def seconds(name: str, value: object, *, zero: bool = False) -> float | None:
    """Return a number of seconds, or None for no limit.

    Args:
        zero: Whether 0 is allowed.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(
            f"{name}: expected seconds as a number, or None, got a value of type {type(value).__name__}"
        )
    if not (0 < value <= _MAX_SECONDS or (zero and value == 0)):
        least = "from 0" if zero else "above 0"
        raise ValueError(
            f"{name}: expected seconds {least} to {_MAX_SECONDS:.0e}, or None for no limit, got {value}"
        )
    return float(value)


def count(name: str, value: object, *, least: int = 1) -> int:
    """Return a whole number that is not below `least`.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected an integer, got a value of type {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name}: expected {least} or more, got {value}")
    return value


def one_of(name: str, value: object, kind: object) -> object:
    """Return one of the strings of a `Literal`.

    Raises:
        ValueError: It is something else.
    """
    if value not in get_args(kind):
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, get_args(kind)))}, got {value!r}")
    return value


def flag(name: str, value: object) -> bool:
    """Return true or false.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}: expected True or False, got a value of type {type(value).__name__}")
    return value


def timeout(value: object) -> float | httpx.Timeout | NotGiven | None:
    """Return a time limit: seconds, an `httpx.Timeout`, None, or NOT_GIVEN.

    Raises:
        TypeError, ValueError: It is something else.
    """
    if isinstance(value, NotGiven):
        return value
    # By its method: asking httpx for its class would load it.
    if hasattr(value, "as_dict"):
        limits = cast("httpx.Timeout", value)
        for name, limit in limits.as_dict().items():
            seconds(f"timeout ({name})", limit, zero=True)
        return limits
    return seconds("timeout", value)


def grace(name: str, value: object) -> float:
    """Return a number of seconds, 0 or more.

    Raises:
        TypeError, ValueError: It is something else.
    """
    found = seconds(name, value, zero=True)
    if found is None:
        raise TypeError(f"{name}: expected seconds as a number, got None")
    return found


# Name in errors, and value.
_CHECKS: dict[str, Callable[[str, object], object]] = {
    "api_key": secret,
    "auth_token": secret,
    "base_url": lambda name, value: base_url(str(value), name),
    "timeout": lambda _, value: timeout(value),
    "max_retries": lambda name, value: count(name, value, least=0),
    "max_retry_after": seconds,
    "deadline": seconds,
    "stream_idle_timeout": seconds,
    "stream_end_grace": grace,
    "tolerate_abrupt_end": flag,
    "max_event_bytes": count,
    "max_reply_bytes": count,
    "default_headers": lambda name, value: Headers(mapping(name, value)),
    "default_query": lambda name, value: QueryDefaults(mapping(name, value)),
    "middleware": lambda name, value: tuple(sequence(name, value or ())),
    "backend": lambda name, value: one_of(name, value, Backend),
    "on_loss": lambda name, value: one_of(name, value, OnLoss),
    "model_map": model_map,
    "prefill": lambda name, value: one_of(name, value, Prefill),
    "thinking_room": lambda name, value: count(name, value, least=0),
    "learn": flag,
    "model_warnings": flag,
}
# What the environment says of settings that are not given.
_VARIABLES = {
    name: f"ANTHROPIC_COMPLETIONS_{name.upper()}"
    for name in ("backend", "on_loss", "model_map", "prefill", "thinking_room")
} | {"base_url": "ANTHROPIC_BASE_URL"}


def checked(**settings: object) -> dict[str, Any]:
    """Return settings as `Options` takes them.

    Raises:
        TypeError, ValueError: One is wrong; it is named.
    """
    return {name: _CHECKS[name](name, value) for name, value in settings.items()}


def checked_or_environment(**settings: object) -> dict[str, Any]:
    """Return settings as `Options` takes them: those that are given, or that the environment has.

    Raises:
        TypeError, ValueError: One is wrong; it, or its variable, is named.
    """
    found = {}
    for name, given in settings.items():
        if is_given(given):
            found[name] = _CHECKS[name](name, given)
        elif name in _VARIABLES and (text := environment(_VARIABLES[name])) is not None:
            value = _number(_VARIABLES[name], text) if name == "thinking_room" else text
            found[name] = _CHECKS[name](_VARIABLES[name], value)
    return found


def _number(label: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{label}: expected an integer, got {text!r}") from None
