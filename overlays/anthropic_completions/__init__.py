"""An unofficial client for Anthropic's legacy Text Completions API (`POST /v1/complete`).

    from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, Anthropic

    client = Anthropic(backend="messages")  # reads ANTHROPIC_API_KEY
    completion = client.completions.create(
        model="claude-haiku-5-5",
        max_tokens_to_sample=256,
        prompt=f"{HUMAN_PROMPT} Hello, world!{AI_PROMPT}",
    )
    print(completion.completion)

Messages serves the call, as no model is known to answer on the old endpoint any more; without `backend` it
goes there. With `stream=True` the same call returns the text piecewise, and `AsyncAnthropic` awaits both.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import _moved, types
from ._client.clients import Anthropic, AsyncAnthropic
from ._errors import (
    AnthropicError,
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BillingError,
    ConflictError,
    DeadlineExceededError,
    IncompleteStreamError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    RetryableError,
    ServiceUnavailableError,
    UnprocessableEntityError,
)
from ._options import MAX_RETRIES as DEFAULT_MAX_RETRIES
from ._options import NOT_GIVEN, NotGiven, Omit, RequestOptions, not_given, omit
from ._options.markers import AI_PROMPT, HUMAN_PROMPT
from ._version import __version__

if TYPE_CHECKING:
    from httpx import Timeout as Timeout

    from ._client.generated import generated_client as generated_client
    from ._client.middleware import APIRequest as APIRequest
    from ._client.middleware import AsyncCallNext as AsyncCallNext
    from ._client.middleware import CallNext as CallNext
    from ._client.middleware import Middleware as Middleware
    from ._client.responses import APIResponse as APIResponse
    from ._client.responses import AsyncAPIResponse as AsyncAPIResponse
    from ._http.clients import DEFAULT_CONNECTION_LIMITS as DEFAULT_CONNECTION_LIMITS
    from ._http.clients import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from ._http.clients import DefaultAioHttpClient as DefaultAioHttpClient
    from ._http.clients import DefaultAsyncHttpxClient as DefaultAsyncHttpxClient
    from ._http.clients import DefaultAsyncRustHttpClient as DefaultAsyncRustHttpClient
    from ._http.clients import DefaultHttpxClient as DefaultHttpxClient
    from ._http.clients import DefaultRustHttpClient as DefaultRustHttpClient
    from ._restore.restore import restore as restore
    from ._stream.streams import AsyncStream as AsyncStream
    from ._stream.streams import Stream as Stream

Client = Anthropic
AsyncClient = AsyncAnthropic

__all__ = [
    "AI_PROMPT",
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "HUMAN_PROMPT",
    "NOT_GIVEN",
    "APIConnectionError",
    "APIError",
    "APIRequest",
    "APIResponse",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "Anthropic",
    "AnthropicError",
    "AsyncAPIResponse",
    "AsyncAnthropic",
    "AsyncCallNext",
    "AsyncClient",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "BillingError",
    "CallNext",
    "Client",
    "ConflictError",
    "DeadlineExceededError",
    "DefaultAioHttpClient",
    "DefaultAsyncHttpxClient",
    "DefaultAsyncRustHttpClient",
    "DefaultHttpxClient",
    "DefaultRustHttpClient",
    "IncompleteStreamError",
    "InternalServerError",
    "Middleware",
    "NotFoundError",
    "NotGiven",
    "Omit",
    "OverloadedError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestOptions",
    "RequestTooLargeError",
    "RetryableError",
    "ServiceUnavailableError",
    "Stream",
    "Timeout",
    "UnprocessableEntityError",
    "__version__",
    "generated_client",
    "not_given",
    "omit",
    "restore",
    "types",
]

for _name in _moved.MODULES:
    sys.modules[f"{__name__}.{_name}"] = _moved

# What needs httpx is loaded when it is asked for.
_LAZY = {
    "APIRequest": "._client.middleware",
    "AsyncCallNext": "._client.middleware",
    "CallNext": "._client.middleware",
    "Middleware": "._client.middleware",
    "APIResponse": "._client.responses",
    "AsyncAPIResponse": "._client.responses",
    "AsyncStream": "._stream.streams",
    "DEFAULT_CONNECTION_LIMITS": "._http.clients",
    "DEFAULT_TIMEOUT": "._http.clients",
    "DefaultAioHttpClient": "._http.clients",
    "DefaultAsyncHttpxClient": "._http.clients",
    "DefaultAsyncRustHttpClient": "._http.clients",
    "DefaultHttpxClient": "._http.clients",
    "DefaultRustHttpClient": "._http.clients",
    "Stream": "._stream.streams",
    "generated_client": "._client.generated",
    "restore": "._restore.restore",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "Timeout":
        value = import_module("httpx").Timeout
    elif name in ("prompts", "resources"):
        return import_module(f".{name}", __name__)
    elif name in _LAZY:
        value = getattr(import_module(_LAZY[name], __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, "Timeout"})
