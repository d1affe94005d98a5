"""One change of the contract reaches everything: six of them, made in one copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(300)
PARTS = ["openapi.yaml", "generator-config.yml", "generator-overlay.yaml", "pyproject.toml"]
FOLDERS = ["scripts", "generated", "overlays"]
SEED = """\
        seed:
          type: integer
          minimum: 0
          description: Repeats a sampling.
"""
COST = """\
        cost:
          type: number
          description: What it cost.
"""
TEAPOT = '            "418": { name: TeapotError, description: it is a teapot. }\n'
# What a maintainer adds, in the contract alone: before which line, and what.
ADDED = {
    "parameter": ("        top_k:\n          type: integer\n", SEED),
    "reply field": ("        log_id:\n          type: string\n          description: Undocumented", COST),
    "status": ('            "422": { name', TEAPOT),
    "model": ("        - claude-opus-4-8\n", "        - claude-new-9\n"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the contract was changed and `make generate` was run."""
    folder = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        shutil.copy(ROOT / part, folder)
    for part in FOLDERS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    contract = folder / "openapi.yaml"
    text = contract.read_text(encoding="utf-8")
    for line, new in ADDED.values():
        assert text.count(line) == 1, line
        text = text.replace(line, new + line)
    first_beta = text.index("enum:\n", text.index("    KnownBeta:\n")) + len("enum:\n")
    text = f"{text[:first_beta]}        - new-beta-2030-01-01\n{text[first_beta:]}"
    # The removed parameter.
    start = text.index("        top_p:\n", text.index("    CompletionRequest:\n"))
    text = text[:start] + text[text.index("    Metadata:\n", start) :]
    contract.write_text(text, encoding="utf-8")
    done = script(folder, "generate.py")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def script(project: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(project, str(project / "scripts" / name), *arguments)


def python(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(project / part) for part in ("overlays", "generated"))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": paths, "MYPYPATH": paths},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def printed(project: Path, code: str) -> str:
    done = python(project, "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


MAKE_CLIENT = """
import httpx, json
from anthropic_completions import *
import anthropic_completions
REPLY = {"type": "completion", "id": "i", "completion": " Hi", "stop_reason": "max_tokens", "model": "m"}
REPLY["cost"] = 2
sent = []
def answer(request):
    sent.append(json.loads(request.content))
    return httpx.Response(200, json=REPLY)
client = Anthropic(api_key="k", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
given = dict(model="m", max_tokens_to_sample=1, prompt="p")
"""


def run_client(project: Path, code: str) -> str:
    return printed(project, MAKE_CLIENT + textwrap.dedent(code))


def test_a_parameter_is_sent(project: Path) -> None:
    assert run_client(project, "client.completions.create(**given, seed=3); print(sent[0]['seed'])") == "3"


def test_a_parameter_is_sent_by_the_raw_and_the_streaming_form(project: Path) -> None:
    code = """
    client.completions.with_raw_response.create(**given, seed=3)
    with client.completions.with_streaming_response.create(**given, seed=4):
        print([body["seed"] for body in sent])
    """
    assert run_client(project, code) == "[3, 4]"


def test_a_parameter_is_checked(project: Path) -> None:
    code = """
    try: client.completions.create(**given, seed=-1)
    except ValueError as error: print(error)
    """
    assert run_client(project, code) == "seed: expected an integer of at least 0, got -1"


def test_a_parameter_and_a_field_are_in_the_quick_checks(project: Path) -> None:
    code = """
    from anthropic_completions._contract.checks import QUICK
    for wrong in (3, -1, "3"): print(QUICK["CompletionRequest"]({**given, "seed": wrong}))
    for wrong in (2, "2"): print(QUICK["Completion"]({**REPLY, "cost": wrong}))
    """
    assert run_client(project, code).split() == ["True", "False", "False", "True", "False"]


@pytest.mark.parametrize("client", ["Anthropic", "AsyncAnthropic"])
def test_help_shows_a_parameter(project: Path, client: str) -> None:
    code = f"import anthropic_completions as a; help(a.{client}(api_key='k').completions.create)"
    shown = printed(project, code)
    assert "seed: 'int | Omit | NotGiven | None' = omit" in shown
    assert "seed: Repeats a sampling. 0 or more." in shown


def test_the_types_of_parameters_and_fields_are_known(project: Path) -> None:
    program = project / "program.py"
    program.write_text(
        "from typing import assert_type\n"
        "from anthropic_completions import Anthropic, AsyncAnthropic, TeapotError\n"
        "from anthropic_completions.types import CompletionCreateParams\n"
        "client = Anthropic()\n"
        'made = client.completions.create(model="claude-new-9", max_tokens_to_sample=1, prompt="p", seed=3,\n'
        '    betas=["new-beta-2030-01-01"])\n'
        "assert_type(made.cost, float | None)\n"
        'client.completions.create(model="m", max_tokens_to_sample=1, prompt="p", seed="x")\n'
        'client.completions.create(model="m", max_tokens_to_sample=1, prompt="p", top_p=0.5)\n'
        'a: CompletionCreateParams = {"model": "m", "max_tokens_to_sample": 1, "prompt": "p", "seed": 3}\n'
    )
    done = python(project, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", str(program))
    errors = [line for line in done.stdout.splitlines() if re.match(r".*program.py:\d+: error", line)]
    wrong = {line.split(":")[1] for line in errors}
    assert wrong == {"8", "9"}, done.stdout[:2000]


def test_a_reply_field_is_an_attribute_that_is_none_where_it_did_not_come(project: Path) -> None:
    code = """
    from anthropic_completions.types import Completion
    made = client.completions.create(**given)
    by_hand = Completion(**{**REPLY, "cost": 1.5})
    print(made.cost, by_hand.to_dict()["cost"], Completion.construct(id="i").cost)
    """
    assert run_client(project, code) == "2 1.5 None"


def test_a_status_has_a_class(project: Path) -> None:
    code = """
    http = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(418)))
    try: Anthropic(api_key="k", http_client=http).completions.create(**given)
    except TeapotError as error: print(type(error).__mro__[1].__name__, error.status_code)
    print("TeapotError" in anthropic_completions.__all__)
    """
    assert run_client(project, code) == "APIStatusError 418\nTrue"


def test_the_stand_in_takes_a_parameter_and_refuses_one_that_was_removed(project: Path) -> None:
    code = """
    from anthropic_completions.testing import StandIn
    with StandIn().client() as client:
        print(client.completions.create(model="claude-2.1", prompt="\\n\\nHuman: Hi\\n\\nAssistant:",
            max_tokens_to_sample=9, seed=3).type)
        try: client.completions.create(model="claude-2.1", prompt="\\n\\nHuman: Hi\\n\\nAssistant:",
            max_tokens_to_sample=9, extra_body={"top_p": 0.5})
        except BadRequestError as error: print("top_p" in str(error))
    """
    assert run_client(project, code) == "completion\nTrue"


def test_the_command_line_sets_a_parameter(project: Path) -> None:
    words = ["complete", "--show-request", "--set", "seed=3", "Hi"]
    done = python(project, "-m", "anthropic_completions", *words)
    assert '"seed":3' in done.stdout, done.stderr


def test_a_parameter_that_was_removed_is_an_error(project: Path) -> None:
    code = """
    try: client.completions.create(**given, top_p=0.5)
    except TypeError as error: print(error)
    """
    assert "top_p" in run_client(project, code)


def test_nothing_is_left_to_generate(project: Path) -> None:
    assert script(project, "generate.py", "--check").returncode == 0


def test_the_check_names_the_place_where_a_person_decides(project: Path) -> None:
    done = script(project, "check_places.py")
    assert done.returncode == 1
    assert (
        "messages/_requests.py: CARRIED: say how Messages carries the request's field 'seed'" in done.stderr
    )
    assert "take out 'top_p'" in done.stderr
