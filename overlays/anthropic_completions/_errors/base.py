"""The bases of all errors, and what keeps credentials out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._secrets import REDACTED, is_secret

if TYPE_CHECKING:
    from collections.abc import Container

    import httpx


# The extension of a request with the names of parameters of its query whose values are shown to nobody.
HIDDEN_PARAMETERS = "anthropic_completions.hidden_parameters"


class _Base(Exception):
    """What `AnthropicError` is derived from, so that `restore` can give it a second base beside it."""


class AnthropicError(_Base):
    """Base of all errors here. Wrong arguments raise `TypeError` and `ValueError` instead."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return _restore, (type(self), self.args, self.__dict__)


class RetryableError(AnthropicError):
    """Raised from middleware: the request is tried again as after a lost connection, within `max_retries`."""


class APIError(AnthropicError):
    """Something went wrong with a request that was sent, or was about to be.

    Attributes:
        message: What happened, for people.
        request: The request, with its credentials removed.
        body: The reply's JSON value, its text where it is no JSON, or None where there is none.
        request_id: What names the exchange at Anthropic; None where no reply told it.
        completion: The text that a stream had brought before the error; None outside of streams.
        chunk_count: The number of chunks that had brought it; None outside of streams.
        stop_reason: The stop reason that a stream had brought before the error: the text is whole then, as
            far as the service is concerned. None where none had come.
        retry_after: Seconds after which the service asked to try again; None where it did not.
    """

    message: str
    request: httpx.Request
    body: object | None
    request_id: str | None = None
    completion: str | None = None
    chunk_count: int | None = None
    stop_reason: str | None = None
    retry_after: float | None = None

    def __init__(self, message: str, request: httpx.Request, *, body: object | None) -> None:
        AnthropicError.__init__(self, message)  # a subclass may have a second base with other arguments
        self.message = message
        self.request = without_credentials(request)
        self.body = body

    def __str__(self) -> str:
        if self.request_id is None or self.request_id in self.message:
            return self.message
        return f"{self.message} (request id: {self.request_id})"


class APIResponseValidationError(APIError):
    """The reply is not what the contract says.

    Attributes:
        response: The reply.
        status_code: Its HTTP status.
    """

    response: httpx.Response
    status_code: int

    def __init__(self, response: httpx.Response, body: object | None, *, message: str | None = None) -> None:
        strip_credentials(response)
        super().__init__(message or "The reply is not what the contract says.", response.request, body=body)
        self.response = response
        self.status_code = response.status_code
        self.request_id = _text(response.headers, "request-id")


class APIConnectionError(APIError):
    """No reply came, or not the whole of it. The `__cause__` is the transport's own error."""

    _final = False  # whether another attempt would fail in the same way

    def __init__(self, *, message: str = "Connection error.", request: httpx.Request) -> None:
        super().__init__(message, request, body=None)


class APITimeoutError(APIConnectionError):
    """Nothing came in time."""

    def __init__(self, request: httpx.Request, *, message: str = "Request timed out.") -> None:
        super().__init__(message=message, request=request)


class IncompleteStreamError(APIConnectionError):
    """The stream ended before the text did; `completion` holds the text so far."""


class APIStatusError(APIError):
    """The service answered with an error, by status or inside a stream.

    Attributes:
        response: The reply.
        status_code: Its HTTP status. For an error inside a stream, whose status was 200, the status that
            its type stands for, or 200 where that is unknown.
        type: The kind of error in the API's terms, such as `rate_limit_error`; None where it is unknown.
        advice: What to do about it, where the contract knows that the model is retired or is served by
            Messages; otherwise None. It stands at the end of `str()`, and is no part of `message`.
    """

    response: httpx.Response
    status_code: int
    type: str | None
    advice: str | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.advice is None else f"{text}; {self.advice}"

    def __init__(self, message: str, *, response: httpx.Response, body: object | None) -> None:
        strip_credentials(response)
        super().__init__(message, response.request, body=body)
        self.response = response
        self.status_code = response.status_code
        self.type = error_type(body)
        self.request_id = _text(response.headers, "request-id") or _text(body, "request_id")

    @property
    def workspace_id(self) -> str | None:
        """The workspace that the request was counted for, where the service says so."""
        return _text(self.response.headers, "anthropic-workspace-id")


class InternalServerError(APIStatusError):
    """500, and every 5xx without a class of its own: the service failed."""


def error_type(body: object) -> str | None:
    """Return the kind of error that a reply's body names, or None."""
    return _text(body.get("error"), "type") if isinstance(body, Mapping) else None


def without_credentials(request: httpx.Request) -> httpx.Request:
    """Return a copy of the request with its credentials removed; the request itself where it has none."""
    headers = getattr(request, "headers", None)
    if not isinstance(headers, Mapping):  # None or a mock, as people's tests have them
        return request
    url = shown_url(request)
    if url is request.url and all(value == REDACTED for name, value in headers.items() if is_secret(name)):
        return request
    try:
        content = request.content
    except RuntimeError:  # a body that is read once only, when it is sent
        content = b""
    shown = [(name, REDACTED if is_secret(name) else value) for name, value in request.headers.multi_items()]
    return type(request)(request.method, url, headers=shown, content=content)


def shown_url(request: httpx.Request) -> httpx.URL:
    """Return a request's URL without the values of parameters that may be credentials."""
    extensions = getattr(request, "extensions", None)
    hidden = extensions.get(HIDDEN_PARAMETERS) if isinstance(extensions, Mapping) else None
    return without_values(request.url, hidden) if hidden else request.url


def without_values(url: httpx.URL, names: Container[str]) -> httpx.URL:
    """Return a URL with the values of some parameters of its query redacted."""
    pairs = [(name, REDACTED if name in names else value) for name, value in url.params.multi_items()]
    return url.copy_with(params=pairs)


def strip_credentials(response: httpx.Response) -> None:
    """Remove the credentials from the requests that a reply holds."""
    earlier: object = response.history
    for reply in (*(earlier if isinstance(earlier, list) else ()), response):
        reply.request = without_credentials(reply.request)
        reply.next_request = None


def _text(value: object, name: str) -> str | None:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else None


def _restore(
    cls: type[AnthropicError], args: tuple[object, ...], state: Mapping[str, object]
) -> AnthropicError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error
