"""Check values against the JSON Schemas of the contract.

The part of JSON Schema 2020-12 that the contract uses, so that a client can name what is wrong with an
argument without a validator among its dependencies. A keyword that is not known here is refused when a
schema is compiled: nothing is skipped in silence. Tests compare the verdicts with a full validator's.
"""

# A compiler is called where its keyword is there.
# pyright: reportTypedDictNotRequiredAccess=false

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypedDict, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

    Check = Callable[[object, str], Sequence["Violation"]]
    Resolve = Callable[[str], "Schema"]

# What is a JSON object, or is to be one: its values must be looked at before they are used.
JSONObject: TypeAlias = dict[str, object]


class EffortFacts(TypedDict):
    """Which values a model's `output_config.effort` may have."""

    levels: list[str]
    default: str


class SupportFacts(TypedDict, total=False):
    """What the contract tells of how the Messages API serves a model: the fields of `MessagesSupport`."""

    prefill: bool | None
    sampling: Literal["any", "one", "none"] | None
    thinking: Literal["off", "on", "always"] | None
    off_switch: Literal["disabled", "between_tools"] | None
    effort: EffortFacts | None
    max_tokens: int | None
    context: int | None


class ModelFacts(TypedDict, total=False):
    """What the contract tells of a model, or which one an alias stands for: the fields of `Lifecycle`."""

    alias_of: str
    status: str
    deprecated: str
    retired: str
    not_before: str
    replacement: str
    description: str
    sources: list[str]
    messages: SupportFacts


# The schema of a model's name, with the contract's own extensions.
KnownModels = TypedDict(
    "KnownModels",
    {
        "enum": list[str],
        "x-models": dict[str, ModelFacts],
        "x-models-as-of": str,
        "x-models-newest": str,
    },
)


Schema = TypedDict(
    "Schema",
    {
        "$ref": str,
        "additionalProperties": bool,
        "anyOf": "Sequence[Schema]",
        "const": object,
        "enum": "Sequence[str]",
        "items": "Schema",
        "maxLength": int,
        "maximum": float,
        "minLength": int,
        "minimum": float,
        "properties": "Mapping[str, Schema]",
        "required": "Sequence[str]",
        "type": "str | Sequence[str]",
    },
    total=False,
)


class Violation(NamedTuple):
    """One thing that is wrong with a value.

    Attributes:
        path: Where, such as `metadata.user_id` or `stop_sequences[2]`; empty for the value itself.
        rule: The keyword of the schema that is broken, such as `type` or `maximum`.
        expected: What was expected, as a phrase such as "a number from 0 to 1".
        came: What came, as a short phrase.
    """

    path: str
    rule: str
    expected: str
    came: str

    def __str__(self) -> str:
        return f"{self.path or 'value'}: expected {self.expected}, got {self.came}"


# Annotations, which say nothing about whether a value is right.
_ANNOTATIONS = frozenset({"default", "description", "example", "examples", "externalDocs", "format", "title"})

_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "array": ("a list", lambda value: isinstance(value, list)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("an integer", lambda value: _is_number(value) and value % 1 == 0),
    "null": ("null", lambda value: value is None),
    "number": ("a number", lambda value: _is_number(value)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "string": ("a string", lambda value: isinstance(value, str)),
}


def compile_schema(schema: Schema, resolve: Resolve) -> Check:
    """Turn a schema into a function of a value and its path that returns what is wrong with the value.

    No generators: right values are the rule, and making a generator takes longer than most checks.

    Args:
        schema: The schema.
        resolve: Gives the schema that a `$ref` names.

    Raises:
        NotImplementedError: The schema has a keyword that is not known here.
    """
    checks: list[Check] = []
    for keyword in schema:
        if keyword in _COMPILERS:
            checks.append(_COMPILERS[keyword](schema, resolve))
        elif keyword not in _ANNOTATIONS and not keyword.startswith("x-"):
            raise NotImplementedError(f"the schema keyword {keyword!r} is not known here")
    if len(checks) == 1:
        return checks[0]

    def check_all(value: object, path: str) -> Sequence[Violation]:
        found: Sequence[Violation] = ()
        for check in checks:
            if wrong := check(value, path):
                found = [*found, *wrong]
        return found

    return check_all


def describe(value: object) -> str:
    """Return a value as a short phrase for an error message."""
    if isinstance(value, str) and len(value) > 60:
        return f"a string of {len(value)} characters"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, str | bool | int | float | None):
        return repr(value)
    return f"a value of type {type(value).__name__}"


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _reference(schema: Schema, resolve: Resolve) -> Check:
    return compile_schema(resolve(schema["$ref"]), resolve)


def _type(schema: Schema, _: Resolve) -> Check:
    names = schema["type"]
    kinds = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    phrases = [_phrase(schema) or phrase for phrase, _ in kinds[:1]] + [phrase for phrase, _ in kinds[1:]]
    tests = [test for _, test in kinds]
    expected = " or ".join(phrases)

    def check(value: object, path: str) -> Sequence[Violation]:
        for test in tests:
            if test(value):
                return ()
        return [Violation(path, "type", expected, describe(value))]

    return check


def _number(value: object) -> float | None:
    return value if _is_number(value) else None


def _length(value: object) -> int | None:
    return len(value) if isinstance(value, str) else None


def _bound(
    keyword: Literal["maxLength", "maximum", "minLength", "minimum"],
    size_of: Callable[[object], float | None],
    holds: Callable[[float, float], bool],
) -> Callable[[Schema, Resolve], Check]:
    def compile_bound(schema: Schema, _: Resolve) -> Check:
        expected, limit = _phrase(schema), schema[keyword]

        def check(value: object, path: str) -> Sequence[Violation]:
            size = size_of(value)
            # `holds` rather than its opposite: NaN is beyond every bound.
            if size is None or holds(size, limit):
                return ()
            came = f"{len(value)} characters" if isinstance(value, str) and value else describe(value)
            return [Violation(path, keyword, expected, came)]

        return check

    return compile_bound


def _phrase(schema: Schema) -> str:
    """Say in words what a schema with bounds expects; empty for one without."""
    kinds = schema.get("type")
    kind = kinds if isinstance(kinds, str) else kinds[0] if kinds else None
    what = _TYPES[kind][0] if kind else "a value"
    low, high = schema.get("minimum"), schema.get("maximum")
    if "maxLength" in schema:
        return f"{what} of at most {schema['maxLength']} characters"
    if "minLength" in schema:
        return f"{what} of at least {schema['minLength']} character"
    if low is not None and high is not None:
        return f"{what} from {low} to {high}"
    return f"{what} of at least {low}" if low is not None else ""


def _constant(schema: Schema, _: Resolve) -> Check:
    constant = schema["const"]

    def check(value: object, path: str) -> Sequence[Violation]:
        if value == constant and isinstance(value, bool) == isinstance(constant, bool):
            return ()
        return [Violation(path, "const", repr(constant), describe(value))]

    return check


def _enumeration(schema: Schema, _: Resolve) -> Check:
    values = schema["enum"]

    def check(value: object, path: str) -> Sequence[Violation]:
        if value in values:
            return ()
        return [Violation(path, "enum", "one of the known values", describe(value))]

    return check


def _any_of(schema: Schema, resolve: Resolve) -> Check:
    checks = [compile_schema(branch, resolve) for branch in schema["anyOf"]]

    def check(value: object, path: str) -> Sequence[Violation]:
        # The widest branch stands last; its complaint is the one to show.
        last: Sequence[Violation] = ()
        for branch in checks:
            last = branch(value, path)
            if not last:
                break
        return last

    return check


def _items(schema: Schema, resolve: Resolve) -> Check:
    check_item = compile_schema(schema["items"], resolve)

    def check(value: object, path: str) -> Sequence[Violation]:
        if not isinstance(value, list):
            return ()
        return [wrong for index, item in enumerate(value) for wrong in check_item(item, f"{path}[{index}]")]

    return check


def _properties(schema: Schema, resolve: Resolve) -> Check:
    checks = {name: compile_schema(property_, resolve) for name, property_ in schema["properties"].items()}

    def check(value: object, path: str) -> Sequence[Violation]:
        found: Sequence[Violation] = ()
        if isinstance(value, dict):
            for name, check_property in checks.items():
                if name in value and (
                    wrong := check_property(value[name], f"{path}.{name}" if path else name)
                ):
                    found = [*found, *wrong]
        return found

    return check


def _required(schema: Schema, _: Resolve) -> Check:
    names = schema["required"]

    def check(value: object, path: str) -> Sequence[Violation]:
        if not isinstance(value, dict):
            return ()
        missing = [name for name in names if name not in value]
        return [
            Violation(f"{path}.{name}" if path else name, "required", "a value", "nothing")
            for name in missing
        ]

    return check


def _additional(schema: Schema, _: Resolve) -> Check:
    allowed = schema["additionalProperties"]
    known = frozenset(schema.get("properties", ()))

    def check(value: object, path: str) -> Sequence[Violation]:
        if allowed is not False or not isinstance(value, dict):
            return ()
        unknown = [name for name in value if name not in known]
        return [
            Violation(
                f"{path}.{name}" if path else str(name),
                "additionalProperties",
                "no such field",
                describe(value[name]),
            )
            for name in unknown
        ]

    return check


_COMPILERS: dict[str, Callable[[Schema, Resolve], Check]] = {
    "$ref": _reference,
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "const": _constant,
    "enum": _enumeration,
    "items": _items,
    "maxLength": _bound("maxLength", _length, operator.le),
    "maximum": _bound("maximum", _number, operator.le),
    "minLength": _bound("minLength", _length, operator.ge),
    "minimum": _bound("minimum", _number, operator.ge),
    "properties": _properties,
    "required": _required,
    "type": _type,
}
