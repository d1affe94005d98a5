"""Check values against the JSON Schemas of the contract.

The part of JSON Schema 2020-12 that the contract uses, so that a client can name what is wrong with an
argument without a validator among its dependencies. A keyword that is not known here is refused when a
schema is compiled: nothing is skipped in silence. Tests compare the verdicts with a full validator's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

# Its values are whatever JSON has.
JSONObject: TypeAlias = dict[str, Any]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Schema = Mapping[str, Any]
    Check = Callable[[Any, str], Sequence["Violation"]]


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

_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "array": ("a list", lambda value: isinstance(value, list)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("an integer", lambda value: _is_number(value) and value % 1 == 0),
    "null": ("null", lambda value: value is None),
    "number": ("a number", lambda value: _is_number(value)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "string": ("a string", lambda value: isinstance(value, str)),
}


def compile_schema(schema: Schema, resolve: Callable[[str], Schema]) -> Check:
    """Turn a schema into a function of a value and its path that returns what is wrong with the value.

    No generators: right values are the rule, and making a generator takes longer than most checks.

    Args:
        schema: The schema.
        resolve: Gives the schema that a `$ref` names.

    Raises:
        NotImplementedError: The schema has a keyword that is not known here.
    """
    checks: list[Check] = []
    for keyword, argument in schema.items():
        if keyword == "$ref":
            checks.append(compile_schema(resolve(argument), resolve))
        elif keyword in _COMPILERS:
            checks.append(_COMPILERS[keyword](argument, schema, resolve))
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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _type(names: Any, schema: Schema, resolve: object) -> Check:
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


def _bound(keyword: str, holds: Callable[[Any, Any], bool], applies: Callable[[object], bool]) -> Any:
    def compile_bound(limit: object, schema: Schema, resolve: object) -> Check:
        expected = _phrase(schema)

        def check(value: object, path: str) -> Sequence[Violation]:
            # `holds` rather than its opposite: NaN is beyond every bound.
            if not applies(value) or holds(value, limit):
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


def _constant(constant: object, schema: Schema, resolve: object) -> Check:
    def check(value: object, path: str) -> Sequence[Violation]:
        if value == constant and isinstance(value, bool) == isinstance(constant, bool):
            return ()
        return [Violation(path, "const", repr(constant), describe(value))]

    return check


def _enumeration(values: Any, schema: Schema, resolve: object) -> Check:
    def check(value: object, path: str) -> Sequence[Violation]:
        if value in values:
            return ()
        return [Violation(path, "enum", "one of the known values", describe(value))]

    return check


def _any_of(branches: Any, schema: Schema, resolve: Any) -> Check:
    checks = [compile_schema(branch, resolve) for branch in branches]

    def check(value: object, path: str) -> Sequence[Violation]:
        # The widest branch stands last; its complaint is the one to show.
        last: Sequence[Violation] = ()
        for branch in checks:
            last = branch(value, path)
            if not last:
                break
        return last

    return check


def _items(schema: Any, _: Schema, resolve: Any) -> Check:
    check_item = compile_schema(schema, resolve)

    def check(value: Any, path: str) -> Sequence[Violation]:
        if not isinstance(value, list):
            return ()
        return [wrong for index, item in enumerate(value) for wrong in check_item(item, f"{path}[{index}]")]

    return check


def _properties(properties: Any, _: Schema, resolve: Any) -> Check:
    checks = {name: compile_schema(schema, resolve) for name, schema in properties.items()}

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


def _required(names: Any, _: Schema, resolve: object) -> Check:
    def check(value: object, path: str) -> Sequence[Violation]:
        if not isinstance(value, dict):
            return ()
        missing = [name for name in names if name not in value]
        return [
            Violation(f"{path}.{name}" if path else name, "required", "a value", "nothing")
            for name in missing
        ]

    return check


def _additional(allowed: object, schema: Schema, resolve: object) -> Check:
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


_COMPILERS: dict[str, Callable[[object, Schema, object], Check]] = {
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "const": _constant,
    "enum": _enumeration,
    "items": _items,
    "maxLength": _bound("maxLength", lambda value, limit: len(value) <= limit, lambda v: isinstance(v, str)),
    "maximum": _bound("maximum", lambda value, limit: value <= limit, _is_number),
    "minLength": _bound("minLength", lambda value, limit: len(value) >= limit, lambda v: isinstance(v, str)),
    "minimum": _bound("minimum", lambda value, limit: value >= limit, _is_number),
    "properties": _properties,
    "required": _required,
    "type": _type,
}
