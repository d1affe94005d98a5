"""`models`: list the models of the contract, with their dates and what Messages takes for them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ._common import examples, is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..models import Lifecycle

_STYLES = {"active": "green", "deprecated": "yellow", "retired": "red"}


@click.command(
    "models",
    epilog=examples(
        "anthropic-completions models",
        "anthropic-completions models --json | python3 -m json.tool",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, with all that is known.")
def command(as_json: bool) -> int:
    """List the models that the contract knows: their dates, and what Messages takes for them.

    PREFILL says whether Messages continues an answer that the prompt begins; SAMPLING which of temperature,
    top_p and top_k it takes: any, one of temperature and top_p, or none; THINKING whether the model thinks
    before it answers, and whether the bridge switches that off. Where it always does, the bridge asks for
    little effort and gives more tokens. Under a name stand the model that it is short for (=), and the one
    that is recommended in its place (>).

    No publicly documented model is known to answer on the endpoint of completions any more. Piped, the table
    is plain text with tabs, with the day of deprecation.
    """
    from .._contract.generated import known_models
    from ..models import lifecycle

    names = known_models()["x-models"]
    models = [lifecycle(name) for name in names]
    if as_json:
        click.echo(json.dumps([asdict(model) for model in models], default=str, indent=2, ensure_ascii=False))
    elif is_terminal():
        _print_table(models)
    else:
        _print_lines(models)
    return 0


def _print_lines(models: list[Lifecycle]) -> None:
    header = ("model", "status", "deprecated", "retired", "replacement", "prefill", "sampling", "thinking")
    click.echo("\t".join(header))
    for model in models:
        name = model.name if model.name == model.snapshot else f"{model.name} -> {model.snapshot}"
        retired = str(model.retired or (f"not before {model.not_before}" if model.not_before else ""))
        replacement = model.replacement or ""
        fields = (name, model.status, str(model.deprecated or ""), retired, replacement, *_by_messages(model))
        click.echo("\t".join(fields))


def _print_table(models: list[Lifecycle]) -> None:
    """Print a table in which names of models are never cut: what does not fit beside them stands below."""
    from rich.console import Console
    from rich.table import Table

    cells = ["\n".join((model.name, *_below(model))) for model in models]
    longest = max(len(line) for cell in cells for line in cell.split("\n"))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("MODEL", no_wrap=True, min_width=longest)
    for title in ("STATUS", "RETIRES", "PREFILL", "SAMPLING", "THINKING"):
        table.add_column(title, overflow="fold")
    for model, cell in zip(models, cells, strict=True):
        table.add_row(
            cell,
            model.status,
            str(model.retired or ""),
            *_by_messages(model),
            style=_STYLES.get(model.status),
        )
    Console().print(table)


def _below(model: Lifecycle) -> Iterator[str]:
    """Yield what stands under a model's name: what it is short for, and what takes its place."""
    if model.name != model.snapshot:
        yield f"= {model.snapshot}"
    if model.replacement:
        yield f"> {model.replacement}"


def _by_messages(model: Lifecycle) -> tuple[str, str, str]:
    """Return what Messages takes for a model; empty where it never served it."""
    support = model.messages
    if support.prefill is None:
        return "", "", ""
    thinking = {"off": "none", "on": "switched off", "always": "always"}
    return (
        "yes" if support.prefill else "no",
        support.sampling or "",
        thinking.get(support.thinking or "", ""),
    )
