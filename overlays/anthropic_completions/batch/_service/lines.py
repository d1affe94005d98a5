"""Download the results of a batch line by line; begin anew where the download breaks off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._errors import APIConnectionError, APIError, APIStatusError
from ..._http.retry import backoff
from .items import read_line
from .steps import PATH, Ask, prepared, sleep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ..._client.clients import Anthropic, AsyncAnthropic
    from .items import Line


class OtherBatchError(ValueError):
    """The results are of a batch with other requests."""


class Lines:
    """Puts lines together of the pieces in which they come, each request's once.

    Args:
        nonce: What names of its requests begin with.
        count: How many requests the batch has.
    """

    def __init__(self, nonce: str, count: int) -> None:
        self._nonce = nonce
        self._seen = bytearray(count)
        self._rest = b""
        self._failures = 0

    def missing(self) -> Iterator[int]:
        """Yield the places of the requests that had no line."""
        return (index for index, seen in enumerate(self._seen) if not seen)

    def begin(self) -> None:
        """Begin anew."""
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Line]:
        """Yield the lines that are whole now.

        Raises:
            OtherBatchError: They are of another batch.
        """
        *whole, self._rest = (self._rest + data).split(b"\n") if b"\n" in data else (self._rest + data,)
        for line in whole:
            yield from self._line(line)

    def end(self) -> Iterator[Line]:
        """Yield a last line that has no newline."""
        rest, self._rest = self._rest, b""
        yield from self._line(rest)

    def _line(self, data: bytes) -> Iterator[Line]:
        if not data.strip():
            return
        line = read_line(data)
        if line is None:
            return  # what is missing is told in the end
        if line.nonce != self._nonce or line.place >= len(self._seen):
            raise OtherBatchError("the results are of a batch with other requests")
        if not self._seen[line.place]:
            self._seen[line.place] = 1
            self._failures = 0
            yield line

    def wait_after(self, error: APIError, client: Anthropic | AsyncAnthropic) -> float:
        """Return the seconds to wait before the download begins anew.

        Raises:
            APIError: It may not.
        """
        if not isinstance(error, APIConnectionError) or isinstance(error, APIStatusError):
            raise error
        if self._failures >= client.max_retries:
            raise error
        self._failures += 1
        return backoff(self._failures - 1, random=client._clock.random())


def results_step(batch_id: str) -> Ask:
    """Return the step that asks for results: from `base_url`, where the credentials belong."""
    return Ask("GET", f"{PATH}/{batch_id}/results")


def lines_of(client: Anthropic, batch_id: str, lines: Lines) -> Iterator[Line]:
    """Download the results of a batch, blocking."""
    from ..._client.responses import APIResponse

    while True:
        lines.begin()
        reply: APIResponse[object] | None = None
        try:
            call = prepared(client, results_step(batch_id), unread=True)
            reply = client._exchange(call, APIResponse[object])
            for data in reply.iter_bytes():
                yield from lines.feed(data)
            yield from lines.end()
            return
        except APIError as error:
            client._clock.sleep(lines.wait_after(error, client))
        finally:
            if reply is not None:
                reply.close()


async def lines_of_async(client: AsyncAnthropic, batch_id: str, lines: Lines) -> AsyncIterator[Line]:
    """Download the results of a batch, awaiting."""
    from ..._client.responses import AsyncAPIResponse

    while True:
        lines.begin()
        reply: AsyncAPIResponse[object] | None = None
        try:
            call = prepared(client, results_step(batch_id), unread=True)
            reply = await client._exchange(call, AsyncAPIResponse[object])
            async for data in reply.iter_bytes():
                for line in lines.feed(data):
                    yield line
            for line in lines.end():
                yield line
            return
        except APIError as error:
            await sleep(client, lines.wait_after(error, client))
        finally:
            if reply is not None:
                await reply.close()
