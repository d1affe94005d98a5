"""Fixtures of the tests of `batch`."""

from pathlib import Path

import pytest


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file for requests."""
    return tmp_path / "in.jsonl"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file for results."""
    return tmp_path / "out.jsonl"
