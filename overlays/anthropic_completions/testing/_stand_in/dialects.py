"""Define dialects: how each endpoint of the service words requests, replies and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Required, TypedDict, cast

from ..._stream.serving import Fault, form_fault, prompt_fault
from ...models import lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from ..._contract.schema import JSONObject

    Split = Callable[[str], list[str]]
    Event = tuple[str, JSONObject]


class CompletionRequest(TypedDict, total=False):
    """A request for a completion, as far as its answer depends on it."""

    model: Required[str]
    prompt: Required[str]
    max_tokens_to_sample: Required[int]
    stop_sequences: list[str]


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
    more: Mapping[str, object]


class Dialect(Protocol):
    """How an endpoint takes requests and gives replies.

    Attributes:
        path: The endpoint's path.
        newline: What ends a line of its streams.
    """

    path: str
    newline: str

    def fault_of(self, request: object) -> Fault | None:
        """Return what is wrong with a request's body, or None."""
        ...

    def as_completion(self, request: Mapping[str, object]) -> CompletionRequest:
        """Return the completion request that asks for the same."""
        ...

    def reply(self, request: Mapping[str, object], answer: Answer) -> JSONObject:
        """Return the body of the reply with an answer."""
        ...

    def events(self, reply: Mapping[str, object], split: Split) -> Iterator[Event]:
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
    newline = "\r\n"

    def __init__(self, messages_only: Collection[str] | None) -> None:
        self._messages_only = messages_only

    def fault_of(self, request: object) -> Fault | None:
        if (fault := form_fault(request)) is not None:
            return fault
        asked = cast("CompletionRequest", request)  # by its form
        model = asked["model"]
        if self._messages_only is None or model in self._messages_only:
            return Fault.invalid(
                f'"{model}" is not supported on this API. Please use the Messages API instead.'
            )
        return prompt_fault(asked["prompt"])

    def as_completion(self, request: Mapping[str, object]) -> CompletionRequest:
        return cast("CompletionRequest", request)

    def reply(self, request: Mapping[str, object], answer: Answer) -> JSONObject:
        """Return the body of the reply, in the recorded order of fields."""
        identifier = f"compl_{answer.number:024}"
        return {
            "type": "completion",
            "id": identifier,
            "completion": answer.text,
            "stop_reason": answer.stop_reason,
            "model": lifecycle(str(request["model"])).snapshot,
            "stop": answer.stop,
            "log_id": identifier,
            **answer.more,
        }

    def events(self, reply: Mapping[str, object], split: Split) -> Iterator[Event]:
        for text in split(str(reply["completion"])):
            yield "completion", {**reply, "stop_reason": None, "stop": None, "completion": text}
        yield "completion", {**reply, "completion": ""}
