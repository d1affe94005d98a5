"""A program that nobody edited, in its own environment: run today, and as it was run before."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from processes import run, started

HERE = Path(__file__).resolve().parent
PATIENCE_SECONDS = 800


@dataclass(frozen=True)
class Ran:
    """What came of a run.

    Attributes:
        code: The exit code.
        out: Standard output.
        err: Standard error, without ids of requests, which are counted.
        asked: What the service was asked and answered, as `POST /v1/messages 200`.
    """

    code: int
    out: str
    err: str
    asked: list[str]

    @property
    def statuses(self) -> list[str]:
        return [line.rpartition(" ")[2] for line in self.asked]


class Service:
    """A stand-in in a process of its own, which tells of each request in a file.

    Attributes:
        url: Where it is.
    """

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log
        self._read = 0

    def asked(self) -> list[str]:
        """Return what it was asked since the last time."""
        lines = self._log.read_text().splitlines()
        new, self._read = lines[self._read :], len(lines)
        return [line for line in new if line.startswith("POST")]


@contextmanager
def serving(log: Path, *options: str) -> Iterator[Service]:
    """Serve a stand-in that insists on the key `right`."""
    command = [sys.executable, "-m", "anthropic_completions", "serve", "--port", "0", "--api-key", "right"]
    with (
        log.open("w") as told,
        started([*command, *options], stdout=subprocess.PIPE, stderr=told, text=True) as process,
    ):
        while not (found := re.search(r"ANTHROPIC_BASE_URL=(\S+)", process.stdout.readline())):
            assert process.poll() is None, log.read_text()
        yield Service(found[1], log)


@dataclass(frozen=True)
class Program:
    """The environment of a program, and the two services that answer for Anthropic.

    Attributes:
        environment: The folder of the environment.
        today: The service as it is: retired models are gone, and the old endpoint takes none of the others.
        then: The service as it was.
        folder: Where programs run, which is their home directory too.
        absent: Packages that are there in name only.
    """

    environment: Path
    today: Service
    then: Service
    folder: Path
    absent: list[str] = field(default_factory=list)

    def run(self, *command: str, key: str = "right") -> Ran:
        """Start a program with `run`, beside an `anthropic` without completions."""
        launcher = ["anthropic-completions", "run", "--map", "recommended", "--on-loss", "drop"]
        return self._run([*launcher, *command], key, self.today)

    def run_before(self, *command: str, key: str = "right", release: str = "before") -> Ran:
        """Start a program by itself, beside an `anthropic` that has completions."""
        return self._run(list(command), key, self.then, self.environment / release)

    def _run(self, command: list[str], key: str, service: Service, *path: Path) -> Ran:
        scripts = self.environment / ("Scripts" if sys.platform == "win32" else "bin")
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TMPDIR", "LANG") if name in os.environ}
        service.asked()
        done = run(
            [str(scripts / command[0]), *command[1:]],
            env={
                **kept,
                "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(map(str, [HERE / "site", *path])),
                "HOME": str(self.folder),
                "USERPROFILE": str(self.folder),
                "HF_HUB_OFFLINE": "1",
                "ANTHROPIC_BASE_URL": service.url,
                "ANTHROPIC_API_KEY": key,
                "ABSENT": ",".join(self.absent),
            },
            cwd=self.folder,
            timeout=PATIENCE_SECONDS,
        )
        out, err = (re.sub(r"req_\w+", "req_", text) for text in (done.stdout, done.stderr))
        return Ran(done.returncode, out, err, service.asked())
