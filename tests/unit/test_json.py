"""JSON is read alike by the standard library and by msgspec, which the extra `fast` brings."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions._http import failures as _failures
from anthropic_completions._http.failures import parse_json
from strategies import texts

FAST = _failures._fast_decode
# Where parsers are known to differ.
CASES = [
    *(
        "",
        " ",
        "\n1",
        " 1 ",
        "1 2",
        "\x0b1",
        "\x0c1",
        "\u00a01",
        "\ufeff1",
        "1\x00",
        "[1,]",
        '{"a":1,}',
        "{1:2}",
    ),
    *("0", "-0", "-0.0", "01", "+1", ".5", "1.", "1e", "1E5", "1.0e+5", "1_000", "-", "- 1", "--1"),
    *("9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" * 100, "1" * 4301),
    *("1e999", "-1e999", "1e-400", "5e-324", "2.2250738585072011e-308", "0." + "1" * 400, "1" * 400 + ".5"),
    *("9007199254740993.0", "1e22", "1e23", "0.1", "NaN", "Infinity", "-Infinity", "nul", "truex", "True"),
    *(
        '"\\ud800"',
        '"\\ud800\\udc00"',
        '"\\udc00\\ud800"',
        '"\\ud83dx"',
        '"\ud800"',
        '"\\u12"',
        '"\\x"',
        '"\\/"',
    ),
    *(
        '"\x00"',
        '"\x01"',
        '"\x7f"',
        '"\t"',
        '"\\u0000"',
        '{"\\u0000":1}',
        '{"a":1,"a":2}',
        "{'a':1}",
        '{"a"}',
    ),
    *("/**/1", "[" * 400 + "]" * 400, "[" * 100_000, "[" * 100_000 + "]" * 100_000),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
)


def outcome(parse: Callable[[str], Any], text: str) -> tuple[str, str]:
    """Return what comes of a text: a value with the types in it, or an error with its message."""
    try:
        value = parse(text)
    except ValueError as error:
        return type(error).__name__, str(error)
    return type(value).__name__, ascii(value)


def assert_alike(text: str) -> None:
    assert outcome(parse_json, text) == outcome(_failures._decode, text)


def test_msgspec_reads_where_it_is_installed() -> None:
    """The comparisons below would compare nothing otherwise."""
    assert getattr(FAST, "__self__", None).__class__ is msgspec.json.Decoder
    assert FAST is not None
    assert FAST('{"a": [1, 2.5, "x"]}') == {"a": [1, 2.5, "x"]}


@pytest.mark.parametrize("text", CASES, ids=lambda text: ascii(text)[:30])
def test_a_text_on_which_parsers_differ_is_read_alike(text: str) -> None:
    """Value, types, error and message are those of the standard library."""
    assert_alike(text)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_what_the_standard_library_writes_is_read_alike(
    value: Any, escaped: bool, indent: int | None
) -> None:
    assert_alike(json.dumps(value, ensure_ascii=escaped, indent=indent))


@given(st.text(alphabet='{}[]":,\\/u0123456789abdeEf+-. \t\r\ntruefalsn\ud800é\x00\x1f'))
def test_any_text_is_read_alike(text: str) -> None:
    assert_alike(text)


@given(st.binary() | VALUES.map(lambda value: json.dumps(value, ensure_ascii=True).encode()))
def test_bytes_are_read_as_their_text(data: bytes) -> None:
    """They are UTF-8, with or without a byte order mark; what is none is refused as such."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            parse_json(data)
    else:
        assert outcome(lambda _: parse_json(data), "") == outcome(_failures._decode, text)


@pytest.mark.parametrize("fast", [FAST, None], ids=["msgspec", "stdlib"])
def test_what_the_standard_library_alone_takes_is_read(
    fast: Callable[[str], Any] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_failures, "_fast_decode", fast)
    assert parse_json('"\\ud800"') == "\ud800"
    assert parse_json("1e999") == float("inf")
    assert parse_json("1" * 100) == int("1" * 100)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * 100_000)
    with pytest.raises(ValueError, match="NaN is no JSON"):
        parse_json("NaN")
