"""Try generators with the contract, and print what came of it as a table.

    python tests/generators/run.py [GENERATOR ...]

Each one generates a client, compiles it, sends one plain call with two betas to a server here, and reads a
reply with a model and a field that the contract does not know: first with the contract as it is, then,
where that fails, with the flattened one, in OpenAPI 3.1 and in 3.0. It takes the contract from its archive:
the one that it is in, or one that it packs into build/generators. Tools are fetched by their own package
managers, at the versions that are written here. The exit status is 1 where the outcome is not the one that
`expected.json` has; --write writes that file, and the table to languages.md.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from matrix import (
    ARCHIVE,
    BUILD,
    GENERATORS,
    HERE,
    IN_ARCHIVE,
    JAR,
    OPENAPI_GENERATOR,
    Command,
    Generator,
    variant,
)

PAGE = HERE.parent / "languages.md" if IN_ARCHIVE else HERE.parents[1] / "docs" / "languages.md"
CONTRACTS = {
    "as it is": "openapi.json",
    "flattened": "flat/openapi-3.1.json",
    "flattened, OpenAPI 3.0": "flat/openapi-3.0.json",
}
BETAS = "context-1m-2025-08-07,of-tomorrow-2030-01-01"
PROMPT = "\n\nHuman: Hello\n\nAssistant:"
REPLY = {
    "type": "completion",
    "id": "compl_1",
    "completion": " Hi",
    "model": "claude-of-tomorrow",
    "stop_reason": "of_tomorrow",
    "stop": None,
    "mood": {"value": 3},
}


@dataclass
class Server:
    """Answers every call, and keeps the last one."""

    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def start(self) -> str:
        """Serve on a free port and return the address."""
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.headers = {name.lower(): value for name, value in self.headers.items()}
                kept.body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
                content = json.dumps(REPLY).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"


class Step(Exception):
    """A step failed; its name and what was said."""


def run(step: str, commands: Iterator[Command], folder: Path, **environment: str) -> str:
    """Run commands in turn and return what the last one printed."""
    printed = ""
    for command in commands:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=3600,
            check=False,
        )
        if done.returncode:
            raise Step(step, (done.stdout + done.stderr)[-2000:])
        printed = done.stdout
    return printed


def tried(generator: Generator, contract: str, server: Server, url: str, folder: Path) -> dict[str, Any]:
    """Try a generator with one variant of the contract."""
    file = ARCHIVE / CONTRACTS[contract]
    shutil.rmtree(folder / "made", ignore_errors=True)
    for place in (folder, folder / "src/main/kotlin"):
        for source in [*place.glob("*_as_it_is.*"), *place.glob("*_flattened.*")]:
            source.unlink()
    for source in (HERE / generator.folder).glob(f"*_{variant(contract)}.*"):
        shutil.copy(source, folder / "src/main/kotlin" if source.suffix == ".kt" else folder)
    environment = {"URL": url, "BETAS": BETAS, "PROMPT": PROMPT, "CONTRACT": contract, "INPUT": str(file)}
    run("generate", generator.generate(file), folder, **environment)
    only_driver(generator, folder)
    run("compile", generator.compile(), folder, **environment)
    server.headers, server.body = {}, None
    said = json.loads(run("call", iter([generator.drive()]), folder, **environment).splitlines()[-1])
    betas = ",".join(beta.strip() for beta in server.headers.get("anthropic-beta", "").split(","))
    besides = sorted(set(server.body) - {"model", "max_tokens_to_sample", "prompt"})
    if betas != BETAS:
        raise Step("call", f"anthropic-beta is {server.headers.get('anthropic-beta')!r}")
    if (said["completion"], said["model"]) != (REPLY["completion"], REPLY["model"]):
        raise Step("read", str(said))
    return {"contract": contract, "sent besides": besides, "unknown field": said["mood"] == REPLY["mood"]}


def only_driver(generator: Generator, folder: Path) -> None:
    """Leave the drivers of the other generators, and what was made for tests, out of the compilation."""
    if generator.folder == "typescript":
        source = {"@hey-api/openapi-ts": "hey-api", "orval": "orval"}.get(generator.name, "openapi-generator")
        options = json.loads((HERE / "typescript/tsconfig.json").read_text("utf-8"))
        (folder / "tsconfig.json").write_text(json.dumps({**options, "files": [f"{source}.ts"]}))
    for tests in (folder / "made/test", folder / "made/src/test"):
        shutil.rmtree(tests, ignore_errors=True)


def outcome(generator: Generator, server: Server, url: str) -> dict[str, Any]:
    """Try a generator with each variant of the contract until one works."""
    folder = BUILD / generator.name.replace("/", "-").replace(" ", "-").removeprefix("@")
    shutil.copytree(HERE / generator.folder, folder, dirs_exist_ok=True)
    run("set up", generator.set_up(folder), folder)
    failures: dict[str, str] = {}
    for contract in CONTRACTS:
        try:
            return {**tried(generator, contract, server, url, folder), "failed before": failures}
        except Step as error:
            step, said = error.args
            print(f"{generator.name}, {contract}: {step} failed\n{said}\n", file=sys.stderr, flush=True)
            failures[contract] = step
        except (ValueError, IndexError, KeyError) as error:
            print(f"{generator.name}, {contract}: {error!r}", file=sys.stderr, flush=True)
            failures[contract] = "call"
    return {"contract": None, "failed before": failures}


def table(outcomes: dict[str, dict[str, Any]]) -> str:
    """Return the outcomes as a table of Markdown."""
    rows = [
        "| generator | contract that works | fails with others | sent besides | unknown field of a reply |",
        "| --- | --- | --- | --- | --- |",
    ]
    versions = {generator.name: generator.version for generator in GENERATORS}
    for name, found in outcomes.items():
        failed = "; ".join(f"{contract}: {step}" for contract, step in found["failed before"].items()) or "-"
        if found["contract"] is None:
            rows.append(f"| {name} {versions[name]} | none | {failed} | - | - |")
        else:
            besides = ", ".join(f"`{field}`" for field in found["sent besides"]) or "nothing"
            kept = "kept" if found["unknown field"] else "lost"
            rows.append(f"| {name} {versions[name]} | {found['contract']} | {failed} | {besides} | {kept} |")
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    """Print the table and return the exit status."""
    names = [generator.name for generator in GENERATORS]
    if unknown := [name for name in arguments if name not in {*names, "--write"}]:
        sys.exit(f"expected names of generators ({', '.join(map(repr, names))}), got {unknown[0]!r}")
    BUILD.mkdir(parents=True, exist_ok=True)
    if not IN_ARCHIVE:
        script = str(HERE.parents[1] / "scripts" / "dist_contract.py")
        run("pack", iter([[sys.executable, script, "--into", str(BUILD), "--unpack", str(ARCHIVE)]]), BUILD)
    server = Server()
    url = server.start()
    outcomes = {}
    for generator in GENERATORS:
        if arguments and not {generator.name, "--write"} & set(arguments):
            continue
        lacking = [tool for tool in generator.tools if not shutil.which(tool)]
        if lacking:
            print(f"{generator.name}: skipped, as {lacking[0]} is not here")
            continue
        if "java" in generator.tools and not JAR.exists():
            artifact = f"org.openapitools:openapi-generator-cli:{OPENAPI_GENERATOR}"
            command = [
                "mvn",
                "-q",
                "-B",
                "dependency:copy",
                f"-Dartifact={artifact}",
                f"-DoutputDirectory={BUILD}",
            ]
            run("fetch", iter([command]), BUILD)
        print(f"{generator.name}: generating, compiling, calling", flush=True)
        outcomes[generator.name] = outcome(generator, server, url)
    print(table(outcomes))
    expected = HERE / "expected.json"
    if "--write" in arguments:
        expected.write_text(json.dumps(outcomes, indent=2) + "\n", encoding="utf-8")
        begin, end = "<!-- make test-generators -->\n", "<!-- end -->"
        before, _, rest = PAGE.read_text("utf-8").partition(begin)
        after = rest.partition(end)[2]
        PAGE.write_text(f"{before}{begin}{table(outcomes)}\n{end}{after}", encoding="utf-8")
        return 0
    wanted = json.loads(expected.read_text("utf-8"))
    changed = [name for name, found in outcomes.items() if wanted.get(name) != found]
    for name in changed:
        print(f"{name}: expected {wanted.get(name)}, found {outcomes[name]}", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
