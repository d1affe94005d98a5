"""Run each case in one way and each way with many cases, where running all in all would tell no more.

What most cases differ in is decided sans-I/O, once for the blocking and the awaiting client. Each case has
to run, and each way to run a client has to meet cases of each kind; but what makes a case fail in one world
only is what other cases of that world meet as well. A single fault of the network is no such case: it touches
the ports, of which the blocking and the awaiting one each have code of their own, so it meets both.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from support import WORLDS

# Neighbours are a blocking and an awaiting one: so two columns give each row both clients.
EACH_WORLD: dict[str, tuple[Any, ...]] = {name: (world,) for name, world in WORLDS.items()}
BOTH_CLIENTS: dict[str, tuple[Any, ...]] = {"one": (), "the other": ()}


def with_both_clients(columns: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Return columns in which each row meets a blocking and an awaiting client, where there are both."""
    again = ("", " again") if len(EACH_WORLD) > 1 else ("",)
    return {f"{name}{which}": values for name, values in columns.items() for which in again}


def spread(
    rows: Mapping[str, tuple[Any, ...]],
    columns: Mapping[str, tuple[Any, ...]],
    ways: Mapping[str, tuple[Any, ...]] = EACH_WORLD,
) -> list[Any]:
    """Return each pair of a row and a column once, with a way in turn, as in a Latin square.

    With as many rows and columns as ways, each row and each column meets each way. All are named, and have
    the values of some parameters: those of a row stand first, those of a way last. A name without values is
    not shown.
    """
    names = list(ways)
    spread_out = []
    for number, (row_name, row) in enumerate(rows.items()):
        for offset, (column_name, column) in enumerate(columns.items()):
            way = names[(number + offset) % len(names)]
            parts = [(row_name, row), (column_name, column), (way, ways[way])]
            shown = "-".join(name for name, values in parts if values)
            spread_out.append(pytest.param(*row, *column, *ways[way], id=shown))
    return spread_out
