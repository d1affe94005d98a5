"""`serve`: the stand-in for the service."""

from __future__ import annotations

import shlex
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypedDict, cast

import click

from ._common import MODEL, cannot_listen, examples, harmless, is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..testing import Received, StandIn
    from ..testing._stand_in.replies import Reply


class _Options(TypedDict):
    """What the options that concern the stand-in were given."""

    delay: float
    chunk_size: int | None
    ping_every: int | None
    requests_per_minute: int | None
    messages_only: Sequence[str]
    today: bool
    api_key: str | None


@click.command(
    "serve",
    epilog=examples(
        "anthropic-completions serve",
        "anthropic-completions serve --port 0 --delay 0.05 --chunk-size 4",
        "anthropic-completions serve --port 0 --requests-per-minute 10",
        "anthropic-completions serve --port 0 --today",
    ),
)
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes a free one."
)
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Seconds before each chunk of a stream.",
)
@click.option(
    "--chunk-size", type=click.IntRange(min=1), metavar="N", help="Characters of a chunk; otherwise a word."
)
@click.option(
    "--ping-every", type=click.IntRange(min=0), metavar="N", help="Chunks between pings, 0 for no pings."
)
@click.option(
    "--requests-per-minute", type=click.IntRange(min=1), metavar="N", help="Answer 429 beyond these."
)
@click.option(
    "--messages-only",
    multiple=True,
    type=MODEL,
    metavar="MODEL",
    help="A model that /v1/complete refuses; repeatable.",
)
@click.option(
    "--today",
    is_flag=True,
    help="Refuse retired and unknown models, and serve the others by /v1/messages only, as the service does.",
)
@click.option("--api-key", metavar="KEY", help="The key to insist on; otherwise any is taken.")
def command(port: int, **options: object) -> int:
    """Stand in for the service on this machine, until Ctrl-C.

    Requests to /v1/complete and /v1/messages are checked as the service checks them and answered with text
    made up from the prompt, without a key and without a network. Each one is told on standard error.
    """
    asked = cast("_Options", options)
    stand_in = _telling_stand_in(asked)
    try:
        with ExitStack() as stack:
            try:
                url = stack.enter_context(stand_in.serve(port=port))
            except OSError as error:
                raise cannot_listen("127.0.0.1", port, error) from None
            key = asked["api_key"] or "stand-in"
            click.echo(f"Listening on {url}; Ctrl-C stops it. To point a client at it:")
            click.echo(f"export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={shlex.quote(key)}")
            threading.Event().wait()
    except KeyboardInterrupt:
        if is_terminal():
            click.echo()
        return 0
    except ImportError as error:
        raise click.UsageError(str(error)) from None
    return 0


def _telling_stand_in(options: _Options) -> StandIn:
    """Return a stand-in that tells of each request."""
    from ..testing import StandIn

    class Telling(StandIn):
        def handle(self, received: Received, *, now: float | None = None) -> Reply:
            reply = super().handle(received, now=now)
            path = harmless(" ".join(received.path.split()))
            click.echo(f"{received.method} {path} {reply.status}", err=True)
            return reply

    return Telling(keep=0, **options)
