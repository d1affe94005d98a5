"""Block while a thread with an event loop awaits: waits end by their limit, by closing, and by Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pyreqwest.request import StreamRequest
    from pyreqwest.response import Response

# A reader that is slower than the network keeps no more than this much of a body waiting.
_MAX_WAITING_BYTES = 1024 * 1024
_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def loop_thread() -> asyncio.AbstractEventLoop:
    """Return the event loop that runs in a thread of its own, one in a process."""
    loop = _loops.get(os.getpid())
    if loop is None:
        with _lock:
            loop = _loops.get(os.getpid())
            if loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="anthropic-completions", daemon=True).start()
                _loops[os.getpid()] = loop
    return loop


def run(job: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run a coroutine function in the thread and wait for its end; do nothing in a fork, without a thread."""
    if (loop := _loops.get(os.getpid())) is not None:
        asyncio.run_coroutine_threadsafe(job(), loop).result()


class Exchange:
    """One request and its reply, which the thread receives while this one waits.

    Args:
        opening: The request.
        mapped: Returns what httpx calls an error of pyreqwest's.
    """

    def __init__(self, opening: StreamRequest, mapped: Callable[[Exception], Exception]) -> None:
        self._opening = opening
        self._mapped = mapped
        # The head, the pieces of the body, and None at its end; or what went wrong.
        self._came: SimpleQueue[Response | bytes | Exception | None] = SimpleQueue()
        self._count = 0  # of bytes that came; only the thread counts these
        self._taken = 0  # of bytes that were taken; only the reader counts these
        self._paused: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self._loop = loop_thread()
        self._loop.call_soon_threadsafe(self._start)

    def head(self, timeout: float | None) -> Response:
        """Wait for the head of the reply.

        Args:
            timeout: The most seconds, or None.

        Raises:
            httpx.RequestError: It does not come.
        """
        came: Response = self._next(timeout)  # type: ignore[assignment]
        return came

    def piece(self, timeout: float | None) -> bytes | None:
        """Wait for the next bytes of the body and return them; None at its end. As `head`."""
        came: bytes | None = self._next(timeout)  # type: ignore[assignment]
        if came is not None:
            self._taken += len(came)
            if (paused := self._paused) is not None:
                self._loop.call_soon_threadsafe(paused.set)
        return came

    def end(self) -> None:
        """Let the connection go."""
        if not self._ended:
            self._ended = True
            self._came.put(httpx.ReadError("The reply was closed."))  # for a thread that waits just now
            self._loop.call_soon_threadsafe(self._cancel)

    def _next(self, timeout: float | None) -> Response | bytes | None:
        try:
            came = self._came.get(timeout=timeout)
        except Empty:
            came = httpx.ReadTimeout("The time for reading is over.")
        except BaseException:
            self.end()
            raise
        if isinstance(came, Exception):
            self.end()
            raise came
        return came

    def _start(self) -> None:
        if not self._ended:
            self._task = self._loop.create_task(self._receive())

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _receive(self) -> None:
        try:
            async with self._opening as response:
                self._came.put(response)
                reader = response.body_reader
                # A cancellation that comes together with bytes is lost.
                while not self._ended and (piece := await reader.read_chunk()) is not None:
                    self._count += len(piece)
                    self._came.put(bytes(piece))
                    if self._count - self._taken > _MAX_WAITING_BYTES:
                        await self._pause()
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self._came.put(self._mapped(error))
        else:
            self._came.put(None)
        finally:
            self._ended = True
            del self._opening

    async def _pause(self) -> None:
        self._paused = asyncio.Event()
        while not self._ended and self._count - self._taken > _MAX_WAITING_BYTES // 2:
            await self._paused.wait()
            self._paused.clear()
        self._paused = None
