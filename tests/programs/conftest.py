"""What the tests of programs share; `make test-programs` runs each file beside its program's environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from programs.program import Program, Service, serving

ENVIRONMENT = os.environ.get("PROGRAM_ENVIRONMENT")
collect_ignore_glob = [] if ENVIRONMENT else ["test_*.py"]


@pytest.fixture(scope="session")
def _services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Service]]:
    folder = tmp_path_factory.mktemp("services")
    with serving(folder / "today", "--today") as today, serving(folder / "then") as then:
        yield today, then


@pytest.fixture
def program(_services: tuple[Service, Service], tmp_path: Path) -> Program:
    """The program's environment, and a folder to run it in."""
    assert ENVIRONMENT is not None
    return Program(Path(ENVIRONMENT), *_services, tmp_path)
