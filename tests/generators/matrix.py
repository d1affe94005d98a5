"""The generators of the matrix: what each needs, and how it generates, compiles and is driven."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# This folder is a part of the contract's archive, or of the project, where the archive is packed first.
IN_ARCHIVE = (HERE.parent / "openapi.json").exists()
BUILD = HERE / "build" if IN_ARCHIVE else HERE.parents[1] / "build" / "generators"
ARCHIVE = HERE.parent if IN_ARCHIVE else BUILD / "archive"
OPENAPI_GENERATOR, OGEN, DATAMODEL = "7.25.0", "v1.24.0", "0.89.0"
JAR = BUILD / f"openapi-generator-cli-{OPENAPI_GENERATOR}.jar"

Command = list[str]


def openapi_generator(language: str, contract: Path, *properties: str) -> Command:
    command = ["java", "-jar", str(JAR), "generate", "-i", str(contract), "-g", language, "-o", "made"]
    return [*command, *(["--additional-properties", ",".join(properties)] if properties else [])]


def environment(*packages: str) -> Iterator[Command]:
    """Yield what makes a Python environment in `.venv`."""
    yield [sys.executable, "-m", "venv", "--clear", ".venv"]
    yield [".venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]


def variant(contract: str) -> str:
    return "as_it_is" if contract == "as it is" else "flattened"


@dataclass(frozen=True)
class Generator:
    """One of the matrix: where its driver is, what it needs, and its three steps."""

    name: str
    folder: str
    tools: tuple[str, ...]
    version: str

    def set_up(self, folder: Path) -> Iterator[Command]:
        """Yield what is done once."""
        if self.folder == "typescript":
            yield ["npm", "ci", "--silent"]
        if self.folder == "openapi-generator-python":
            packages = ["urllib3==2.5.0", "python-dateutil==2.9.0.post0", "pydantic==2.12.4"]
            yield from environment(*packages, "typing-extensions==4.15.0")
        if self.folder == "datamodel-code-generator":
            yield from environment(f"{self.folder}=={DATAMODEL}", "ruff", "pydantic")

    def generate(self, contract: Path) -> Iterator[Command]:
        """Yield the commands that make `made` of a contract."""
        if self.name == "openapi-generator python":
            yield openapi_generator("python", contract)
        elif self.name == "openapi-generator kotlin":
            yield openapi_generator(
                "kotlin", contract, "packageName=completions", "serializationLibrary=jackson"
            )
        elif self.name == "openapi-generator typescript-fetch":
            yield openapi_generator("typescript-fetch", contract)
        elif self.name == "openapi-generator go":
            yield openapi_generator("go", contract, "withGoMod=false")
        elif self.name == "@hey-api/openapi-ts":
            yield [
                "node_modules/.bin/openapi-ts",
                "-i",
                str(contract),
                "-o",
                "made",
                "-c",
                "@hey-api/client-fetch",
            ]
        elif self.name == "orval":
            yield ["node_modules/.bin/orval", "--config", "orval.config.mjs"]
        elif self.name == "ogen":
            yield [
                "go",
                "run",
                f"github.com/ogen-go/ogen/cmd/ogen@{OGEN}",
                "--clean",
                "--target",
                "made",
                "--package",
                "made",
                str(contract),
            ]
        else:
            command = [
                ".venv/bin/datamodel-codegen",
                "--input",
                str(contract),
                "--input-file-type",
                "openapi",
            ]
            yield [*command, "--output-model-type", "pydantic_v2.BaseModel", "--output", "made.py"]

    def compile(self) -> Iterator[Command]:
        """Yield the commands that compile it."""
        if self.folder == "openapi-generator-python":
            yield [".venv/bin/python", "-m", "compileall", "-q", "made"]
        elif self.folder == "datamodel-code-generator":
            yield [".venv/bin/python", "-c", "import made"]
        elif self.folder == "typescript":
            source = {"@hey-api/openapi-ts": "hey-api", "orval": "orval"}.get(self.name, "openapi-generator")
            yield ["node_modules/.bin/tsc", "--noEmit", "-p", "tsconfig.json"]
            yield [
                "node_modules/.bin/esbuild",
                f"{source}.ts",
                "--bundle",
                "--platform=node",
                "--format=esm",
                "--outfile=out/driver.mjs",
                "--log-level=error",
            ]
        elif self.folder == "openapi-generator-kotlin":
            yield ["mvn", "-q", "-B", "process-classes"]
        else:
            yield ["go", "mod", "tidy"]
            yield ["go", "build", "-buildvcs=false", "-o", "driver", "."]

    def drive(self) -> Command:
        """Return the command that sends the call."""
        if self.folder in ("openapi-generator-python", "datamodel-code-generator"):
            return [".venv/bin/python", "driver.py"]
        if self.folder == "typescript":
            return ["node", "out/driver.mjs"]
        if self.folder == "openapi-generator-kotlin":
            return ["java", "-classpath", "target/classes:target/lib/*", "DriverKt"]
        return ["./driver"]


GENERATORS = [
    Generator("openapi-generator python", "openapi-generator-python", ("java", "mvn"), OPENAPI_GENERATOR),
    Generator("openapi-generator kotlin", "openapi-generator-kotlin", ("java", "mvn"), OPENAPI_GENERATOR),
    Generator(
        "openapi-generator typescript-fetch", "typescript", ("java", "mvn", "node", "npm"), OPENAPI_GENERATOR
    ),
    Generator("openapi-generator go", "openapi-generator-go", ("java", "mvn", "go"), OPENAPI_GENERATOR),
    Generator("@hey-api/openapi-ts", "typescript", ("node", "npm"), "0.99.0"),
    Generator("orval", "typescript", ("node", "npm"), "8.38.0"),
    Generator("ogen", "ogen", ("go",), OGEN.removeprefix("v")),
    Generator("datamodel-code-generator", "datamodel-code-generator", (), DATAMODEL),
]
