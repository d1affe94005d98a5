"""Fixtures of the command line's tests."""

from collections.abc import Iterator

import pytest

from anthropic_completions.testing import StandIn
from cli.shell import Cli


@pytest.fixture(scope="session")
def _served() -> Iterator[tuple[StandIn, str]]:
    stand_in = StandIn()
    with stand_in.serve() as url:
        yield stand_in, url


@pytest.fixture
def stand_in(_served: tuple[StandIn, str], monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A served stand-in that the environment points to."""
    stand_in, url = _served
    stand_in.received.clear()
    stand_in.queued.clear()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-key")
    return stand_in


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process."""
    return Cli(monkeypatch, capsys)
