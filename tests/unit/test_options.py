"""Settings: their checks, their layers, and where they come from."""

import pickle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions import (
    NOT_GIVEN,
    Anthropic,
    AsyncAnthropic,
    NotGiven,
    Omit,
    not_given,
    omit,
)
from anthropic_completions._client.arguments import headers_to_send, url_with_query
from anthropic_completions._options import (
    Options,
    count,
    custom_headers,
    is_given,
    layer_headers,
    mapping,
    seconds,
    sequence,
    timeout,
)
from anthropic_completions._options.urls import base_url, query_pairs
from anthropic_completions._secrets import Headers, QueryDefaults, Secret, is_secret, secret
from strategies import CHARACTERS, texts

KEY = "sk-ant-a-secret-key"


@pytest.mark.parametrize("kind", [Anthropic, AsyncAnthropic])
def test_a_wrong_base_url_is_named_as_it_was_given(
    kind: type[Anthropic | AsyncAnthropic], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the variable only where it came from there."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "foo")
    with pytest.raises(ValueError, match=r"^ANTHROPIC_BASE_URL: expected a URL such as .*, got 'foo'"):
        kind(api_key=KEY)
    with pytest.raises(ValueError, match=r"^base_url: expected a URL such as .*, got 'bar'"):
        kind(api_key=KEY, base_url="bar")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("https://api.anthropic.com", "https://api.anthropic.com"),
        ("https://api.anthropic.com/", "https://api.anthropic.com"),
        ("https://api.anthropic.com//", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/complete", "https://api.anthropic.com"),
        ("https://api.anthropic.com/v1/complete/", "https://api.anthropic.com"),
        ("https://gateway/anthropic", "https://gateway/anthropic"),
        ("https://gateway/anthropic/v1/complete", "https://gateway/anthropic"),
        ("https://gateway/a//v1/", "https://gateway/a"),
        ("https://gateway/v1/projects", "https://gateway/v1/projects"),
        ("https://gateway/v1beta", "https://gateway/v1beta"),
        ("https://gateway/complete", "https://gateway/complete"),
        ("https://gateway/@me", "https://gateway/@me"),
        ("https://v1", "https://v1"),
        ("http://v1/complete", "http://v1/complete"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://host_with_underscores.", "http://host_with_underscores."),
        ("HTTPS://Host/V1", "HTTPS://Host/V1"),
    ],
)
def test_a_base_url_has_many_forms(text: str, place: str) -> None:
    """The endpoint's own path and slashes at the end are not part of it; a gateway's path is."""
    assert base_url(text) == place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a URL such as"),
        ("api.anthropic.com", "a URL such as"),
        ("ftp://host", "a URL such as"),
        ("http://", "a URL such as"),
        ("http:///path", "a URL such as"),
        ("https://host:port", "a URL such as"),
        ("https://host:65536", "valid host and port"),
        ("https://a..b", "valid host and port"),
        ("https://" + "a" * 64, "valid host and port"),
        ("https://host/ v1", "without white space"),
        ("https://host\n", "without white space"),
        ("https://host?z=1", "without a query"),
        ("https://host/pre?z=1", "without a query"),
        ("https://host/#fragment", "without a query or a fragment"),
        ("https://user:pw@host", "without a user's name"),
        ("user:pw@host", "without a user's name"),
    ],
)
def test_refuses_what_is_no_base_url(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^base_url: .*{message}"):
        base_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@host",
        "user:hunter2@host/x",
        "https://h?key=hunter2",
        "ftp://u:hunter2@h?a",
        "h#hunter2",
    ],
)
def test_does_not_repeat_what_may_be_a_password(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        base_url(text)
    assert "hunter2" not in str(caught.value)


@given(texts() | st.from_regex(r"https?://[^/]{1,80}(/.*)?", fullmatch=True, alphabet=CHARACTERS))
def test_a_base_url_is_taken_or_refused(text: str) -> None:
    """What is taken is a fixed point."""
    try:
        place = base_url(text)
    except ValueError:
        return
    assert not place.endswith("/")
    assert base_url(place + "/v1/complete") == place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f" {KEY}", "white space at position 0"),
        (f"{KEY} ", "white space at its end"),
        (f"{KEY}\n", "white space at its end"),
        ("sk-ant a", "white space at position 6"),
        ("sk-änt", "control or non-ASCII character at position 3"),
        ("sk\x00", "control or non-ASCII character at position 2"),
        ("“sk”", "control or non-ASCII character at position 0"),
        ("", "empty"),
    ],
)
def test_refuses_a_key_that_no_header_can_carry(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^api_key: .*{message}") as caught:
        secret("api_key", text)
    assert not text.strip() or text.strip() not in str(caught.value)


@pytest.mark.parametrize("value", [5, b"sk-secret", ["sk-secret"]])
def test_refuses_a_key_that_is_no_string(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^api_key: expected a string, got a value of type") as caught:
        secret("api_key", value)
    assert "sk-secret" not in str(caught.value)


def test_a_secret_shows_nothing() -> None:
    hidden = Secret(KEY)
    assert KEY not in f"{hidden!r} {hidden!s} {[hidden]}"
    assert hidden == Secret(KEY) != Secret("other")
    assert len({hidden, Secret(KEY)}) == 1
    assert pickle.loads(pickle.dumps(hidden)).reveal() == KEY


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        *(
            (name, True)
            for name in ("x-api-key", "X-Api-Key", "Authorization", "Proxy-Authorization", "Cookie")
        ),
        *((name, True) for name in ("X-Gateway-Token", "helicone-auth", "client_secret", "api-key")),
        *((name, False) for name in ("Accept", "User-Agent", "anthropic-version", "anthropic-beta", "Host")),
    ],
)
def test_headers_that_may_carry_a_credential_are_known_by_name(name: str, hidden: bool) -> None:
    assert is_secret(name) is hidden
    assert ("sk-1" not in repr(Headers({name: "sk-1"}))) is hidden


def test_options_show_no_credential() -> None:
    options = Options(
        api_key=Secret(KEY),
        auth_token=Secret(KEY),
        base_url="https://host",
        default_headers=Headers({"X-Gateway-Key": KEY, "X-Team": "blue"}),
        default_query=QueryDefaults({"key": KEY}),
    )
    assert KEY not in repr(options)
    assert "blue" in repr(options)


def test_layers_of_headers_ignore_case() -> None:
    """The later layer's value and spelling win; `omit` takes away what is below, and not what is above."""
    layers: list[Any] = [
        {"X-A": "1", "X-B": "1", "X-C": "1"},
        {"x-a": "2", "X-b": omit},
        None,
        {"X-B": "3", "x-c": omit},
    ]
    assert headers_to_send(*layers) == {"x-a": "2", "X-B": "3"}
    assert layer_headers(*layers) == {"x-a": "2", "X-B": "3", "x-c": omit}


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\x00b", "ä", "\x7f", " a", "a ", "\ta", "\ud800"])
def test_refuses_a_header_that_cannot_be_sent(value: str) -> None:
    """Its name is told, its value is not."""
    with pytest.raises(ValueError, match=r"^header 'X-A': expected visible ASCII") as caught:
        headers_to_send({"X-A": value})
    assert repr(value) not in str(caught.value)


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", "!~"])
def test_takes_a_header_that_can_be_sent(value: str) -> None:
    assert headers_to_send({"X-A": value}) == {"X-A": value}


@pytest.mark.parametrize("name", ["", "a b", "a:", "ä", "a\n"])
def test_refuses_a_header_without_a_proper_name(name: str) -> None:
    with pytest.raises(ValueError, match="expected a name"):
        headers_to_send({name: "1"})


@pytest.mark.parametrize("value", [5, None, b"x", ["a"]])
def test_refuses_a_header_that_is_no_string(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^header 'X-A': expected a string"):
        headers_to_send({"X-A": value})


def test_reads_custom_headers_from_lines() -> None:
    """Names and values are trimmed; lines without a colon are passed over; further colons are the value's."""
    text = "X-A: 1\n\nno colon\n X-B :a:b \r\nX-C:"
    assert custom_headers(text) == {"X-A": "1", "X-B": "a:b", "X-C": ""}
    assert custom_headers(None) == {}


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ({"a": "1", "b": 2, "c": 0.5}, [("a", "1"), ("b", "2"), ("c", "0.5")]),
        ({"a": True, "b": False, "c": None}, [("a", "true"), ("b", "false")]),
        ({"q": [1, "2", None, True]}, [("q[]", "1"), ("q[]", "2"), ("q[]", "true")]),
        ({"q": (1, 2)}, [("q[]", "1"), ("q[]", "2")]),
        ({"d": {"x": True, "y": {"z": 1}}}, [("d[x]", "true"), ("d[y][z]", "1")]),
        ({"d": {"x": [1]}}, [("d[x][]", "1")]),
        ({"a": [], "b": {}}, []),
    ],
)
def test_a_query_becomes_pairs(query: Any, pairs: list[tuple[str, str]]) -> None:
    assert query_pairs(query) == pairs


def test_a_query_is_put_behind_the_url() -> None:
    assert url_with_query("http://h/p", {}, {}) == "http://h/p"
    assert url_with_query("http://h/p", {"a": 1, "b": 1}, {"a": "ä &"}) == "http://h/p?a=%C3%A4+%26&b=1"
    assert url_with_query("http://h/p?x=1", {"a": 1}) == "http://h/p?x=1&a=1"
    with pytest.raises(ValueError, match="lone surrogate"):
        url_with_query("http://h/p", {"a": "\ud800"})


@pytest.mark.parametrize("value", [1, 0.001, 600.0, 1e9, None])
def test_takes_seconds(value: float | None) -> None:
    assert seconds("deadline", value) == value


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e10, 10**400, -(10**400)])
def test_refuses_seconds_that_are_out_of_range(value: float) -> None:
    with pytest.raises(ValueError, match=r"^deadline: expected seconds above 0"):
        seconds("deadline", value)


@pytest.mark.parametrize("value", ["5", True, [5], 5j, NOT_GIVEN])
def test_refuses_what_are_no_seconds(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^deadline: expected seconds as a number"):
        seconds("deadline", value)


def test_takes_the_forms_of_a_timeout() -> None:
    limits = httpx.Timeout(5, connect=None, pool=0)
    assert timeout(limits) is limits
    assert timeout(NOT_GIVEN) is NOT_GIVEN
    assert timeout(None) is None
    assert timeout(2) == 2.0


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (httpx.Timeout(float("inf")), ValueError),
        (httpx.Timeout(5, read=-1), ValueError),
        (httpx.Timeout("5"), TypeError),  # type: ignore[arg-type]
        ("5", TypeError),
        (0, ValueError),
    ],
)
def test_refuses_a_timeout_that_sockets_would(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^timeout"):
        timeout(value)


@pytest.mark.parametrize(
    ("value", "error"), [(True, TypeError), (1.0, TypeError), ("1", TypeError), (-1, ValueError)]
)
def test_refuses_a_number_of_retries_that_is_none(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^max_retries: expected"):
        count("max_retries", value, least=0)


def test_refuses_what_is_no_mapping_or_sequence() -> None:
    for value in (5, "ab", ["ab"], object()):
        with pytest.raises(TypeError, match=r"^extra_body: expected a mapping"):
            mapping("extra_body", value)
    with pytest.raises(TypeError, match=r"^extra_body: expected strings as keys, got one of type int"):
        mapping("extra_body", {1: 2})
    for value in (5, "ab", b"ab", {"a"}, {"a": 1}):
        with pytest.raises(TypeError, match=r"^betas: expected a list, got a value of type"):
            sequence("betas", value)


def test_the_markers_of_absence_are_falsy_and_told_apart() -> None:
    assert not NOT_GIVEN
    assert not not_given
    assert not omit
    assert NOT_GIVEN is not not_given
    assert (type(NOT_GIVEN), type(not_given), type(omit)) == (NotGiven, NotGiven, Omit)
    assert [is_given(value) for value in (NOT_GIVEN, not_given, omit, None, 0, "")] == [False] * 3 + [
        True
    ] * 3
    assert repr(omit) == "omit"
    assert repr(NOT_GIVEN) == "NOT_GIVEN"
