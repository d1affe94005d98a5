"""`--via batches`: each request in one batch, whenever it is killed, and every id exactly once."""

import itertools
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions.batch._service import steps
from anthropic_completions.testing import (
    Received,
    Scripted,
    StandIn,
    completion,
    drop,
    error,
    overloaded,
    raw,
)
from cli.batch.files import ask_many, lines_of, results
from cli.batch.hurried import hurry
from cli.batch.killing import kill, points
from cli.shell import Cli, environment

VIA = ("batch", "--via", "batches", "--model", "claude-haiku-4-5")
CREATE = "/v1/messages/batches"
HURRIED = "from anthropic_completions.cli import main; from cli.batch.hurried import hurry; hurry(); main()"
POISON = (
    b'{"type":"message","role":"assistant","id":"m","model":"m","content":[{"type":"text","text":"\\ud83d"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1e999,"output_tokens":1}}'
)


def created(stand_in: StandIn) -> list[str]:
    """Return the names of the requests of all batches that were created."""
    return [
        request["params"]["messages"][0]["content"]
        for batch in stand_in._batches._batches.values()
        for request in batch.requests
    ]


def submitted(stand_in: StandIn) -> int:
    """Return the number of requests of all batches that were created."""
    return sum(len(batch.requests) for batch in [*stand_in._batches._batches.values()])


@pytest.fixture(autouse=True)
def _no_batches(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in._batches._batches.clear()
    # Looks at a batch, and for one whose reply was lost, wait for real here.
    monkeypatch.setattr(steps, "_LOOKS_SECONDS", (0.0, 0.01))
    monkeypatch.setattr(steps, "poll_seconds", lambda looks: 0.01)


class TestRun:
    """A run from its beginning to its end."""

    def test_each_row_has_a_result(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask_many(source, 25)
        done = cli(*VIA, "--batch-size", "10", str(source), str(target))
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("25 requests: 25 completed, 0 failed, 0 done before;")
        assert {result["id"]: result["completion"]["completion"] for result in results(target)} == {
            f"q-{number}": f" You said: number {number}" for number in range(25)
        }
        assert len(stand_in._batches._batches) == 3
        assert not target.with_name("out.jsonl.batches").exists()
        assert cli(*VIA, str(source), str(target)).out.startswith("25 requests: 0 completed")
        assert len(created(stand_in)) == 25

    def test_what_failed_is_told_by_cause_and_tried_again(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 4)
        stand_in.queue(error(400, message="Odd."), drop(), overloaded(), completion(" Fine."))
        done = cli(*VIA, str(source), str(target))
        assert done.code == 1
        assert "1 failed with 400 invalid_request_error: Odd." in done.out
        assert "1 failed with expired: The batch expired" in done.out
        assert "of which 2 may pass now" in done.err
        by_id = {result["id"]: result for result in results(target)}
        assert by_id["q-0"]["error"] == {
            "class": "BatchRequestError",
            "outcome": "errored",
            "status": 400,
            "type": "invalid_request_error",
            "message": "Odd.",
        }
        assert cli(*VIA, "--retry-failed", str(source), str(target)).code == 0
        assert len(results(target)) == 4

    def test_a_poisoned_reply_is_kept(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask_many(source, 3)
        stand_in.queue(raw(POISON, headers={}))
        assert cli(*VIA, str(source), str(target)).code == 0
        assert cli(*VIA, str(source), str(target)).code == 0
        assert sorted(result["id"] for result in results(target)) == ["q-0", "q-1", "q-2"]

    def test_rows_go_through_and_prompts_without_counterpart_fail_alone(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        rows = [{"id": 1, "prompt": "one", "gold": "x"}, {"id": 2, "prompt": "\n\nHuman: \n\nAssistant:"}]
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert cli(*VIA, str(source), str(target)).code == 1
        by_id = {result["id"]: result for result in results(target)}
        assert by_id[1]["row"] == {"gold": "x"}
        assert by_id[2]["error"]["class"] == "UntranslatablePromptError"

    def test_a_refused_key_is_told(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        ask_many(source, 2)
        stand_in._respond = lambda received: error(401, message="invalid x-api-key")
        done = cli(*VIA, str(source), str(target))
        stand_in._respond = None
        assert done.code == 1
        assert "401 authentication_error: invalid x-api-key" in done.err
        assert cli(*VIA, str(source), str(target)).code == 0
        assert len(created(stand_in)) == 2

    def test_the_dry_run_tells_what_messages_loses(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 3)
        done = cli(*VIA[:3], "--dry-run", "-m", "claude-opus-4-8", "-t", "0.5", str(source), str(target))
        assert "3 would lose something by sampling_refused: " in done.out
        assert not stand_in.received


class TestGoesOn:
    """A run that ended early goes on, and submits nothing twice."""

    @pytest.mark.parametrize("when", ["posting", "submitted", "planned"])
    def test_after_a_stop_at_each_step(
        self,
        cli: Cli,
        stand_in: StandIn,
        source: Path,
        target: Path,
        monkeypatch: pytest.MonkeyPatch,
        when: str,
    ) -> None:
        from anthropic_completions.cli._batch.journal import Journal

        ask_many(source, 7)
        write = Journal._write

        def killed(self: Journal, part: Any, event: str, **more: Any) -> None:
            if event == when:
                raise KeyboardInterrupt
            write(self, part, event, **more)

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "_write", killed)
            assert cli(*VIA, "--batch-size", "3", str(source), str(target)).code == 130
        assert cli(*VIA, "--batch-size", "3", str(source), str(target)).code == 0
        assert Counter(created(stand_in)) == Counter(f"number {number}" for number in range(7))
        assert len(results(target)) == 7

    def test_a_lost_reply_submits_nothing_twice(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        ask_many(source, 5)
        lost = [drop()]
        stand_in._respond = lambda received: (
            lost.pop() if received.path == CREATE and received.method == "POST" and lost else None
        )
        assert cli(*VIA, str(source), str(target)).code == 0
        stand_in._respond = None
        assert len(created(stand_in)) == 5

    def test_a_batch_of_somebody_else_with_as_many_requests_is_found_out(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It came after ours was to be sent, and ours was not: its results tell, and ours is sent then."""
        from anthropic_completions.batch import submit_batch
        from anthropic_completions.cli._batch.journal import Journal

        ask_many(source, 1)
        posting = Journal.posting

        def killed(self: Journal, part: Any) -> None:
            posting(self, part)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Journal, "posting", killed)
            assert cli(*VIA, str(source), str(target)).code == 130
        with stand_in.client() as client:
            request = {"id": 1, "prompt": "\n\nHuman: theirs\n\nAssistant:"}
            submit_batch(client, [request], model="claude-haiku-4-5", max_tokens_to_sample=9)
        assert cli(*VIA, str(source), str(target)).code == 0
        assert sorted(created(stand_in)) == ["number 0", "theirs"]
        assert [result["completion"]["completion"] for result in results(target)] == [" You said: number 0"]

    def test_a_changed_prompt_is_refused_while_it_is_in_a_batch(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        self.submitted(cli, stand_in, source, target)
        source.write_text(source.read_text().replace("number 1", "number one"))
        done = cli(*VIA, str(source), str(target))
        assert done.code == 2
        assert "'q-1' for other requests" in done.err

    def submitted(self, cli: Cli, stand_in: StandIn, source: Path, target: Path) -> None:
        """Leave a batch that is submitted and not collected."""
        ask_many(source, 3)
        stand_in._respond = lambda received: (
            error(403) if received.path.startswith(f"{CREATE}/") and received.method == "GET" else None
        )
        assert cli(*VIA, str(source), str(target)).code == 1
        stand_in._respond = None

    def test_calls_do_not_do_what_is_in_a_batch(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        self.submitted(cli, stand_in, source, target)
        done = cli("batch", "--model", "claude-haiku-4-5", str(source), str(target))
        assert done.code == 2
        assert "--via batches goes on with them" in done.err

    def test_cancel_keeps_what_is_done(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.submitted(cli, stand_in, source, target)
        (batch,) = stand_in._batches._batches.values()
        batch.seconds = 10_000
        batch.created_at -= 5000
        done = cli(*VIA, "--cancel", str(source), str(target))
        assert done.code == 1
        assert "3 requests: 2 completed, 1 failed" in done.out
        assert "1 failed with canceled: " in done.out
        assert not target.with_name("out.jsonl.batches").exists()
        assert cli(*VIA, "--retry-failed", str(source), str(target)).code == 0
        assert len(results(target)) == 3

    def test_results_that_are_gone_are_told(
        self, cli: Cli, stand_in: StandIn, source: Path, target: Path
    ) -> None:
        self.submitted(cli, stand_in, source, target)
        (batch,) = stand_in._batches._batches.values()
        batch.created_at -= 30 * 24 * 3600
        done = cli(*VIA, str(source), str(target))
        assert done.code == 1
        assert "results are kept for 29 days" in done.err
        assert len(created(stand_in)) == 3


@pytest.mark.timeout(300)
def test_killed_five_times_at_random_moments_nothing_is_submitted_twice(source: Path, target: Path) -> None:
    """With poisoned replies, and a second process that is started at once and must not take part."""

    def respond(received: Received) -> Scripted | None:
        if received.path != "/v1/messages":
            return None
        asked = received.json()["messages"][0]["content"]
        if asked.endswith("7"):
            return error(400, message="Never.")
        return raw(POISON, headers={}) if asked.endswith("3") else None

    ask_many(source, 1000)
    arguments = [*VIA, "--batch-size", "100", str(source), str(target)]
    stand_in = StandIn(respond=respond, keep=0)
    # What was submitted, and what is fetched of it.
    moments = points(random.Random(), 2 * 900)
    with stand_in.serve() as url:
        env = environment(ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY="k")
        runs = [
            kill(
                arguments,
                env,
                lambda moment=moment: submitted(stand_in) + lines_of(target) >= moment,
                beside=True,
                first=hurry,
            )
            for moment in moments
        ]
        command = [sys.executable, "-W", "error", "-c", HURRIED, *arguments]
        env["PYTHONPATH"] = os.pathsep.join(sys.path)
        last = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False)
    assert sum(run.killed for run in runs) >= 4, moments  # the last results come at once
    assert any(run.refused for run in runs)
    assert last.returncode == 1, last.stderr  # as some failed
    assert Counter(created(stand_in)) == Counter(f"number {number}" for number in range(1000))
    done = results(target)
    assert Counter(result["id"] for result in done) == Counter(f"q-{number}" for number in range(1000))
    assert Counter("error" in result for result in done) == {True: 100, False: 900}


def test_2000_requests_with_failures_of_each_kind_are_each_done_once(
    cli: Cli, stand_in: StandIn, source: Path, target: Path
) -> None:
    """5 % each of errored, expired, overloaded, refused and poisoned ones, and broken submissions."""
    kinds = [
        error(400),
        drop(),
        overloaded(),
        completion("", stop_reason="refusal"),
        raw(POISON, headers={}),
    ]
    number, lost = itertools.count(), [drop(), error(500), drop()]

    def respond(received: Received) -> Scripted | None:
        if received.path == "/v1/messages":
            place = next(number) * 7 % 20
            return kinds[place] if place < len(kinds) else None
        return lost.pop() if received.path == CREATE and received.method == "POST" and lost else None

    ask_many(source, 2000)
    stand_in._respond = respond
    done = cli(*VIA, "--batch-size", "500", str(source), str(target))
    stand_in._respond = None
    assert done.code == 1
    assert "2000 requests: 1600 completed, 400 failed" in done.out
    assert Counter(result["id"] for result in results(target)) == Counter(f"q-{one}" for one in range(2000))
    assert len(created(stand_in)) == 2000
