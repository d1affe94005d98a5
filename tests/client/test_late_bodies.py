"""A body whose reading ends by a deadline is never taken for a whole one."""

import anyio
import httpx
import pytest

from anthropic_completions._http.bodies import read, read_async
from support import Body


@pytest.mark.parametrize("rest", [[b"more"], [b"more", b"and more"], [httpx.ReadTimeout("late")]])
@pytest.mark.parametrize("backend", [None, "asyncio", "trio"])
def test_what_is_left_when_the_deadline_has_passed_is_not_read(
    backend: str | None, rest: list[bytes | Exception]
) -> None:
    """Whether it has come already, or the next read is refused at once."""
    body = Body(b"a", *rest)
    response = httpx.Response(200, stream=body)
    if backend is None:
        whole = read(response, 1000, lambda: True)
    else:
        whole = anyio.run(read_async, response, 1000, lambda: True, backend=backend)
    assert (whole, response.content, body.closed) == (False, b"a", True)
