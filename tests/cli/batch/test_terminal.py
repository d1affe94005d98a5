"""What is shown in a terminal, and Ctrl-C."""

import itertools
import subprocess
from pathlib import Path

from anthropic_completions.testing import StandIn, completion, error, stall
from cli.batch.files import ask_many, results
from cli.shell import LOADED, MODULE, Terminal, environment, kept_on_failure


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
