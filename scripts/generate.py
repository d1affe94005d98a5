"""Generate the wire package from the contract, or check that the committed one is up to date.

The output depends on the contract, the overlay document, the generator's options and the pinned tools;
not on the working folder, the locale, this project's settings or the environment.
"""

import copy
import filecmp
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from carry import carry
from documents import CONTRACT, read
from filelock import FileLock
from oas_patch.overlay import apply_overlay
from replacing import mend_folder, replace_folder, replace_text

ROOT = Path(__file__).resolve().parent.parent
NAME = "anthropic_completions_api"
COMMITTED = ROOT / "generated" / NAME
LOCK = ROOT / "build" / "generate.lock"


def run(*command: str | Path, cwd: Path) -> None:
    """Run one tool of this environment; exit with its output where it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RUFF_")}
    tools = sysconfig.get_path("scripts")
    environment = inherited | {
        "LC_ALL": "C.UTF-8",
        "PATH": f"{tools}{os.pathsep}{inherited.get('PATH', '')}",
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\n{command[0]} failed; nothing was changed.")


def generate(folder: Path, contract: dict[str, object]) -> Path:
    """Generate the package inside `folder` and return its path."""
    output = folder / NAME
    # As JSON, which the generator reads in a tenth of the time.
    patched = folder / "patched.json"
    overlay = read(ROOT / "generator-overlay.yaml")
    patched.write_text(json.dumps(apply_overlay(copy.deepcopy(contract), overlay)), encoding="utf-8")
    run(
        *("openapi-python-client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", patched, "--config", ROOT / "generator-config.yml", "--output-path", output),
        cwd=folder,
    )
    (output / "py.typed").touch()
    bundled = json.dumps(contract, ensure_ascii=False, indent=1) + "\n"
    (output / "openapi.json").write_text(bundled, encoding="utf-8", newline="\n")
    return output


def files(folder: Path) -> set[str]:
    """Return the paths of all files below `folder`, without Python's caches."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}


def drift(fresh: Path, committed: Path) -> list[str]:
    """Return the files that differ between the two folders or are missing in one."""
    names = files(fresh) | files(committed)
    _, different, missing = filecmp.cmpfiles(fresh, committed, sorted(names), shallow=False)
    return sorted(different + missing)


def carried(folder: Path, contract: dict[str, object]) -> dict[Path, str]:
    """Return the modules of the overlay that the contract makes, formatted, by their paths."""
    made = carry(contract, ROOT)
    for path, text in made.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    shutil.copy(ROOT / "pyproject.toml", folder)
    files = [folder / path for path in made]
    run("ruff", "check", "--no-cache", "--fix-only", "--quiet", *files, cwd=folder)
    run("ruff", "format", "--no-cache", "--quiet", *files, cwd=folder)
    return {path: (folder / path).read_text(encoding="utf-8") for path in made}


def main() -> None:
    """Replace what the contract makes, or with --check only compare it."""
    LOCK.parent.mkdir(exist_ok=True)
    # Two at once take turns. The lock ends with the program, however that ends.
    with FileLock(LOCK), tempfile.TemporaryDirectory() as temporary:
        mend_folder(COMMITTED)
        folder = Path(temporary)
        contract = read(CONTRACT)
        fresh = generate(folder, contract)
        stale = [f"generated/{NAME}/{name}" for name in drift(fresh, COMMITTED)]
        modules = carried(folder, contract)
        changed = {
            path: text
            for path, text in modules.items()
            if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
        }
        names = [*stale, *(str(path) for path in changed)]
        if "--check" in sys.argv[1:]:
            if names:
                listed = "\n".join(f"  {name}" for name in names)
                sys.exit(f"These are not what openapi.yaml gives:\n{listed}\nTo mend it: make generate")
            return
        if stale:
            replace_folder(COMMITTED, fresh)
        for path, text in changed.items():
            replace_text(ROOT / path, text)
        print(f"{len(names)} files changed" if names else "up to date")


if __name__ == "__main__":
    main()
