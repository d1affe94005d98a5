"""`Completer`: rows in, rows with completions out, whatever kind a batch of rows is."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from anthropic_completions import Anthropic
from anthropic_completions.batch import Completer
from anthropic_completions.batch._completer import _shared
from anthropic_completions.testing import StandIn, completion, error, raw

COLUMNS = ["completion", "stop_reason", "model", "request_id", "error", "error_type"]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A stand-in that completers use for their clients."""
    stand_in = StandIn()
    monkeypatch.setattr(
        "anthropic_completions._client.clients.Anthropic", lambda **settings: stand_in.client(**settings)
    )
    return stand_in


def completer(**options: Any) -> Completer:
    given = {"model": "claude-2.1", "max_tokens_to_sample": 9, "client": {"max_retries": 0}, **options}
    return pickle.loads(pickle.dumps(Completer(**given)))


def client_of(one: Completer) -> Anthropic | None:
    """The client that is kept for a completer and its copies in this process."""
    with _shared(one._name) as shared:
        return shared.client


ROWS = [{"id": number, "prompt": f"\n\nHuman: {number}\n\nAssistant:", "gold": "x"} for number in range(5)]
HALF = b'{"type":"completion","id":"i","completion":" half \\ud83d","stop_reason":"max_tokens","model":"m"}'
TEXTS = [f" You said: {number}" for number in range(5)]


def test_a_list_of_rows(stand_in: StandIn) -> None:
    done = completer()(ROWS)
    assert [row["completion"] for row in done] == TEXTS
    assert [row["gold"] for row in done] == ["x"] * 5
    assert all([*row] == ["id", "prompt", "gold", *COLUMNS] for row in done)
    assert completer()([]) == []


def test_a_mapping_of_columns(stand_in: StandIn) -> None:
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    done = completer()(columns)
    assert done["completion"] == TEXTS
    assert [*done] == ["id", "prompt", "gold", *COLUMNS]


def test_a_table(stand_in: StandIn) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    done = completer()(pyarrow.Table.from_pylist(ROWS))
    assert done.column("completion").to_pylist() == TEXTS
    assert done.column("error").to_pylist() == [None] * 5


# The standard environment has neither pandas nor numpy: make test-distributed runs these two.
@pytest.mark.parametrize("count", [5, 0])
def test_a_data_frame_keeps_its_index(stand_in: StandIn, count: int) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, index=[f"row-{number}" for number in range(5)]).head(count)
    done = completer()(frame)
    assert [*done.columns] == ["id", "prompt", "gold", *COLUMNS]
    assert [*done.index] == [*frame.index]
    assert [*done["completion"]] == TEXTS[:count]
    assert [*done["error"]] == [None] * count
    assert [*frame.columns] == ["id", "prompt", "gold"]


def test_a_mapping_of_arrays(stand_in: StandIn) -> None:
    numpy = pytest.importorskip("numpy")
    done = completer()({name: numpy.array([row[name] for row in ROWS]) for name in ROWS[0]})
    assert all(isinstance(values, numpy.ndarray) for values in done.values())
    assert [*done["completion"]] == TEXTS
    assert [*done["error"]] == [None] * 5


def test_an_iterator_of_batches_is_taken_as_needed(stand_in: StandIn) -> None:
    taken: list[int] = []

    def batches() -> Iterator[list[dict[str, Any]]]:
        for number in range(3):
            taken.append(number)
            yield ROWS

    done = completer()(batches())
    assert [row["completion"] for row in next(done)] == TEXTS
    assert taken == [0]
    assert len(list(done)) == 2


def test_a_failure_is_told_in_columns(stand_in: StandIn) -> None:
    stand_in.queue(error(400, message="Odd."), completion(" Fine."))
    failed, fine, wrong = completer(concurrency=1)([*ROWS[:2], {"id": 9, "prompt": None}])
    assert failed["completion"] is None
    assert failed["error_type"] == "invalid_request_error"
    assert "Odd." in failed["error"]
    assert failed["request_id"].startswith("req_")
    assert (fine["completion"], fine["error"]) == (" Fine.", None)
    assert wrong["error_type"] == "TypeError"


def test_columns_can_have_other_names(stand_in: StandIn) -> None:
    rows = [{"qid": "a", "text": ROWS[0]["prompt"]}]
    (row,) = completer(id_column="qid", prompt_column="text")(rows)
    assert row["completion"] == TEXTS[0]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"id": 1}], "expected a column 'prompt'"),
        ([{"prompt": "x"}], "expected a column 'id'"),
        ([{"id": 1, "prompt": "x", "error": 1}], "expected no column 'error'"),
    ],
)
def test_wrong_columns_are_told(stand_in: StandIn, rows: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        completer()(rows)
    assert not stand_in.received


def test_what_is_no_batch_is_told() -> None:
    with pytest.raises(TypeError, match="expected a DataFrame"):
        completer()(3)


def test_a_process_takes_its_share_of_the_rate(stand_in: StandIn) -> None:
    one = completer(requests_per_minute=60, rate_share=0.5, concurrency=1)
    one(ROWS)
    assert sum(stand_in.clock.waits) == pytest.approx(4 * 2.0)
    # The pace goes on over batches, also where an engine makes a copy for each.
    pickle.loads(pickle.dumps(one))(ROWS)
    assert sum(stand_in.clock.waits) == pytest.approx(9 * 2.0)


def test_copies_in_a_process_share_a_client_that_others_do_not_have(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = completer()
    copy = pickle.loads(pickle.dumps(one))
    one(ROWS)
    copy(ROWS)
    client = client_of(one)
    assert client is not None
    assert client_of(copy) is client
    assert client_of(completer()) is not client
    monkeypatch.setattr("os.getpid", lambda: 1)  # as after a fork, which may not share connections
    assert client_of(copy) is not client


def test_many_completers_in_a_process_each_keep_their_client_and_pace(stand_in: StandIn) -> None:
    all_of_them = [completer(requests_per_minute=1, concurrency=1) for _ in range(12)]
    for one in all_of_them:
        one(ROWS[:1])
    first = client_of(all_of_them[0])
    assert first is not None
    all_of_them[0](ROWS[:1])
    assert client_of(all_of_them[0]) is first
    assert sum(stand_in.clock.waits) == pytest.approx(60.0)


def test_a_client_that_was_not_used_for_long_is_closed_when_others_begin(stand_in: StandIn) -> None:
    one, other = completer(), completer()
    one(ROWS)
    client = client_of(one)
    assert client is not None
    stand_in.clock.sleep(601.0)
    other(ROWS)
    assert client.is_closed()
    assert [row["completion"] for row in one(ROWS)] == TEXTS


def test_half_of_a_surrogate_pair_fails_no_batch(stand_in: StandIn) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    stand_in.queue(raw(HALF), completion(" whole"))
    done = completer(concurrency=1)(pyarrow.Table.from_pylist(ROWS[:2]))
    assert done.column("completion").to_pylist() == [" half \\ud83d", " whole"]


def test_a_batch_that_is_given_again_is_completed_again(stand_in: StandIn) -> None:
    one = completer()
    assert [[row["completion"] for row in one(ROWS)] for _ in range(2)] == [TEXTS, TEXTS]
    assert len(stand_in.received) == 2 * len(ROWS)


@pytest.mark.parametrize(
    "options",
    [
        {"rate_share": 0},
        {"rate_share": 1.5},
        {"requests_per_minute": 0},
        {"requests_per_minute": float("inf")},
        {"concurrency": 0},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Completer(**options)


def test_it_shows_no_settings() -> None:
    one = Completer(client={"api_key": "sk-ant-secret"})
    assert "secret" not in repr(one)
    assert repr(one) == "Completer(id_column='id', prompt_column='prompt', concurrency=8)"
