"""`batch`: many prompts from a file, the results into another."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._common import FAILED, INTERRUPTED, arguments_of, examples, fail, is_terminal, request_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .._client.clients import AsyncAnthropic
    from ._batch_run import Tally
    from ._results import ResultsFile

# So long may the service ask a batch to wait; a single call gives up after a minute.
_MAX_RETRY_AFTER_SECONDS = 3600.0


@click.command(
    "batch",
    epilog=examples(
        "anthropic-completions batch questions.jsonl answers.jsonl",
        "anthropic-completions batch --concurrency 32 --max-tokens 20 questions.jsonl answers.jsonl",
        "anthropic-completions batch --retry-failed questions.jsonl answers.jsonl",
    ),
)
@click.argument("source", metavar="IN.jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT.jsonl", type=click.Path(dir_okay=False, path_type=Path))
@request_options
@click.option(
    "-c",
    "--concurrency",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="The most calls at a time.",
)
@click.option(
    "--max-retries",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="How often a call is tried again.",
)
@click.option("--retry-failed", is_flag=True, help="Try again what of IN.jsonl failed.")
def command(
    source: Path, target: Path, concurrency: int, max_retries: int, retry_failed: bool, **options: Any
) -> int:
    """Complete each line of IN.jsonl and append the results to OUT.jsonl as they come.

    A line of IN.jsonl is an object with an "id", text or an integer, a "prompt", and any other arguments,
    which go before the options. A line of OUT.jsonl has the "id" and either the "completion" or the "error".

    Run the same command again to go on after an interruption: what is in OUT.jsonl is skipped.

    Exits with 1 if OUT.jsonl holds failed requests in the end.
    """
    from .._client.clients import AsyncAnthropic
    from ._batch_run import Tally, check
    from ._results import ResultsFile

    common = arguments_of(**options)
    for path in (source, target):
        if path.exists() and not path.is_file():
            raise click.UsageError(f"{path}: expected a file, which can be read twice")
    try:
        ids = check(source, common)
        client = AsyncAnthropic(max_retries=max_retries, max_retry_after=_MAX_RETRY_AFTER_SECONDS)
        if not {"x-api-key", "authorization"} & {name.lower() for name in client.default_headers}:
            raise ValueError("no credentials: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN)")
        with ResultsFile(target, retry=ids if retry_failed else ()) as results:
            tally = Tally(len(ids), before=sum(one in results.done for one in ids), failed=results.failed)
            del ids
            with _shown(tally) as advance:
                code = _run(client, source, results, common, concurrency, tally, advance)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    click.echo(tally.summary())
    if code == INTERRUPTED:
        click.echo("Interrupted; the same command goes on from here.", err=True)
    elif tally.failed:
        click.echo("--retry-failed tries the failed ones again.", err=True)
    return code or (FAILED if tally.failed else 0)


def _run(
    client: AsyncAnthropic,
    source: Path,
    results: ResultsFile,
    common: Mapping[str, Any],
    concurrency: int,
    tally: Tally,
    advance: Callable[[], None],
) -> int:
    from ._batch_run import run

    async def main() -> None:
        async with client:
            await run(client, source, results, common, concurrency, tally, advance)

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return fail(str(error))
    return 0


@contextmanager
def _shown(tally: Tally) -> Iterator[Callable[[], None]]:
    """Show a progress bar on standard error, where that is a terminal."""
    if not is_terminal(sys.stderr):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TextColumn("[red]{task.fields[failed]} failed"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=tally.total, completed=tally.before, rate=0.0, failed=tally.failed)
        yield lambda: progress.update(task, advance=1, rate=tally.rate(), failed=tally.failed)
