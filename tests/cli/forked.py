"""Run the command line in a process of its own, in a terminal or not, forked from one that has loaded it.

Loading takes several times as long as a short command. The process that forks is kept by multiprocessing and,
unlike that of the tests, has no threads.
"""

import fcntl
import multiprocessing
import os
import pkgutil
import signal
import sys
import termios
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from anthropic_completions import cli
from anthropic_completions.cli._app import run

_forking = multiprocessing.get_context("forkserver")
# What cannot be loaded, as its extra is missing, is passed over.
_forking.set_forkserver_preload(
    [module.name for module in pkgutil.walk_packages(cli.__path__, f"{cli.__name__}.")]
)


def default_signals() -> None:
    """Let signals act on this process as they do on one that a person starts.

    What a script starts with `&` ignores SIGINT, and so do its children: Ctrl-C would not end them.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def at_terminal() -> None:
    """Be a process that a person starts at the terminal that is its standard input."""
    default_signals()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Forked:
    """A process that runs the command line, as `subprocess.Popen` would have it."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        files: Sequence[int],
        cwd: Path,
        env: Mapping[str, str],
        first: Callable[[], None] | None = None,
    ) -> None:
        """Start it.

        Args:
            arguments: Those of the command line.
            files: The descriptors of its standard input, output and error output; its terminal where the
                first one is a terminal.
            cwd: Its working folder.
            env: Its environment.
            first: What it calls before; a function of a module.
        """
        descriptors = [_Descriptor(number) for number in files]
        self._process = _forking.Process(
            target=_run, args=(descriptors, str(cwd), dict(env), list(arguments), first)
        )
        self._process.start()

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it did not end"
        return self._process.exitcode

    def kill(self) -> None:
        """End it."""
        self._process.kill()


class _Descriptor:
    """One that is passed on to the process."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> Any:
        return _received, (DupFd(self._number),)


def _received(duplicate: Any) -> int:
    number: int = duplicate.detach()
    return number


def interpret(code: str) -> None:
    """Run Python code as a program of its own, which ends with it: what comes before the command line."""
    exec(compile(code, "<example>", "exec"), {"__name__": "__main__"})
    sys.exit()


def _run(
    files: list[int], cwd: str, env: dict[str, str], arguments: list[str], first: Callable[[], None] | None
) -> None:
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    if os.isatty(0):
        at_terminal()
    else:
        default_signals()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which Python sets as it starts
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    warnings.resetwarnings()
    warnings.simplefilter("error")
    if first is not None:
        first()
    sys.exit(run(arguments))
