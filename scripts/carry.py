"""Carry the contract's request, reply and errors into the Python package's own types.

Four modules are written whole: the typed dicts of arguments, `create` of both clients, the attributes of
`Completion`, and the classes of errors. Of `__init__.py` the lists of names are kept in step.
"""

import re
import textwrap
from pathlib import Path
from typing import Any

PACKAGE = Path("overlays/anthropic_completions")
PARAMS = PACKAGE / "types" / "completion_create_params.py"
CREATE = PACKAGE / "_client" / "create.py"
FIELDS = PACKAGE / "_contract" / "fields.py"
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
    return _PARAMS.format(
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
    return "\n\n".join(
        [
            _CREATE_HEAD.format(note=_NOTE, imported=", ".join(imported)),
            _CREATE_CLASS.format(**form, prefix="", a="", w="", doc=_CREATE_DOC.format(told=told)),
            _CREATE_CLASS.format(**form, prefix="Async", a="async ", w="await ", doc="")
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
        members.append(_FIELD.format(name=name, kind=kind, text=textwrap.indent(text, " " * 8).strip()))
    return _FIELDS.format(note=_NOTE, members="\n".join(members))


def _errors(classes: dict[int, dict[str, str]]) -> str:
    made = [
        f"class {each['name']}({each.get('base', 'APIStatusError')}):\n"
        f'    """{status}: {each["description"]}"""\n\n    status_code = {status}\n'
        for status, each in sorted(classes.items(), key=lambda item: int(item[0]))
    ]
    table = "".join(f"{status}: {each['name']}, " for status, each in sorted(classes.items()))
    made.append(_ERROR_OF_STATUS.format(table=table))
    names = sorted(each["name"] for each in classes.values())
    listed = "\n".join(f'    "{name}",' for name in names)
    return "\n\n".join([_ERRORS.format(note=_NOTE, names=listed), *made])


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


_PARAMS = '''"""The arguments of `create` as typed dicts."""

{note}

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from .._contract.generated import KnownBeta, KnownModel
    from .._options import HeaderValues, NotGiven, Omit, QueryValues

__all__ = [
    "AnthropicBetaParam",
    "CompletionCreateParams",
    "CompletionCreateParamsBase",
    "CompletionCreateParamsNonStreaming",
    "CompletionCreateParamsStreaming",
    "CompletionRequestNonStreaming",
    "CompletionRequestNonStreamingMetadata",
    "CompletionRequestStreaming",
    "CompletionRequestStreamingMetadata",
    "CreateOptions",
    "Metadata",
    "Model",
    "ModelParam",
{names}
]

# Any string besides the known names, which editors complete. Not `"KnownModel | str"`: people write
# `Model | None`, which must also work when it is run.
ModelParam: TypeAlias = Union["KnownModel", str]
AnthropicBetaParam: TypeAlias = Union["KnownBeta", str]
Model: TypeAlias = ModelParam


{objects}

class CompletionCreateParamsBase(TypedDict, total=False):
    """The arguments that both forms share; they mean what the arguments of `create` mean."""

{base}


class CompletionCreateParamsNonStreaming(CompletionCreateParamsBase, total=False):
    """The arguments of a call that returns a `Completion`."""

    stream: Literal[False]


class CompletionCreateParamsStreaming(CompletionCreateParamsBase):
    """The arguments of a call that returns a `Stream`."""

    stream: Required[Literal[True]]


CompletionCreateParams = CompletionCreateParamsNonStreaming | CompletionCreateParamsStreaming
Metadata = MetadataParam
CompletionRequestNonStreaming = CompletionCreateParamsNonStreaming
CompletionRequestNonStreamingMetadata = MetadataParam
CompletionRequestStreaming = CompletionCreateParamsStreaming
CompletionRequestStreamingMetadata = MetadataParam


class CreateOptions(TypedDict, total=False):
    """All keywords of `create` but `stream`, as its overloads take them."""

{options}
    extra_headers: HeaderValues | None
    extra_query: QueryValues | None
    extra_body: Mapping[str, object] | None
    timeout: float | httpx.Timeout | NotGiven | None
    deadline: float | NotGiven | None
    check_prompt: bool
'''

_CREATE_HEAD = '''"""`create` of both clients, with every argument that the contract has."""

{note}

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, overload

from .._options import NOT_GIVEN, NotGiven, Omit, omit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import httpx

    from .._contract.completion import Completion
    from .._options import HeaderValues, QueryValues
    from .._stream.streams import AsyncStream, Stream
    from ..types.completion_create_params import {imported}
    from .responses import RawAPIResponse, ReplyBase

    Answer = Completion | Stream[Completion]
    AsyncAnswer = Completion | AsyncStream[Completion]

F = TypeVar("F", bound="ReplyBase[object]")


class Completer(Protocol):
    """What `Completions` asks of its client."""

    def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        """Make one call, and return the reply in the form of a class of replies."""
        ...


class AsyncCompleter(Protocol):
    """What `AsyncCompletions` asks of its client."""

    async def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        """Make one call, and return the reply in the form of a class of replies."""
        ...
'''

_CREATE_CLASS = '''
class {prefix}Create:
    """Holds `create`."""

    def __init__(self, client: {prefix}Completer) -> None:
        self._client = client

    @overload
    {a}def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> Completion: ...

    @overload
    {a}def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> {prefix}Stream[Completion]: ...

    @overload
    {a}def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> {prefix}Answer: ...

    {a}def create(
        self,
        *,
{arguments},
        betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None = omit,
        extra_headers: HeaderValues | None = None,
        extra_query: QueryValues | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        check_prompt: bool = False,
    ) -> {prefix}Answer:
{doc}        from .responses import RawAPIResponse

        reply: RawAPIResponse[{prefix}Answer] = {w}self._client._complete(
            {{
{passed}
                "betas": betas,
                "extra_headers": extra_headers,
                "extra_query": extra_query,
                "extra_body": extra_body,
                "timeout": timeout,
                "deadline": deadline,
                "check_prompt": check_prompt,
            }},
            RawAPIResponse,
        )
        return reply.parse()
'''

_CREATE_DOC = '''        r"""Continue a prompt.

        Arguments that are not given, or are `omit`, are not sent; None is sent as null. Types and ranges
        are those of the contract and are checked before anything is sent.

        Args:
{told}
            betas: Names of beta features, sent as the anthropic-beta header.
            extra_headers: Further headers; they override all others, and `omit` takes one away.
            extra_query: Further query parameters.
            extra_body: Further fields of the body, unchecked; they override the arguments, and `omit`
                takes one away.
            timeout: Seconds for each of connecting, sending, and waiting for bytes, or an
                `httpx.Timeout`, or None for no limit; the client's where it is not given.
            deadline: Seconds for the whole call with all its attempts and waits, or None for no limit;
                the client's where it is not given.
            check_prompt: Whether to raise, before anything is sent, where the service would refuse the
                prompt; see `prompts.validate`. What it would only sanitise passes and is sent as it is.

        Returns:
            The completion, or with `stream=True` the stream of its chunks.

        Raises:
            TypeError, ValueError: An argument is wrong, or there is no credential. Nothing was sent.
            InvalidPromptError: A ValueError: `check_prompt` found that the service would refuse the prompt.
            LossError, UntranslatablePromptError: ValueErrors of the backend `messages`: it has no
                counterpart for something in the request, with `on_loss="error"`, or for the prompt.
            APIStatusError: The service answered with an error; the class tells which.
            APIConnectionError: No reply came, or not the whole of it.
            APITimeoutError: Nothing came in time.
            APIResponseValidationError: The reply is not what the contract says.
            UntranslatableReplyError: An APIError of the backend `messages`: the reply is a refusal, the use
                of a tool, or anything else that completions do not have.

        Warns:
            DeprecationWarning, RetiredModelWarning: The model is deprecated or retired; see the client's
                `model_warnings`.
            LossWarning: Messages has no counterpart for all of the request, with `on_loss="warn"`.
            BackendSwitchWarning: The backend `auto` asks Messages from now on.
        """
'''
_FIELD = '''    @property  # type: ignore[override]
    def {name}(self) -> {kind}:  # pyright: ignore[reportIncompatibleVariableOverride]
        r"""{text}"""
        return self.additional_properties.get("{name}")

    @{name}.setter
    def {name}(self, value: {kind}) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.additional_properties["{name}"] = value
'''
_FIELDS = '''"""The fields of a reply that may be absent, as attributes that are None then."""

{note}

from __future__ import annotations

from typing import TYPE_CHECKING

from .generated import CompletionModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class CompletionFields(CompletionModel):
    """The generated model, with a property for each field that a reply may lack."""

    __slots__ = ()

{members}
'''
_ERRORS = '''"""The error of each HTTP status that has one of its own."""

{note}

from __future__ import annotations

from .base import APIStatusError, InternalServerError

__all__ = [
{names}
]
'''
_ERROR_OF_STATUS = '''
_CLASSES: dict[int, type[APIStatusError]] = {{{table}}}


def status_error_class(status: int) -> type[APIStatusError]:
    """Return the class that stands for an HTTP status."""
    return _CLASSES.get(status) or (InternalServerError if status >= 500 else APIStatusError)
'''
