"""`gateway`: an HTTP service that speaks the old endpoint and asks Messages."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, cast

import click

from .._options.model_map import model_map
from .._options.urls import base_url
from ._common import address, cannot_listen, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._contract.schema import JSONObject
    from ..gateway import Settings

_BRIDGE = {"models": "MODEL_MAP", "on_loss": "ON_LOSS", "prefill": "PREFILL", "room": "THINKING_ROOM"}


@click.command(
    "gateway",
    epilog=examples(
        "anthropic-completions gateway --check",
        "anthropic-completions gateway --check --map recommended --on-loss error",
        "anthropic-completions gateway --check --workers 4 --map claude-2.1=claude-haiku-4-5",
    ),
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=8787, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--upstream", metavar="URL", help="Where Messages are; otherwise ANTHROPIC_BASE_URL.")
@click.option(
    "--client-key",
    metavar="KEY",
    help="The key that callers must show, where ANTHROPIC_COMPLETIONS_GATEWAY_API_KEY is what the gateway "
    "asks with. Without that variable, each caller's own key is passed on.",
)
@click.option(
    "--map",
    "models",
    multiple=True,
    metavar="OLD=NEW",
    help="Ask for another model than the caller does; OLD may be a pattern. Repeatable; `recommended` takes "
    "Anthropic's recommendations.",
)
@click.option(
    "--on-loss",
    type=click.Choice(["warn", "error", "drop"]),
    help="What Messages cannot say: tell it in a header, answer 400, or tell it in the log only.",
)
@click.option("--prefill", type=click.Choice(["drop", "error", "instruct"]), help="As for run.")
@click.option(
    "--thinking-room", "--room", "room", type=click.IntRange(min=0), metavar="TOKENS", help="As for run."
)
@click.option(
    "--passthrough",
    multiple=True,
    metavar="MODEL",
    help="A model, or a pattern, to ask of the old endpoint. Repeatable.",
)
@click.option(
    "--retries", "max_retries", type=click.IntRange(min=0), help="Tries again; otherwise clients do."
)
@click.option("--max-concurrency", type=click.IntRange(min=1), help="Requests at a time, of each worker.")
@click.option(
    "--stop-seconds",
    type=click.IntRange(min=0),
    default=120,
    show_default=True,
    help="How long streams may take to end when the gateway is stopped.",
)
@click.option("--check", is_flag=True, help="Check the settings, start nothing.")
def command(host: str, port: int, workers: int, stop_seconds: int, check: bool, **options: object) -> int:
    """Serve /v1/complete, answered by Messages, to clients of any language, until Ctrl-C or SIGTERM.

    Their base URL is all that changes. GET /healthz, /readyz and /metrics tell how it is; the log is one line
    of JSON for each request, on standard output, without prompts or keys.
    """
    try:
        from ..gateway import create_app
        from ..gateway._serving import free_port, serve
    except ImportError:
        raise click.UsageError(
            "the gateway needs an extra: pip install 'anthropic-completions[gateway]'"
        ) from None
    try:
        _put_in_environment(options)
        settings = _settings()
        _check_open(host, settings)
        create_app(settings)
    except (ValueError, ImportError) as error:
        raise click.UsageError(str(error)) from None
    if check:
        click.echo("The settings are right.")
        return 0
    try:
        port = free_port(host, port)
    except OSError as error:
        raise cannot_listen(host, port, error) from None
    click.echo(f"Listening on http://{address(host, port)}; Ctrl-C stops it.", err=True)
    serve(host, port, workers=workers, stop_seconds=stop_seconds)
    return 0


def _put_in_environment(options: JSONObject) -> None:
    """Tell the workers what was asked for: a process of its own has the environment only."""
    from ..gateway._settings import PREFIX

    model_map("--map", ",".join(cast("Sequence[str]", options["models"])) or None)
    if upstream := options.pop("upstream"):
        os.environ["ANTHROPIC_BASE_URL"] = base_url(str(upstream), "--upstream")
    for name, value in options.items():
        if value in (None, ()):
            continue
        variable = f"ANTHROPIC_COMPLETIONS_{_BRIDGE[name]}" if name in _BRIDGE else PREFIX + name.upper()
        os.environ[variable] = ",".join(value) if isinstance(value, tuple) else str(value)


def _settings() -> Settings:
    from ..gateway import Settings

    return Settings.of_environment()


def _check_open(host: str, settings: Settings) -> None:
    try:
        is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if settings.api_key and not settings.client_key and not is_local:
        raise ValueError(
            f"--host: expected an address of this machine only, got {host!r}: everybody who reaches it "
            "could use the gateway's key. Give callers a key of their own with --client-key"
        )
