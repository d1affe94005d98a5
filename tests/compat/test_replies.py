"""Both packages return and raise the same for the same reply, but for the deliberate differences."""

import pytest

from compat.calls import CALLS
from compat.differences import EVERYWHERE, IN_CASES, shown, unexplained
from compat.play import FORMS, WORLDS, Case, compare
from compat.recorder import Recorder
from compat.replies import REPLIES


def test_names_each_reply_once() -> None:
    names = [case.name for case in REPLIES]
    assert len(names) == len(set(names))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("case", REPLIES, ids=lambda case: case.name)
def test_returns_the_same(recorder: Recorder, case: Case, world: str) -> None:
    """Results, errors, attempts and waits are equal; each listed difference shows, and no other."""
    seen: set[str] = set()
    for form in case.forms:
        found = compare(recorder, case, world, form)
        assert unexplained(found, case.differs) == {}, form
        seen |= shown(found, case.differs)
    assert seen == set(case.differs)


@pytest.mark.parametrize("world", WORLDS)
def test_shows_the_differences_that_are_everywhere(recorder: Recorder, world: str) -> None:
    """Each of them shows in a call as anybody makes it, or in an error."""
    seen: set[str] = set()
    for name in ("the reference's completion", "a stream", "400 with the API's error"):
        case = next(case for case in REPLIES if case.name == name)
        for form in case.forms:
            seen |= shown(compare(recorder, case, world, form), EVERYWHERE)
    assert seen == set(EVERYWHERE)


def test_lists_no_difference_that_no_case_shows() -> None:
    assert {key for case in CALLS + REPLIES for key in case.differs} == set(IN_CASES)


def test_makes_the_ordinary_call_in_every_form() -> None:
    assert CALLS[0].forms == FORMS
