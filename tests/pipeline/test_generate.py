"""`make generate` and `make check-generated`, run on a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(300)
PARTS = [
    "openapi.yaml",
    "generator-config.yml",
    "generator-overlay.yaml",
    "pyproject.toml",
    "scripts",
    "generated",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the pipeline reads and writes."""
    folder = tmp_path / "project"
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def run(
    project: Path, *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    script = project / "scripts" / "generate.py"
    return subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=cwd or project,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def contents(project: Path) -> dict[str, bytes]:
    generated = project / "generated"
    return {
        str(path.relative_to(generated)): path.read_bytes() for path in generated.rglob("*") if path.is_file()
    }


def edit(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_committed_output_is_what_the_contract_gives(project: Path) -> None:
    done = run(project, "--check")
    assert done.returncode == 0, done.stderr


def test_the_output_is_the_same_wherever_it_is_made(project: Path, tmp_path: Path) -> None:
    before = contents(project)
    shutil.rmtree(project / "generated" / "anthropic_completions_api")
    edit(project, "pyproject.toml", "line-length = 110", "line-length = 60")
    (tmp_path / "ruff.toml").write_text("line-length = 40\n")
    done = run(
        project,
        cwd=tmp_path,
        LC_ALL="C",
        LANG="de_DE",
        PYTHONUTF8="0",
        RUFF_LINE_LENGTH="50",
        TZ="Asia/Tokyo",
    )
    assert done.returncode == 0, done.stderr
    assert contents(project) == before


@pytest.mark.parametrize(
    ("after", "added", "module"),
    [
        ("        - claude-opus-4-8\n", "        - claude-of-tomorrow\n", "known_model.py"),
        ("        - pdfs-2024-09-25\n", "        - beta-of-tomorrow-2027-01-01\n", "known_beta.py"),
    ],
    ids=["model", "beta"],
)
def test_one_added_line_is_noticed_and_generated(project: Path, after: str, added: str, module: str) -> None:
    edit(project, "openapi.yaml", after, after + added)
    name = added.strip(" -\n")

    noticed = run(project, "--check")
    assert noticed.returncode != 0
    assert f"models/{module}" in noticed.stderr
    assert "To mend it: make generate" in noticed.stderr

    done = run(project)
    assert done.returncode == 0, done.stderr
    assert run(project, "--check").returncode == 0
    generated = project / "generated" / "anthropic_completions_api" / "models" / module
    assert f'"{name}"' in generated.read_text(encoding="utf-8")

    kind = "KnownModel" if module == "known_model.py" else "KnownBeta"
    known = project / "known.py"
    known.write_text(f"from anthropic_completions_api.models import {kind}\nnew: {kind} = {name!r}\n")
    assert mypy(project, known) == 0
    known.write_text(f"from anthropic_completions_api.models import {kind}\nnew: {kind} = 'unheard-of'\n")
    assert mypy(project, known) != 0


def mypy(project: Path, file: Path) -> int:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        str(file),
    ]
    environment = {**os.environ, "MYPYPATH": str(project / "generated")}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, check=False).returncode


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "content:\n          application/json:\n",
            "content:\n          application/x-nothing:\n",
            "application/x-nothing",
        ),
        ('$ref: "#/components/schemas/Metadata"', '$ref: "#/components/schemas/Missing"', "Missing"),
    ],
    ids=["content type", "dangling reference"],
)
def test_a_broken_contract_fails_and_changes_nothing(project: Path, old: str, new: str, message: str) -> None:
    before = contents(project)
    edit(project, "openapi.yaml", old, new)
    done = run(project)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert contents(project) == before
