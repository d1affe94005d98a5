"""What the tests of other people's clients share; `make test-gateway` runs them, where the clients are."""

import os
from pathlib import Path

import pytest

COMMANDS = os.environ.get("GATEWAY_CLIENTS")
collect_ignore_glob = [] if COMMANDS else ["test_*.py"]


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep credentials that clients look for in the home directory out of the tests."""
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
