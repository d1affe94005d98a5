"""Which backend serves a model, learned from refusals."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from .._callers import stacklevel
from ._replies import BackendSwitchWarning

if TYPE_CHECKING:
    from .._errors import APIStatusError
    from .._options import Options

# "... is not supported on this API. Please use the Messages API instead." (observed)
_REFUSAL = "use the Messages API"


def switch(options: Options, model: str, refusal: APIStatusError) -> None:
    """Note that a model is served by Messages only, and warn of it.

    Raises:
        APIStatusError: The refusal, where it says something else.
    """
    body: Any = refusal.body if refusal.status_code == 400 else None
    try:
        told = str(body["error"]["message"])
    except (TypeError, KeyError):
        told = ""
    if _REFUSAL not in told:
        raise refusal
    # One dict operation decides who warns: no lock that a fork could leave taken.
    key, token = (options.base_url, model), object()
    if options.only_messages.setdefault(key, token) is token:
        try:
            warnings.warn(BackendSwitchWarning(model), stacklevel=stacklevel())
        except Warning:
            options.only_messages.pop(key, None)
            raise
