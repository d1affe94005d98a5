"""Fingerprints are of what is sent: the model of a map, the endpoint, and the settings of the bridge."""

import json
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions.testing import StandIn
from cli.batch.files import ask, ask_many, results
from cli.shell import Cli

SWITCHED = "sent in another way: --backend, --map, --prefill, --thinking-room"


@pytest.fixture
def done(cli: Cli, today: StandIn, source: Path, target: Path) -> StandIn:
    """Three requests, which were answered with the defaults."""
    ask_many(source, 3)
    assert cli("batch", str(source), str(target)).code == 0
    today.received.clear()
    return today


@pytest.mark.parametrize(
    "options",
    [
        ["--map", "claude-haiku-*=claude-haiku-4-5"],
        ["--backend", "completions"],
        ["--prefill", "instruct"],
        ["--thinking-room", "500"],
        ["--thinking-room", "500", "--via", "batches"],
        ["--thinking-room", "500", "--dry-run"],
    ],
)
def test_what_would_be_sent_in_another_way_is_refused(
    cli: Cli,
    done: StandIn,
    source: Path,
    target: Path,
    options: list[str],
) -> None:
    before = target.read_bytes()
    told = cli("batch", *options, str(source), str(target))
    assert (told.code, done.received, target.read_bytes()) == (2, [], before)
    assert all(words in told.err for words in ("'q-0'", "'q-1'", "'q-2'", SWITCHED, "--force-skip"))


@pytest.mark.parametrize(
    "options",
    [
        ["--backend", "auto"],
        ["--backend", "messages"],  # which is what served them
        ["--via", "batches"],
        ["--map", "claude-2.1=claude-opus-4-8"],  # which is about other models
        ["--timeout", "5"],
        ["--on-loss", "drop"],
    ],
)
def test_what_would_be_sent_in_the_same_way_goes_on(
    cli: Cli, done: StandIn, source: Path, target: Path, options: list[str]
) -> None:
    again = cli("batch", *options, str(source), str(target))
    assert (again.code, again.err) == (0, "")
    assert again.out.startswith("3 requests: 0 completed, 0 failed, 3 done before")
    assert done.received == []


def test_the_environment_counts_as_the_options_do(
    cli: Cli, done: StandIn, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_MODEL_MAP", "claude-haiku-5-5=claude-opus-4-8")
    told = cli("batch", str(source), str(target))
    assert told.code == 2
    assert SWITCHED in told.err


def test_a_map_counts_for_the_models_that_it_is_about(
    cli: Cli, today: StandIn, source: Path, target: Path
) -> None:
    ask(
        source,
        {"id": "a", "prompt": "A", "model": "claude-haiku-4-5"},
        {"id": "b", "prompt": "B", "model": "claude-sonnet-5-5"},
    )
    assert cli("batch", str(source), str(target)).code == 0
    told = cli("batch", "--map", "claude-sonnet-5-5=claude-opus-4-8", str(source), str(target))
    assert f"holds results of 'b' for requests that were {SWITCHED}" in told.err


def test_another_request_is_told_as_such(cli: Cli, done: StandIn, source: Path, target: Path) -> None:
    told = cli("batch", "-t", "0.5", "--prefill", "instruct", str(source), str(target))
    assert "for other requests, whose prompt, model or settings differ" in told.err


def test_batches_that_are_under_way_are_compared(
    cli: Cli, today: StandIn, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    ask_many(source, 3)
    with monkeypatch.context() as patched:
        patched.setattr("anthropic_completions.cli._batch.service.Service._collect_all", stop)
        assert cli("batch", "--via", "batches", str(source), str(target)).code == 130
    told = cli("batch", "--via", "batches", "--prefill", "instruct", str(source), str(target))
    assert told.code == 2
    assert SWITCHED in told.err
    assert cli("batch", "--via", "batches", str(source), str(target)).code == 0
    assert len(results(target)) == 3


def test_shorter_fingerprints_of_earlier_versions_are_compared_and_told_once(
    cli: Cli, done: StandIn, source: Path, target: Path
) -> None:
    lines = [json.dumps({**result, "fingerprint": result["fingerprint"][:16]}) for result in results(target)]
    target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    again = cli("batch", "--prefill", "instruct", str(source), str(target))
    assert again.code == 0
    assert again.err.startswith("Note: 3 results in ")
    assert again.err.count("\n") == 1
    told = cli("batch", "-t", "0.5", str(source), str(target))
    assert told.code == 2
    assert "for other requests, whose prompt" in told.err
