"""Keep the httpx client behind one or more clients, for each process and event loop."""

from __future__ import annotations

import gc
import os
import sys
import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from typing import Self

    import httpx

# Loops that do not run may run again; so many of one client keep their connections.
_MAX_IDLE_LOOPS = 8
_MAX_FORGOTTEN = 32
_forgotten: weakref.WeakSet[object] = weakref.WeakSet()

H = TypeVar("H", bound="httpx.Client | httpx.AsyncClient")


def blocking_client() -> httpx.Client:
    """Make the httpx client that is used where none is given."""
    from .clients import DirectClient, ready

    return ready(DirectClient())


def awaiting_client() -> httpx.AsyncClient:
    """Make the httpx client that is used where none is given."""
    from .clients import AsyncDirectClient, ready

    return ready(AsyncDirectClient())


def wrong_http_client(given: object, wanted: type[object]) -> TypeError:
    """Return the error that says which kind of `http_client` was expected, what came, and what takes that."""
    import httpx

    kind, package = type(given), type(given).__module__.partition(".")[0]
    came = kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"
    told = f"http_client: expected an httpx.{wanted.__name__}, got a value of type {came}"
    if isinstance(given, httpx.AsyncClient):
        told += "; that is an async client: use AsyncAnthropic"
    elif isinstance(given, httpx.Client):
        told += "; that is a blocking client: use Anthropic"
    elif package == "httpx2" and httpx.__name__ != "httpx2":
        told += "; to use httpx2, call httpx2.alias_httpx() before anything imports httpx"
    return TypeError(told)


class Pool(Generic[H]):
    """The httpx client of one or more clients: made when first needed, and made anew where it is of no use.

    That is after a fork, as parent and child would both read from its connections, and in another event
    loop, as connections are of one.

    Args:
        given: The httpx client of the user's, or None.
        make: Makes one; a function of a module, so that it can be pickled.
    """

    def __init__(self, given: H | None, make: Callable[[], H]) -> None:
        if given is not None:
            from .clients import ready

            ready(given)
        self._given = given
        self._make = make
        self._made: dict[tuple[int, asyncio.AbstractEventLoop | None], H] = {}
        self.closed = False

    def get(self) -> H:
        """Return the httpx client."""
        for client in self.opened():
            return client
        self._forget_idle_loops()
        # Of two threads one's is kept; the other's was not used.
        return self._made.setdefault((os.getpid(), _running_loop()), self._make())

    def _forget_idle_loops(self) -> None:
        """Close the connections of event loops that do not run any more, but for the latest ones.

        Loops that nobody closes, such as one for each request, would keep theirs for ever.
        """
        from .network import hang_up

        idle = [owner for owner in list(self._made) if owner[1] is not None and not owner[1].is_running()]
        for owner in idle[: 1 - _MAX_IDLE_LOOPS]:
            client = self._made.get(owner)
            if client is not None and hang_up(client):
                self._made.pop(owner, None)
                _forgotten.add(owner[1])
        # A loop is part of circles: its descriptors are closed when the garbage collector finds it.
        if len(_forgotten) > _MAX_FORGOTTEN:
            _forgotten.clear()
            gc.collect()

    def opened(self) -> list[H]:
        """Return the httpx clients that there are in this process and event loop, none or one."""
        for owner in list(self._made):  # a copy, as other threads may add to it
            if owner[1] is not None and owner[1].is_closed():
                self._made.pop(owner, None)
        client = self._given
        if client is None:
            client = self._made.get((os.getpid(), _running_loop()))
        return [] if client is None else [client]

    def is_closed(self) -> bool:
        """Tell whether it was closed, here or by the owner of a given httpx client."""
        return self.closed or any(client.is_closed for client in self.opened())

    def __deepcopy__(self, memo: object) -> Self:
        return self  # connections are shared, as by `copy`

    def __reduce__(self) -> tuple[type[Pool[H]], tuple[None, Callable[[], H]]]:
        if self._given is not None:
            raise TypeError("a client with an http_client of its own cannot be pickled")
        return Pool, (None, self._make)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return asyncio's running event loop, or None; trio's connections are of no loop."""
    asyncio = sys.modules.get("asyncio")
    try:
        return None if asyncio is None else asyncio.get_running_loop()
    except RuntimeError:
        return None
