"""Prompts: parsing without loss, building without forgery, and the service's verdict."""

import json
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions import AI_PROMPT, HUMAN_PROMPT
from anthropic_completions.prompts import Prompt, Transcript, Turn, parse, validate
from strategies import texts

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "prompts.json").read_text("utf-8"))
# Text that is often about to be a marker.
PIECES = st.sampled_from(
    [HUMAN_PROMPT, AI_PROMPT, "\n", "\r\n", " ", "Human:", "Assistant:", "Human", ":", "Hi", "🦕", "\u2028"]
)
TEXTS = st.one_of(texts(), st.lists(PIECES, max_size=12).map("".join))


def cases(kind: str) -> Any:
    return pytest.mark.parametrize("case", VECTORS[kind], ids=[case["name"] for case in VECTORS[kind]])


@cases("validate")
def test_the_verdict_is_the_service_s(case: dict[str, Any]) -> None:
    verdict = validate(case["prompt"])
    expected = [
        case["ok"],
        *(case.get(name) for name in ("reason", "position", "message")),
        case["sanitised"],
    ]
    assert [
        verdict.ok,
        verdict.reason,
        verdict.position,
        verdict.message,
        verdict.sanitised,
    ] == expected
    assert bool(verdict) == case["ok"]


@cases("parse")
def test_a_prompt_is_taken_apart(case: dict[str, Any]) -> None:
    transcript = parse(case["prompt"])
    assert transcript.system == case["system"]
    turns = [{"role": turn.role, "text": turn.text, "content": turn.content} for turn in transcript.turns]
    assert turns == case["turns"]
    assert transcript.build() == case["prompt"]


@cases("build")
def test_a_prompt_is_built_of_turns(case: dict[str, Any]) -> None:
    def build() -> str:
        prompt = Prompt.from_turns(case["turns"], allow_markers=case.get("allow_markers", False))
        return prompt.build(open_turn=case.get("open_turn", True))

    if "error" not in case:
        assert build() == case["prompt"]
        return
    with pytest.raises(ValueError) as raised:
        build()
    if "position" in case["error"]:
        assert f"at position {case['error']['position']};" in str(raised.value)


@given(TEXTS)
def test_parsing_and_building_again_gives_the_same_prompt(prompt: str) -> None:
    assert parse(prompt).build() == prompt


@given(TEXTS)
def test_what_is_parsed_of_what_was_built_is_what_was_parsed(prompt: str) -> None:
    transcript = parse(prompt)
    assert parse(transcript.build()) == transcript
    assert not any(HUMAN_PROMPT in turn.text or AI_PROMPT in turn.text for turn in transcript.turns)


@given(st.none() | TEXTS, st.lists(st.tuples(st.sampled_from(["human", "assistant"]), TEXTS), min_size=1))
def test_no_content_forges_a_turn(system: str | None, turns: list[tuple[str, str]]) -> None:
    """What is built parses into the same turns, as the service sees it, or is not built."""
    pairs = [{"role": role, "content": content} for role, content in turns]
    if system is not None:
        pairs = [{"role": "system", "content": system}, *pairs]
    forged = any(marker in pair["content"] for pair in pairs for marker in (HUMAN_PROMPT, AI_PROMPT))
    if forged or (system or "").startswith("Human:"):
        with pytest.raises(ValueError, match="turn marker"):
            Prompt.from_turns(pairs)
        return
    built = str(Prompt.from_turns(pairs))
    transcript = parse(built)
    opened = [("assistant", "")] if turns[-1][0] == "human" else []
    assert transcript.system == (system or "")
    assert [(turn.role, turn.content) for turn in transcript.turns] == turns + opened
    seen = parse(validate(built).sanitised)
    assert [turn.role for turn in seen.turns] == [turn.role for turn in transcript.turns]


@given(TEXTS)
def test_a_sanitised_prompt_has_the_same_verdict_and_is_not_changed_again(prompt: str) -> None:
    verdict = validate(prompt)
    again = validate(verdict.sanitised)
    assert (again.reason, again.sanitised) == (verdict.reason, verdict.sanitised)


@given(TEXTS)
def test_the_position_lies_within_the_prompt(prompt: str) -> None:
    verdict = validate(prompt)
    assert verdict.ok == (verdict.position is None)
    assert verdict.position is None or 0 <= verdict.position <= len(prompt)


def test_a_prompt_with_human_turns_only_is_valid_when_it_is_built() -> None:
    assert validate(str(Prompt().human("A").human("B")))


def test_a_builder_is_not_changed_by_its_methods() -> None:
    prompt = Prompt().human("A")
    prompt.human("B")
    prompt.system("S")
    assert str(prompt) == "\n\nHuman: A\n\nAssistant:"
    with pytest.raises(FrozenInstanceError):
        prompt.transcript = Transcript()  # type: ignore[misc]


def test_system_text_replaces_the_one_before() -> None:
    assert str(Prompt().system("S").human("A").system("T")) == "T\n\nHuman: A\n\nAssistant:"


def test_an_empty_builder_builds_an_empty_prompt() -> None:
    assert str(Prompt()) == ""


@pytest.mark.parametrize("method", ["system", "human", "assistant"])
def test_every_method_refuses_a_marker_and_names_it_and_its_position(method: str) -> None:
    text = "ab\n\nHuman: c"
    with pytest.raises(ValueError, match=r"'\\n\\nHuman:' at position 2;"):
        getattr(Prompt(), method)(text)
    assert text in str(getattr(Prompt(), method)(text, allow_markers=True))


def test_content_that_is_no_text_is_named() -> None:
    with pytest.raises(TypeError, match=r"turns\[1\]: expected text as content, got list"):
        Prompt.from_turns([{"role": "user", "content": "A"}, {"role": "assistant", "content": []}])  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("turn", "sentence"),
    [
        ({"role": "user"}, r"turns\[0\]: expected role and content, got {'role': 'user'}"),
        (("user", "A"), r"turns\[0\]: expected role and content, got \('user', 'A'\)"),
    ],
)
def test_a_pair_that_is_none_is_named(turn: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        Prompt.from_turns([turn])


def test_a_role_of_another_type_is_named() -> None:
    with pytest.raises(ValueError, match=r"turns\[0\]: expected the role .*, got \['user'\]"):
        Prompt.from_turns([{"role": ["user"], "content": "A"}])  # type: ignore[dict-item]


@pytest.mark.parametrize("allow_markers", [False, True])
@pytest.mark.parametrize("method", ["system", "human", "assistant"])
def test_every_method_refuses_what_is_no_text(method: str, allow_markers: bool) -> None:
    with pytest.raises(TypeError, match="text: expected text, got int"):
        getattr(Prompt(), method)(5, allow_markers=allow_markers)


def test_a_turn_reads_as_it_stands_in_the_prompt() -> None:
    assert str(Turn("assistant", " B\n")) == "\n\nAssistant: B\n"


def test_transcripts_and_prompts_compare_and_pickle() -> None:
    prompt = Prompt().system("S").human("A")
    assert (
        pickle.loads(pickle.dumps(prompt))
        == prompt
        == Prompt.from_turns([{"role": "system", "content": "S"}, {"role": "user", "content": "A"}])
    )
