"""`anthropic-completions run`: programs that nobody edits, in processes of their own."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions._run import permanent
from anthropic_completions.cli._app import run as command_line
from cli.shell import Done, environment, piped
from processes import started

# Programs start others, each of which loads what it needs, and there may be much else on the machine.
PATIENCE_SECONDS = 120
pytestmark = pytest.mark.timeout(2 * PATIENCE_SECONDS)

RUN = [sys.executable, "-m", "anthropic_completions", "run"]
PACKAGE = """
__version__ = "9.9"
class AnthropicError(Exception): pass
class Anthropic: pass
class AsyncAnthropic: pass
"""
TELL = "import anthropic; print(hasattr(anthropic.Anthropic, 'completions'))"
SETTINGS = "import anthropic; print(sorted(anthropic.Anthropic.completions.restoration.settings.items()))"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a package `anthropic` that has no completions."""
    (tmp_path / "anthropic.py").write_text(PACKAGE)
    return tmp_path


def run(place: Path, *arguments: str, **variables: str) -> Done:
    """Run `run`, with the directory's package on the path."""
    env = environment(PYTHONPATH=str(place), **variables)
    return piped([*RUN, *arguments], cwd=place, env=env, patience=PATIENCE_SECONDS)


def script(place: Path, code: str, name: str = "program.py") -> str:
    """Write a Python file and return its path."""
    path = place / name
    path.write_text(code)
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("kind", ["file", "module", "interpreter", "console script"])
def test_a_program_finds_completions_restored_and_its_own_arguments(place: Path, kind: str) -> None:
    code = f"import sys; {TELL}; print(sys.argv[1:])"
    name = "prog" if kind == "console script" else "program.py"
    path = script(place, f"#!{sys.executable}\n{code}\n", name)
    program = {
        "file": [path],
        "module": ["-m", "program"],
        "interpreter": [sys.executable, path],
        "console script": [path],
    }[kind]
    assert run(place, *program, "--verbose", "-m", "x") == (0, "True\n['--verbose', '-m', 'x']\n", "")


def test_its_exit_code_and_its_output_are_the_programs_alone(place: Path) -> None:
    path = script(place, "import sys, anthropic; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert run(place, path) == (7, "out\n", "err\n")


def test_verbose_tells_what_is_restored_where(place: Path) -> None:
    done = run(place, "--verbose", script(place, "import anthropic"))
    assert done.out == ""
    assert "restored completions to anthropic 9.9 in process" in done.err


def test_sub_processes_of_all_kinds_are_restored(place: Path) -> None:
    code = f"""
import multiprocessing, subprocess, sys, threading
def tell(start):
    import anthropic
    print(start, hasattr(anthropic.Anthropic, "completions"), flush=True)
if __name__ == "__main__":
    subprocess.run([sys.executable, "-c", {TELL!r}], check=True)
    for start in ("spawn", "fork"):
        child = multiprocessing.get_context(start).Process(target=tell, args=(start,))
        child.start(); child.join()
    thread = threading.Thread(target=tell, args=("thread",)); thread.start(); thread.join()
"""
    assert run(place, script(place, code)).out == "True\nspawn True\nfork True\nthread True\n"


def test_a_sitecustomize_that_there_was_is_respected(place: Path) -> None:
    (place / "sitecustomize.py").write_text("import sys; sys.was_here = True\n")
    code = f"import sys, sitecustomize; print(sys.was_here, sitecustomize.__file__); {TELL}"
    done = run(place, script(place, code))
    assert done == (0, f"True {place / 'sitecustomize.py'}\nTrue\n", "")


def test_the_path_of_modules_is_as_without_it(place: Path) -> None:
    path = script(place, "import sys; print(sys.path)")
    plain = piped([sys.executable, path], cwd=place, env=environment(PYTHONPATH=str(place)))
    assert run(place, path).out == plain.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_reach_the_program(place: Path, number: signal.Signals) -> None:
    code = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    env = environment(PYTHONPATH=str(place))
    with started([*RUN, script(place, code)], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 42


def test_a_program_that_a_signal_ends_ends_this_process_so(place: Path) -> None:
    path = script(place, f"import os, signal; os.kill(os.getpid(), {int(signal.SIGKILL)})")
    assert run(place, path).code == -signal.SIGKILL


def test_options_are_the_settings_that_completions_get(place: Path) -> None:
    done = run(place, "--backend", "auto", "--on-loss", "drop", script(place, SETTINGS))
    assert ("('backend', 'auto')" in done.out, "('on_loss', 'drop')" in done.out) == (True, True)


@pytest.mark.parametrize("room", ["--thinking-room", "--room"])
def test_all_options_are_told_in_the_environment(place: Path, room: str) -> None:
    options = ["--map", "a=b", "--map", "c*=d", "--prefill", "drop", room, "5"]
    code = "import os\nfor name in 'MODEL_MAP', 'PREFILL', 'THINKING_ROOM':\n"
    code += "    print(os.environ['ANTHROPIC_COMPLETIONS_' + name])"
    assert run(place, *options, script(place, code)).out == "a=b,c*=d\ndrop\n5\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-IB", "-S"])
def test_an_option_that_keeps_the_environment_out_is_refused(place: Path, option: str) -> None:
    done = run(place, sys.executable, "-X", "utf8", option, script(place, "print(1)"))
    assert (done.code, done.out) == (2, "")
    assert f"{option}: with this option Python takes no notice" in done.err
    assert ("--install" in done.err) == (option != "-S")


def test_so_is_one_in_the_first_line_of_a_script(place: Path) -> None:
    done = run(place, script(place, f"#!{sys.executable} -E\nprint(1)\n", "prog"))
    assert done.code == 2
    assert "which says -E" in done.err


def test_options_of_the_program_itself_are_none_of_pythons(place: Path) -> None:
    assert run(place, sys.executable, script(place, "print(1)"), "-I").out == "1\n"
    assert run(place, sys.executable, "-c", "print(1)", "-E").out == "1\n"


def test_an_interpreter_without_this_package_is_told(place: Path) -> None:
    import venv

    venv.create(place / "other", with_pip=False)
    python = str(place / "other" / "bin" / "python")
    done = run(place, python, "-c", "print(1)")
    assert (done.code, done.out) == (2, "")
    assert f"the program's interpreter, {python}, does not have this package. Install it there" in done.err
    # A sub-process in such an environment is nobody's mistake.
    inside = run(place, script(place, f"import subprocess; subprocess.run([{python!r}, '-c', 'print(1)'])"))
    assert inside == (0, "1\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no-such-program"], "expected a command, a Python file or -m MODULE, got 'no-such-program'"),
        (["-m"], "-m: expected a module's name after it"),
        ([], "PROGRAM: expected a command"),
        (["--map", "a", "-m", "x"], "--map: expected OLD=NEW or recommended, got 'a'"),
        (["--install", "x"], "--install: expected no PROGRAM beside it"),
        (["--room", "-1", "x"], "--room"),
    ],
)
def test_wrong_usage_is_told_before_anything_starts(arguments: list[str], told: str, capsys: Any) -> None:
    assert command_line(["run", *arguments]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BACKEND", "expected one of 'completions', 'messages', 'auto', got 'x'"),
        ("MODEL_MAP", "expected 'recommended', or old=new,old=new, got 'x'"),
        ("ON_LOSS", "expected one of 'warn', 'error', 'drop', got 'x'"),
        ("PREFILL", "expected one of 'drop', 'error', 'instruct', got 'x'"),
        ("THINKING_ROOM", "expected an integer, got 'x'"),
    ],
)
def test_a_wrong_variable_is_told_before_anything_starts(
    name: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"ANTHROPIC_COMPLETIONS_{name}", "x")
    assert command_line(["run", "true"]) == 2
    assert capsys.readouterr().err.startswith(f"Error: ANTHROPIC_COMPLETIONS_{name}: {told}")


def test_a_wrong_variable_that_an_option_overrides_is_no_matter(place: Path) -> None:
    done = run(place, "--map", "a=b", script(place, "print(1)"), ANTHROPIC_COMPLETIONS_MODEL_MAP="x")
    assert done == (0, "1\n", "")


def test_a_file_that_cannot_be_executed_is_told(place: Path) -> None:
    path = script(place, "#!/no/such/interpreter\n", "prog")
    done = run(place, path)
    assert done.code == 2
    assert f"{path}: No such file" in done.err


ALIAS = """
import anthropic
from anthropic import AI_PROMPT, Anthropic, APIStatusError
from anthropic._exceptions import RateLimitError
from anthropic.resources.completions import Completions
from anthropic.types import Completion
from anthropic.types.completion_create_params import CompletionCreateParams
print(anthropic.__version__, issubclass(RateLimitError, anthropic.APIStatusError))
client = Anthropic(api_key="k")
print(isinstance(client.completions, Completions), type(client).__name__, hasattr(client, "messages"))
try:
    client.messages
except AttributeError as error:
    print(error)
try:
    anthropic.beta_tool
except AttributeError as error:
    print(error)
try:
    from anthropic import AnthropicBedrock
except ImportError as error:
    print(error)
"""


def test_with_alias_this_package_stands_in_for_one_that_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "--alias", script(tmp_path, ALIAS))
    assert done.err == ""
    first, second, *missing = done.out.splitlines()
    assert (first, second) == ("0.125.0 True", "True Anthropic False")
    for name, line in zip(("messages", "beta_tool", "AnthropicBedrock"), missing, strict=True):
        assert name in line
        assert "pip install anthropic" in line


def test_with_alias_a_package_that_is_there_is_taken(place: Path) -> None:
    done = run(place, "--alias", script(place, f"{TELL}; print(anthropic.__version__)"))
    assert done.out == "True\n9.9\n"


def test_without_alias_a_missing_package_is_missing(tmp_path: Path) -> None:
    assert "No module named 'anthropic'" in run(tmp_path, script(tmp_path, "import anthropic")).err


def test_what_install_writes_restores_and_is_taken_back(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    site = place / "site-packages"
    site.mkdir()
    monkeypatch.setattr(permanent.sysconfig, "get_path", lambda name: str(site))
    assert command_line(["run", "--install"]) == 0
    written = capsys.readouterr().out
    assert str(site / permanent.NAME) in written
    assert "run --uninstall" in written
    code = f"import site, sys; site.addsitedir({str(site)!r}); {TELL}"
    env = environment(PYTHONPATH=str(place))
    assert piped([sys.executable, "-c", code], cwd=place, env=env).out == "True\n"
    assert command_line(["run", "--uninstall"]) == 0
    assert str(site / permanent.NAME) in capsys.readouterr().out
    assert list(site.iterdir()) == []
    assert command_line(["run", "--uninstall"]) == 0
    assert "Nothing to take back" in capsys.readouterr().out


def test_what_install_wrote_does_nothing_once_this_package_is_gone(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permanent.sysconfig, "get_path", lambda name: str(place))
    monkeypatch.setattr(permanent.startup, "__file__", str(place / "gone.py"))
    permanent.install()
    code = f"import site; site.addsitedir({str(place)!r}); {TELL}"
    assert piped([sys.executable, "-c", code], cwd=place, env=environment(PYTHONPATH=str(place))) == (
        0,
        "False\n",
        "",
    )


def test_an_interpreter_that_imports_no_anthropic_does_not_load_this_package(place: Path) -> None:
    code = "import sys; print([name for name in sys.modules if name.startswith('anthropic')])"
    assert run(place, script(place, code)).out == "[]\n"
