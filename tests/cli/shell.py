"""Run the command line: in this process, or in one of its own, in a terminal or piped."""

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import processes
from anthropic_completions.cli._app import run
from cli.forked import Forked, at_terminal

MODULE = [sys.executable, "-W", "error", "-m", "anthropic_completions"]
# In place of `MODULE`, where only a terminal matters and not how Python starts and ends.
LOADED = ["anthropic-completions, loaded"]
PATIENCE_SECONDS = 30  # less than a test's time limit, as it says more


class Done(NamedTuple):
    """What a command did. In a terminal, both kinds of output are in `out`."""

    code: int
    out: str
    err: str = ""


class Cli:
    """The command line in this process, with the stand-in as the service."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Done:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(arguments)
        return Done(code, *self._capsys.readouterr())


def environment(**variables: str) -> dict[str, str]:
    """Return the environment for a process: that of the test, with a plain terminal of a fixed width."""
    return {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40", **variables}


def piped(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], patience: float = PATIENCE_SECONDS
) -> Done:
    """Run a command with pipes, for no longer than so many seconds."""
    done = processes.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, timeout=patience)
    return Done(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A process in a pseudo-terminal of its own."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.out = ""
        self.process: subprocess.Popen[bytes] | Forked
        # The command line itself, without the time that loading it takes.
        if list(command[: len(LOADED)]) == LOADED:
            self.process = Forked(command[len(LOADED) :], files=[slave] * 3, cwd=cwd, env=env)
        else:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                preexec_fn=at_terminal,
            )
        os.close(slave)

    def read_until(self, text: str) -> None:
        """Read until some text has come."""
        while text not in self.out:
            assert self._read(), f"the process ended before {text!r} came: {self.out!r}"

    def type(self, keys: str) -> None:
        """Type at the terminal; `\\x03` is Ctrl-C."""
        os.write(self._master, keys.encode())

    def finish(self) -> Done:
        """Read to the end."""
        while self._read():
            pass
        os.close(self._master)
        return Done(self.process.wait(PATIENCE_SECONDS), self.out.replace("\r\n", "\n"))

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], PATIENCE_SECONDS)
        assert ready, f"nothing came: {self.out!r}"
        try:
            data = os.read(self._master, 65536)
        except OSError:  # what Linux says of a terminal whose last process ended
            return False
        self.out += data.decode(errors="replace")
        return bool(data)


@contextmanager
def kept_on_failure(process: subprocess.Popen[Any] | Forked) -> Any:
    """Kill a process if the test fails before it ends."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
