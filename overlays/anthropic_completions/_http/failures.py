"""Map httpx's errors and error replies to this package's errors; read JSON bodies."""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

from .._contract.generated import statuses
from .._errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    error_type,
    shown_url,
    status_error_class,
    strip_credentials,
    without_credentials,
)
from .._secrets import clear_locals

if TYPE_CHECKING:
    from collections.abc import Callable

# What httpx raises is below the first four; the others are what it and transports of users let through, such
# as UnicodeError for a host name that cannot be looked up.
TRANSPORT_ERRORS = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    OSError,
    EOFError,
    UnicodeError,
)

# The request itself is at fault, or the client is closed: another attempt would fail in the same way.
_FINAL_ERRORS = (
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.CookieConflict,
    UnicodeError,
    RuntimeError,
)


def status_error(
    response: httpx.Response, body: object = None, *, message: str | None = None
) -> APIStatusError:
    """Return the error that an HTTP status stands for."""
    if message is None:
        shown = f"{body[:500]} …" if isinstance(body, str) and len(body) > 500 else body
        message = f"Error code: {response.status_code}" + ("" if body in (None, "") else f" - {shown}")
    return status_error_class(response.status_code)(message, response=response, body=body)


def holds_error(body: object) -> bool:
    """Tell whether a reply's JSON value has an error object, which makes it an error whatever its status."""
    return isinstance(body, dict) and isinstance(body.get("error"), dict)


def reported_error(response: httpx.Response, body: object, *, where: str) -> APIStatusError:
    """Return the error that a reply with status 200 reports, in its body or within its stream.

    Its class and status are those of the error's type, or of a status in its place (gateways: `code` 429,
    also as text); those of the reply where neither is known.

    Args:
        response: The reply.
        body: The JSON value that reports the error.
        where: What it was found in, for the message: "reply" or "stream".
    """
    status = statuses().get(error_type(body) or "") or _told_status(body) or response.status_code
    error = status_error_class(status)(f"Error in the {where}: {body}", response=response, body=body)
    error.status_code = status
    return error


def _told_status(body: object) -> int | None:
    error = body.get("error") if isinstance(body, dict) else None
    for name in ("type", "code", "status", "status_code"):
        value = str(error.get(name)) if isinstance(error, dict) else ""
        if len(value) == 3 and value.isascii() and value.isdigit() and value >= "400":
            return int(value)
    return None


def body_of(response: httpx.Response) -> object:
    """Return a reply's JSON value, or its text where it is no JSON."""
    try:
        return parse_json(response.content)
    except ValueError:
        return text_of(response).strip()


def text_of(response: httpx.Response) -> str:
    """Return a reply's body as text, also where its content type names an encoding that is none."""
    try:
        return response.text
    except Exception:  # noqa: BLE001 - the codecs of bytes and the undefined one raise what they like
        return response.content.decode(errors="replace")


def parse_json(data: bytes | str) -> object:
    """Read JSON, strictly; a byte order mark before it is let pass.

    msgspec reads it where it is installed. What it refuses is read again without it, as the standard library
    takes a little more (lone surrogates, numbers beyond what a double holds) and says where it fails.

    Raises:
        ValueError: It is no JSON, is not UTF-8, or is nested too deeply.
    """
    text = data if isinstance(data, str) else data.decode("utf-8-sig")
    if _fast_decode is not None:
        try:
            return _fast_decode(text)
        except Exception:  # noqa: BLE001 - also a RecursionError and a UnicodeEncodeError
            return _decode(text)
    return _decode(text)


def _decode(text: str) -> object:
    try:
        # First without looking for white space around it, of which there is none as a rule.
        try:
            value, end = _DECODER.raw_decode(text)
        except ValueError:
            value, end = None, -1
        return value if end == len(text) else _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
# With the extra `fast`. Not for request bodies: these stay the old client's, byte for byte.
_fast_decode: Callable[[str], object] | None = None
with suppress(ImportError):
    import msgspec.json

    _fast_decode = msgspec.json.Decoder().decode


def undecodable(
    response: httpx.Response, raw: bytes | None, error: httpx.DecodingError
) -> APIResponseValidationError:
    """Return the error for a body whose content encoding is broken; its body is the bytes as they came."""
    error.request = without_credentials(response.request)
    message = f"The reply's body could not be decoded: {error}"
    return APIResponseValidationError(response, raw, message=message)


def body_failure(
    error: Exception, response: httpx.Response
) -> APIConnectionError | APIResponseValidationError:
    """Return the error of this package for one that was met while a reply's body was read."""
    if isinstance(error, httpx.DecodingError):
        return undecodable(response, None, error)
    return transport_failure(error, response.request, response)


def transport_failure(
    error: Exception,
    request: httpx.Request,
    response: httpx.Response | None,
    *,
    variable: str | None = None,
) -> APIConnectionError:
    """Return the error of this package that a transport's error is mapped to.

    Args:
        error: What the transport raised.
        request: The request.
        response: Its reply, where one had begun.
        variable: The variable of the environment that says where requests go, if one does.
    """
    clear_locals(error)
    final = isinstance(error, _FINAL_ERRORS) or _is_of_certificate(error)
    if isinstance(error, httpx.HTTPError):
        error.request = without_credentials(request)
    if isinstance(error, httpx.HTTPStatusError):  # raised by a hook; its text has the URL
        strip_credentials(error.response)
    sent, shown = httpx.URL.__str__(request.url), str(request.url)
    if sent != shown:
        error.args = tuple(arg.replace(sent, shown) if isinstance(arg, str) else arg for arg in error.args)
    where = "" if response is not None else _where(request, variable)
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        failure: APIConnectionError = APITimeoutError(
            request, message=f"Request timed out{where if isinstance(error, httpx.ConnectTimeout) else ''}."
        )
    else:
        failure = APIConnectionError(
            message=f"Connection error: {str(error) or type(error).__name__}{where}", request=request
        )
    failure._final = final
    if response is not None:
        failure.request_id = response.headers.get("request-id")
    return failure


def _where(request: httpx.Request, variable: str | None) -> str:
    """Return what a message says of where a request was going."""
    url = request.url
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return f" ({host}:{port}{f', which {variable} says' if variable else ''})"


def _is_of_certificate(error: BaseException) -> bool:
    """Tell whether an error comes of the other side's certificate; another attempt would see the same."""
    led: BaseException | None = error
    while led is not None:
        if isinstance(led, ssl.SSLCertVerificationError):
            return True
        led = led.__cause__ or led.__context__
    return False


def hide_values(request: httpx.Request) -> None:
    """Have a request that has failed show no credentials, wherever it is still held."""
    shown = shown_url(request)
    if shown is not request.url:
        request.url = _HiddenURL(request.url)
        request.url.shown = str(shown)


class _HiddenURL(httpx.URL):
    """A URL that is shown without what may be credentials. Its parameters are as they were sent."""

    shown: str

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"URL({self.shown!r})"
