"""Carry the contract's request, reply and errors into the Python package's own types.

Five modules are written whole: the typed dicts of arguments, `create` of both clients, the attributes of
`Completion`, the quick checks of both, and the classes of errors. Of `__init__.py` the lists of names are
kept in step.
"""

import re
import textwrap
from pathlib import Path
from typing import Any

import carry_templates as templates
from carry_checks import checks

PACKAGE = Path("overlays/anthropic_completions")
PARAMS = PACKAGE / "types" / "completion_create_params.py"
CREATE = PACKAGE / "_client" / "create.py"
FIELDS = PACKAGE / "_contract" / "fields.py"
CHECKS = PACKAGE / "_contract" / "checks.py"
ERRORS = PACKAGE / "_errors" / "status.py"
NAMES = PACKAGE / "__init__.py"

_NOTE = "# Made of openapi.yaml by `make generate`. Do not edit."
_TYPES = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "null": "None"}
_OPEN = {"Model": "ModelParam", "AnthropicBeta": "AnthropicBetaParam"}
_WIDTH = 110


def carry(contract: dict[str, Any], root: Path) -> dict[Path, str]:
    """Return what the carried modules are to hold, by their paths from the root; not formatted."""
    schemas = contract["components"]["schemas"]
    request = schemas["CompletionRequest"]
    classes = schemas["ErrorDetail"]["properties"]["type"]["x-error-classes"]
    return {
        PARAMS: _params(schemas, request),
        CREATE: _create(schemas, request),
        FIELDS: _fields(schemas),
        CHECKS: checks(schemas),
        ERRORS: _errors(classes),
        NAMES: _names((root / NAMES).read_text(encoding="utf-8"), (root / ERRORS), classes),
    }


def python_type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the type that a schema is in Python, as source."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in _OPEN:
            return _OPEN[name]
        if "properties" in schemas[name]:
            return f"{name}Param"
        return python_type(schemas[name], schemas)
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    kinds = schema.get("type", "object")
    found = []
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "array":
            found.append(f"Sequence[{python_type(schema.get('items', {}), schemas)}]")
        else:
            found.append(_TYPES.get(kind, "Mapping[str, object]"))
    return " | ".join(found)


def _ordered(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the properties of a request, the required ones first, which is the order of arguments."""
    required = {name: request["properties"][name] for name in request["required"]}
    return {**required, **request["properties"]}


def _described(name: str, schema: dict[str, Any], schemas: dict[str, Any], indent: int) -> str:
    """Return the entry of an argument in a docstring."""
    target = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    text = " ".join(str(schema.get("description", target.get("description", ""))).split())
    low, high = target.get("minimum"), target.get("maximum")
    if low is not None:
        text += f" From {low} to {high}." if high is not None else f" {low} or more."
    if "maxLength" in target:
        text += f" At most {target['maxLength']} characters."
    prefix = " " * indent
    return textwrap.fill(
        f"{name}: {text}",
        width=_WIDTH,
        initial_indent=prefix,
        subsequent_indent=prefix + "    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _params(schemas: dict[str, Any], request: dict[str, Any]) -> str:
    properties = _ordered(request)
    required = request["required"]

    def fields(*, optional: str, skip: str = "stream") -> str:
        lines = []
        for name, schema in properties.items():
            if name != skip:
                kind = python_type(schema, schemas)
                lines.append(
                    f"    {name}: Required[{kind}]" if name in required else f"    {name}: {kind}{optional}"
                )
        return "\n".join([*lines, f"    betas: Sequence[AnthropicBetaParam]{optional}"])

    objects = []
    for name in _objects(properties, schemas):
        schema = schemas[name]
        told = "\n".join(_described(field, each, schemas, 8) for field, each in schema["properties"].items())
        types = "\n".join(
            f"    {field}: {python_type(each, schemas)}" for field, each in schema["properties"].items()
        )
        objects.append(
            f'class {name}Param(TypedDict, total=False):\n    r"""{schema["description"].strip()}\n\n'
            f'    Attributes:\n{told}\n    """\n\n{types}\n'
        )
    return templates.PARAMS.format(
        note=_NOTE,
        objects="\n\n".join(objects),
        base=fields(optional=""),
        options=fields(optional=" | Omit | NotGiven | None"),
        names="\n".join(f'    "{name}Param",' for name in _objects(properties, schemas)),
    )


def _objects(properties: dict[str, dict[str, Any]], schemas: dict[str, Any]) -> list[str]:
    names = [schema["$ref"].rpartition("/")[2] for schema in properties.values() if "$ref" in schema]
    return [name for name in names if "properties" in schemas[name]]


def _create(schemas: dict[str, Any], request: dict[str, Any]) -> str:
    properties = _ordered(request)
    arguments = [
        f"        {name}: {python_type(schema, schemas)}"
        + ("" if name in request["required"] else " | Omit | NotGiven | None = omit")
        for name, schema in properties.items()
    ]
    imported = sorted({"CreateOptions", "AnthropicBetaParam", *re.findall(r"\w+Param\b", "".join(arguments))})
    form = {
        "arguments": ",\n".join(arguments),
        "passed": "\n".join(f'                "{name}": {name},' for name in properties),
    }
    told = "\n".join(_described(name, schema, schemas, 12) for name, schema in properties.items())
    doc = templates.CREATE_DOC.format(told=told)
    return "\n\n".join(
        [
            templates.CREATE_HEAD.format(note=_NOTE, imported=", ".join(imported)),
            templates.CREATE_CLASS.format(**form, prefix="", a="", w="", doc=doc),
            templates.CREATE_CLASS.format(**form, prefix="Async", a="async ", w="await ", doc="")
            + "\n    create.__doc__ = Create.create.__doc__\n",
        ]
    )


def _fields(schemas: dict[str, Any]) -> str:
    reply = schemas["Completion"]
    members = []
    for name, schema in reply["properties"].items():
        if name in reply["required"]:
            continue
        kind = python_type(schema, schemas)
        kind = kind if "None" in kind.split(" | ") else f"{kind} | None"
        text = textwrap.fill(
            " ".join(schema["description"].split()) + " None also where it did not come.",
            width=_WIDTH - 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
        members.append(
            templates.FIELD.format(name=name, kind=kind, text=textwrap.indent(text, " " * 8).strip())
        )
    return templates.FIELDS.format(note=_NOTE, members="\n".join(members))


def _errors(classes: dict[int, dict[str, str]]) -> str:
    made = [
        f"class {each['name']}({each.get('base', 'APIStatusError')}):\n"
        f'    """{status}: {each["description"]}"""\n\n    status_code = {status}\n'
        for status, each in sorted(classes.items(), key=lambda item: int(item[0]))
    ]
    table = "".join(f"{status}: {each['name']}, " for status, each in sorted(classes.items()))
    made.append(templates.ERROR_OF_STATUS.format(table=table))
    names = sorted(each["name"] for each in classes.values())
    listed = "\n".join(f'    "{name}",' for name in names)
    return "\n\n".join([templates.ERRORS.format(note=_NOTE, names=listed), *made])


def _names(source: str, before: Path, classes: dict[int, dict[str, str]]) -> str:
    """Return the package's `__init__.py` with the classes of errors that there are now."""
    old = (
        set(re.findall(r"^class (\w+)\(", before.read_text("utf-8"), re.MULTILINE))
        if before.exists()
        else set()
    )
    new = {each["name"] for each in classes.values()}

    def imported(match: re.Match[str]) -> str:
        names = (set(re.findall(r"\w+", match[1])) - old) | new
        return f"from ._errors import (\n{''.join(f'    {name},{chr(10)}' for name in sorted(names))})\n"

    def exported(match: re.Match[str]) -> str:
        names = (set(re.findall(r'"(\w+)"', match[1])) - old) | new
        return (
            f"__all__ = [\n{''.join(f'    {chr(34)}{name}{chr(34)},{chr(10)}' for name in sorted(names))}]\n"
        )

    source = re.sub(r"^from \._errors import \(\n(.*?)\)\n", imported, source, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^__all__ = \[\n(.*?)\]\n", exported, source, flags=re.DOTALL | re.MULTILINE)
