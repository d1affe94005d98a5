"""Failures by cause, when a run stops, and what is suggested then."""

import itertools
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions.cli._batch.progress import Progress
from anthropic_completions.cli._batch.tally import Causes, Tally
from anthropic_completions.testing import (
    Received,
    Scripted,
    StandIn,
    completion,
    error,
    overloaded,
    rate_limited,
    stall,
)
from cli.batch.files import ask, ask_many, lines_of, results
from cli.forked import default_signals
from cli.shell import MODULE, Cli, environment, kept_on_failure


class TestCauses:
    """Failures are told by cause."""

    def test_each_cause_has_a_count_and_a_message(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 4)
        stand_in.queue(
            error(422, message="First."), error(422, message="Second."), error(400, message="Odd.")
        )
        done = cli("batch", "-c", "1", str(source), str(target))
        lines = done.out.splitlines()
        assert lines[1].startswith("2 failed with 422 invalid_request_error: First.")
        assert lines[2].startswith("1 failed with 400 invalid_request_error: Odd.")

    def test_failures_of_earlier_runs_are_among_them(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 2)
        stand_in.queue(error(422))
        cli("batch", str(source), str(target))
        assert "1 failed with 422" in cli("batch", str(source), str(target)).out

    @pytest.mark.parametrize(
        ("reply", "hint"), [(overloaded(), True), (error(400), False), (error(413), False)]
    )
    def test_a_retry_is_suggested_where_it_can_help(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, reply: Scripted, hint: bool
    ) -> None:
        ask_many(source, 1)
        stand_in.queue(reply)
        done = cli("batch", "--max-retries", "0", str(source), str(target))
        assert done.code == 1
        assert ("--retry-failed" in done.err) is hint

    def test_a_long_message_is_shortened(self) -> None:
        causes = Causes()
        causes.add({"class": "X", "message": "a\n" * 1000})
        (line,) = causes.lines()
        assert len(line) < 250
        assert line.endswith(" …")

    @pytest.mark.parametrize("told", [None, [], {}, {"class": None}])
    def test_an_error_in_another_form_is_counted(self, told: Any) -> None:
        causes = Causes()
        causes.add(told)
        assert causes.total == 1


class TestStops:
    """A run stops at the first failure that all other requests would share."""

    @pytest.mark.parametrize(
        "reply",
        [
            error(401, message="invalid x-api-key"),
            error(402, message="Pay."),
            error(403, message="Not you."),
            error(404, message="model: claude-2.1"),
            error(
                400, message='"claude-2.1" is not supported on this API. Please use the Messages API instead.'
            ),
        ],
        ids=repr,
    )
    def test_it_stops_says_why_and_goes_on_later(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, reply: Scripted
    ) -> None:
        ask_many(source, 20)
        stand_in.queue(completion("Fine."), *itertools.repeat(reply, 30))
        done = cli("batch", "-c", "1", str(source), str(target))
        stand_in.queued.clear()
        assert done.code == 1
        assert "Stopped, as all that is left would fail: " in done.err
        assert "--keep-going" in done.err
        assert "20 requests: 1 completed, 0 failed, 0 done before, 19 not done;" in done.out
        assert len(results(target)) == 1
        assert len(stand_in.received) <= 3
        # What failed has no result: the same command does it.
        assert cli("batch", str(source), str(target)).code == 0
        assert len({result["id"] for result in results(target)}) == len(results(target)) == 20

    def test_keep_going_goes_on(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask_many(source, 5)
        stand_in.queue(error(402))
        done = cli("batch", "--keep-going", str(source), str(target))
        assert done.code == 1
        assert "5 requests: 4 completed, 1 failed" in done.out

    def test_a_model_that_only_some_ask_for_stops_nothing(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask(source, {"id": 1, "prompt": "x", "model": "nothing"}, {"id": 2, "prompt": "x"})
        stand_in.queue(error(404, message="model: nothing"))
        done = cli("batch", "-c", "1", str(source), str(target))
        assert "2 requests: 1 completed, 1 failed" in done.out

    def test_no_connection_five_times_in_a_row_stops_it(
        self, cli: Cli, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask_many(source, 50)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
        done = cli("batch", "--max-retries", "0", str(source), str(target))
        assert done.code == 1
        assert "5 calls in a row had no connection" in done.err
        assert results(target) == []

    def test_fewer_calls_than_that_are_failures(
        self, cli: Cli, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask_many(source, 4)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
        done = cli("batch", "--max-retries", "0", str(source), str(target))
        assert "4 failed with APIConnectionError: Connection error" in done.out
        assert len(results(target)) == 4

    def test_sigterm_does_what_ctrl_c_does(self, stand_in: StandIn, source: Path, target: Path) -> None:
        def respond(received: Received) -> Scripted | None:
            return None

        ask_many(source, 50)
        stand_in.queue(*itertools.repeat(completion("Fine."), 10), *itertools.repeat(stall(3600), 40))
        command = [*MODULE, "batch", "-c", "4", str(source), str(target)]
        process = subprocess.Popen(
            command,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            preexec_fn=default_signals,
        )
        with kept_on_failure(process):
            while process.poll() is None and lines_of(target) < 10:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGTERM)
            out, err = process.communicate()
        stand_in.queued.clear()
        assert process.returncode == 130
        assert "50 requests: 10 completed, 0 failed, 0 done before, 40 not done;" in out
        assert err == "Interrupted; the same command goes on from here.\n"


class TestProgress:
    """What is shown meanwhile."""

    def tally(self, total: int = 100) -> tuple[Tally, list[float]]:
        now = [0.0]
        return Tally(total, before=0, now=lambda: now[0]), now

    def test_the_rate_is_that_of_the_last_minute_and_falls_while_nothing_comes(self) -> None:
        tally, now = self.tally()
        for _ in range(50):
            now[0] += 1.0
            tally.count({})
        assert tally.rate() == pytest.approx(1.0)
        assert tally.seconds_left() == pytest.approx(50)
        now[0] += 50
        assert tally.rate() == pytest.approx(10 / 60, rel=0.2)
        now[0] += 100
        assert tally.rate() == 0
        assert tally.seconds_left() is None

    def test_a_line_says_how_far_it_is_and_what_it_waits_for(self) -> None:
        tally, now = self.tally()
        now[0] = 10.0
        for _ in range(9):
            tally.count({})
        tally.count({"error": {"class": "OverloadedError", "status": 529, "type": "overloaded_error"}})
        progress = Progress(tally, "plain")
        assert progress.line() == (
            "10/100 done; 1.0 per second; about 90 s left; 1 failed (1 529 overloaded_error)"
        )
        progress.rate_limited(lambda: 41.2)
        assert progress.line().endswith("; rate limited, 41 s left")
        progress.rate_limited(lambda: 0.0)
        assert "rate limited" not in progress.line()

    @pytest.mark.parametrize(("style", "lines"), [("plain", 2), ("none", 0)])
    def test_a_line_comes_every_thirty_seconds(
        self, style: Any, lines: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) > 2:
                raise KeyError

        tally, _ = self.tally()
        steps = Progress(tally, style).lines(sleep)
        with pytest.raises(KeyError if lines else StopIteration):
            steps.send(None)
        assert capsys.readouterr().err.count("0/100 done; 0.0 per second\n") == lines
        assert slept == [30.0] * (lines + 1 if lines else 0)

    def test_without_a_terminal_there_are_lines(self) -> None:
        assert Progress(self.tally()[0], None).style == "plain"

    def test_a_wait_for_the_service_is_shown(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("anthropic_completions.cli._batch.progress.EVERY_SECONDS", 0.1)
        ask_many(source, 2)
        stand_in.queue(rate_limited(1))
        done = cli("batch", "-c", "1", str(source), str(target))
        assert "rate limited, 1 s left" in done.err


def test_certificates_that_cannot_be_used_end_a_run_before_any_row(
    cli: Cli, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.pem"
    damaged.write_bytes(b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(damaged))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    ask_many(source, 2)
    done = cli("batch", str(source), str(target))
    assert done.code == 2
    assert "SSL_CERT_FILE: expected where certificates can be read" in done.err
    assert target.read_bytes() == b""
