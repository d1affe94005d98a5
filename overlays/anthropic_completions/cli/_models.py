"""`models`: what the contract knows of models."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from ._common import examples, is_terminal

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
    """List the models that the contract knows, with their dates.

    Whether this endpoint serves a model is decided by the service; no publicly documented one is known to
    answer on it. Piped, the table is plain text with tabs.
    """
    from .._contract.generated import component
    from ..models import lifecycle

    names = component("#/components/schemas/KnownModel")["x-models"]
    models = [lifecycle(name) for name in names]
    if as_json:
        click.echo(json.dumps([asdict(model) for model in models], default=str, indent=2, ensure_ascii=False))
        return 0
    rows: list[tuple[str, ...]] = [
        (
            model.name if model.name == model.snapshot else f"{model.name} -> {model.snapshot}",
            model.status,
            _day(model.deprecated),
            _day(model.retired) or (f"not before {model.not_before}" if model.not_before else ""),
            model.replacement or "",
        )
        for model in models
    ]
    _print_table(("model", "status", "deprecated", "retired", "replacement"), rows)
    return 0


def _day(day: Any) -> str:
    return "" if day is None else str(day)


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not is_terminal():
        for row in (header, *rows):
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in header:
        table.add_column(title.upper())
    for row in rows:
        table.add_row(*row, style=_STYLES.get(row[1]))
    Console().print(table)
