"""`scripts/check_rooms.py` names files, folders and floors that have grown too large."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "check_rooms.py"
LAYERS = '[[tool.importlinter.contracts]]\ntype = "layers"\nlayers = {}\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project at the limits."""
    room = tmp_path / "overlays" / "package" / "room"
    room.mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    for name in ("__init__", *"abcdefghijk"):
        (room / f"{name}.py").write_text("a = 1\n" * 350)
    (tmp_path / "pyproject.toml").write_text(LAYERS.format([*"abcdefghij"]))
    return tmp_path


def check(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(project)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_project_at_the_limits_is_right(project: Path) -> None:
    assert (check(project).returncode, check(project).stderr) == (0, "")


@pytest.mark.parametrize(
    ("grow", "told"),
    [
        (
            lambda project: (project / "overlays/package/room/a.py").write_text("a = 1\n" * 351),
            "room/a.py:351: expected at most 350 lines, got 351",
        ),
        (
            lambda project: (project / "scripts/s.py").write_text("a = 1\n" * 400),
            "s.py:351: expected at most 350 lines, got 400",
        ),
        (
            lambda project: (project / "overlays/package/room/l.py").write_text(""),
            "room: expected at most 12 modules, got 13",
        ),
        (
            lambda project: (project / "pyproject.toml").write_text(LAYERS.format([*"abcdefghijk"])),
            "expected at most 10 layers, got 11",
        ),
    ],
    ids=["lines", "lines-of-a-script", "modules", "floors"],
)
def test_what_has_grown_is_named(project: Path, grow: Callable[[Path], object], told: str) -> None:
    grow(project)
    done = check(project)
    assert done.returncode == 1
    assert told in done.stderr
