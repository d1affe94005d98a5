"""`Completion`: its fields, its dumps, and what every object has."""

import copy
import json
import pickle
from typing import Any

import httpx
import pytest

from anthropic_completions.rate_limits import RateLimit
from anthropic_completions.types import Completion

FIELDS = {
    "type": "completion",
    "id": "compl_1",
    "completion": " Hello ü “you”\u2028",
    "stop_reason": "stop_sequence",
    "model": "claude-2.1",
    "stop": "\n\nHuman:",
    "log_id": "compl_1",
    "mood": {"value": [3]},
}
DOCUMENTED = {name: FIELDS[name] for name in ("id", "completion", "model", "stop_reason", "type")}
HEADERS = httpx.Headers(
    {
        "request-id": "req_1",
        "anthropic-workspace-id": "wrkspc_1",
        "anthropic-ratelimit-requests-remaining": "49",
    }
)


def completion(**changes: Any) -> Completion:
    """Make one as a reply's; a field that is changed to `...` did not come."""
    fields = {name: value for name, value in {**FIELDS, **changes}.items() if value is not ...}
    return Completion._from_wire(fields, HEADERS)


def test_fields_are_attributes() -> None:
    """The documented ones, and whatever else came."""
    result: Any = completion()
    assert {name: getattr(result, name) for name in FIELDS} == FIELDS
    with pytest.raises(AttributeError, match="'Completion' object has no attribute 'colour'"):
        result.colour  # noqa: B018
    with pytest.raises(AttributeError):
        result._colour  # noqa: B018


def test_a_field_that_did_not_come_is_none_and_in_no_dump() -> None:
    """As an attribute a documented field is None then; elsewhere it is absent."""
    bare = completion(**dict.fromkeys(FIELDS, ...) | {"completion": "Hi"})
    assert (bare.id, bare.model, bare.stop_reason, bare.type, bare.stop, bare.log_id) == (None,) * 6
    assert list(bare) == [("completion", "Hi")]
    assert bare.model_dump() == bare.to_dict() == bare.dict() == {"completion": "Hi"}
    assert bare.model_fields_set == {"completion"}
    assert repr(bare) == "Completion(completion='Hi')"


def test_a_null_that_came_is_in_the_dumps() -> None:
    result = completion(stop_reason=None, stop=None)
    assert result.to_dict()["stop_reason"] is None
    assert result.to_dict()["stop"] is None


def test_iterates_over_fields_and_values_in_order() -> None:
    """The documented fields in their order, then the others as they came."""
    names = ["id", "completion", "model", "stop_reason", "type", "stop", "log_id", "mood"]
    assert list(completion()) == [(name, FIELDS[name]) for name in names]
    assert list(completion().model_dump()) == names


@pytest.mark.parametrize("field", ["completion", "type", "stop_reason", "stop"])
def test_is_a_mapping_of_the_fields_that_came(field: str) -> None:
    completion = Completion.construct(**{field: "a"})
    assert field in completion
    assert completion[field] == "a"
    completion[field] = "b"
    assert (completion[field], completion.to_dict()) == ("b", {field: "b"})
    del completion[field]
    assert field not in completion
    with pytest.raises(KeyError, match=field):
        completion[field]
    with pytest.raises(KeyError, match=field):
        del completion[field]


def test_a_field_may_have_any_name() -> None:
    """One that is called as a method is in the dumps; the method stays."""
    result = completion(copy="x", headers="y")
    assert result.to_dict()["copy"] == "x"
    assert result.headers is HEADERS
    assert result.copy() == result


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"include": {"id", "stop"}}, ["id", "stop"]),
        ({"exclude": {"mood", "log_id", "stop"}}, list(DOCUMENTED)),
        ({"exclude_none": True, "include": {"id", "stop_reason", "stop"}}, ["id"]),
        ({"exclude_defaults": True, "include": {"id", "stop_reason", "stop"}}, ["id", "stop"]),
        ({"exclude_unset": True, "include": {"stop_reason"}}, ["stop_reason"]),
        ({"mode": "json", "by_alias": True, "warnings": False, "include": {"id"}}, ["id"]),
    ],
)
def test_dumps_a_choice_of_fields(options: Any, names: list[str]) -> None:
    result = completion(stop_reason=None, stop=None)
    assert list(result.model_dump(**options)) == names
    assert list(result.to_dict(**options)) == names
    assert list(json.loads(result.to_json(**options))) == names


def test_dumps_json() -> None:
    """`model_dump_json` compactly, `to_json` indented; neither escapes text."""
    small = completion(mood=..., log_id=..., stop=...)
    compact = (
        '{"id":"compl_1","completion":" Hello ü “you”\u2028","model":"claude-2.1",'
        '"stop_reason":"stop_sequence","type":"completion"}'
    )
    assert small.model_dump_json() == small.json() == compact
    assert small.to_json() == json.dumps(small.to_dict(), indent=2, ensure_ascii=False)
    assert small.to_json(indent=None) == compact
    assert small.model_dump_json(indent=4).startswith('{\n    "id": "compl_1",\n')


def test_is_made_by_hand() -> None:
    made = Completion(id="compl_1", completion="Hi", model="m", type="completion", mood="good")
    assert made.to_dict() == {
        "id": "compl_1",
        "completion": "Hi",
        "model": "m",
        "stop_reason": None,
        "type": "completion",
        "mood": "good",
    }
    assert made.headers is None
    assert made._request_id is None


@pytest.mark.parametrize("changes", [{"type": "message"}, {"completion": None}, {"id": 5}, {"stop": 5}])
def test_refuses_to_be_made_of_wrong_fields(changes: Any) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(changes))}: expected"):
        Completion(**{**DOCUMENTED, **changes})


def test_is_made_of_a_dict_that_may_lack_fields() -> None:
    assert Completion.from_dict({"completion": "Hi"}).to_dict() == {"completion": "Hi"}
    with pytest.raises(ValueError, match="completion: expected a value, got nothing"):
        Completion.from_dict({})


def test_is_constructed_of_anything() -> None:
    for construct in (Completion.construct, Completion.model_construct):
        assert construct(completion=5).to_dict() == {"completion": 5}


def test_fields_can_be_set() -> None:
    result = completion()
    result.completion, result.stop, result.type = "Bye", None, "completion"
    assert result.to_dict() == {**FIELDS, "completion": "Bye", "stop": None}


def test_knows_its_undocumented_fields() -> None:
    assert completion().model_extra == {name: FIELDS[name] for name in ("stop", "log_id", "mood")}


def test_tells_what_came_with_it() -> None:
    result = completion()
    assert result.headers is HEADERS
    assert result._request_id == "req_1"
    assert result._workspace_id == "wrkspc_1"
    assert result.rate_limit.requests == RateLimit(None, 49, None)
    assert Completion(**DOCUMENTED).rate_limit.requests is None


def test_equality_is_that_of_the_fields() -> None:
    """Not of the headers, and not of other objects with the same fields."""
    assert completion() == Completion.from_dict(FIELDS)
    assert completion() != completion(completion="Bye")
    assert completion() != completion(mood=...)
    assert completion() != completion().to_dict()
    with pytest.raises(TypeError, match="unhashable"):
        hash(completion())


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        lambda result: pickle.loads(pickle.dumps(result)),
        lambda result: result.copy(),
        lambda result: result.model_copy(deep=True),
    ],
)
def test_survives_pickle_and_copy(duplicate: Any) -> None:
    for result in (completion(), completion(stop_reason=..., model=...)):
        twin = duplicate(result)
        assert twin == result
        assert list(twin) == list(result)
        assert twin.headers == HEADERS
        twin.completion = "other"
        assert result.completion == FIELDS["completion"]


def test_a_deep_copy_copies_the_values() -> None:
    result: Any = completion()
    assert result.model_copy().mood is result.mood
    for twin in (copy.deepcopy(result), result.copy(deep=True)):
        twin.mood["value"].append(4)
    assert result.mood == {"value": [3]}


def test_a_copy_may_have_other_fields() -> None:
    assert completion().copy(update={"completion": "Bye", "new": 1}).to_dict() == {
        **FIELDS,
        "completion": "Bye",
        "new": 1,
    }


def test_shows_its_fields() -> None:
    assert repr(Completion(**DOCUMENTED)) == (
        "Completion(id='compl_1', completion=' Hello ü “you”\\u2028', model='claude-2.1', "
        "stop_reason='stop_sequence', type='completion')"
    )


def test_matches_patterns() -> None:
    match completion():
        case Completion(stop_reason="stop_sequence", completion=text):
            assert text == FIELDS["completion"]
        case _:
            pytest.fail("it did not match")
