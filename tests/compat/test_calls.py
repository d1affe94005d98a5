"""Both packages send the same for the same call, but for the deliberate differences."""

import pytest

from compat.calls import CALLS
from compat.differences import shown, unexplained
from compat.play import WORLDS, Case, compare
from compat.recorder import Recorder

# What a reply shows is compared for the table of replies.
NAMES = ("request", "waits", "error", "result completion", "stream text")


def test_names_each_call_once() -> None:
    names = [case.name for case in CALLS]
    assert len(names) == len(set(names))
    assert len(names) >= 40


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("case", CALLS, ids=lambda case: case.name)
def test_sends_the_same(recorder: Recorder, case: Case, world: str) -> None:
    """Method, target, body and headers are equal; each listed difference shows, and no other."""
    seen: set[str] = set()
    for form in case.forms:
        found = compare(recorder, case, world, form)
        found = {name: pair for name, pair in found.items() if name.startswith(NAMES)}
        assert unexplained(found, case.differs) == {}, form
        seen |= shown(found, case.differs)
    assert seen == set(case.differs)
