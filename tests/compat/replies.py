"""The table of replies: what comes back for them, and how often they are asked for again."""

import gzip
import json
from collections.abc import Iterable
from typing import Any

from compat.play import CHUNK, COMPLETION, PLAIN, STREAM, STREAMED, Case
from compat.recorder import EVENTS, JSON, Reply

REFERENCE = b"""{
  "id": "compl_018CKm6gsux7P8yMcwZbeCPw",
  "completion": " Hello! My name is Claude.",
  "model": "claude-2.1",
  "stop_reason": "stop_sequence",
  "type": "completion"
}"""
HTML = b"<html>\n<head><title>Bad gateway</title></head>\n<body>cloudflare</body>\n</html>\n"
NOW = "Thu, 01 Jan 1970 00:16:40 GMT"  # by the tests' clock

Headers = Iterable[tuple[str, str]]
_HTML = (("content-type", "text/html"), ("request-id", "req_1"))
_GZIP = ("content-encoding", "gzip")
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    418: "api_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OF_ITS_OWN = {402: ("402",), 503: ("503",), 504: ("504",)}


def _envelope(kind: str, message: str = "No.", **more: Any) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}, **more}).encode()


def _fields(**changes: Any) -> bytes:
    """Return a completion with fields changed; `...` takes one away."""
    merged = {**json.loads(COMPLETION), **changes}
    return json.dumps({name: value for name, value in merged.items() if value is not ...}).encode()


def _event(name: bytes | None, data: bytes) -> bytes:
    return (b"event: " + name + b"\r\n" if name else b"") + b"data: " + data + b"\r\n\r\n"


def _whole(name: str, body: bytes, *differs: str, headers: Headers = JSON, status: int = 200) -> Case:
    return Case(name, replies=(Reply(body, status, tuple(headers)),), forms=PLAIN, differs=differs)


def _stream(name: str, body: bytes, *differs: str, headers: Headers = EVENTS, cut: bool = False) -> Case:
    replies = (Reply(body, headers=tuple(headers), cut=cut),)
    return Case(name, client={"max_retries": 1}, replies=replies, forms=STREAMED, differs=differs)


def _error(status: int, what: str, body: bytes, *differs: str, headers: Headers = JSON) -> Case:
    replies = (Reply(body, status, (*headers, ("retry-after-ms", "1"))),)
    forms = ("plain", "streamed")
    return Case(
        f"{status} with {what}", client={"max_retries": 1}, replies=replies, forms=forms, differs=differs
    )


def _retry(name: str, status: int, *differs: str, retries: int = 2, **headers: str) -> Case:
    """Return a case of a reply that fails, with headers, and then a completion."""
    extra = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    replies = (Reply(_envelope("api_error"), status, JSON + extra), Reply(COMPLETION))
    return Case(name, client={"max_retries": retries}, replies=replies, forms=PLAIN, differs=differs)


_WHOLE = [
    _whole("a completion", COMPLETION),
    _whole("the reference's completion", REFERENCE),
    _whole("awkward text", _fields(completion='é\u2028\U0001f600\n\t"\\\x00 \x7f</b>')),
    _whole("an empty text", _fields(completion="")),
    _whole("a limit", _fields(stop_reason="max_tokens", stop=None)),
    _whole("no reason to stop", _fields(stop_reason=None)),
    _whole("a reason of tomorrow", _fields(stop_reason="bored")),
    _whole("more fields", _fields(mood={"v": [1, 2.5, None, True, "é"]}, truncated=False, exception=None)),
    _whole("numbers", _fields(a=10**30, b=1e300, c=1.0, d=-0.0, e=1e16, f=0.1)),
    _whole(
        "fields with names of methods",
        _fields(to_dict=1, headers={"a": 1}, rate_limit=2, model_dump=3, _private=4),
        "a field named headers",
    ),
    _whole("a field twice", COMPLETION.replace(b'"stop":', b'"stop":"x","stop":')),
    _whole(
        "another order of fields",
        b'{"completion":" a","stop_reason":"max_tokens","model":"m","x":1,' + REFERENCE[4:],
    ),
    _whole("a charset", COMPLETION, headers=(("content-type", "application/json; charset=utf-8"),)),
    _whole(
        "a wrong content type", COMPLETION, "a wrong content type", headers=(("content-type", "text/plain"),)
    ),
    _whole("no content type", COMPLETION, "a wrong content type", headers=()),
    _whole("gzip", gzip.compress(COMPLETION), headers=(*JSON, _GZIP)),
    _whole("a workspace", COMPLETION, headers=(*JSON, ("anthropic-workspace-id", "wrkspc_1"))),
    _whole("headers twice", COMPLETION, headers=(*JSON, ("x-a", "1"), ("x-a", "2"))),
    _whole("a byte order mark", b"\xef\xbb\xbf" + COMPLETION),
    _whole("status 201", COMPLETION, status=201),
    *(
        _whole(f"no {name}", _fields(**{name: ...}), "validated")
        for name in ("id", "completion", "model", "stop_reason", "type")
    ),
    _whole("a text that is null", _fields(completion=None), "validated"),
    _whole("a text that is a number", _fields(completion=3), "validated"),
    _whole("another type", _fields(type="message"), "validated"),
    _whole("an error with status 200", _envelope("api_error"), "an error for a completion"),
    *(_whole(f"the JSON {text}", text.encode(), "validated") for text in ("null", "[]", "{}", '"text"', "3")),
    _whole("an empty body", b"", "validated"),
    _whole("no content", b"", "validated", status=204),
    _whole("HTML with status 200", HTML, "validated", headers=_HTML),
    _whole("broken JSON", COMPLETION[:-5], "validated"),
    _whole("NaN", COMPLETION.replace(b'"log_id":"compl_1"', b'"x":NaN'), "validated"),
]

_ONE = _event(b"completion", CHUNK)
_END = _event(b"completion", COMPLETION.replace(b" Hello!", b""))
_OF_2023 = b'{"completion":" a","stop_reason":%s,"model":"claude-2"}'

_STREAMS = [
    _stream("a stream", STREAM),
    _stream("LF", STREAM.replace(b"\r\n", b"\n")),
    _stream("CR", STREAM.replace(b"\r\n", b"\r")),
    _stream("one chunk", _END),
    _stream("awkward text in a stream", _event(b"completion", _fields(completion="é\u2028\U0001f600\n\x85"))),
    _stream("a field of tomorrow", _event(b"completion", _fields(mood=1))),
    _stream("pings everywhere", b"".join(_event(b"ping", b"{}") + part for part in (_ONE, _ONE, _END, b""))),
    _stream("comments, ids and times", b": hello\r\nid: 1\r\nretry: 5\r\n" + _ONE + b":\r\n\r\n" + _END),
    _stream("data in two lines", _event(b"completion", COMPLETION.replace(b',"id"', b',\r\ndata: "id"'))),
    _stream("no space after the colon", STREAM.replace(b": {", b":{").replace(b"event: ", b"event:")),
    _stream("an event of tomorrow", _event(b"mood", b'{"mood": 1}') + STREAM),
    _stream("gzip in a stream", gzip.compress(STREAM), headers=(*EVENTS, _GZIP)),
    _stream("a wrong content type of a stream", STREAM, headers=JSON),
    _stream("[DONE]", STREAM + b"data: [DONE]\r\n\r\n"),
    _stream(
        "chunks of 2023",
        _event(b"completion", _OF_2023 % b"null") + _event(b"completion", _OF_2023 % b'"stop_sequence"'),
        "fields that did not come",
    ),
    _stream("events without a name", _event(None, CHUNK) + _event(None, COMPLETION), "events without a name"),
    _stream("a byte order mark in a stream", b"\xef\xbb\xbf" + STREAM, "a byte order mark"),
    _stream("no blank line at the end", STREAM[:-2], "a cut stream"),
    _stream("no reason to stop in a stream", _ONE + _ONE, "a cut stream"),
    _stream("an empty stream", b"", "a cut stream", "tried again"),
    _stream("a stream that is cut", _ONE, "a cut stream", cut=True),
    _stream("a stream that is cut at its start", b"", "a cut stream", "tried again", cut=True),
    *(
        _stream(f"{kind} in a stream", _ONE + _event(b"error", _envelope(kind)), "an error in a stream")
        for kind in dict.fromkeys((*_KINDS.values(), "error_of_tomorrow"))
    ),
    _stream(
        "an error at the start of a stream",
        _event(b"error", _envelope("overloaded_error")),
        *("an error in a stream", "tried again"),
    ),
    _stream(
        "an error without a type",
        _ONE + _event(b"error", b'{"error":{"message":"x"}}'),
        "an error in a stream",
    ),
    _stream("an error that is text", _ONE + _event(b"error", b"oh no"), "no JSON in an error event"),
    _stream("an error that is empty", _ONE + _event(b"error", b""), "no JSON in an error event"),
    _stream("broken JSON in a stream", _ONE + _event(b"completion", b'{"completion": ') + _END, "validated"),
    _stream("no object in a stream", _ONE + _event(b"completion", b"[1]") + _END, "validated", "no chunk"),
    _stream("a completion for a stream", COMPLETION, "a completion for a stream", headers=JSON),
    _stream(
        "an error for a stream",
        _envelope("api_error"),
        *("an error for a stream", "tried again"),
        headers=JSON,
    ),
    _stream("HTML for a stream", HTML, "validated", headers=_HTML),
]

_ERRORS = [
    *(
        _error(status, "the API's error", _envelope(kind), *_OF_ITS_OWN.get(status, ()))
        for status, kind in _KINDS.items()
    ),
    *(
        _error(status, "HTML", HTML, "status of text", *_OF_ITS_OWN.get(status, ()), headers=_HTML)
        for status in _KINDS
    ),
    *(_error(status, "nothing", b"", *_OF_ITS_OWN.get(status, ())) for status in _KINDS),
    _error(
        400,
        "a request id in the body",
        _envelope("invalid_request_error", request_id="req_body"),
        "request id of the body",
        headers=JSON[:1],
    ),
    _error(400, "no request id", _envelope("invalid_request_error"), headers=JSON[:1]),
    _error(
        400,
        "a workspace",
        _envelope("invalid_request_error"),
        headers=(*JSON, ("anthropic-workspace-id", "w")),
    ),
    _error(413, "the edge's error", b'{"error":{"type":"request_too_large","message":"Request exceeds"}}'),
    _error(400, "text", b" oops \n", "status of text"),
    _error(400, "a list", b"[1]"),
    _error(400, "an error that is text", b'{"error":"bad"}'),
    _error(400, "details", _envelope("invalid_request_error", "No. \u00e9 'quoted'", details={"a": [1]})),
    _error(500, "gzip", gzip.compress(_envelope("api_error")), headers=(*JSON, _GZIP)),
    _error(599, "the API's error", _envelope("api_error")),
    _error(304, "nothing", b""),
]

_RETRIES = [
    *(
        _retry(f"{status}, then a completion", status, retry_after_ms="1")
        for status in (408, 409, 429, 500, 503, 529)
    ),
    _retry("no word of when", 500),
    *(
        _retry(f"retry-after: {text}", 429, retry_after=text)
        for text in (
            "3",
            "1.5",
            "60",
            "0",
            "-3",
            "nan",
            "inf",
            "soon",
            "",
            NOW.replace("16:40", "17:10"),
            NOW,
        )
    ),
    *(
        _retry(f"retry-after-ms: {text}", 429, retry_after_ms=text)
        for text in ("1500", "0", "-3", "nan", "soon")
    ),
    *(
        _retry(f"retry-after-ms: {text} before retry-after", 429, retry_after_ms=text, retry_after="3")
        for text in ("20", "x", "0")
    ),
    _retry("retry-after beyond the longest wait", 429, "the longest wait", retry_after="61"),
    _retry("a wish to be asked again", 400, x_should_retry="true", retry_after_ms="1"),
    _retry("a wish not to be asked again", 500, x_should_retry="false"),
    _retry("a wish in another spelling", 500, x_should_retry="False", retry_after_ms="1"),
    _retry("no retries", 500, retries=0),
    Case("many failures", client={"max_retries": 6}, replies=(Reply(b"", 500),), forms=("plain", "streamed")),
    Case(
        "a cut body", replies=(Reply(b"{", cut=True), Reply(COMPLETION)), forms=PLAIN, differs=("a cut body",)
    ),
    Case(
        "the caller's own count of retries",
        {"extra_headers": {"x-stainless-retry-count": "9"}},
        replies=(Reply(b"", 500), Reply(COMPLETION)),
        forms=PLAIN,
    ),
]

_REDIRECTS = [
    *(
        Case(
            f"moved with {status}",
            replies=(Reply(b"", status, (("location", "/elsewhere"),)), Reply(COMPLETION)),
            forms=PLAIN,
            differs=("a redirect",) if status < 307 else ("the request of a redirect",),
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Case("moved to nowhere", replies=(Reply(b"", 307, ()),), forms=PLAIN),
]

REPLIES: list[Case] = [*_WHOLE, *_STREAMS, *_ERRORS, *_RETRIES, *_REDIRECTS]
