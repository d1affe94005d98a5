"""Generate the wire package from the contract, or check that the committed one is up to date.

The output depends on the contract, the overlay document, the generator's options and the pinned tools;
not on the working folder, the locale, this project's settings or the environment.
"""

import filecmp
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi.yaml"
NAME = "anthropic_completions_api"
COMMITTED = ROOT / "generated" / NAME


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


def generate(folder: Path) -> Path:
    """Generate the package inside `folder` and return its path."""
    patched, output = folder / "patched.yaml", folder / NAME
    run("oas-patch", "overlay", CONTRACT, ROOT / "generator-overlay.yaml", "--output", patched, cwd=folder)
    run(
        *("openapi-python-client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", patched, "--config", ROOT / "generator-config.yml", "--output-path", output),
        cwd=folder,
    )
    (output / "py.typed").touch()
    contract = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
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


def main() -> None:
    """Replace the committed package, or with --check only compare it."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = generate(Path(folder))
        stale = drift(fresh, COMMITTED)
        if "--check" in sys.argv[1:]:
            if stale:
                listed = "\n".join(f"  generated/{NAME}/{name}" for name in stale)
                sys.exit(f"generated/ is not what openapi.yaml gives:\n{listed}\nTo mend it: make generate")
            return
        if stale:
            shutil.rmtree(COMMITTED, ignore_errors=True)
            shutil.copytree(fresh, COMMITTED)
        print(f"generated/{NAME}: {f'{len(stale)} files changed' if stale else 'up to date'}")


if __name__ == "__main__":
    main()
