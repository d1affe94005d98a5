"""`convert`: which request it prints, what it tells of losses, how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions.messages import to_messages_request
from cli.shell import Cli

QUESTION = "How many toes do dogs have?"
TRANSCRIPT = "Be brief.\n\nHuman: Name a colour.\n\nAssistant: It is"


def printed(out: str) -> list[Any]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


class TestAPrompt:
    """From the command line or standard input."""

    def test_plain_text_is_a_question(self, cli: Cli) -> None:
        done = cli("convert", "--model", "claude-opus-4-8", QUESTION)
        assert (done.code, done.err) == (0, "")
        assert printed(done.out) == [
            {
                "model": "claude-opus-4-8",
                "max_tokens": 256,
                "messages": [{"role": "user", "content": QUESTION}],
                "stop_sequences": ["\n\nHuman:"],
            }
        ]

    @pytest.mark.parametrize("arguments", [[], ["-"]])
    def test_a_transcript_from_standard_input_is_taken_apart(self, cli: Cli, arguments: list[str]) -> None:
        done = cli("convert", "-m", "claude-haiku-4-5", *arguments, stdin=f"{TRANSCRIPT}\n".encode())
        (request,) = printed(done.out)
        assert request["system"] == "Be brief."
        assert request["messages"][-1] == {"role": "assistant", "content": "It is"}

    def test_the_options_are_those_of_complete(self, cli: Cli) -> None:
        options = ["--max-tokens", "9", "--stop", "END", "--temperature", "0.5", "--beta", "b-1"]
        (request,) = printed(cli("convert", "-m", "claude-haiku-4-5", *options, QUESTION).out)
        assert (request["max_tokens"], request["temperature"], request["betas"]) == (9, 0.5, ["b-1"])
        assert request["stop_sequences"] == ["END", "\n\nHuman:"]

    def test_system_text_and_the_form_are_taken_as_by_complete(self, cli: Cli) -> None:
        (request,) = printed(cli("convert", "-m", "claude-haiku-4-5", "--system", "Be brief.", "Hi").out)
        assert (request["system"], request["messages"][0]["content"]) == ("Be brief.", "Hi")
        done = cli("convert", "-m", "claude-haiku-4-5", "\n\nHuman: A")
        assert (done.code, "must end with" in done.err) == (2, True)
        (request,) = printed(cli("convert", "-m", "claude-haiku-4-5", "--plain", "Human: A").out)
        assert request["messages"] == [{"role": "user", "content": "Human: A"}]

    def test_options_of_the_way_are_taken_and_change_nothing(self, cli: Cli) -> None:
        ways = ["--backend", "completions", "--timeout", "5"]
        plain, with_ways = (cli("convert", "-m", "claude-haiku-4-5", *more, "Hi") for more in ([], ways))
        assert plain == with_ways

    @pytest.mark.parametrize(
        ("entries", "asked", "model"),
        [
            (["claude-2.1=claude-haiku-4-5"], "claude-2.1", "claude-haiku-4-5"),
            (["claude-*=claude-opus-4-8"], "claude-2", "claude-opus-4-8"),
            (["claude-*=claude-opus-4-8", "claude-2=claude-haiku-4-5"], "claude-2", "claude-haiku-4-5"),
            (["recommended"], "claude-instant-1.2", "claude-haiku-4-5-20251001"),
            (["recommended"], "claude-haiku-5-5", "claude-haiku-5-5"),
            (["claude-1=claude-haiku-4-5"], "claude-2.1", "claude-2.1"),
        ],
    )
    def test_a_model_is_mapped(self, cli: Cli, entries: list[str], asked: str, model: str) -> None:
        options = [word for entry in entries for word in ("--map", entry)]
        (request,) = printed(cli("convert", "-m", asked, *options, "Hi").out)
        assert request["model"] == model

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (["--map", "claude-2.1"], "--map: expected"),
            (["--map", "a=b", "--map", "b=a"], "--map: expected no circle"),
            (["--prefill", "keep"], "--prefill"),
            (["--thinking-room", "-1"], "--thinking-room"),
            (["--room", "-1"], "--room"),
        ],
    )
    def test_a_wrong_setting_is_refused(self, cli: Cli, options: list[str], says: str) -> None:
        done = cli("convert", "-m", "claude-2.1", *options, "Hi")
        assert (done.code, done.out) == (2, "")
        assert says in done.err

    def test_the_environment_has_settings_too(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ANTHROPIC_COMPLETIONS_MODEL_MAP", "claude-2.1=claude-opus-5-5")
        monkeypatch.setenv("ANTHROPIC_COMPLETIONS_THINKING_ROOM", "100")
        (request,) = printed(cli("convert", "-m", "claude-2.1", "-n", "5", "Hi").out)
        assert (request["model"], request["max_tokens"]) == ("claude-opus-5-5", 105)

    def test_a_prefill_can_be_asked_for_in_words(self, cli: Cli) -> None:
        options = ["-m", "claude-haiku-5-5", "--prefill"]
        (request,) = printed(cli("convert", *options, "instruct", TRANSCRIPT).out)
        assert request["messages"][-1]["role"] == "user"
        assert "It is" in request["messages"][-1]["content"]
        assert cli("convert", *options, "error", TRANSCRIPT).code == 2

    def test_a_model_has_to_be_named(self, cli: Cli) -> None:
        done = cli("convert", QUESTION)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Error: model: missing; --model names it")

    def test_a_prompt_that_has_no_counterpart_is_refused(self, cli: Cli) -> None:
        done = cli("convert", "-m", "claude-opus-4-8", "\n\nHuman:\n\nAssistant:")
        assert (done.code, done.out) == (2, "")
        assert "first Human turn is blank" in done.err


class TestLosses:
    """What a request cannot say."""

    def test_each_is_told_on_a_line_with_field_value_consequence_and_rule(self, cli: Cli) -> None:
        done = cli("convert", "-m", "claude-opus-4-8", "-t", "0.5", "--stop", " ", TRANSCRIPT)
        params = {
            "model": "claude-opus-4-8",
            "max_tokens_to_sample": 256,
            "prompt": TRANSCRIPT,
            "stop_sequences": [" "],
            "temperature": 0.5,
        }
        request, losses = to_messages_request(params)
        assert len(losses) == 3
        assert done.err.splitlines() == [str(loss) for loss in losses]
        assert printed(done.out) == [request]
        assert done.code == 0

    @pytest.mark.parametrize(("temperature", "code"), [("0.5", 1), ("1", 0)])
    def test_strict_exits_with_1_where_there_is_one(self, cli: Cli, temperature: str, code: int) -> None:
        done = cli("convert", "--strict", "-m", "claude-opus-4-8", "-t", temperature, QUESTION)
        assert done.code == code
        assert len(printed(done.out)) == 1

    def test_on_loss_says_what_becomes_of_them(self, cli: Cli) -> None:
        options = ["-m", "claude-opus-4-8", "-t", "0.5", "--on-loss"]
        done = cli("convert", *options, "drop", QUESTION)
        assert (done.code, done.err) == (0, "")
        done = cli("convert", *options, "error", QUESTION)
        assert (done.code, done.out) == (2, "")
        assert "sampling_refused" in done.err

    def test_it_is_told_once_where_they_cannot_be_judged(self, cli: Cli, source: Path) -> None:
        source.write_text('{"prompt": "A"}\n{"prompt": "B"}\n', encoding="utf-8")
        done = cli("convert", "-m", "my-gateways-model", "-f", str(source))
        assert (done.code, len(printed(done.out))) == (0, 2)
        told = "model: my-gateways-model: the contract does not list it; what it refuses is unknown."
        assert done.err == f"{source}:1: {told}\n"

    def test_one_of_a_file_is_told_with_its_line(self, cli: Cli, source: Path) -> None:
        source.write_text('{"prompt": "A"}\n\n{"prompt": "B", "top_k": 5}\n', encoding="utf-8")
        done = cli("convert", "-m", "claude-opus-4-8", "-f", str(source))
        assert len(printed(done.out)) == 2
        assert done.err.startswith(f"{source}:3: top_k: 5: ")


class TestAFile:
    """JSON Lines in, JSON Lines out."""

    def test_a_line_goes_before_the_options_but_for_the_model(self, cli: Cli, source: Path) -> None:
        line = {"prompt": "A", "model": "claude-2.1", "max_tokens_to_sample": 7, "metadata": {"user_id": "u"}}
        source.write_text(json.dumps(line), encoding="utf-8")
        own, given = (
            printed(cli("convert", "-n", "9", *model, "--file", str(source)).out)[0]
            for model in ([], ["--model", "claude-haiku-4-5"])
        )
        assert (own["model"], own["max_tokens"], own["metadata"]) == ("claude-2.1", 7, {"user_id": "u"})
        assert given == {**own, "model": "claude-haiku-4-5"}

    def test_an_id_is_kept(self, cli: Cli, source: Path) -> None:
        source.write_text('{"id": "toes", "prompt": "A"}\n{"id": 0, "prompt": "B"}\n', encoding="utf-8")
        lines = printed(cli("convert", "-m", "claude-haiku-4-5", "--file", str(source)).out)
        assert [line["id"] for line in lines] == ["toes", 0]
        assert lines[0]["request"]["messages"] == [{"role": "user", "content": "A"}]

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("[]", "expected an object, got list"),
            ("{", "this is no JSON"),
            ('{"max_tokens_to_sample": 9}', "prompt: expected a value, got nothing"),
            ('{"prompt": 3}', "prompt: expected a string"),
            ('{"prompt": "\\n\\nHuman:\\n\\nAssistant:"}', "first Human turn is blank"),
        ],
    )
    def test_a_line_that_cannot_be_converted_ends_it(
        self, cli: Cli, source: Path, line: str, says: str
    ) -> None:
        source.write_text(f'{{"prompt": "A"}}\n{line}\n{{"prompt": "C"}}\n', encoding="utf-8")
        done = cli("convert", "-m", "claude-haiku-4-5", "--file", str(source))
        assert (done.code, len(printed(done.out))) == (2, 1)
        assert done.err.startswith(f"Error: {source}:2: ")
        assert says in done.err
        assert done.err.count("\n") == 1

    def test_text_that_utf_8_does_not_have_is_kept(self, cli: Cli, source: Path) -> None:
        source.write_bytes('{"prompt": "é\\ud800"}'.encode())
        done = cli("convert", "-m", "claude-haiku-4-5", "--file", str(source))
        assert printed(done.out)[0]["messages"][0]["content"] == "é\ud800"

    def test_it_excludes_a_prompt(self, cli: Cli, source: Path) -> None:
        source.touch()
        done = cli("convert", "-m", "m", "--file", str(source), QUESTION)
        assert done.code == 2
        assert "PROMPT and --file exclude each other" in done.err
