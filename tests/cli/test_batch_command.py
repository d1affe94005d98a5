"""`batch`: every id exactly once, whatever fails and whenever it is killed."""

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions.cli._batch_run import Tally, check, run
from anthropic_completions.cli._results import ResultsFile
from anthropic_completions.testing import (
    Received,
    Scripted,
    StandIn,
    completion,
    drop,
    drop_after,
    error,
    overloaded,
    rate_limited,
    stall,
    truncate,
)
from cli.shell import MODULE, Cli, Terminal, environment, kept_on_failure

COMMON: dict[str, Any] = {"model": "claude-2.1", "max_tokens_to_sample": 256}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def ask(source: Path, *requests: dict[str, Any]) -> None:
    source.write_text("".join(json.dumps(request) + "\n" for request in requests), encoding="utf-8")


def ask_many(source: Path, count: int) -> None:
    ask(source, *({"id": f"q-{number}", "prompt": f"number {number}"} for number in range(count)))


def results(target: Path) -> list[dict[str, Any]]:
    """Return the results; every line must be whole."""
    text = target.read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


class TestResults:
    """What stands in the file, and what is said."""

    def test_each_line_has_a_result(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask(
            source,
            {"id": "a", "prompt": "one"},
            {"id": 7, "prompt": "\n\nHuman: two\n\nAssistant:", "model": "claude-2", "betas": ["b-1"]},
        )
        done = cli("batch", "-m", "claude-instant-1", str(source), str(target))
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("2 requests: 2 completed, 0 failed, 0 done before;")
        by_id = {result["id"]: result for result in results(target)}
        assert {key: result["completion"]["completion"] for key, result in by_id.items()} == {
            "a": " You said: one",
            7: " You said: two",
        }
        assert by_id["a"]["completion"]["model"] == "claude-instant-1.2"
        assert by_id[7]["completion"]["model"] == "claude-2.0"
        assert by_id["a"]["request_id"].startswith("req_")

    def test_a_failed_one_is_kept_with_its_error(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"id": 1, "prompt": "x"})
        stand_in.queue(error(402, message="Pay."))
        done = cli("batch", str(source), str(target))
        assert done.code == 1
        assert "0 completed, 1 failed" in done.out
        (result,) = results(target)
        assert result["request_id"] in result["error"].pop("message")
        assert result["error"] == {"class": "BillingError", "status": 402, "type": "billing_error"}

    def test_what_is_done_is_skipped(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask_many(source, 3)
        cli("batch", str(source), str(target))
        first = target.read_bytes()
        ask_many(source, 4)
        done = cli("batch", str(source), str(target))
        assert done.out.startswith("4 requests: 1 completed, 0 failed, 3 done before;")
        assert len(stand_in.received) == 4
        assert target.read_bytes().startswith(first)

    def test_failed_ones_are_tried_again_only_when_asked_for(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 3)
        stand_in.queue(error(402))
        assert cli("batch", "-c", "1", str(source), str(target)).code == 1
        again = cli("batch", str(source), str(target))
        assert again.code == 1
        assert "--retry-failed" in again.err
        assert len(stand_in.received) == 3
        assert cli("batch", "--retry-failed", str(source), str(target)).code == 0
        assert len(stand_in.received) == 4
        assert sorted(result["id"] for result in results(target)) == ["q-0", "q-1", "q-2"]
        assert all("completion" in result for result in results(target))

    def test_a_call_is_tried_again_as_often_as_is_said(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 1)
        stand_in.queue(*[rate_limited(0.001)] * 9)
        cli("batch", "--max-retries", "3", str(source), str(target))
        assert len(stand_in.received) == 4
        stand_in.queued.clear()

    def test_nothing_to_do_is_done(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        source.write_text("\n  \n")
        assert cli("batch", str(source), str(target)).code == 0
        assert results(target) == []


class TestChecks:
    """The whole file is checked before anything is sent or written."""

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("{", "2: this is no JSON"),
            ("[]", "2: expected an object"),
            ('{"prompt": "x"}', "2: id: expected text or an integer, got None"),
            ('{"id": 1.5, "prompt": "x"}', "2: id: "),
            ('{"id": true, "prompt": "x"}', "2: id: "),
            ('{"id": 2}', "2: prompt: "),
            ('{"id": 2, "prompt": ""}', "2: prompt: "),
            ('{"id": 2, "prompt": "x", "colour": "red"}', "2: colour: "),
            ('{"id": 2, "prompt": "x", "temperature": 2}', "2: temperature: "),
            ('{"id": 2, "prompt": "x", "stream": true}', "2: stream: "),
            ('{"id": 2, "prompt": "x", "betas": "b"}', "2: betas: "),
            ('{"id": 2, "prompt": "x", "betas": [1]}', "2: betas: "),
            ('{"id": 2, "prompt": "x", "betas": 1}', "2: betas: "),
            ('{"id": "a", "prompt": "x"}', "2: the id 'a' is that of line 1"),
        ],
    )
    def test_a_wrong_line_is_told(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, line: str, says: str
    ) -> None:
        source.write_text('{"id": "a", "prompt": "x"}\n' + line)
        done = cli("batch", str(source), str(target))
        assert (done.code, done.out) == (2, "")
        assert f"in.jsonl:{says}" in done.err
        assert done.err.count("\n") == 1
        assert not stand_in.received
        assert not target.exists()

    def test_a_missing_key_is_told_before_anything_is_written(
        self, cli: Cli, source: Path, target: Path
    ) -> None:
        ask_many(source, 1)
        done = cli("batch", str(source), str(target))
        assert done.code == 2
        assert "ANTHROPIC_API_KEY" in done.err
        assert not target.exists()

    def test_the_id_1_is_not_the_id_of_text(self, source: Path) -> None:
        ask(source, {"id": 1, "prompt": "x"}, {"id": "1", "prompt": "x"})
        assert check(source, COMMON) == {1, "1"}


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
            assert file.failed == 1
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
            assert (file.done, file.failed) == ({"a"}, 0)
            file.append({"id": 2, "error": {}})
        assert target.read_bytes() == self.LINES[0] + b'{"id":2,"error":{}}\n'

    def test_only_one_process_writes(self, target: Path) -> None:
        with ResultsFile(target):
            with pytest.raises(OSError, match="another run is writing"):
                ResultsFile(target)
            with pytest.raises(OSError, match="another run is writing"):
                ResultsFile(target, retry=(1, 2))
        with ResultsFile(target):
            pass

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


def test_2000_requests_with_failures_of_each_kind_are_each_done_once(source: Path, target: Path) -> None:
    """5 % of the attempts fail in each of eight ways, in no order."""
    kinds = [
        overloaded(),
        rate_limited(0.2),
        error(500),
        error(503, message="<html>"),
        drop(),
        drop_after(1),
        stall(10_000),
        error(402),  # which is not tried again
    ]
    chance = random.Random(6)

    def respond(_: Received) -> Scripted | None:
        number = chance.randrange(20)
        return kinds[number] if number < len(kinds) else None

    ask_many(source, 2000)
    stand_in = StandIn(respond=respond, keep=0)
    ids = check(source, COMMON)
    tally = Tally(len(ids), before=0, failed=0)

    async def main() -> None:
        with ResultsFile(target) as file:
            async with stand_in.async_client(max_retries=20) as client:
                await run(client, source, file, COMMON, 32, tally)

    asyncio.run(main())
    done = results(target)
    assert Counter(result["id"] for result in done) == Counter(ids)
    failed = [result["error"]["class"] for result in done if "error" in result]
    assert set(failed) == {"BillingError"}
    assert (tally.completed, tally.failed) == (2000 - len(failed), len(failed))
    assert 100 < len(failed) < 250
    for result in done:
        if "completion" in result:
            number = result["id"].removeprefix("q-")
            assert result["completion"]["completion"] == f" You said: number {number}"


def test_a_reply_cut_short_is_a_failure_of_that_one(
    cli: Cli, stand_in: StandIn, source: Path, target: Path
) -> None:
    ask_many(source, 2)
    stand_in.queue(truncate())
    cli("batch", "-c", "1", str(source), str(target))
    assert [next(iter(result.keys() - {"id", "request_id"})) for result in results(target)] == [
        "error",
        "completion",
    ]


@pytest.mark.timeout(300)
def test_killed_five_times_at_random_points_it_ends_with_the_same_results(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def respond(received: Received) -> Scripted | None:
        return error(400, message="Never.") if "7\n\nAssistant:" in received.json()["prompt"] else None

    ask_many(source, 2000)
    points = sorted(random.Random().sample(range(1, 1800), 5))
    command = [*MODULE, "batch", "--concurrency", "4", str(source), str(target)]
    killed = 0
    with StandIn(respond=respond, keep=0).serve() as url:
        env = environment(ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY="k")
        for point in points:
            process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            with kept_on_failure(process):
                while process.poll() is None and _lines(target) < point:
                    time.sleep(0.001)
                process.send_signal(signal.SIGKILL)
                _, told = process.communicate()
            killed += process.returncode == -signal.SIGKILL
            assert process.returncode == -signal.SIGKILL, (points, told)
        last = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False)
    assert killed == 5
    assert last.returncode == 1, last.stderr  # as some failed
    outcome = {
        result["id"]: result["completion"]["completion"]
        if "completion" in result
        else result["error"]["type"]
        for result in results(target)
    }
    assert len(results(target)) == 2000
    assert outcome == {
        f"q-{number}": "invalid_request_error" if number % 10 == 7 else f" You said: number {number}"
        for number in range(2000)
    }


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


class TestInTerminal:
    """The progress bar, and Ctrl-C."""

    def test_there_is_a_progress_bar_and_a_summary(
        self, stand_in: StandIn, source: Path, target: Path, tmp_path: Path
    ) -> None:
        ask_many(source, 5)
        stand_in.queue(error(402))
        command = [*MODULE, "batch", str(source), str(target)]
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
        assert real.read_text().startswith(f'{other}\n{{"id":1,"request_id":"')
