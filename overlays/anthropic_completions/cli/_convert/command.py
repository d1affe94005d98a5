"""`convert`: completion requests, as requests for messages."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .._common import (
    FAILED,
    MODEL,
    Form,
    arguments_of,
    as_prompt,
    examples,
    harmless,
    objects_in,
    prompt_options,
    read_prompt,
    request_options_but_model,
    service_options,
    settings_in,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..._contract.schema import JSONObject
    from ..._options.model_map import ModelMap

# The settings of clients that change what a request becomes.
_SETTINGS = ("on_loss", "model_map", "prefill", "thinking_room")


@click.command(
    "convert",
    epilog=examples(
        'anthropic-completions convert --model claude-haiku-5-5 "How many toes do dogs have?"',
        "anthropic-completions convert --model claude-sonnet-5-5 --max-tokens 20 - < prompt.txt",
        "anthropic-completions convert --model claude-haiku-4-5 --file questions.jsonl",
        "anthropic-completions convert -m claude-haiku-4-5 -f questions.jsonl --format batches --output made",
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
@prompt_options
@request_options_but_model
@service_options
@click.option(
    "--format",
    "kind",
    type=click.Choice(["lines", "batches"]),
    default="lines",
    show_default=True,
    help="A line for each request, or files that are Message Batches.",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The directory to make, with the files of Message Batches.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 where something is lost.")
def command(
    prompt: str | None,
    form: Form | None,
    system: str | None,
    source: Path | None,
    model: str | None,
    kind: Literal["lines", "batches"],
    output: Path | None,
    strict: bool,
    **options: object,
) -> int:
    """Print the Messages request that says what a completion request says, as JSON.

    PROMPT is plain text or a ready transcript, read from standard input without it, or with -. With --file
    each line is an object with a "prompt" and any other arguments, which override the options; only --model
    overrides the file's. A line gives a line; one with an "id" gives {"id": …, "request": …}.

    With --format batches the requests of --file go into files in --output, each the body of one Message Batch
    within the limits of the service, and ids.jsonl tells which custom_id is whose; how to submit them is
    printed.

    What the request cannot say is told on standard error, a line each: field, value, what comes of it, and
    the rule in brackets; --on-loss drop tells nothing, and error takes it for a request that cannot be
    converted. Nothing is sent: --backend and --timeout are taken so that the options of complete can be
    reused, and change nothing.

    Exits with 0, also where something is lost, unless --strict is given; with 2 where a request cannot be
    converted, which ends the output before it.
    """
    from ..._options import BASE_URL, NOT_GIVEN, checked_or_environment, environment
    from ...messages import LossError, translate
    from .bodies import Bodies

    if source is not None and prompt is not None:
        raise click.UsageError("PROMPT and --file exclude each other.")
    if (kind == "batches") != (output is not None) or (output is not None and source is None):
        raise click.UsageError("--format batches, --output and --file go together.")
    try:
        given = settings_in(options)
        asked = checked_or_environment(**{name: given.get(name, NOT_GIVEN) for name in _SETTINGS})
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    on_loss, map_ = asked.pop("on_loss", "warn"), asked.pop("model_map", None)
    common, lost = arguments_of(options), False
    unjudged: set[str] = set()
    try:
        url = environment("ANTHROPIC_BASE_URL") or BASE_URL
        bodies = None if output is None else Bodies(output, url=url)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with bodies or nullcontext():
        for number, request in _requests(prompt, source, form, system):
            place = f"{source}:{number}: " if number else ""
            identifier = request.pop("id", None)
            params = {**common, **request, **({} if model is None else {"model": model})}
            try:
                if "model" not in params:
                    raise ValueError("model: missing; --model names it")
                params["model"] = _mapped(map_, params["model"])
                done = translate(params, **asked)
                if done.losses and on_loss == "error":
                    raise LossError(done.losses)
                if bodies is not None:
                    bodies.add(identifier, number, done.request)
            except (TypeError, ValueError) as error:
                raise click.UsageError(f"{place}{error}") from None
            for loss in done.losses:
                lost = True
                if on_loss == "warn":
                    click.echo(harmless(f"{place}{loss}"), err=True)
            if not done.is_judged and params["model"] not in unjudged and on_loss == "warn":
                unjudged.add(str(params["model"]))
                tell(
                    f"{place}model: {params['model']}: the contract does not list it; what it refuses is "
                    "unknown."
                )
            if bodies is None:
                line = done.request if identifier is None else {"id": identifier, "request": done.request}
                click.echo(json.dumps(line))  # in ASCII, which no terminal and no file changes
    if bodies is not None:
        for text in bodies.told():
            click.echo(text)
    return FAILED if lost and strict else 0


def _mapped(map_: ModelMap | None, model: object) -> object:
    """Return the model that is asked for in place of another."""
    from ...models import recommended

    if map_ is None or not isinstance(model, str):
        return model
    return map_.get(model) or (recommended(model) if map_.recommended else None) or model


def _requests(
    prompt: str | None, source: Path | None, form: Form | None, system: str | None
) -> Iterator[tuple[int, JSONObject]]:
    """Yield each request with the number of its line; that of the command line with 0."""
    try:
        if source is None:
            yield 0, {"prompt": as_prompt(read_prompt(prompt), form, system)}
            return
        yield from objects_in(source, form, system)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
