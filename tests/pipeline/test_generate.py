"""`make generate` and `make check-generated`, run on a copy of the project."""

import os
import random
import shutil
import subprocess
import sys
import time
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
    "overlays",
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


def test_added_lines_are_noticed(project: Path) -> None:
    """What generating makes of such lines is tested with other changes, in `test_carry.py`."""
    edit(
        project,
        "openapi.yaml",
        "        - claude-opus-4-8\n",
        "        - claude-opus-4-8\n        - claude-new\n",
    )
    edit(
        project,
        "openapi.yaml",
        "        - pdfs-2024-09-25\n",
        "        - pdfs-2024-09-25\n        - beta-new\n",
    )

    noticed = run(project, "--check")
    assert noticed.returncode != 0
    assert "models/known_model.py" in noticed.stderr
    assert "models/known_beta.py" in noticed.stderr
    assert "To mend it: make generate" in noticed.stderr


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


# All of `make generate` but the generator, which takes its time: each run has an output of its own.
STAMPING = """
import shutil, sys
sys.path.insert(0, sys.argv[1])
import generate
def stamp(folder, contract):
    fresh = folder / generate.NAME
    shutil.copytree(generate.COMMITTED, fresh)
    for path in fresh.rglob("*.py"):
        path.write_text(sys.argv[2])
    return fresh
generate.generate, generate.carried = stamp, lambda folder, contract: {}
generate.main()
"""


def test_several_at_once_leave_whole_output(project: Path) -> None:
    """They take turns; one that is killed, waiting or at work, lets the next one in."""
    names = contents(project).keys()
    for number in range(2):
        running = [
            subprocess.Popen(
                [sys.executable, "-c", STAMPING, str(project / "scripts"), f"# {number} {one}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for one in range(3)
        ]
        time.sleep(random.random())
        running[0].kill()
        said = [process.communicate()[0] for process in running]
        assert [process.returncode for process in running[1:]] == [0, 0], said
        left = contents(project)
        assert left.keys() == names
        assert len({data for name, data in left.items() if name.endswith(".py")}) == 1
