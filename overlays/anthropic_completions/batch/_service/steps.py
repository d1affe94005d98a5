"""The requests to the Message Batches API, sans-I/O, and the two loops that send them.

Source of paths, fields and limits: the API's page on batch processing and its reference.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Required, TypedDict, TypeVar, cast

import httpx

from ..._errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    RateLimitError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..._client.calls import Prepared
    from ..._client.clients import Anthropic, AsyncAnthropic
    from ..._client.responses import RawAPIResponse
    from ..._contract.schema import JSONObject

T = TypeVar("T")

PATH = "/v1/messages/batches"
MOST_REQUESTS = 100_000
MOST_BYTES = 256 * 1000 * 1000
RESULTS_DAYS = 29
# Seconds between looks for a batch whose reply was lost: its request may still be under way.
_LOOKS_SECONDS = (0.0, 2.0, 5.0, 15.0, 30.0)
_CREATE_ATTEMPTS = 4
_RATE_LIMITED_SECONDS = 30.0
_LIST = 1000


class Ask(NamedTuple):
    """Send a request; the result is the reply's JSON object.

    Attributes:
        content: The body; None for none.
        betas: The header that names beta features; None for none.
        again: Whether the client may try it again: it has no effect that must not come twice.
    """

    method: str
    path: str
    content: bytes | None = None
    betas: str | None = None
    again: bool = True


class Wait(NamedTuple):
    """Wait some seconds."""

    seconds: float


Step = Ask | Wait
# What is sent in is the reply to an `Ask`; to a `Wait`, whatever came last.
Steps = Generator[Step, "JSONObject", T]


class _StatusFields(TypedDict, total=False):
    id: Required[str]
    processing_status: Required[str]
    created_at: Required[str]
    request_counts: Required[dict[str, int]]
    archived_at: str | None


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What the service says of a batch.

    Attributes:
        id: Its name, `msgbatch_…`.
        processing_status: `in_progress`, `canceling` or `ended`.
        created_at: When it was created.
        counts: How many requests are `processing`, `succeeded`, `errored`, `canceled` and `expired`; before
            the end all of them are `processing`.
        archived: Whether its results are gone, 29 days after it was created.
    """

    id: str
    processing_status: str
    created_at: datetime
    counts: Mapping[str, int]
    archived: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether there are results."""
        return self.processing_status == "ended"

    @property
    def total(self) -> int:
        """How many requests it has."""
        return sum(self.counts.values())

    def gone(self, now: float) -> bool:
        """Whether its results are gone at a time, in seconds since the epoch."""
        until = self.created_at + timedelta(days=RESULTS_DAYS)
        return self.archived or datetime.fromtimestamp(now, UTC) > until

    @classmethod
    def of(cls, reply: JSONObject) -> BatchStatus:
        """Read a `message_batch`.

        Raises:
            ValueError: It is none.
        """
        from dateutil.parser import isoparse

        fields = cast("_StatusFields", reply)
        try:
            counts = {str(name): int(count) for name, count in fields["request_counts"].items()}
            created = isoparse(fields["created_at"])
            if created.tzinfo is None:
                created = created.replace(tzinfo=UTC)
            status, is_archived = str(fields["processing_status"]), fields.get("archived_at") is not None
            return cls(str(fields["id"]), status, created, counts, is_archived)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"expected a message_batch, got something else: {error!r}") from None


def newest() -> Steps[str | None]:
    """Return the name of the newest batch of the workspace, or None."""
    reply = yield Ask("GET", f"{PATH}?limit=1")
    found = _listed(reply)
    return str(found[0]["id"]) if found else None


def status(batch_id: str) -> Steps[BatchStatus]:
    """Return what the service says of a batch."""
    return BatchStatus.of((yield Ask("GET", f"{PATH}/{batch_id}")))


def cancel(batch_id: str) -> Steps[BatchStatus]:
    """Cancel a batch; what is done of it keeps its results."""
    return BatchStatus.of((yield Ask("POST", f"{PATH}/{batch_id}/cancel")))


def create(
    content: bytes,
    betas: str | None,
    *,
    count: int,
    after: str | None,
    others: Collection[str],
    posted: bool = False,
    on_posting: Callable[[], None] = lambda: None,
    on_refused: Callable[[], None] = lambda: None,
) -> Steps[BatchStatus]:
    """Create a batch, once: where the reply is lost, look for the batch before it is sent again.

    Args:
        content: The body.
        betas: The header that names beta features.
        count: How many requests it has, by which it is known.
        after: The newest batch before it was sent for the first time; None where there was none.
        others: Names of newer batches that are others.
        posted: Whether it may have been sent before.
        on_posting: Called before it is sent, unless it is known that it may have been.
        on_refused: Called where the service refused it, so that there is none for sure.

    Raises:
        APIError: It was refused, or the service could not be reached.
    """
    failure: APIError | None = None
    for _ in range(_CREATE_ATTEMPTS):
        if posted:
            found = yield from find(count, after, others)
            if found is not None:
                return found
        else:
            on_posting()
        posted = True
        try:
            return BatchStatus.of((yield Ask("POST", PATH, content, betas, again=False)))
        except APIError as error:
            failure = error
            if _was_refused(error):
                on_refused()
                if not isinstance(error, RateLimitError):
                    raise
                posted = False
                yield Wait(_RATE_LIMITED_SECONDS if error.retry_after is None else error.retry_after)
    assert failure is not None
    raise failure


def find(count: int, after: str | None, others: Collection[str]) -> Steps[BatchStatus | None]:
    """Return the oldest batch with a number of requests that is newer than another one, or None.

    It is looked for some times, as its request may still be under way.
    """
    for seconds in _LOOKS_SECONDS:
        if seconds:
            yield Wait(seconds)
        found = yield from _newer(after)
        fitting = [one for one in found if one.total == count and one.id not in others]
        if fitting:
            return fitting[-1]
    return None


def _newer(after: str | None) -> Steps[list[BatchStatus]]:
    """Return the batches that are newer than another one, the newest first."""
    found: list[BatchStatus] = []
    path = f"{PATH}?limit={_LIST}"
    while True:
        reply = yield Ask("GET", path)
        for one in _listed(reply):
            batch = BatchStatus.of(one)
            if batch.id == after:
                return found
            found.append(batch)
        last = reply.get("last_id")
        if not reply.get("has_more") or not last:
            return found
        path = f"{PATH}?limit={_LIST}&after_id={last}"


def _listed(reply: JSONObject) -> list[JSONObject]:
    return cast("list[JSONObject]", reply.get("data") or [])


def poll_seconds(looks: int) -> float:
    """Return how long to wait after a number of looks at a batch: 5 s at first, 60 s at most."""
    return float(min(60.0, 5.0 * 1.5 ** min(looks, 20)))


def _was_refused(error: APIError) -> bool:
    """Whether it is sure that the service did not take a request."""
    if isinstance(error, APIStatusError):
        return error.status_code < 500 and error.status_code not in (408, 409)
    if isinstance(error, APIConnectionError):
        return isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return False


def prepared(client: Anthropic | AsyncAnthropic, ask: Ask, *, unread: bool = False) -> Prepared:
    """Return the call that a step stands for.

    Args:
        unread: Whether the reply is left unread.
    """
    from ..._client.calls import Caller, raw_call

    caller = Caller(client._options, client._clock, client._pool.get())
    headers = {} if ask.betas is None else {"anthropic-beta": ask.betas}
    made = raw_call(caller, ask.path, None, {"headers": headers}, stream=False)
    call = made.call._replace(method=ask.method, content=ask.content, stream=unread)
    return made._replace(call=call if ask.again else call._replace(max_retries=0))


def run(client: Anthropic, steps: Steps[T]) -> T:
    """Carry out steps, blocking, and return what the generator returns."""
    from ..._client.responses import RawAPIResponse

    result: JSONObject = {}
    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, Wait):
                    client._clock.sleep(step.seconds)
                else:
                    result = _object(client._exchange(prepared(client, step), RawAPIResponse[object]))
            except Exception as error:  # noqa: BLE001 - the generator decides what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


async def run_async(client: AsyncAnthropic, steps: Steps[T]) -> T:
    """Carry out steps, awaiting each, and return what the generator returns."""
    from ..._client.responses import RawAPIResponse

    result: JSONObject = {}
    try:
        step = next(steps)
        while True:
            try:
                if isinstance(step, Wait):
                    await sleep(client, step.seconds)
                else:
                    result = _object(await client._exchange(prepared(client, step), RawAPIResponse[object]))
            except Exception as error:  # noqa: BLE001 - the generator decides what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as done:
        value: T = done.value
        return value


async def sleep(client: AsyncAnthropic, seconds: float) -> None:
    """Wait, by the client's clock."""
    import anyio

    await (client._clock.sleep_async or anyio.sleep)(seconds)


def _object(reply: RawAPIResponse[object]) -> JSONObject:
    from ..._http.failures import body_of

    body = body_of(reply.http_response)
    if not isinstance(body, dict):
        raise APIResponseValidationError(
            reply.http_response, body, message="The reply is no JSON object of Message Batches."
        )
    return body
