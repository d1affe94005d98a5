"""The table of calls: every argument of `create`, and what it may be."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from compat.clients import CLIENTS
from compat.play import FORMS, NOT_GIVEN, OMIT, PLAIN, STREAMED, Case, Name

FEW = ("plain", "streamed")
AWKWARD = (
    "é ü \u4f60\u597d \U0001f600 \u2028\u2029\x85 "
    "\"double\" 'single' back\\slash / <b>&amp;</b> tab\t nul\x00 del\x7f \r\n"
)
FIELDS = {
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x"],
    "temperature": 0.5,
    "top_k": 1,
    "top_p": 0.5,
    "betas": ["b"],
}


class Models(StrEnum):
    """Names of models, as people keep them."""

    OLD = "claude-2.1"


def _each(argument: str, *values: Any, differs: str | None = None, forms: Sequence[str] = FEW) -> list[Case]:
    """Return a case for each value of an argument."""
    return [
        Case(
            f"{argument}={value!r}"[:90],
            {argument: value},
            forms=tuple(forms),
            differs=(differs,) if differs else (),
        )
        for value in values
    ]


def _over(name: str, arguments: dict[str, Any], *differs: str, **client: Any) -> Case:
    """Return a case of arguments over defaults of the client."""
    return Case(name, arguments, client, forms=FEW, differs=differs)


_FIELDS = [
    Case("only what is needed"),
    Case("all fields", FIELDS),
    Case("all fields omitted", dict.fromkeys(FIELDS, OMIT)),
    Case("no field given", dict.fromkeys(FIELDS, NOT_GIVEN)),
    Case("no field given, in the new spelling", dict.fromkeys(FIELDS, Name("not_given"))),
    Case("all fields null", {**dict.fromkeys(FIELDS), "betas": OMIT}),
    Case(
        "all arguments",
        {
            **FIELDS,
            "timeout": 10.0,
            "extra_headers": {"X-A": "b"},
            "extra_query": {"c": "d"},
            "extra_body": {"e": "f"},
        },
    ),
    *_each("model", "claude-instant-1.2", "claude-opus-4-8", "a model of tomorrow", "", Models.OLD),
    *_each("max_tokens_to_sample", 1, 1_000_000),
    *_each("prompt", "x", " \n\n ", AWKWARD, "\n\nHuman: " + "long " * 5000),
    *_each("prompt", Name("HUMAN_PROMPT"), Name("AI_PROMPT")),
    *_each(
        "metadata", {"user_id": "u-1"}, {"user_id": AWKWARD}, {"user_id": None}, {}, None, OMIT, NOT_GIVEN
    ),
    *_each("stop_sequences", [], ["\n\nHuman:"], ["a", AWKWARD], ("a", "b"), (), None, OMIT, NOT_GIVEN),
    *_each("temperature", 0, 0.0, 1, 1.0, 0.5, 1e-07, 0.1 + 0.2, None, OMIT, NOT_GIVEN),
    *_each("top_k", -1, 0, 40, 10**20, None, OMIT, NOT_GIVEN),
    *_each("top_p", 0, 1, 0.9, None, OMIT, NOT_GIVEN),
    *_each("stream", False, None, OMIT, NOT_GIVEN, forms=PLAIN),
    *_each("extra_headers", None, {}),
    *_each("extra_query", None, {}),
    *_each("extra_body", None, {}),
    *_each("timeout", NOT_GIVEN, Name("not_given"), 30, 2.5, None, 600, Name("DEFAULT_TIMEOUT")),
    *_each("timeout", Name("Timeout", called={"timeout": 3.0, "connect": 1.0})),
]

_BETAS = [
    *_each("betas", ["prompt-caching-2024-07-31"], ["a-1", "b-2"], ["unknown_of.tomorrow"], forms=FORMS),
    *_each("betas", ("a", "b"), OMIT, NOT_GIVEN),
    *_each("betas", [], differs="no betas"),
    *_each("betas", None, differs="betas=None"),
    _over("betas over the client's", {"betas": ["a"]}, default_headers={"anthropic-beta": "d"}),
    _over("no betas over the client's", {"betas": []}, "no betas", default_headers={"anthropic-beta": "d"}),
    _over(
        "betas over the client's, in another case",
        {"betas": ["a"]},
        "case of headers",
        default_headers={"Anthropic-Beta": "d"},
    ),
    _over("betas under a header", {"betas": ["a"], "extra_headers": {"anthropic-beta": "z"}}),
    _over("betas, omitted by a header", {"betas": ["a"], "extra_headers": {"anthropic-beta": OMIT}}),
    _over(
        "betas under a header in another case",
        {"betas": ["a"], "extra_headers": {"Anthropic-Beta": "z"}},
        "case of headers",
    ),
]

_REFUSED = [
    *_each("stop_sequences", "xyz", differs="a string for a list"),
    *_each("betas", "ab", differs="a string for a list"),
    *_each("betas", ["a,b"], ["a b"], differs="no name of a beta"),
    *_each("max_tokens_to_sample", 0, -1, differs="out of range"),
    *_each("temperature", 2, -0.5, differs="out of range"),
    *_each("top_k", -2, differs="out of range"),
    *_each("top_p", 1.1, differs="out of range"),
    *_each("prompt", "", differs="out of range"),
    *_each("metadata", {"user_id": "x" * 257}, {"user": "x"}, differs="out of range"),
    *_each("max_tokens_to_sample", "1", 1.5, True, None, differs="wrong type"),
    *_each("temperature", "0.5", True, differs="wrong type"),
    *_each("prompt", None, 3, ["x"], differs="wrong type"),
    *_each("model", None, differs="wrong type"),
    *_each("metadata", "u", {"user_id": 3}, differs="wrong type"),
    *_each("stop_sequences", [1], differs="wrong type"),
    *_each("stream", "yes", 1, differs="wrong type", forms=PLAIN),
    *_each("model", OMIT, differs="a needed field omitted"),
    *_each("prompt", NOT_GIVEN, differs="a needed field omitted"),
    *_each("prompt", "\ud800", differs="a lone surrogate"),
    *_each("timeout", (1, 2, 3, 4), True, differs="no time limit"),
    # Refused by both
    *_each("prompt", ...),
    *_each("model", ...),
    *_each("temperature", float("nan"), float("inf")),
    *_each("colour", "red"),
]

_HEADERS = [
    *_each("extra_headers", {"X-Mine": "a b"}, {"x-mine": ""}, {"X-Mine": "1", "X-Yours": "2"}, forms=FORMS),
    *_each("extra_headers", {"anthropic-version": "2023-01-01"}, {"X-Api-Key": "other"}, {"Accept": "*/*"}),
    *_each("extra_headers", {"Content-Type": "text/plain"}, {"anthropic-beta": "z"}, {"Anthropic-Beta": "z"}),
    *_each(
        "extra_headers", {"Authorization": "Bearer t"}, {"authorization": "Bearer t"}, {"User-Agent": "me"}
    ),
    *_each("extra_headers", {"x-stainless-retry-count": "7"}, {"X-Stainless-Retry-Count": "7"}),
    *_each("extra_headers", {"x-stainless-retry-count": OMIT}, {"X-Stainless-Retry-Count": OMIT}),
    *_each(
        "extra_headers", {"Host": "example.com"}, {"Accept-Encoding": "identity"}, {"Connection": "close"}
    ),
    *_each("extra_headers", {"User-Agent": OMIT}, {"anthropic-version": OMIT}, {"Accept": OMIT}),
    *_each("extra_headers", {"Content-Type": OMIT}, {"X-Api-Key": OMIT}, {"Authorization": OMIT}),
    *_each("extra_headers", {"X-No": OMIT}, {"X-Mine": NOT_GIVEN}, {"Idempotency-Key": "k"}),
    *_each("extra_headers", {"Anthropic-Version": "v"}, {"x-api-key": "o"}, differs="case of headers"),
    *_each("extra_headers", {"content-type": "a/b"}, {"accept": "*/*"}, differs="case of headers"),
    *_each("extra_headers", {"Anthropic-Version": OMIT}, {"x-api-key": OMIT}, differs="case of headers"),
    *_each("extra_headers", {"content-type": OMIT}, {"accept": OMIT}, differs="case of headers"),
    *_each("extra_headers", {"user-agent": "me"}, {"user-agent": OMIT}, differs="case of headers"),
    *_each("extra_headers", {"x-mine": 3}, {"x-mine": None}),
    *_each("extra_headers", {"x-mine": b"bytes"}, differs="no text in a header"),
    *_each("extra_headers", {"x-mine": "é"}, {"x-mine": "a\nb"}, {"x mine": "a"}, differs="no header"),
    _over("a header over the client's", {"extra_headers": {"X-A": "2"}}, default_headers={"X-A": "1"}),
    _over(
        "a header of the client's, omitted", {"extra_headers": {"X-A": OMIT}}, default_headers={"X-A": "1"}
    ),
    _over(
        "a header over the client's, in another case",
        {"extra_headers": {"x-a": "2"}},
        "case of headers",
        default_headers={"X-A": "1"},
    ),
    _over(
        "a header of the client's, omitted in another case",
        {"extra_headers": {"x-a": OMIT}},
        "case of headers",
        default_headers={"X-A": "1"},
    ),
]

_QUERY = [
    *_each("extra_query", {"a": "b"}, {"a": 1, "b": 2.5, "c": True, "d": False, "e": None}, forms=FORMS),
    *_each(
        "extra_query", {"q": [1, "b", None, True]}, {"q": ("a", "b")}, {"q": []}, {"q": [None]}, {"q": {}}
    ),
    *_each(
        "extra_query", {"d": {"x": True, "y": [1, 2], "z": {"w": None, "v": "u"}}}, {"l": [{"a": 1}, [2]]}
    ),
    *_each(
        "extra_query", {"s": "a b&c=d+e/é?#\U0001f600~'!*()"}, {"a key&é[]": "x"}, {"n": 10**20, "m": 1e-7}
    ),
    *_each("extra_query", {"s": ""}, {"s": OMIT}, {"s": NOT_GIVEN}),
    _over("a query over the client's", {"extra_query": {"c": "2", "e": 3}}, default_query={"a": "b", "c": 1}),
    _over("None over the client's query", {"extra_query": {"a": None}}, default_query={"a": "b", "c": 1}),
    _over("omit over the client's query", {"extra_query": {"a": OMIT}}, default_query={"a": "b", "c": 1}),
    _over("a map over the client's query", {"extra_query": {"a": {"y": 1}}}, default_query={"a": {"x": 1}}),
]

_BODY = [
    *_each("extra_body", {"colour": "red"}, {"prompt": "other"}, {"prompt": OMIT}, forms=FORMS),
    *_each(
        "extra_body", {"temperature": 3}, {"metadata": {"a": 1}}, {"n": None}, {"model": OMIT, "top_k": 5}
    ),
    *_each(
        "extra_body", {"deep": {"a": [1, {"é": AWKWARD}]}}, {"é": (1, 2)}, {"f": 1e22, "g": -0.0, "h": 1e16}
    ),
    *_each(
        "extra_body", {"prompt": NOT_GIVEN}, {"b": b"x"}, {"s": {1}}, {"f": float("inf")}, {"n": {"o": OMIT}}
    ),
    *_each("extra_body", {1: "a"}, differs="no name of a field"),
    _over("a body over a field", {"metadata": {"user_id": "a"}, "extra_body": {"metadata": {"b": 1}}}),
    *_each("extra_body", {"stream": True}, differs="the body's stream", forms=PLAIN),
    *_each("extra_body", {"stream": False}, {"stream": OMIT}, differs="the body's stream", forms=STREAMED),
]

CALLS: list[Case] = [*_FIELDS, *_BETAS, *_REFUSED, *_HEADERS, *_QUERY, *_BODY, *CLIENTS]
