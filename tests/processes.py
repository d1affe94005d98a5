"""Processes that tests start, which end with the tests: they and all that they start themselves."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Start a process in a group of its own; in the end the whole group is killed.

    A server that is killed alone leaves its workers behind, which keep its port.

    Args:
        command: The command.
        **options: Those of `subprocess.Popen`.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            kill(process)


def run(command: Sequence[str], *, timeout: float, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a command in a group of its own; return what it printed, as text.

    Args:
        command: The command.
        timeout: Seconds after which it is killed, with all that it started.
        **options: Those of `subprocess.Popen`.
    """
    options = {"encoding": "utf-8", "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with started(command, **options) as process:
        out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def kill(process: "subprocess.Popen[Any]") -> None:
    """Kill the group of a process that `started` started; where there are no groups, the process."""
    if os.name == "nt":
        process.kill()
        return
    # The group lasts as long as one of its processes, also where the first one has ended.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
