"""`batch` against a service that retires old models and serves the others by Messages."""

import json
import re
from pathlib import Path

import pytest

from anthropic_completions.testing import StandIn
from cli.batch.files import ask, results
from cli.shell import Cli


def texts(target: Path) -> dict[str, str]:
    return {one["id"]: one["completion"]["completion"] for one in results(target)}


def test_the_defaults_are_answered(cli: Cli, today: StandIn, source: Path, target: Path) -> None:
    ask(source, {"id": "a", "prompt": "Hi"}, {"id": "b", "prompt": "\n\nHuman: Ho\n\nAssistant:"})
    done = cli("batch", str(source), str(target))
    assert (done.code, done.err) == (0, "")
    assert texts(target) == {"a": " You said: Hi", "b": " You said: Ho"}


def test_a_retired_model_fails_unless_a_living_one_is_named(
    cli: Cli, today: StandIn, source: Path, target: Path
) -> None:
    ask(source, {"id": "a", "prompt": "Hi"})
    done = cli("batch", "-m", "claude-2.1", "--backend", "completions", str(source), str(target))
    assert (done.code, "model: claude-2.1" in done.err) == (1, True)


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(("on_loss", "code"), [("warn", 0), ("drop", 0), ("error", 1)])
def test_what_is_lost_is_told_or_is_the_error_of_the_request(
    cli: Cli, today: StandIn, source: Path, target: Path, on_loss: str, code: int
) -> None:
    ask(source, {"id": "a", "prompt": "Hi", "temperature": 0.5})
    done = cli("batch", "--backend", "messages", "--on-loss", on_loss, str(source), str(target))
    assert done.code == code
    assert ("temperature: It is left out" in done.err) == (on_loss == "warn")
    assert ("error" in results(target)[0]) == (on_loss == "error")


def test_options_of_requests_and_prompts_hold_for_all(
    cli: Cli, today: StandIn, source: Path, target: Path
) -> None:
    ask(source, {"id": "a", "prompt": "Human: Hi"})
    options = ["--plain", "--system", "Be brief.", "--top-k", "3", "-m", "claude-haiku-4-5"]
    assert cli("batch", "--backend", "messages", *options, str(source), str(target)).code == 0
    body = today.received[0].json()
    assert (body["system"], body["top_k"]) == ("Be brief.", 3)
    assert body["messages"] == [{"role": "user", "content": "Human: Hi"}]


def test_what_was_meant_as_a_transcript_is_told_with_its_line(
    cli: Cli, today: StandIn, source: Path, target: Path
) -> None:
    source.write_text('{"id": 1, "prompt": "A"}\n' + json.dumps({"id": 2, "prompt": "\n\nHuman: B"}) + "\n")
    done = cli("batch", str(source), str(target))
    assert (done.code, today.received) == (2, [])
    assert f"{source}:2: prompt must end with" in done.err
    assert "--plain asks it as a question" in done.err


def test_a_dry_run_tells_what_would_be_lost(cli: Cli, today: StandIn, source: Path, target: Path) -> None:
    ask(source, {"id": "a", "prompt": "Hi", "temperature": 0.5})
    assert (
        "1 would lose something by sampling_refused"
        in cli("batch", "--dry-run", str(source), str(target)).out
    )


def test_a_dry_run_judges_the_model_that_a_map_names(
    cli: Cli, today: StandIn, source: Path, target: Path
) -> None:
    ask(source, {"id": "a", "prompt": "Hi", "temperature": 0.5, "model": "claude-2.1"})
    words = ("batch", "--backend", "messages", "--dry-run")
    mapped = cli(*words, "--map", "claude-2.1=claude-haiku-5-5", str(source), str(target))
    assert "1 would lose something by sampling_refused" in mapped.out
    assert "sampling_refused" not in cli(*words, str(source), str(target)).out


@pytest.mark.parametrize(
    ("models", "map_", "losing"),
    [
        (["claude-2.1", "claude-haiku-5-5"], None, 1),
        (["claude-2.1"], "claude-2.1=claude-haiku-5-5", 1),
        (["my-model"], None, 1),
        (["claude-haiku-5-5"], "claude-haiku-5-5=claude-2.1", 0),
    ],
)
def test_a_dry_run_judges_each_request_by_the_endpoint_that_would_serve_it(
    cli: Cli, today: StandIn, source: Path, target: Path, models: list[str], map_: str | None, losing: int
) -> None:
    ask(source, *({"id": one, "prompt": "Hi", "stop_sequences": [" "], "model": one} for one in models))
    options = [] if map_ is None else ["--map", map_]
    told = cli("batch", "--backend", "auto", "--dry-run", *options, str(source), str(target)).out
    assert re.findall(r"^(\d+) would lose something", told, re.MULTILINE) == ([str(losing)] if losing else [])
