"""`shell-completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ._common import examples


@click.command(
    "shell-completion",
    epilog=examples(
        'eval "$(anthropic-completions shell-completion bash)"   # in ~/.bashrc',
        "anthropic-completions shell-completion zsh",
        "anthropic-completions shell-completion fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the script that lets SHELL complete commands, options, models and betas."""
    root = ctx.find_root()
    name = root.info_name or "anthropic-completions"
    kind = get_completion_class(shell)
    assert kind is not None
    variable = f"_{name}_COMPLETE".replace("-", "_").upper()
    click.echo(kind(root.command, {}, name, variable).source())
    return 0
