"""Log requests, replies and retries, under `anthropic_completions`.

Neither keys nor prompts: the bodies of requests and replies only where ANTHROPIC_LOG_BODIES is set.
"""

from __future__ import annotations

import logging

import httpx

from ._options import environment
from ._secrets import Headers

log = logging.getLogger("anthropic_completions")


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
