"""`model_map`: which model is asked for in place of another."""

from typing import Any

import pytest

from anthropic_completions import Anthropic
from anthropic_completions._options.model_map import ModelMap, model_map


def mapped(value: object, model: str) -> str | None:
    found = model_map("model_map", value)
    assert found is not None
    return found.get(model)


@pytest.mark.parametrize(
    ("model", "instead"),
    [
        ("claude-2.1", "claude-haiku-5-5"),
        ("claude-2.0", "claude-opus-5-5"),
        ("claude-opus-4-8", "claude-sonnet-5-5"),
        ("claude-haiku-5-5", "claude-sonnet-5-5"),
        ("my-model", None),
    ],
)
def test_a_name_overrides_patterns_and_patterns_are_tried_in_order(model: str, instead: str | None) -> None:
    entries = {
        "claude-*": "claude-sonnet-5-5",
        "claude-2.1": "claude-haiku-5-5",
        "claude-[12].?": "claude-opus-4-8",
    }
    assert mapped({"claude-2.0": "claude-opus-5-5", **entries}, model) == instead


def test_one_name_may_lead_to_another() -> None:
    entries = {"claude-*": "small", "small": "claude-haiku-5-5", "claude-2": "small"}
    assert mapped(entries, "claude-2") == mapped(entries, "claude-opus-5") == "claude-haiku-5-5"


def test_a_name_that_stands_for_itself_is_kept_from_patterns() -> None:
    assert mapped({"claude-2.1": "claude-2.1", "claude-*": "claude-haiku-5-5"}, "claude-2.1") == "claude-2.1"


@pytest.mark.parametrize("label", ["model_map", "ANTHROPIC_COMPLETIONS_MODEL_MAP"])
@pytest.mark.parametrize("entries", [{"a": "b", "b": "a"}, {"x": "a", "a": "b", "b": "c", "c": "a"}])
def test_a_circle_is_refused(label: str, entries: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"^{label}: expected no circle, got 'a' -> 'b'.* -> 'a'$"):
        model_map(label, entries)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"a": ""}, "expected names of models, got ''"),
        ({5: "a"}, "expected names of models, got 5"),
        ({"a": "b*"}, "expected the name of a model in place of 'a', got 'b\\*'"),
        ("a=b,c", "expected 'recommended', or old=new,old=new, got 'c'"),
        ("best", "expected 'recommended', or old=new,old=new, got 'best'"),
        ("=b", "got '=b'"),
    ],
)
def test_what_is_no_map_is_refused(value: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^model_map: .*{sentence}"):
        model_map("model_map", value)


def test_a_map_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^model_map: expected a mapping .* or 'recommended', got .* list"):
        model_map("model_map", ["claude-2"])


def test_text_is_pairs() -> None:
    assert model_map("m", " a=b , c-*=d ,") == ModelMap(names=(("a", "b"),), patterns=(("c-*", "d"),))


@pytest.mark.parametrize("wrong", [{"a": "b", "b": "a"}, "nonsense"])
def test_the_client_is_not_made_with_a_map_that_leads_nowhere(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^model_map: "):
        Anthropic(api_key="k", model_map=wrong)
    with pytest.raises(ValueError, match=r"^model_map: "):
        Anthropic(api_key="k").with_options(model_map=wrong)


# Settings from the environment


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("BACKEND", "auto", "backend", "auto"),
        ("ON_LOSS", "drop", "on_loss", "drop"),
        ("MODEL_MAP", "recommended", "model_map", ModelMap(recommended=True)),
        ("MODEL_MAP", "a=b", "model_map", ModelMap(names=(("a", "b"),))),
        ("PREFILL", "instruct", "prefill", "instruct"),
        ("THINKING_ROOM", "100", "thinking_room", 100),
    ],
)
def test_the_environment_gives_what_is_not_given(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, name: str, value: object
) -> None:
    default = getattr(Anthropic(api_key="k")._options, name)
    monkeypatch.setenv(f"ANTHROPIC_COMPLETIONS_{variable}", text)
    assert getattr(Anthropic(api_key="k")._options, name) == value != default
    given: Any = {name: default}
    assert getattr(Anthropic(api_key="k", **given)._options, name) == default


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("BACKEND", "new", "expected one of 'completions', 'messages', 'auto', got 'new'"),
        ("ON_LOSS", "no", "expected one of 'warn', 'error', 'drop', got 'no'"),
        ("MODEL_MAP", "a=b,b=a", "expected no circle, got 'a' -> 'b' -> 'a'"),
        ("PREFILL", "keep", "expected one of 'drop', 'error', 'instruct', got 'keep'"),
        ("THINKING_ROOM", "-1", "expected 0 or more, got -1"),
        ("THINKING_ROOM", "much", "expected an integer, got 'much'"),
    ],
)
def test_the_environment_is_checked_as_arguments_are_and_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, sentence: str
) -> None:
    monkeypatch.setenv(f"ANTHROPIC_COMPLETIONS_{variable}", text)
    with pytest.raises(ValueError) as raised:
        Anthropic(api_key="k")
    assert str(raised.value) == f"ANTHROPIC_COMPLETIONS_{variable}: {sentence}"


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"prefill": "keep"}, "prefill: expected one of 'drop', 'error', 'instruct', got 'keep'"),
        ({"thinking_room": -1}, "thinking_room: expected 0 or more, got -1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(setting: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Anthropic(api_key="k", **setting)


@pytest.mark.parametrize("setting", [{"thinking_room": "5"}, {"thinking_room": True}, {"learn": 1}])
def test_a_setting_of_the_wrong_type_is_named(setting: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"^{next(iter(setting))}: expected"):
        Anthropic(api_key="k", **setting)
