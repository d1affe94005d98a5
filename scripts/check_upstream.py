"""Compare the contract's models, betas and lifecycles with the newest anthropic package.

    python scripts/check_upstream.py [WHEEL]

It fetches the package with pip, from the index that pip is set up for, or reads the wheel that is named. It
runs none of the package. It prints, for each difference, the line to add to openapi.yaml or the date
to change, changes nothing, and exits with 1 where there are any, with 2 where the package could not be read.
"""

import ast
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from documents import read

ROOT = Path(__file__).resolve().parent.parent
MODELS, BETAS = "anthropic/types/model_param.py", "anthropic/types/anthropic_beta_param.py"
# The table of dates, where it was in one release or another.
DATES = ("anthropic/_data/deprecated_models.py", "anthropic/resources/messages/messages.py")


def fetched(folder: Path) -> Path:
    """Download the newest release and return its wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), "anthropic"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        fail(f"pip could not fetch the package: {done.stderr.strip() or 'it brought no wheel'}")
    return wheels[0]


def fail(reason: str) -> None:
    """Exit with a reason and status 2."""
    print(f"check-upstream: {reason}", file=sys.stderr)
    sys.exit(2)


def literals(source: str) -> list[str]:
    """Return the texts of the Literal types in a module, in their order."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id == "Literal"
        ):
            parts = [part.value for part in ast.walk(node.slice) if isinstance(part, ast.Constant)]
            found += [part for part in parts if isinstance(part, str)]
    return found


def dates(source: str) -> dict[str, date]:
    """Return the days of the table of deprecated models; those that are no day are left out."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Dict):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name) and target.id == "DEPRECATED_MODELS":
            for name, day in ast.literal_eval(node.value).items():
                words = str(day).replace(",", "").split()
                if len(words) == 3:
                    text = f"{words[0]} {words[1].rstrip('sndrth')} {words[2]}"
                    found[name] = datetime.strptime(text, "%B %d %Y").date()
    return found


def differences(contract: dict[str, Any], files: dict[str, str]) -> Iterator[str]:
    """Yield what to do about each difference."""
    schemas = contract["components"]["schemas"]
    known, entries = schemas["KnownModel"]["enum"], schemas["KnownModel"]["x-models"]
    for name in literals(files[MODELS]):
        if name not in known and name not in entries:
            yield f"a model that the contract does not know: add below x-models\n        {name}:"
    betas = schemas["KnownBeta"]["enum"]
    for name in literals(files[BETAS]):
        if name not in betas:
            yield f"a beta that the contract does not know: add to KnownBeta\n        - {name}"
    for name, day in dates(files[next(file for file in DATES if file in files)]).items():
        entry = entries.get(name, {})
        entry = entries.get(entry.get("alias_of"), entry)
        told = entry.get("retired")
        if told is None:
            yield f'{name} has a last day: add to its entry below x-models\n          retired: "{day}"'
        elif told != str(day):
            yield f'{name} has another last day than {told}: change its entry to\n          retired: "{day}"'


def main(arguments: list[str]) -> int:
    """Print the differences and return the exit status."""
    contract = read()
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(arguments[0]) if arguments else fetched(Path(folder))
        with zipfile.ZipFile(wheel) as content:
            wanted = {MODELS, BETAS, *DATES} & set(content.namelist())
            files = {name: content.read(name).decode() for name in wanted}
    lacking = sorted({MODELS, BETAS} - set(files))
    if not lacking and not any("DEPRECATED_MODELS" in files.get(name, "") for name in DATES):
        lacking = ["DEPRECATED_MODELS"]
    if lacking:
        fail(f"{wheel.name} has no {', '.join(lacking)}: the package was rearranged, so mend this script")
    files = {name: text for name, text in files.items() if name not in DATES or "DEPRECATED_MODELS" in text}
    found = list(differences(contract, files))
    heading = ""
    for difference in found:
        before, line = difference.split("\n")
        if before != heading:
            print(f"{before}")
        heading = before
        print(line)
    package = "-".join(wheel.name.split("-")[:2])
    print(f"{package}: {len(found) or 'no'} differences; nothing was changed. Then: make generate check test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
