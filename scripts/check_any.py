"""Count the lines of the package's types that say `Any`, or a name that stands for it; fail beyond a limit.

Counted are annotations, base classes, casts and type arguments, and every use of an alias or a type variable
with `Any` in it, wherever it is imported, so that no name hides it. The import of `Any` itself is not.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "overlays/anthropic_completions"
# Where the value really is anything: JSON that is the user's to know, arguments that are passed on unseen.
LIMIT = 40

Names = dict[str, set[str]]


def lines_with_any(package: Path) -> Iterator[tuple[Path, int]]:
    """Yield file and number of each line whose types say `Any`."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))}
    modules = {path: ".".join(path.relative_to(package.parent).with_suffix("").parts) for path in trees}
    known: Names = {"typing": {"Any"}, "typing_extensions": {"Any"}}
    local: dict[Path, set[str]] = {}
    size = -1
    while size != (size := sum(map(len, known.values()))):  # until no further alias is found
        for path, tree in trees.items():
            is_package = path.name == "__init__.py"
            module = modules[path].removesuffix(".__init__")
            local[path] = _imported(tree, module, is_package, known) | known.get(module, set())
            known[module] = known.get(module, set()) | local[path] | _aliases(tree, local[path])
    for path, tree in trees.items():
        numbers = {node.lineno for node in _names(tree, local[path])}
        yield from ((path, number) for number in sorted(numbers))


def _imported(tree: ast.Module, module: str, is_package: bool, known: Names) -> set[str]:
    """Return the names that a module imports and that stand for `Any`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            source = _source(node, module, is_package)
            found |= {one.asname or one.name for one in node.names if one.name in known.get(source, ())}
    return found


def _source(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    up = node.level - is_package
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def _aliases(tree: ast.Module, marked: set[str]) -> set[str]:
    """Return the names that a module gives to types with a marked name in them, outside of functions."""
    found = set()
    for node in _statements(tree):
        if isinstance(node, ast.Assign):
            targets: list[ast.expr] = node.targets
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).endswith("TypeAlias"):
            targets = [node.target]
        else:
            continue
        if node.value is not None and _is_type(node.value) and any(_names(_as_slice(node.value), marked)):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def _as_slice(value: ast.expr) -> ast.expr:
    """Return an expression that has a type in it, which may be text."""
    return ast.Subscript(value=ast.Name("X", ctx=ast.Load()), slice=value, ctx=ast.Load())


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those of an `if` at its top, as of TYPE_CHECKING."""
    for node in tree.body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.stmt))


def _is_type(value: ast.expr) -> bool:
    """Tell whether an expression is one of types, or makes a type variable."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in ("NewType", "TypeVar")
    return isinstance(value, ast.Attribute | ast.BinOp | ast.Constant | ast.Name | ast.Subscript)


def _names(tree: ast.AST, marked: set[str]) -> Iterator[ast.expr]:
    """Yield where one of the marked names is said, also in the text of an annotation or of a cast."""
    quoted = {id(part) for part in _quotable(tree)}
    for node in ast.walk(tree):
        if (isinstance(node, ast.Name) and node.id in marked and not isinstance(node.ctx, ast.Store)) or (
            isinstance(node, ast.Attribute) and node.attr == "Any" and ast.unparse(node.value) in _TYPING
        ):
            yield node
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) in quoted:
            try:
                inner = ast.parse(node.value, mode="eval")
            except SyntaxError:
                continue
            if any(isinstance(name, ast.Name) and name.id in marked for name in ast.walk(inner)):
                yield node


_TYPING = ("t", "typing", "typing_extensions")


def _quotable(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all that stands where a type may be written as text."""
    for node in ast.walk(tree):
        places: list[ast.expr | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            places = [node.annotation, getattr(node, "value", None)]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            places = [node.returns]
        elif isinstance(node, ast.ClassDef):
            places = [*node.bases]
        elif isinstance(node, ast.Subscript):
            places = [node.slice]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("cast", "TypeVar"):
            places = [*node.args, *(keyword.value for keyword in node.keywords)]
        for place in places:
            if place is not None:
                yield from ast.walk(place)


def main() -> None:
    """Check the package, or a folder that is named."""
    package = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / PACKAGE).resolve()
    found = [*lines_with_any(package)]
    if len(found) > LIMIT:
        shown = [path.relative_to(ROOT) if path.is_relative_to(ROOT) else path for path, _ in found]
        for path, (_, number) in zip(shown, found, strict=True):
            print(f"{path}:{number}: says Any, or a name that stands for it")
        sys.exit(
            f"expected Any on at most {LIMIT} lines, got {len(found)}: say `object` and look at the value "
            "before it is used, or name its type"
        )


if __name__ == "__main__":
    main()
