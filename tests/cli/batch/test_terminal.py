"""What is shown in a terminal, and Ctrl-C."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anthropic_completions.testing import StandIn, completion, error, stall
from cli.batch.files import ask_many, results
from cli.shell import LOADED, MODULE, Terminal, environment, kept_on_failure


def _colours(codes: str) -> Iterator[str]:
    """Yield the names of the colours that codes for a terminal say, as far as they are reds and greens."""
    if found := re.search(r"38;2;(\d+);(\d+);(\d+)", codes):
        red, green, blue = map(int, found.groups())
        if red > 1.5 * max(green, blue):
            yield "red"
        if green > max(red, blue):
            yield "green"
    elif {"31", "91"} & {*codes.split(";")}:
        yield "red"
    elif {"32", "92"} & {*codes.split(";")}:
        yield "green"


class TestInTerminal:
    """The progress bar, and Ctrl-C."""

    def test_there_is_a_progress_bar_and_a_summary(
        self, stand_in: StandIn, source: Path, target: Path, tmp_path: Path
    ) -> None:
        ask_many(source, 5)
        stand_in.queue(error(422))
        command = [*LOADED, "batch", str(source), str(target)]
        done = Terminal(command, cwd=tmp_path, env=environment()).finish()
        assert done.code == 1
        assert "5/5" in done.out
        assert "1 failed" in done.out
        assert "5 requests: 4 completed, 1 failed, 0 done before;" in done.out

    @pytest.mark.parametrize("fails", [False, True])
    def test_only_failures_are_red(
        self, stand_in: StandIn, source: Path, target: Path, tmp_path: Path, fails: bool
    ) -> None:
        ask_many(source, 120)  # for long enough that the bar is seen half full
        if fails:
            stand_in.queue(error(422))
        command = [*LOADED, "batch", "-c", "1", str(source), str(target)]
        shown = Terminal(command, cwd=tmp_path, env=environment(COLORTERM="truecolor")).finish().out
        colours = {code for codes in re.findall(r"\x1b\[([0-9;]*)m", shown) for code in _colours(codes)}
        assert ("red" in colours) == fails
        assert colours >= {"green"}

    def test_ctrl_c_keeps_what_is_done(
        self, stand_in: StandIn, source: Path, target: Path, tmp_path: Path
    ) -> None:
        ask_many(source, 50)
        stand_in.queue(*itertools.repeat(completion("Fine."), 10), *itertools.repeat(stall(3600), 40))
        command = [*MODULE, "batch", "-c", "4", str(source), str(target)]
        terminal = Terminal(command, cwd=tmp_path, env=environment())
        with kept_on_failure(terminal.process):
            terminal.read_until("10/50")
            terminal.type("\x03")
            done = terminal.finish()
        stand_in.queued.clear()
        assert done.code == 130
        assert "50 requests: 10 completed, 0 failed, 0 done before, 40 not done;" in done.out
        assert "Interrupted; the same command goes on from here." in done.out
        assert "Traceback" not in done.out
        assert len(results(target)) == 10
        # And so it does.
        assert subprocess.run(command, env=environment(), capture_output=True, check=False).returncode == 0
        assert len({result["id"] for result in results(target)}) == len(results(target)) == 50
