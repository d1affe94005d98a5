"""Kill a run at some moment, alone or with another one that was started at once."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from typing import NamedTuple

from cli.forked import Forked
from cli.shell import PATIENCE_SECONDS, kept_on_failure


class Killed(NamedTuple):
    """What became of a run: whether it was killed, and whether another one was refused before."""

    killed: bool
    refused: bool


class _Run:
    """A run in a process of its own, whose error output is kept."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], first: Callable[[], None] | None
    ) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115
        with Path(os.devnull).open("r+b") as nothing:
            files = [nothing.fileno(), nothing.fileno(), self._errors.fileno()]
            self.process = Forked(arguments, files=files, cwd=Path.cwd(), env=env, first=first)

    def end(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and the error output."""
        code = self.process.wait(PATIENCE_SECONDS)
        with self._errors as file:
            file.seek(0)
            return code, file.read().decode()


def kill(
    arguments: Sequence[str],
    env: Mapping[str, str],
    is_time: Callable[[], bool],
    *,
    beside: bool = False,
    first: Callable[[], None] | None = None,
) -> Killed:
    """Run the command line and send it SIGKILL when it is time, or not at all where it has ended before.

    Args:
        arguments: Those of the command line.
        env: Its environment.
        is_time: Whether it is time.
        beside: Whether to start it twice at once, and kill both.
        first: What each process calls before; a function of a module.
    """
    with ExitStack() as stack:
        runs = [_Run(arguments, env, first) for _ in range(2 if beside else 1)]
        for run in runs:
            stack.enter_context(kept_on_failure(run.process))
        while any(run.process.poll() is None for run in runs) and not is_time():
            time.sleep(0.002)
        for run in runs:
            run.process.kill()
        ends = [run.end() for run in runs]
    refused = ["another run is writing to it" in told for _, told in ends]
    assert sum(refused) <= 1, "no run could write"
    # One that came to its end has failed requests, of which its summary tells.
    assert all(code in (-signal.SIGKILL, 1) for code, _ in ends), ends
    return Killed(-signal.SIGKILL in (code for code, _ in ends), any(refused))


def points(chance: Random, end: int, count: int = 5) -> list[int]:
    """Return random points before an end in rising order, one in each part of equal length."""
    each = end // count
    return [chance.randrange(each * part, each * (part + 1)) for part in range(count)]
