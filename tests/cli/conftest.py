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
    return _pointed_to(*_served, monkeypatch)


def _pointed_to(stand_in: StandIn, url: str, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in.received.clear()
    stand_in.queued.clear()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-key")
    return stand_in


@pytest.fixture(scope="session")
def _served_today() -> Iterator[tuple[StandIn, str]]:
    stand_in = StandIn(today=True)
    with stand_in.serve() as url:
        yield stand_in, url


@pytest.fixture
def today(_served_today: tuple[StandIn, str], monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """One that serves what the service serves by now."""
    return _pointed_to(*_served_today, monkeypatch)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line in this process."""
    return Cli(monkeypatch, capsys)
