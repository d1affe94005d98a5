"""The error tree: which class, what it holds, and what survives pickle and copy."""

import copy
import inspect
import pickle
from typing import Any
from unittest.mock import MagicMock, Mock

import httpx
import pytest

import anthropic_completions
from anthropic_completions import _errors
from anthropic_completions._http.failures import (
    TRANSPORT_ERRORS,
    body_of,
    parse_json,
    text_of,
    transport_failure,
)

REQUEST = httpx.Request(
    "POST",
    "http://service/v1/complete",
    headers={"X-Api-Key": "sk-secret", "Authorization": "Bearer sk-secret", "Gateway-Token": "sk-secret"},
    content=b'{"prompt": "Hi"}',
)


def response(status: int = 429, **changes: Any) -> httpx.Response:
    changes = {"json": {"error": {"type": "rate_limit_error"}}, "request": REQUEST, **changes}
    return httpx.Response(status, **changes)


def instance(cls: type[anthropic_completions.AnthropicError]) -> anthropic_completions.AnthropicError:
    """Make an error as the old client's users do in their tests."""
    if issubclass(cls, anthropic_completions.APIStatusError):
        return cls("Slow down.", response=response(), body={"error": {"type": "rate_limit_error"}})
    if issubclass(cls, anthropic_completions.APIResponseValidationError):
        return cls(response(), {"completion": None}, message="No.")
    if issubclass(cls, anthropic_completions.APITimeoutError):
        return cls(REQUEST)
    if issubclass(cls, anthropic_completions.APIConnectionError):
        return cls(message="Gone.", request=REQUEST)
    if issubclass(cls, anthropic_completions.APIError):
        return cls("No.", REQUEST, body=None)
    return cls("No.")


CLASSES = [
    value
    for value in vars(anthropic_completions).values()
    if inspect.isclass(value) and issubclass(value, anthropic_completions.AnthropicError)
]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (300, "APIStatusError"),
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (402, "BillingError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (408, "APIStatusError"),
        (409, "ConflictError"),
        (413, "RequestTooLargeError"),
        (418, "APIStatusError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (502, "InternalServerError"),
        (503, "ServiceUnavailableError"),
        (504, "DeadlineExceededError"),
        (520, "InternalServerError"),
        (529, "OverloadedError"),
        (999, "InternalServerError"),
    ],
)
def test_each_status_has_its_class(status: int, name: str) -> None:
    assert _errors.status_error_class(status) is getattr(anthropic_completions, name)


def test_what_was_an_internal_server_error_still_is_one() -> None:
    """Clauses of old programs go on to catch 503 and 504; 529 never was one."""
    assert issubclass(_errors.ServiceUnavailableError, _errors.InternalServerError)
    assert issubclass(_errors.DeadlineExceededError, _errors.InternalServerError)
    assert not issubclass(_errors.OverloadedError, _errors.InternalServerError)


def test_the_tree_at_the_top_of_the_module_is_the_tree() -> None:
    drawn = set()
    above: list[str] = []
    for line in inspect.getdoc(_errors).splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if not name.endswith("Error"):
            continue
        depth = 0 if name == "AnthropicError" else line.index("─") // 4
        above = [*above[:depth], name]
        drawn.add((name, above[-2] if depth else "Exception"))
    bases = {cls.__name__: cls.__base__.__name__ for cls in CLASSES}
    bases["AnthropicError"] = "Exception"  # by way of a class that has nothing of its own
    assert drawn == set(bases.items())


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    "duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy]
)
def test_errors_survive_pickle_and_copy(
    cls: type[anthropic_completions.AnthropicError], duplicate: Any
) -> None:
    error = instance(cls)
    if isinstance(error, anthropic_completions.APIError):
        error.request_id, error.completion, error.chunk_count, error.retry_after = "req_1", "Hel", 1, 61.0
    twin = duplicate(error)
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert twin.args == error.args
    for name, value in vars(error).items():
        if not isinstance(value, httpx.Request | httpx.Response):
            assert getattr(twin, name) == value
    if isinstance(error, anthropic_completions.APIStatusError):
        assert twin.response.status_code == 429
        assert twin.response.json() == error.response.json()
        assert twin.request.url == REQUEST.url


def test_an_error_of_an_unread_reply_survives_pickle() -> None:
    unread = httpx.Response(500, stream=httpx.ByteStream(b"x"), request=REQUEST)
    twin = pickle.loads(pickle.dumps(_errors.InternalServerError("No.", response=unread, body=None)))
    assert twin.status_code == twin.response.status_code == 500


@pytest.mark.parametrize("cls", CLASSES)
def test_no_error_holds_a_key(cls: type[anthropic_completions.AnthropicError]) -> None:
    error = instance(cls)
    assert "sk-secret" not in repr(vars(error))
    assert b"sk-secret" not in pickle.dumps(error)
    if isinstance(error, anthropic_completions.APIError):
        assert dict(error.request.headers) | {"host": "service"} == {
            "host": "service",
            "x-api-key": "[redacted]",
            "authorization": "[redacted]",
            "gateway-token": "[redacted]",
            "content-length": "16",
        }
        assert error.request.content == REQUEST.content
        assert REQUEST.headers["x-api-key"] == "sk-secret"


def test_a_replys_whole_history_is_stripped_of_keys() -> None:
    """A reply remembers the requests of replies before it, and the one that a redirect asks for."""
    reply = response(307, history=[response(401)])
    reply.next_request = REQUEST
    error = _errors.APIStatusError("No.", response=reply, body=None)
    assert error.response.next_request is None
    assert error.response.history[0].request.headers["x-api-key"] == "[redacted]"
    assert error.response.request is error.request


def test_takes_a_request_whose_body_was_a_stream() -> None:
    sent = httpx.Request("POST", "http://service", headers={"X-Api-Key": "k"}, content=iter([b"once"]))
    assert _errors.APIConnectionError(request=sent).request.headers["x-api-key"] == "[redacted]"


def test_the_request_id_is_in_the_text_once() -> None:
    error = _errors.APIStatusError("No.", response=response(headers={"request-id": "req_1"}), body=None)
    assert str(error) == "No. (request id: req_1)"
    error.message = "No, req_1."
    assert str(error) == "No, req_1."


@pytest.mark.parametrize(
    ("headers", "body", "request_id"),
    [
        ({"request-id": "req_1"}, {"request_id": "req_2"}, "req_1"),
        ({}, {"request_id": "req_2"}, "req_2"),
        ({}, {"request_id": 2}, None),
        ({}, "<html>", None),
        ({}, None, None),
    ],
)
def test_the_request_id_comes_from_header_or_body(headers: Any, body: Any, request_id: str | None) -> None:
    error = _errors.APIStatusError("No.", response=response(headers=headers), body=body)
    assert error.request_id == request_id


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"type": "error", "error": {"type": "api_error", "message": "m"}}, "api_error"),
        ({"error": {"type": "request_too_large"}}, "request_too_large"),
        ({"error": {"type": 5}}, None),
        ({"error": "api_error"}, None),
        ({"type": "api_error"}, None),
        (["error"], None),
        ("api_error", None),
        (None, None),
    ],
)
def test_the_type_comes_from_the_body(body: Any, kind: str | None) -> None:
    assert _errors.APIStatusError("No.", response=response(), body=body).type == kind


def test_the_workspace_id_comes_from_the_header() -> None:
    reply = response(headers={"anthropic-workspace-id": "wrkspc_1"})
    assert _errors.APIStatusError("No.", response=reply, body=None).workspace_id == "wrkspc_1"
    assert _errors.APIStatusError("No.", response=response(), body=None).workspace_id is None


@pytest.mark.parametrize("mock", [Mock, MagicMock])
def test_errors_can_be_made_of_mocks(mock: Any) -> None:
    """As the tests of programs do that handle these errors."""
    error = _errors.RateLimitError("Slow down.", response=mock(status_code=429), body=None)
    assert (str(error), error.status_code, error.request_id) == ("Slow down.", 429, None)
    assert str(_errors.APIConnectionError(request=mock())) == "Connection error."
    assert str(_errors.APITimeoutError(request=None)) == "Request timed out."  # type: ignore[arg-type]


def httpx_exceptions() -> list[type[Exception]]:
    """Return the classes of exceptions in all of httpx but its web sockets, public or not."""
    found = set()
    waiting = [httpx]
    seen = set()
    while waiting:
        module = waiting.pop()
        if module.__name__ in seen:
            continue
        seen.add(module.__name__)
        for value in vars(module).values():
            if (
                inspect.ismodule(value)
                and value.__name__.startswith("httpx")
                and "websocket" not in value.__name__
            ):
                waiting.append(value)
            if inspect.isclass(value) and issubclass(value, Exception) and "httpx" in value.__module__:
                found.add(value)
    return sorted((cls for cls in found if not issubclass(cls, Warning)), key=lambda cls: cls.__name__)


def test_finds_the_exceptions_of_httpx() -> None:
    """The walk that the next test relies on meets what httpx documents."""
    names = {cls.__name__ for cls in httpx_exceptions()}
    assert names >= {"ReadTimeout", "InvalidURL", "StreamConsumed", "DecodingError", "CookieConflict"}
    assert len(names) >= 28


@pytest.mark.parametrize("cls", httpx_exceptions())
def test_every_exception_of_httpx_is_mapped(cls: type[Exception]) -> None:
    """This fails when httpx grows a class of exceptions that is below none of those that are mapped."""
    assert issubclass(cls, TRANSPORT_ERRORS)


@pytest.mark.parametrize(
    ("error", "cls"),
    [
        (httpx.ConnectTimeout("c"), "APITimeoutError"),
        (httpx.ReadTimeout("r"), "APITimeoutError"),
        (httpx.WriteTimeout("w"), "APITimeoutError"),
        (httpx.PoolTimeout("p"), "APITimeoutError"),
        (TimeoutError(), "APITimeoutError"),
        (httpx.ConnectError("refused"), "APIConnectionError"),
        (httpx.RemoteProtocolError("garbage"), "APIConnectionError"),
        (httpx.InvalidURL("url"), "APIConnectionError"),
        (httpx.StreamConsumed(), "APIConnectionError"),
        (OSError(5, "broken"), "APIConnectionError"),
        (EOFError(), "APIConnectionError"),
        (UnicodeError("label too long"), "APIConnectionError"),
    ],
)
def test_a_transports_error_is_told(error: Exception, cls: str) -> None:
    failure = transport_failure(error, REQUEST, None)
    assert type(failure) is getattr(anthropic_completions, cls)
    if cls == "APIConnectionError":
        assert str(failure).startswith(f"Connection error: {str(error) or type(error).__name__} (")


def test_a_transports_error_loses_its_key() -> None:
    error = httpx.ReadError("broken", request=REQUEST)
    transport_failure(error, REQUEST, None)
    assert error.request.headers["x-api-key"] == "[redacted]"
    status = httpx.HTTPStatusError("raised by a hook", request=REQUEST, response=response())
    transport_failure(status, REQUEST, None)
    assert status.request.headers["x-api-key"] == "[redacted]"
    assert status.response.request.headers["x-api-key"] == "[redacted]"


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"null", None),
        (b" <html> ", "<html>"),
        (b"", ""),
        (b"NaN", "NaN"),
        (b'{"a": Infinity}', '{"a": Infinity}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
def test_a_body_is_json_or_text(content: bytes, body: object) -> None:
    assert body_of(httpx.Response(200, content=content)) == body


@pytest.mark.parametrize(
    "charset", ["base64", "undefined", "zlib", "rot13", "hex", "punycode", "idna", "no", "'"]
)
def test_a_body_is_text_whatever_the_encoding_that_is_claimed(charset: str) -> None:
    """Some names of encodings stand for codecs that are none for text, and raise."""
    reply = httpx.Response(
        200, content=b"<p>\xe4</p>", headers={"content-type": f"text/html; charset={charset}"}
    )
    assert isinstance(text_of(reply), str)
    assert isinstance(body_of(reply), str)


def test_strict_json_refuses_what_is_nested_too_deeply() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 100_000)
