"""What the tests of `restore` share; `make test-compat` runs them, where a modern `anthropic` is."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from restore.service import Service

collect_ignore_glob = [] if find_spec("langchain_anthropic") else ["test_*.py"]


@pytest.fixture(scope="session")
def _service() -> Iterator[Service]:
    service = Service()
    with service.serve() as service.url:
        yield service


@pytest.fixture
def service(_service: Service) -> Service:
    """What answers for Anthropic, with nothing received yet."""
    _service.received.clear()
    return _service


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep credentials that the package looks for in the home directory out of the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
