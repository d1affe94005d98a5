"""Pack the contract and what other languages need beside it: the same bytes wherever and whenever it is run.

    python scripts/dist_contract.py [--into FOLDER] [--unpack FOLDER]

It needs Python 3.11 and nothing else. It prints the path of the archive; with --unpack it unpacks it too, and
leaves files that are the same untouched. In the archive, SHA256SUMS is what `sha256sum --check` reads.
"""

import argparse
import gzip
import hashlib
import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

from overlay import applied

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "contract"
TOOLS = ROOT / "tools" / "contract"
# What a language's own tools make in its folder.
MADE = {"build", "node_modules", "target", "__pycache__"}
# Links that lead elsewhere in the archive than in the project: file, old beginning, new one.
LINKS = (
    ("languages.md", "](../tests/", "]("),
    ("languages/", "](../../docs/languages.md", "](../languages.md"),
    ("generators/", "](../../docs/languages.md", "](../languages.md"),
    ("vectors/README.md", "](../../docs/languages.md", "](../languages.md"),
)


def version() -> str:
    """Return the version of the package, which is the archive's too."""
    text = (ROOT / "overlays/anthropic_completions/_version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "(.+)"', text)
    assert found
    return found[1]


def text_of(document: dict[str, Any]) -> bytes:
    """Return a document as JSON."""
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def variants(contract: dict[str, Any]) -> dict[str, bytes]:
    """Return the flattened contracts, and what is made of one for Rust, by their names in the archive."""
    flat, old, rust = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (
            TOOLS / "flat.overlay.json",
            TOOLS / "openapi-3.0.overlay.json",
            ROOT / "tests/languages/rust/overlay.json",
        )
    )
    flattened = applied(contract, flat)
    in_3_0 = applied(flattened, old)
    return {
        "flat/openapi-3.1.json": text_of(flattened),
        "flat/openapi-3.0.json": text_of(in_3_0),
        "languages/rust/openapi.json": text_of(applied(in_3_0, rust)),
    }


def contents() -> dict[str, bytes]:
    """Return the archive's files by their names in it."""
    # The bundled contract is the written one; `make check` holds the two together.
    bundled = ROOT / "generated/anthropic_completions_api/openapi.json"
    contract = json.loads(bundled.read_text(encoding="utf-8"))
    files = {
        "LICENSE": ROOT / "LICENSE",
        "README.md": TOOLS / "README.md",
        "languages.md": ROOT / "docs/languages.md",
        "openapi.json": bundled,
        "openapi.yaml": ROOT / "openapi.yaml",
        "overlays/flat.json": TOOLS / "flat.overlay.json",
        "overlays/openapi-3.0.json": TOOLS / "openapi-3.0.overlay.json",
        "overlays/python.yaml": ROOT / "generator-overlay.yaml",
    }
    for folder in ("vectors", "languages", "generators"):
        for path in (ROOT / "tests" / folder).rglob("*"):
            if path.is_file() and not MADE & set(path.relative_to(ROOT / "tests").parts):
                files[str(path.relative_to(ROOT / "tests"))] = path
    found = {name: path.read_bytes() for name, path in files.items()} | variants(contract)
    models = contract["components"]["schemas"]["KnownModel"]
    found["VERSION"] = (
        f"version: {version()}\ndate: {models['x-models-as-of']}\n"
        f"anthropic-version: {contract['info']['version']}\n"
    ).encode()
    for name, old, new in LINKS:
        for file in found:
            if file.startswith(name) and file.endswith(".md"):
                found[file] = found[file].replace(old.encode(), new.encode())
    found = dict(sorted(found.items()))
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in found.items())
    return {**found, "SHA256SUMS": sums.encode()}


def pack(name: str, files: dict[str, bytes]) -> bytes:
    """Return a tar.gz archive with the files in a folder `name`, without times and owners."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), mtime=0)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the archive's folder into another; what tools made there stays."""
    kept = set()
    with tarfile.open(archive) as files:
        for entry in files:
            path = folder / entry.name.partition("/")[2]
            opened = files.extractfile(entry)
            assert opened
            content = opened.read()
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            kept.add(path)
    for path in folder.rglob("*"):
        if path.is_file() and path not in kept and not MADE & set(path.relative_to(folder).parts):
            path.unlink()


def main() -> None:
    """Write the archive to build/contract, or to the folder that is named."""
    parser = argparse.ArgumentParser(description="Pack the contract and what other languages need beside it.")
    parser.add_argument("--into", type=Path, default=OUTPUT, help="where the archive goes; build/contract")
    parser.add_argument("--unpack", type=Path, help="a folder to unpack it into as well")
    arguments = parser.parse_args()
    name = f"anthropic-completions-contract-{version()}"
    arguments.into.mkdir(parents=True, exist_ok=True)
    path = arguments.into / f"{name}.tar.gz"
    path.write_bytes(pack(name, contents()))
    if arguments.unpack:
        unpack(path, arguments.unpack)
    print(path)


if __name__ == "__main__":
    main()
