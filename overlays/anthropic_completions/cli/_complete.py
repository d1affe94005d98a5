"""`complete`: one prompt."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, NoReturn, cast

import click

from .._errors import AnthropicError
from ._common import (
    INTERRUPTED,
    Form,
    arguments_of,
    as_prompt,
    check_credentials,
    described,
    examples,
    fail,
    harmless,
    is_terminal,
    is_transcript,
    prompt_options,
    read_prompt,
    request_options,
    service_options,
    settings_in,
)

if TYPE_CHECKING:
    import httpx

    from .._client.clients import Anthropic
    from ..types.completion_create_params import CreateOptions
    from ._common.options import ServiceSettings


@click.command(
    "complete",
    epilog=examples(
        'anthropic-completions complete "How many toes do dogs have?"',
        "anthropic-completions complete --max-tokens 20 --stop END - < prompt.txt",
        'anthropic-completions complete --json "Hello" | python3 -m json.tool',
        'anthropic-completions complete --on-loss error --temperature 0 -m claude-opus-4-6 "Hello"',
        'anthropic-completions complete --show-request "Hello"',
    ),
)
@click.argument("prompt", required=False)
@prompt_options
@request_options
@service_options
@click.option("--json", "as_json", is_flag=True, help="Print the whole completion as JSON.")
@click.option("--no-stream", is_flag=True, help="Wait for the whole text.")
@click.option("--show-request", is_flag=True, help="Print the request as a curl command, and send nothing.")
def command(
    prompt: str | None,
    form: Form | None,
    system: str | None,
    as_json: bool,
    no_stream: bool,
    show_request: bool,
    **options: object,
) -> int:
    """Complete PROMPT and print the text as it comes.

    Plain text is asked as a question; its answer is printed without the space that it begins with. A ready
    transcript, with turns of Human: and Assistant: after blank lines, is taken and continued exactly as it
    is; what was meant as one but is none is refused. Without PROMPT, or with -, it is read from standard
    input, but for a newline at its end.

    No current model answers on the endpoint of completions. With the backend auto they are served by
    /v1/messages, and what that cannot say is told.

    Ctrl-C keeps what has come and exits with 130.
    """
    text = read_prompt(prompt)
    try:
        settings = settings_in(options)
        asked = {**arguments_of(options), "prompt": as_prompt(text, form, system)}
        arguments = cast("CreateOptions", asked)  # `create` checks them
        if show_request:
            click.echo(_curl(_request_for(arguments, settings, stream=not no_stream)))
            return 0
        from .._client.clients import Anthropic

        with Anthropic(**settings) as client:
            check_credentials(client)
            if as_json:
                return _print_json(client, arguments, stream=not no_stream)
            printer = _Printer(exact=is_transcript(text, form))
            return _print_text(client, arguments, printer, stream=not no_stream)
    except AnthropicError as error:
        return fail(described(error))
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None


class _Printer:
    """Prints pieces of text as they come."""

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._last = ""
        self._safe = is_terminal()

    def write(self, text: str) -> None:
        if not self._last and not self._exact:
            text = text.lstrip()
        if self._safe:
            text = harmless(text)
        if text:
            self._last = text
            click.echo(text, nl=False)
            sys.stdout.flush()

    def end(self, *, always: bool = False) -> None:
        """End the last line; where nothing was printed only if that is asked for."""
        if not self._last.endswith("\n") and (self._last or always):
            click.echo()


def _print_text(client: Anthropic, arguments: CreateOptions, printer: _Printer, *, stream: bool) -> int:
    try:
        if stream:
            with client.completions.create(stream=True, **arguments) as chunks:
                for text in chunks.text_stream:
                    printer.write(text)
                final = chunks.completion_so_far
        else:
            final = client.completions.create(**arguments)
            printer.write(final.completion)
    except AnthropicError:
        printer.end()
        raise
    except KeyboardInterrupt:
        printer.end()
        return INTERRUPTED
    printer.end(always=True)
    if final.stop_reason == "max_tokens" and is_terminal(sys.stderr):
        click.echo("(The limit of tokens was reached; --max-tokens sets it.)", err=True)
    return 0


def _print_json(client: Anthropic, arguments: CreateOptions, *, stream: bool) -> int:
    indent = 2 if is_terminal() else None
    code = 0
    if not stream:
        result = client.completions.create(**arguments)
    else:
        chunks = client.completions.create(stream=True, **arguments)
        try:
            with chunks:
                chunks.get_final_completion()
        except KeyboardInterrupt:
            code = INTERRUPTED
        except AnthropicError as error:
            code = fail(described(error))
        result = chunks.completion_so_far
        if code and not result.completion:
            return code
    click.echo(result.model_dump_json(indent=indent))
    return code


class _NotSentError(Exception):
    def __init__(self, request: httpx.Request) -> None:
        self.request = request


def _request_for(arguments: CreateOptions, settings: ServiceSettings, *, stream: bool) -> httpx.Request:
    """Return the request that `create` would send, or that it would be answered to."""
    import httpx

    from .._client.clients import Anthropic
    from ..models import lifecycle

    def keep(request: httpx.Request) -> NoReturn:
        raise _NotSentError(request)

    if settings["backend"] == "auto" and lifecycle(arguments["model"]).messages.prefill is not None:
        settings = {**settings, "backend": "messages"}
    given = os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")
    http = httpx.Client(transport=httpx.MockTransport(keep))
    with Anthropic(api_key=None if given else "none", http_client=http, **settings) as client:
        try:
            if stream:
                client.completions.create(stream=True, **arguments)
            client.completions.create(**arguments)
        except _NotSentError as stopped:
            return stopped.request
    raise AssertionError("a request was answered that was not sent")


_LEFT_TO_CURL = {"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"}
_FROM_ENVIRONMENT = {
    "x-api-key": '"x-api-key: $ANTHROPIC_API_KEY"',
    "authorization": '"authorization: Bearer $ANTHROPIC_AUTH_TOKEN"',
}


def _curl(request: httpx.Request) -> str:
    """Return a request as a command for a POSIX shell, which takes the key from the environment."""
    from .._secrets import is_secret

    lines = [f"curl --no-buffer {shlex.quote(str(request.url))}"]
    for name, value in request.headers.items():
        if name in _LEFT_TO_CURL or name.startswith("x-stainless-"):
            continue
        shown = "[removed]" if is_secret(name) else value
        lines.append(f"  --header {_FROM_ENVIRONMENT.get(name) or shlex.quote(f'{name}: {shown}')}")
    lines.append(f"  --data-raw {shlex.quote(request.content.decode())}")
    return " \\\n".join(lines)
