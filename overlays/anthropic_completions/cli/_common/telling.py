"""Exit codes, and messages to people."""

from __future__ import annotations

import errno
import re
import sys
from typing import TextIO

import click

FAILED = 1
WRONG = 2
INTERRUPTED = 130

# But newline and tab.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def examples(*commands: str) -> str:
    """Return the part of a help text that shows commands."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def harmless(text: str) -> str:
    """Return text without what would steer a terminal; newlines and tabs do not."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def tell(message: str) -> None:
    """Tell something on one line of standard error."""
    click.echo(harmless(" ".join(message.split())), err=True)


def fail(message: str, code: int = FAILED) -> int:
    """Tell on one line what went wrong, and return the exit code for it."""
    tell(f"Error: {message}")
    return code


def address(host: str, port: int) -> str:
    """Return a host and a port as URLs write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def cannot_listen(host: str, port: int, error: OSError) -> OSError:
    """Return the error that says why nothing can listen there, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return OSError(
            f"--port {port}: {address(host, port)} is in use; name another port, or --port 0 for a free one"
        )
    return OSError(f"--port {port}: cannot listen on {address(host, port)}: {error.strerror or error}")


def described(error: Exception) -> str:
    """Return an error in few words: the service's own where it gave some."""
    from ..._errors import APIStatusError

    if isinstance(error, APIStatusError) and isinstance(error.body, dict):
        detail = error.body.get("error")
        if isinstance(detail, dict) and isinstance(detail.get("message"), str):
            request_id = f" (request id: {error.request_id})" if error.request_id else ""
            advice = f"; {error.advice}" if error.advice else ""
            return f"{error.status_code} {error.type}: {detail['message']}{request_id}{advice}"
    return str(error) or type(error).__name__


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether a stream, standard output if none is given, is a terminal."""
    return bool((stream or sys.stdout).isatty())
