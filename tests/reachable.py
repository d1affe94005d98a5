"""What can be reached from an object, for tests of what it must not hold."""

import traceback
import types
from collections.abc import Iterable, Iterator


def texts(value: object, seen: set[int] | None = None) -> Iterator[str]:
    """Yield every text that can be reached from a value by attributes, items, causes and contexts."""
    seen = set() if seen is None else seen
    skipped = type | types.FunctionType | types.MethodType | types.ModuleType | types.TracebackType
    if id(value) in seen or isinstance(value, skipped):
        return
    seen.add(id(value))
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield value.decode("latin-1")
    elif isinstance(value, dict):
        for pair in value.items():
            yield from texts(list(pair), seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from texts(item, seen)
    else:
        names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
        names += ["args", "__cause__", "__context__", "__notes__"] if isinstance(value, BaseException) else []
        for name in names:
            yield from texts(getattr(value, name, None), seen)
        yield repr(value)
        yield str(value)


def shown_locals(error: BaseException, *, besides: str = "") -> Iterator[str]:
    """Yield the local variables that reports of an error show, but for those of tests.

    Args:
        besides: The name of a function of a test that counts as well.
    """
    waiting = [traceback.TracebackException.from_exception(error, capture_locals=True)]
    while waiting:
        report = waiting.pop()
        for frame in report.stack:
            if "/tests/" not in frame.filename or frame.name == besides:
                yield from (frame.locals or {}).values()
        waiting += [led for led in (report.__cause__, report.__context__) if led is not None]


def assert_holds_none(secrets: Iterable[str], *values: object) -> None:
    """Fail where one of the secrets can be reached from one of the values."""
    for value in values:
        for text in texts(value):
            for secret in secrets:
                assert secret not in text
