"""The arguments of `create`: what is sent for them, and what is refused before anything is."""

import enum
import json
import math
from collections import deque
from types import MappingProxyType, SimpleNamespace
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anthropic_completions import NOT_GIVEN, Anthropic, AsyncAnthropic, not_given, omit
from anthropic_completions._contract.generated import contract
from strategies import texts
from support import ARGUMENTS, KEY, PROMPT, Script, World, completion_reply

REQUEST_SCHEMA = jsonschema.Draft202012Validator(
    {**contract(), "$ref": "#/components/schemas/CompletionRequest"}
)


class Known(enum.StrEnum):
    """As programs name their models."""

    CLAUDE = "claude-2.1"


def sent(world: World, options: dict[str, Any] | None = None, **arguments: Any) -> httpx.Request:
    """Return the one request that a call sends."""
    script = Script([completion_reply()])
    world.create(script, options, **arguments)
    (request,) = script.requests
    return request


def refused(world: World, options: dict[str, Any] | None = None, **arguments: Any) -> Exception:
    """Return the error of a call that sends nothing."""
    script = Script([completion_reply()])
    with pytest.raises((TypeError, ValueError)) as caught:
        world.create(script, options, **arguments)
    assert script.requests == []
    return caught.value


def test_sends_every_argument_in_order(world: World) -> None:
    """Compact JSON, unescaped, in the order of the reference."""
    request = sent(
        world,
        top_p=0.5,
        top_k=5,
        temperature=1,
        stream=False,
        stop_sequences=["\n\nHuman:", "ü"],
        metadata={"user_id": "13803d75"},
        betas=["a-1", "b-2"],
        extra_body={"new": [1]},
    )
    body = (
        '{"max_tokens_to_sample":256,"model":"claude-2.1",'
        '"prompt":"\\n\\nHuman: Hello, world!\\n\\nAssistant:",'
        '"metadata":{"user_id":"13803d75"},"stop_sequences":["\\n\\nHuman:","ü"],"stream":false,"temperature":1,'
        '"top_k":5,"top_p":0.5,"new":[1]}'
    )
    assert request.content.decode() == body
    assert request.headers["anthropic-beta"] == "a-1,b-2"


def test_sends_what_the_service_needs(world: World) -> None:
    request = sent(world)
    assert (request.method, str(request.url)) == ("POST", "https://api.anthropic.com/v1/complete")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["x-api-key"] == KEY
    assert request.headers["user-agent"].startswith("anthropic-completions/")
    assert "authorization" not in request.headers
    assert "anthropic-beta" not in request.headers


@pytest.mark.parametrize("absent", [omit, NOT_GIVEN, not_given])
def test_what_is_absent_is_not_sent(world: World, absent: Any) -> None:
    names = ("metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p", "betas")
    request = sent(world, **dict.fromkeys(names, absent), timeout=NOT_GIVEN, deadline=NOT_GIVEN)
    assert json.loads(request.content) == ARGUMENTS
    assert "anthropic-beta" not in request.headers


@pytest.mark.parametrize("name", ["metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p"])
def test_none_is_sent_as_null(world: World, name: str) -> None:
    assert json.loads(sent(world, **{name: None}).content) == {**ARGUMENTS, name: None}


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"stop_sequences": ("a", "b")}, {"stop_sequences": ["a", "b"]}),
        ({"stop_sequences": deque(["a"])}, {"stop_sequences": ["a"]}),
        ({"stop_sequences": []}, {"stop_sequences": []}),
        ({"metadata": MappingProxyType({"user_id": None})}, {"metadata": {"user_id": None}}),
        ({"metadata": {}}, {"metadata": {}}),
        ({"model": Known.CLAUDE}, {"model": "claude-2.1"}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 0.0, "top_p": 1}, {"temperature": 0.0, "top_p": 1}),
        ({"max_tokens_to_sample": 1_000_000}, {"max_tokens_to_sample": 1_000_000}),
        ({"metadata": {"user_id": "ü" * 256}}, {"metadata": {"user_id": "ü" * 256}}),
    ],
)
def test_takes_what_the_contract_allows(world: World, given: Any, body: Any) -> None:
    assert json.loads(sent(world, **given).content) == {**ARGUMENTS, **body}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"prompt": ""}, ValueError, "prompt: expected a string of at least 1 character, got ''"),
        ({"prompt": None}, TypeError, "prompt: expected a string of at least 1 character, got None"),
        (
            {"prompt": ["Hi"]},
            TypeError,
            "prompt: expected a string of at least 1 character, got a value of type list",
        ),
        ({"prompt": omit}, ValueError, "prompt: expected a value, got nothing"),
        ({"prompt": "\ud800"}, ValueError, "prompt: expected text that UTF-8 has, got a lone surrogate"),
        ({"model": None}, TypeError, "model: expected a string, got None"),
        (
            {"max_tokens_to_sample": 0},
            ValueError,
            "max_tokens_to_sample: expected an integer of at least 1, got 0",
        ),
        (
            {"max_tokens_to_sample": "9"},
            TypeError,
            "max_tokens_to_sample: expected an integer of at least 1, got '9'",
        ),
        (
            {"max_tokens_to_sample": True},
            TypeError,
            "max_tokens_to_sample: expected an integer of at least 1, got True",
        ),
        ({"temperature": 1.1}, ValueError, "temperature: expected a number from 0 to 1, got 1.1"),
        ({"temperature": math.nan}, ValueError, "temperature: expected a number from 0 to 1, got nan"),
        ({"top_p": -1.1}, ValueError, "top_p: expected a number from -1 to 1, got -1.1"),
        ({"top_k": 1.5}, TypeError, "top_k: expected an integer of at least -1, got 1.5"),
        ({"stop_sequences": "x"}, TypeError, "stop_sequences: expected a list, got 'x'"),
        ({"stop_sequences": ["x", 1]}, TypeError, "stop_sequences[1]: expected a string, got 1"),
        ({"stop_sequences": {"x"}}, TypeError, "stop_sequences: expected a list, got a value of type set"),
        ({"metadata": "x"}, TypeError, "metadata: expected an object, got 'x'"),
        ({"metadata": {"id": "x"}}, ValueError, "metadata.id: expected no such field, got 'x'"),
        (
            {"metadata": {"user_id": "x" * 257}},
            ValueError,
            "metadata.user_id: expected a string of at most 256 characters, got 257 characters",
        ),
        ({"stream": "yes"}, TypeError, "stream: expected true or false, got 'yes'"),
        ({"betas": "x"}, TypeError, "betas: expected a list, got a value of type str"),
        ({"betas": [1]}, TypeError, "betas[0]: expected a string, got a value of type int"),
        ({"betas": ["a", "b,c"]}, ValueError, "betas[1]: expected visible ASCII without commas, got 'b,c'"),
        ({"betas": ["a b"]}, ValueError, "betas[0]: expected visible ASCII without commas, got 'a b'"),
        ({"betas": ["a\n"]}, ValueError, "betas[0]: expected visible ASCII without commas, got 'a\\n'"),
        ({"betas": ["ä"]}, ValueError, "betas[0]: expected visible ASCII without commas, got 'ä'"),
        ({"betas": [""]}, ValueError, "betas[0]: expected visible ASCII without commas, got ''"),
        (
            {"timeout": "5"},
            TypeError,
            "timeout: expected seconds as a number, or None, got a value of type str",
        ),
        (
            {"timeout": -1},
            ValueError,
            "timeout: expected seconds above 0 to 1e+09, or None for no limit, got -1",
        ),
        ({"deadline": 0}, ValueError, "deadline: expected seconds above 0 to 1e+09, or None for no limit"),
        ({"extra_headers": "x"}, TypeError, "extra_headers: expected a mapping, got a value of type str"),
        (
            {"extra_headers": {"X-A": "a\nb"}},
            ValueError,
            "header 'X-A': expected visible ASCII text without spaces around it, got a newline at position 1",
        ),
        (
            {"extra_headers": {"X-A": "aé"}},
            ValueError,
            "without spaces around it, got a control or non-ASCII character at position 1",
        ),
        (
            {"extra_headers": {"X-A": "a "}},
            ValueError,
            "without spaces around it, got white space around it",
        ),
        (
            {"extra_headers": {"X-A": 5}},
            TypeError,
            "header 'X-A': expected a string, got a value of type int",
        ),
        ({"extra_query": 5}, TypeError, "extra_query: expected a mapping, got a value of type int"),
        (
            {"extra_query": {"a": "\ud800"}},
            ValueError,
            "extra_query: expected text that UTF-8 has, got a lone surrogate",
        ),
        ({"extra_body": [1]}, TypeError, "extra_body: expected a mapping, got a value of type list"),
        ({"extra_body": {1: 2}}, TypeError, "extra_body: expected strings as keys, got one of type int"),
        (
            {"extra_body": {"a": object}},
            TypeError,
            "a: expected a JSON value, but Object of type type is not JSON serializable",
        ),
        (
            {"extra_body": {"a": math.inf}},
            ValueError,
            "a: expected a JSON value, but Out of range float values are not JSON compliant",
        ),
        ({"colour": "red"}, TypeError, "unexpected keyword argument 'colour'"),
    ],
)
def test_refuses_what_the_contract_does(
    world: World, given: Any, error: type[Exception], message: str
) -> None:
    """The message names the argument, what was expected and what came; nothing is sent."""
    caught = refused(world, **given)
    assert type(caught) is error
    assert message in str(caught)


def test_refuses_what_is_nested_too_deeply(world: World) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    error = refused(world, extra_body={"new": deep})
    assert str(error) == "new: expected a JSON value, got one that is nested too deeply"


@pytest.mark.parametrize("name", ["max_tokens_to_sample", "model", "prompt"])
def test_a_missing_argument_is_named(name: str) -> None:
    arguments = {key: value for key, value in ARGUMENTS.items() if key != name}
    client = Anthropic(api_key=KEY)
    for create in (client.completions.create, client.completions.with_raw_response.create):
        with pytest.raises(TypeError, match=f"missing .* {name!r}"):
            create(**arguments)


def test_arguments_are_keywords_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        Anthropic(api_key=KEY).completions.create("claude-2.1", 256, PROMPT)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["colour", "form", "unread", "options", "clock", "http", "arguments"])
def test_the_raw_forms_refuse_what_create_does(name: str) -> None:
    client = Anthropic(api_key=KEY)
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        client.completions.with_raw_response.create(**ARGUMENTS, **{name: 1})
    streaming = client.completions.with_streaming_response.create(**ARGUMENTS, **{name: 1})
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"), streaming:
        pass


@pytest.mark.parametrize("betas", [[], (), None])
def test_no_betas_send_no_header(world: World, betas: Any) -> None:
    assert "anthropic-beta" not in sent(world, betas=betas).headers


def test_extra_body_goes_over_the_arguments_unchecked(world: World) -> None:
    """It is the way around the contract; `omit` takes away even what is required."""
    request = sent(
        world, extra_body={"temperature": 7, "model": omit, "new": {"deep": [None]}}, temperature=0.5
    )
    expected = {**ARGUMENTS, "temperature": 7, "new": {"deep": [None]}}
    del expected["model"]
    assert json.loads(request.content) == expected


def test_extra_query_goes_over_the_default_one(world: World) -> None:
    request = sent(world, {"default_query": {"a": 1, "b": 1}}, extra_query={"b": [2, True], "c": "x y"})
    assert request.url.query == b"a=1&b%5B%5D=2&b%5B%5D=true&c=x+y"


def test_extra_headers_go_over_all_others_whatever_their_case(world: World) -> None:
    request = sent(
        world,
        {"default_headers": {"ANTHROPIC-BETA": "default", "x-team": "blue", "X-Gone": "1"}},
        betas=["argument"],
        extra_headers={"X-Team": "red", "x-gone": omit, "Anthropic-Version": "2023-01-01"},
    )
    assert request.headers.get_list("anthropic-beta") == ["argument"]
    assert request.headers.get_list("x-team") == ["red"]
    assert "x-gone" not in request.headers
    assert request.headers.get_list("anthropic-version") == ["2023-01-01"]


@pytest.mark.parametrize("name", ["anthropic-beta", "Anthropic-Beta", "ANTHROPIC-BETA"])
def test_an_extra_header_goes_over_the_betas(world: World, name: str) -> None:
    request = sent(world, betas=["argument"], extra_headers={name: "header"})
    assert request.headers.get_list("anthropic-beta") == ["header"]
    assert "anthropic-beta" not in sent(world, betas=["argument"], extra_headers={name: omit}).headers


def test_own_headers_can_be_omitted(world: World) -> None:
    gone = {"user-agent": omit, "ACCEPT": omit, "x-api-key": omit, "Authorization": "Bearer mine"}
    request = sent(world, extra_headers=gone)
    assert "x-api-key" not in request.headers
    assert request.headers["authorization"] == "Bearer mine"
    assert "anthropic" not in request.headers.get("user-agent", "")


def test_a_query_that_makes_the_url_too_long_is_refused(world: World) -> None:
    message = str(refused(world, extra_query={"a": "x" * 70_000}))
    assert message.startswith("base_url, path and query: expected them to make up a URL, but ")


@pytest.mark.parametrize(
    ("client", "call", "limits"),
    [
        ({}, {}, {"connect": 5.0, "read": 600.0, "write": 600.0, "pool": 600.0}),
        ({"timeout": 7}, {}, dict.fromkeys(("connect", "read", "write", "pool"), 7.0)),
        ({"timeout": 7}, {"timeout": 3.5}, dict.fromkeys(("connect", "read", "write", "pool"), 3.5)),
        ({"timeout": 7}, {"timeout": None}, dict.fromkeys(("connect", "read", "write", "pool"))),
        ({"timeout": None}, {}, dict.fromkeys(("connect", "read", "write", "pool"))),
        (
            {"timeout": httpx.Timeout(9, read=1)},
            {},
            {"connect": 9, "read": 1, "write": 9, "pool": 9},
        ),
        ({}, {"timeout": httpx.Timeout(9, pool=None)}, {"connect": 9, "read": 9, "write": 9, "pool": None}),
    ],
)
def test_a_timeout_is_the_calls_or_the_clients(world: World, client: Any, call: Any, limits: Any) -> None:
    assert sent(world, client, **call).extensions["timeout"] == limits


def test_takes_time_limits_of_httpx_twin(world: World) -> None:
    """As those of a program that has both httpx and httpx2."""
    limits = {"connect": 1.0, "read": 2.0, "write": 3.0, "pool": None}
    twin = SimpleNamespace(as_dict=lambda: limits)
    assert sent(world, timeout=twin).extensions["timeout"] == limits
    assert sent(world, {"timeout": twin}).extensions["timeout"] == limits


# What a caller may hand over by mistake, and what is right.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ANYTHING = (
    JSON
    | st.binary()
    | st.tuples(texts())
    | st.sets(st.integers())
    | st.sampled_from(
        [omit, NOT_GIVEN, object(), int, 10**400, 1e300, 5j, b"", Known.CLAUDE, httpx.Timeout(1)]
    )
    | st.dictionaries(texts() | st.integers(), texts() | st.just(omit) | st.none())
)
RIGHT = st.fixed_dictionaries(
    {name: st.just(value) for name, value in ARGUMENTS.items()},
    optional={
        "stop_sequences": st.lists(texts()),
        "temperature": st.floats(0, 1),
        "top_k": st.integers(0),
        "top_p": st.floats(0, 1),
        "metadata": st.fixed_dictionaries({}, optional={"user_id": st.none() | texts(max_size=256)}),
        "betas": st.lists(st.sampled_from(["a-1", "b-2"])),
    },
)
WRONG = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("model", "prompt", "max_tokens_to_sample", "temperature", "top_k", "top_p"), ANYTHING
        ),
        "metadata": ANYTHING | st.fixed_dictionaries({}, optional={"user_id": JSON}),
        "stop_sequences": ANYTHING | st.lists(JSON, max_size=2),
        "stream": ANYTHING.filter(lambda value: value is not True),
        "betas": ANYTHING | st.lists(texts(), max_size=2),
        "extra_headers": ANYTHING | st.dictionaries(texts(), texts(), max_size=2),
        "extra_query": ANYTHING | st.dictionaries(texts(), JSON, max_size=2),
        "timeout": ANYTHING,
        "deadline": ANYTHING | st.floats(1),
    },
).map(lambda keywords: dict(list(keywords.items())[:2]))
KEYWORDS = st.builds(lambda right, wrong: {**right, **wrong}, RIGHT, WRONG)


def check_any_keywords(keywords: dict[str, Any]) -> bool:
    """Call `create`; return whether it sent a request, which must be a valid one."""
    script = Script([completion_reply()])
    with httpx.Client(transport=httpx.MockTransport(script)) as http:
        client = Anthropic(api_key=KEY, http_client=http, max_retries=0)
        try:
            client.completions.create(**keywords)
        except (TypeError, ValueError):
            assert script.requests == []
            return False
    # Null stands for "none" in a field that may be left out, as the old client sent it.
    body = {name: value for name, value in script.bodies[0].items() if value is not None}
    REQUEST_SCHEMA.validate(body)
    return True


@given(KEYWORDS)
@settings(max_examples=150)
def test_any_keywords_are_sent_rightly_or_refused(keywords: dict[str, Any]) -> None:
    """It sends a request that is valid under the contract, or raises TypeError or ValueError."""
    check_any_keywords(keywords)


@given(RIGHT)
def test_right_keywords_are_sent(keywords: dict[str, Any]) -> None:
    """The checks refuse nothing that the contract allows."""
    assert check_any_keywords(keywords)


@given(ANYTHING | st.dictionaries(texts(), ANYTHING))
def test_any_extra_body_is_sent_or_refused(extra_body: Any) -> None:
    """Nothing but TypeError and ValueError comes out, and then nothing is sent."""
    script = Script([completion_reply()])
    with httpx.Client(transport=httpx.MockTransport(script)) as http:
        client = Anthropic(api_key=KEY, http_client=http)
        try:
            client.completions.create(**ARGUMENTS, extra_body=extra_body)
        except (TypeError, ValueError):
            assert script.requests == []
        else:
            nothing = (omit, NOT_GIVEN)
            sent = {
                name for name, value in (extra_body or {}).items() if all(value is not no for no in nothing)
            }
            assert script.bodies[0].keys() >= sent


@pytest.mark.parametrize(("cls", "name"), [(Anthropic, "Completions"), (AsyncAnthropic, "AsyncCompletions")])
def test_an_unknown_argument_is_told_by_the_name_of_the_public_class(cls: Any, name: str) -> None:
    with pytest.raises(
        TypeError, match=rf"^{name}\.create\(\) got an unexpected keyword argument 'temprature'"
    ):
        cls(api_key="k").completions.create(temprature=1)
