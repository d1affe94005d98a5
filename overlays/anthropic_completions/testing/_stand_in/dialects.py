"""Define dialects: how each endpoint of the service words requests, replies and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..._contract.generated import first_violation, statuses
from ...models import lifecycle
from ...prompts import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from ..._contract.schema import Violation

    Split = Callable[[str], list[str]]
    Event = tuple[str, dict[str, Any]]


class Fault(NamedTuple):
    """Why a request is refused: the error's status, type and message."""

    status: int
    type: str
    message: str

    @classmethod
    def of(cls, kind: str, message: str) -> Fault:
        """Return the fault of a kind, with the status that the kind has."""
        return cls(statuses()[kind], kind, message)

    @classmethod
    def invalid(cls, message: str) -> Fault:
        """Return the fault of a request that is not as it should be."""
        return cls.of("invalid_request_error", message)

    @classmethod
    def violation(cls, violation: Violation) -> Fault:
        """Return the fault of a request that breaks its schema, in the service's words where known."""
        if violation.rule == "additionalProperties":
            return cls.invalid(f"{violation.path}: Extra inputs are not permitted")
        if violation.rule == "required":
            return cls.invalid(f"{violation.path}: Field required")
        return cls.invalid(str(violation))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, in the terms of completions.

    Attributes:
        number: The request's number, from which ids are made.
        text: The text, with the space in front that completions have.
        stop_reason: Why it ends.
        stop: The stop sequence that was met, or None.
        more: Further fields of the reply, or other values of its fields.
    """

    number: int
    text: str
    stop_reason: str
    stop: str | None
    more: Mapping[str, Any]


class Dialect(Protocol):
    """How an endpoint takes requests and gives replies.

    Attributes:
        path: The endpoint's path.
        newline: What ends a line of its streams.
    """

    path: str
    newline: bytes

    def fault_of(self, request: Any) -> Fault | None:
        """Return what is wrong with a request's body, or None."""
        ...

    def as_completion(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the completion request that asks for the same."""
        ...

    def reply(self, request: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
        """Return the body of the reply with an answer."""
        ...

    def events(self, reply: Mapping[str, Any], split: Split) -> Iterator[Event]:
        """Yield names and data of the events of the stream that says what a reply says, without pings.

        Args:
            reply: The reply.
            split: Cuts its text into the pieces in which it is sent.
        """
        ...


class Completions:
    """`/v1/complete`, held to the contract.

    Args:
        messages_only: The models that it refuses; None for all.
    """

    path = "/v1/complete"
    newline = b"\r\n"

    def __init__(self, messages_only: Collection[str] | None) -> None:
        self._messages_only = messages_only

    def fault_of(self, request: Any) -> Fault | None:
        violation = first_violation("CompletionRequest", request)
        if violation is not None:
            return Fault.violation(violation)
        model = request["model"]
        if self._messages_only is None or model in self._messages_only:
            return Fault.invalid(
                f'"{model}" is not supported on this API. Please use the Messages API instead.'
            )
        verdict = validate(request["prompt"])
        return None if verdict else Fault.invalid(str(verdict.message))

    def as_completion(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        return request

    def reply(self, request: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
        """Return the body of the reply, in the recorded order of fields."""
        identifier = f"compl_{answer.number:024}"
        return {
            "type": "completion",
            "id": identifier,
            "completion": answer.text,
            "stop_reason": answer.stop_reason,
            "model": lifecycle(request["model"]).snapshot,
            "stop": answer.stop,
            "log_id": identifier,
            **answer.more,
        }

    def events(self, reply: Mapping[str, Any], split: Split) -> Iterator[Event]:
        for text in split(reply["completion"]):
            yield "completion", {**reply, "stop_reason": None, "stop": None, "completion": text}
        yield "completion", {**reply, "completion": ""}
