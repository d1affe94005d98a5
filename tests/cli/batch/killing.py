"""Kill a run at some moment, alone or with another one that was started at once."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from random import Random
from typing import NamedTuple

from cli.shell import kept_on_failure


class Killed(NamedTuple):
    """What became of a run: whether it was killed, and whether another one was refused before."""

    killed: bool
    refused: bool


def kill(
    command: Sequence[str], env: Mapping[str, str], is_time: Callable[[], bool], *, beside: bool = False
) -> Killed:
    """Run a command and send it SIGKILL when it is time, or not at all where it has ended before.

    Args:
        command: The command.
        env: Its environment.
        is_time: Whether it is time.
        beside: Whether to start it twice at once, and kill both.
    """
    with ExitStack() as stack:
        runs = [
            stack.enter_context(
                kept_on_failure(
                    subprocess.Popen(
                        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8"
                    )
                )
            )
            for _ in range(2 if beside else 1)
        ]
        while any(run.poll() is None for run in runs) and not is_time():
            time.sleep(0.002)
        for run in runs:
            run.send_signal(signal.SIGKILL)
        told = [run.communicate()[1] for run in runs]
    codes = [run.returncode for run in runs]
    refused = ["another run is writing to it" in text for text in told]
    assert sum(refused) <= 1, "no run could write"
    # One that came to its end has failed requests, of which its summary tells.
    assert all(code in (-signal.SIGKILL, 1) for code in codes), (codes, told)
    return Killed(-signal.SIGKILL in codes, any(refused))


def points(chance: Random, end: int, count: int = 5) -> list[int]:
    """Return random points before an end in rising order, one in each part of equal length."""
    each = end // count
    return [chance.randrange(each * part, each * (part + 1)) for part in range(count)]
