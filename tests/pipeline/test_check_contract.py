"""What counts as a breaking change of the contract."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions._contract.generated import contract

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = contract()

pytestmark = [
    pytest.mark.skipif(not shutil.which("go"), reason="oasdiff needs Go, which is not here"),
    pytest.mark.skipif(
        not (ROOT / "build/tools/oasdiff").exists(),
        reason="oasdiff is not built; `make check-contract` builds it",
    ),
]

Edit = Callable[[dict[str, Any], dict[str, Any]], Any]


def check(folder: Path, edit: Edit) -> subprocess.CompletedProcess[str]:
    """Compare the contract with an edited copy; the edit gets the operation and the schemas."""
    base, changed = folder / "base.json", folder / "changed.json"
    base.write_text(json.dumps(CONTRACT))
    contract = json.loads(base.read_text())
    edit(contract["paths"]["/v1/complete"]["post"], contract["components"]["schemas"])
    changed.write_text(json.dumps(contract))
    command = [str(ROOT / "scripts" / "check_contract.sh"), str(base), str(changed)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def properties(schemas: dict[str, Any], name: str) -> Any:
    return schemas[name]["properties"]


BREAKING: dict[str, Edit] = {
    "a required field of the reply is removed": lambda _, schemas: (
        properties(schemas, "Completion").pop("id"),
        schemas["Completion"]["required"].remove("id"),
    ),
    "an optional field of the reply is removed": lambda _, schemas: properties(schemas, "Completion").pop(
        "stop"
    ),
    "a field of a chunk is removed": lambda _, schemas: properties(schemas, "CompletionChunk").pop(
        "stop_reason"
    ),
    "a field of the request is removed": lambda _, schemas: properties(schemas, "CompletionRequest").pop(
        "top_k"
    ),
    "a range is narrowed": lambda _, schemas: properties(schemas, "CompletionRequest")["temperature"].update(
        maximum=0.9
    ),
    "a bound is set": lambda _, schemas: properties(schemas, "CompletionRequest")[
        "max_tokens_to_sample"
    ].update(maximum=4096),
    "a field becomes required": lambda _, schemas: schemas["CompletionRequest"]["required"].append("top_k"),
    "a default changes": lambda _, schemas: properties(schemas, "CompletionRequest")["stream"].update(
        default=True
    ),
    "only known models are allowed": lambda _, schemas: schemas["Model"].update(enum=["claude-2.1"]),
    "only known stop reasons are allowed": lambda _, schemas: schemas["StopReason"].update(
        enum=["max_tokens"]
    ),
    "streams are removed": lambda operation, _: operation["responses"]["200"]["content"].pop(
        "text/event-stream"
    ),
    "a status is removed": lambda operation, _: operation["responses"].pop("529"),
    "a header of the reply is removed": lambda operation, _: operation["responses"]["200"]["headers"].pop(
        "request-id"
    ),
}
HARMLESS: dict[str, Edit] = {
    "nothing": lambda _operation, _schemas: None,
    "a model is added": lambda _, schemas: schemas["KnownModel"]["enum"].insert(0, "claude-new"),
    "a beta is added": lambda _, schemas: schemas["KnownBeta"]["enum"].append("new-2030-01-01"),
    "an optional field of the request is added": lambda _, schemas: properties(
        schemas, "CompletionRequest"
    ).update(mood={"type": "string"}),
    "a field of the reply is added": lambda _, schemas: properties(schemas, "Completion").update(
        mood={"type": "string"}
    ),
    "a range is widened": lambda _, schemas: properties(schemas, "CompletionRequest")["temperature"].update(
        maximum=2
    ),
    "a kind of error is added": lambda _, schemas: properties(schemas, "ErrorDetail")["type"][
        "x-statuses"
    ].update(teapot_error=418),
    "a description is changed": lambda _, schemas: schemas["Completion"].update(description="Text."),
}


@pytest.mark.parametrize("edit", BREAKING.values(), ids=BREAKING)
def test_a_breaking_change_is_reported(tmp_path: Path, edit: Edit) -> None:
    done = check(tmp_path, edit)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "POST /v1/complete" in done.stdout


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS)
def test_what_breaks_nothing_passes(tmp_path: Path, edit: Edit) -> None:
    done = check(tmp_path, edit)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_breaking_change_says_what_to_do_in_the_projects_verbs(tmp_path: Path) -> None:
    done = check(tmp_path, BREAKING["a field of the request is removed"])
    assert "take the change back in openapi.yaml" in done.stdout
    assert "make generate" in done.stdout
    assert "tools/oasdiff/declared.txt" in done.stdout


def test_without_a_history_one_sentence_says_what_to_name(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts" / "check_contract.sh", tmp_path / "scripts")
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    done = subprocess.run(["sh", script], env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no git history here" in done.stderr
    assert "make check-contract BASE=" in done.stderr
