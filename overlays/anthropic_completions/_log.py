"""Log requests, replies and retries, under `anthropic_completions`.

Neither keys nor prompts: the bodies of requests and replies only where ANTHROPIC_LOG_BODIES is set. The line
that httpx logs of each request is kept free of keys, too.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

import httpx

from ._errors import HIDDEN_PARAMETERS, without_values
from ._options import environment
from ._secrets import Headers

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("anthropic_completions")
# The names of the parameters of the query whose values no log line of httpx shows now.
_hidden: ContextVar[frozenset[str]] = ContextVar("hidden", default=frozenset())


def set_up() -> None:
    """Do what ANTHROPIC_LOG says: `debug` or `info` for this package's log and httpx's."""
    level = {"debug": logging.DEBUG, "info": logging.INFO}.get(environment("ANTHROPIC_LOG") or "")
    if level is not None:
        logging.basicConfig(
            format="[%(asctime)s - %(name)s:%(lineno)d - %(levelname)s] %(message)s",
            datefmt="%Y-%m-%d %H:%M:%S",
        )
        log.setLevel(level)
        logging.getLogger(httpx.__name__).setLevel(level)


@contextmanager
def without_keys(request: httpx.Request) -> Iterator[None]:
    """Have httpx log a request, sent within this block, without the values that may be credentials."""
    hidden: frozenset[str] = request.extensions.get(HIDDEN_PARAMETERS, frozenset())
    if not hidden:
        yield
        return
    for name in ("httpx", "httpx2"):  # a lent client may be of either
        logging.getLogger(name).addFilter(_hide_values)
    before = _hidden.get()
    _hidden.set(hidden)
    try:
        yield
    finally:
        _hidden.set(before)


def _hide_values(record: logging.LogRecord) -> bool:
    """Redact the URLs of a record of httpx's."""
    hidden = _hidden.get()
    if hidden and isinstance(record.args, tuple):
        record.args = tuple(_shown(value, hidden) for value in record.args)
    return True


def _shown(value: object, hidden: frozenset[str]) -> object:
    is_url = type(value).__name__ == "URL" and hasattr(value, "copy_with")
    return without_values(cast("httpx.URL", value), hidden) if is_url else value


def log_request(request: httpx.Request) -> None:
    """Log a request that is about to be sent."""
    if log.isEnabledFor(logging.DEBUG):
        log.debug("%s %s with headers %r", request.method, request.url.path, Headers(request.headers))
        if environment("ANTHROPIC_LOG_BODIES"):
            log.debug("Body of the request: %r", request.content)


def log_response(response: httpx.Response, seconds: float) -> None:
    """Log a reply whose body is not read yet."""
    log.debug(
        "Status %s in %.3f s, request id %s",
        response.status_code,
        seconds,
        response.headers.get("request-id"),
    )


def log_body(response: httpx.Response) -> None:
    """Log the body of a reply."""
    if log.isEnabledFor(logging.DEBUG) and environment("ANTHROPIC_LOG_BODIES"):
        log.debug("Body of the reply: %r", response.content)


# With the first call, not with the package: logging is not loaded before.
set_up()
