"""`create` tells of retired and deprecated models, once, at the line of whoever called it."""

import inspect
import subprocess
import sys
import warnings
from datetime import date
from typing import Any

import pytest

from anthropic_completions import Anthropic, AsyncAnthropic, models
from anthropic_completions._client import routing as _routing
from anthropic_completions.models import Lifecycle, RetiredModelWarning
from support import ARGUMENTS, FakeClock, Script, World, chunk, completion_reply, stream_reply


@pytest.fixture(autouse=True)
def _nothing_warned_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_warned", {})
    _routing.tell_of.cache_clear()


def reply() -> Script:
    return Script([completion_reply()])


def warned(world: World, options: dict[str, Any] | None = None, **arguments: Any) -> list[str]:
    """Return the categories of the warnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        world.create(reply(), options, **arguments)
    return [warning.category.__name__ for warning in caught]


def test_a_retired_model_is_told_once(world: World) -> None:
    assert [warned(world) for _ in range(3)] == [["RetiredModelWarning"], [], []]


def test_a_deprecated_model_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = models.lifecycle

    def in_june(name: str, *, on: date | None = None) -> Lifecycle:
        return real(name, on=date(2026, 6, 1))

    monkeypatch.setattr(models, "lifecycle", in_june)
    assert warned(world, model="claude-opus-4-0") == ["DeprecationWarning"]


def test_a_model_that_is_retired_while_a_program_runs_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = iter([date(2026, 4, 1), date(2026, 6, 15)])
    real = models.lifecycle
    monkeypatch.setattr(models, "lifecycle", lambda name, on=None: real(name, on=on or next(days)))
    clock = FakeClock()
    told = []
    for _ in range(2):
        told += [warned(world, {"clock": clock}, model="claude-opus-4-0") for _ in range(2)]
        clock.now += 24 * 3600
    assert told == [[], [], ["RetiredModelWarning"], []]


@pytest.mark.parametrize("model", ["claude-opus-4-8", "a model of tomorrow"])
def test_other_models_are_not(world: World, model: str) -> None:
    assert warned(world, model=model) == []


def test_one_switch_turns_it_off(world: World) -> None:
    assert warned(world, {"model_warnings": False}) == []
    assert warned(world, {"model_warnings": True}) == ["RetiredModelWarning"]


def test_a_copy_can_turn_it_off_and_keeps_that() -> None:
    quiet = Anthropic(api_key="k").with_options(model_warnings=False)
    assert quiet.copy()._options.model_warnings is False


@pytest.mark.parametrize("value", [None, 0, "no"])
def test_the_switch_is_true_or_false(value: Any) -> None:
    with pytest.raises(TypeError, match="model_warnings: expected True or False, got a value of type"):
        Anthropic(api_key="k", model_warnings=value)


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("https://API.anthropic.com:443/v1", True),
        ("https://gateway.example/anthropic", False),
        ("http://127.0.0.1:8000", False),
        ("https://api.anthropic.com.example", False),
    ],
)
def test_other_services_keep_models_as_long_as_they_like(world: World, base_url: str, told: bool) -> None:
    assert warned(world, {"base_url": base_url}) == (["RetiredModelWarning"] if told else [])


def test_a_call_that_is_wrong_is_not_warned_of(world: World) -> None:
    with pytest.raises(ValueError, match="temperature"):
        warned(world, temperature=2)
    assert warned(world) == ["RetiredModelWarning"]


def test_a_warning_that_is_an_error_keeps_the_call_from_being_sent(world: World) -> None:
    script = reply()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(RetiredModelWarning):
                world.create(script)
    assert not script.requests


# The line of each is what the tests look for.
def _plain(client: Anthropic) -> None:
    client.completions.create(**ARGUMENTS)  # here


def _streamed(client: Anthropic) -> None:
    client.completions.create(**ARGUMENTS, stream=True).close()  # here


def _raw(client: Anthropic) -> None:
    client.completions.with_raw_response.create(**ARGUMENTS)  # here


def _unread(client: Anthropic) -> None:
    with client.completions.with_streaming_response.create(**ARGUMENTS):  # here
        pass


async def _plain_async(client: AsyncAnthropic) -> None:
    await client.completions.create(**ARGUMENTS)  # here


async def _streamed_async(client: AsyncAnthropic) -> None:
    await (await client.completions.create(**ARGUMENTS, stream=True)).close()  # here


async def _raw_async(client: AsyncAnthropic) -> None:
    await client.completions.with_raw_response.create(**ARGUMENTS)  # here


async def _unread_async(client: AsyncAnthropic) -> None:
    async with client.completions.with_streaming_response.create(**ARGUMENTS):  # here
        pass


@pytest.mark.parametrize(
    ("blocking", "awaiting"),
    [
        (_plain, _plain_async),
        (_streamed, _streamed_async),
        (_raw, _raw_async),
        (_unread, _unread_async),
    ],
)
def test_the_warning_points_at_the_line_of_the_call(world: World, blocking: Any, awaiting: Any) -> None:
    answer = stream_reply(chunk("Hi", "stop_sequence")) if blocking is _streamed else completion_reply()
    with pytest.warns(RetiredModelWarning) as caught:
        world.use(blocking, awaiting, Script([answer]))
    lines, first = inspect.getsourcelines(blocking if world.backend is None else awaiting)
    (here,) = (first + index for index, line in enumerate(lines) if line.endswith("# here\n"))
    assert (caught[0].filename, caught[0].lineno) == (__file__, here)


def test_a_retired_model_is_told_where_nobody_asked_for_it() -> None:
    """As a program of its own, with Python's own filters."""
    code = (
        "import httpx\n"
        "from anthropic_completions import Anthropic\n"
        "def answer(request): return httpx.Response(200, json={'type': 'completion', 'id': 'i',\n"
        "    'completion': 'c', 'model': 'm', 'stop_reason': 'max_tokens'})\n"
        "http = httpx.Client(transport=httpx.MockTransport(answer))\n"
        "client = Anthropic(api_key='k', http_client=http)\n"
        "for _ in range(2): client.completions.create(\n"
        "    model='claude-2.1', prompt='p', max_tokens_to_sample=1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr.count("RetiredModelWarning: the model 'claude-2.1' was retired on 2025-07-21") == 1
    assert done.stderr.startswith("<string>:7: ")
