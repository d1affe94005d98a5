"""Files of Message Batches for those who submit by themselves."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple

from ..._options import API_VERSION, BASE_URL
from ..._options.urls import base_url
from ...batch._service import steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import IO, Self

    from ..._contract.schema import JSONObject

IDS = "ids.jsonl"
# Documented; and each one once in a batch, which here holds for all files.
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_START, _BETWEEN, _END = b'{"requests":[\n', b",\n", b"\n]}\n"


class _File(NamedTuple):
    """A body of `POST /v1/messages/batches`."""

    name: str
    betas: str
    requests: int


class Bodies:
    """Writes requests into files, each the body of one Message Batch within the limits of the service.

    The files come into a new directory, with `ids.jsonl`, which tells the `custom_id` of each request: its
    own id where the service takes that, and otherwise the number of its line. The directory appears when all
    is written; where an error ends it before, nothing is left.

    Args:
        folder: The directory to make.
        url: Where they are submitted, in what is told.
        most_requests, most_bytes: The limits of a batch.

    Raises:
        ValueError: There is something in its place, or `url` is no URL that a client takes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        url: str = BASE_URL,
        most_requests: int = steps.MOST_REQUESTS,
        most_bytes: int = steps.MOST_BYTES,
    ) -> None:
        self._folder = folder
        self._url = base_url(url, "ANTHROPIC_BASE_URL")
        self._most_requests, self._most_bytes = most_requests, most_bytes
        self._files: list[_File] = []
        self._seen: set[str | int] = set()
        self._names: set[str] = set()
        self._file: IO[bytes] | None = None
        self._betas, self._count, self._size = "", 0, 0
        if folder.exists():
            raise ValueError(f"--output: expected the name of a new directory, got {folder}, which exists")
        self._beside = folder.with_name(f".{folder.name}.new")

    def __enter__(self) -> Self:
        shutil.rmtree(self._beside, ignore_errors=True)  # of a run that was killed
        self._beside.mkdir(parents=True)
        self._ids = (self._beside / IDS).open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with self._ids:
                self._end_file()
            if error is None:
                self._beside.rename(self._folder)
        finally:
            # Also where the last bytes find no room; it is gone where it was renamed.
            shutil.rmtree(self._beside, ignore_errors=True)

    def add(self, identifier: object, number: int, request: JSONObject) -> None:
        """Write one more request.

        Args:
            identifier: Its id; None for none.
            number: The number of its line.
            request: The Messages request, whose `betas` become a header of the whole batch.

        Raises:
            ValueError: Its id is none or is there already, or it is too large or no part of a batch.
        """
        if identifier is not None:
            if isinstance(identifier, bool) or not isinstance(identifier, str | int):
                raise ValueError(f"id: expected text or an integer, got {identifier!r}")
            if identifier in self._seen:
                raise ValueError(f"id: expected each one once, got {identifier!r} again")
            self._seen.add(identifier)
        if request.get("stream"):
            raise ValueError("stream: a batch does not stream")
        params = {name: value for name, value in request.items() if name not in ("betas", "stream")}
        listed = request.get("betas")
        betas = ",".join(map(str, listed)) if isinstance(listed, list) else ""
        name = self._name(identifier, number)
        piece = json.dumps({"custom_id": name, "params": params}, separators=(",", ":")).encode()
        size = len(piece) + len(_BETWEEN)
        around = len(_START) + len(_END)
        if size + around > self._most_bytes:
            raise ValueError(f"expected a request of at most {self._most_bytes} bytes, got {len(piece)}")
        full = self._count >= self._most_requests or self._size + size + around > self._most_bytes
        if self._file is not None and (full or betas != self._betas):
            self._end_file()
        if self._file is None:
            self._file = (self._beside / self._next_name()).open("wb")
            self._betas, self._count, self._size = betas, 0, 0
        self._file.write((_BETWEEN if self._count else _START) + piece)
        self._count, self._size = self._count + 1, self._size + size
        kept = {"custom_id": name, "id": identifier, "file": self._next_name()}
        self._ids.write(json.dumps(kept).encode() + b"\n")

    def told(self) -> Iterator[str]:
        """Yield in lines what was written, and how each file is submitted."""
        for file in self._files:
            requests = "1 request" if file.requests == 1 else f"{file.requests} requests"
            path = self._folder / file.name
            yield f"{path}: {requests}. To submit them:"
            headers = ["content-type: application/json", f"anthropic-version: {API_VERSION}"]
            headers += [f"anthropic-beta: {file.betas}"] if file.betas else []
            lines = [
                f"curl {shlex.quote(f'{self._url}/v1/messages/batches')}",
                '--header "x-api-key: $ANTHROPIC_API_KEY"',
                *(f"--header {shlex.quote(header)}" for header in headers),
                f"--data-binary {shlex.quote(f'@{path}')}",
            ]
            yield " \\\n  ".join(lines)
        yield f"{self._folder / IDS}: the custom_id of each id, with which the results come."

    def _name(self, identifier: object, number: int) -> str:
        """Return a name that the service takes, and that no other request has."""
        own = [str(identifier)] if _CUSTOM_ID.fullmatch(str(identifier)) and identifier is not None else []
        others = (f"line-{number}-{more}" for more in count(2))
        name = next(one for one in chain(own, [f"line-{number}"], others) if one not in self._names)
        self._names.add(name)
        return name

    def _next_name(self) -> str:
        return f"batch-{len(self._files) + 1:03}.json"

    def _end_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with file:
                file.write(_END)
            self._files.append(_File(self._next_name(), self._betas, self._count))
