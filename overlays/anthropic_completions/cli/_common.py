"""Options, exit codes and messages that several commands have."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeVar

    from click.shell_completion import CompletionItem

    F = TypeVar("F", bound=Callable[..., Any])

FAILED = 1
WRONG = 2
INTERRUPTED = 130

# But newline and tab.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_KNOWN = "#/components/schemas/Known"


def examples(*commands: str) -> str:
    """Return the part of a help text that shows commands."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def harmless(text: str) -> str:
    """Return text without what would steer a terminal; newlines and tabs do not."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def tell(message: str) -> None:
    """Tell something on one line of standard error."""
    click.echo(harmless(" ".join(message.split())), err=True)


def fail(message: str, code: int = FAILED) -> int:
    """Tell on one line what went wrong, and return the exit code for it."""
    tell(f"Error: {message}")
    return code


def described(error: Exception) -> str:
    """Return an error in few words: the service's own where it gave some."""
    from .._errors import APIStatusError

    if isinstance(error, APIStatusError) and isinstance(error.body, dict):
        detail = error.body.get("error")
        if isinstance(detail, dict) and isinstance(detail.get("message"), str):
            request_id = f" (request id: {error.request_id})" if error.request_id else ""
            return f"{error.status_code} {error.type}: {detail['message']}{request_id}"
    return str(error) or type(error).__name__


def as_prompt(text: str) -> str:
    """Return a ready transcript as it is, and other text as a human's question.

    A transcript has turns of both: it begins with `Human:` or holds a line of that after a blank one, and it
    holds `Assistant:` after a blank line.
    """
    from ..prompts import AI_PROMPT, HUMAN_PROMPT

    if HUMAN_PROMPT in f"\n\n{text}" and AI_PROMPT in text:
        return text
    return f"{HUMAN_PROMPT} {text}{AI_PROMPT}"


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


def objects_in(source: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects of a file with the numbers of their lines; blank lines are skipped.

    What each has as `prompt` is made a transcript, see `as_prompt`.

    Raises:
        ValueError: A line is no object; the line is told.
    """
    from .._http.failures import parse_json

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
                found["prompt"] = as_prompt(found["prompt"])
            yield number, found


class _Known(click.ParamType[str]):
    """Any text; the shell completes the names that the contract lists."""

    name = "text"

    def __init__(self, what: str) -> None:
        self._what = what

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from .._contract.generated import component

        schema = component(_KNOWN + self._what)
        names = [
            *schema["enum"],
            *(name for name in schema.get("x-models", ()) if name not in schema["enum"]),
        ]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


MODEL = _Known("Model")

_MODEL_OPTION = click.option(
    "-m", "--model", type=MODEL, default="claude-2.1", show_default=True, help="The model."
)
_OTHER_OPTIONS = (
    click.option(
        "-n",
        "--max-tokens",
        type=click.IntRange(min=1),
        default=256,
        show_default=True,
        help="The most tokens to generate.",
    ),
    click.option("--stop", multiple=True, metavar="TEXT", help="Text that ends the completion; repeatable."),
    click.option("-t", "--temperature", type=click.FloatRange(0, 1), help="Randomness."),
    click.option(
        "--beta", multiple=True, type=_Known("Beta"), metavar="NAME", help="A beta feature; repeatable."
    ),
)


def request_options(function: F) -> F:
    """Add the options that say how to complete."""
    return _MODEL_OPTION(request_options_but_model(function))


def request_options_but_model(function: F) -> F:
    """Add the options that say how to complete, without that for the model."""
    for option in reversed(_OTHER_OPTIONS):
        function = option(function)
    return function


def arguments_of(
    max_tokens: int,
    stop: tuple[str, ...],
    temperature: float | None,
    beta: tuple[str, ...],
    model: str | None = None,
) -> dict[str, Any]:
    """Return the arguments of `create` that the options stand for."""
    arguments: dict[str, Any] = {"max_tokens_to_sample": max_tokens}
    if model is not None:
        arguments = {"model": model, **arguments}
    if stop:
        arguments["stop_sequences"] = [*stop]
    if temperature is not None:
        arguments["temperature"] = temperature
    if beta:
        arguments["betas"] = [*beta]
    return arguments


def is_terminal(stream: Any = None) -> bool:
    """Whether a stream, standard output if none is given, is a terminal."""
    return bool((stream or sys.stdout).isatty())
