"""What the contract is told of a newer anthropic package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from anthropic_completions._contract.generated import contract

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = contract()["components"]["schemas"]
MODELS, BETAS = SCHEMAS["KnownModel"]["enum"], SCHEMAS["KnownBeta"]["enum"]


def wheel(
    folder: Path,
    models: list[str] = MODELS,
    betas: list[str] = BETAS,
    days: dict[str, str] | None = None,
    table: str = "_data/deprecated_models.py",
) -> Path:
    """Write what is looked at of a package."""
    path = folder / "anthropic-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "anthropic/types/model_param.py", f"ModelParam = Union[Literal[{str(models)[1:-1]}], str]"
        )
        file.writestr(
            "anthropic/types/anthropic_beta_param.py", f"B = Union[str, Literal[{str(betas)[1:-1]}]]"
        )
        source = f"import nothing_that_exists\nDEPRECATED_MODELS: Dict[str, str] = {days or {}}"
        file.writestr(f"anthropic/{table}", source)
    return path


def check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/check_upstream.py"), str(path)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_what_the_contract_knows_is_no_difference(tmp_path: Path) -> None:
    days = {"claude-opus-4-1-20250805": "August 5th, 2026", "claude-next": "soon"}
    done = check(wheel(tmp_path, days=days))
    assert done.stdout.startswith("anthropic-9.9.9: no differences")
    assert done.returncode == 0


@pytest.mark.parametrize("table", ["_data/deprecated_models.py", "resources/messages/messages.py"])
def test_each_difference_is_told_with_its_line(tmp_path: Path, table: str) -> None:
    contract = (ROOT / "openapi.yaml").read_bytes()
    days = {"claude-opus-4-1-20250805": "August 22nd, 2026", "claude-opus-4-8": "June 1st, 2027"}
    done = check(wheel(tmp_path, [*MODELS, "claude-new"], [*BETAS, "new-2030-01-01"], days, table))
    assert "add below x-models\n        claude-new:\n" in done.stdout
    assert "add to KnownBeta\n        - new-2030-01-01\n" in done.stdout
    assert "another last day than 2026-08-05: change its entry to\n" in done.stdout
    assert '          retired: "2026-08-22"\n' in done.stdout
    assert "claude-opus-4-8 has a last day: add to its entry below x-models\n" in done.stdout
    assert "anthropic-9.9.9: 4 differences; nothing was changed" in done.stdout
    assert done.returncode == 1
    assert (ROOT / "openapi.yaml").read_bytes() == contract


def test_a_package_that_was_rearranged_is_told(tmp_path: Path) -> None:
    done = check(wheel(tmp_path, table="elsewhere.py"))
    assert done.returncode == 2
    assert "has no DEPRECATED_MODELS: the package was rearranged" in done.stderr


def test_what_pip_says_is_passed_on_where_it_fetches_nothing(tmp_path: Path) -> None:
    script = str(ROOT / "scripts/check_upstream.py")
    environment = {
        "PIP_INDEX_URL": f"file://{tmp_path}",
        "PIP_CONFIG_FILE": "/dev/null",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("check-upstream: pip could not fetch the package: ")
