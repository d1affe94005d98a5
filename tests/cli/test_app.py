"""The command line as a whole: version, help, the missing extra, shells; `models` and `serve`."""

import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions import Anthropic, __version__
from anthropic_completions._contract.generated import component
from anthropic_completions.cli import _serve, main
from anthropic_completions.cli._app import app
from anthropic_completions.models import RetiredModelWarning, lifecycle
from anthropic_completions.testing import Received, StandIn
from cli.forked import default_signals
from cli.shell import LOADED, MODULE, Cli, Terminal, environment, kept_on_failure, piped
from support import ARGUMENTS

COMMANDS = [
    *("complete", "batch", "export", "models", "convert", "scan", "serve", "run", "gateway"),
    "shell-completion",
]
MODELS = component("#/components/schemas/KnownModel")["x-models"]


class TestAsAWhole:
    """What holds for every command."""

    def test_the_version(self, cli: Cli) -> None:
        assert cli("--version") == (0, f"anthropic-completions {__version__}\n", "")

    def test_the_version_loads_nothing_that_it_does_not_need(self, tmp_path: Path) -> None:
        heavy = ["httpx", "rich", "uvicorn", "asyncio", "attrs"]
        code = (
            "import sys\nsys.argv[1:] = ['--version']\n"
            "from anthropic_completions.cli import main\n"
            "try: main()\nexcept SystemExit as end: assert end.code == 0\n"
            f"print([name for name in {heavy} if name in sys.modules])"
        )
        done = piped([sys.executable, "-c", code], cwd=tmp_path, env=environment())
        assert done.out == f"anthropic-completions {__version__}\n[]\n"

    def test_the_help_of_each_command_has_examples(self, cli: Cli) -> None:
        for arguments in ([], *([name] for name in COMMANDS)):
            done = cli(*arguments, "--help")
            assert done.code == 0
            assert re.search(r"Examples:\n +\S*.*anthropic-completions", done.out)

    def test_the_short_help_lists_the_commands(self, cli: Cli) -> None:
        done = cli("-h")
        assert re.findall(r"^  ([a-z][a-z-]+)  +[A-Z]", done.out, re.MULTILINE) == COMMANDS

    def test_ctrl_c_while_it_is_loaded_shows_no_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(_: Any) -> int:
            raise KeyboardInterrupt

        monkeypatch.setattr("anthropic_completions.cli._app.run", interrupted)
        with pytest.raises(SystemExit) as raised:
            main()
        assert raised.value.code == 130

    def test_a_warning_is_one_line(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        def warn(*_: Any, **__: Any) -> int:
            warnings.warn("gone\nfor good", RetiredModelWarning, stacklevel=1)
            return 0

        monkeypatch.setattr(app, "main", warn)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert cli("models") == (0, "", "Warning: gone for good\n")

    def test_without_a_command_it_shows_the_help(self, cli: Cli) -> None:
        done = cli()
        assert done.code == 2
        assert done.out == cli("--help").out

    @pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["models", "x"], ["serve", "--port", "x"]])
    def test_wrong_usage_is_one_line(self, cli: Cli, arguments: list[str]) -> None:
        done = cli(*arguments)
        assert (done.code, done.out) == (2, "")
        assert re.fullmatch(r"Error: .* \(see anthropic-completions( \S+)? --help\)\n", done.err)

    @pytest.mark.parametrize("missing", ["click", "rich"])
    def test_without_the_extra_it_names_the_extra(self, tmp_path: Path, missing: str) -> None:
        code = (
            "import importlib.util as util, sys\nfind = util.find_spec\n"
            f"util.find_spec = lambda name, *rest: None if name == {missing!r} else find(name, *rest)\n"
            "sys.argv[1:] = ['--version']\n"
            "from anthropic_completions.cli import main\nmain()"
        )
        done = piped([sys.executable, "-c", code], cwd=tmp_path, env=environment())
        assert done == (
            2,
            "",
            "The command line needs an extra: pip install 'anthropic-completions[cli]'\n",
        )

    def test_a_file_that_cannot_be_used_is_one_line(
        self, cli: Cli, stand_in: StandIn, tmp_path: Path
    ) -> None:
        (tmp_path / "in.jsonl").write_text('{"id": 1, "prompt": "x"}')
        done = cli("batch", str(tmp_path / "in.jsonl"), str(tmp_path / "none" / "out.jsonl"))
        assert (done.code, done.out) == (1, "")
        assert done.err.count("\n") == 1
        assert "expected a folder that is there" in done.err


class TestShellCompletion:
    """The scripts, and what they offer."""

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_there_is_a_script_for_each_shell(self, cli: Cli, shell: str) -> None:
        done = cli("shell-completion", shell)
        assert done.code == 0
        assert f"_ANTHROPIC_COMPLETIONS_COMPLETE={shell}_complete" in done.out

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("anthropic-completions ", COMMANDS),
            ("anthropic-completions mo", ["models"]),
            ("anthropic-completions complete --max", ["--max-tokens"]),
            ("anthropic-completions complete --model claude-2", ["claude-2.1", "claude-2.0", "claude-2"]),
            ("anthropic-completions complete --beta pdfs", ["pdfs-2024-09-25"]),
        ],
    )
    def test_the_shell_is_offered_what_fits(self, tmp_path: Path, words: str, expected: list[str]) -> None:
        count = len(words.split(" ")) - 1
        env = environment(
            COMP_WORDS=words, COMP_CWORD=str(count), _ANTHROPIC_COMPLETIONS_COMPLETE="bash_complete"
        )
        done = piped(MODULE, cwd=tmp_path, env=env)
        assert sorted(line.partition(",")[2] for line in done.out.splitlines()) == sorted(expected)


class TestModels:
    """`models`, from the contract."""

    def test_piped_it_is_a_table_with_tabs(self, cli: Cli) -> None:
        done = cli("models")
        header, *rows = [line.split("\t") for line in done.out.splitlines()]
        assert header == [
            *("model", "status", "deprecated", "retired", "replacement", "prefill", "sampling", "thinking")
        ]
        assert [row[0].split(" -> ")[0] for row in rows] == list(MODELS)
        assert ["claude-2.1", "retired", "2025-01-21", "2025-07-21", "claude-opus-4-8", "", "", ""] in rows
        bridged = {row[0]: row[5:] for row in rows}
        assert bridged["claude-haiku-5-5"] == ["no", "none", "switched off"]
        assert bridged["claude-opus-5-5"] == ["no", "none", "always"]
        assert bridged["claude-opus-4-6"] == ["no", "one", "none"]
        assert bridged["claude-3-haiku-20240307"] == ["yes", "any", "none"]
        assert any(row[0] == "claude-2 -> claude-2.0" for row in rows)
        assert all(row[1] == lifecycle(name).status for row, name in zip(rows, MODELS, strict=True))

    def test_json_has_all_that_is_known(self, cli: Cli) -> None:
        shown = json.loads(cli("models", "--json").out)
        assert [model["name"] for model in shown] == list(MODELS)
        haiku = next(model for model in shown if model["name"] == "claude-haiku-4-5")
        assert haiku["snapshot"] == "claude-haiku-4-5-20251001"
        assert haiku["not_before"] == "2026-10-15"

    @pytest.mark.parametrize("columns", ["80", "79", "60", "200"])
    def test_in_a_terminal_it_is_a_table_in_colour_that_cuts_no_name(
        self, tmp_path: Path, columns: str
    ) -> None:
        done = Terminal([*LOADED, "models"], cwd=tmp_path, env=environment(COLUMNS=columns)).finish()
        assert done.code == 0
        assert "\x1b[31m" in done.out
        plain = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
        assert "MODEL " in plain
        starts = [line.split(" ")[0] for line in plain.splitlines()]
        assert [start for start in starts if start.startswith("claude-")] == list(MODELS)
        assert re.search(r"^= claude-haiku-4-5-20251001 ", plain, re.MULTILINE)
        assert re.search(r"^> claude-haiku-4-5-20251001 ", plain, re.MULTILINE)

    def test_80_columns_are_enough_for_a_line_each(self, tmp_path: Path) -> None:
        done = Terminal([*LOADED, "models"], cwd=tmp_path, env=environment(COLUMNS="80")).finish()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", done.out)
        header = r"^MODEL +STATUS +RETIRES +PREFILL +SAMPLING +THINKING *$"
        assert re.search(header, plain, re.MULTILINE)
        assert re.search(r"^claude-2\.1 +retired +2025-07-21 *$", plain, re.MULTILINE)
        assert re.search(r"^claude-haiku-5-5 +active +no +none +switched off *$", plain, re.MULTILINE)


class Served:
    """`serve` in a process of its own."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [*MODULE, "serve", "--port", "0", *arguments],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            preexec_fn=default_signals,
        )

    def __enter__(self) -> "Served":
        assert self.process.stdout
        self.first = self.process.stdout.readline()
        self.line = self.process.stdout.readline()
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, told = self.process.communicate(timeout=60)
        return self.process.returncode, told


class TestServe:
    """`serve`: the stand-in on a port."""

    def test_it_says_where_it_is_and_how_to_get_there(self, tmp_path: Path) -> None:
        with Served("--delay", "0.001", "--chunk-size", "5", "--ping-every", "0", cwd=tmp_path) as served:
            settings = dict(word.split("=", 1) for word in served.line.split()[1:])
            assert f"Listening on {settings['ANTHROPIC_BASE_URL']};" in served.first
            with Anthropic(
                api_key=settings["ANTHROPIC_API_KEY"], base_url=settings["ANTHROPIC_BASE_URL"]
            ) as client:
                chunks = [chunk.completion for chunk in client.completions.create(**ARGUMENTS, stream=True)]
                assert chunks == [" Hell", "o! My", " name", " is C", "laude", ".", ""]
                assert httpx.get(f"{settings['ANTHROPIC_BASE_URL']}/other").status_code == 404
            code, told = served.stop(signal.SIGINT)
        assert (code, told) == (0, "POST /v1/complete 200\nGET /other 404\n")

    def test_its_key_and_its_limit_hold(self, tmp_path: Path) -> None:
        with Served("--api-key", "right", "--requests-per-minute", "1", cwd=tmp_path) as served:
            assert served.line.split()[2] == "ANTHROPIC_API_KEY=right"
            url = served.line.split()[1].split("=")[1] + "/v1/complete"
            headers = {"anthropic-version": "2023-06-01", "x-api-key": "right"}
            codes = [
                httpx.post(url, json=ARGUMENTS, headers={**headers, "x-api-key": key}).status_code
                for key in ("wrong", "right")
            ]
        assert codes == [401, 429]

    def test_models_can_be_left_to_messages(self, tmp_path: Path) -> None:
        with Served("--messages-only", "claude-2.1", cwd=tmp_path) as served:
            url = served.line.split()[1].split("=")[1]
            headers = {"anthropic-version": "2023-06-01", "x-api-key": "k"}
            refused = httpx.post(f"{url}/v1/complete", json=ARGUMENTS, headers=headers)
            assert (refused.status_code, "use the Messages API" in refused.text) == (400, True)
            message = {"model": "claude-2.1", "max_tokens": 9, "messages": [{"role": "user", "content": "A"}]}
            assert httpx.post(f"{url}/v1/messages", json=message, headers=headers).status_code == 200

    def test_a_taken_port_is_one_line(self, cli: Cli, stand_in: StandIn) -> None:
        port = os.environ["ANTHROPIC_BASE_URL"].rpartition(":")[2]
        done = cli("serve", "--port", port)
        assert (done.code, done.out) == (1, "")
        assert done.err.count("\n") == 1
        assert "in use" in done.err

    def test_ctrl_c_in_a_terminal_stops_it(self, tmp_path: Path) -> None:
        terminal = Terminal([*MODULE, "serve", "--port", "0"], cwd=tmp_path, env=environment())
        with kept_on_failure(terminal.process):
            terminal.read_until("export ANTHROPIC_BASE_URL=")
            terminal.type("\x03")
            assert terminal.finish().code == 0

    def test_what_a_client_sends_does_not_steer_the_terminal(
        self, cli: Cli, capsys: pytest.CaptureFixture[str]
    ) -> None:
        options = _serve.command.make_context("serve", []).params
        del options["port"]
        stand_in = _serve._telling_stand_in(options)
        stand_in.handle(Received("GET", "/\x1b[31m\n200", {}, b""))
        assert capsys.readouterr().err == "GET /\N{REPLACEMENT CHARACTER}[31m 200 404\n"


@pytest.mark.parametrize(
    ("redirection", "code"),
    [("models >&-", 0), ("complete <&-", 2), ("complete - <&-", 2)],
)
def test_a_stream_that_is_closed_is_no_reason_for_a_traceback(
    redirection: str, code: int, tmp_path: Path
) -> None:
    """What has nowhere to go is dropped; a closed standard input is an empty one."""
    command = ["sh", "-c", f'"$0" -m anthropic_completions {redirection}', sys.executable]
    done = piped(command, cwd=tmp_path, env=environment())
    assert "Traceback" not in done.err
    assert done.code == code
