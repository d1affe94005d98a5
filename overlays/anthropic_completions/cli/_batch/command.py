"""The command `batch`: its options, and what it tells."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .._common import (
    FAILED,
    INTERRUPTED,
    WRONG,
    Form,
    arguments_of,
    check_credentials,
    examples,
    prompt_options,
    request_options,
    service_options,
    settings_in,
    tell,
)
from .inputs import FORMATS, Format, check_writable, copy_of_stdin, format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import httpx

    from ..._client.clients import AsyncAnthropic
    from .._common.options import ServiceSettings
    from .progress import Progress, Style
    from .report import Reporter
    from .requests import Checked
    from .results import ResultsFile
    from .tally import Tally

    Sender = Literal["httpx", "aiohttp", "rust"]
    Work = Callable[[], Coroutine[object, object, None]]

# So long may the service ask a batch to wait; a single call gives up after a minute.
_MAX_RETRY_AFTER_SECONDS = 3600.0


@click.command(
    "batch",
    epilog=examples(
        "anthropic-completions batch questions.jsonl answers.jsonl",
        "anthropic-completions batch --concurrency 32 --max-tokens 20 questions.jsonl answers.jsonl",
        "anthropic-completions batch --id-field qid --template 'Q: {question}' questions.csv answers.jsonl",
        "anthropic-completions batch --via batches --model claude-haiku-4-5 questions.jsonl answers.jsonl",
        "anthropic-completions batch --dry-run questions.jsonl answers.jsonl",
        "anthropic-completions batch --report report.html questions.jsonl answers.jsonl",
        "anthropic-completions batch --retry-failed questions.jsonl answers.jsonl",
    ),
)
@click.argument("source", metavar="IN", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.argument("target", metavar="OUT.jsonl", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="The format of IN; otherwise its name and first character tell.",
)
@click.option("--id-field", default="id", show_default=True, help="The field of IN with the id.")
@click.option("--prompt-field", default="prompt", show_default=True, help="The field of IN with the prompt.")
@click.option("--template", metavar="TEXT", help="Text that makes the prompt of fields: 'Q: {question}'.")
@click.option("--number-ids", is_flag=True, help="Take the numbers of IN's rows as ids.")
@prompt_options
@request_options
@service_options
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
@click.option(
    "--via",
    type=click.Choice(["calls", "batches"]),
    default="calls",
    show_default=True,
    help="By calls, or by Message Batches, at half the price and within a day.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1, max=100_000),
    default=10_000,
    show_default=True,
    help="The most requests of a Message Batch.",
)
@click.option(
    "--http",
    "sender",
    type=click.Choice(["httpx", "aiohttp", "rust"]),
    default="httpx",
    show_default=True,
    help="What sends; aiohttp and rust take less time, and an extra of that name.",
)
@click.option("--cancel", is_flag=True, help="Cancel the Message Batches, and fetch what they have done.")
@click.option("--retry-failed", is_flag=True, help="Try again what of IN failed.")
@click.option("--force-skip", is_flag=True, help="Skip ids that are in OUT.jsonl, whatever was asked then.")
@click.option("--keep-going", is_flag=True, help="Go on after a failure that all other requests will share.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would be sent, and send nothing.")
@click.option(
    "--report",
    metavar="PAGE.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw a page of what was done, anew every 30 s.",
)
@click.option(
    "--progress",
    "style",
    type=click.Choice(["bar", "plain", "none"]),
    help="How progress is shown; otherwise a bar in a terminal and a line every 30 s elsewhere.",
)
def command(
    source: Path,
    target: Path,
    kind: Format | None,
    id_field: str,
    prompt_field: str,
    template: str | None,
    number_ids: bool,
    form: Form | None,
    system: str | None,
    concurrency: int,
    max_retries: int,
    via: Literal["calls", "batches"],
    batch_size: int,
    sender: Sender,
    cancel: bool,
    retry_failed: bool,
    force_skip: bool,
    keep_going: bool,
    dry_run: bool,
    report: Path | None,
    style: Style | None,
    **options: object,
) -> int:
    """Complete each row of IN and append the results to OUT.jsonl as they come.

    IN holds JSON lines, a JSON array, CSV, TSV or Parquet; - is standard input. A row has an "id", text or an
    integer, a "prompt", and any other arguments, which override the options. Fields that are none go through
    to the result as "row". A line of OUT.jsonl has the "id" and either the "completion" or the "error".

    Run the same command again to go on after an interruption: what is in OUT.jsonl is skipped.

    Exits with 1 if OUT.jsonl holds failed requests in the end, or the run was stopped.
    """
    from .estimate import estimate
    from .journal import folder_of
    from .progress import Progress
    from .report import Reporter, check_report
    from .requests import Reading, Way, check
    from .results import ids_in
    from .running import run, terminated_as_interrupted
    from .service import Service
    from .tally import Tally

    for path in (source, target):
        if path.exists() and not path.is_file() and path != Path("-"):
            raise click.UsageError(f"{path}: expected a file, which can be read twice")
    check_writable(str(target), target.resolve())  # of a link, where it leads
    with terminated_as_interrupted():
        if source == Path("-"):
            source = copy_of_stdin(target)
        try:
            settings = settings_in(options)
            if report is not None:
                check_report(report)
            client = _client(max_retries, settings, sender)
            way = Way(client._options, by_messages=via == "batches" or cancel)
            reading = Reading(
                source,
                kind or format_of(source),
                arguments_of(options),
                id_field=id_field,
                prompt_field=prompt_field,
                template=template,
                number_ids=number_ids,
                form=form,
                system=system,
                way=way,
            )
            checked = check(reading)
            if checked.wrong:
                return _told_wrong(checked)
            if dry_run:
                found = {} if force_skip else checked.fingerprints
                done = ids_in(target, found, retry=checked.fingerprints if retry_failed else ())
                for line in estimate(reading, done, way):
                    click.echo(line)
                return 0
            with _opened(target, checked, retry_failed=retry_failed, force_skip=force_skip) as results:
                ids = checked.fingerprints
                before = sum(one in results.done for one in ids)
                tally = Tally(len(ids), before=before, causes=results.causes)
                progress = Progress(tally, style)
                if via == "batches" or cancel:
                    service = Service(client, target, results, tally, batch_size=batch_size)
                    pending = service.pending({} if force_skip else ids)
                    progress.waits_for = lambda: service.says
                    work: Work = partial(service.run, reading.requests(), reading.common, pending)
                    if cancel:
                        work = service.cancel
                else:
                    if (folder := folder_of(target)).exists():
                        raise ValueError(
                            f"{folder}: requests of this file are in Message Batches; --via batches goes on "
                            "with them, --cancel cancels them"
                        )
                    work = partial(
                        run,
                        client,
                        reading.requests(),
                        results,
                        reading.common,
                        concurrency,
                        tally,
                        models=None if keep_going else frozenset(checked.models),
                        show_waiting=progress.rate_limited,
                    )
                ids.clear()
                reporter = None if report is None else Reporter(target, report, tally)
                return _done(client, work, checked, tally, progress, reporter)
        except (TypeError, ValueError) as error:
            raise click.UsageError(str(error)) from None


def _client(max_retries: int, settings: ServiceSettings, sender: Sender) -> AsyncAnthropic:
    from ..._client.clients import AsyncAnthropic

    client = AsyncAnthropic(
        max_retries=max_retries,
        max_retry_after=_MAX_RETRY_AFTER_SECONDS,
        http_client=_http(sender),
        **settings,
    )
    check_credentials(client)
    return client


def _http(sender: Sender) -> httpx.AsyncClient | None:
    from ..._http.clients import DefaultAioHttpClient, DefaultAsyncRustHttpClient

    if sender == "httpx":
        return None
    kind = DefaultAioHttpClient if sender == "aiohttp" else DefaultAsyncRustHttpClient
    try:
        return kind()
    except ImportError as error:
        raise ValueError(f"--http {sender}: {error}") from error


def _told_wrong(checked: Checked) -> int:
    for line in checked.told:
        tell(f"Error: {line}")
    if checked.wrong > 1:
        told = "" if checked.wrong == len(checked.told) else f"; the first {len(checked.told)} are told"
        tell(f"{checked.wrong} rows are wrong{told}. Nothing was sent.")
    return WRONG


def _opened(target: Path, checked: Checked, *, retry_failed: bool, force_skip: bool) -> ResultsFile:
    from .results import ResultsFile

    found = checked.fingerprints
    results = ResultsFile(
        target, retry=found if retry_failed else (), fingerprints=None if force_skip else found
    )
    if results.unmarked:
        tell(
            f"Note: {results.unmarked} results in {target} are of an earlier version, which kept nothing "
            "or less of what was asked: only that is compared, and otherwise their ids."
        )
    return results


def _done(
    client: AsyncAnthropic,
    work: Work,
    checked: Checked,
    tally: Tally,
    progress: Progress,
    reporter: Reporter | None,
) -> int:
    """Do the work, show how far it is, tell what came of it, and return the exit code."""
    from .running import ran

    async def main() -> None:
        others = [asyncio.create_task(progress.lines())]
        if reporter is not None:
            others.append(asyncio.create_task(reporter.live()))
        try:
            async with client:
                await work()
        finally:
            for task in others:
                task.cancel()

    with progress.shown():
        code = ran(main)
    click.echo(tally.summary())
    if reporter is not None:
        reporter.write()
    _tell_rest(tally, checked, code)
    return code or (FAILED if tally.failed else 0)


def _tell_rest(tally: Tally, checked: Checked, code: int) -> None:
    for line in tally.causes.lines():
        click.echo(line)
    if checked.carried:
        names = ", ".join(sorted(checked.carried))
        click.echo(f'Carried through to the results as "row", not sent: {names}.')
    if code == INTERRUPTED:
        tell("Interrupted; the same command goes on from here.")
    elif code:
        tell(
            "What is done is kept: mend that, and the same command goes on; --keep-going does not stop at it."
        )
    elif tally.causes.may_pass:
        tell(f"--retry-failed tries the failed ones again, of which {tally.causes.may_pass} may pass now.")
