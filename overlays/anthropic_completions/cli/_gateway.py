"""`gateway`: an HTTP service that speaks the old endpoint and asks Messages."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
import tempfile
from typing import TYPE_CHECKING

import click

from ._common import examples

if TYPE_CHECKING:
    from .._contract.schema import JSONObject
    from ..gateway import Settings

_BRIDGE = {"models": "MODEL_MAP", "on_loss": "ON_LOSS", "prefill": "PREFILL", "room": "THINKING_ROOM"}
_HEADER_BYTES = 64 * 1024


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
@click.option("--room", type=click.IntRange(min=0), metavar="TOKENS", help="As for run.")
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
        import uvicorn

        from ..gateway import create_app
    except ImportError:
        raise click.UsageError("the gateway needs: pip install 'anthropic-completions[gateway]'") from None
    _put_in_environment(options)
    try:
        settings = _settings()
        _check_open(host, settings)
        create_app(settings)
    except (ValueError, ImportError) as error:
        raise click.UsageError(str(error)) from None
    if check:
        click.echo("The settings are right.")
        return 0
    with tempfile.TemporaryDirectory() as shared:
        if workers > 1:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)
        click.echo(f"Listening on http://{host}:{port}; Ctrl-C stops it.", err=True)
        uvicorn.run(
            "anthropic_completions.cli._gateway:logged_app",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http="h11",
            h11_max_incomplete_event_size=_HEADER_BYTES,
            timeout_graceful_shutdown=stop_seconds,
            access_log=False,
            log_level="warning",
            server_header=False,
        )
    return 0


def logged_app() -> object:
    """Return the application of the environment's settings, its log going to standard output."""
    from ..gateway import create_app

    log = logging.getLogger("anthropic_completions.gateway")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    return create_app()


def _put_in_environment(options: JSONObject) -> None:
    """Tell the workers what was asked for: a process of its own has the environment only."""
    from ..gateway._settings import PREFIX

    if upstream := options.pop("upstream"):
        os.environ["ANTHROPIC_BASE_URL"] = str(upstream)
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
