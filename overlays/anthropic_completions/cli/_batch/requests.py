"""Make requests of rows, and check them: ids, prompts, and the fields that are carried through."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import TYPE_CHECKING, cast

from ..._client.routing import model_asked_for
from ..._contract.generated import body_fields, component, first_violation
from ...models import lifecycle
from .._common import as_prompt
from .inputs import check_columns, columns_of, rows_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..._contract.schema import JSONObject
    from ..._options import Options
    from .._common import Form
    from .inputs import Format

    Id = str | int

_FORMATTER = Formatter()
_PROPERTIES = "#/components/schemas/CompletionRequest/properties/"
# Fields of a row by which the formats of other interfaces are known, and what it is then.
_OWN = 'lines with an "id" and a "prompt"'
_FOREIGN = {
    ("custom_id", "body"): f"a line of OpenAI's Batch API, a request of another API: write {_OWN} instead",
    ("custom_id", "params"): (
        "a line of a Message Batches file, which holds Messages requests already: submit it to "
        f"/v1/messages/batches as it is, or write {_OWN}"
    ),
    ("custom_id", "response"): "a line of the output of OpenAI's Batch API, which holds no requests",
    ("custom_id", "result"): "a line of the results of Message Batches, which holds no requests",
    ("messages",): (
        "a chat request, as the APIs of OpenAI and Messages have them: write a prompt with its turns, "
        "as prompts.Prompt.from_turns makes it"
    ),
}


class ForeignError(ValueError):
    """A file has the format of another interface."""


class Asked(dict[str, object]):
    """A request: the arguments of `create` that its row has, and its `id`.

    Attributes:
        number: The number of its row.
        row: The row's other fields, which go through to the result.
        fingerprint: What tells what is sent for this request from anything else: 16 hex digits of the request
            itself, and 8 of the settings that change it on its way. Earlier versions kept the 16 only.
    """

    __slots__ = ("fingerprint", "number", "row")

    number: int
    row: JSONObject
    fingerprint: str

    @property
    def id(self) -> Id:
        """What names it in the results."""
        return cast("Id", self["id"])


@dataclass(frozen=True)
class Reading:
    """How the rows of a file become requests.

    Attributes:
        source: The file.
        kind: Its format.
        common: Arguments of every call; those of a row override them.
        id_field: The name of the field with the id.
        prompt_field: The name of the field with the prompt.
        template: Text with the names of fields in braces, which makes the prompt; None for `prompt_field`.
        number_ids: Whether the number of a row is its id.
        form, system: What the prompts are, and text before their first turns; see `as_prompt`.
        way: What becomes of requests on their way; None for nothing.
    """

    source: Path
    kind: Format
    common: Mapping[str, object]
    id_field: str = "id"
    prompt_field: str = "prompt"
    template: str | None = None
    number_ids: bool = False
    form: Form | None = None
    system: str | None = None
    way: Way | None = None

    def __post_init__(self) -> None:
        if self.template is not None:
            check_template(self.template)

    def requests(self) -> Iterator[Asked]:
        """Yield the requests of a file that was found to be right."""
        for number, row in rows_in(self.source, self.kind):
            if isinstance(row, ValueError):
                raise ValueError(f"{self.source}:{number}: {row}")
            yield self.asked(number, row)

    def asked(self, number: int, row: JSONObject) -> Asked:
        """Return the request that a row is, with its fields as yet unchecked.

        Raises:
            ValueError: It has no id, or lacks what the template names.
        """
        rest = dict(row)
        asked = Asked()
        asked["id"] = number if self.number_ids else self._id(rest)
        prompt = self._prompt(rest)
        if prompt is not None:
            asked["prompt"] = (
                as_prompt(prompt, self.form, self.system) if isinstance(prompt, str) and prompt else prompt
            )
        known = body_fields() | {"betas"}
        for name in (*rest,):
            if name in known:
                value = rest.pop(name)
                if self.kind in ("csv", "tsv") and isinstance(value, str):
                    if not value:
                        continue
                    value = _from_cell(name, value)
                asked[name] = value
        asked.number, asked.row = number, rest
        whole = {**self.common, **asked}
        way = "" if self.way is None else self.way.of(str(whole.get("model")))
        asked.fingerprint = fingerprint(whole, way)
        return asked

    def _id(self, rest: JSONObject) -> Id:
        identifier = rest.pop(self.id_field, None)
        if isinstance(identifier, bool) or not isinstance(identifier, str | int):
            hint = "; --id-field names another field, --number-ids takes the rows' numbers"
            hint = hint if identifier is None else ""
            raise ValueError(f"{self.id_field}: expected text or an integer, got {identifier!r}{hint}")
        if isinstance(identifier, str) and not _is_unicode(identifier):
            raise ValueError(f"{self.id_field}: expected text that UTF-8 has, got {identifier!a}")
        return identifier

    def _prompt(self, rest: JSONObject) -> object:
        if self.template is None:
            return rest.pop(self.prompt_field, None)
        names = _fields_of(self.template)
        for name in names:
            if rest.get(name) is None:
                raise ValueError(f"template: expected a field {name!r}, got none")
        return self.template.format_map({name: rest[name] for name in names})


@dataclass(frozen=True)
class Way:
    """What becomes of a request on its way: for which model and endpoint it is, and how it is translated.

    Attributes:
        options: The settings of the client.
        by_messages: Whether Messages serves all requests, whatever `backend` says.
    """

    options: Options
    by_messages: bool = False
    _known: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def of(self, model: str) -> str:
        """Return what tells this way of a model's requests from others: the same text for the same way.

        With the backend `auto` that is the way of `messages`, but for models that the contract has from
        before: which endpoint serves a model shows only when it is asked.
        """
        if model not in self._known:
            self._known[model] = self._found(model)
        return self._known[model]

    def is_by_messages(self, model: str) -> bool:
        """Tell whether Messages will serve a model's requests, as far as that is known."""
        facts = lifecycle(self.asked(model))
        is_old = facts.status != "unknown" and facts.messages.prefill is None
        backend = self.options.backend
        return self.by_messages or backend == "messages" or (backend == "auto" and not is_old)

    def asked(self, model: str) -> str:
        """Return the model that is asked for in place of one; no warning tells of it."""
        return model_asked_for(replace(self.options, model_warnings=False), model)

    def _found(self, model: str) -> str:
        asked, options = self.asked(model), self.options
        if self.is_by_messages(model):
            return json.dumps([asked, "messages", options.prefill, options.thinking_room])
        return json.dumps([asked, "completions"])


@dataclass
class Checked:
    """What is known of a file after a look at each row.

    Attributes:
        fingerprints: The ids, with the fingerprints of their requests.
        models: The models that are asked.
        carried: The names of fields that go through to the results.
        told: The first things that are wrong, each with its place.
        wrong: How many rows are wrong.
    """

    fingerprints: dict[Id, int] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    carried: dict[str, None] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    wrong: int = 0


def check(reading: Reading, *, most: int = 20) -> Checked:
    """Look at each row of a file.

    Args:
        most: How many of the wrong ones are told.

    Raises:
        ForeignError: It is a file of another interface.
        ValueError: Nothing of it can be read, or it is a table without the columns that are named.
    """
    _check_columns(reading)
    checked = Checked()
    for number, row in rows_in(reading.source, reading.kind):
        try:
            if isinstance(row, ValueError):
                raise row
            asked = _checked(reading, number, row, checked)
        except ForeignError:
            raise
        except ValueError as error:
            checked.wrong += 1
            if len(checked.told) < most:
                checked.told.append(f"{reading.source}:{number}: {error}")
        else:
            checked.fingerprints[asked.id] = int(asked.fingerprint, 16)
            checked.models.add(str({**reading.common, **asked}["model"]))
            checked.carried.update(dict.fromkeys(asked.row))
    return checked


def _check_columns(reading: Reading) -> None:
    """Check that a table has the columns that options name, which each of its rows would lack."""
    columns = columns_of(reading.source, reading.kind)
    if not columns or any({*columns} >= {*names} for names in _FOREIGN):
        return
    wanted = {} if reading.number_ids else {reading.id_field: "--id-field"}
    by_template = dict.fromkeys(_fields_of(reading.template or ""), "--template")
    wanted |= by_template or {reading.prompt_field: "--prompt-field"}
    check_columns(reading.source, columns, wanted)


def _fields_of(template: str) -> list[str]:
    """Return the names of the fields in a template, sorted."""
    return sorted({name for _, name, _, _ in _FORMATTER.parse(template) if name is not None})


def _checked(reading: Reading, number: int, row: JSONObject, checked: Checked) -> Asked:
    if reading.prompt_field not in row and reading.template is None:
        for names, what in _FOREIGN.items():
            if row.keys() >= {*names}:
                raise ForeignError(f"{reading.source}:{number}: this is {what}.")
    asked = reading.asked(number, row)
    identifier = asked.id
    body = {**reading.common, **asked}
    del body["id"]
    betas = body.pop("betas", [])
    if not isinstance(betas, list) or not all(isinstance(beta, str) for beta in betas):
        raise ValueError("betas: expected a list of strings")
    if body.get("stream"):
        raise ValueError("stream: a batch does not stream")
    if violation := first_violation("CompletionRequest", body):
        raise ValueError(str(violation).replace("prompt: ", f"{reading.prompt_field}: ", 1))
    if identifier in checked.fingerprints:
        first = next(earlier.number for earlier in reading.requests() if earlier.id == identifier)
        raise ValueError(f"the id {identifier!r} is that of line {first}")
    return asked


def check_template(template: str) -> None:
    """Check that a template is text with plain names in braces.

    Raises:
        ValueError: It is something else.
    """
    try:
        fields = [part[1:] for part in _FORMATTER.parse(template) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"--template: {error}; braces that name no field are doubled: {{{{ }}}}") from None
    for name, spec, conversion in fields:
        if not name or spec or conversion or any(mark in name for mark in ".["):
            raise ValueError(f"--template: expected the name of a field in braces, got {{{name}}}")
    if not fields:
        raise ValueError("--template: expected the name of a field in braces, such as {question}, got none")


def fingerprint(request: Mapping[str, object], way: str = "") -> str:
    """Return what tells a request, and its way, from others, in hex.

    Args:
        request: The request, of all of which but its id come the first 64 bits of a hash.
        way: Its way, of which come 32 bits.
    """
    fields = {name: _same(value) for name, value in request.items() if name != "id"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return _hash(text)[:16] + _hash(way)[:8]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _same(value: object) -> object:
    """Return a number as JSON's readers see it, which do not tell 1.0 from 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _from_cell(name: str, text: str) -> object:
    """Return the value that the text of a cell stands for; text that stands for none stays."""
    if name in ("prompt", "model"):
        return text
    schema = {} if name == "betas" else component(_PROPERTIES + name)
    try:
        if schema.get("type") == "integer":
            return int(text)
        if schema.get("type") == "number":
            return float(text)
        return json.loads(text)
    except ValueError:
        return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
