"""The checks against the contract's schemas: their verdicts, and what they say."""

import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions._contract.checks import QUICK
from anthropic_completions._contract.generated import (
    checker,
    component,
    contract,
    first_violation,
    violations,
)
from anthropic_completions._contract.schema import compile_schema, describe
from strategies import texts

SCHEMAS = contract()["components"]["schemas"]
# Of a stream's text, which is no JSON value, the contract says nothing that is checked here.
CHECKED = sorted(set(SCHEMAS) - {"CompletionStream"})


def full_validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**contract(), "$ref": f"#/components/schemas/{name}"})


VALIDATORS = {name: full_validator(name) for name in CHECKED}
# Values around which verdicts change.
SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2, 0.0, 1.0, -0.0, 0.5, 1.5, 256, 257, 10**30])
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "completion", "ping", "a" * 256, "a" * 257, "claude-opus-4-8", "\ud800"])
    | texts()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3)
)


def objects_like(name: str) -> st.SearchStrategy[Any]:
    """Return objects with the schema's fields, right, wrong, missing, and some that it does not have."""
    schema = SCHEMAS[name]
    fields = {}
    for field, inner in schema.get("properties", {}).items():
        if "$ref" in inner and inner["$ref"].rpartition("/")[2] in ("Metadata", "ErrorDetail"):
            fields[field] = VALUES | objects_like(inner["$ref"].rpartition("/")[2])
        elif inner.get("type") == "array":
            fields[field] = VALUES | st.lists(SCALARS | texts())
        elif inner.get("type") in ("integer", "number"):
            fields[field] = SCALARS | st.integers(0, 3) | st.floats(0, 1)
        else:
            fields[field] = SCALARS | texts(min_size=1) | st.just("completion")
    known = st.fixed_dictionaries({}, optional=fields)
    return known | st.builds(lambda a, b: {**a, **b}, st.dictionaries(texts(), VALUES, max_size=2), known)


# Made once, as hypothesis takes a while to look at them.
STRATEGIES = {name: VALUES | objects_like(name) for name in CHECKED}


@pytest.mark.parametrize("name", CHECKED)
@given(data=st.data())
def test_the_verdicts_are_a_full_validators(name: str, data: st.DataObject) -> None:
    value = data.draw(STRATEGIES[name])
    assert (first_violation(name, value) is None) == VALIDATORS[name].is_valid(value)


@pytest.mark.parametrize("name", sorted(QUICK))
@given(data=st.data())
def test_what_a_quick_check_takes_is_right(name: str, data: st.DataObject) -> None:
    """The checks that `make generate` writes take what the interpreter takes, and let nothing else pass."""
    value = data.draw(STRATEGIES[name])
    if QUICK[name](value):
        assert not checker(name)(value, "")


RIGHT: dict[str, dict[str, Any]] = {
    "Completion": {"id": "c", "completion": "", "model": "m", "stop_reason": None, "type": "completion"},
    "CompletionChunk": {"completion": " a", "stop": None, "log_id": "l"},
    "CompletionRequest": {
        "max_tokens_to_sample": 1,
        "model": "m",
        "prompt": "p",
        "metadata": {"user_id": None},
        "stop_sequences": ["a"],
        "stream": True,
        "temperature": 0.5,
        "top_k": -1,
        "top_p": 1,
    },
}


@pytest.mark.parametrize("name", sorted(QUICK))
def test_a_quick_check_spares_the_interpreter_what_is_right(name: str) -> None:
    assert QUICK[name](RIGHT[name])


@pytest.mark.parametrize("name", sorted(QUICK))
@pytest.mark.parametrize("wrong", [True, 1, math.nan, -2, 10**400, "", "a" * 257, [1], {"a": 1}, b"a"])
def test_a_quick_check_never_takes_what_the_interpreter_refuses(name: str, wrong: object) -> None:
    fields = [*RIGHT[name], "id", "stop", "other"]
    for field in fields:
        value = {**RIGHT[name], field: wrong}
        assert not (QUICK[name](value) and checker(name)(value, ""))
    value = {**RIGHT[name], "metadata": {"user_id": wrong}}
    assert not (QUICK[name](value) and checker(name)(value, ""))


class Text(str):
    """Text of a user's own kind."""


def test_what_a_quick_check_is_not_certain_of_is_left_to_the_interpreter() -> None:
    """It knows exact types only, and a subclass of `str` is a string all the same."""
    value = {**RIGHT["CompletionRequest"], "prompt": Text("p"), "max_tokens_to_sample": 1.0}
    assert not QUICK["CompletionRequest"](value)
    assert violations("CompletionRequest", value) == ()


def test_the_strategies_reach_both_verdicts() -> None:
    """The test before compares nothing where no generated request or completion is ever right."""
    request = {"max_tokens_to_sample": 1, "model": "m", "prompt": "p", "metadata": {"user_id": None}}
    completion = {"id": "c", "completion": "", "model": "m", "stop_reason": None, "type": "completion"}
    assert first_violation("CompletionRequest", request) is None
    assert first_violation("Completion", completion) is None
    assert first_violation("CompletionRequest", {**request, "metadata": {"user_id": "a" * 257}}) is not None


@pytest.mark.parametrize(
    "schema", [{"type": "string", "pattern": "x"}, {"oneOf": []}, {"properties": {"a": {"not": {}}}}]
)
def test_refuses_a_keyword_that_it_does_not_know(schema: Any) -> None:
    """Nothing is skipped in silence, at any depth; extensions are no keywords."""
    with pytest.raises(NotImplementedError, match=r"pattern|oneOf|not"):
        compile_schema(schema, component)
    compile_schema({"type": "string", "x-anything": 1, "description": "d"}, component)


REQUEST = {"max_tokens_to_sample": 1, "model": "m", "prompt": "p"}


@pytest.mark.parametrize(
    ("fields", "rule", "message"),
    [
        ({"temperature": 1.5}, "maximum", "temperature: expected a number from 0 to 1, got 1.5"),
        ({"temperature": "hot"}, "type", "temperature: expected a number from 0 to 1, got 'hot'"),
        ({"temperature": True}, "type", "temperature: expected a number from 0 to 1, got True"),
        ({"temperature": math.nan}, "minimum", "temperature: expected a number from 0 to 1, got nan"),
        ({"top_p": math.inf}, "maximum", "top_p: expected a number from -1 to 1, got inf"),
        ({"top_k": 0.5}, "type", "top_k: expected an integer of at least -1, got 0.5"),
        ({"top_k": -2}, "minimum", "top_k: expected an integer of at least -1, got -2"),
        (
            {"max_tokens_to_sample": 0},
            "minimum",
            "max_tokens_to_sample: expected an integer of at least 1, got 0",
        ),
        (
            {"max_tokens_to_sample": math.inf},
            "type",
            "max_tokens_to_sample: expected an integer of at least 1, got inf",
        ),
        ({"prompt": ""}, "minLength", "prompt: expected a string of at least 1 character, got ''"),
        (
            {"prompt": b"p"},
            "type",
            "prompt: expected a string of at least 1 character, got a value of type bytes",
        ),
        ({"model": 5}, "type", "model: expected a string, got 5"),
        ({"stream": 1}, "type", "stream: expected true or false, got 1"),
        ({"stop_sequences": "ab"}, "type", "stop_sequences: expected a list, got 'ab'"),
        ({"stop_sequences": ["a", 1]}, "type", "stop_sequences[1]: expected a string, got 1"),
        ({"metadata": []}, "type", "metadata: expected an object, got a value of type list"),
        (
            {"metadata": {"user_id": "a" * 257}},
            "maxLength",
            "metadata.user_id: expected a string of at most 256 characters, got 257 characters",
        ),
        (
            {"metadata": {"name": "x"}},
            "additionalProperties",
            "metadata.name: expected no such field, got 'x'",
        ),
        ({"colour": "red"}, "additionalProperties", "colour: expected no such field, got 'red'"),
    ],
)
def test_says_where_what_was_expected_and_what_came(fields: Any, rule: str, message: str) -> None:
    violation = first_violation("CompletionRequest", {**REQUEST, **fields})
    assert violation is not None
    assert violation.rule == rule
    assert str(violation) == message


def test_says_what_is_missing() -> None:
    violations = [str(violation) for violation in checker("CompletionRequest")({"model": "m"}, "")]
    assert violations == [
        "max_tokens_to_sample: expected a value, got nothing",
        "prompt: expected a value, got nothing",
    ]
    assert (
        str(first_violation("CompletionRequest", [])) == "value: expected an object, got a value of type list"
    )


@given(VALUES | st.binary() | st.sampled_from([10**5000, -(10**5000)]))
def test_a_value_is_described_shortly(value: object) -> None:
    assert 0 < len(describe(value)) < 600
