"""The file of results: whole lines, mended after a crash, never shared."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions._http.failures import parse_json
from anthropic_completions.cli._batch.requests import fingerprint
from anthropic_completions.cli._batch.results import ResultsFile
from anthropic_completions.testing import StandIn, completion, error, raw
from cli.batch.files import ask, ask_many, results
from cli.full import at_most_bytes_in_a_file
from cli.shell import Cli
from processes import started


class TestFile:
    """The file of results: whole lines, mended after a crash, never shared."""

    LINES = (b'{"id":"a","completion":{"completion":" \xc3\xbc"}}\n', b'{"id":2,"error":{"class":"X"}}\n')

    def test_a_torn_line_is_removed_wherever_it_is_torn(self, target: Path) -> None:
        first, second = self.LINES[1], self.LINES[0]
        for cut in range(1, len(second) - 1):
            target.write_bytes(first + second[:cut])
            with ResultsFile(target) as file:
                assert file.done == {2}
                file.append({"id": "b", "error": {}})
            assert target.read_bytes() == first + b'{"id":"b","error":{}}\n'

    def test_a_whole_line_that_lacks_its_newline_is_kept(self, target: Path) -> None:
        target.write_bytes(b"".join(self.LINES)[:-1])
        with ResultsFile(target) as file:
            assert file.done == {"a", 2}
            assert file.causes.total == 1
        assert target.read_bytes() == b"".join(self.LINES)

    @pytest.mark.parametrize(
        "content",
        [
            b'{"id":1,"prompt":"x"}\n',
            b'{"id":1,"prompt":"x"}',
            b"{}\n",
            b"text",
            b"\n",
            b'{"id":1,"err\n{"id":2,"error":{}}\n',
        ],
    )
    def test_another_file_is_refused_and_not_changed(self, target: Path, content: bytes) -> None:
        target.write_bytes(content)
        with pytest.raises(ValueError, match=r"out\.jsonl:1: this is no result"):
            ResultsFile(target, retry=(1, 2))
        assert target.read_bytes() == content

    def test_removing_failed_ones_is_all_or_nothing(
        self, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target.write_bytes(b"".join(self.LINES))

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                ResultsFile(target, retry=(1, 2))
        assert target.read_bytes() == b"".join(self.LINES)
        with ResultsFile(target, retry=(1, 2)) as file:
            assert (file.done, file.causes.total) == ({"a"}, 0)
            file.append({"id": 2, "error": {}})
        assert target.read_bytes() == self.LINES[0] + b'{"id":2,"error":{}}\n'

    @pytest.mark.parametrize("room", [0, 20, 60])
    def test_a_full_disk_loses_no_result_while_failed_ones_are_removed(self, target: Path, room: int) -> None:
        kept = b'{"id":"b","completion":{"completion":" Paid for."}}\n'
        whole = b"".join(self.LINES) + kept
        target.write_bytes(whole)
        with at_most_bytes_in_a_file(room), pytest.raises(OSError, match=r"no room|too large"):
            ResultsFile(target, retry=(1, 2))
        assert target.read_bytes() == whole
        assert [path for path in target.parent.iterdir() if path.name.endswith(".new")] == []
        with ResultsFile(target, retry=(1, 2)) as file:
            assert file.done == {"a", "b"}

    def test_only_one_process_writes(self, target: Path) -> None:
        with ResultsFile(target):
            with pytest.raises(OSError, match="another run is writing"):
                ResultsFile(target)
            with pytest.raises(OSError, match="another run is writing"):
                ResultsFile(target, retry=(1, 2))
        with ResultsFile(target):
            pass

    def test_a_killed_process_leaves_the_file_free(self, target: Path) -> None:
        """The lock ends with its process; what stays of it beside the file is empty."""
        code = (
            "import sys, time; from pathlib import Path; from anthropic_completions.cli._batch import results"
        )
        code += "; held = results.ResultsFile(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
        with started([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"held\n"
            with pytest.raises(OSError, match="another run is writing"):
                ResultsFile(target)
            process.kill()
        with ResultsFile(target):
            beside = [path for path in target.parent.iterdir() if path.name == f".{target.name}.lock"]
            assert [path.stat().st_size for path in beside] == [0]

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks the system for what is open")
    def test_no_file_is_open_that_is_replaced(self, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Windows refuses to replace one."""
        replace, opened = Path.replace, []

        def noting(self: Path, other: Path) -> Path:
            links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
            opened.extend(link for link in links if link in (str(self), str(other)))
            return replace(self, other)

        monkeypatch.setattr(Path, "replace", noting)
        target.write_bytes(b'{"id":1,"error":{}}\n{"id":2,"completion":{}}\n')
        with ResultsFile(target, retry=(1,)) as file:
            file.append({"id": 1, "completion": {}})
        assert opened == []
        assert target.read_bytes() == b'{"id":2,"completion":{}}\n{"id":1,"completion":{}}\n'

    def test_a_line_is_written_in_one_write(self, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        writes: list[bytes] = []
        write = os.write
        with ResultsFile(target) as file:
            monkeypatch.setattr(os, "write", lambda fd, data: (writes.append(data), write(fd, data))[1])
            file.append({"id": "é\u2028\n", "completion": {}})
        assert writes == ['{"id":"é\u2028\\n","completion":{}}\n'.encode()]

    def test_a_line_that_does_not_fit_is_taken_back(
        self, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target.write_bytes(self.LINES[0])
        write = os.write
        with ResultsFile(target) as file, monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda fd, data: write(fd, data[:5]))
            with pytest.raises(OSError, match="no room"):
                file.append({"id": 2, "completion": {}})
        assert target.read_bytes() == self.LINES[0]

    @pytest.mark.parametrize("end", [b"", b'{"id":3,"err', b'{"id":3,"error":{}}'])
    def test_zeros_at_the_end_are_removed(self, target: Path, end: bytes) -> None:
        """As a machine that lost power leaves them, where the last lines would have come."""
        target.write_bytes(self.LINES[0] + end + b"\0" * 4096)
        with ResultsFile(target) as file:
            file.append({"id": "b", "error": {}})
        whole = end + b"\n" if end.endswith(b"}}") else b""
        assert target.read_bytes() == self.LINES[0] + whole + b'{"id":"b","error":{}}\n'

    def test_zeros_inside_are_no_torn_end(self, target: Path) -> None:
        content = b"\0" * 16 + b"\n" + self.LINES[0]
        target.write_bytes(content)
        with pytest.raises(ValueError, match=r"out\.jsonl:1: this is no result"):
            ResultsFile(target)
        assert target.read_bytes() == content


class TestWhatTheServiceSends:
    """Whatever it is, its line can be read again."""

    @pytest.mark.parametrize(
        ("sent", "written"),
        [
            ("half \ud83d", b'"half \\ud83d"'),
            ({"\udc00": 1}, b'{"\\udc00":1}'),
            (float("inf"), b"1e999"),
            ([-float("inf"), 1.5, "Infinity"], b'[-1e999,1.5,"Infinity"]'),
            ("\x00\u2028é", '"\\u0000\u2028é"'.encode()),
        ],
    )
    def test_an_odd_value_is_read_as_it_was_sent(self, target: Path, sent: Any, written: bytes) -> None:
        with ResultsFile(target) as file:
            file.append({"id": 1, "completion": {"extra": sent}})
        assert target.read_bytes() == b'{"id":1,"completion":{"extra":' + written + b"}}\n"
        with ResultsFile(target) as file:
            assert file.done == {1}
        (line,) = target.read_bytes().splitlines()
        assert parse_json(line)["completion"]["extra"] == sent

    def test_what_no_json_holds_is_an_error_of_that_one(self, target: Path) -> None:
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        with ResultsFile(target) as file:
            file.append({"id": 1, "completion": {"extra": deep}})
        with ResultsFile(target) as file:
            assert file.done == {1}
            assert file.causes.total == 1

    @pytest.mark.parametrize(
        "body",
        [
            b'{"type":"completion","id":"c","completion":" \\ud83d","model":"m","stop_reason":"max_tokens"}',
            b'{"type":"completion","id":"c","completion":"a","model":"m","stop_reason":"max_tokens","x":1e999}',
        ],
    )
    def test_a_poisoned_reply_stops_nothing(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, body: bytes
    ) -> None:
        ask_many(source, 3)
        stand_in.queue(raw(body))
        assert cli("batch", str(source), str(target)).code == 0
        assert cli("batch", str(source), str(target)).out.startswith("3 requests: 0 completed, 0 failed, 3 ")
        assert len(stand_in.received) == 3


class TestFingerprints:
    """The same ids with other requests are not taken for done."""

    def done(self, cli: Cli, source: Path, target: Path) -> None:
        ask_many(source, 5)
        assert cli("batch", "-t", "0.5", str(source), str(target)).code == 0

    @pytest.mark.parametrize(
        "changed",
        [
            ["-t", "0.6"],
            ["-m", "claude-2", "-t", "0.5"],
            ["-t", "0.5", "--stop", "X"],
            ["-t", "0.5", "-n", "9"],
        ],
    )
    def test_other_settings_are_refused(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, changed: list[str]
    ) -> None:
        self.done(cli, source, target)
        before = target.read_bytes()
        done = cli("batch", *changed, str(source), str(target))
        assert done.code == 2
        assert "results of 'q-" in done.err
        assert "and 2 more for other requests" in done.err
        assert "--force-skip" in done.err
        assert target.read_bytes() == before
        assert len(stand_in.received) == 5

    def test_another_prompt_is_refused_and_another_order_is_not(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        self.done(cli, source, target)
        rows = source.read_text().splitlines(keepends=True)
        source.write_text("".join(reversed(rows)))
        assert cli("batch", "-t", "0.5", str(source), str(target)).code == 0
        source.write_text("".join(rows).replace("number 3", "number three"))
        done = cli("batch", "-t", "0.5", str(source), str(target))
        assert "results of 'q-3' for other requests" in done.err

    def test_force_skip_skips_them_by_their_ids(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        self.done(cli, source, target)
        assert cli("batch", "--force-skip", str(source), str(target)).code == 0
        assert len(stand_in.received) == 5

    def test_the_prompt_cannot_be_read_from_it(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"id": 1, "prompt": "a secret"})
        stand_in.queue(completion("Fine."))
        cli("batch", str(source), str(target))
        (result,) = results(target)
        assert len(result["fingerprint"]) == 24
        assert "secret" not in target.read_text()

    def test_files_of_earlier_versions_go_on_and_it_is_told_once(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 3)
        target.write_text(
            "".join(f'{{"id":"q-{number}","request_id":null,"completion":{{}}}}\n' for number in range(2))
        )
        done = cli("batch", str(source), str(target))
        assert done.code == 0
        assert "Note: 2 results" in done.err
        assert done.err.count("\n") == 1
        assert len(stand_in.received) == 1

    def test_a_failure_that_is_tried_again_may_be_of_another_request(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 1)
        stand_in.queue(error(422))
        assert cli("batch", str(source), str(target)).code == 1
        assert cli("batch", "-t", "0.1", str(source), str(target)).code == 2
        assert cli("batch", "-t", "0.1", "--retry-failed", str(source), str(target)).code == 0

    def test_numbers_count_by_their_value(self) -> None:
        assert fingerprint({"prompt": "x", "temperature": 1.0}) == fingerprint(
            {"temperature": 1, "prompt": "x"}
        )
        assert fingerprint({"prompt": "x", "top_k": 1}) != fingerprint({"prompt": "x", "top_k": 2})
