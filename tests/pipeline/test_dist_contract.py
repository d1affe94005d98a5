"""The archive of the contract, its variants, the vectors and the examples for other languages."""

import copy
import hashlib
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from oas_patch.overlay import apply_overlay
from openapi_spec_validator import validate

from anthropic_completions._contract.generated import contract

ROOT = Path(__file__).resolve().parents[2]


CONTRACT = contract()


def packed(folder: Path, *arguments: str) -> Path:
    """Pack with nothing but the standard library: no site packages, no environment."""
    command = [sys.executable, "-S", "-E", str(ROOT / "scripts/dist_contract.py"), "--into", str(folder)]
    done = subprocess.run(
        [*command, *arguments], cwd=folder.parent, capture_output=True, encoding="utf-8", check=True
    )
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an archive that was unpacked by tar."""
    folder = tmp_path_factory.mktemp("archive")
    path = packed(folder / "packed")
    with tarfile.open(path) as files:
        files.extractall(folder, filter="data")
    return folder / path.name.removesuffix(".tar.gz")


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_archive_is_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = packed(tmp_path / "a"), packed(tmp_path / "b")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)  # gzip's time, which two runs in one second share
    with tarfile.open(first) as files:
        assert {(entry.mtime, entry.uid, entry.mode) for entry in files} == {(0, 0, 0o644)}


def test_the_archive_holds_all_that_it_names_with_checksums(archive: Path) -> None:
    names = {str(file.relative_to(archive)) for file in archive.rglob("*") if file.is_file()}
    vectors = {f"vectors/{file.name}" for file in (ROOT / "tests" / "vectors").iterdir()}
    assert names >= vectors | {
        *("LICENSE", "README.md", "SHA256SUMS", "VERSION", "languages.md", "openapi.json", "openapi.yaml"),
        *("flat/openapi-3.0.json", "flat/openapi-3.1.json"),
        *("overlays/flat.json", "overlays/openapi-3.0.json", "overlays/python.yaml"),
        *("languages/run.sh", "languages/server.py", "languages/go/completions.go"),
        *("languages/kotlin/pom.xml", "generators/run.py", "generators/ogen/main.go"),
    }
    assert not [name for name in names if "node_modules" in name or "/build/" in name or "/target/" in name]

    lines = (archive / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    assert sums == {
        name: hashlib.sha256((archive / name).read_bytes()).hexdigest() for name in names - {"SHA256SUMS"}
    }
    assert read(archive / "openapi.json") == CONTRACT
    written = (archive / "openapi.yaml").read_text("utf-8")
    assert written == (ROOT / "openapi.yaml").read_text("utf-8")


def test_the_version_and_the_day_are_told(archive: Path) -> None:
    told = yaml.safe_load((archive / "VERSION").read_text("utf-8"))
    assert archive.name.endswith(f"-{told['version']}")
    assert str(told["date"]) == CONTRACT["components"]["schemas"]["KnownModel"]["x-models-as-of"]


def test_the_links_of_the_archive_lead_somewhere(archive: Path) -> None:
    links = [
        (page, link)
        for page in archive.rglob("*.md")
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
        if not link.startswith("https://")
    ]
    assert len(links) > 10
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_what_is_unpacked_again_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    packed(tmp_path / "a", "--unpack", str(folder))
    (folder / "openapi.json").write_text("{}")
    (folder / "old.txt").touch()
    made = folder / "languages" / "go" / "build" / "made"
    made.parent.mkdir()
    made.touch()
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.go")}
    packed(tmp_path / "a", "--unpack", str(folder))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.go")} == times
    assert read(folder / "openapi.json") == CONTRACT
    assert made.exists()
    assert not (folder / "old.txt").exists()


def test_the_flattened_contracts_are_what_an_overlay_tool_makes_of_them(archive: Path) -> None:
    # The tool changes what it is given.
    flat = apply_overlay(copy.deepcopy(CONTRACT), read(archive / "overlays/flat.json"))
    assert read(archive / "flat/openapi-3.1.json") == flat
    in_3_0 = apply_overlay(copy.deepcopy(flat), read(archive / "overlays/openapi-3.0.json"))
    assert read(archive / "flat/openapi-3.0.json") == in_3_0


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_a_flattened_contract_is_valid_and_free_of_what_stumbles(archive: Path, version: str) -> None:
    flat = read(archive / f"flat/openapi-{version}.json")
    validate(flat)
    assert flat["openapi"].startswith(version)
    assert flat["components"]["parameters"]["AnthropicBetas"]["schema"] == {"type": "string"}
    unwanted = {"anyOf", "oneOf", "default", "contentSchema"}
    if version == "3.0":
        unwanted |= {"const", "examples", "contentMediaType"}
    assert [path for path in keywords(flat["components"]) if path[-1] in unwanted] == []


def keywords(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each key that is no extension, no example of a body and no name of a property."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if not key.startswith("x-") and not (key == "examples" and isinstance(value, dict)):
            yield (*path, key)
            yield from keywords(value, (*path, key))


@pytest.mark.parametrize("version", ["3.0", "3.1"])
@pytest.mark.parametrize("name", ["CompletionRequest", "Completion", "CompletionChunk", "Error"])
def test_a_flattened_schema_says_the_same_of_each_vector(archive: Path, version: str, name: str) -> None:
    """Of requests and replies alike, but for the stop reason, which the flattened one does not require."""
    flat = read(archive / f"flat/openapi-{version}.json")
    if version == "3.0":
        nullable(flat["components"])
    bodies = [case["request"]["body"] for case in read(archive / "vectors/requests.json")["requests"]]
    for case in read(archive / "vectors/replies.json")["replies"]:
        body = case["reply"]["body"]
        bodies += [body["json"]] if isinstance(body, dict) and "json" in body else []
    full, changed = (
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})
        for document in (CONTRACT, flat)
    )
    different = [body for body in bodies if full.is_valid(body) != changed.is_valid(body)]
    assert all(name == "Completion" and "stop_reason" not in body for body in different)
    assert len({full.is_valid(body) for body in bodies}) == 2


def nullable(node: Any) -> None:
    """Turn OpenAPI 3.0's flag into JSON Schema's type."""
    if isinstance(node, dict):
        if node.pop("nullable", False):
            node["type"] = [node["type"], "null"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            nullable(item)


def test_an_overlay_that_does_not_fit_is_refused() -> None:
    code = "import json, sys, overlay; overlay.applied({'info': {}}, json.loads(sys.argv[1]))"
    for target, reason in (("$.info.title", "is not in the contract"), ("$..title", "expected a plain path")):
        document = json.dumps({"actions": [{"target": target, "remove": True}]})
        done = subprocess.run(
            [sys.executable, "-c", code, document],
            cwd=ROOT / "scripts",
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 1
        assert reason in done.stderr
