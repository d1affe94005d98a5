"""Which endpoint serves a call, and what it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._stream.reader import COMPLETIONS

if TYPE_CHECKING:
    from .._options import Options
    from .._stream.reader import Reader


def backend_for(options: Options, model: object) -> Options:
    """Return settings whose `backend` is the endpoint that serves a model, as far as is known."""
    if options.backend == "auto" and (options.base_url, model) in options.only_messages:
        return replace(options, backend="messages")
    return options


def asked_by(options: Options, path: str, body: dict[str, Any]) -> tuple[str, dict[str, Any], Reader]:
    """Return path and body with which the backend is asked, and what reads its replies.

    Args:
        options: The client's settings.
        path, body: The request for a completion.

    Raises:
        TypeError, UntranslatablePromptError: The request has no counterpart in Messages.
        LossError: It has one that loses something, and the settings say that this is an error.
    """
    if options.backend != "messages":
        return path, body, COMPLETIONS
    from ..messages._reader import messages_request

    return messages_request(body, options.on_loss)
