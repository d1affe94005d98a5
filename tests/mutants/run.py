"""Plant mistakes in copies of the clients and fail where the vectors let one pass.

    python tests/mutants/run.py [python] [go] [--list]

Go is left out where it is not installed, and said so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import go_client
import python_client
from mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
LISTS = {"python": python_client.MUTANTS, "go": go_client.MUTANTS}
GENERATED = ROOT / "build/languages/languages/go/build"
TIME = 600  # seconds that a run may take


def copied(folder: Path, *parts: str) -> None:
    """Copy folders of the project to another place."""
    for part in parts:
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "target")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)


def passes(command: list[str], cwd: Path, environment: dict[str, str]) -> bool:
    """Tell whether a command succeeds in time."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            timeout=TIME,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def python_passes(folder: Path) -> bool:
    """Run the vectors with the Python client of a folder; the blocking one, as the others share its code."""
    path = os.pathsep.join(str(folder / part) for part in ("overlays", "generated"))
    script = str(folder / "tests" / "mutants" / "python_vectors.py")
    return passes([sys.executable, script], folder, {"PYTHONPATH": path})


def go_passes(folder: Path) -> bool:
    """Build the Go client of a folder and run the vectors with it."""
    client = folder / "tests" / "languages" / "go"
    if not passes(["go", "build", "-buildvcs=false", "-o", "build/vectors", "."], client, {}):
        sys.exit("A mutant of the Go client does not compile; it shows nothing.")
    server = str(folder / "tests" / "languages" / "server.py")
    return passes([sys.executable, server, "build/vectors"], client, {})


def planted(mutant: Mutant, folder: Path) -> dict[Path, bytes]:
    """Plant a mistake; return what the files were. Where it is in the contract, that is interpreted.

    Otherwise the checks that `make generate` made of the contract without the mistake would come first.
    """
    before = mutant.plant(folder)
    if mutant.file == python_client.CONTRACT:
        checks = folder / python_client.CHECKS
        before[checks] = checks.read_bytes()
        uncertain = b"QUICK = dict.fromkeys(QUICK, is_completion_chunk)"
        checks.write_bytes(before[checks] + b"\n\ndef is_completion_chunk(value): return False\n" + uncertain)
    return before


PASSES: dict[str, Callable[[Path], bool]] = {"python": python_passes, "go": go_passes}
# Copies of the tests too, so that the project may change while this runs.
PARTS = {"python": ("overlays", "generated", "tests"), "go": ("tests/languages", "tests/vectors")}


def survivors(client: str, mutants: list[Mutant]) -> list[Mutant]:
    """Return the mistakes that the vectors let pass."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copied(folder, *PARTS[client])
        shutil.copy(ROOT / "pyproject.toml", folder)
        if client == "go":
            shutil.copytree(GENERATED, folder / "tests/languages/go/build")
        if not PASSES[client](folder):
            sys.exit(f"The {client} client does not pass the vectors as it is.")
        for number, mutant in enumerate(mutants, 1):
            before = planted(mutant, folder)
            passed = PASSES[client](folder)
            for path, content in before.items():
                path.write_bytes(content)
            print(
                f"{client} {number}/{len(mutants)} {'LET PASS' if passed else 'caught'}: {mutant.sentence}",
                flush=True,
            )
            found += [mutant] if passed else []
    return found


def main(arguments: list[str]) -> int:
    """Run the mutants of the clients that are named, or of all."""
    clients = [name for name in LISTS if name in arguments] or list(LISTS)
    if "--list" in arguments:
        for client in clients:
            print(*(f"{client}: {mutant.sentence}" for mutant in LISTS[client]), sep="\n")
        return 0
    if "go" in clients and not shutil.which("go"):
        print("go: skipped, as it is not here")
        clients.remove("go")
    if "go" in clients and not (GENERATED / "api").exists():
        sys.exit("The Go client is not generated. To do so: make test-languages")
    left = {client: survivors(client, LISTS[client]) for client in clients}
    total = sum(len(LISTS[client]) for client in clients)
    passed = sum(map(len, left.values()))
    for client, mutants in left.items():
        for mutant in mutants:
            print(f"let pass: {client}: {mutant.sentence} {mutant.file}: {mutant.old!r} -> {mutant.new!r}")
    print(f"{total - passed} mutants caught, {passed} let pass")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
