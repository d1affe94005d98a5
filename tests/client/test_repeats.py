"""Chunks that differ in their text alone are read in a short way, and are what the long one makes of them."""

import json
from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions import Anthropic
from anthropic_completions._stream import assembly
from support import ARGUMENTS, WORLDS, Script, Streamed, World, chunk, event, stream_reply

SYNC = next(iter(WORLDS.values()))
USUAL = (
    '{"type":"completion","id":"c","completion":"%s","stop_reason":null,"model":"m","stop":null,"log_id":"c"}'
)
LAST = chunk("", "max_tokens")
# Of a chunk's data: what may stand where the text is, all of it read by a JSON parser in the long way.
TEXTS = [
    "",
    " Hi",
    "é \U0001f600",
    '\\u00e9\\n\\"\\\\',
    "\\ud83d",
    "\\ud83d\\ude00",
    '","completion":"again',
    '","stop_reason":"max_tokens","x":"',
    '","error":{"type":"overloaded_error"},"x":"',
    'a","x":{"completion":"b"},"y":"',
    "\\x",
    "\\",
    "\t",
    '"',
]
DATAS = [
    USUAL,
    USUAL.replace('"id":"c"', '"id":"d"'),
    USUAL.replace('"log_id"', '"x":{"completion":"deep"},"log_id"'),
    USUAL.replace("{", '{"x":{"completion":"deep"},', 1),
    USUAL.replace("{", '{"completion":"first",', 1),
    USUAL.replace("}", ',"completion":"second"}'),
    USUAL.replace(":", ": "),
    USUAL.replace("}", "} "),
    USUAL.replace('"model":"m",', ""),
    USUAL.replace('"model":"m"', '"model":null'),
    USUAL.replace('"log_id":"c"', '"log_id":1'),
    USUAL.replace('"stop":null', '"stop":["x"]'),
    USUAL.replace('"stop_reason":null', '"stop_reason":""'),
    USUAL.replace('"stop_reason":null', '"stop_reason":"max_tokens"'),
    USUAL.replace('"stop":null', '"stop":NaN'),
]


def read(world: World, datas: Sequence[str]) -> Streamed:
    """Read a stream of events with these data, and a last chunk."""
    return world.stream(Script([stream_reply(*(event("completion", data) for data in datas), LAST)]))


def told(found: Streamed) -> tuple[Any, ...]:
    error = found.error
    chunks = [[*each] for each in found.chunks]  # with the fields in their order
    return chunks, type(error), str(error), getattr(error, "body", None), [*found.final]


def same_as_in_the_long_way(datas: Sequence[str]) -> bool:
    found = told(read(SYNC, datas))
    with mock.patch.object(assembly, "pattern_of", return_value=None):
        expected = told(read(SYNC, datas))
    return found == expected


@given(st.lists(st.tuples(st.sampled_from([USUAL, *DATAS]), st.sampled_from(TEXTS)), max_size=6))
def test_chunks_are_those_of_the_long_way(parts: list[tuple[str, str]]) -> None:
    assert same_as_in_the_long_way([data.replace("%s", text) for data, text in parts])


@pytest.mark.parametrize("data", DATAS)
def test_each_text_is_read_as_in_the_long_way(data: str) -> None:
    for text in TEXTS:
        usual = [data.replace("%s", each) for each in (" A", text, " B")]
        assert same_as_in_the_long_way([*usual[:2], USUAL.replace("%s", text), usual[2]]), text


def test_the_usual_chunks_go_the_short_way(world: World) -> None:
    with mock.patch.object(assembly, "parse_json", side_effect=assembly.parse_json) as parsed:
        found = read(world, [USUAL.replace("%s", f" {number}") for number in range(100)])
    assert found.texts == [*(f" {number}" for number in range(100)), ""]
    assert parsed.call_count == 2  # the first and the last


@pytest.mark.parametrize("data", [USUAL, USUAL.replace("{", '{"x":["a"],')])
def test_what_is_done_to_a_chunk_is_done_to_it_alone(data: str) -> None:
    def change(client: Anthropic) -> list[str]:
        told = []
        for each in client.completions.create(**ARGUMENTS, stream=True):
            told.append(each.to_json(indent=None))
            each.id = "changed"
            each.additional_properties["stop"] = "changed"
            each.additional_properties.get("x", []).append("changed")
        return told

    data = data.replace("%s", " Hi")
    reply = Script([stream_reply(*[event("completion", data)] * 5, LAST)])
    *found, _ = World(None).use(change, None, reply)
    assert [json.loads(each) for each in found] == [json.loads(data)] * 5
