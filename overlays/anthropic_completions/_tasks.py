"""Run coroutine functions in tasks of the event loop, under asyncio and trio."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    Job = Callable[[], Coroutine[object, object, None]]

# An event loop of asyncio holds its tasks only weakly.
_tasks: set[asyncio.Task[None]] = set()


def spawn(job: Job) -> None:
    """Run a coroutine function in a task that belongs to the running event loop."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        sys.modules["trio"].lowlevel.spawn_system_task(job)
        return
    _spawn_in(loop, job)


def scheduler() -> Callable[[Job], object]:
    """Return a function that has the present event loop run a coroutine function, from any thread."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        lowlevel = sys.modules["trio"].lowlevel
        call_soon, start = lowlevel.current_trio_token().run_sync_soon, lowlevel.spawn_system_task
    else:
        call_soon, start = loop.call_soon_threadsafe, partial(_spawn_in, loop)

    def begin(job: Job) -> None:
        # A run of trio that is ending takes no tasks, and would crash with what is raised here.
        with suppress(RuntimeError):
            start(job)

    return lambda job: call_soon(begin, job)


def _spawn_in(loop: asyncio.AbstractEventLoop, job: Job) -> None:
    task = loop.create_task(job())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
