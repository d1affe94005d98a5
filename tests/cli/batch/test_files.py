"""Which files are taken, and what becomes of them."""

import os
from pathlib import Path

import pytest

from anthropic_completions.cli._batch.results import ResultsFile
from anthropic_completions.testing import StandIn
from cli.batch.files import ask
from cli.shell import Cli


class TestFiles:
    """Which files are taken, and what becomes of them."""

    @pytest.mark.parametrize("which", ["source", "target"])
    def test_a_pipe_cannot_be_read_twice(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, which: str
    ) -> None:
        ask(source, {"id": 1, "prompt": "one"})
        os.mkfifo(target.with_name("pipe"))
        pipe = str(target.with_name("pipe"))
        files = (pipe, str(target)) if which == "source" else (str(source), pipe)
        code, out, err = cli("batch", *files)
        assert (code, out) == (2, "")
        assert "pipe: expected a file" in err
        assert not stand_in.received

    def test_an_id_that_no_file_can_hold_is_refused_before_anything_is_sent(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        source.write_text('{"id": "\\ud800", "prompt": "one"}\n')
        code, _, err = cli("batch", str(source), str(target))
        assert code == 2
        assert "in.jsonl:1: id: expected text that UTF-8 has" in err
        assert not stand_in.received

    def test_a_target_nested_too_deeply_is_no_result(self, target: Path) -> None:
        target.write_text("[" * 100_000 + "\n")
        with pytest.raises(ValueError, match="this is no result"):
            ResultsFile(target)

    def test_retrying_keeps_links_rights_and_failures_of_other_requests(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        other = '{"id":"other","error":{}}'
        real = target.with_name("real.jsonl")
        real.write_text(f'{other}\n{{"id":1,"error":{{}}}}\n')
        real.chmod(0o600)
        target.symlink_to(real)
        ask(source, {"id": 1, "prompt": "one"})
        code, _, _ = cli("batch", "--retry-failed", str(source), str(target))
        assert code == 1  # the other one is still there
        assert target.is_symlink()
        assert real.stat().st_mode & 0o777 == 0o600
        assert real.read_text().startswith(f'{other}\n{{"id":1,"fingerprint":"')
