"""What wheel and sdist hold."""

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


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = {f"{folder}/{name}" for folder, package in PACKAGES for name in sources(folder, package)}
    about = {
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "PKG-INFO",
        "pyproject.toml",
        "openapi.yaml",
        ".gitignore",
    }
    assert names == expected | about
