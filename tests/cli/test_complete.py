"""`complete`: what it sends, what it prints, how it ends."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions import Stream
from anthropic_completions.models import CURRENT, lifecycle
from anthropic_completions.testing import (
    StandIn,
    completion,
    drop_after,
    error,
    overloaded,
    raw,
    stall,
)
from cli.shell import LOADED, MODULE, Cli, Terminal, environment, kept_on_failure, piped

QUESTION = "How many toes do dogs have?"
TRANSCRIPT = "\n\nHuman: Name a colour.\n\nAssistant: It is"


def sent(stand_in: StandIn) -> dict[str, Any]:
    body: dict[str, Any] = stand_in.received[-1].json()
    return body


class TestSet:
    """`--set`, for any field of the request."""

    def test_sets_fields_as_json_or_as_text(self, cli: Cli, stand_in: StandIn) -> None:
        words = ["--set", "top_k=7", "--set", "model=claude-2.1", "--set", 'metadata={"user_id": "a"}']
        assert cli("complete", "--backend", "completions", *words, QUESTION).code == 0
        assert {name: sent(stand_in)[name] for name in ("top_k", "model", "metadata")} == {
            "top_k": 7,
            "model": "claude-2.1",
            "metadata": {"user_id": "a"},
        }

    @pytest.mark.parametrize(
        ("word", "told"),
        [
            ("seed=1", "expected NAME=VALUE with one of max_tokens_to_sample, metadata"),
            ("top_k", "got 'top_k'"),
            ("prompt=x", "got 'prompt=x'"),
            ("top_k=x", "top_k: expected an integer"),
        ],
    )
    def test_refuses_what_is_no_field(self, cli: Cli, stand_in: StandIn, word: str, told: str) -> None:
        ended = cli("complete", "--set", word, QUESTION)
        assert ended.code == 2
        assert told in " ".join(ended.err.split())
        assert not stand_in.received


class TestPrompt:
    """Which prompt is sent, and what is printed of the answer."""

    def test_plain_text_is_asked_as_a_question(self, cli: Cli, stand_in: StandIn) -> None:
        assert cli("complete", QUESTION) == (0, f"You said: {QUESTION}\n", "")
        assert sent(stand_in) == {
            "prompt": f"\n\nHuman: {QUESTION}\n\nAssistant:",
            "model": CURRENT,
            "max_tokens_to_sample": 256,
            "stream": True,
        }

    @pytest.mark.parametrize("prompt", [TRANSCRIPT, TRANSCRIPT.lstrip(), f"Be brief.{TRANSCRIPT}"])
    def test_a_transcript_is_sent_and_continued_as_it_is(
        self, cli: Cli, stand_in: StandIn, prompt: str
    ) -> None:
        stand_in.queue(completion(" blue.\n"))
        assert cli("complete", prompt).out == " blue.\n"
        assert sent(stand_in)["prompt"] == prompt

    @pytest.mark.parametrize("arguments", [[], ["-"]])
    def test_it_is_read_from_standard_input(self, cli: Cli, stand_in: StandIn, arguments: list[str]) -> None:
        cli("complete", *arguments, stdin="Grüße\n\nzwei\n".encode())
        assert sent(stand_in)["prompt"] == "\n\nHuman: Grüße\n\nzwei\n\nAssistant:"

    def test_an_empty_one_is_refused(self, cli: Cli, stand_in: StandIn) -> None:
        done = cli("complete", stdin=b"\n")
        assert (done.code, done.out) == (2, "")
        assert done.err == "Error: The prompt is empty. (see anthropic-completions complete --help)\n"

    def test_one_that_is_no_text_is_refused(self, cli: Cli, stand_in: StandIn) -> None:
        assert cli("complete", stdin=b"\xff").code == 2


CRLF = TRANSCRIPT.replace("\n", "\r\n")


class TestWhatLooksLikeATranscript:
    """It is one, or is refused unless an option says what it is."""

    @pytest.mark.parametrize(
        ("prompt", "says"),
        [
            (
                CRLF,
                "Human: at position 4 of 45 begins no turn, as the line ends are CRLF and not LF; --plain",
            ),
            ("\n\nHuman: A\nAssistant:", "Assistant: at position 11 of 21 begins no turn, as no blank line"),
            ("\nHuman: A\n\nAssistant:", "Human: at position 1 of 21 begins no turn, as no blank line"),
            (
                "\n\n  Human: A\n\n  Assistant:",
                "Human: at position 4 of 26 begins no turn, as it is in",
            ),
            ("\n\nHuman: A", 'must end with "\\n\\nAssistant:" turn (at position 10 of 10)'),
            ("Human: A", 'must end with "\\n\\nAssistant:" turn (at position 8 of 8)'),
            ("\n\nHuman: A\n\nAssistant: B\n\nHuman: C", "must end with"),
            ("Assistant: A\n\nHuman: B", "Assistant: at position 0 of 22 begins no turn"),
        ],
    )
    def test_what_is_none_is_refused_with_position_and_reason(
        self, cli: Cli, stand_in: StandIn, prompt: str, says: str
    ) -> None:
        done = cli("complete", stdin=prompt.encode())
        assert (done.code, done.out, stand_in.received) == (2, "", [])
        assert says in done.err
        assert "--plain asks it as a question, --transcript takes it as it is" in done.err

    @pytest.mark.parametrize("prompt", ["What does Human: mean?", "A human: B", "x\nHumans: many"])
    def test_what_only_names_a_role_is_a_question(self, cli: Cli, stand_in: StandIn, prompt: str) -> None:
        assert cli("complete", prompt).code == 0
        assert sent(stand_in)["prompt"] == f"\n\nHuman: {prompt}\n\nAssistant:"

    def test_plain_asks_it_as_a_question(self, cli: Cli, stand_in: StandIn) -> None:
        assert cli("complete", "--plain", TRANSCRIPT).code == 0
        assert sent(stand_in)["prompt"] == f"\n\nHuman: {TRANSCRIPT}\n\nAssistant:"

    def test_transcript_takes_it_as_it_is(self, cli: Cli, stand_in: StandIn) -> None:
        done = cli("complete", "--transcript", "\n\nHuman: A")
        assert (done.code, "must end with" in done.err) == (1, True)
        assert stand_in.received[-1].json()["prompt"] == "\n\nHuman: A"

    @pytest.mark.parametrize("prompt", [TRANSCRIPT, TRANSCRIPT.lstrip()])
    def test_system_text_stands_before_its_first_turn(self, cli: Cli, stand_in: StandIn, prompt: str) -> None:
        assert cli("complete", "--system", "Be brief.", prompt).code == 0
        assert sent(stand_in)["prompt"] == f"Be brief.{TRANSCRIPT}"

    def test_system_text_stands_before_a_question(self, cli: Cli, stand_in: StandIn) -> None:
        assert cli("complete", "--system", "Be brief.", "Hi").out == "You said: Hi\n"
        assert sent(stand_in)["prompt"] == "Be brief.\n\nHuman: Hi\n\nAssistant:"

    def test_two_system_texts_are_refused(self, cli: Cli, stand_in: StandIn) -> None:
        done = cli("complete", "--system", "Be brief.", f"Be long.{TRANSCRIPT}")
        assert (done.code, stand_in.received) == (2, [])
        assert "has text before its first turn already" in done.err


class TestToday:
    """By default it is answered by a service that retires old models and serves the others by Messages."""

    def test_a_question_is_answered(self, cli: Cli, today: StandIn) -> None:
        assert cli("complete", QUESTION) == (0, f"You said: {QUESTION}\n", "")
        assert [one.path for one in today.received] == ["/v1/complete", "/v1/messages"]

    def test_the_default_model_is_no_deprecated_one(self) -> None:
        assert lifecycle(CURRENT).status == "active"

    def test_the_help_names_model_and_backend(self, cli: Cli) -> None:
        told = " ".join(cli("complete", "--help").out.split())
        assert f"[default: {CURRENT}]" in told
        assert "default: auto" in told

    @pytest.mark.filterwarnings("always")
    def test_a_loss_is_told_or_refused(self, cli: Cli, today: StandIn) -> None:
        done = cli("complete", "-t", "0.5", QUESTION)
        assert (done.code, done.out) == (0, f"You said: {QUESTION}\n")
        assert "temperature: It is left out" in done.err
        assert cli("complete", "-t", "0.5", "--on-loss", "drop", QUESTION).err == ""
        refused = cli("complete", "-t", "0.5", "--on-loss", "error", QUESTION)
        assert (refused.code, refused.out) == (1, "")

    def test_the_environment_chooses_the_backend(
        self, cli: Cli, today: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_COMPLETIONS_BACKEND", "messages")
        assert cli("complete", QUESTION).code == 0
        assert [one.path for one in today.received] == ["/v1/messages"]
        monkeypatch.setenv("ANTHROPIC_COMPLETIONS_BACKEND", "old")
        done = cli("complete", QUESTION)
        assert done.code == 2
        assert "ANTHROPIC_COMPLETIONS_BACKEND" in done.err

    @pytest.mark.filterwarnings("always")
    def test_a_model_is_mapped(self, cli: Cli, today: StandIn) -> None:
        done = cli("complete", "-m", "claude-2.1", "--map", "claude-*=claude-opus-4-8", QUESTION)
        assert (done.code, done.out) == (0, f"You said: {QUESTION}\n")
        assert "Warning: the model 'claude-opus-4-8' is asked for in place of 'claude-2.1'" in done.err

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["-m", "claude-2.1"], "--map claude-2.1="),
            (["--backend", "completions"], "--backend messages"),
        ],
    )
    def test_a_refusal_says_which_option_helps(
        self, cli: Cli, today: StandIn, options: list[str], says: str
    ) -> None:
        done = cli("complete", *options, QUESTION)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert says in done.err

    def test_a_beginning_is_asked_for_in_words(self, cli: Cli, today: StandIn) -> None:
        today.queue(*[completion(" It is blue.")] * 2)
        options = ["--backend", "messages", "--on-loss", "drop", "--prefill", "instruct"]
        assert cli("complete", *options, TRANSCRIPT).out == " blue.\n"

    @pytest.mark.parametrize("stream", [[], ["--no-stream"]])
    def test_models_that_always_think_have_room_for_text(
        self, cli: Cli, today: StandIn, stream: list[str]
    ) -> None:
        options = ["-m", "claude-opus-5-5", "--on-loss", "drop", "-n", "5", *stream]
        assert cli("complete", *options, QUESTION).out.startswith("You said: How many")
        done = cli("complete", *options, "--thinking-room", "0", QUESTION)
        assert (done.code, done.out) == (1, "")
        assert "thinking" in done.err

    def test_a_time_limit_holds(self, cli: Cli, today: StandIn) -> None:
        today.queue(*[stall(2)] * 3)
        done = cli("complete", "--timeout", "0.05", "--backend", "messages", QUESTION)
        assert (done.code, done.out) == (1, "")
        assert "timed out" in done.err


class TestOptions:
    """What options send and print."""

    def test_options_are_arguments_of_the_request(self, cli: Cli, stand_in: StandIn) -> None:
        words = "-m claude-2 -n 9 --stop END --stop \n -t 0.5 --top-p 0.5 --top-k 3 --beta a-1 --beta b-2"
        assert cli("complete", *words.split(" "), "--no-stream", "Hi").code == 0
        assert sent(stand_in) == {
            "prompt": "\n\nHuman: Hi\n\nAssistant:",
            "model": "claude-2",
            "max_tokens_to_sample": 9,
            "stop_sequences": ["END", "\n"],
            "temperature": 0.5,
            "top_p": 0.5,
            "top_k": 3,
        }
        assert stand_in.received[-1].betas == ["a-1", "b-2"]

    @pytest.mark.parametrize("stream", [[], ["--no-stream"]])
    def test_json_is_the_whole_completion_on_one_line(
        self, cli: Cli, stand_in: StandIn, stream: list[str]
    ) -> None:
        done = cli("complete", "--json", *stream, "Hi")
        assert done.out.count("\n") == 1
        shown = json.loads(done.out)
        assert shown["completion"] == " You said: Hi"
        assert (shown["stop_reason"], shown["model"]) == ("stop_sequence", CURRENT)

    @pytest.mark.parametrize(
        "words",
        [
            "--top-k -1 x",
            "--top-p 2 x",
            "--backend old x",
            "--timeout 0 x",
            "--on-loss cry x",
            "--max-tokens 0 x",
            "--max-tokens many x",
            "--temperature 2 x",
            "--beta a,b x",
            "--nope x",
            "a b",
        ],
    )
    def test_a_wrong_option_is_refused_on_one_line(self, cli: Cli, stand_in: StandIn, words: str) -> None:
        done = cli("complete", *words.split())
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Error: ")
        assert done.err.count("\n") == 1
        assert not stand_in.received


class TestShowRequest:
    """`--show-request`: the same request as a curl command."""

    def test_nothing_is_sent_and_no_key_is_shown(self, cli: Cli, stand_in: StandIn) -> None:
        done = cli("complete", "--show-request", "Hi")
        assert done.code == 0
        assert done.out.startswith("curl ")
        assert '"x-api-key: $ANTHROPIC_API_KEY"' in done.out
        assert "sk-test-key" not in done.out
        assert not stand_in.received

    def test_no_key_is_needed(self, cli: Cli) -> None:
        done = cli("complete", "--show-request", "Hi")
        assert (done.code, done.err) == (0, "")

    @pytest.mark.parametrize(
        ("options", "path"),
        [
            ([], "messages"),
            (["-m", "claude-2.1"], "complete"),
            (["--backend", "completions"], "complete"),
            (["-m", "claude-2.1", "--backend", "messages"], "messages"),
        ],
    )
    def test_it_is_the_request_that_is_answered(self, cli: Cli, options: list[str], path: str) -> None:
        assert (
            f"https://api.anthropic.com/v1/{path} " in cli("complete", "--show-request", *options, "Hi").out
        )

    def test_a_token_and_headers_that_may_be_secret_are_not_shown(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "secret-token")
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-gateway-key: secret-2\nx-plain: shown")
        done = cli("complete", "--show-request", "Hi")
        assert '"authorization: Bearer $ANTHROPIC_AUTH_TOKEN"' in done.out
        assert "x-plain: shown" in done.out
        assert "secret-token" not in done.out
        assert "secret-2" not in done.out

    @pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
    @pytest.mark.parametrize("stream", [[], ["--no-stream"]])
    def test_the_command_works(self, cli: Cli, stand_in: StandIn, stream: list[str]) -> None:
        text = 'it\'s "quoted" $HOME `x` \\ ünïcode \n two @lines'
        options = ["--backend", "completions", "--beta", "a-1", *stream]
        shown = cli("complete", "--show-request", *options, text)
        cli("complete", *options, text)
        done = subprocess.run(["sh", "-c", shown.out], capture_output=True, encoding="utf-8", check=True)
        ours, curls = stand_in.received
        assert curls.body == ours.body
        assert curls.betas == ours.betas == ["a-1"]
        assert curls.headers["x-api-key"] == "sk-test-key"
        assert "You" in done.stdout
        assert ("event: completion" in done.stdout) == (not stream)


class TestFailures:
    """What has come stays; then one line and a code; never a traceback."""

    @pytest.mark.parametrize(
        ("script", "says"),
        [
            (error(400, message="No\nsuch thing."), "400 invalid_request_error: No such thing."),
            (error(402), "402 billing_error: Billing"),
            (raw(b"<html>"), "no completion|markup"),
        ],
    )
    @pytest.mark.parametrize("options", [[], ["--no-stream"], ["--json"]])
    def test_an_error_is_one_line(
        self, cli: Cli, stand_in: StandIn, script: Any, says: str, options: list[str]
    ) -> None:
        stand_in.queue(*[script] * 3)
        done = cli("complete", *options, "Hi")
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("Error: ")
        assert done.err.count("\n") == 1
        assert any(part in done.err for part in says.split("|"))

    @pytest.mark.parametrize("script", [drop_after(2), overloaded(after_chunks=2)], ids=repr)
    def test_what_came_before_is_kept(self, cli: Cli, stand_in: StandIn, script: Any) -> None:
        stand_in.queue(script, script)
        done = cli("complete", "Hi")
        assert (done.code, done.out) == (1, "You said:\n")
        assert done.err.startswith("Error: ")
        done = cli("complete", "--json", "Hi")
        assert (done.code, json.loads(done.out)["completion"]) == (1, " You said:")
        assert json.loads(done.out)["stop_reason"] is None

    def test_ctrl_c_keeps_json_too(
        self, cli: Cli, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(stream: Stream[Any]) -> None:
            next(stream)
            next(stream)
            raise KeyboardInterrupt

        monkeypatch.setattr(Stream, "get_final_completion", interrupted)
        done = cli("complete", "--json", "Hi")
        assert (done.code, done.err) == (130, "")
        assert json.loads(done.out)["completion"] == " You said:"

    def test_ctrl_c_ends_the_line(self, cli: Cli, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(_: Any) -> Iterator[str]:
            yield "So"
            raise KeyboardInterrupt

        monkeypatch.setattr(Stream, "text_stream", property(interrupted))
        assert cli("complete", "Hi") == (130, "So\n", "")

    def test_ctrl_c_before_anything_has_come(
        self, cli: Cli, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("anthropic_completions.resources.completions.Completions.create", interrupted)
        for options in ([], ["--json"], ["--no-stream"]):
            done = cli("complete", *options, "Hi")
            assert (done.code, done.out, done.err.strip()) == (130, "", "")

    def test_a_missing_key_is_told(self, cli: Cli) -> None:
        done = cli("complete", "Hi")
        assert (done.code, done.out) == (2, "")
        assert "ANTHROPIC_API_KEY" in done.err

    def test_no_service_is_told(self, cli: Cli, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
        monkeypatch.setattr("time.sleep", lambda _: None)
        done = cli("complete", "Hi")
        assert done.code == 1
        assert done.err.startswith("Error: Connection error")


class TestInTerminal:
    """What only a terminal shows."""

    def test_ctrl_c_keeps_what_has_come(self, stand_in: StandIn, tmp_path: Path) -> None:
        stand_in.queue(stall(3600, after_chunks=2))
        terminal = Terminal([*MODULE, "complete", "Hi"], cwd=tmp_path, env=environment())
        with kept_on_failure(terminal.process):
            terminal.read_until("You said:")
            terminal.type("\x03")
            done = terminal.finish()
        assert done.code == 130
        assert done.out.replace("^C", "") == "You said:\n"

    def test_text_cannot_steer_the_terminal(self, stand_in: StandIn, tmp_path: Path) -> None:
        stand_in.queue(completion(" \x1b[31mred\x07\ttab\nline"))
        done = Terminal([*LOADED, "complete", "Hi"], cwd=tmp_path, env=environment()).finish()
        assert (done.code, done.out) == (0, "\ufffd[31mred\ufffd\ttab\nline\n")

    def test_the_limit_is_mentioned_when_it_is_reached(self, stand_in: StandIn, tmp_path: Path) -> None:
        command = [*LOADED, "complete", "-n", "1", "Hi"]
        done = Terminal(command, cwd=tmp_path, env=environment()).finish()
        assert done.out == "You\n(The limit of tokens was reached; --max-tokens sets it.)\n"

    def test_without_a_prompt_it_does_not_wait_for_one(self, stand_in: StandIn, tmp_path: Path) -> None:
        done = Terminal([*LOADED, "complete"], cwd=tmp_path, env=environment()).finish()
        assert done.code == 2
        assert "Missing argument 'PROMPT'" in done.out

    def test_the_prompt_can_be_typed(self, stand_in: StandIn, tmp_path: Path) -> None:
        terminal = Terminal([*LOADED, "complete", "-"], cwd=tmp_path, env=environment())
        with kept_on_failure(terminal.process):
            terminal.read_until("Ctrl-D")
            terminal.type("Hi\n\x04")
            done = terminal.finish()
        assert done.code == 0
        assert done.out.endswith("You said: Hi\n")


def test_a_reader_that_leaves_is_no_error(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.queue(completion(" word" * 30_000))  # more than a pipe holds
    command = f"{' '.join(MODULE)} complete Hi | head -c 5"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert (done.stdout, done.stderr) == ("word ", "")


def test_text_that_the_output_cannot_show_is_replaced(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.queue(completion(" 字"))
    env = environment(PYTHONIOENCODING="latin-1")
    assert piped([*MODULE, "complete", "Hi"], cwd=tmp_path, env=env) == (0, "?\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="arguments that are no text are a Unix matter")
def test_an_argument_that_is_no_text_is_refused(stand_in: StandIn, tmp_path: Path) -> None:
    command = [*MODULE, "complete", os.fsdecode(b"\xff")]
    done = piped(command, cwd=tmp_path, env=environment())
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


def test_without_credentials_the_variables_to_set_are_named(cli: Cli) -> None:
    """Not the arguments of a client, which nobody passes at the command line."""
    done = cli("complete", "Hi")
    assert done.code != 0
    assert "set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN)" in done.err
    assert "api_key" not in done.err
