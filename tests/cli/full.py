"""A disk that is full, as far as a process can tell."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def at_most_bytes_in_a_file(most: int) -> Iterator[None]:
    """Have the system write no byte beyond so many of a file: short writes and errors, as of a full disk."""
    resource = pytest.importorskip("resource", reason="the system has no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
