"""A release is the same bytes wherever it is made, and holds what it should.

Run by `make test-release`, which makes the environments of a release first.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".venvs"
VERSION = re.findall(r'"(.+)"', (ROOT / "overlays/anthropic_completions/_version.py").read_text("utf-8"))[0]

pytestmark = pytest.mark.timeout(300)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout


def released(clone: Path, umask: int, **environment: str) -> Path:
    """Make a release in a clone, with what differs from machine to machine, and return its folder."""
    command = [str(TOOLS / "release" / "bin" / "python"), "scripts/release.py", VERSION]
    # Also where files were written at another time.
    for path in clone.rglob("*.py"):
        os.utime(path, (umask, umask))
    done = subprocess.run(
        command,
        cwd=clone,
        env={**os.environ, **environment},
        umask=umask,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing was published." in done.stdout
    return clone / "dist"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two releases of the same commit, in two folders."""
    first = tmp_path_factory.mktemp("first") / "clone"
    git(ROOT, "clone", "--quiet", "--no-local", str(ROOT), str(first))
    for tag in git(first, "tag", "--list", f"v{VERSION}").split():
        git(first, "tag", "--delete", tag)
    changelog = first / "CHANGELOG.md"
    text = changelog.read_text("utf-8")
    if f"## [{VERSION}] - " not in text:
        changelog.write_text(text.replace("## [Unreleased]", f"## [{VERSION}] - 2026-01-02", 1), "utf-8")
        git(first, "commit", "--all", "--quiet", "--message", f"Release {VERSION}")
    second = tmp_path_factory.mktemp("another-name") / "elsewhere"
    shutil.copytree(first, second, symlinks=True)
    for clone in (first, second):
        (clone / ".venvs").mkdir()
        (clone / ".venvs" / "parts").symlink_to(TOOLS / "parts")
    return [
        released(first, 0o022, TZ="UTC", LC_ALL="C"),
        released(second, 0o077, TZ="Asia/Kathmandu", LC_ALL="C.UTF-8"),
    ]


def contents(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_two_releases_are_the_same_bytes(releases: list[Path]) -> None:
    first, second = map(contents, releases)
    assert first == second
    name = f"anthropic_completions-{VERSION}"
    assert sorted(first) == sorted(
        [
            "NOTES.md",
            "SHA256SUMS",
            f"anthropic-completions-{VERSION}.cdx.json",
            f"{name}-py3-none-any.whl",
            f"{name}.tar.gz",
        ]
    )


def test_the_checksums_are_right(releases: list[Path]) -> None:
    found = contents(releases[0])
    lines = (releases[0] / "SHA256SUMS").read_text("utf-8").splitlines()
    assert dict(reversed(line.split("  ")) for line in lines) == {
        name: digest for name, digest in found.items() if name != "SHA256SUMS"
    }


def test_the_list_of_parts_names_what_the_wheel_brings(releases: list[Path]) -> None:
    (path,) = releases[0].glob("*.cdx.json")
    parts = json.loads(path.read_text("utf-8"))
    assert parts["bomFormat"] == "CycloneDX"
    assert parts["metadata"]["component"]["purl"] == f"pkg:pypi/anthropic-completions@{VERSION}"
    names = {part["name"] for part in parts["components"]}
    assert {"attrs", "httpx", "httpcore", "h11", "python-dateutil"} <= names
    assert not names & {"build", "pip", "pytest", "twine"}
    assert all(part["licenses"] for part in parts["components"])


def test_the_sdist_holds_tests_docs_and_nothing_of_the_machine(releases: list[Path]) -> None:
    (path,) = releases[0].glob("*.tar.gz")
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    assert {"docs/index.md", "tests/conftest.py", "Makefile", "RELEASING.md", "SECURITY.md"} <= names
    assert not [name for name in names if re.search(r"__pycache__|\.venv|\.git/|node_modules", name)]
    assert {(member.uname, member.uid) for member in members} == {("", 0)}
