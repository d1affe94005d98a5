"""Translate one request of a batch for Messages, and read its result."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..._client.arguments import completion_request
from ..._client.routing import model_asked_for
from ..._contract.completion import Completion
from ..._contract.generated import first_violation, statuses
from ..._errors import AnthropicError
from ..._http.failures import parse_json
from ...messages import UntranslatableMessageError
from ...messages._beginnings import Answer
from ...messages._reader import messages_request
from ...messages._replies import completion_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ..._contract.schema import JSONObject
    from ..._options import Options

    Outcome = Literal["errored", "canceled", "expired", "missing"]

# Documented: at most 64 of these characters.
_CUSTOM_ID = re.compile(r"(?P<nonce>[0-9a-f]{16})-(?P<index>[0-9]{1,6})")
# What concerns a call of its own, which a request in a batch is not.
_OF_CALLS = ("deadline", "extra_headers", "extra_query", "timeout")
_SAID = {
    "canceled": "The batch was cancelled before this request was done.",
    "expired": "The batch expired, 24 hours after it was created, before this request was done.",
    "missing": "The results of the batch lack this request.",
}


class BatchRequestError(AnthropicError):
    """What became of a request in a batch that has no completion.

    Attributes:
        outcome: `errored`, `canceled`, `expired`, or `missing` where the results lack it.
        type: The kind of error in the API's terms, such as `invalid_request_error`; None where it is unknown.
        status_code: The HTTP status that a call would have had; None where it is unknown.
        request_id: What names the request at Anthropic; None where it is unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        type: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.type = type
        self.status_code = statuses().get(type or "")
        self.request_id = request_id


class Context(NamedTuple):
    """What has to be known of a request to read its reply; see `messages._requests.Translation`."""

    leading_space: bool
    beginning: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Item:
    """A request, ready to be put into a batch.

    Attributes:
        params: The Messages request.
        betas: The header that the whole batch has to have for it; None for none.
        context: What its reply is read with.
    """

    params: JSONObject
    betas: str | None
    context: Context

    @classmethod
    def of(cls, options: Options, arguments: Mapping[str, object]) -> Item:
        """Make an item of the arguments of `create`, as the client's backend `messages` would ask it.

        Raises:
            TypeError, ValueError: An argument is wrong, or concerns a call of its own.
            LossError, UntranslatablePromptError: As of `create`.
        """
        fields = dict(arguments)
        fields.pop("check_prompt", None)
        for name in _OF_CALLS:
            if fields.pop(name, None) is not None:
                raise TypeError(f"{name}: expected none, as a request in a batch is no call of its own")
        extra_body, betas = fields.pop("extra_body", None), fields.pop("betas", None)
        _, body, headers = completion_request(fields, betas, extra_body)
        body["model"] = model_asked_for(options, str(body["model"]))
        asked = messages_request(body, options)
        params, reader = asked.request, asked.reader
        params.pop("stream", None)
        context = Context(reader.leading_space, reader.beginning, reader.max_tokens)
        return cls(params, headers.get("anthropic-beta"), context)


def custom_id(nonce: str, index: int) -> str:
    """Return what names a request in a batch: 16 hex digits of the part, and its place there."""
    return f"{nonce}-{index}"


def encoded(nonce: str, index: int, params: Mapping[str, object]) -> bytes:
    """Return a request as it stands in the body of a batch.

    Raises:
        TypeError, ValueError: JSON cannot hold it.
    """
    request = {"custom_id": custom_id(nonce, index), "params": params}
    return json.dumps(request, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


class Line(NamedTuple):
    """A line of a batch's results."""

    nonce: str
    place: int
    result: Mapping[str, object]


def read_line(data: bytes) -> Line | None:
    """Return what a line says; None where it is none. Of a request that is not ours, the nonce is empty."""
    try:
        found = parse_json(data)
    except ValueError:
        return None
    line: JSONObject = found if isinstance(found, dict) else {}
    name, result = line.get("custom_id"), line.get("result")
    if not isinstance(name, str) or not isinstance(result, dict):
        return None
    match = _CUSTOM_ID.fullmatch(name)
    return Line(match["nonce"], int(match["index"]), result) if match else Line("", 0, result)


def outcome_of(result: Mapping[str, object], context: Context) -> Completion | Exception:
    """Return the completion that a result is, or the error that says why there is none."""
    kind = result.get("type")
    if kind == "succeeded":
        return _completion(result.get("message"), context)
    if kind == "errored":
        return _errored(result.get("error"))
    if kind in ("canceled", "expired"):
        return BatchRequestError(_SAID[kind], outcome=kind)
    return BatchRequestError(f"The result is of the unknown kind {kind!r}.", outcome="errored")


def missing() -> BatchRequestError:
    """Return the error for a request that the results lack."""
    return BatchRequestError(_SAID["missing"], outcome="missing")


def _completion(message: object, context: Context) -> Completion | Exception:
    if not isinstance(message, dict):
        return BatchRequestError("The result has no message.", outcome="errored")
    try:
        answer = Answer(leading_space=context.leading_space, beginning=context.beginning)
        fields = completion_of(message, answer, context.max_tokens)
    except UntranslatableMessageError as error:
        return error
    if violation := first_violation("Completion", fields):
        return BatchRequestError(f"The message makes no completion. {violation}", outcome="errored")
    return Completion._from_wire(fields, None, message)


def _errored(told: object) -> BatchRequestError:
    # An error reply, whose `error` says what happened.
    reply = told if isinstance(told, dict) else {}
    detail = reply.get("error")
    error = detail if isinstance(detail, dict) else reply
    kind, message, request_id = error.get("type"), error.get("message"), reply.get("request_id")
    return BatchRequestError(
        message if isinstance(message, str) else "The request failed, and nothing says why.",
        outcome="errored",
        type=kind if isinstance(kind, str) else None,
        request_id=request_id if isinstance(request_id, str) else None,
    )
