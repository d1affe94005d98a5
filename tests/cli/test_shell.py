"""What the other tests run commands with."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.shell import Terminal, environment

STATE = (
    "import signal; "
    "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, "
    "signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL, "
    "signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set())"
)


@pytest.fixture
def _in_the_background() -> Iterator[None]:
    """Ignore signals as a process does that a script has started with `&`, and block some."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_in_the_background")
def test_a_process_in_a_terminal_heeds_signals_though_this_one_ignores_them(tmp_path: Path) -> None:
    done = Terminal([sys.executable, "-c", STATE], cwd=tmp_path, env=environment()).finish()
    assert done == (0, "True True True\n", "")
