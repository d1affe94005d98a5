"""The rule by which tests run each case in one way and each way with many cases."""

from collections import Counter
from itertools import product

from spread import BOTH_CLIENTS, EACH_WORLD, spread, with_both_clients

FOUR: dict[str, tuple[str, ...]] = {name: (name,) for name in "abcd"}


def test_each_pair_is_run_once_and_each_row_and_column_in_each_way() -> None:
    found = [case.values for case in spread(FOUR, FOUR, FOUR)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert set(Counter((case[one], case[other]) for case in found).values()) == {1}
    assert len(found) == 16


def test_a_case_meets_both_clients_and_the_cases_meet_all_worlds() -> None:
    found = [case.values for case in spread(FOUR, BOTH_CLIENTS)]
    for row in FOUR:
        assert {world.backend is None for name, world in found if name == row} == {True, False}
    assert {id(world) for _, world in found} == {id(world) for (world,) in EACH_WORLD.values()}


def test_a_case_is_named_after_its_values() -> None:
    assert [case.id for case in spread({"row": (1,)}, BOTH_CLIENTS)] == ["row-sync", "row-asyncio"]
    assert [case.id for case in spread({"row": (1,)}, {"column": (2,)})] == ["row-column-sync"]


def test_a_fault_meets_both_clients_plain_and_streamed() -> None:
    columns = with_both_clients({"plain": (False,), "streamed": (True,)})
    found = [case.values for case in spread(FOUR, columns)]
    kinds = Counter((name, stream, world.backend is None) for name, stream, world in found)
    assert kinds == {(name, *both): 1 for name in FOUR for both in product((False, True), repeat=2)}
