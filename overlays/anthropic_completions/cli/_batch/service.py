"""Complete the requests of a batch by Message Batches: submit once, wait, collect the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._errors import APIConnectionError, APIStatusError
from ...batch import Result, ResultsGoneError
from ...batch._service import steps
from ...batch._service.items import Item, encoded, missing, outcome_of
from ...batch._service.lines import Lines, OtherBatchError, lines_of_async
from .journal import MOST_BYTES, MOST_REQUESTS, Journal, Places
from .requests import Asked
from .results import Others
from .running import Stopped, line_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping
    from pathlib import Path

    from ..._client.clients import AsyncAnthropic
    from ..._contract.completion import Completion
    from .journal import Kept, Part
    from .results import ResultLine, ResultsFile
    from .tally import Tally

# So many looks in a row may fail before the run ends; the batches go on meanwhile.
_FAILED_LOOKS = 10
# What a request's name takes besides.
_NAME_BYTES = 24


class Service:
    """A run by Message Batches.

    Args:
        client: What to ask with.
        target: The file of results, which is open.
        results: The same, to append to.
        tally: Where to count.
        batch_size: The most requests of a batch.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        target: Path,
        results: ResultsFile,
        tally: Tally,
        *,
        batch_size: int = MOST_REQUESTS,
    ) -> None:
        self._client = client
        self._target = target
        self._results = results
        self._tally = tally
        self._batch_size = batch_size
        self._journal = Journal(target)
        self._says = ""

    @property
    def says(self) -> str:
        """What is waited for, in words."""
        return self._says

    def pending(self, fingerprints: Mapping[str | int, int]) -> set[str | int]:
        """Return the ids that are in parts of earlier runs.

        Raises:
            OtherRequestsError: Some of them are of requests that say something else.
        """
        ids: set[str | int] = set()
        others = Others(self._journal.folder)
        for part in self._journal.parts.values():
            for identifier, found in part.ids():
                ids.add(identifier)
                others.look(identifier, found, fingerprints)
        others.check()
        return ids

    async def run(
        self, requests: Iterable[Asked], common: Mapping[str, object], pending: set[str | int]
    ) -> None:
        """Submit what is neither done nor pending, and collect all results.

        Raises:
            APIError: The service could not be asked. The same run later goes on.
            Stopped: The results of a batch are gone.
        """
        for part in [*self._journal.parts.values()]:
            await self._submit(part)
        asked: list[tuple[Asked, Item]] = []
        size = 0
        for request in requests:
            if request.id in self._results.done or request.id in pending:
                continue
            try:
                item = Item.of(self._client._options, {**common, **_arguments(request)})
                length = len(encoded("", 0, item.params)) + _NAME_BYTES
            except (TypeError, ValueError) as error:
                self._keep(line_of(Result(request, error=error)))
                continue
            full = len(asked) >= self._batch_size or size + length > MOST_BYTES
            if asked and (full or item.betas != asked[0][1].betas):
                await self._submit(self._journal.plan(asked))
                asked, size = [], 0
            asked.append((request, item))
            size += length
        if asked:
            await self._submit(self._journal.plan(asked))
        del asked
        await self._collect_all()

    async def cancel(self) -> None:
        """Cancel all batches, and collect what they have done.

        Raises:
            APIError, Stopped: As of `run`.
        """
        for part in [*self._journal.parts.values()]:
            if part.batch_id is None and part.posted:
                found = await self._steps(steps.find(part.count, part.after, part.others))
                if found is not None:
                    self._journal.submitted(part, found.id)
            if part.batch_id is None:
                self._journal.collected(part)
                continue
            status = await self._steps(steps.status(part.batch_id))
            if not status.has_ended:
                await self._steps(steps.cancel(part.batch_id))
        await self._collect_all()

    async def _submit(self, part: Part) -> None:
        if part.batch_id is not None:
            return
        self._says = f"submitting {part.count} requests"
        journal = self._journal
        if not part.posted:
            part.after = await self._steps(steps.newest())
        status = await self._steps(
            steps.create(
                part.body(),
                part.betas,
                count=part.count,
                after=part.after,
                others=self._others(part),
                posted=part.posted,
                on_posting=lambda: journal.posting(part),
                on_refused=lambda: journal.refused(part),
            )
        )
        journal.submitted(part, status.id)

    def _others(self, part: Part) -> set[str]:
        """Return the batches that are those of other parts, or are not of this one."""
        known = {one.batch_id for one in self._journal.parts.values() if one.batch_id is not None}
        return known | part.others

    async def _collect_all(self) -> None:
        looks = 0
        while self._journal.parts:
            for part in [*self._journal.parts.values()]:
                status = await self._look(str(part.batch_id))
                if status.gone(self._client._clock.wall()):
                    folder = self._journal.folder
                    raise Stopped(f"{ResultsGoneError(status)}: delete {folder}, and run this again")
                if status.has_ended:
                    await self._collect(part)
                    looks = 0
            if left := len(self._journal.parts):
                batches = "a batch" if left == 1 else f"{left} batches"
                self._says = f"the service works on {batches}"
                await steps.sleep(self._client, steps.poll_seconds(looks))
                looks += 1

    async def _look(self, batch_id: str) -> steps.BatchStatus:
        failures = 0
        while True:
            try:
                return await steps.run_async(self._client, steps.status(batch_id))
            except (APIConnectionError, APIStatusError) as error:
                failures += 1
                passes = not isinstance(error, APIStatusError) or error.status_code >= 500
                if not passes or failures == _FAILED_LOOKS:
                    raise
                await steps.sleep(self._client, steps.poll_seconds(failures))

    async def _collect(self, part: Part) -> None:
        """Append the results of a part that has ended, but for those that are in the file already."""
        self._says = "fetching results"
        places, lines = Places(part), Lines(part.nonce, part.count)
        try:
            async for line in lines_of_async(self._client, str(part.batch_id), lines):
                kept = places[line.place]
                if kept["id"] not in self._results.done:
                    self._append(kept, outcome_of(line.result, kept["context"]))
            for place in lines.missing():
                kept = places[place]
                if kept["id"] not in self._results.done:
                    self._append(kept, missing())
        except OtherBatchError:
            self._journal.disowned(part)
            await self._submit(part)
            return
        finally:
            places.close()
        self._results.sync()
        self._journal.collected(part)

    def _append(self, kept: Kept, outcome: Completion | Exception) -> None:
        asked = Asked(id=kept["id"])
        asked.number, asked.row, asked.fingerprint = 0, kept["row"], kept["fingerprint"]
        if isinstance(outcome, Exception):
            self._keep(line_of(Result(asked, error=outcome)))
        else:
            self._keep(line_of(Result(asked, outcome)))

    def _keep(self, line: ResultLine) -> None:
        self._results.append(line)
        self._tally.count(line)

    def _steps(self, made: steps.Steps[steps.T]) -> Awaitable[steps.T]:
        return steps.run_async(self._client, made)


def _arguments(request: Asked) -> dict[str, object]:
    return {name: value for name, value in request.items() if name != "id"}
