"""Fetch a stream's bytes, blocking or awaiting: feed them to its assembly, try again, close the reply.

A reading holds no reference to its stream, so that a stream that is forgotten is freed at once, and its
reply closed.
"""

from __future__ import annotations

import gc
import sys
import threading
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, cast

import httpx

from .._errors import APIError
from .._http.call import run, run_async
from .._http.exchange import exchange
from .._http.transports.limit import Limit, limited
from .._tasks import scheduler

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from .._contract.completion import Completion
    from .._http.call import AsyncPort, BasePort, Call, Exchanged, Port, Steps
    from .assembly import Assembly

# One read of 64 KiB has fewer pieces than this, even if every byte is an HTTP chunk of its own.
_LEFTOVER_PIECES = 16 * 1024

# How long the end of a body may take after the last event of its stream. It usually comes with it; a
# connection whose reply is read to the end can be used again.
GRACE_SECONDS = 0.1

# The thread in which the garbage collector works at the moment.
_collector: int | None = None


def _note_collector(phase: str, info: object) -> None:
    global _collector
    _collector = threading.get_ident() if phase == "start" else None


gc.callbacks.append(_note_collector)


class Reading:
    """What both ways of reading have in common: everything but the waiting.

    Attributes:
        response: The reply of the last attempt.
        failure: What the reading failed with.
        ended: Whether nothing more shall be read.
    """

    def __init__(self, call: Call, port: BasePort, exchanged: Exchanged, assembly: Assembly) -> None:
        self._call = call
        self._requests = port
        self.assembly = assembly
        self.failure: Exception | None = None
        self.ended = False
        self.open(exchanged)

    def open(self, exchanged: Exchanged) -> None:
        """Begin with a reply."""
        self.response = exchanged.response
        self._retries_taken = exchanged.retries_taken
        self.assembly.begin(self.response)

    def check(self) -> None:
        """Raise where the end of the reading would look like the end of the text and is not."""
        if self.failure is not None:
            raise self.failure
        if self.ended and not self.assembly.complete:
            raise self.assembly.left_early()

    def retry_steps(self, failure: Exception) -> Steps[Exchanged]:
        """Return the steps of another attempt, for a failure before the first chunk; otherwise raise it."""
        self.check()
        if self.assembly.chunk_count or not isinstance(failure, APIError):
            raise failure
        return exchange(self._call, self._requests, retries_taken=self._retries_taken, failure=failure)

    def fail(self, error: Exception) -> Exception:
        """Return what an error is called here, and raise that from now on."""
        self.failure = self.assembly.failure(error)
        return self.failure


def _let_go(response: httpx.Response) -> None:
    """Take from a closed reply its stream, which holds the request as it was sent; errors hold the reply."""
    took = getattr(response.stream, "elapsed", None)  # httpx2 keeps it there
    response.stream = httpx.ByteStream(b"")
    if took is not None:
        response.elapsed = took


class BlockingReading(Reading):
    """Reading that blocks.

    Attributes:
        chunks: The chunks, as they come.
    """

    def __init__(self, call: Call, port: Port, exchanged: Exchanged, assembly: Assembly) -> None:
        super().__init__(call, port, exchanged, assembly)
        self._port = port
        self.chunks = self._read()

    def _read(self) -> Generator[Completion, None, None]:
        try:
            while True:
                try:
                    self.check()
                    response = self.response
                    pieces = response.iter_bytes() if response.is_stream_consumed else response.iter_raw()
                    while not self.assembly.complete:
                        due = self.assembly.wait()
                        piece = next(pieces, None) if due is None else self._next_piece(pieces, due)
                        if piece is None:
                            yield from self.assembly.finish()
                        else:
                            yield from self.assembly.feed(piece)
                            if self.assembly.over:
                                yield from self.assembly.finish()
                                self._read_out(pieces)
                    return
                except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                    if self.assembly.is_end(error):
                        return
                    failure = self.assembly.failure(error)
                self.response.close()
                try:
                    self.open(run(self.retry_steps(failure), self._port))
                except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                    raise self.fail(error) from error.__cause__
        finally:
            self.ended = True
            self.response.close()
            _let_go(self.response)

    def _read_out(self, pieces: Iterator[bytes]) -> None:
        """Read what is left of a body after the last event of its stream, without waiting for much."""
        monotonic = self._call.clock.monotonic
        with limited(Limit(monotonic, monotonic() + GRACE_SECONDS)), suppress(Exception):
            for _ in islice(pieces, _LEFTOVER_PIECES):
                pass

    def _next_piece(self, pieces: Iterator[bytes], due: float) -> bytes | None:
        with limited(Limit(self._call.clock.monotonic, due)):
            return next(pieces, None)

    def close(self) -> None:
        """Close the reply; from any thread."""
        self.ended = True
        self.response.close()
        with suppress(ValueError):  # another thread reads just now: that fails, as the reply is closed
            self.chunks.close()

    def abandon(self) -> None:
        """Close the reply, as nobody reads it any more."""
        if self.ended or sys.is_finalizing():
            return
        if _collector == threading.get_ident():
            # The garbage collector may have struck while this thread held the connection pool's lock.
            threading.Thread(target=self.close, daemon=True).start()
        else:
            self.close()


class AwaitingReading(Reading):
    """Reading that awaits."""

    def __init__(self, call: Call, port: AsyncPort, exchanged: Exchanged, assembly: Assembly) -> None:
        super().__init__(call, port, exchanged, assembly)
        self._port = port
        self._schedule = scheduler()

    def open(self, exchanged: Exchanged) -> None:
        super().open(exchanged)
        response = self.response
        self._body = cast("httpx.AsyncByteStream", response.stream)
        self._pieces = response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw()
        self._ready: Iterator[Completion] = iter(())
        self._released = False

    async def next_chunk(self) -> Completion | None:
        """Return the next chunk, or None at the end."""
        while True:
            try:
                self.check()
                for chunk in self._ready:
                    return chunk
                if self.assembly.complete:
                    await self.close()
                    return None
                if self.assembly.over:
                    self._ready = self.assembly.finish()
                    continue
                due = self.assembly.wait()
                piece = await (anext(self._pieces, None) if due is None else self._next_piece(due))
                self._ready = self.assembly.finish() if piece is None else self.assembly.feed(piece)
                continue
            except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                if self.assembly.is_end(error):
                    continue
                failure = self.assembly.failure(error)
            except BaseException:
                await self.close()
                raise
            await self._release()
            try:
                self.open(await run_async(self.retry_steps(failure), self._port))
            except Exception as error:  # noqa: BLE001 - mapped, or raised as it is
                raise self.fail(error) from error.__cause__

    async def _next_piece(self, due: float) -> bytes | None:
        with limited(Limit(self._call.clock.monotonic, due)):
            return await anext(self._pieces, None)

    async def close(self) -> None:
        """Close the reply."""
        self.ended = True
        await self._release()

    def abandon(self) -> None:
        """Have the event loop close the reply, as nobody reads it any more; from any thread."""
        self.ended = True
        if not self._released:
            # An event loop that has ended has closed its connections.
            with suppress(RuntimeError):
                self._schedule(self._release)

    async def _release(self) -> None:
        """Give the connection back, also from a task that is being cancelled."""
        if self._released:
            return
        self._released = True
        import anyio

        with anyio.CancelScope(shield=True):
            # A generator closed from outside drops the ones within it unfinished, of which trio warns.
            # Cancelling it while it waits for bytes ends all of them in order. How is of no interest.
            with anyio.CancelScope() as scope, suppress(Exception):
                if self.assembly.complete and self.assembly.over:
                    scope.deadline = anyio.current_time() + GRACE_SECONDS
                else:
                    scope.cancel()
                for _ in range(_LEFTOVER_PIECES):
                    if await anext(self._pieces, None) is None:
                        break
            closes = [self.response.aclose]
            if scope.cancelled_caught:
                # The body's end may have come, and its closing been cancelled.
                closes.append(self._body.aclose)
            for close in closes:
                with suppress(Exception):
                    await close()
        _let_go(self.response)
