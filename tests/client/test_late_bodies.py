"""A body whose reading ends by a deadline is never taken for a whole one."""

from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest

from anthropic_completions._http.bodies import read, read_async


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose pieces are there, and which may fail then, as where the deadline cuts the next read."""

    def __init__(self, pieces: list[bytes | Exception]) -> None:
        self._pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("rest", [[b"more"], [b"more", b"and more"], [httpx.ReadTimeout("late")]])
@pytest.mark.parametrize("backend", [None, "asyncio", "trio"])
def test_what_is_left_when_the_deadline_has_passed_is_not_read(
    backend: str | None, rest: list[bytes | Exception]
) -> None:
    """Whether it has come already, or the next read is refused at once."""
    pieces = Pieces([b"a", *rest])
    response = httpx.Response(200, stream=pieces)
    if backend is None:
        whole = read(response, 1000, lambda: True)
    else:
        whole = anyio.run(read_async, response, 1000, lambda: True, backend=backend)
    assert (whole, response.content, pieces.closed) == (False, b"a", True)
