"""The rules: which nodes of a syntax tree are uses of the old client."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from ..prompts import AI_PROMPT, HUMAN_PROMPT
from . import _findings as told
from ._names import FORMS, NEW, Names

if TYPE_CHECKING:
    from collections.abc import Iterator

    Found = tuple[int, int, str, str]

_ARGUMENT = "max_tokens_to_sample"
# Arguments that completions never had, but those of other packages have.
_FOREIGN = frozenset({"max_completion_tokens", "max_tokens", "messages", "response_model"})
_PATH = "/v1/complete"
# The path at the end of a string, with or without a query; or within an address in a longer one.
_ADDRESS = re.compile(r"/v1/complete/?(?:[?#]\S*)?\Z|https?://[^\s\"']*/v1/complete(?![\w.-]|/\w)")


def findings(tree: ast.Module) -> Iterator[Found]:
    """Yield line, offset in bytes, what is used, and what to do about it."""
    return _Scan(tree).findings()


class _Scan:
    """One pass over a source's tree."""

    def __init__(self, tree: ast.Module) -> None:
        names = self._names = Names(tree)
        self._parents = names.parents
        self._restored = any(
            isinstance(node, ast.Call) and names.resolve(node.func) == f"{NEW}.restore"
            for node in names.nodes
        )
        accesses = [
            node for node in names.nodes if isinstance(node, ast.Attribute) and node.attr == "completions"
        ]
        self._legacy = {node for node in accesses if self._is_legacy(node)}
        # What raises the errors of this package, now or once the client is replaced.
        self._ours = self._legacy | {
            node
            for node in accesses
            if names.make_of(node.value) in (("new", "old") if self._restored else ("new",))
        }

    def findings(self) -> Iterator[Found]:
        for node in self._names.nodes:
            if isinstance(node, ast.Import):
                yield from self._modules(node)
            elif isinstance(node, ast.ImportFrom):
                yield from self._imports(node)
            elif isinstance(node, ast.Attribute):
                yield from self._attribute(node)
                yield from self._error(node)
            elif isinstance(node, ast.Name):
                yield from self._starred(node)
                yield from self._error(node)
            elif isinstance(node, ast.keyword):
                yield from self._keyword(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not self._names.uses_new:
                yield from self._string(node, node.value)

    # Imports

    def _modules(self, node: ast.Import) -> Iterator[Found]:
        for alias in node.names:
            if alias.name in told.MODULES:
                yield _at(alias, f"import {alias.name}", told.advice_on(alias.name))

    def _imports(self, node: ast.ImportFrom) -> Iterator[Found]:
        module = "" if node.level else node.module or ""
        for alias in node.names:
            if advice := self._advice_on(module, alias.name):
                yield _at(alias, f"from {module} import {alias.name}", advice)

    def _advice_on(self, module: str, name: str) -> str:
        """Return what to do about a name of a module; empty where it is no finding."""
        full = f"{module}.{name}"
        if name in told.TOKENIZERS and module in told.TOKENIZER_MODULES:
            return told.NO_TOKENIZER
        if self._restored and name in told.CONSTANTS:
            return ""
        if full in told.MODULES:
            return told.advice_on(full)
        if module in told.MODULES or name in told.LEGACY.get(module, ()):
            return told.advice_on(module)
        return ""

    # Names

    def _attribute(self, node: ast.Attribute) -> Iterator[Found]:
        if node in self._legacy:
            yield _at_name(node, f".completions{self._rest(node)}", told.USE_CLIENT)
            return
        if self._names.make_of(node.value) == "old":
            if node.attr in told.OLD_METHODS or (node.attr in told.CONSTANTS and not self._restored):
                advice = told.OLD_METHODS.get(node.attr, told.USE_CLIENT)
                yield _at_name(node, f".{node.attr} of a client", advice)
            return
        module = self._names.resolve(node.value)
        if advice := self._advice_on(module, node.attr):
            yield _at_name(node, f"{module}.{node.attr}", advice)

    def _starred(self, node: ast.Name) -> Iterator[Found]:
        if self._names.stars and node.id in told.CONSTANTS and isinstance(node.ctx, ast.Load):
            advice = self._advice_on("anthropic", node.id)
            if advice:
                yield _at(node, f"{node.id}, by from anthropic import *", advice)

    # Calls

    def _is_legacy(self, node: ast.Attribute) -> bool:
        """Tell whether `….completions` is of a client that has none any more."""
        names = self._names
        if make := names.make_of(node.value):
            return make == "old" and not self._restored
        if names.uses_new or _last_name(node.value) == "chat":
            return False
        follower = self._parents.get(node)
        if not isinstance(follower, ast.Attribute) or follower.attr not in ("create", *FORMS):
            return False
        keywords = self._keywords(follower)
        if _ARGUMENT in keywords:
            return True
        return names.uses_old and not names.uses_others and _FOREIGN.isdisjoint(keywords)

    def _keywords(self, node: ast.AST) -> set[str]:
        """Return the keywords of the call at the end of a chain of attributes, or that it is passed to."""
        parent = self._parents.get(node)
        while isinstance(parent, ast.Attribute):
            node, parent = parent, self._parents.get(parent)
        if isinstance(parent, ast.Call):
            return {keyword.arg for keyword in parent.keywords if keyword.arg}
        return set()

    def _rest(self, node: ast.AST) -> str:
        parent = self._parents.get(node)
        return f".{parent.attr}{self._rest(parent)}" if isinstance(parent, ast.Attribute) else ""

    # Errors

    def _error(self, node: ast.Attribute | ast.Name) -> Iterator[Found]:
        if not self._ours or not isinstance(node.ctx, ast.Load):
            return
        module, _, name = self._names.resolve(node).rpartition(".")
        if module not in told.ERROR_MODULES or name not in told.ERRORS:
            return
        place: ast.AST = node
        while isinstance(parent := self._parents.get(place), ast.Tuple):
            place = parent
        if isinstance(parent, ast.ExceptHandler) and place is parent.type:
            if self._guards_completions(parent):
                yield _at(node, f"except {module}.{name}", told.advice_on_error(name))
        elif isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and place is not parent.func):
            yield _at(node, f"{module}.{name} as an argument", told.advice_on_error(name))

    def _guards_completions(self, handler: ast.ExceptHandler) -> bool:
        """Tell whether completions can raise in a `try`: it calls them, or no other method of a client."""
        block = self._parents[handler]
        assert isinstance(block, ast.Try | ast.TryStar)
        inside = [node for statement in block.body for node in ast.walk(statement)]
        if not self._ours.isdisjoint(inside):
            return True
        return not any(isinstance(node, ast.Attribute) and self._names.make_of(node.value) for node in inside)

    # Bodies and strings

    def _keyword(self, node: ast.keyword) -> Iterator[Found]:
        call = self._parents[node]
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "dict":
            yield from self._key(node, node.arg)

    def _key(self, node: ast.keyword | ast.Constant, key: object) -> Iterator[Found]:
        if key == _ARGUMENT and not self._ours and not self._names.uses_new:
            yield node.lineno, node.col_offset, f"{_ARGUMENT} as a key", told.BODY

    def _string(self, node: ast.Constant, value: str) -> Iterator[Found]:
        parent = self._parents.get(node)
        if isinstance(parent, ast.Expr):  # a docstring
            return
        is_key = isinstance(parent, ast.Dict) and any(node is key for key in parent.keys)
        if is_key or (isinstance(parent, ast.Subscript) and node is parent.slice):
            yield from self._key(node, value)
        whole = parent if isinstance(parent, ast.JoinedStr) else node
        if HUMAN_PROMPT in value or AI_PROMPT in value:
            yield _at(whole, "a turn marker in a string", told.MARKER)
        if _ADDRESS.search(value):
            yield _at(whole, f"the path {_PATH} in a string", told.ENDPOINT)


def _last_name(node: ast.expr) -> str:
    """Return the last name of an expression such as `self.chat`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _at(node: ast.alias | ast.expr, what: str, advice: str) -> Found:
    return node.lineno, node.col_offset, what, advice


def _at_name(node: ast.Attribute, what: str, advice: str) -> Found:
    """Point at the attribute's name, which may stand lines below the start of the expression."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset - len(node.attr.encode()), what, advice
