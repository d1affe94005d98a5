"""What a run leaves in its file and says, and what is checked before it."""

from pathlib import Path

import pytest

from anthropic_completions.cli._batch.requests import check
from anthropic_completions.testing import StandIn, error, rate_limited
from cli.batch.files import ask, ask_many, reading, results
from cli.shell import Cli


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
        stand_in.queue(error(422, message="No."))
        done = cli("batch", str(source), str(target))
        assert done.code == 1
        assert "0 completed, 1 failed" in done.out
        (result,) = results(target)
        assert result["request_id"] in result["error"].pop("message")
        assert result["error"] == {
            "class": "UnprocessableEntityError",
            "status": 422,
            "type": "invalid_request_error",
        }

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
        stand_in.queue(error(500, headers={"x-should-retry": "false"}))
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
        assert {*check(reading(source)).fingerprints} == {1, "1"}
