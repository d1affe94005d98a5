"""Switch the backend that serves a model after a refusal, and give advice on refusals."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .._errors.callers import stacklevel
from ..models import lifecycle, recommended
from ._replies import BackendSwitchWarning

if TYPE_CHECKING:
    from .._errors import APIStatusError
    from .._options import Options

# "... is not supported on this API. Please use the Messages API instead." (observed)
_REFUSAL = "use the Messages API"
_SERVED_BY_MESSAGES = 'this model is served by Messages: backend="messages" (--backend messages)'


def switch(options: Options, model: str, refusal: APIStatusError) -> None:
    """Note that a model is not served by the old endpoint, and warn of it.

    That is so where the service says it, and where it does not know a model (404) that the contract knows to
    be retired, or to be served by Messages.

    Raises:
        APIStatusError: The refusal, where it says something else.
    """
    missing = refusal.status_code == 404 and lifecycle(model).status != "unknown"
    if not missing and not _says_messages_only(refusal):
        raise advise(refusal, model, options)
    # One dict operation decides who warns: no lock that a fork could leave taken.
    key, token = (options.base_url, model), object()
    if options.only_messages.setdefault(key, token) is token:
        try:
            warnings.warn(BackendSwitchWarning(model, missing=missing), stacklevel=stacklevel())
        except Warning:
            options.only_messages.pop(key, None)
            raise


def advise(refusal: APIStatusError, model: str, options: Options) -> APIStatusError:
    """Return a refusal with what to do about it, where that is known."""
    if _says_messages_only(refusal):
        refusal.advice = _SERVED_BY_MESSAGES
    elif refusal.status_code == 404:
        known = lifecycle(model)
        if known.status == "retired":
            refusal.advice = f"the model {model!r} was retired on {known.retired}"
            if instead := recommended(model):
                refusal.advice += (
                    f'; model_map={{"{model}": "{instead}"}} (--map {model}={instead}) asks for that instead'
                )
        elif known.messages.prefill is not None and options.backend == "completions":
            refusal.advice = _SERVED_BY_MESSAGES
    return refusal


def _says_messages_only(refusal: APIStatusError) -> bool:
    return refusal.status_code == 400 and _REFUSAL in message_of(refusal)


def message_of(refusal: APIStatusError) -> str:
    """Return the message of an error in the API's form; empty where it has none."""
    detail = refusal.body.get("error") if isinstance(refusal.body, dict) else None
    return str(detail.get("message", "")) if isinstance(detail, dict) else ""
