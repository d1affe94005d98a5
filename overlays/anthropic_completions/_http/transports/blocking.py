"""Block until a coroutine of Rust's is done: waits end by their limit, by closing, and by Ctrl-C.

What Rust awaits goes on in a thread of its own, which needs no event loop; it only tells one when there is
something to go on with. So the thread that waits is the event loop, and a piece of a body that is there
already is taken without a change of threads.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop, _set_running_loop
from queue import Empty, SimpleQueue
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, TypeVar, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyreqwest.bytes import Bytes
    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response, ResponseBodyReader

T = TypeVar("T")
U = TypeVar("U")


class _Loop:
    """What Rust's coroutines need of an event loop: futures, and a way to be told to go on."""

    def __init__(self) -> None:
        self._told: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.Future(loop=cast("asyncio.AbstractEventLoop", self))

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: object) -> None:
        self._told.put(lambda: callback(*arguments))

    def get_debug(self) -> bool:
        return False

    def is_closed(self) -> bool:
        return False

    def step(self, waiting: Coroutine[object, None, T]) -> tuple[T] | None:
        """Have a coroutine go on; return what it returns, or None where it has more to wait for."""
        outer = _get_running_loop()
        _set_running_loop(cast("asyncio.AbstractEventLoop", self))
        try:
            # It yields None, and no future, where it was told to go on meanwhile.
            while waiting.send(None) is None:
                pass
        except StopIteration as done:
            return (done.value,)
        finally:
            _set_running_loop(outer)
        return None

    def wait(self, timeout: float | None) -> None:
        """Wait until something is told, or raise `queue.Empty`."""
        self._told.get(timeout=timeout)()

    def interrupt(self) -> None:
        """End a wait; from any thread."""
        self._told.put(lambda: None)


def run(job: Callable[[], Coroutine[object, None, None]]) -> None:
    """Run a coroutine function to its end."""
    loop = _Loop()
    waiting = job()
    while loop.step(waiting) is None:
        loop.wait(None)


class Exchange:
    """One request and its reply. One thread may wait for it at a time; any may end it.

    Args:
        opening: The request.
        mapped: Returns what httpx calls an error of pyreqwest's.
    """

    def __init__(self, opening: StreamRequest, mapped: Callable[[Exception], Exception]) -> None:
        self._opening: StreamRequest | None = opening
        self._mapped = mapped
        self._reader: ResponseBodyReader | None = None
        self._loop = _Loop()
        self._used = Lock()
        self._ended = False

    def head(self, timeout: float | None) -> Response:
        """Wait for the head of the reply.

        Args:
            timeout: The most seconds, or None.

        Raises:
            httpx.RequestError: It does not come.
        """
        return self._await(self._open, self._opened, timeout)

    def piece(self, timeout: float | None) -> bytes | None:
        """Wait for the next bytes of the body and return them; None at its end. As `head`."""
        return self._await(self._read, _bytes, timeout)

    def end(self) -> None:
        """Let the connection go; a wait in another thread ends."""
        self._ended = True
        self._loop.interrupt()
        self._let_go()

    # No frame of an error holds the request, which has a key: these are done by then.
    def _open(self) -> Coroutine[object, None, Response]:
        if self._opening is None:
            raise closed()
        return self._opening.__aenter__()

    def _opened(self, response: Response) -> Response:
        self._reader = response.body_reader
        return response

    def _read(self) -> Coroutine[object, None, Bytes | None]:
        if self._reader is None:
            raise closed()
        return self._reader.read_chunk()

    def _await(
        self,
        start: Callable[[], Coroutine[object, None, T]],
        take: Callable[[T], U],
        timeout: float | None,
    ) -> U:
        failure: Exception | None = None
        try:
            with self._used:
                return take(self._result(start(), timeout))
        except Exception as error:  # noqa: BLE001 - mapped, where it is not in the context
            failure = self._mapped(error)
            self._ended = True
        except BaseException:
            self._ended = True
            raise
        finally:
            if self._ended:
                self._let_go()
        raise failure

    def _result(self, waiting: Coroutine[object, None, T], timeout: float | None) -> T:
        until = None if timeout is None else monotonic() + timeout
        try:
            while not self._ended:
                if (result := self._loop.step(waiting)) is not None:
                    return result[0]
                self._loop.wait(None if until is None else max(until - monotonic(), 0))
        except Empty:
            raise TimeoutError from None
        finally:
            waiting.close()
        raise closed()

    def _let_go(self) -> None:
        # A thread that waits just now does it itself, at the end of its wait.
        while self._opening is not None and self._used.acquire(blocking=False):
            try:
                self._leave()
            finally:
                self._used.release()

    def _leave(self) -> None:
        opening, reader = self._opening, self._reader
        self._opening = self._reader = None
        if opening is not None and reader is not None:
            self._loop.step(opening.__aexit__(None, None, None))


def _bytes(came: Bytes | None) -> bytes | None:
    return None if came is None else bytes(came)


def closed() -> httpx.ReadError:
    """Return the error for a wait that closing has ended."""
    return httpx.ReadError("The reply was closed.")
