"""The archive of contract and vectors for other languages."""

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def packed(folder: Path) -> Path:
    command = [sys.executable, str(ROOT / "scripts" / "dist_contract.py"), str(folder)]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, encoding="utf-8", check=True)
    return Path(done.stdout.strip())


def test_the_archive_is_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = packed(tmp_path / "a"), packed(tmp_path / "b")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)  # gzip's time, which two runs in one second share
    with tarfile.open(first) as archive:
        assert {(entry.mtime, entry.uid, entry.mode) for entry in archive} == {(0, 0, 0o644)}


def test_the_archive_holds_contract_and_vectors_with_their_checksums(tmp_path: Path) -> None:
    path = packed(tmp_path / "a")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / path.name.removesuffix(".tar.gz")
    names = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    vectors = {f"vectors/{file.name}" for file in (ROOT / "tests" / "vectors").iterdir()}
    assert names == {"LICENSE", "SHA256SUMS", "openapi.json", "openapi.yaml", *vectors}

    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    assert sums == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names - {"SHA256SUMS"}
    }
    contract = yaml.safe_load((folder / "openapi.yaml").read_text("utf-8"))
    assert json.loads((folder / "openapi.json").read_text("utf-8")) == contract
    assert contract == yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
