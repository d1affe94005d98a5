r"""Find what a Python source still uses of the old client, by its syntax tree. Pure: text in, findings out.

What is found, where the source uses the `anthropic` package:

- imports of `HUMAN_PROMPT`, `AI_PROMPT` and of the types and resources of completions;
- `anthropic.HUMAN_PROMPT` and the like, also on clients;
- `.completions` of clients that were made in the same source, and `….completions.create(…)` of others unless
  the source also imports `openai`, whose clients have the same method;
- methods of clients that went even before: `completion`, `completion_stream`, `count_tokens` and their like.

And in any source that does not already import `anthropic_completions`:

- calls of `….completions.create(…)` with `max_tokens_to_sample`, which no other client has;
- the markers `\n\nHuman:` and `\n\nAssistant:`, and the path `/v1/complete`, in strings.

Names are followed by their spelling, without regard to scopes. What is made at run time is not seen.
"""

from __future__ import annotations

import ast
import io
import warnings
from importlib.util import decode_source
from typing import TYPE_CHECKING, NamedTuple

from ._constants import AI_PROMPT, HUMAN_PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "scan"]

_CONSTANTS = ("AI_PROMPT", "HUMAN_PROMPT")
_TYPES = frozenset(
    {
        "Completion",
        "CompletionCreateParams",
        "CompletionCreateParamsNonStreaming",
        "CompletionCreateParamsStreaming",
    }
)
_RESOURCES = frozenset(
    {
        "AsyncCompletions",
        "AsyncCompletionsWithRawResponse",
        "AsyncCompletionsWithStreamingResponse",
        "Completions",
        "CompletionsWithRawResponse",
        "CompletionsWithStreamingResponse",
    }
)
# What completions users import, by the module that has it.
_LEGACY = {
    "anthropic": frozenset(_CONSTANTS),
    "anthropic.types": _TYPES,
    "anthropic.resources": _RESOURCES,
}
# Modules that are all about completions, and where to find here what they hold.
_MODULES = {
    "anthropic.resources.completions": "anthropic_completions.resources.completions",
    "anthropic.types.completion": "anthropic_completions.types",
    "anthropic.types.completion_create_params": "anthropic_completions.types.completion_create_params",
}
# Methods that went before `completions` did.
_OLD_METHODS = {
    **dict.fromkeys(
        ("acompletion", "acompletion_stream", "completion", "completion_stream"),
        "use client.completions.create of anthropic_completions",
    ),
    **dict.fromkeys(
        ("count_tokens", "get_tokenizer"), "it has no counterpart; the Messages API has an endpoint for it"
    ),
}
_COPIES = frozenset({"copy", "with_middleware", "with_options"})
_FORMS = frozenset({"with_raw_response", "with_streaming_response"})
_PATH = "/v1/complete"

_USE = "make the client with anthropic_completions.Anthropic; the rest stays as it is"
_MARKER = (
    "build prompts with anthropic_completions.prompts, or convert them with "
    "anthropic_completions.messages.to_messages_request"
)
_ENDPOINT = "call anthropic_completions.Anthropic().completions.create in place of the path"


class Finding(NamedTuple):
    """One use of the old client.

    Attributes:
        file: The name of the source.
        line: Its line, from 1.
        column: Its column in characters, from 1.
        what: What is used, such as `from anthropic import HUMAN_PROMPT`.
        advice: What to do about it.
    """

    file: str
    line: int
    column: int
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}: {self.advice}"


def scan(source: str | bytes, file: str = "<string>") -> list[Finding]:
    """Return what a Python source uses of the old client, in order of appearance.

    Args:
        source: The source; of bytes, the encoding is found as Python does.
        file: Its name, for the findings.

    Raises:
        SyntaxError: The source is no Python that this interpreter can read.
    """
    text = _decode(source, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the source's own, such as invalid escapes
        try:
            found = list(_Scan(ast.parse(text, file)).findings())
        except (MemoryError, RecursionError, ValueError) as error:  # nested too deeply; null bytes
            raise SyntaxError(f"{error} ({file})") from error
    lines = text.split("\n")
    return sorted(
        {
            Finding(file, line, len(lines[line - 1].encode()[:offset].decode()) + 1, what, advice)
            for line, offset, what, advice in found
        }
    )


def _decode(source: str | bytes, file: str) -> str:
    if isinstance(source, str):
        source = source.removeprefix("\ufeff")
        return io.IncrementalNewlineDecoder(None, translate=True).decode(source, final=True)
    try:
        return decode_source(source)
    except UnicodeDecodeError as error:
        raise SyntaxError(f"{error} ({file})") from error


Found = tuple[int, int, str, str]


class _Scan:
    """One pass over a source's tree."""

    def __init__(self, tree: ast.Module) -> None:
        self._nodes = list(ast.walk(tree))
        self._parents = {child: node for node in self._nodes for child in ast.iter_child_nodes(node)}
        self._names: dict[str, str] = {}  # what a name was imported as
        self._stars: list[ast.ImportFrom] = []
        for node in self._nodes:
            self._note_imports(node)
        packages = {name.partition(".")[0] for name in self._names.values()}
        packages |= {"anthropic" for _ in self._stars}
        self._uses_old = "anthropic" in packages
        self._uses_new = "anthropic_completions" in packages
        self._uses_other = "openai" in packages
        self._clients: set[str] = set()
        self._find_clients()

    def findings(self) -> Iterator[Found]:
        for node in self._nodes:
            if isinstance(node, ast.Import):
                yield from self._module_imports(node)
            elif isinstance(node, ast.ImportFrom):
                yield from self._imports(node)
            elif isinstance(node, ast.Attribute):
                yield from self._attribute(node)
            elif isinstance(node, ast.Name):
                yield from self._starred(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not self._uses_new:
                yield from self._string(node, node.value)

    # What names stand for

    def _note_imports(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                self._names[bound] = alias.name if alias.asname else bound
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "anthropic" and any(alias.name == "*" for alias in node.names):
                self._stars.append(node)
            for alias in node.names:
                self._names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _find_clients(self) -> None:
        """Note what is bound to a client, again until nothing is added: clients are copied from clients."""
        known = -1
        while len(self._clients) != known:
            known = len(self._clients)
            for node in self._nodes:
                self._note_binding(node)

    def _note_binding(self, node: ast.AST) -> None:
        targets: list[ast.expr]
        value: ast.expr | None
        annotation: ast.expr | None
        if isinstance(node, ast.Assign):
            targets, value, annotation = node.targets, node.value, None
        elif isinstance(node, ast.AnnAssign):
            targets, value, annotation = [node.target], node.value, node.annotation
        elif isinstance(node, ast.NamedExpr):
            targets, value, annotation = [node.target], node.value, None
        elif isinstance(node, ast.withitem) and node.optional_vars:
            targets, value, annotation = [node.optional_vars], node.context_expr, None
        elif isinstance(node, ast.arg):
            targets, value, annotation = [ast.Name(node.arg)], None, node.annotation
        else:
            return
        if (value and self._is_client(value)) or (annotation and self._is_client_class(annotation)):
            self._clients.update(name for name in map(_dotted, targets) if name)

    def _is_client(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Await):
            return self._is_client(node.value)
        if isinstance(node, ast.BoolOp):
            return any(map(self._is_client, node.values))
        if isinstance(node, ast.IfExp):
            return self._is_client(node.body) or self._is_client(node.orelse)
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr in _COPIES:
                return self._is_client(function.value)
            return self._is_client_class(function)
        if isinstance(node, ast.Attribute) and node.attr in _FORMS:
            return self._is_client(node.value)
        return _dotted(node) in self._clients

    def _is_client_class(self, node: ast.expr) -> bool:
        """Tell whether an expression is, or as an annotation names, a class of clients."""
        if isinstance(node, ast.BinOp):
            return self._is_client_class(node.left) or self._is_client_class(node.right)
        if isinstance(node, ast.Subscript):
            return self._is_client_class(node.slice)
        package, _, name = self._resolve(node).rpartition(".")
        return package == "anthropic" and ("Anthropic" in name or name in ("AsyncClient", "Client"))

    def _resolve(self, node: ast.expr) -> str:
        """Return the full name of what an expression stands for, empty where it was not imported."""
        first, dot, rest = _dotted(node).partition(".")
        if first in self._names:
            return self._names[first] + dot + rest
        return f"anthropic.{first}" if self._stars and first and not dot else ""

    # What is found

    def _module_imports(self, node: ast.Import) -> Iterator[Found]:
        for alias in node.names:
            if alias.name in _MODULES:
                yield _at(alias, f"import {alias.name}", _advice(alias.name))

    def _imports(self, node: ast.ImportFrom) -> Iterator[Found]:
        module = "" if node.level else node.module or ""
        for alias in node.names:
            full = f"{module}.{alias.name}"
            if module in _MODULES or full in _MODULES or alias.name in _LEGACY.get(module, ()):
                home = full if full in _MODULES else module
                yield _at(alias, f"from {module} import {alias.name}", _advice(home))

    def _attribute(self, node: ast.Attribute) -> Iterator[Found]:
        if node.attr == "completions" and self._is_legacy_call(node):
            yield _at_name(node, f".completions{self._rest(node)}", _USE)
        elif self._is_client(node.value) and node.attr in (*_CONSTANTS, *_OLD_METHODS):
            yield _at_name(node, f".{node.attr} of a client", _OLD_METHODS.get(node.attr, _USE))
        else:
            module = self._resolve(node.value)
            full = f"{module}.{node.attr}"
            if full in _MODULES or node.attr in _LEGACY.get(module, ()):
                yield _at_name(node, full, _advice(full if full in _MODULES else module))

    def _is_legacy_call(self, node: ast.Attribute) -> bool:
        if self._is_client(node.value):
            return True
        if isinstance(node.value, ast.Attribute) and node.value.attr == "chat":
            return False
        follower = self._parents.get(node)
        if not isinstance(follower, ast.Attribute) or follower.attr not in ("create", *_FORMS):
            return False
        if self._uses_old and not self._uses_other:
            return True
        return not self._uses_new and "max_tokens_to_sample" in self._keywords(follower)

    def _keywords(self, node: ast.AST) -> set[str | None]:
        """Return the keywords of the call at the end of a chain of attributes."""
        parent = self._parents.get(node)
        while isinstance(parent, ast.Attribute):
            node, parent = parent, self._parents.get(parent)
        if isinstance(parent, ast.Call) and parent.func is node:
            return {keyword.arg for keyword in parent.keywords}
        return set()

    def _rest(self, node: ast.AST) -> str:
        parent = self._parents.get(node)
        return f".{parent.attr}{self._rest(parent)}" if isinstance(parent, ast.Attribute) else ""

    def _starred(self, node: ast.Name) -> Iterator[Found]:
        if self._stars and node.id in _CONSTANTS and isinstance(node.ctx, ast.Load):
            yield _at(node, f"{node.id}, by from anthropic import *", _advice("anthropic"))

    def _string(self, node: ast.Constant, value: str) -> Iterator[Found]:
        parent = self._parents.get(node)
        if isinstance(parent, ast.Expr):  # a docstring
            return
        whole = parent if isinstance(parent, ast.JoinedStr) else node
        if HUMAN_PROMPT in value or AI_PROMPT in value:
            yield _at(whole, "a turn marker in a string", _MARKER)
        if value.endswith(_PATH):
            yield _at(whole, f"the path {_PATH} in a string", _ENDPOINT)


def _dotted(node: ast.expr) -> str:
    """Return the text of a name with attributes, such as `self.client`; empty for other expressions."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (start := _dotted(node.value)):
        return f"{start}.{node.attr}"
    return ""


def _advice(module: str) -> str:
    """Say where to find here what the old client has in a module."""
    here = _MODULES.get(module) or module.replace("anthropic", "anthropic_completions", 1)
    return f"take it from {here} instead"


def _at(node: ast.alias | ast.expr, what: str, advice: str) -> Found:
    return node.lineno, node.col_offset, what, advice


def _at_name(node: ast.Attribute, what: str, advice: str) -> Found:
    """Point at the attribute's name, which may stand lines below the start of the expression."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset - len(node.attr.encode()), what, advice
