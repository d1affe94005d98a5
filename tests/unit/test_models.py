"""Lifecycles of models, and the warnings about them."""

import pickle
import subprocess
import sys
import threading
import warnings
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions import models
from anthropic_completions._contract import generated as _wire
from anthropic_completions.models import MessagesSupport, RetiredModelWarning, lifecycle, warn_about
from strategies import texts

ENTRIES: dict[str, dict[str, Any]] = _wire.component("#/components/schemas/KnownModel")["x-models"]
SNAPSHOTS = [name for name, entry in ENTRIES.items() if "alias_of" not in entry]
ALIASES = [name for name, entry in ENTRIES.items() if "alias_of" in entry]


@pytest.fixture(autouse=True)
def _nothing_warned_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_warned", {})


@pytest.mark.parametrize(
    ("on", "status", "days_left"),
    [
        (date(2026, 4, 13), "active", 63),
        (date(2026, 4, 14), "deprecated", 62),
        (date(2026, 6, 14), "deprecated", 1),
        (date(2026, 6, 15), "retired", 0),
        (date(2027, 1, 1), "retired", 0),
    ],
)
def test_the_status_follows_from_the_dates(on: date, status: str, days_left: int) -> None:
    found = lifecycle("claude-opus-4-0", on=on)
    assert (found.status, found.days_left) == (status, days_left)


def test_a_lifecycle_tells_all_that_the_contract_knows() -> None:
    found = lifecycle("claude-sonnet-4-5", on=date(2026, 11, 23))
    assert found == models.Lifecycle(
        name="claude-sonnet-4-5",
        snapshot="claude-sonnet-4-5-20250929",
        status="deprecated",
        deprecated=date(2026, 9, 30),
        retired=date(2026, 11, 30),
        not_before=None,
        replacement="claude-sonnet-5-5",
        days_left=7,
        description="For agents and coding.",
        sources=tuple(ENTRIES["claude-sonnet-4-5-20250929"]["sources"]),
        messages=MessagesSupport(
            prefill=True,
            sampling="one",
            thinking="off",
            off_switch="disabled",
            effort=None,
            max_tokens=64_000,
            context=200_000,
        ),
        as_of=date(2026, 11, 25),
    )


def test_the_effort_of_a_model_is_told_from_the_least_to_the_most() -> None:
    effort = lifecycle("claude-opus-5-5").messages.effort
    assert effort == models.Effort(levels=("low", "medium", "high", "xhigh", "max"), default="medium")


def test_a_model_without_a_set_day_has_no_days_left() -> None:
    found = lifecycle("claude-opus-4-8", on=date(2026, 11, 23))
    assert (found.status, found.days_left, found.not_before) == ("active", None, date(2027, 5, 28))


def test_a_deprecated_model_without_a_day_of_retirement_stays_deprecated() -> None:
    assert lifecycle("claude-mythos-preview", on=date(2100, 1, 1)).status == "deprecated"


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_on_the_contract_s_own_day_the_dates_give_the_status_that_is_written_there(name: str) -> None:
    assert lifecycle(name, on=lifecycle(name).as_of).status == ENTRIES[name]["status"]


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias_has_the_life_of_its_snapshot(name: str) -> None:
    on = date(2026, 1, 1)
    found, snapshot = lifecycle(name, on=on), lifecycle(ENTRIES[name]["alias_of"], on=on)
    assert found.snapshot == snapshot.name == snapshot.snapshot
    assert (found.status, found.retired, found.messages) == (
        snapshot.status,
        snapshot.retired,
        snapshot.messages,
    )


@given(texts(), st.dates())
def test_a_model_that_nobody_knows_is_unknown_and_no_error(name: str, on: date) -> None:
    found = lifecycle(f"?{name}", on=on)
    assert (found.status, found.snapshot, found.days_left) == ("unknown", found.name, None)
    assert found.messages == MessagesSupport()


@given(st.sampled_from(sorted(ENTRIES)), st.dates(), st.dates())
def test_a_life_only_goes_forward(name: str, one: date, other: date) -> None:
    order = ["active", "deprecated", "retired"]
    earlier, later = (lifecycle(name, on=day) for day in sorted([one, other]))
    assert order.index(earlier.status) <= order.index(later.status)


def test_a_time_counts_as_its_day() -> None:
    noon = datetime(2026, 6, 15, 12, tzinfo=UTC)
    assert lifecycle("claude-opus-4-0", on=noon) == lifecycle("claude-opus-4-0", on=noon.date())


def test_without_a_day_today_counts() -> None:
    assert lifecycle("claude-2.1").status == "retired"


def test_a_lifecycle_pickles() -> None:
    found = lifecycle("claude-2", on=date(2025, 1, 1))
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_retired_model_is_warned_about_visibly() -> None:
    with pytest.warns(RetiredModelWarning) as caught:
        warn_about("claude-opus-4-0", on=date(2026, 6, 15))
    assert str(caught[0].message) == (
        "the model 'claude-opus-4-0' (claude-opus-4-20250514) was retired on 2026-06-15; "
        "Anthropic recommends 'claude-opus-4-8'; "
        'model_map={"claude-opus-4-0": "claude-opus-4-8"} or model_map="recommended" asks for that instead'
    )
    assert not issubclass(RetiredModelWarning, DeprecationWarning)


def test_a_deprecated_model_is_warned_about_with_its_last_day() -> None:
    sentence = "^the model 'claude-2.1' is deprecated since 2025-01-21 and stops answering on 2025-07-21; "
    with pytest.warns(DeprecationWarning, match=sentence):
        warn_about("claude-2.1", on=date(2025, 2, 1))


def test_a_deprecated_model_without_a_last_day_is_warned_about_too() -> None:
    with pytest.warns(DeprecationWarning, match="has no set day of retirement; Anthropic recommends"):
        warn_about("claude-mythos-preview", on=date(2026, 7, 1))


@pytest.mark.parametrize("name", ["claude-opus-4-8", "claude-next", ""])
def test_an_active_or_unknown_model_is_not_warned_about(name: str) -> None:
    warn_about(name, on=date(2026, 11, 23))  # warnings are errors here


def test_each_model_is_warned_about_once_whatever_its_name() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("claude-2", "claude-2.0", "claude-2", "claude-2.1", "claude-2.1"):
            warn_about(name, on=date(2026, 1, 1))
    assert len(caught) == 2


def test_a_warning_that_is_an_error_is_raised_every_time() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(RetiredModelWarning):
                warn_about("claude-2.1", on=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("name", "on", "instead"),
    [
        ("claude-2", date(2026, 11, 25), "claude-opus-4-8"),
        ("claude-instant-v1-100k", date(2026, 11, 25), "claude-haiku-4-5-20251001"),
        ("claude-3-7-sonnet-latest", date(2026, 11, 25), "claude-sonnet-5-5"),
        ("claude-2", date(2024, 1, 1), None),
        ("claude-sonnet-4-5", date(2026, 11, 29), None),
        ("claude-sonnet-4-5", date(2026, 11, 30), "claude-sonnet-5-5"),
        ("claude-next", date(2026, 11, 25), None),
    ],
)
def test_a_retired_model_gives_way_to_the_one_that_is_recommended(
    name: str, on: date, instead: str | None
) -> None:
    assert models.recommended(name, on=on) == instead


def test_a_recommended_model_that_is_retired_itself_gives_way_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENTRIES["claude-opus-4-8"], "retired", "2026-11-25")
    monkeypatch.setitem(ENTRIES["claude-opus-4-8"], "replacement", "claude-opus-5-5")
    assert models.recommended("claude-2.1", on=date(2026, 11, 25)) == "claude-opus-5-5"


def test_a_claude_that_is_in_no_list_is_served_as_the_newest_and_other_names_are_not_known() -> None:
    assert models.messages_support("claude-next") == lifecycle("claude-fable-5-2").messages
    assert models.messages_support("my-claude") == MessagesSupport()
    assert models.messages_support("claude-opus-4-5") == lifecycle("claude-opus-4-5").messages


def test_of_many_threads_one_warns() -> None:
    barrier = threading.Barrier(8)

    def run() -> None:
        barrier.wait()
        warn_about("claude-2.1", on=date(2026, 1, 1))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(caught) == 1


def test_the_warning_points_at_the_line_that_the_stack_level_names() -> None:
    def outer() -> None:
        inner()

    def inner() -> None:
        warn_about("claude-2.1", stacklevel=2, on=date(2026, 1, 1))

    with pytest.warns(RetiredModelWarning) as caught:
        outer()
    assert caught[0].filename == __file__
    assert caught[0].lineno == outer.__code__.co_firstlineno + 1


def test_importing_the_module_reads_no_contract() -> None:
    code = (
        "import sys, anthropic_completions.models\n"
        "module = sys.modules.get('anthropic_completions._wire')\n"
        "assert module is None or module.contract.cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
