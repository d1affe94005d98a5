"""Every documented example and command is run, against the stand-in."""

import json
import os
import re
import subprocess
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest

from anthropic_completions import Anthropic, _options
from anthropic_completions.messages import LOSSES
from anthropic_completions.models import CURRENT, lifecycle
from anthropic_completions.testing import StandIn
from cli.forked import Forked, interpret

ROOT = Path(__file__).resolve().parents[2]
REPLY = " Hello! My name is Claude."
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md")),
    "RELEASING.md",
    "SECURITY.md",
    "generated/README.md",
    "tests/vectors/README.md",
]


def run(code: str, *, today: bool = True) -> str:
    """Run Python code with the stand-in as the service, and return what it prints.

    Args:
        code: The code.
        today: Whether it serves what the service serves by now, and not what it did in the endpoint's days.
    """
    with StandIn(today=today).serve() as url, TemporaryFile() as out, TemporaryFile() as errors:
        env = {**os.environ, "ANTHROPIC_API_KEY": "key", "ANTHROPIC_BASE_URL": url}
        with Path(os.devnull).open("rb") as nothing:
            files = [file.fileno() for file in (nothing, out, errors)]
            process = Forked([], files=files, cwd=Path.cwd(), env=env, first=partial(interpret, code))
        status = process.wait()
        for file in (out, errors):
            file.seek(0)
        assert status == 0, errors.read().decode()
        return out.read().decode()


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", ["plain", "streamed", "streamed_async"])
def test_an_example_prints_the_reply(name: str) -> None:
    assert run((ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")) == f"{REPLY}\n"


def test_the_demo_prints_the_reply_twice() -> None:
    printed = run((ROOT / "examples" / "demo.py").read_text(encoding="utf-8"))
    assert printed.splitlines().count(REPLY) == 2
    assert "ANTHROPIC_API_KEY=... make demo LIVE=1" in printed


def test_the_demo_asks_the_service_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE", "1")
    printed = run((ROOT / "examples" / "demo.py").read_text(encoding="utf-8"))
    assert "Asking the real service." in printed
    assert printed.splitlines().count(REPLY) == 2


def test_the_readmes_examples_run_in_order() -> None:
    code = blocks("README.md", "python")
    assert len(code) == 4
    printed = run("\n".join(code))
    assert printed == f"{REPLY}\n{REPLY}{REPLY} stop_sequence\n You said: How many toes do dogs have?\n"


def test_a_living_model_is_named_once_and_is_that_of_the_first_examples() -> None:
    import anthropic_completions

    assert lifecycle(CURRENT).status == "active"
    pages = [
        anthropic_completions.__doc__,
        *(blocks(page, "python")[0] for page in ("README.md", "docs/index.md")),
    ]
    pages += [
        (ROOT / "examples" / f"{name}.py").read_text() for name in ("plain", "streamed", "streamed_async")
    ]
    assert {*re.findall(r'model="(.*?)"', "\n".join(map(str, pages)))} == {CURRENT}


def test_the_start_pages_example_runs() -> None:
    assert [run(block) for block in blocks("docs/index.md", "python")] == [f"{REPLY}\n"]


def test_the_migration_pages_examples_run() -> None:
    # That of `restore` needs a modern `anthropic`: tests/restore runs it.
    code = [block for block in blocks("docs/migrating.md", "python") if "import anthropic\n" not in block]
    # The drop-in is for servers that still have the old endpoint.
    printed = [run(block, today=index > 0).splitlines() for index, block in enumerate(code)]
    assert printed == [
        [REPLY],
        [" You said: How many toes do dogs have? stop_sequence"],
        [
            r"prefill_refused '\n\nAssistant: My favourite colour is'",
            "sampling_refused 0.5",
        ],
        [],
        ["Answer briefly.", "human 'Hello'", "assistant 'Hi!'", "human 'How are you?'", "assistant ''"],
    ]


def test_the_bridge_pages_examples_run() -> None:
    sources = blocks("docs/bridge.md", "python")
    quiet = "import warnings\nwarnings.simplefilter('default')\n"
    model, answer, tokens = (run(quiet + source) for source in sources)
    assert (model, tokens) == ("claude-haiku-5-5\n", "5\n")
    assert answer.startswith(" You said: Is water wet?")  # the stand-in does as it is told by nobody


def test_the_bridge_page_lists_the_settings_with_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "bridge.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `?(\w*)`? ?\| .* \| (.*) \|$", text, re.MULTILINE)
    assert [name for name, _, _ in rows] == [
        "backend",
        "on_loss",
        "model_map",
        "prefill",
        "thinking_room",
        "learn",
    ]
    options = Anthropic(api_key="k")._options
    for name, variable, default in rows:
        assert str(getattr(options, name)) == {"no map": "None"}.get(default, default.strip("`"))
        assert variable == _options.settings._VARIABLES.get(name, "")


def test_the_variables_of_the_bridge_page_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    (lines,) = blocks("docs/bridge.md", "sh")
    for name, value in re.findall(r"^export (\w+)=(.*)$", lines, re.MULTILINE):
        monkeypatch.setenv(name, value.strip("'"))
    options = Anthropic(api_key="k")._options
    assert options.model_map is not None
    assert (options.backend, options.prefill) == ("messages", "instruct")
    assert options.model_map.get("claude-2.1") == "claude-haiku-5-5"


def test_the_migration_page_lists_the_losses() -> None:
    text = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    table = text.partition("## What cannot be carried over")[2]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", table, re.MULTILINE)
    assert rows == [(rule.id, rule.reason, rule.consequence) for rule in LOSSES.values()]


def test_the_packages_own_example_runs() -> None:
    import anthropic_completions

    assert anthropic_completions.__doc__
    code = re.findall(r"\n\n((?:    .*\n|\n)+)", anthropic_completions.__doc__)[0]
    assert run(re.sub(r"^    ", "", code, flags=re.MULTILINE)) == f"{REPLY}\n"


@pytest.mark.parametrize("page", PAGES)
def test_a_documented_make_target_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout
    targets = set(re.findall(r"make ([a-z0-9-]+)", listed))
    named = [
        word
        for call in re.findall(r"(?:\$ |`|\.\.\. )make ((?:[a-z0-9-]+ ?)+)", text)
        for word in call.split()
    ]
    assert set(named) <= targets
    assert named or not re.search(r"[$`] ?make ", text)


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_generated_clients_examples_run() -> None:
    code = blocks("docs/generated-client.md", "python")
    assert [run(block, today=False) for block in code] == [f"{REPLY}\n"] * 3


def test_what_the_generated_client_lacks_alone_is_so() -> None:
    """What docs/generated-client.md says of it; where the generator mends it, the page has to follow."""
    import httpx

    from anthropic_completions_api import AuthenticatedClient, Client
    from anthropic_completions_api.api.completions import create_completion
    from anthropic_completions_api.models import CompletionRequest, ErrorResponse

    good = {"type": "completion", "id": "i", "completion": "c", "stop_reason": None, "model": "m"}

    def alone(*reply: Any, **parts: Any) -> Any:
        transport = httpx.MockTransport(lambda request: httpx.Response(*reply, **parts))
        client = Client(base_url="http://h", httpx_args={"transport": transport})
        body = CompletionRequest(model="m", max_tokens_to_sample=1, prompt="p")
        return create_completion.sync(client=client, body=body)

    error = {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}
    assert isinstance(alone(400, json=error), ErrorResponse)
    for status in (529, 520):
        with pytest.raises(ValueError, match=f"{status} is not a valid HTTPStatus"):
            alone(status, json=error)
    with pytest.raises(KeyError):
        alone(200, json={name: value for name, value in good.items() if name != "id"})
    assert alone(200, json={**good, "completion": 1}).completion == 1
    with pytest.raises(json.JSONDecodeError):
        alone(200, html="<html>")
    assert "sk-secret" in repr(Client(base_url="http://h", headers={"x-api-key": "sk-secret"}))
    assert AuthenticatedClient(base_url="http://h", token="t").prefix == "Bearer"
