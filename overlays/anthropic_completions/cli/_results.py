"""The file of results: lines of JSON, appended whole, safe to be killed at."""

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .._http.failures import parse_json

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_SYNC_SECONDS = 1.0
_OUTCOMES = {"completion", "error"}
_START = b'{"id":'


class ResultsFile:
    """The results of a batch, a JSON object in each line, with the `id` of a request.

    A line is appended in one write. A process that is killed leaves at most one torn line, the last, which
    is removed when the file is opened the next time. While it is open no other process can open it.

    Args:
        path: The file; it is made where there is none.
        retry: The ids whose results are removed where they are errors, so that they can be tried again.

    Attributes:
        done: The ids of the results in the file when it was opened.
        failed: How many of them are errors.

    Raises:
        OSError: It cannot be opened, or another process has it open.
        ValueError: It holds something else than results.
    """

    def __init__(self, path: Path, *, retry: Collection[str | int] = ()) -> None:
        self._path = path = path.resolve()  # a link stays one
        self._fd = _open(path)
        self._synced_at = time.monotonic()
        self.done: set[str | int] = set()
        self.failed = 0
        try:
            self._load()
            if retry and self.failed:
                self._drop_failed(retry)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, result: dict[str, Any]) -> None:
        """Add a result: the whole line in one write, or nothing.

        Raises:
            OSError: It could not be written; the file is as before.
        """
        line = json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._fd, line)
        if written != len(line):
            os.ftruncate(self._fd, os.fstat(self._fd).st_size - written)
            raise OSError(f"{self._path}: no room for another result")
        if time.monotonic() - self._synced_at >= _SYNC_SECONDS:
            os.fsync(self._fd)
            self._synced_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # such as a pipe, which cannot be synced
            os.fsync(self._fd)
        os.close(self._fd)

    def _load(self) -> None:
        """Read the ids, and mend the end: remove a torn line, end one that lacks only its newline."""
        whole, line = 0, b"\n"
        for line, result in self._lines():
            if result is None:
                os.ftruncate(self._fd, whole)
                return
            whole += len(line)
            self.done.add(result["id"])
            self.failed += "error" in result
        if not line.endswith(b"\n"):
            os.write(self._fd, b"\n")

    def _lines(self) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
        """Yield the lines and the results that they are; None for a last one that is torn."""
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                result = _result(line)
                if result is None and not _is_torn(line):
                    raise ValueError(f"{self._path}:{number}: this is no result; the file was not changed")
                yield line, result

    def _drop_failed(self, ids: Collection[str | int]) -> None:
        """Put a file without the errors of these ids in the place of this one, at once."""
        beside = self._path.with_name(f".{self._path.name}.new")
        with suppress(FileNotFoundError):
            beside.unlink()
        new = _open(beside)
        beside.chmod(stat.S_IMODE(os.fstat(self._fd).st_mode))
        self.done.clear()
        self.failed = 0
        for line, result in self._lines():
            if result is not None and ("error" not in result or result["id"] not in ids):
                self.done.add(result["id"])
                self.failed += "error" in result
                os.write(new, line)
        os.fsync(new)
        beside.replace(self._path)
        os.close(self._fd)
        self._fd = new


def _open(path: Path) -> int:
    """Open a file for appending and lock it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    if fcntl is not None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise OSError(f"{path}: another run is writing to it") from None
    return fd


def _result(line: bytes) -> dict[str, Any] | None:
    """Return the result that a line is, or None."""
    try:
        value = parse_json(line)
    except ValueError:
        return None
    if isinstance(value, dict) and isinstance(value.get("id"), str | int) and value.keys() & _OUTCOMES:
        return value
    return None


def _is_torn(line: bytes) -> bool:
    """Whether a line can be the beginning of one that was written here."""
    if line.endswith(b"\n"):
        return False
    try:
        parse_json(line)
    except ValueError:
        return line.startswith(_START) or _START.startswith(line)
    return False
