"""Docstrings are written as the reference and `help()` need them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_argument_has_a_line_of_its_own() -> None:
    """Not `a, b: As for the client.`, which the reference would show as one argument of that name."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0].strip()}"
        for path in (ROOT / "overlays").rglob("*.py")
        for section in re.findall(
            r"^ +Args:\n((?: +.*\n|\n)+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        for match in re.finditer(r"^ +(?:\w+, )+\w+: ", section.partition('"""')[0], re.MULTILINE)
        if not re.search(r"(Error|Warning)\b", match[0])
    ]
    assert found == []
