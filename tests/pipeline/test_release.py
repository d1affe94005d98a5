"""When a release is refused. What one holds is tested in tests/release, by `make test-release`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("CHANGELOG.md", "overlays/anthropic_completions/_version.py", "scripts/release.py")
CHANGELOG = """# Changelog

## [Unreleased]

## [0.1.0] - 2026-01-02

### Added

- A [page](docs/page.md).

## [0.0.1] - 2025-01-02

- Old.
"""


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that a release could be made in, but for its package."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / FILES[1]).write_text('__version__ = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Release 0.1.0")
    return tmp_path


def release(repository: Path, *arguments: str) -> str:
    """Return what a refused release says."""
    command = [sys.executable, str(repository / "scripts/release.py"), *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("version", [[], ["1.0"], ["v0.1.0"], ["0.1.0; ls"]])
def test_without_a_version_of_three_numbers(repository: Path, version: list[str]) -> None:
    assert "make release VERSION=1.2.3" in release(repository, *version)


def test_of_another_version_than_the_packages(repository: Path) -> None:
    assert "_version.py: expected 0.2.0, found 0.1.0" in release(repository, "0.2.0")


@pytest.mark.parametrize("name", ["new.txt", "CHANGELOG.md"])
def test_of_a_tree_that_is_not_clean(repository: Path, name: str) -> None:
    (repository / name).write_text("x")
    assert name in release(repository, "0.1.0")


def test_of_a_tag_that_exists(repository: Path) -> None:
    git(repository, "tag", "v0.1.0")
    assert "The tag v0.1.0 exists already" in release(repository, "0.1.0")


@pytest.mark.parametrize(
    "heading", ["## [Unreleased]", "## [0.1.0]", "## [0.1.0] - soon", "## [0.1.0] - 2026-01-02\n\n## [0.0.9]"]
)
def test_of_which_the_changelog_says_nothing(repository: Path, heading: str) -> None:
    (repository / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n\n- A.\n")
    git(repository, "commit", "--all", "--quiet", "--message", "x")
    assert "CHANGELOG.md: expected a section '## [0.1.0] - YYYY-MM-DD'" in release(repository, "0.1.0")


def test_outside_of_a_repository(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    assert "a release is made in a clone of the repository" in release(repository, "0.1.0")


def test_removes_nothing_where_it_is_refused(repository: Path) -> None:
    (repository / "dist").mkdir()
    release(repository, "9.9.9")
    assert (repository / "dist").exists()


def test_the_notes_are_the_section_with_links_as_text(repository: Path) -> None:
    code = "import release; print(release.notes('0.1.0'), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repository / "scripts",
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == "# anthropic-completions 0.1.0\n\n### Added\n\n- A page.\n"
