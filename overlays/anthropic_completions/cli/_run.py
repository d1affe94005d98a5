"""`run`: start a program with completions restored."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypedDict, cast

import click

from ._common import examples, fail

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Settings(TypedDict):
    """What the options were given, as the program's environment is to tell it."""

    backend: str | None
    models: Sequence[str]
    on_loss: str | None
    prefill: str | None
    room: int | None
    alias: bool
    verbose: bool


@click.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=examples(
        "anthropic-completions run --alias program.py",
        "anthropic-completions run --map claude-2.1=claude-haiku-4-5 --on-loss drop --alias -m program",
        "anthropic-completions run --alias --prefill instruct program.py",
    ),
)
@click.option(
    "--backend",
    type=click.Choice(["messages", "auto", "completions"]),
    help="What serves completions; otherwise ANTHROPIC_COMPLETIONS_BACKEND, otherwise messages.",
)
@click.option(
    "--map",
    "models",
    multiple=True,
    metavar="OLD=NEW",
    help="Ask for another model than the program does; OLD may be a pattern such as claude-*. Repeatable. "
    "`recommended` takes Anthropic's recommendations.",
)
@click.option(
    "--on-loss",
    type=click.Choice(["warn", "error", "drop"]),
    help="What becomes of what Messages cannot say; otherwise ANTHROPIC_COMPLETIONS_ON_LOSS, otherwise warn.",
)
@click.option(
    "--prefill",
    type=click.Choice(["drop", "error", "instruct"]),
    help="What becomes of a begun answer that the model would refuse.",
)
@click.option(
    "--thinking-room",
    "--room",
    "room",
    type=click.IntRange(min=0),
    metavar="TOKENS",
    help="Tokens for thinking that cannot be switched off.",
)
@click.option(
    "--alias", is_flag=True, help="Stand in for the package anthropic where the program finds none."
)
@click.option("--verbose", is_flag=True, help="Tell on standard error what is restored in which process.")
@click.option(
    "--install",
    "action",
    flag_value="install",
    help="Restore completions in every program of this environment from now on, without run.",
)
@click.option("--uninstall", "action", flag_value="uninstall", help="Take that back.")
@click.argument("program", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(program: str | None, arguments: tuple[str, ...], action: str | None, **options: object) -> int:
    """Start PROGRAM with completions restored to the package anthropic, nothing of it edited.

    PROGRAM is a command, a Python file, or -m and a module; what follows it is its own. Sub-processes are
    restored as well. This process becomes the program, so that signals and its exit code are the program's.
    """
    from .._run.command import CannotRunError, command_of, execute

    if action:
        if program:
            raise click.UsageError(f"--{action}: expected no PROGRAM beside it")
        return _change(action)
    if not program:
        raise click.UsageError("PROGRAM: expected a command, a Python file, or -m MODULE")
    try:
        return execute(command_of(program, arguments), _environment(cast("_Settings", options)))
    except CannotRunError as error:
        return fail(str(error), 2)


def _environment(options: _Settings) -> dict[str, str]:
    from .. import _options
    from .._options.model_map import model_map
    from .._run.environment import variables

    for one in options["models"]:
        old, equals, new = one.partition("=")
        if one != "recommended" and not (old and equals and new):
            raise click.UsageError(f"--map: expected OLD=NEW or recommended, got {one!r}")
    try:
        model_map("--map", ",".join(options["models"]) or None)
        given = {"model_map": options["models"], "thinking_room": options["room"], **options}
        names = ("backend", "model_map", "on_loss", "prefill", "thinking_room")
        asked_by_environment = [name for name in names if given[name] in (None, ())]
        _options.checked_or_environment(**dict.fromkeys(asked_by_environment, _options.NOT_GIVEN))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return variables(os.environ, **options)


def _change(action: str) -> int:
    from .._run import permanent

    if action == "install":
        path = permanent.install()
        click.echo(f"Wrote {path}: programs of this environment have completions from now on.")
        click.echo("To take it back: anthropic-completions run --uninstall")
    elif (gone := permanent.uninstall()) is None:
        click.echo(f"Nothing to take back: there is no {permanent.place()}.")
    else:
        click.echo(f"Removed {gone}: programs of this environment are as they were.")
    return 0
