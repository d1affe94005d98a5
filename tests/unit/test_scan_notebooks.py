"""Finding the old client in notebooks."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions.scan import scan_notebook

CLIENT = "from anthropic import Anthropic\nclient = Anthropic()"
CALL = "client.completions.create()"


def code(source: str | list[str]) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}


def notebook(*cells: Any, **metadata: Any) -> str:
    made = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def found(*cells: Any) -> list[tuple[int | None, int, int]]:
    return [(one.cell, one.line, one.column) for one in scan_notebook(notebook(*cells))]


def test_a_client_of_one_cell_is_known_in_the_next() -> None:
    text = {"cell_type": "markdown", "metadata": {}, "source": ["client.completions.create()"]}
    (finding,) = scan_notebook(notebook(CLIENT, text, f"\n{CALL}"), "a.ipynb")
    assert str(finding).startswith("a.ipynb:cell 3:2:8: .completions.create: ")


def test_a_cell_may_be_a_list_of_lines() -> None:
    assert found(code(["x = 1\n", "y = anthropic\n", "from anthropic import AI_PROMPT"])) == [(1, 3, 23)]


def test_findings_come_in_the_order_of_cells() -> None:
    assert found(CLIENT, f"x = 1\n{CALL}", CALL) == [(2, 2, 8), (3, 1, 8)]


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        (f"%pip install -q anthropic\n!ls -la\n{CALL}", (3, 8)),
        (f"!pip install \\\n   anthropic\n{CALL}", (3, 8)),
        (f"files = !ls\nwhere = %pwd\n{CALL}", (3, 8)),
        (f"if True:\n    !ls\n    {CALL}", (3, 12)),
        (f"client?\n?client\nclient.completions??\n{CALL}", (4, 8)),
        (f"%%time\n{CALL}", (2, 8)),
        (f"\n%%capture out\n{CALL}", (3, 8)),
        (f"%%timeit -n 3\n{CALL}", (2, 8)),
        (f"%%my_magic\n{CALL}", (2, 8)),
        (f"%%writefile program.py\n{CALL}", (2, 8)),
        (f"%time {CALL}", (1, 14)),
        (f"%timeit -n 3 {CALL}", (1, 21)),
        (f"%time x = {CALL}", (1, 18)),
        (f"x = (5\n  % 3)\ny = '''\n%pip\n!ls'''\n{CALL}", (6, 8)),
        (f"x = '''\n!ls\n'''\n!ls\n{CALL}", (5, 8)),
        (f"x = await ask()\n{CALL}", (2, 8)),
    ],
)
def test_magics_are_no_hindrance_and_places_are_those_of_the_cell(cell: str, place: tuple[int, int]) -> None:
    assert found(CLIENT, cell) == [(2, *place)]


@pytest.mark.parametrize("first", ["%%bash", "%%html", "%%writefile notes.txt", "%%unknown x", "%%!"])
def test_a_cell_of_another_language_is_skipped(first: str) -> None:
    assert found(CLIENT, f"{first}\nfor x in *; do echo '/v1/complete'; done") == []


def test_text_of_several_lines_keeps_what_looks_like_a_magic() -> None:
    assert found("!ls\nx = '''\n%a\n\n\nHuman: A'''") == [(1, 2, 5)]


@pytest.mark.parametrize(
    "metadata", [{"kernelspec": {"language": "R"}}, {"language_info": {"name": "julia"}}]
)
def test_a_notebook_of_another_language_has_nothing(metadata: Any) -> None:
    assert scan_notebook(notebook("x <- y(", **metadata)) == []


@pytest.mark.parametrize(
    "metadata", [{}, {"kernelspec": {"language": "python"}}, {"language_info": {"name": "ipython"}}, {"x": 1}]
)
def test_a_notebook_of_python_is_read(metadata: Any) -> None:
    assert len(scan_notebook(notebook(CLIENT, CALL, **metadata))) == 1


def test_an_older_notebook_has_its_cells_in_worksheets() -> None:
    cells = [
        {"cell_type": "code", "input": [CLIENT], "language": "python"},
        {"cell_type": "code", "input": CALL},
    ]
    source = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}], "metadata": {}})
    assert [(one.cell, one.line) for one in scan_notebook(source)] == [(2, 1)]


def test_a_cell_that_is_no_python_is_told_and_the_rest_is_read() -> None:
    told: list[SyntaxError] = []
    findings = scan_notebook(notebook(CLIENT, "def", CALL), "a.ipynb", on_error=told.append)
    assert [(one.cell, one.line) for one in findings] == [(3, 1)]
    assert [error.filename for error in told] == ["a.ipynb:cell 2"]
    with pytest.raises(SyntaxError):
        scan_notebook(notebook("def"))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "print(1)",
        "[]",
        "{}",
        "null",
        b"\xff",
        '{"cells": 3}',
        '{"cells": [{"cell_type": "code", "source": [3]}]}',
        '{"worksheets": [{}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_notebook_is_a_syntax_error(source: str | bytes) -> None:
    with pytest.raises(SyntaxError, match="no notebook"):
        scan_notebook(source)


@given(st.lists(st.text(alphabet="ax%!?\\ =('\"\n", max_size=40), max_size=4))
def test_any_cells_are_read_or_told(cells: list[str]) -> None:
    scan_notebook(notebook(CLIENT, *cells), on_error=lambda error: None)
