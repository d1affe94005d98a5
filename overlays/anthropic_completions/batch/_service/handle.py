"""`submit_batch`, and the handle with which results are fetched later, anywhere."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..._contract.completion import Completion
from ..._errors import AnthropicError
from .._result import Result, merged
from . import steps
from .items import Context, Item, encoded, missing, outcome_of
from .lines import Lines, lines_of, lines_of_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from ..._client.clients import Anthropic, AsyncAnthropic
    from ..._options import Options
    from .steps import BatchStatus, Steps


@dataclass(frozen=True, slots=True)
class BatchPart:
    """A batch at the service.

    Attributes:
        batch_id: Its name, `msgbatch_…`.
        nonce: What the names of its requests begin with.
        asked: The `id` of each request, and what its reply is read with.
    """

    batch_id: str
    nonce: str
    asked: tuple[tuple[object, Context], ...] = field(repr=False)

    def result(self, index: int, outcome: Completion | Exception) -> Result:
        """Return the result of the request in a place."""
        request = {"id": self.asked[index][0]}
        if isinstance(outcome, Completion):
            return Result(request, outcome)
        return Result(request, error=outcome)


@dataclass(frozen=True, slots=True)
class BatchHandle:
    """Requests that were submitted as Message Batches. It can be pickled, and holds no key.

    Attributes:
        parts: The batches; more than one where the requests were too many for one.
    """

    parts: tuple[BatchPart, ...]

    def __len__(self) -> int:
        """The number of requests."""
        return sum(len(part.asked) for part in self.parts)

    def status(self, client: Anthropic) -> list[BatchStatus]:
        """Ask the service how far the batches are.

        Raises:
            APIError: As `completions.create`.
        """
        return [steps.run(client, steps.status(part.batch_id)) for part in self.parts]

    async def astatus(self, client: AsyncAnthropic) -> list[BatchStatus]:
        """As `status`, awaited."""
        return [await steps.run_async(client, steps.status(part.batch_id)) for part in self.parts]

    def cancel(self, client: Anthropic) -> list[BatchStatus]:
        """Cancel the batches. What is done keeps its results; what is not has an error as its result.

        Raises:
            APIError: As `completions.create`.
        """
        return [steps.run(client, steps.cancel(part.batch_id)) for part in self.parts]

    async def acancel(self, client: AsyncAnthropic) -> list[BatchStatus]:
        """As `cancel`, awaited."""
        return [await steps.run_async(client, steps.cancel(part.batch_id)) for part in self.parts]

    def results(self, client: Anthropic) -> Iterator[Result]:
        """Wait until the batches have ended, and yield the result of each request once, in any order.

        Results are downloaded as they are taken, and can be fetched again for 29 days after submission.

        Args:
            client: What to ask with; it need not be the one that submitted.

        Yields:
            A `Result` whose `request` has the `id` only. What went wrong with one is in its result: a
            `BatchRequestError`, or an `UntranslatableMessageError` for a refusal and the like.

        Raises:
            APIError: The service could not be asked, or says that a batch is none of its own.
            ResultsGoneError: The results are gone.
        """
        for part in self.parts:
            steps.run(client, _until_ended(part.batch_id, client))
            lines = Lines(part.nonce, len(part.asked))
            for line in lines_of(client, part.batch_id, lines):
                yield part.result(line.place, outcome_of(line.result, part.asked[line.place][1]))
            for index in lines.missing():
                yield part.result(index, missing())

    async def aresults(self, client: AsyncAnthropic) -> AsyncIterator[Result]:
        """As `results`, awaited."""
        for part in self.parts:
            await steps.run_async(client, _until_ended(part.batch_id, client))
            lines = Lines(part.nonce, len(part.asked))
            async for line in lines_of_async(client, part.batch_id, lines):
                yield part.result(line.place, outcome_of(line.result, part.asked[line.place][1]))
            for index in lines.missing():
                yield part.result(index, missing())


class ResultsGoneError(AnthropicError):
    """The results of a batch are gone: they are kept for 29 days after it was created.

    Attributes:
        status: What the service says of the batch.
    """

    def __init__(self, status: BatchStatus) -> None:
        super().__init__(
            f"the results of {status.id} are gone: it was created {status.created_at:%Y-%m-%d}, and results "
            f"are kept for {steps.RESULTS_DAYS} days; submit the requests again"
        )
        self.status = status

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return type(self), (self.status,)


class SubmissionError(AnthropicError):
    """Not all requests could be submitted. The `__cause__` says why.

    Attributes:
        handle: Those that were, in batches of their own.
    """

    def __init__(self, handle: BatchHandle) -> None:
        super().__init__(
            f"submitting stopped after {len(handle)} requests in {len(handle.parts)} batches, which `handle` "
            "holds"
        )
        self.handle = handle

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return type(self), (self.handle,)


def submit_batch(
    client: Anthropic, requests: Iterable[Mapping[str, object]], **arguments: object
) -> BatchHandle:
    """Submit completion requests as Message Batches: at half the price, done within a day, often an hour.

    The requests are translated for the Messages API as by `backend="messages"`; a refused parameter is
    found out per request and later, as nothing can be learned and tried again inside a batch. They are split
    where they are too many for one batch (100,000 requests, 256 MB) or ask for other betas. Where a reply is
    lost, the batch is looked for before it would be sent again, so that none is submitted twice.

    Args:
        client: What to submit with. Its `on_loss`, `prefill`, `thinking_room` and `model_map` hold.
        requests: The arguments of `create` for each, and an `id` of any kind to know the result by.
        **arguments: Arguments of every request; those of a request override them.

    Returns:
        A handle: keep it, as by pickle, to fetch the results with `results`.

    Raises:
        TypeError, ValueError: An argument is wrong. Of the part it is in nothing was submitted.
        SubmissionError: An error came after some parts had been submitted.
        APIError: The service did not take the first one.
    """
    return steps.run(client, _submit(client._options, requests, arguments))


async def asubmit_batch(
    client: AsyncAnthropic, requests: Iterable[Mapping[str, object]], **arguments: object
) -> BatchHandle:
    """As `submit_batch`, awaited."""
    return await steps.run_async(client, _submit(client._options, requests, arguments))


def _submit(
    options: Options, requests: Iterable[Mapping[str, object]], common: Mapping[str, object]
) -> Steps[BatchHandle]:
    parts: list[BatchPart] = []
    try:
        for part, body, betas in _planned(options, requests, common):
            after = yield from steps.newest()
            status = yield from steps.create(
                body, betas, count=len(part.asked), after=after, others={one.batch_id for one in parts}
            )
            parts.append(BatchPart(status.id, part.nonce, part.asked))
    except Exception as error:
        if not parts:
            raise
        raise SubmissionError(BatchHandle(tuple(parts))) from error
    return BatchHandle(tuple(parts))


def _planned(
    options: Options, requests: Iterable[Mapping[str, object]], common: Mapping[str, object]
) -> Iterator[tuple[BatchPart, bytes, str | None]]:
    """Yield the parts with their bodies and betas."""
    part = Packing()
    asked: list[tuple[object, Context]] = []
    for request in requests:
        item = Item.of(options, merged(common, request))
        if not part.add(item):
            yield BatchPart("", part.nonce, tuple(asked)), part.body(), part.betas
            part, asked = Packing(), []
            part.add(item)
        asked.append((request.get("id"), item.context))
    if asked:
        yield BatchPart("", part.nonce, tuple(asked)), part.body(), part.betas


class Packing:
    """Requests that are put into one batch, while they fit.

    Args:
        most_requests, most_bytes: How many fit.
        nonce: What the names of its requests begin with; otherwise a new one.
    """

    def __init__(
        self,
        most_requests: int = steps.MOST_REQUESTS,
        most_bytes: int = steps.MOST_BYTES,
        nonce: str | None = None,
    ) -> None:
        self.nonce = nonce or secrets.token_hex(8)
        self.betas: str | None = None
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._pieces: list[bytes] = []
        self._size = len(b'{"requests":[]}')

    def __len__(self) -> int:
        """The number of requests."""
        return len(self._pieces)

    def add(self, item: Item) -> bool:
        """Put a request in, or return False where it does not fit.

        Raises:
            ValueError: It alone is too large.
        """
        piece = encoded(self.nonce, len(self._pieces), item.params)
        size = self._size + len(piece) + 1
        if not self._pieces:
            if size > self._most_bytes:
                raise ValueError(f"expected a request of at most {self._most_bytes} bytes, got {len(piece)}")
            self.betas = item.betas
        elif len(self._pieces) >= self._most_requests or size > self._most_bytes or item.betas != self.betas:
            return False
        self._pieces.append(piece)
        self._size = size
        return True

    def body(self) -> bytes:
        """Return the body of the batch."""
        return b'{"requests":[' + b",".join(self._pieces) + b"]}"


def _until_ended(batch_id: str, client: Anthropic | AsyncAnthropic) -> Steps[BatchStatus]:
    """Look at a batch until it has ended."""
    looks = 0
    while True:
        status = yield from steps.status(batch_id)
        if status.gone(client._clock.wall()):
            raise ResultsGoneError(status)
        if status.has_ended:
            return status
        yield steps.Wait(steps.poll_seconds(looks))
        looks += 1
