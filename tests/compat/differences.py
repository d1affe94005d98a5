"""All that differs from the old client on purpose, each with its reason. Nothing else may differ."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import ANY

from compat.play import ABSENT

# What the old client shows and what this one does, or a function of the two.
Shown = tuple[Any, Any] | Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Difference:
    """One deliberate difference.

    Attributes:
        reason: Why it is.
        shows: What is seen of it, by patterns of names.
    """

    reason: str
    shows: Mapping[str, Shown]

    def explains(self, name: str, pair: tuple[Any, Any]) -> bool:
        """Tell whether something that differs is this difference."""
        return any(
            shown(*pair) if callable(shown) else shown == pair
            for pattern, shown in self.shows.items()
            if fnmatchcase(name, pattern)
        )


class Like:
    """Equals every value whose repr matches a regular expression."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __eq__(self, other: object) -> bool:
        return bool(re.fullmatch(self._pattern, repr(other), re.DOTALL))

    __hash__ = None


def _refused(kind: str, reason: str) -> Difference:
    """Return the difference that the old client sends what this one refuses."""
    return Difference(reason, {"requests": (1, 0), "error class": (ABSENT, kind)})


def _refused_later(kind: str, reason: str) -> Difference:
    """Return the difference that both fail before anything is sent: the old one late, in some way."""
    return Difference(
        reason,
        {"error class": (ANY, kind), "error caught as": (ANY, ANY), "waits": (ANY, []), "requests": (1, 0)},
    )


def _raised(kind: str, reason: str, **shows: Shown) -> Difference:
    """Return the difference that a reply which the old client takes, or fails over, raises an error."""
    return Difference(
        reason,
        {
            "error class": lambda old, new: new == kind and not old.startswith("API"),
            "error caught as": (ANY, Like(r"\['(Incomplete|API).*\bAPIError\b.*")),
            **shows,
        },
    )


def _prefixed(prefix: str) -> dict[str, Shown]:
    """Return what shows where an error's message has a prefix that the old client's has not."""
    pattern = re.compile(prefix + "(.*)", re.DOTALL)

    def message(old: Any, new: Any) -> bool:
        match = pattern.fullmatch(new)
        return bool(match) and match[1] == old

    return {
        "error message": message,
        "error args": lambda old, new: message(*old, *new),
        "error str": lambda old, new: message(old, new.removesuffix(" (request id: req_1)")),
        "error repr": (ANY, Like(f".*{prefix}.*")),
    }


def _class(kind: str, *bases: str) -> dict[str, Shown]:
    """Return what shows where an error has a class of its own, below the one that it had."""
    return {
        "error class": lambda old, new: new == kind and old in (*bases, "APIStatusError"),
        "error caught as": lambda old, new: new == [kind, *(base for base in bases if base not in old), *old],
        "error repr": (ANY, Like(f".{kind}\\(.*")),
    }


_OLD_LIMITS = {"connect": 600, "read": 600, "write": 600, "pool": 600}
_LIMITS = {"connect": 5.0, "read": 600.0, "write": 600.0, "pool": 600.0}
_TELEMETRY = (
    *("arch", "async", "lang", "os", "package-version", "raw-response", "read-timeout"),
    *("runtime", "runtime-version", "timeout"),
)

EVERYWHERE = {
    "user agent": Difference(
        "It names the package that sends.",
        {
            "request * header user-agent": (
                Like(r"\['(Async)?Anthropic/Python 0\.125\.0'\]"),
                Like(r"\['anthropic-completions/\S+ Python/\S+'\]"),
            )
        },
    ),
    "telemetry": Difference(
        "What a program runs on is its own business; only the number of the retry is told.",
        {f"request * header x-stainless-{name}": (ANY, ABSENT) for name in _TELEMETRY},
    ),
    "time limits": Difference(
        "The old client documents 5 s to connect, and loses them on the way.",
        {"request * timeout": (_OLD_LIMITS, _LIMITS)},
    ),
    "headers of the reply": Difference(
        "Completions tell the headers that came with them; so do chunks, with the request id.",
        {
            "result headers": ("raises AttributeError", "Headers"),
            "chunk * headers": ("raises AttributeError", "Headers"),
            "chunk * _request_id": ("raises AttributeError", ANY),
            "chunk * _workspace_id": ("raises AttributeError", ANY),
        },
    ),
    "undocumented fields": Difference(
        "`stop` and `log_id` are known, so that type checkers know them; None where they did not come.",
        {
            f"{what} {name}": ("raises AttributeError", None)
            for what in ("result", "chunk *")
            for name in ("stop", "log_id")
        },
    ),
    "no pydantic": Difference(
        "Completions are attrs classes; what pydantic's classes can do besides the old conveniences is gone.",
        {
            "* pydantic's model_validate": (ANY, "raises AttributeError"),
            "* pydantic's model_fields": (ANY, "raises AttributeError"),
            "* setting another attribute": (ANY, "raises AttributeError"),
        },
    ),
    "fields that are set": Difference(
        "Each field that came counts as one that is set, also an undocumented one.",
        {"* model_fields_set": lambda old, new: new > old},
    ),
    "names of replies": Difference(
        "The old client's class of raw replies was on its way out, under a name that said so.",
        {
            "raw class": ("LegacyAPIResponse", "RawAPIResponse"),
            "raw repr": (Like(".<APIResponse .*"), Like(".<RawAPIResponse .*")),
            "unread repr": (Like(".<(Async)?APIResponse .*"), Like(".<(Async)?APIResponse .*")),
        },
    ),
    "parse to a bare dict": Difference(
        "It works; the old client takes only `dict[str, object]`.",
        {"raw parse to dict": ("raises ValueError", Like(r"\{.*"))},
    ),
    "request id in errors": Difference(
        "The text of an error holds the request id, which the service's people ask for.",
        {"error str": lambda old, new: new == f"{old} (request id: req_1)"},
    ),
}

IN_CASES = {
    # What is sent
    "no betas": Difference(
        "`betas=[]` sends no header, where the old client sends an empty one.",
        {"request * header anthropic-beta": ([""], ANY)},
    ),
    "betas=None": Difference(
        "None means no betas; the old client fails over it.",
        {"requests": (0, 1), "error class": ("TypeError", ABSENT)},
    ),
    "case of headers": Difference(
        "Headers are merged and omitted without regard to case; the old client sends both, or does not omit.",
        {"request * header *": (Like(r"\[.*"), Like(r"\['[^']*'\]|'\(absent\)'"))},
    ),
    "a key in another case": Difference(
        "Whether there is a credential is looked up without regard to case, too.",
        {"requests": (0, 1), "error class": ("TypeError", ABSENT)},
    ),
    "a key omitted for all calls": Difference(
        "`omit` means in `default_headers` what it means in `extra_headers`; the old client refuses it.",
        {"requests": (0, 1), "error class": ("TypeError", ABSENT)},
    ),
    "base_url": Difference(
        "It may end in slashes, `/v1` or `/v1/complete`, as people write it; the old client doubles them.",
        {
            "request * target": lambda old, new: (
                new == re.sub(r"(/v1(/complete)?)?/*(?=/v1/complete$)", "", old, count=1)
            )
        },
    ),
    "the body's stream": Difference(
        "What `extra_body` says of `stream` overrides the argument, also for what is returned.",
        {
            "result *": (ANY, ABSENT),
            "stream *": (ABSENT, ANY),
            "chunk *": (ABSENT, ANY),
            "raw *": (ANY, ANY),
            "unread *": (ANY, ANY),
            "error class": (ABSENT, "APIResponseValidationError"),
        },
    ),
    # What is refused
    "a string for a list": _refused("TypeError", "A string is no list of its characters."),
    "no name of a beta": _refused("ValueError", "A comma or a space would make two of it."),
    "out of range": _refused("ValueError", "The contract says so; `extra_body` is the way around."),
    "wrong type": _refused("TypeError", "The contract says so; `extra_body` is the way around."),
    "a needed field omitted": _refused(
        "ValueError", "The contract needs it; `extra_body` is the way around."
    ),
    "a lone surrogate": _refused_later("ValueError", "The message names the argument."),
    "no text in a header": _refused("TypeError", "Values of headers are strings."),
    "no header": _refused_later(
        "ValueError", "It could not be sent; the old client calls that a connection error."
    ),
    "no name of a field": _refused("TypeError", "Names of fields are strings."),
    "no time limit": _refused("TypeError", "Time limits are numbers of seconds, None or `Timeout`."),
    "no base_url": _refused("ValueError", "Nothing can be put behind it; the old client corrupts the path."),
    "no key": _refused_later("ValueError", "It could not be sent, or would be no key."),
    "an empty key": _refused("ValueError", "It would be no key; the old client takes it for none given."),
    "no body for post": _refused("TypeError", "The endpoint takes objects."),
    "options of post": _refused(
        "TypeError", "They have no effect on what is sent; an unknown one is a mistake."
    ),
    # What comes back
    "a bare dict": Difference(
        "It works; the old client takes only `dict[str, object]`.", {"error class": ("ValueError", ABSENT)}
    ),
    "a wrong content type": Difference(
        "Content types were seen to lie: what is JSON is read as JSON.",
        {"raw parse to *": (Like("'.*"), Like(r"\{.*"))},
    ),
    "a field named headers": Difference(
        "The name is taken; the field is in the dumps.", {"result headers": ("dict", "Headers")}
    ),
    "fields that did not come": Difference(
        "They are absent from dumps, where the old client shows some of them as null.",
        {
            "chunk * made by hand": ("raises ValidationError", "raises TypeError"),
            "chunk * equality": ("raises ValidationError", "raises TypeError"),
            "chunk * *": lambda old, new: "id" in repr(old) and "id" not in repr(new),
        },
    ),
    "validated": _raised(
        "APIResponseValidationError",
        "A reply that is no completion raises an error that holds it; the old client passes on None, text or "
        "a parser's error.",
    ),
    "an error for a completion": _raised(
        "InternalServerError", "It is the error that it says; the old client returns a completion of None."
    ),
    "a redirect": Difference(
        "A redirect that turns the POST into a GET is not followed.",
        {"requests": (2, 1), "error class": (ABSENT, "APIStatusError")},
    ),
    "the request of a redirect": Difference(
        "It is kept whole.", {"* http_request": ("raises RequestNotRead", ANY)}
    ),
    # Streams
    "a cut stream": _raised(
        "IncompleteStreamError", "A stream that ends before its text does is no success."
    ),
    "a cut body": _raised("APIConnectionError", "No error of httpx comes through."),
    "no chunk": Difference("What follows what is no chunk is not read.", {"stream chunks": (3, 1)}),
    "tried again": Difference(
        "A stream that failed before its first chunk is tried again.",
        {"requests": (1, 2), "waits": ([], ANY)},
    ),
    "events without a name": Difference(
        "They are completions, as in the first version of the API.",
        {"stream text": ("", ANY), "stream chunks": (0, ANY)},
    ),
    "a byte order mark": Difference(
        "It belongs to no event; the old client loses the first one.",
        {"stream text": lambda old, new: new.endswith(old), "stream chunks": lambda old, new: new == old + 1},
    ),
    "a completion for a stream": Difference(
        "It is the one chunk.", {"stream text": ("", ANY), "stream chunks": (0, 1)}
    ),
    "an error for a stream": _raised("InternalServerError", "It is the error that it says."),
    "an error in a stream": Difference(
        "Its class and status are those of its type, not of status 200.",
        {
            **_prefixed("Error in the stream: "),
            "error class": ("APIStatusError", Like("'[A-Za-z]+Error'")),
            "error caught as": lambda old, new: new[-len(old) :] == old,
            "error status_code": (200, ANY),
        },
    ),
    "no JSON in an error event": Difference(
        "It is not what the contract says; the class tells so.",
        {
            "error class": ("APIStatusError", "APIResponseValidationError"),
            "error *": (ANY, ANY),
        },
    ),
    # Errors
    "402": Difference("It has a class.", _class("BillingError")),
    "503": Difference("It has a class.", _class("ServiceUnavailableError", "InternalServerError")),
    "504": Difference("It has a class.", _class("DeadlineExceededError", "InternalServerError")),
    "status of text": Difference(
        "The message tells the status, also where the body is no JSON.", _prefixed(r"Error code: \d+ - ")
    ),
    "request id of the body": Difference(
        "It is taken from the body where no header has it.",
        {"error request_id": (None, "req_body"), "error str": (ANY, ANY)},
    ),
    "what went wrong": Difference(
        "The message of a lost connection tells what went wrong; every error has a `request_id`.",
        {
            "error message": ("Connection error.", Like("'Connection error: .+'")),
            "error str": ("Connection error.", Like("'Connection error: .+'")),
            "error args": (("Connection error.",), Like(r"\('Connection error: .+',\)")),
            "error repr": (ANY, Like(r".APIConnectionError\(.Connection error: .+")),
            "error request_id": ("raises AttributeError", None),
        },
    ),
    "the longest wait": Difference(
        "Who asks for more than 60 s is not asked before; the error is raised at once.",
        {"requests": (2, 1), "error class": (ABSENT, "RateLimitError"), "waits": ([0.4375], [])},
    ),
}
DIFFERENCES = EVERYWHERE | IN_CASES


def unexplained(found: Mapping[str, tuple[Any, Any]], keys: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    """Return what neither the differences with these keys nor those that are everywhere explain."""
    known = [DIFFERENCES[key] for key in keys] + list(EVERYWHERE.values())
    return {
        name: pair
        for name, pair in found.items()
        if not any(difference.explains(name, pair) for difference in known)
    }


def shown(found: Mapping[str, tuple[Any, Any]], keys: Iterable[str]) -> set[str]:
    """Return which of the differences with these keys show."""
    return {key for key in keys if any(DIFFERENCES[key].explains(name, pair) for name, pair in found.items())}


# Public names of the old client that are not here, by the class that has them.
_CLOUDS = "Credentials of clouds and profiles are not for this API's keys and tokens."
_OTHERS = "It belongs to other endpoints."
_PYDANTIC = "Completions are attrs classes."
_INSIDE = "It shows how the old client is made inside."

MISSING: Mapping[str, Mapping[str, str]] = {
    "anthropic": {
        **dict.fromkeys(
            ("APIWebhookValidationError", "BetaFallbackState", "BetaRefusalFallbackMiddleware"), _OTHERS
        ),
        **dict.fromkeys(("beta_async_tool", "beta_tool", "file_from_path", "transform_schema"), _OTHERS),
        **dict.fromkeys(("AsyncMiddlewareCallable", "MiddlewareCallable", "MiddlewareInput"), _INSIDE),
        **dict.fromkeys(("NoneType", "ProxiesTypes", "Transport", "__title__"), _INSIDE),
        "BaseModel": _PYDANTIC,
    },
    "client": {
        **dict.fromkeys(("beta", "files", "messages", "models", "skills", "webhook_key"), _OTHERS),
        **dict.fromkeys(("delete", "get", "get_api_list", "patch", "put", "request"), _OTHERS),
        **dict.fromkeys(("custom_auth", "platform_headers", "qs", "user_agent"), _INSIDE),
    },
    "arguments of the client": {
        **dict.fromkeys(("config", "credentials", "profile", "_token_cache"), _CLOUDS),
        "webhook_key": _OTHERS,
        "_strict_response_validation": "Replies are always validated.",
    },
    "arguments of copy": {
        **dict.fromkeys(("config", "credentials", "profile"), _CLOUDS),
        "webhook_key": _OTHERS,
        "_extra_kwargs": _INSIDE,
    },
    "arguments of post": {"content": _OTHERS, "files": _OTHERS},
    "RequestOptions": {
        "follow_redirects": "Only safe ones are followed.",
        "idempotency_key": "It is never sent.",
    },
    "Completion": dict.fromkeys(
        (
            *("from_orm", "model_computed_fields", "model_config", "model_fields", "model_json_schema"),
            *("model_parametrized_name", "model_post_init", "model_rebuild", "model_validate"),
            *("model_validate_json", "model_validate_strings", "parse_file", "parse_obj", "parse_raw"),
            *("schema", "schema_json", "update_forward_refs", "validate"),
        ),
        _PYDANTIC,
    ),
}

# Ways to use a stream that differ.
_LEFT = "Leaving a loop closes the stream, so that no connection stays open; reading on would miss text."
USES: Mapping[str, str] = {
    "next(iter()), then a loop": _LEFT,
    "a loop that was left, taken up again": _LEFT,
    "raw events": "The id of an event is empty where none was sent, as the standard has it.",
    "a loop after close()": "The error is this package's, not one of httpx.",
}
