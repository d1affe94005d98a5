"""Fixtures for pytest, for those who ask for them.

In a `conftest.py`: `pytest_plugins = ["anthropic_completions.testing.plugin"]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stand_in() -> StandIn:
    """A stand-in for the service, in process."""
    return StandIn()


@pytest.fixture
def served_stand_in(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The same stand-in, served on a port to which `Anthropic()` and `AsyncAnthropic()` go by themselves.

    The environment says so for the time of the test, also to programs that it starts. Needs the extra
    `server`.
    """
    with stand_in.serve() as url:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "stand-in")
        monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
        yield stand_in
