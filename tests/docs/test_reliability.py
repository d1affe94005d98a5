"""Each promise of docs/reliability.md names a test that is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("| ") and "---" not in line and "Promise |" not in line
]


def test_the_page_makes_promises() -> None:
    assert len(ROWS) > 20


@pytest.mark.parametrize("row", ROWS)
def test_a_promise_names_a_test_that_is_there(row: str) -> None:
    found = re.fullmatch(r"\| .+ \| `(\S+\.py)::(\w+)` \|", row)
    assert found, f"expected a promise and a test, got {row}"
    tree = ast.parse((ROOT / "tests" / found[1]).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert found[2] in names
