"""The file of results: JSON lines, each appended whole, so that a killed run tears none but the last."""

from __future__ import annotations

import json
import math
import os
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Required, TypedDict, cast

from filelock import FileLock, Timeout

from ..._http.failures import parse_json
from .tally import Causes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from ..._contract.schema import JSONObject

_SYNC_SECONDS = 1.0
_OUTCOMES = {"completion", "error"}
_START = b'{"id":'
# Of a fingerprint, and of those that earlier versions kept, which begin alike.
_DIGITS, _DIGITS_BEFORE = 24, 16


class ResultLine(TypedDict, total=False):
    """A line of the file: what became of a request.

    Attributes:
        id: The request's id.
        fingerprint: What tells the request from others; lines of earlier versions have none.
        request_id: What names the exchange at Anthropic.
        at: When it was done, in ISO 8601.
        seconds: How long the call took.
        row: The fields that go through to the result.
        completion: The completion's fields. Either this is there or `error`.
        error: What is told of an error.
    """

    id: Required[str | int]
    fingerprint: str
    request_id: str | None
    at: str
    seconds: float
    row: JSONObject
    completion: JSONObject
    error: JSONObject


class OtherRequestsError(ValueError):
    """A file holds results of requests that have the same ids and say something else."""


class ResultsFile:
    """The results of a batch, a JSON object in each line, with the `id` of a request.

    A line is appended in one write. A process that is killed leaves at most one torn line, the last, which
    is removed when the file is opened the next time. While it is open no other process can open it: a lock
    is held on a hidden file beside it, which stays there.

    Args:
        path: The file; it is made where there is none.
        retry: The ids whose results are removed where they are errors, so that they can be tried again.
        fingerprints: Those of the requests by their ids, with which the results have to go together; None
            where that is not looked at.

    Attributes:
        done: The ids of the results in the file when it was opened.
        causes: Why some of them are errors.
        unmarked: How many are of an earlier version, which kept none or less of a fingerprint.

    Raises:
        OSError: It cannot be opened, or another process has it open.
        OtherRequestsError: The fingerprints do not go together; the file was not changed.
        ValueError: It holds something else than results.
    """

    def __init__(
        self,
        path: Path,
        *,
        retry: Collection[str | int] = (),
        fingerprints: Mapping[str | int, int] | None = None,
    ) -> None:
        self._path = path = path.resolve()  # a link stays one
        self._lock = _locked(path)
        self._fd = -1
        self._synced_at = time.monotonic()
        self.done: set[str | int] = set()
        self.causes = Causes()
        self.unmarked = 0
        try:
            self._fd = _open(path)
            self._load(fingerprints or {}, retry)
            if retry and self.causes.total:
                self._drop_failed(retry)
        except BaseException:
            self._close()
            raise

    def append(self, result: ResultLine) -> None:
        """Add a result: the whole line in one write, or nothing.

        Raises:
            OSError: It could not be written; the file is as before.
        """
        _write_whole(self._fd, encoded(result) + b"\n", self._path)
        if time.monotonic() - self._synced_at >= _SYNC_SECONDS:
            os.fsync(self._fd)
            self._synced_at = time.monotonic()

    def sync(self) -> None:
        """Have all results on the disk."""
        with suppress(OSError):  # such as of a pipe, which cannot be synced
            os.fsync(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.sync()
        self._close()

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._lock.release()

    def _load(self, fingerprints: Mapping[str | int, int], retry: Collection[str | int]) -> None:
        """Read the ids, and mend the end: remove a torn line, end one that lacks only its newline."""
        whole, last = 0, b"\n"
        others = Others(self._path)
        for line, result in self._lines():
            if result is None:
                break
            whole, last = whole + len(line), line
            self._note(result)
            identifier = result["id"]
            if identifier not in fingerprints or ("error" in result and identifier in retry):
                continue
            self.unmarked += len(result.get("fingerprint") or "") != _DIGITS
            others.look(identifier, result.get("fingerprint"), fingerprints)
        others.check()
        if whole < os.fstat(self._fd).st_size:
            os.ftruncate(self._fd, whole)
        if not last.endswith(b"\n"):
            os.write(self._fd, b"\n")

    def _note(self, result: ResultLine) -> None:
        self.done.add(result["id"])
        if "error" in result:
            self.causes.add(result["error"])

    def _lines(self) -> Iterator[tuple[bytes, ResultLine | None]]:
        """Yield the lines and the results that they are; None for a last one that is torn."""
        with self._path.open("rb") as file:
            for number, read in enumerate(file, 1):
                # A machine that lost power may leave zeros where the last lines would have come.
                line = read if read.endswith(b"\n") else read.rstrip(b"\0")
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
        try:
            beside.chmod(stat.S_IMODE(os.fstat(self._fd).st_mode))
            self.done.clear()
            self.causes = Causes()
            for line, result in self._lines():
                if result is not None and ("error" not in result or result["id"] not in ids):
                    self._note(result)
                    _write_whole(new, line, beside)
            os.fsync(new)
            # Windows replaces no file that is open.
            os.close(new)
            new = -1
            os.close(self._fd)
            self._fd = -1
            beside.replace(self._path)
        except BaseException:
            if new >= 0:
                os.close(new)
            beside.unlink(missing_ok=True)
            raise
        self._fd = _open(self._path)


def _locked(path: Path) -> FileLock:
    """Take the lock of a file of results, until it is released or the process ends.

    It is not the file's own: that would have to change hands when the file is replaced, and on Windows it
    would keep others from reading the results.
    """
    path.parent.stat()  # or the lock would make the folder
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise OSError(f"{path}: another run is writing to it") from None
    return lock


def _open(path: Path) -> int:
    """Open a file for appending, as bytes."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o666)


def _write_whole(fd: int, line: bytes, path: Path) -> None:
    """Append a line in one write, or nothing.

    Raises:
        OSError: There is no room for it in the file, which is as before.
    """
    written = os.write(fd, line)
    if written != len(line):
        os.ftruncate(fd, os.fstat(fd).st_size - written)
        raise OSError(f"{path}: no room for another result")


def _result(line: bytes) -> ResultLine | None:
    """Return the result that a line is, or None."""
    try:
        value = parse_json(line)
    except ValueError:
        return None
    if isinstance(value, dict) and isinstance(value.get("id"), str | int) and value.keys() & _OUTCOMES:
        return cast("ResultLine", value)
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


def encoded(result: Mapping[str, object]) -> bytes:
    """Return a result as a line of JSON that can be read again, whatever the service sent.

    Half of a surrogate pair, which UTF-8 does not have, is escaped; a number beyond what a double holds is
    written as one (`1e999`). What JSON cannot hold at all is replaced by an error that says so.
    """
    with suppress(ValueError, RecursionError):
        return json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    mark = f"number-{secrets.token_hex(8)}"
    try:
        text = json.dumps(_without_infinity(result, mark), allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        told = {"class": type(error).__name__, "message": f"The reply cannot be written as JSON: {error}"}
        text = json.dumps({"id": result["id"], "error": told}, separators=(",", ":"))
    return text.replace(f'"-{mark}"', "-1e999").replace(f'"{mark}"', "1e999").encode()


def _without_infinity(value: object, mark: str) -> object:
    if isinstance(value, dict):
        return {name: _without_infinity(inner, mark) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_infinity(inner, mark) for inner in value]
    if isinstance(value, float) and math.isinf(value):
        return mark if value > 0 else f"-{mark}"
    return value


class Others:
    """Finds results of other requests with the same ids.

    Args:
        path: Where the results are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: list[str | int] = []
        self._asked_alike = True

    def look(self, identifier: str | int, found: str | None, fingerprints: Mapping[str | int, int]) -> None:
        """Look at the fingerprint of a result; None for one that has none."""
        wanted = fingerprints.get(identifier)
        if wanted is None or found is None:
            return
        digits = f"{wanted:0{_DIGITS}x}"
        if found not in (digits, digits[:_DIGITS_BEFORE]):
            self._ids.append(identifier)
            self._asked_alike = self._asked_alike and found[:_DIGITS_BEFORE] == digits[:_DIGITS_BEFORE]

    def check(self) -> None:
        """Refuse what was found.

        Raises:
            OtherRequestsError: There are results of other requests.
        """
        if not self._ids:
            return
        named = ", ".join(map(repr, self._ids[:3]))
        named += f" and {len(self._ids) - 3} more" if len(self._ids) > 3 else ""
        what = (
            "requests that were sent in another way: --backend, --map, --prefill, --thinking-room or the "
            "environment says otherwise now"
            if self._asked_alike
            else "other requests, whose prompt, model or settings differ"
        )
        raise OtherRequestsError(
            f"{self._path}: holds results of {named} for {what}; name another OUT file, or skip them all the "
            "same with --force-skip"
        )


def ids_in(
    path: Path, fingerprints: Mapping[str | int, int], *, retry: Collection[str | int] = ()
) -> set[str | int]:
    """Return the ids that a `ResultsFile` would have done; the file may be missing, and is not changed.

    Raises:
        OtherRequestsError: As of `ResultsFile`.
    """
    ids: set[str | int] = set()
    others = Others(path)
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                found = _result(line.rstrip(b"\0"))
                if found is None or ("error" in found and found["id"] in retry):
                    continue
                ids.add(found["id"])
                others.look(found["id"], found.get("fingerprint"), fingerprints)
    others.check()
    return ids
