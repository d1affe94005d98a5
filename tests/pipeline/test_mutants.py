"""The mistakes that `make test-vectors-mutants` plants: that they are many, and still fit the code."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "mutants"


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[object]]:
    monkeypatch.syspath_prepend(FOLDER)
    for name in ("mutant", "python_client", "go_client"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import go_client
    import python_client

    return {"python": python_client.MUTANTS, "go": go_client.MUTANTS}


def test_there_are_many_and_no_two_say_the_same(lists: dict[str, list[object]]) -> None:
    for mutants in lists.values():
        assert len(mutants) >= 40
        sentences = [mutant.sentence for mutant in mutants]
        assert sorted(set(sentences)) == sorted(sentences)


def test_each_can_be_planted(lists: dict[str, list[object]], tmp_path: Path) -> None:
    mutants = [mutant for mutants in lists.values() for mutant in mutants]
    for file in {file for mutant in mutants for file in [mutant.file, *(more[0] for more in mutant.more)]}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    for mutant in mutants:
        before = mutant.plant(tmp_path)
        assert all(path.read_bytes() != content for path, content in before.items()), mutant.sentence
        for path, content in before.items():
            path.write_bytes(content)


def test_what_is_not_there_is_told(lists: dict[str, list[object]], tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    mutant = type(lists["go"][0])
    for old in ("y", "x = 1"):
        with pytest.raises(LookupError, match="expected once, found"):
            mutant("A sentence.", "a.py", old, "z").plant(tmp_path)
