"""Pack the contract and the vectors for other languages: the same bytes wherever and whenever it is run.

Prints the path of the archive. In it, SHA256SUMS is what `sha256sum --check` reads.
"""

import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "contract"


def version() -> str:
    """Return the version of the package, which is the archive's too."""
    text = (ROOT / "overlays/anthropic_completions/_version.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "(.+)"', text)
    assert found
    return found[1]


def contents() -> dict[str, bytes]:
    """Return the archive's files by their names in it."""
    bundled = ROOT / "generated/anthropic_completions_api/openapi.json"
    files = {"LICENSE": ROOT / "LICENSE", "openapi.json": bundled, "openapi.yaml": ROOT / "openapi.yaml"}
    folder = ROOT / "tests" / "vectors"
    files |= {f"vectors/{path.name}": path for path in folder.iterdir() if path.suffix in (".json", ".md")}
    found = {name: path.read_bytes() for name, path in sorted(files.items())}
    if json.loads(found["openapi.json"]) != yaml.safe_load(found["openapi.yaml"]):
        sys.exit("generated/ is not what openapi.yaml gives. To mend it: make generate")
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


def main() -> None:
    """Write the archive to build/contract, or to the folder that is named."""
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    name = f"anthropic-completions-contract-{version()}"
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{name}.tar.gz"
    path.write_bytes(pack(name, contents()))
    print(path)


if __name__ == "__main__":
    main()
