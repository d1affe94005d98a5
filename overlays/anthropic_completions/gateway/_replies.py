"""Turn completions and errors into the replies that the old endpoint would have sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from .._contract.generated import statuses
from .._errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
)
from .._http.failures import parse_json
from .._stream.serving import Fault, compact_json, error_body, error_event
from .._stream.sse import encode_event
from ..messages import UntranslatableReplyError
from ..models import lifecycle, recommended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._contract.completion import Completion

NEWLINE = "\r\n"
# Of the upstream's headers; the others belong to its connection or its body.
_PASSED_ON = re.compile(r"request-id|retry-after(-ms)?|x-should-retry|anthropic-.*")
_MAX_TOKENS = re.compile(r"\bmax_tokens\b(?!_to_sample)")


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that is no stream.

    Attributes:
        status: The HTTP status.
        body: The body.
        headers: Its headers.
        outcome: What it was, for log and metrics.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: str = "error"


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those headers of the upstream's reply that callers get."""
    return {name.lower(): value for name, value in headers.items() if _PASSED_ON.fullmatch(name.lower())}


def completion_body(completion: Completion) -> str:
    """Return a completion, or a chunk, in the fields of the old endpoint and in their order."""
    fields = completion.to_dict()
    wire = {"type": "completion", "id": fields.get("id"), "completion": completion.completion}
    wire |= {"stop_reason": completion.stop_reason, "model": fields.get("model"), "stop": fields.get("stop")}
    return compact_json({**wire, "log_id": fields.get("log_id") or fields.get("id")})


def chunk_event(chunk: Completion) -> bytes:
    """Return the event of a chunk."""
    return encode_event("completion", completion_body(chunk), newline=NEWLINE)


def fault_answer(fault: Fault, headers: Mapping[str, str] | None = None) -> Answer:
    """Return the answer to a request that the gateway refuses."""
    body = error_body(fault.type, fault.message, None, by_edge=fault.status == 413).encode()
    retry = {"x-should-retry": "false"} if fault.status in (400, 401, 404) else {}
    return Answer(fault.status, body, {**retry, **(headers or {})}, "refused")


def error_answer(error: Exception, model: str) -> Answer:
    """Return the answer to a request that failed: the service's own where it gave one."""
    if not isinstance(error, APIStatusError) or error.response.status_code < 400:
        fault, headers = fault_of(error), _headers_of(error)
        answer = fault_answer(fault, headers)
        body = error_body(fault.type, fault.message, headers.get("request-id")).encode()
        return Answer(answer.status, body, answer.headers)
    response = error.response
    headers = passed_on(response.headers)
    body, kind = response.content, response.headers.get("content-type", "application/json")
    return Answer(
        response.status_code,
        _in_old_terms(body, response.status_code, model),
        {**headers, "content-type": kind},
    )


def error_chunk(error: Exception) -> bytes:
    """Return the event for what goes wrong inside a stream."""
    fault = fault_of(error)
    return error_event(fault.type, fault.message, NEWLINE)


def fault_of(error: Exception) -> Fault:
    """Return how the old endpoint would call an error."""
    if isinstance(error, UntranslatableReplyError):
        # A refusal, or a cap that thinking used up: the same request would end so again.
        return Fault.invalid(error.message)
    if isinstance(error, APIStatusError):
        kind = error.type or "api_error"
        return Fault(statuses().get(kind, 500), kind, _message_of(error))
    if isinstance(error, APITimeoutError):
        return Fault.of("timeout_error", f"The upstream did not answer in time. {error.message}")
    if isinstance(error, APIConnectionError):
        return Fault(502, "api_error", f"The upstream's answer did not come, or not whole. {error.message}")
    if isinstance(error, APIResponseValidationError):
        return Fault(502, "api_error", f"The upstream's answer is not usable. {error.message}")
    if isinstance(error, APIError):
        return Fault(502, "api_error", error.message)
    return Fault.invalid(str(error))


def _message_of(error: APIStatusError) -> str:
    body = error.body
    detail = body.get("error") if isinstance(body, dict) else None
    message = detail.get("message") if isinstance(detail, dict) else None
    return message if isinstance(message, str) else error.message


def _headers_of(error: Exception) -> dict[str, str]:
    response = getattr(error, "response", None)
    return {} if response is None else passed_on(response.headers)


def _in_old_terms(body: bytes, status: int, model: str) -> bytes:
    """Return an error's body with the old name of `max_tokens`, and with what to do about a retired model."""
    if status not in (400, 404):
        return body
    try:
        value = cast("dict[str, dict[str, str]]", parse_json(body))
        message = value["error"]["message"]
        changed = _MAX_TOKENS.sub("max_tokens_to_sample", message)
    except (ValueError, LookupError, TypeError):
        return body
    if status == 404 and message == f"model: {model}":
        changed += _advice(model)
    if changed == message:
        return body
    value["error"]["message"] = changed
    return compact_json(value).encode()


def _advice(model: str) -> str:
    known = lifecycle(model)
    instead = recommended(known.name) or known.replacement
    if known.retired is None or instead is None:
        return " (the gateway asks for another one with --map OLD=NEW)"
    return (
        f" (retired on {known.retired}; the gateway asks for another one with --map {model}={instead}, "
        "or --map recommended)"
    )
