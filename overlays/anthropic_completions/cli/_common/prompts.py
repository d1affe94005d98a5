"""Prompts as commands take them: plain text, ready transcripts, files of requests."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Literal

import click

from .telling import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeVar

    from ..._contract.schema import JSONObject

    F = TypeVar("F", bound=Callable[..., object])

Form = Literal["plain", "transcript"]

# What begins a line as a turn does, whatever stands before it.
_MEANT = re.compile(r"(?:\A|[\n\r])([ \t]*)(Human|Assistant):")
_WAYS_OUT = "--plain asks it as a question, --transcript takes it as it is"


def prompt_options(function: F) -> F:
    """Add the options that say how to take the prompt; their names are the arguments of `as_prompt`."""
    for option in (
        click.option(
            "--transcript", "form", flag_value="transcript", help="Take the prompt as a transcript, as it is."
        ),
        click.option("--plain", "form", flag_value="plain", help="Ask the prompt as a question, as it is."),
        click.option("--system", metavar="TEXT", help="Text before the first turn."),
    ):
        function = option(function)
    return function


def as_prompt(text: str, form: Form | None = None, system: str | None = None) -> str:
    """Return a ready transcript as it is, and other text as a human's question.

    Args:
        text: The text.
        form: What it is; None for what it looks like. A transcript is what the service would take: turns that
            begin with `Human:` and `Assistant:` after blank lines, the last being the assistant's.
        system: Text to put before the first turn; None for none.

    Raises:
        ValueError: It was meant as a transcript, but is none; the position is told. Or the transcript has
            text before its first turn already.
    """
    from ...prompts import HUMAN_PROMPT, Prompt, parse, validate

    if not is_transcript(text, form):
        prompt = Prompt() if system is None else Prompt().system(system)
        return str(prompt.human(text, allow_markers=True))
    if system is None:
        return text
    ready = validate(text).sanitised
    if parse(ready).system.strip() or not ready.lstrip().startswith(HUMAN_PROMPT.lstrip()):
        raise ValueError("system: the transcript has text before its first turn already")
    return f"{system}{HUMAN_PROMPT}{ready.partition(HUMAN_PROMPT)[2]}"


def is_transcript(text: str, form: Form | None = None) -> bool:
    """Tell whether a text is a transcript, see `as_prompt`.

    Raises:
        ValueError: It was meant as one, but is none.
    """
    from ...prompts import validate

    if form is not None:
        return form == "transcript"
    verdict = validate(text)
    if verdict:
        return True
    marks = list(_MEANT.finditer(text))
    for mark in marks:
        if reason := _why_no_turn(text, mark):
            at = mark.start(2)
            raise ValueError(
                f"prompt: {mark[2]}: at position {at} of {len(text)} begins no turn, as {reason}; {_WAYS_OUT}"
            )
    if marks:
        raise ValueError(f"{verdict.message} (at position {verdict.position} of {len(text)}); {_WAYS_OUT}")
    return False


def _why_no_turn(text: str, mark: re.Match[str]) -> str:
    """Return why what looks like the beginning of a turn is none; empty where it is one."""
    before = text[: mark.start(1)]
    if "\r" in before[-2:]:
        return "the line ends are CRLF and not LF"
    if mark[1]:
        return "it is indented"
    if not before and mark[2] == "Human":  # where the service adds the blank line
        return ""
    return "" if before.endswith("\n\n") else "no blank line stands before it"


def read_prompt(prompt: str | None) -> str:
    """Return an argument; without it, or for `-`, standard input but for a newline at its end."""
    if prompt is None or prompt == "-":
        if is_terminal(sys.stdin):
            if prompt is None:
                raise click.UsageError("Missing argument 'PROMPT'; - reads it from standard input.")
            click.echo("Reading the prompt; end it with Ctrl-D.", err=True)
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError as error:
            raise click.UsageError(f"Standard input is not UTF-8: {error}") from None
        prompt = text.removesuffix("\n").removesuffix("\r")
    if not prompt:
        raise click.UsageError("The prompt is empty.")
    return prompt


def objects_in(
    source: Path, form: Form | None = None, system: str | None = None
) -> Iterator[tuple[int, JSONObject]]:
    """Yield the JSON objects of a file with the numbers of their lines; blank lines are skipped.

    What each has as `prompt` is made a transcript.

    Args:
        source: The file.
        form, system: As for `as_prompt`.

    Raises:
        ValueError: A line is no object, or its prompt no transcript though meant as one; the line is told.
    """
    from ..._http.failures import parse_json

    with source.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found = parse_json(line)
            except ValueError as error:
                raise ValueError(f"{source}:{number}: this is no JSON: {error}") from None
            if not isinstance(found, dict):
                raise ValueError(f"{source}:{number}: expected an object, got {type(found).__name__}")
            if isinstance(found.get("prompt"), str) and found["prompt"]:
                try:
                    found["prompt"] = as_prompt(found["prompt"], form, system)
                except ValueError as error:
                    raise ValueError(f"{source}:{number}: {error}") from None
            yield number, found
