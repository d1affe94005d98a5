"""Files of requests and of results."""

import json
from pathlib import Path
from typing import Any

from anthropic_completions.cli._batch.requests import Reading

COMMON: dict[str, Any] = {"model": "claude-2.1", "max_tokens_to_sample": 256}


def ask(source: Path, *requests: dict[str, Any]) -> None:
    """Write requests."""
    source.write_text("".join(json.dumps(request) + "\n" for request in requests), encoding="utf-8")


def ask_many(source: Path, count: int) -> None:
    """Write a number of requests."""
    ask(source, *({"id": f"q-{number}", "prompt": f"number {number}"} for number in range(count)))


def reading(source: Path) -> Reading:
    """Return how a file of JSON lines is read."""
    return Reading(source, "jsonl", COMMON)


def results(target: Path) -> list[dict[str, Any]]:
    """Return the results; every line must be whole."""
    text = target.read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def lines_of(path: Path) -> int:
    """Return the number of lines of a file that may be missing."""
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0
