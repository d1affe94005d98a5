"""`convert`: completion requests, as requests for messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._common import (
    FAILED,
    MODEL,
    arguments_of,
    as_prompt,
    examples,
    harmless,
    objects_in,
    read_prompt,
    request_options_but_model,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(
    "convert",
    epilog=examples(
        'anthropic-completions convert --model claude-opus-4-8 "How many toes do dogs have?"',
        "anthropic-completions convert --model claude-opus-4-8 --max-tokens 20 - < prompt.txt",
        "anthropic-completions convert --model claude-haiku-4-5 --file questions.jsonl",
    ),
)
@click.argument("prompt", required=False)
@click.option(
    "-f",
    "--file",
    "source",
    metavar="IN.jsonl",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of requests, one on each line, in place of PROMPT.",
)
@click.option("-m", "--model", type=MODEL, help="The model to ask; in place of any that the file names.")
@request_options_but_model
@click.option("--strict", is_flag=True, help="Exit with 1 where something is lost.")
def command(prompt: str | None, source: Path | None, model: str | None, strict: bool, **options: Any) -> int:
    """Print the Messages request that says what a completion request says, as JSON.

    PROMPT is plain text or a ready transcript, read from standard input without it, or with -. With --file
    each line is an object with a "prompt" and any other arguments, which go before the options; only --model
    goes before the file's. A line gives a line; one with an "id" gives {"id": …, "request": …}.

    What the request cannot say is told on standard error, a line each: field, value, what comes of it, and
    the rule in brackets. Nothing is sent.

    Exits with 0, also where something is lost, unless --strict is given; with 2 where a request cannot be
    converted, which ends the output before it.
    """
    from ..messages import to_messages_request

    if source is not None and prompt is not None:
        raise click.UsageError("PROMPT and --file exclude each other.")
    common, lost = arguments_of(**options), False
    for place, given in _requests(prompt, source):
        identifier = given.pop("id", None)
        params = {**common, **given, **({} if model is None else {"model": model})}
        try:
            if "model" not in params:
                raise ValueError("model: missing; --model names it")
            request, losses = to_messages_request(params)
        except (TypeError, ValueError) as error:
            raise click.UsageError(f"{place}{error}") from None
        for loss in losses:
            lost = True
            click.echo(harmless(f"{place}{loss}"), err=True)
        line = request if identifier is None else {"id": identifier, "request": request}
        click.echo(json.dumps(line))  # in ASCII, which no terminal and no file changes
    return FAILED if lost and strict else 0


def _requests(prompt: str | None, source: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each request with the words that say where it stands."""
    if source is None:
        yield "", {"prompt": as_prompt(read_prompt(prompt))}
        return
    try:
        for number, request in objects_in(source):
            yield f"{source}:{number}: ", request
    except ValueError as error:
        raise click.UsageError(str(error)) from None
