"""The environments besides .venv, all made alike: a list of pinned packages, then the built wheel.

`make` runs the sessions: it builds the wheel first.
"""

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
# Without tests/pipeline and tests/docs, which need the tools of .venv.
SUITE = ["tests/unit", "tests/client", "tests/contract", "tests/cli"]
# Those of other people, each with its list of packages.
PROGRAMS = ["fschat", "helm", "langchain", "llm", "lm-eval"]
# `make test` tries properties of the code with 100 examples. What differs here is how the package was
# installed, or which httpx it sends with: of that, a few examples tell as much.
FEW_EXAMPLES = {"HYPOTHESIS_PROFILE": "few"}
PACKAGES = ["anthropic_completions", "anthropic_completions_api"]

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.envdir = ".venvs"
nox.options.sessions = []
nox.options.reuse_venv = "yes"
nox.options.download_python = "never"
# Also in CI: a Python that the machine has not is skipped, and the summary says so.
nox.options.error_on_missing_interpreters = False

# pyenv's python3.x runs only where that version is switched on: all are, for these sessions.
if shutil.which("pyenv"):
    installed = subprocess.check_output(["pyenv", "versions", "--bare"], encoding="utf-8").split()
    if installed:
        os.environ["PYENV_VERSION"] = ":".join(installed)


def install(session: nox.Session, requirements: str, *, wheel: bool = True) -> None:
    """Give a session exactly the packages of a list, by their hashes, and the built wheel.

    Bytecode is compiled, as pip does it: what is measured is without compiling.
    """
    exactly = ["uv", "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes"]
    session.run_install(*exactly, f"requirements/{requirements}.txt")
    if not wheel:
        return
    built = sorted((ROOT / "dist").glob("*.whl"))
    if len(built) != 1:
        session.error(f"dist/ holds {len(built)} wheels, expected 1. To build it: make build")
    session.run_install("uv", "pip", "install", "--quiet", "--compile-bytecode", "--no-deps", str(built[0]))
    imported = f"import {', '.join(PACKAGES)}; print({', '.join(f'{name}.__file__' for name in PACKAGES)})"
    found = session.run("python", "-c", imported, silent=True, log=False)
    if isinstance(found, str) and found.count("site-packages") != len(PACKAGES):
        session.error(f"the packages are not those of the wheel: {found}")


def pytest(session: nox.Session, *arguments: str, **environment: str) -> None:
    """Run tests on all cores, each taking over what another has left; what follows `--` goes to pytest."""
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *arguments, *session.posargs, env=environment)


@nox.session
def wheel(session: nox.Session) -> None:
    """Run the suite that the sdist holds against the built wheel."""
    install(session, "test")
    # Not in the session's temporary folder, which pytest would have its own in as well.
    unpacked = Path(session.virtualenv.location) / "sdist"
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(next((ROOT / "dist").glob("*.tar.gz"))) as sdist:
        sdist.extractall(unpacked, filter="data")
    with session.chdir(next(unpacked.iterdir())):
        pytest(session, *SUITE, **FEW_EXAMPLES)


@nox.session
def parts(session: nox.Session) -> None:
    """Make the environment of what the wheel brings, of which a release has a list."""
    install(session, "runtime", wheel=False)


@nox.session(requires=["parts"])
def release(session: nox.Session) -> None:
    """Make a release in dist/, and publish nothing; the version stands after `--`."""
    install(session, "release", wheel=False)
    session.run("python", "scripts/release.py", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14", "3.15"])
def pythons(session: nox.Session) -> None:
    """Run the suite on each Python that this machine has."""
    install(session, "test")
    pytest(session, *SUITE)


@nox.session
def httpx2(session: nox.Session) -> None:
    """Run the suite over httpx2, the maintained fork of httpx, in its place."""
    install(session, "httpx2")
    pytest(session, "-p", "httpx2_alias", *SUITE, PYTHONPATH="tests", **FEW_EXAMPLES)


@nox.session
@nox.parametrize("transport", ["aiohttp", "rust"])
def transports(session: nox.Session, transport: str) -> None:
    """Run the client's tests, the fault matrix among them, over another transport than httpx's own."""
    install(session, "test")
    pytest(
        session, "-p", "transport", "tests/client", PYTHONPATH="tests", TRANSPORT=transport, **FEW_EXAMPLES
    )


@nox.session
def compat(session: nox.Session) -> None:
    """Compare with the last anthropic release that had completions."""
    install(session, "compat")
    pytest(session, "tests/compat")


@nox.session
def restore(session: nox.Session) -> None:
    """Restore completions to an anthropic package that has none, and let a framework use them.

    The list of packages is whole; the framework itself would refuse that package.
    """
    install(session, "restore")
    pytest(session, "tests/restore", RESTORE_SERIES="2")


@nox.session(name="restore-1")
def restore_1(session: nox.Session) -> None:
    """Do the same with the newest release of the series before."""
    install(session, "restore-1")
    pytest(session, "tests/restore", RESTORE_SERIES="1")


@nox.session
def distributed(session: nox.Session) -> None:
    """Complete on local clusters of Ray, Spark and Dask, each with a worker killed."""
    if not shutil.which("java"):
        session.error("make test-distributed needs Java 17 or later, on which Spark runs")
    install(session, "distributed")
    # Workers import much, several at once: without bytecode it takes minutes.
    environment = {"PYTHONDONTWRITEBYTECODE": None}
    # What the engines warn of is theirs.
    tests = ["tests/client/test_completer.py", "tests/distributed"]
    session.run("pytest", "-s", "-W", "default", *tests, *session.posargs, env=environment)


@nox.session
@nox.parametrize("program", PROGRAMS, ids=PROGRAMS)
def programs(session: nox.Session, program: str) -> None:
    """Run a program that nobody edited with completions restored, and beside a release that had them.

    Its environment has what the program has and no more: pytest runs in .venv. Older releases of `anthropic`
    are in folders of it, which come first for the runs that compare.
    """
    install(session, f"programs/{program}")
    environment = Path(session.virtualenv.location)
    for release in ["before", *(["before-0.39"] if program == "lm-eval" else [])]:
        exactly = ["uv", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        listed = [
            "--target",
            str(environment / release),
            "--requirements",
            f"requirements/programs/{release}.txt",
        ]
        session.run_install(*exactly, *listed)
    tests = f"tests/programs/test_{program.replace('-', '_')}.py"
    told = {"PROGRAM_ENVIRONMENT": str(environment)}
    session.run(
        str(ROOT / ".venv/bin/pytest"),
        "-n0",
        "-q",
        "--timeout=1800",
        tests,
        *session.posargs,
        env=told,
        external=True,
    )


@nox.session(name="gateway-clients")
def gateway_clients(session: nox.Session) -> None:
    """Use the gateway with the last clients that had completions, of the languages whose tools are here."""
    install(session, "compat")
    folder = ROOT / "tests/gateway_clients"
    commands = {"python": ["python", str(folder / "python_client.py")]}
    if shutil.which("npm"):
        with session.chdir(folder / "typescript"):
            session.run_install("npm", "ci", "--silent", external=True)
        commands["typescript"] = ["node", str(folder / "typescript/client.mjs")]
    if shutil.which("go"):
        built = Path(session.virtualenv.location) / "gateway-client"
        with session.chdir(folder / "go"):
            session.run_install("go", "build", "-buildvcs=false", "-o", str(built), ".", external=True)
        commands["go"] = [str(built)]
    if len(commands) < 3:
        session.warn(f"only the clients of {', '.join(commands)} are tried: npm or go is not here")
    told = {"GATEWAY_CLIENTS": json.dumps(commands)}
    session.run("pytest", "-n0", "-q", "tests/gateway_clients", *session.posargs, env=told)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site. npm brings the viewer of the contract, which the site ships."""
    if not shutil.which("npm"):
        session.error("make docs needs npm, for the viewer of the contract")
    install(session, "docs", wheel=False)
    with session.chdir("tools/site"):
        session.run_install("npm", "ci", "--silent", external=True)
    session.run("python", "scripts/docs.py")


@nox.session(name="bench-ours")
def bench_ours(session: nox.Session) -> None:
    """Make the environment of this client and of raw httpx."""
    install(session, "runtime")


@nox.session(name="bench-fast")
def bench_fast(session: nox.Session) -> None:
    """Make the environment of this client with its extra for speed."""
    install(session, "fast")


@nox.session(name="bench-old")
def bench_old(session: nox.Session) -> None:
    """Make the environment of the old client."""
    install(session, "compat", wheel=False)


@nox.session(name="bench-transports")
def bench_transports(session: nox.Session) -> None:
    """Make the environment of this client over aiohttp and Rust's reqwest, and of these by themselves."""
    install(session, "transports")


@nox.session(requires=["bench-ours", "bench-fast", "bench-transports", "bench-old"])
def bench(session: nox.Session) -> None:
    """Compare speed with the old client and with raw httpx; `--plot FILE` after `--` draws the ratios."""
    if "--plot" in session.posargs:
        install(session, "plot", wheel=False)
    session.run("python", "tests/benchmarks/run.py", *session.posargs)
