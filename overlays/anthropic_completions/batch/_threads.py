"""`complete_many`: calls in threads."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from ._pace import paced
from ._result import Result, check_environment, checked_concurrency, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._client.clients import Anthropic


def complete_many(
    client: Anthropic, requests: Iterable[Mapping[str, object]], *, concurrency: int = 8, **arguments: object
) -> Iterator[Result]:
    """Complete many prompts, and yield the results as they come, in any order.

    All calls wait while the service asks one of them to (`retry-after`), and while the rate-limit headers
    say that nothing is left, until the time of the reset; at most `client.max_retry_after` seconds at once.

    Args:
        client: What to call with, in threads; its settings, such as `max_retries`, hold.
        requests: The arguments of `create` for each call, and an `id` of any kind to know the result by.
            They are taken in the caller's thread. An error that this raises is raised after the results of
            the calls under way.
        concurrency: The most calls at a time, 1 or more.
        **arguments: Arguments of every call; those of a request override them.

    Returns:
        The results. Leaving the loop begins no further calls; those under way end by themselves, unseen.

    Raises:
        TypeError, ValueError: `concurrency` is no number of calls, or the environment names certificates or
            proxies that cannot be used.
    """
    return _complete_many(client, iter(requests), checked_concurrency(concurrency), arguments)


def _complete_many(
    client: Anthropic, source: Iterator[Mapping[str, object]], concurrency: int, common: Mapping[str, object]
) -> Iterator[Result]:
    todo: queue.SimpleQueue[Mapping[str, object] | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
    check_environment(client)
    paced_client, _ = paced(client)
    now = client._clock.monotonic
    failure: Exception | None = None
    threads = under_way = 0

    def work() -> None:
        while (request := todo.get()) is not None:
            result: Result | BaseException
            began = now()
            try:
                completion = paced_client.completions.create(**merged(common, request))
                result = Result(request, completion, seconds=now() - began)
            except Exception as error:  # noqa: BLE001 - it is the result
                result = Result(request, error=error, seconds=now() - began)
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
                result = error
            done.put(result)

    try:
        while True:
            while under_way < concurrency:
                try:
                    request = next(source, None)
                except Exception as error:  # noqa: BLE001 - raised below
                    request, failure = None, error
                if request is None:
                    source = iter(())
                    break
                if threads == under_way:
                    threading.Thread(target=work, daemon=True, name="complete_many").start()
                    threads += 1
                todo.put(request)
                under_way += 1
                if not done.empty():
                    break
            if not under_way:
                break
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
            under_way -= 1
    finally:
        for _ in range(threads):
            todo.put(None)
    if failure is not None:
        raise failure
