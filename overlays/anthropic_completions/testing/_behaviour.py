"""What the service answers: pure, from a request to a reply."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .._constants import AI_PROMPT, HUMAN_PROMPT
from .._wire import component, first_violation, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/v1/complete"


class Reply(NamedTuple):
    """What is answered.

    Attributes:
        status: The HTTP status.
        headers: The headers.
        pieces: The body, in the pieces in which it is sent.
    """

    status: int
    headers: dict[str, str]
    pieces: list[bytes]


def reply_to(method: str, path: str, headers: Mapping[str, str], body: bytes, *, number: int) -> Reply:
    """Return the service's reply to a request.

    Args:
        method, path, body: As sent.
        headers: As sent, names in lower case.
        number: The request's number, from which its ids are made.
    """
    request_id = f"req_{number:024}"
    fault = _fault(method, path, headers, body)
    if fault is not None:
        kind, message = fault
        status = 405 if path == PATH and method != "POST" else statuses()[kind]
        error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
        sent = {"content-type": "application/json", "request-id": request_id, "x-should-retry": "false"}
        return Reply(status, sent, [_json(error)])
    request = json.loads(body)
    text, stop_reason, stop = completion_of(request)
    fields: dict[str, Any] = {
        "type": "completion",
        "id": f"compl_{number:024}",
        "completion": text,
        "stop_reason": stop_reason,
    }
    fields |= {"model": request["model"], "stop": stop, "log_id": fields["id"]}
    if not request.get("stream"):
        sent = {"content-type": "application/json", "request-id": request_id}
        return Reply(200, sent, [_json(fields)])
    sent = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "request-id": request_id,
    }
    return Reply(200, sent, list(_events(fields)))


def completion_of(request: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """Return text, stop reason and stop of the completion of a valid request.

    The API reference's example is answered as there; any other prompt by its last question, said back.
    A token is a word with the white space before it.
    """
    prompt: str = request["prompt"]
    example = component(
        "#/paths/~1v1~1complete/post/requestBody/content/application~1json/examples/smallest/value"
    )
    if prompt == example["prompt"]:
        text = " Hello! My name is Claude."
    else:
        question = prompt.rpartition(HUMAN_PROMPT)[2].partition(AI_PROMPT)[0].strip()
        text = f" You said: {question}"
    stop_reason = "stop_sequence"
    stop: str | None = HUMAN_PROMPT
    words = re.findall(r"\s*\S+", text)
    if len(words) > request["max_tokens_to_sample"]:
        text = "".join(words[: request["max_tokens_to_sample"]])
        stop_reason, stop = "max_tokens", None
    for sequence in request.get("stop_sequences") or ():
        if sequence and sequence in text:
            text = text[: text.index(sequence)]
            stop_reason, stop = "stop_sequence", sequence
    return text, stop_reason, stop


def _fault(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, str] | None:
    """Return the kind of error that a request is answered with and its message, or None."""
    if path != PATH:
        return "not_found_error", f"{method} {path}: not found"
    if method != "POST":
        return "invalid_request_error", f"{method}: method not allowed"
    if not headers.get("x-api-key") and not headers.get("authorization", "").startswith("Bearer "):
        return "authentication_error", "x-api-key header is required"
    if not headers.get("anthropic-version"):
        return "invalid_request_error", "anthropic-version: header is required"
    try:
        request = json.loads(body)
    except ValueError as error:
        return "invalid_request_error", f"The request body is not valid JSON: {error}"
    violation = first_violation("CompletionRequest", request)
    if violation is None:
        return None
    if violation.rule == "additionalProperties":
        return "invalid_request_error", f"{violation.path}: Extra inputs are not permitted"
    if violation.rule == "required":
        return "invalid_request_error", f"{violation.path}: Field required"
    return "invalid_request_error", str(violation)


def _events(fields: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the events of a stream in the recorded form: CRLF, padding in the JSON, a ping."""
    silent = {"completion": "", "stop_reason": None, "stop": None}
    words = re.findall(r"\s*\S+\s*$|\s*\S+", fields["completion"])
    for index, word in enumerate(words):
        yield _event("completion", {**fields, **silent, "completion": word}, padding=index * 7 % 16)
        if index == 0:
            yield b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n'
    yield _event("completion", {**fields, "completion": ""}, padding=1)


def _event(name: str, data: Mapping[str, Any], *, padding: int) -> bytes:
    padded = _json(data)[:-1] + b" " * padding + b"}"
    return b"event: %b\r\ndata: %b\r\n\r\n" % (name.encode(), padded)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
