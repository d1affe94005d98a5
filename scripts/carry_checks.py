"""Make the quick checks of the contract's schemas: one function for each, without an interpreter.

They only say "right" or "not certain". What is wrong, and in which words, is the interpreter's to say, in
`_contract/schema.py`; so a function may refuse what is right (a subclass of `str`), and never the reverse.
"""

from typing import Any

CHECKED = ("Completion", "CompletionChunk", "CompletionRequest")

_NOTE = "# Made of openapi.yaml by `make generate`. Do not edit."
_HEAD = '''"""Quick checks, made of the contract: what they pass is right; `schema` explains the rest."""

{note}

{sets}
'''
_CHECK = '''
def {name}(value: object) -> bool:
    """Tell whether a value is certainly what the contract calls {schema}."""
    return {condition}
'''
_KINDS = {
    "array": "type({0}) is list",
    "boolean": "type({0}) is bool",
    "integer": "type({0}) is int",
    "null": "{0} is None",
    "number": "(type({0}) is float or type({0}) is int)",
    "object": "type({0}) is dict",
    "string": "type({0}) is str",
}
_LENGTHS = {"maxLength": "len({0}) <= {1!r}", "minLength": "len({0}) >= {1!r}"}
_BOUNDS = {"maximum": "{0} <= {1!r}", "minimum": "{0} >= {1!r}"}
# Annotations, and the bounds, which stand with the types.
_ELSEWHERE = {
    *("default", "description", "example", "examples", "externalDocs", "format", "title"),
    *_LENGTHS,
    *_BOUNDS,
}


def checks(schemas: dict[str, Any]) -> str:
    """Return the module of the quick checks, not formatted.

    Raises:
        NotImplementedError: A schema has a keyword that is not known here, or a bound without its type.
    """
    writer = _Writer(schemas)
    functions = [
        _CHECK.format(name=_function(each), schema=each, condition=writer.condition(schemas[each], "value"))
        for each in CHECKED
    ]
    fields = writer.set_of(schemas["CompletionRequest"])  # one of the sets, so before these are written
    sets = [f"{name} = frozenset({sorted(names)!r})" for name, names in writer.sets.items()]
    sets.append(f"REQUEST_FIELDS = {fields}")
    table = "".join(f"    {each!r}: {_function(each)},\n" for each in CHECKED)
    head = _HEAD.format(note=_NOTE, sets="\n".join(sets))
    return "\n".join([head, *functions, f"\nQUICK = {{\n{table}}}\n"])


def _function(schema: str) -> str:
    return "is" + "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in schema)


class _Writer:
    """Writes conditions.

    Args:
        schemas: The contract's schemas, by their names.

    Attributes:
        sets: The names of fields that conditions compare with, by the names of their constants.
    """

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self.sets: dict[str, list[str]] = {}

    def condition(self, schema: dict[str, Any], value: str) -> str:
        """Return the condition, as source, under which a value is right; `value` is an expression for it."""
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        _check_bounds(kinds, schema)
        parts = []
        for keyword, argument in schema.items():
            if keyword == "$ref":
                parts.append(self.condition(self._schemas[argument.rpartition("/")[2]], value))
            elif keyword == "type":
                parts.append(_any_kind(kinds, schema, value))
            elif keyword == "const" and isinstance(argument, str) and kinds == ["string"]:
                parts.append(f"{value} == {argument!r}")
            elif keyword == "items" and kinds == ["array"]:
                parts.append(f"all({self.condition(argument, 'item')} for item in {value})")
            elif keyword == "properties" and kinds == ["object"]:
                parts += [
                    self._property(name, each, value, required=name in schema.get("required", ()))
                    for name, each in argument.items()
                ]
            elif keyword == "additionalProperties" and kinds == ["object"] and isinstance(argument, bool):
                parts += [] if argument else [f"{value}.keys() <= {self.set_of(schema)}"]
            elif keyword == "required" and kinds == ["object"]:
                properties = schema.get("properties", ())
                parts += [f"{name!r} in {value}" for name in argument if name not in properties]
            elif keyword not in _ELSEWHERE and not keyword.startswith("x-"):
                raise NotImplementedError(f"the schema keyword {keyword!r} of {schema} is not known here")
        return " and ".join(parts) or "True"

    def set_of(self, schema: dict[str, Any]) -> str:
        """Return the name of the constant with the fields of an object."""
        names = sorted(schema["properties"])
        for constant, known in self.sets.items():
            if known == names:
                return constant
        self.sets[f"_FIELDS_{len(self.sets) + 1}"] = names
        return f"_FIELDS_{len(self.sets)}"

    def _property(self, name: str, schema: dict[str, Any], value: str, *, required: bool) -> str:
        condition = self.condition(schema, f"{value}[{name!r}]")
        if required:
            return f"{name!r} in {value} and {condition}"
        return f"({name!r} not in {value} or {condition})"


def _check_bounds(kinds: list[str], schema: dict[str, Any]) -> None:
    """Refuse bounds without their type beside them, such as beside a `$ref`: they would be lost."""
    for bounds, of in ((_LENGTHS, {"string"}), (_BOUNDS, {"integer", "number"})):
        if of.isdisjoint(kinds) and (lost := [name for name in bounds if name in schema]):
            raise NotImplementedError(f"the bound {lost[0]!r} of {schema} has no type beside it")


def _any_kind(kinds: list[str], schema: dict[str, Any], value: str) -> str:
    """Return the condition of the types, each with the bounds that belong to it."""
    found = []
    for kind in kinds:
        bounds = _LENGTHS if kind == "string" else _BOUNDS if kind in ("integer", "number") else {}
        parts = [_KINDS[kind].format(value)]
        parts += [form.format(value, schema[name]) for name, form in bounds.items() if name in schema]
        found.append(" and ".join(parts))
    return found[0] if len(found) == 1 else f"({' or '.join(found)})"
