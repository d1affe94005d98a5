"""The entry point: load a command when it is used, and turn errors into lines and exit codes."""

from __future__ import annotations

import io
import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import click

from .._version import __version__
from ._common import INTERRUPTED, WRONG, examples, fail, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "anthropic-completions"


class _LazyGroup(click.Group):
    """Commands in modules of their own, so that `--version` loads none of them."""

    _places: ClassVar = {
        "complete": "._complete",
        "batch": "._batch.command",
        "export": "._export",
        "models": "._models",
        "convert": "._convert.command",
        "scan": "._scan",
        "serve": "._serve",
        "run": "._run",
        "gateway": "._gateway",
        "shell-completion": "._shell",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._places]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._places:
            return None
        command: click.Command = import_module(self._places[cmd_name], __package__).command
        return command


@click.group(
    name=NAME,
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        'anthropic-completions complete "How many toes do dogs have?"',
        "anthropic-completions models",
        "anthropic-completions serve --port 8765",
    ),
)
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
@click.pass_context
def app(ctx: click.Context) -> int:
    """Complete prompts with Anthropic's legacy Text Completions API. Unofficial.

    The key is read from ANTHROPIC_API_KEY, and where requests go from ANTHROPIC_BASE_URL.

    Exit codes: 0 all went well; 1 a request failed, or scan found something; 2 wrong usage; 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        return WRONG
    return 0


def _open_missing() -> None:
    """Open the null device where a standard stream was closed before the start, as by `>&-`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code. Nothing that goes wrong shows a traceback."""
    _open_missing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    with warnings.catch_warnings():
        # Such as of a retired model: for the user of a shell the line of code is noise.
        warnings.showwarning = lambda message, *_, **__: tell(f"Warning: {message}")
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        code = app.main([*arguments], prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else NAME
        return fail(f"{error.format_message()} (see {asked} --help)", WRONG)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except OSError as error:
        return fail(str(error))
    return code if isinstance(code, int) else 0
