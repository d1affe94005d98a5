"""What wheel and sdist hold."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh wheel and sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return folder


def sources(folder: str, package: str) -> set[str]:
    found = (
        path.relative_to(ROOT / folder) for path in (ROOT / folder / package).rglob("*") if path.is_file()
    )
    return {str(path) for path in found if "__pycache__" not in path.parts}


PACKAGES = [("overlays", "anthropic_completions"), ("generated", "anthropic_completions_api")]


def test_the_wheel_holds_both_packages_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == set.union(*(sources(*package) for package in PACKAGES))
    assert "anthropic_completions/py.typed" in names
    assert "anthropic_completions_api/py.typed" in names
    assert "anthropic_completions_api/openapi.json" in names


def test_the_sdist_holds_what_git_has(built: Path) -> None:
    """But for what only CI runs. So the wheel, the tests and the site can be made of it."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    kept = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if kept.returncode:
        pytest.skip("no git history is here")
    present = {name for name in kept.stdout.splitlines() if (ROOT / name).is_file()}
    assert names == {name for name in present if not name.startswith(".ci/")} | {"PKG-INFO"}


def test_the_readme_has_no_link_that_leads_nowhere_where_an_index_shows_it(built: Path) -> None:
    """Those to files stay text: the files are not there, and the repository has no address yet."""
    (wheel,) = built.glob("*.whl")
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
    text = archive.read(metadata).decode()
    shown = text.partition("\n\n")[2]
    headings = {re.sub(r"[^a-z0-9]+", "-", line.lower()) for line in re.findall(r"^#+ (.+)$", shown, re.M)}
    targets = re.findall(r"\]\(([^)]+)\)", shown)
    assert [target for target in targets if not target.startswith("https://")] == [
        target for target in targets if target.startswith("#") and target[1:] in headings
    ]
    assert "docs/migrating.md" in shown
    assert "source distribution" in shown
