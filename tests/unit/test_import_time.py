"""What importing the package and making a client load: little, and nothing that only a call needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = [
    *("anyio", "asyncio", "attr", "certifi", "click", "dateutil", "email", "httpcore", "httpx", "idna"),
    *("jsonschema", "logging", "msgspec", "rich", "socket", "ssl", "trio", "uvicorn", "yaml"),
    *("anthropic_completions_api", "anthropic_completions.testing", "anthropic_completions._http.exchange"),
]
USES = {
    "import": "import anthropic_completions",
    "names": "from anthropic_completions import types, resources, RateLimitError, HUMAN_PROMPT",
    "client": "from anthropic_completions import Anthropic; Anthropic(api_key='k', timeout=5).completions",
    "async client": (
        "from anthropic_completions import AsyncAnthropic\n"
        "client = AsyncAnthropic(api_key='k', default_headers={'x': '1'}).with_options(max_retries=1)\n"
        "repr(client), client.is_closed(), client.completions.with_raw_response"
    ),
}


def loaded_by(code: str) -> set[str]:
    """Return the names of the modules that some code loads, in a process of its own, without site."""
    paths = [path for path in sys.path if path and Path(path).exists()]
    script = (
        f"import sys; sys.path = {paths!r}\nbefore = set(sys.modules)\n{code}\n"
        "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-S", "-E", "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


OWN = {
    "anthropic_completions",
    *(
        f"anthropic_completions.{name}"
        for name in (
            *("_client", "_client.base", "_client.clients", "_errors", "_errors.base", "_errors.status"),
            "_errors.callers",  # gives each client a constructor of its own name
            *("_http", "_http.pool"),
            *("_options", "_options.markers", "_options.model_map", "_options.settings", "_options.urls"),
            *("_secrets", "_version"),
            *("types", "types.completion_create_params"),
            *("_moved", "_completion", "_pool"),  # one module, which pickles of 0.1.0 find by two names
        )
    ),
}


def test_importing_loads_these_modules_and_no_others() -> None:
    """Of this package these; of other packages none. A newcomer is put here with a reason."""
    loaded = loaded_by(USES["import"])
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == OWN


@pytest.mark.parametrize("use", USES)
def test_loads_nothing_that_only_a_call_needs(use: str) -> None:
    loaded = loaded_by(USES[use])
    assert "anthropic_completions" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_the_first_call_loads_what_it_needs_only() -> None:
    """The test before would find nothing were the modules called otherwise."""
    loaded = loaded_by(
        "import httpx\n"
        "from anthropic_completions import Anthropic, APIConnectionError\n"
        "def refuse(request): raise httpx.ConnectError('refused')\n"
        "http = httpx.Client(transport=httpx.MockTransport(refuse))\n"
        "client = Anthropic(api_key='k', base_url='http://localhost', http_client=http, max_retries=0)\n"
        "try: client.completions.create(\n"
        "    model='m', prompt='p', max_tokens_to_sample=1)\n"
        "except APIConnectionError: pass"
    )
    assert loaded >= {"httpx", "anthropic_completions_api", "anthropic_completions._http.exchange"}
    assert loaded.isdisjoint({"jsonschema", "yaml", "uvicorn", "dateutil", "anthropic_completions.testing"})
    assert loaded.isdisjoint({"anthropic_completions.messages", "anthropic_completions.messages._reader"})
    assert loaded.isdisjoint({"anthropic_completions.models", "anthropic_completions.prompts"})


def test_what_the_package_does_not_load_is_found_in_it_all_the_same() -> None:
    loaded = loaded_by("import anthropic_completions; anthropic_completions.prompts.parse")
    assert "anthropic_completions.prompts" in loaded
