"""Replacing what is generated, killed at any moment, leaves the old or the new whole."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = str(ROOT / "scripts")
PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import replacing
folder = Path(sys.argv[2])
print("begun", flush=True)
for number in range(10**9):
    replacing.replace_folder(folder / "out", folder / ("ab"[number % 2]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in "ab":
        for number in range(40):
            path = tmp_path / name / f"package{number % 4}" / f"module{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name * 100, encoding="utf-8")
    return tmp_path


def whole(folder: Path) -> bool:
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.py")]
    return len(texts) == 40 and len(set(texts)) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is an instant without one")
def test_killed_at_any_moment_it_leaves_a_whole_folder(folder: Path) -> None:
    for _ in range(20):
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, SCRIPTS, str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert program.stdout is not None
        with program.stdout:
            assert program.stdout.readline() == "begun\n"
            if not (folder / "out").exists():
                time.sleep(0.2)
            time.sleep(random.random() * 0.03)
            program.kill()
            program.wait()
        assert whole(folder / "out")


def test_an_interruption_between_two_renames_is_mended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems that cannot exchange two folders in one step."""
    monkeypatch.syspath_prepend(SCRIPTS)
    import replacing

    monkeypatch.setattr(replacing, "_exchange", lambda one, other: False)
    replacing.replace_folder(folder / "out", folder / "a")
    replacing.replace_folder(folder / "out", folder / "b")
    assert whole(folder / "out")
    (folder / "out").rename(folder / ".out.old")
    (folder / ".out.new").mkdir()
    replacing.mend_folder(folder / "out")
    assert whole(folder / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "out"]
