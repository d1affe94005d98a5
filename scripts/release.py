"""Make a release in dist/, and publish nothing: release.py VERSION

Wheel, sdist, list of parts (CycloneDX), notes and checksums: the same bytes wherever it is run on the same
commit. The session `release` of noxfile.py runs it; RELEASING.md says what comes before and after.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
# The environment whose packages are the parts: what the wheel brings, and nothing else.
PARTS = ROOT / ".venvs" / "parts"
NAME = "anthropic-completions"
VERSION_FILE = "overlays/anthropic_completions/_version.py"
LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:|#)[^)]+\)")


def git(*arguments: str) -> str:
    """Return what git prints."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"git {arguments[0]} failed; a release is made in a clone of the repository.\n{done.stderr}")
    return done.stdout.strip()


def check(version: str) -> None:
    """Check that the tree is what the release is to be.

    Raises:
        SystemExit: It is not; the message says what to do.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        sys.exit(
            f"VERSION: expected one such as 1.2.3 or 1.2.3rc1, got {version!r}. make release VERSION=1.2.3"
        )
    stated = re.search(r'__version__ = "(.+)"', (ROOT / VERSION_FILE).read_text(encoding="utf-8"))
    if not stated or stated[1] != version:
        sys.exit(
            f"{VERSION_FILE}: expected {version}, found {stated and stated[1]}. Set it there and commit."
        )
    if changed := git("status", "--porcelain"):
        sys.exit(f"The tree is not clean; commit or remove:\n{changed}")
    if git("tag", "--list", f"v{version}"):
        sys.exit(f"The tag v{version} exists already. Raise the version in {VERSION_FILE}.")


def notes(version: str) -> str:
    """Return what the changelog says of a version, with links to files as text.

    Raises:
        SystemExit: It says nothing of it.
    """
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    dated = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |^\[|\Z)"
    section = re.search(dated, changelog, re.MULTILINE | re.DOTALL)
    if not section or not section[1].strip():
        sys.exit(
            f"CHANGELOG.md: expected a section '## [{version}] - YYYY-MM-DD' with text, found none. "
            "Rename [Unreleased] and put an empty one above it."
        )
    text = LINK.sub(r"\1", section[1].strip())
    return f"# {NAME} {version}\n\n{text}\n"


def tool(*arguments: str | Path, epoch: str) -> None:
    """Run a tool of this environment; exit with what it says where it fails."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{arguments[0]} failed; dist/ is no release.")


def list_parts(version: str, epoch: str) -> None:
    """Write the list of parts (SBOM): this package and the pinned packages that it was tested with."""
    path = DIST / f"{NAME}-{version}.cdx.json"
    options = ("--pyproject", "pyproject.toml", "--mc-type", "library", "--output-reproducible")
    tool("cyclonedx_py", "environment", *options, "--output-file", path, PARTS, epoch=epoch)
    parts = json.loads(path.read_text(encoding="utf-8"))
    # The version is not in pyproject.toml, but in the package.
    parts["metadata"]["component"] |= {"version": version, "purl": f"pkg:pypi/{NAME}@{version}"}
    path.write_text(json.dumps(parts, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Check, build, check what was built, and say what is there."""
    version = sys.argv[1] if len(sys.argv) > 1 else ""
    check(version)
    said = notes(version)
    # The time of the commit is that of all files.
    epoch = git("log", "-1", "--format=%ct")
    shutil.rmtree(DIST, ignore_errors=True)
    tool("build", "--no-isolation", "--outdir", DIST, epoch=epoch)
    built = sorted(DIST.iterdir())
    tool("twine", "check", "--strict", *built, epoch=epoch)
    list_parts(version, epoch)
    (DIST / "NOTES.md").write_text(said, encoding="utf-8", newline="\n")
    made = sorted(DIST.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (DIST / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")
    print(f"dist/SHA256SUMS of {git('rev-parse', '--short', 'HEAD')}:\n{''.join(sums)}Nothing was published.")


if __name__ == "__main__":
    main()
