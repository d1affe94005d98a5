"""`scripts/check_any.py` finds `Any` wherever a type says it, and behind every name that stands for it."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "check_any.py"
CHECK = runpy.run_path(str(SCRIPT))


def found(package: Path, **modules: str) -> list[str]:
    """Return `module:line` of all that is found in modules with these texts."""
    package.mkdir()
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return [f"{path.stem}:{number}" for path, number in CHECK["lines_with_any"](package)]


@pytest.mark.parametrize(
    "line",
    [
        "def f(a: Any) -> None: ...",
        "def f() -> list[Any]: ...",
        "def f(*a: 'dict[str, Any]') -> None: ...",
        "a: Any = 1",
        "class A(dict[str, Any]): ...",
        "a = cast('Any', 1)",
        "a = cast(Any, 1)",
        "a = Reply[Any](1)",
        "T = TypeVar('T', bound='list[Any]')",
        "def f(a: typing.Any) -> None: ...",
        "def f(a: Whatever) -> None: ...",
    ],
)
def test_a_type_that_says_any_is_found(tmp_path: Path, line: str) -> None:
    text = f"import typing\nfrom typing import Any, Any as Whatever, TypeVar, cast\n{line}\n"
    assert found(tmp_path / "package", module=text) == ["module:3"]


@pytest.mark.parametrize(
    "alias", ["A = Any", "A = dict[str, Any]", "A: TypeAlias = 'list[Any]'", "A = None | list[Any]"]
)
def test_each_use_of_an_alias_counts_also_where_it_is_imported(tmp_path: Path, alias: str) -> None:
    first = f"from typing import Any, TypeAlias\n{alias}\nB = list[A]\n"
    second = "from .first import B as C\n\ndef f(a: int, b: C) -> 'C': ...\ndef g(a: str) -> None: ...\n"
    assert found(tmp_path / "package", first=first, second=second) == ["first:2", "first:3", "second:3"]


def test_what_is_no_type_does_not_count(tmp_path: Path) -> None:
    text = (
        "from typing import Any\n"
        '"""Any text."""\n'
        "def f(a: object, text: str = 'Any') -> str:\n"
        "    # Any comment\n"
        "    return 'Any'\n"
    )
    assert found(tmp_path / "package", module=text) == []


def test_beyond_the_limit_each_line_is_named(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    lines = ["from typing import Any", *(f"def f{n}(a: Any) -> None: ..." for n in range(CHECK["LIMIT"]))]
    module = package / "module.py"
    module.write_text("\n".join(lines))
    command = [sys.executable, str(SCRIPT), str(package)]
    assert subprocess.run(command, check=False).returncode == 0
    module.write_text("\n".join([*lines, "a: Any = 1"]))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{module}:{CHECK['LIMIT'] + 2}: " in done.stdout
    assert f"at most {CHECK['LIMIT']} lines, got {CHECK['LIMIT'] + 1}" in done.stderr


def test_the_package_is_within_the_limit() -> None:
    subprocess.run([sys.executable, str(SCRIPT)], check=True)
