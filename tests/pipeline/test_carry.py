"""One change of the contract reaches everything: six of them, made in one copy of the project."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(300)
PROBING = Path(__file__).with_name("probing.py")
PARTS = ["openapi.yaml", "generator-config.yml", "generator-overlay.yaml", "pyproject.toml"]
FOLDERS = ["scripts", "generated", "overlays"]
# The modules of the package that the contract makes.
NAMES = (
    "types/completion_create_params _client/create _contract/fields _contract/checks _errors/status __init__"
)
CARRIED = [f"overlays/anthropic_completions/{name}.py" for name in NAMES.split()]
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
# A passage of the quick checks that is of no effect: who has the field was refused before.
REFUSED_BEFORE = '"top_p" not in value'
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


def python(
    project: Path, *arguments: str, given: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(project / part) for part in ("overlays", "generated"))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": paths, "MYPYPATH": paths}
        | environment,
        input=given,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


# Every probe starts with this, in names of its own.
MAKE_CLIENT = """
import asyncio, httpx, inspect, json, pydoc
from typing import get_args
from anthropic_completions import *
import anthropic_completions
from anthropic_completions import types
REPLY = {"type": "completion", "id": "i", "completion": " Hi", "stop_reason": "max_tokens", "model": "m"}
REPLY["cost"] = 2
sent = []
def answer(request):
    sent.append(json.loads(request.content))
    return httpx.Response(200, json=REPLY)
def client_of(kind, http, answer=answer):
    return kind(api_key="k", http_client=http(transport=httpx.MockTransport(answer)))
client = client_of(Anthropic, httpx.Client)
async_client = client_of(AsyncAnthropic, httpx.AsyncClient)
given = dict(model="m", max_tokens_to_sample=1, prompt="p")
human = dict(model="claude-2.1", prompt="\\n\\nHuman: Hi\\n\\nAssistant:", max_tokens_to_sample=9)
"""
# What a change of the contract is to reach: code, and what it prints.
PROBES = {
    "a parameter is sent": ("client.completions.create(**given, seed=3); print(sent[0]['seed'])", "3"),
    "a parameter is sent by the async client": (
        "asyncio.run(async_client.completions.create(**given, seed=3)); print(sent[0]['seed'])",
        "3",
    ),
    "a parameter is sent by the raw and the streaming form": (
        """
        client.completions.with_raw_response.create(**given, seed=3)
        with client.completions.with_streaming_response.create(**given, seed=4):
            print([body["seed"] for body in sent])
        """,
        "[3, 4]",
    ),
    "a parameter is checked": (
        """
        try: client.completions.create(**given, seed=-1)
        except ValueError as error: print(error)
        """,
        "seed: expected an integer of at least 0, got -1",
    ),
    "create has the parameters that there are": (
        """
        for each in client, async_client:
            names = inspect.signature(each.completions.create).parameters
            print(str(names["seed"]), "top_p" in names)
        """,
        "\n".join(["seed: 'int | Omit | NotGiven | None' = omit False"] * 2),
    ),
    "the help tells of the parameters that there are": (
        """
        for each in client, async_client:
            told = pydoc.render_doc(each.completions.create)
            print("seed: Repeats a sampling. 0 or more." in told, "top_p: " in told)
        """,
        "True False\nTrue False",
    ),
    "the types of arguments have the parameters that there are": (
        """
        from anthropic_completions.types import completion_create_params as params
        for each in params.CompletionCreateParamsStreaming, params.CreateOptions:
            print(each.__annotations__["seed"].__forward_arg__, "top_p" in each.__annotations__)
        """,
        "int False\nint | Omit | NotGiven | None False",
    ),
    "a reply field is an attribute that is None where it did not come": (
        """
        made = client.completions.create(**given)
        by_hand = types.Completion(**{**REPLY, "cost": 1.5})
        print(made.cost, by_hand.to_dict()["cost"], types.Completion.construct(id="i").cost)
        """,
        "2 1.5 None",
    ),
    "a reply field is checked": (
        """
        REPLY["cost"] = "much"
        try: client.completions.create(**given)
        except APIResponseValidationError as error: print("cost" in str(error))
        """,
        "True",
    ),
    "a parameter and a field are in the quick checks": (
        """
        from anthropic_completions._contract.checks import QUICK
        print([QUICK["CompletionRequest"]({**given, "seed": wrong}) for wrong in (3, -1, "3")])
        print([QUICK["Completion"]({**REPLY, "cost": wrong}) for wrong in (2, "2")])
        """,
        "[True, False, False]\n[True, False]",
    ),
    "a status has a class": (
        """
        client = client_of(Anthropic, httpx.Client, lambda request: httpx.Response(418))
        try: client.completions.create(**given)
        except TeapotError as error: print(type(error).__mro__[1].__name__, error.status_code)
        print("TeapotError" in anthropic_completions.__all__)
        """,
        "APIStatusError 418\nTrue",
    ),
    "a model is known": (
        "from anthropic_completions_api.models import *; print('claude-new-9' in get_args(KnownModel))",
        "True",
    ),
    "a beta is known": (
        "from anthropic_completions_api.models import *; print('new-beta-2030-01-01' in get_args(KnownBeta))",
        "True",
    ),
    "the stand-in takes a parameter": (
        """
        from anthropic_completions.testing import StandIn
        with StandIn().client() as client:
            print(client.completions.create(**human, seed=3).type)
        """,
        "completion",
    ),
    "the stand-in refuses a parameter that was removed": (
        """
        from anthropic_completions.testing import StandIn
        with StandIn().client() as client:
            try: client.completions.create(**human, extra_body={"top_p": 0.5})
            except BadRequestError as error: print("top_p" in str(error))
        """,
        "True",
    ),
    "a parameter that was removed is an error": (
        """
        try: client.completions.create(**given, top_p=0.5)
        except TypeError as error: print("top_p" in str(error))
        """,
        "True",
    ),
    "the generated request has the parameters that there are": (
        """
        from anthropic_completions_api.models import CompletionRequest
        made = CompletionRequest(**given, seed=3)
        print(made.to_dict()["seed"], hasattr(made, "top_p"))
        """,
        "3 False",
    ),
    "the generated reply has a reply field": (
        "from anthropic_completions_api.models import Completion; print(Completion.from_dict(REPLY).cost)",
        "2",
    ),
}


def run_probes(
    project: Path, steps: Sequence[tuple[str, str | None]] = (("", None),), **environment: str
) -> list[dict[str, str]]:
    """Return what the probes print, for each file that has another text than it should; all of it for one."""
    probes = {
        name: (MAKE_CLIENT + textwrap.dedent(code), expected) for name, (code, expected) in PROBES.items()
    }
    done = python(project, str(PROBING), given=json.dumps([probes, steps]), **environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def found(project: Path) -> dict[str, str]:
    return run_probes(project)[0]


@pytest.mark.parametrize("probe", PROBES)
def test_a_change_of_the_contract_reaches_everything(found: dict[str, str], probe: str) -> None:
    assert found[probe] == PROBES[probe][1]


def undone(project: Path) -> Iterator[tuple[str, str]]:
    """Yield a file, and its text without one step: without the file as made, or one passage of a module."""
    for path in sorted((project / "generated").rglob("*")):
        name = path.relative_to(project)
        if path.suffix in (".py", ".json") and path.read_bytes() != (ROOT / name).read_bytes():
            yield str(name), (ROOT / name).read_text(encoding="utf-8")
    for name in CARRIED:
        old = (ROOT / name).read_text(encoding="utf-8").splitlines(keepends=True)
        new = (project / name).read_text(encoding="utf-8").splitlines(keepends=True)
        yield name, "".join(old)
        for kind, start, end, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind != "equal" and REFUSED_BEFORE not in "".join(old[start:end]):
                print(f"{name}:{begin + 1}", *new[begin:stop], *old[start:end])  # shown where a test fails
                yield name, "".join([*new[:begin], *old[start:end], *new[stop:]])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_step_of_the_carrying_can_be_left_out(project: Path, found: dict[str, str]) -> None:
    steps = list(undone(project))
    assert {*CARRIED, "generated/anthropic_completions_api/openapi.json"} <= {name for name, _ in steps}
    printed = run_probes(project, steps, PYTHONDONTWRITEBYTECODE="1")
    unnoticed = [step for step, lines in zip(steps, printed, strict=True) if lines == found]
    assert unnoticed == []
    assert run_probes(project) == [found]


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
        "from anthropic_completions_api.models import KnownBeta, KnownModel\n"
        "model: KnownModel = 'claude-new-9'\n"
        "beta: KnownBeta = 'new-beta-2030-01-01'\n"
        "other: KnownModel = 'unheard-of'\n"
        "another: KnownBeta = 'unheard-of'\n"
    )
    # Of other packages, none of these types is; without them it takes half as long.
    options = [
        "--strict",
        "--no-incremental",
        "--config-file=",
        "--follow-imports=silent",
        "--no-site-packages",
    ]
    done = python(project, "-m", "mypy", *options, str(program))
    errors = [line for line in done.stdout.splitlines() if re.match(r".*program.py:\d+: error", line)]
    wrong = {line.split(":")[1] for line in errors}
    assert wrong == {"8", "9", "14", "15"}, done.stdout[:2000]


def test_the_command_line_sets_a_parameter(project: Path) -> None:
    words = ["complete", "--show-request", "--set", "seed=3", "Hi"]
    done = python(project, "-m", "anthropic_completions", *words)
    assert '"seed":3' in done.stdout, done.stderr


def test_nothing_is_left_to_generate(project: Path) -> None:
    assert script(project, "generate.py", "--check").returncode == 0


def test_the_check_names_the_place_where_a_person_decides(project: Path) -> None:
    done = script(project, "check_places.py")
    assert done.returncode == 1
    assert (
        "messages/_requests.py: CARRIED: say how Messages carries the request's field 'seed'" in done.stderr
    )
    assert "take out 'top_p'" in done.stderr
