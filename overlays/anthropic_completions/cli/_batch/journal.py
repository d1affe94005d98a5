"""The journal of submitted Message Batches, from which a run that was killed resumes.

In a directory beside the results: `journal.jsonl`, to which each event is appended and synced before the next
step, and a file for each part, with its requests and what is needed to read their replies.
"""

from __future__ import annotations

import json
import os
import shutil
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, TypedDict, cast

from ..._http.failures import parse_json
from ...batch._service.handle import Packing
from ...batch._service.items import Context, Item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..._contract.schema import JSONObject
    from .requests import Asked

# Smaller parts than the service allows: their bodies are in memory while they are sent.
MOST_REQUESTS = 10_000
MOST_BYTES = 30 * 1000 * 1000


class Kept(TypedDict):
    """A request in the file of its part, with what is needed to read its reply."""

    id: str | int
    fingerprint: str
    row: JSONObject
    context: Context
    params: JSONObject


class _Event(TypedDict):
    """A line of the journal, with those fields that its kind of event has."""

    part: int
    event: str
    nonce: str
    count: int
    betas: str | None
    after: str | None
    batch: str


@dataclass
class Part:
    """Requests that are, or shall be, one batch.

    Attributes:
        file: The file of its requests.
        nonce: What the names of its requests begin with.
        count: How many there are.
        betas: The header that names beta features.
        after: The newest batch before it was sent; None where there was none.
        posted: Whether it may have been sent.
        batch_id: The batch that it is.
        others: Batches that were taken for it and are not.
    """

    number: int
    file: Path
    nonce: str
    count: int
    betas: str | None
    after: str | None = None
    posted: bool = False
    batch_id: str | None = None
    others: set[str] = field(default_factory=set)

    def ids(self) -> Iterator[tuple[str | int, str]]:
        """Yield ids and fingerprints of its requests."""
        for kept in self._kept():
            yield kept["id"], kept["fingerprint"]

    def body(self) -> bytes:
        """Return the body of the batch."""
        packing = Packing(nonce=self.nonce)
        for kept in self._kept():
            packing.add(Item(kept["params"], self.betas, kept["context"]))
        return packing.body()

    def _kept(self) -> Iterator[Kept]:
        with self.file.open("rb") as file:
            for line in file:
                yield _read(line)


class Places:
    """Gives the requests of a part by their places, reading only where each begins.

    Args:
        part: The part.
    """

    def __init__(self, part: Part) -> None:
        self._file: BinaryIO = part.file.open("rb")
        self._offsets = array("Q", [0])
        for line in self._file:
            self._offsets.append(self._offsets[-1] + len(line))

    def __getitem__(self, place: int) -> Kept:
        self._file.seek(self._offsets[place])
        return _read(self._file.readline())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Journal:
    """The parts that were planned and whose results are not all here.

    Args:
        target: The file of results; whoever has it open may use the journal.

    Attributes:
        parts: The parts, in order.
    """

    def __init__(self, target: Path) -> None:
        self.folder = folder_of(target)
        self.parts: dict[int, Part] = {}
        self._file = self.folder / "journal.jsonl"
        self._last = 0
        if self._file.exists():
            self._load()

    def plan(self, asked: list[tuple[Asked, Item]]) -> Part:
        """Keep a new part before anything of it is sent, and return it."""
        self.folder.mkdir(exist_ok=True)
        self._last += 1
        packing = Packing()
        part = Part(self._last, self._place(self._last), packing.nonce, len(asked), asked[0][1].betas)
        with part.file.open("wb") as file:
            for request, item in asked:
                kept: Kept = {
                    "id": request.id,
                    "fingerprint": request.fingerprint,
                    "row": request.row,
                    "context": item.context,
                    "params": item.params,
                }
                file.write(json.dumps(kept, separators=(",", ":")).encode() + b"\n")
            _sync(file.fileno())
        self._write(part, "planned", nonce=part.nonce, count=part.count, betas=part.betas)
        self.parts[part.number] = part
        return part

    def posting(self, part: Part) -> None:
        """Note that a part is about to be sent."""
        self._write(part, "posting", after=part.after)
        part.posted = True

    def refused(self, part: Part) -> None:
        """Note that the service did not take a part."""
        self._write(part, "refused")
        part.posted = False

    def submitted(self, part: Part, batch_id: str) -> None:
        """Note which batch a part is."""
        self._write(part, "submitted", batch=batch_id)
        part.batch_id = batch_id

    def disowned(self, part: Part) -> None:
        """Note that a batch was taken for a part and is not."""
        self._write(part, "disowned", batch=part.batch_id)
        part.others.add(str(part.batch_id))
        part.batch_id = None

    def collected(self, part: Part) -> None:
        """Note that all results of a part are in the file, or that it is given up; forget it."""
        self._write(part, "collected")
        del self.parts[part.number]
        part.file.unlink(missing_ok=True)
        if not self.parts:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._last = 0

    def _place(self, number: int) -> Path:
        return self.folder / f"part-{number:05}.jsonl"

    def _write(self, part: Part, event: str, **more: object) -> None:
        line = json.dumps({"part": part.number, "event": event, **more}).encode() + b"\n"
        fd = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(fd, line)
            _sync(fd)
        finally:
            os.close(fd)

    def _load(self) -> None:
        content = self._file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # an event that was being written: what it tells of had not begun
            os.truncate(self._file, len(whole))
        for line in whole.splitlines():
            self._apply(json.loads(line.strip(b"\0") or b"{}"))
        for file in self.folder.glob("part-*.jsonl"):
            if file not in {part.file for part in self.parts.values()}:
                file.unlink()

    def _apply(self, event: _Event) -> None:
        number, kind = event.get("part", 0), event.get("event")
        self._last = max(self._last, number)
        if kind == "planned":
            file, betas = self._place(number), event["betas"]
            self.parts[number] = Part(number, file, event["nonce"], event["count"], betas)
            return
        part = self.parts.get(number)
        if part is None:
            return
        if kind == "posting":
            part.posted, part.after = True, event["after"]
        elif kind == "refused":
            part.posted = False
        elif kind == "submitted":
            part.batch_id = event["batch"]
        elif kind == "disowned":
            part.others.add(event["batch"])
            part.batch_id = None
        elif kind == "collected":
            del self.parts[number]


def _read(line: bytes) -> Kept:
    kept = cast("Kept", parse_json(line))
    kept["context"] = Context(*kept["context"])
    return kept


def folder_of(target: Path) -> Path:
    """Return where the journal of a file of results is."""
    target = target.resolve()
    return target.with_name(f"{target.name}.batches")


def _sync(fd: int) -> None:
    with suppress(OSError):
        os.fsync(fd)
