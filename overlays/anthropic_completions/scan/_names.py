"""Resolve the names of a source to imported modules, and to clients of which package."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # Whose client it is: anthropic's, this package's, or that of another package with the same method.
    Make = Literal["old", "new", "other"]
    Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

OLD, NEW = "anthropic", "anthropic_completions"
# Packages whose clients have `completions.create`, too.
OTHERS = frozenset(
    {
        "cerebras",
        "fireworks",
        "groq",
        "huggingface_hub",
        "instructor",
        "langfuse",
        "litellm",
        "mistralai",
        "openai",
        "portkey_ai",
        "sambanova",
        "together",
    }
)
_COPIES = frozenset({"copy", "with_middleware", "with_options"})
FORMS = frozenset({"with_raw_response", "with_streaming_response"})
_SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def dotted(node: ast.expr) -> str:
    """Return the text of a name with attributes, such as `self.client`; empty for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (start := dotted(node.value)):
        return f"{start}.{node.attr}"
    return ""


class Names:
    """The names of one source.

    Args:
        tree: Its syntax tree.

    Attributes:
        nodes: The nodes of the tree.
        parents: What each node is part of.
        stars: Whether the source has `from anthropic import *`.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.stars = False
        self._imported: dict[str, str] = {}
        for node in self.nodes:
            self._note_import(node)
        self._packages = {name.partition(".")[0] for name in self._imported.values()}
        self._packages |= {OLD} if self.stars else set()
        self._classes: dict[str, Make] = {}
        self._bound: defaultdict[str, dict[Scope, set[Make]]] = defaultdict(dict)
        self._find_clients()

    @property
    def uses_old(self) -> bool:
        """Whether the source imports the old package."""
        return OLD in self._packages

    @property
    def uses_new(self) -> bool:
        """Whether it imports this package."""
        return NEW in self._packages

    @property
    def uses_others(self) -> bool:
        """Whether it imports a package whose clients have the same method."""
        return not OTHERS.isdisjoint(self._packages)

    def resolve(self, node: ast.expr) -> str:
        """Return the full name of what an expression stands for, empty where it was not imported."""
        first, dot, rest = dotted(node).partition(".")
        if first in self._imported:
            return self._imported[first] + dot + rest
        return f"{OLD}.{first}" if self.stars and first and not dot else ""

    def make_of(self, node: ast.expr) -> Make | None:
        """Tell whose client an expression is; None where it is none, or nothing is known of it."""
        if isinstance(node, ast.Await):
            return self.make_of(node.value)
        if isinstance(node, ast.BoolOp):
            return _first(map(self.make_of, node.values))
        if isinstance(node, ast.IfExp):
            return self.make_of(node.body) or self.make_of(node.orelse)
        if isinstance(node, ast.NamedExpr):
            return self.make_of(node.value)
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr in _COPIES:
                return self.make_of(function.value)
            return self._make_of_class(function)
        if isinstance(node, ast.Attribute) and node.attr in FORMS:
            return self.make_of(node.value)
        return self._make_of_name(node)

    def _make_of_name(self, node: ast.expr) -> Make | None:
        """Look a name up from where it stands outwards, and then wherever it is bound."""
        bound = self._bound.get(dotted(node))
        if not bound:
            return None
        for scope in self._scopes(node):
            if scope in bound:
                return _agreed(bound[scope])
        return _agreed({make for makes in bound.values() for make in makes})

    def _make_of_class(self, node: ast.expr) -> Make | None:
        """Tell whose clients a class makes; the expression may be an annotation."""
        if isinstance(node, ast.BinOp):
            return self._make_of_class(node.left) or self._make_of_class(node.right)
        if isinstance(node, ast.Subscript):
            return self._make_of_class(node.slice)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # an annotation in quotes
            try:
                return self._make_of_class(ast.parse(node.value, mode="eval").body)
            except (MemoryError, RecursionError, SyntaxError, ValueError):
                return None
        if make := self._classes.get(dotted(node)):
            return make
        package, _, name = self.resolve(node).rpartition(".")
        if package.partition(".")[0] in OTHERS:
            return "other"
        if package in (OLD, NEW) and ("Anthropic" in name or name in ("AsyncClient", "Client")):
            return "old" if package == OLD else "new"
        return None

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                self._imported[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            self.stars = self.stars or (node.module == OLD and any(one.name == "*" for one in node.names))
            for alias in node.names:
                name = alias.asname or alias.name
                # Of both packages, as in `try: … except ImportError: …`, it is the new one's.
                if not self._imported.get(name, "").startswith(f"{NEW}."):
                    self._imported[name] = f"{node.module}.{alias.name}"

    def _find_clients(self) -> None:
        """Note what is bound to clients, again until nothing is added: clients are copied from clients."""
        known = -1
        while known != (known := self._known()):
            for node in self.nodes:
                self._note_binding(node)

    def _known(self) -> int:
        return len(self._classes) + sum(
            len(makes) for bound in self._bound.values() for makes in bound.values()
        )

    def _note_binding(self, node: ast.AST) -> None:
        targets: Sequence[ast.expr] = ()
        value: ast.expr | None = None
        annotation: ast.expr | None = None
        if isinstance(node, ast.ClassDef):
            if make := _first(map(self._make_of_class, node.bases)):
                self._classes[node.name] = make
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.returns and (make := self._make_of_class(node.returns)):
                self._classes[node.name] = make
            return
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign):
            targets, value, annotation = [node.target], node.value, node.annotation
        elif isinstance(node, ast.NamedExpr):
            targets, value = [node.target], node.value
        elif isinstance(node, ast.withitem) and node.optional_vars:
            targets, value = [node.optional_vars], node.context_expr
        elif isinstance(node, ast.arg):
            targets, annotation = [ast.Name(node.arg)], node.annotation
        make = self.make_of(value) if value else None
        make = make or (self._make_of_class(annotation) if annotation else None)
        for name in filter(None, map(dotted, targets)) if make else ():
            scope = self._scope_of_binding(node, name)
            self._bound[name].setdefault(scope, set()).add(make)  # type: ignore[arg-type]

    def _scope_of_binding(self, node: ast.AST, name: str) -> Scope:
        """Return where a name is bound; attributes, such as `self.client`, in the class around."""
        scopes = list(self._scopes(node))
        if "." not in name:
            return scopes[0]
        return next((scope for scope in scopes if isinstance(scope, ast.ClassDef)), scopes[-1])

    def _scopes(self, node: ast.AST) -> Iterator[Scope]:
        """Yield the scopes around a node, from the inside."""
        parent = self.parents.get(node)
        while parent is not None:
            if isinstance(parent, _SCOPES):
                yield parent
            parent = self.parents.get(parent)


def _first(makes: Iterator[Make | None]) -> Make | None:
    return next(filter(None, makes), None)


def _agreed(makes: set[Make]) -> Make | None:
    return next(iter(makes)) if len(makes) == 1 else None
