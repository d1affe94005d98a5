"""A stream may be used in every way in which the old one was, but for those that are listed."""

from collections.abc import Callable
from typing import Any

from compat.differences import USES
from compat.play import NEW, OLD, STREAM, Case, client_of, run
from compat.recorder import EVENTS, Recorder, Reply
from support import ARGUMENTS


def _texts(stream: Any) -> list[str]:
    return [chunk.completion for chunk in stream]


def _within(stream: Any) -> Any:
    with stream as entered:
        return entered is stream, _texts(stream), stream.response.is_closed


def _left(stream: Any) -> Any:
    for _ in stream:
        break
    return _texts(stream)


WAYS: dict[str, Callable[[Any], Any]] = {
    "a loop": _texts,
    "a loop over iter()": lambda s: _texts(iter(s)),
    "a loop twice": lambda s: (_texts(s), _texts(s)),
    "next(), then a loop": lambda s: (next(s).completion, _texts(s)),
    "next() to the end": lambda s: [
        next(s).completion,
        next(s).completion,
        next(s).completion,
        next(s, None),
    ],
    "next(iter()), then a loop": lambda s: (next(iter(s)).completion, _texts(s)),
    "a loop that was left, taken up again": _left,
    "zip": lambda s: [(number, chunk.completion) for number, chunk in zip(range(9), s, strict=False)],
    "a with block": _within,
    "close() twice": lambda s: (s.close(), s.close(), s.response.is_closed),
    "a loop after close()": lambda s: (s.close(), _texts(s)),
    "raw events": lambda s: [
        (event.event, event.data, event.id, event.retry) for event in type(s).raw_events(s.response)
    ],
}


def test_may_be_used_in_the_same_ways(recorder: Recorder) -> None:
    """Each way gives the same, and leaves the stream as much open or closed."""

    async def used(package: Any, way: Callable[[Any], Any]) -> dict[str, Any]:
        recorder.expect(Reply(STREAM, headers=EVENTS))
        async with client_of(package, recorder.url, Case("a stream"), "sync") as client:
            stream = client.completions.create(**ARGUMENTS, stream=True)
            try:
                return {"gives": way(stream)}
            except Exception as error:
                return {"raises": type(error).__name__}

    differ = {
        name for name, way in WAYS.items() if run("sync", used(OLD, way)) != run("sync", used(NEW, way))
    }
    assert differ == set(USES)
