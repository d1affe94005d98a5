"""`Completer`: rows in, the same rows with completions out, for engines that run on many machines."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from ._result import checked_concurrency
from ._threads import complete_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._client.clients import Anthropic
    from .._http.call import Clock
    from ._result import Result

COLUMNS = ("completion", "stop_reason", "model", "request_id", "error", "error_type")


class Completer:
    """Completes the prompts in batches of rows. It can be pickled, and makes its client where it runs.

    It works unchanged as a class for Ray Data's `map_batches`, and as a function for Spark's `mapInPandas`
    and Dask's `map_partitions`. A batch of rows is a pandas DataFrame, a pyarrow Table, a mapping of columns,
    a list of mappings, or an iterator of such batches; what comes back is of the same kind, with the columns
    `completion`, `stop_reason`, `model`, `request_id`, `error` and `error_type` besides, all of them text.

    A request that fails has None as `completion` and is told in `error` and `error_type`: it fails no
    partition. Half of a surrogate pair in a text, which UTF-8 does not have, is written as an escape,
    `\\ud83d`. A batch that is given again, as after a worker was lost, is completed again: of rows nothing is
    kept between batches. The copies of one completer in a process, such as an engine makes for each task,
    share a client and a pace; what has not been used for 10 minutes is closed when others begin.

    Args:
        client: Settings of `Anthropic`. They are in its pickle, so the key is best left to ANTHROPIC_API_KEY
            where it runs.
        concurrency: The most calls at a time for each batch, 1 or more.
        id_column: The column with what names a row.
        prompt_column: The column with the prompts, ready transcripts.
        requests_per_minute: The rate of all copies together; None for the service's own pace, see
            `complete_many`.
        rate_share: The share of that rate that each process takes, above 0 and up to 1: one divided by the
            number of processes that complete at a time.
        **arguments: Arguments of `create` for every call.

    Raises:
        TypeError, ValueError: An argument is wrong.
    """

    def __init__(
        self,
        *,
        client: Mapping[str, Any] | None = None,
        concurrency: int = 8,
        id_column: str = "id",
        prompt_column: str = "prompt",
        requests_per_minute: float | None = None,
        rate_share: float = 1.0,
        **arguments: object,
    ) -> None:
        if not 0 < rate_share <= 1:
            raise ValueError(f"rate_share: expected a share above 0 and up to 1, got {rate_share!r}")
        if requests_per_minute is not None and not 0 < requests_per_minute < float("inf"):
            raise ValueError(f"requests_per_minute: expected a rate above 0, got {requests_per_minute!r}")
        self._settings = dict(client or {})
        self._concurrency = checked_concurrency(concurrency)
        self._id_column, self._prompt_column = id_column, prompt_column
        self._rate = None if requests_per_minute is None else requests_per_minute * rate_share
        self._arguments = arguments
        self._name = secrets.token_hex(8)

    def __setstate__(self, state: Mapping[str, object]) -> None:
        vars(self).update(state)
        self.__dict__.setdefault("_name", secrets.token_hex(8))  # of a version whose copies shared nothing

    def __repr__(self) -> str:
        columns = f"id_column={self._id_column!r}, prompt_column={self._prompt_column!r}"
        return f"{type(self).__name__}({columns}, concurrency={self._concurrency})"

    def __call__(self, rows: Any) -> Any:
        """Return the rows with their completions.

        Args:
            rows: A batch of rows, or an iterator of such batches.

        Raises:
            TypeError: It is neither.
            ValueError: It lacks the column with the ids or the prompts, or has one of those that are added.
        """
        if isinstance(rows, Iterator):
            return map(self, rows)
        if isinstance(rows, list):
            return self._completed_rows(rows)
        columns = _columns_of(rows)
        ids, prompts = self._of(columns)
        return _with_columns(rows, self._added(ids, prompts))

    def _completed_rows(self, rows: list[Mapping[str, object]]) -> list[dict[str, object]]:
        if not rows:
            return []
        names = {name for row in rows for name in row}
        ids, prompts = self._of({name: [row.get(name) for row in rows] for name in names})
        added = self._added(ids, prompts)
        return [
            {**row, **{name: values[place] for name, values in added.items()}}
            for place, row in enumerate(rows)
        ]

    def _of(self, columns: Mapping[str, object]) -> tuple[list[object], list[object]]:
        for name in (self._id_column, self._prompt_column):
            if name not in columns:
                raise ValueError(f"rows: expected a column {name!r}, got {', '.join(map(repr, columns))}")
        if twice := [name for name in COLUMNS if name in columns]:
            raise ValueError(f"rows: expected no column {twice[0]!r}, as it is added; rename it")
        return _values(columns[self._id_column]), _values(columns[self._prompt_column])

    def _added(self, ids: list[object], prompts: list[object]) -> dict[str, list[str | None]]:
        added: dict[str, list[str | None]] = {name: [None] * len(ids) for name in COLUMNS}
        # By their places: an engine may have the same id twice, and that is not ours to judge.
        requests = ({"id": place, "prompt": prompt} for place, prompt in enumerate(prompts))
        with _shared(self._name) as shared:
            client = shared.ready(self._client)
            paced = self._paced(requests, client._clock, shared)
            for result in complete_many(client, paced, concurrency=self._concurrency, **self._arguments):
                for name, value in _cells(result).items():
                    added[name][result.id] = None if value is None else _encodable(value)
        return added

    def _client(self) -> Anthropic:
        from .._client.clients import Anthropic

        return Anthropic(**self._settings)

    def _paced(
        self, requests: Iterable[dict[str, object]], clock: Clock, shared: _Shared
    ) -> Iterator[dict[str, object]]:
        """Yield requests no faster than the rate allows, over all batches of this process."""
        for request in requests:
            if self._rate is not None:
                with shared.lock:
                    now = clock.monotonic()
                    wait = max(0.0, shared.next_at - now)
                    shared.next_at = max(now, shared.next_at) + 60.0 / self._rate
                if wait:
                    clock.sleep(wait)
            yield request


class _Shared:
    """What the copies of a completer share in a process.

    Attributes:
        client: What they complete with; None until the first batch.
        next_at: When the next call may begin, by the client's clock.
        batches: How many are under way.
        used_at: When the last one ended, by the client's clock.
    """

    def __init__(self) -> None:
        self.client: Anthropic | None = None
        self.next_at = self.used_at = 0.0
        self.batches = 0
        self.lock = threading.Lock()

    def ready(self, make: Callable[[], Anthropic]) -> Anthropic:
        """Return the client, which the first call makes."""
        with self.lock:
            if self.client is None:
                self.client = make()
            return self.client

    def is_idle(self) -> bool:
        """Whether nothing is lost with it: no batch has come for long, and the next call may begin."""
        if self.batches:
            return False
        return self.client is None or self._now() > max(self.next_at, self.used_at + _IDLE_SECONDS)

    def ended(self) -> None:
        """Note the end of a batch."""
        self.batches -= 1
        self.used_at = self._now()

    def _now(self) -> float:
        return 0.0 if self.client is None else self.client._clock.monotonic()


_LOCK = threading.Lock()
_SHARED: dict[tuple[str, int], _Shared] = {}
# Between the tasks of an engine no copy may be there.
_IDLE_SECONDS = 600.0


@contextmanager
def _shared(name: str) -> Iterator[_Shared]:
    """Give what is shared under a name for a batch, and close what others left.

    A process that was forked does not have its parent's.
    """
    with _LOCK:
        left = [key for key, one in _SHARED.items() if one.is_idle()]
        clients = [_SHARED.pop(key).client for key in left if key != (name, os.getpid())]
        shared = _SHARED.setdefault((name, os.getpid()), _Shared())
        shared.batches += 1
    for client in clients:
        if client is not None:
            client.close()
    try:
        yield shared
    finally:
        with _LOCK:
            shared.ended()


def _cells(result: Result) -> dict[str, str | None]:
    if result.completion is not None:
        completion = result.completion
        return {
            "completion": completion.completion,
            "stop_reason": completion.stop_reason,
            "model": completion.model,
            "request_id": completion._request_id,
        }
    error = result.error
    kind = getattr(error, "type", None) or type(error).__name__
    return {"error": str(error) or kind, "error_type": kind, "request_id": getattr(error, "request_id", None)}


def _encodable(text: str) -> str:
    """Return text that UTF-8 has, as Arrow's is: half of a surrogate pair is written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _columns_of(rows: object) -> Mapping[str, object]:
    """Return the columns of a batch by name."""
    if isinstance(rows, Mapping):
        return rows
    names = getattr(rows, "column_names", None)  # of pyarrow
    if names is None:
        names = getattr(rows, "columns", None)  # of pandas
    if names is None:
        raise TypeError(
            "rows: expected a DataFrame, a Table, a mapping of columns, a list of mappings or an iterator of "
            f"these, got a value of type {type(rows).__name__}"
        )
    return {str(name): cast("Mapping[object, object]", rows)[name] for name in names}


def _values(column: object) -> list[object]:
    for method in ("to_pylist", "tolist"):
        if hasattr(column, method):
            values: list[object] = getattr(column, method)()
            return values
    return list(cast("Iterable[object]", column))


def _with_columns(rows: Any, added: Mapping[str, list[str | None]]) -> Any:
    if isinstance(rows, Mapping):
        kind = type(next(iter(rows.values()), None)).__module__.partition(".")[0]
        if kind != "numpy":
            return {**rows, **added}
        import numpy  # pyright: ignore[reportMissingImports] - the engine has it

        return {**rows, **{name: numpy.array(values, dtype=object) for name, values in added.items()}}
    if hasattr(rows, "append_column"):
        import pyarrow

        for name, values in added.items():
            rows = rows.append_column(name, pyarrow.array(values, pyarrow.string()))
        return rows
    import pandas  # pyright: ignore[reportMissingImports] - the engine has it

    columns = {name: pandas.Series(values, index=rows.index, dtype=object) for name, values in added.items()}
    return rows.assign(**columns)
