"""What the comparison with the old client shares; `make test-compat` runs it, where `anthropic` is."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from compat.recorder import Recorder, recording

collect_ignore_glob = [] if find_spec("anthropic") else ["test_*.py"]


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """The one server that both packages talk to."""
    with recording() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep credentials that the old client looks for in the home directory out of the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
