"""What the other transports share: event loops and processes, URLs, proxies."""

from __future__ import annotations

import asyncio
import os
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from .limit import current_limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

T = TypeVar("T")


class Loops(Generic[T]):
    """What sends, made for each event loop that it is used in, and made anew after a fork.

    Args:
        name: The client, for messages.
        make: Makes one.
        forget: Lets go of one whose loop is closed.
    """

    def __init__(self, name: str, make: Callable[[], T], forget: Callable[[T], None]) -> None:
        self._name = name
        self._make = make
        self._forget = forget
        self._made: dict[tuple[int, asyncio.AbstractEventLoop], T] = {}

    def get(self) -> T:
        """Return what sends in the running event loop.

        Raises:
            RuntimeError: It is not asyncio's.
        """
        owner = (os.getpid(), running_loop(self._name))
        found = self._made.get(owner)
        if found is None:
            for other in [each for each in self._made if each[1].is_closed()]:
                with suppress(Exception):
                    self._forget(self._made.pop(other))
            found = self._made.setdefault(owner, self._make())
        return found

    async def close(self, close: Callable[[T], Awaitable[None]]) -> None:
        """Close what was made for the running loop, and let go of the others."""
        loop = running_loop(self._name)
        while self._made:
            owner, made = self._made.popitem()
            if owner == (os.getpid(), loop):
                await close(made)
            else:
                with suppress(Exception):
                    self._forget(made)


def seconds_left(timeout: float | None) -> float | None:
    """Return how long a transport of another make may wait for the next bytes, in seconds.

    Raises:
        httpx.ReadTimeout: The time is over.
    """
    limit = current_limit()
    left = timeout if limit is None else limit.for_read(timeout)
    if left is not None and left <= 0:
        raise httpx.ReadTimeout("The time for the whole is over.")
    return left


def whole_left() -> float | None:
    """Return the seconds until the deadline of the exchange, or None."""
    limit = current_limit()
    return None if limit is None else limit.left()


def running_loop(name: str) -> asyncio.AbstractEventLoop:
    """Return the running event loop of asyncio.

    Args:
        name: The client, for the message.

    Raises:
        RuntimeError: None runs.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            f"{name} works in asyncio only, and its event loop does not run here; under trio leave "
            "http_client out, or give DefaultAsyncHttpxClient()"
        ) from None


def true_url(request: httpx.Request) -> str:
    """Return the URL of a request as it is sent; what is shown of it may be less."""
    return httpx.URL.__str__(request.url)


def without_socks(name: str, proxy: httpx.Proxy | str | None) -> httpx.Proxy | None:
    """Return a proxy that speaks HTTP.

    Raises:
        ValueError: It speaks SOCKS.
    """
    made = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
    if made is not None and made.url.scheme not in ("http", "https"):
        raise ValueError(
            f"proxy: expected one that speaks HTTP, as {name} knows no other, got the scheme "
            f"{made.url.scheme!r}; DefaultHttpxClient and DefaultAsyncHttpxClient know SOCKS"
        )
    return made


@types.coroutine
def passing_cancellation(waiting: Coroutine[object, None, T]) -> Generator[object, None, T]:
    """Await a coroutine of Rust's, which raises an error of its own in place of the one it is cancelled with.

    anyio knows its own cancellations by what they say.
    """
    cancelled: BaseException | None = None
    thrown: BaseException | None = None
    while True:
        try:
            waited = waiting.send(None) if thrown is None else waiting.throw(thrown)
        except StopIteration as done:
            value: T = done.value
            return value
        except asyncio.CancelledError:
            if cancelled is None:
                raise
            break
        thrown = None
        try:
            yield waited
        except GeneratorExit:
            waiting.close()
            raise
        except BaseException as error:  # noqa: BLE001 - goes on into the coroutine
            cancelled = thrown = error
    raise cancelled
