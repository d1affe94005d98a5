"""An HTTP service that speaks `/v1/complete` and asks `/v1/messages`: for clients of every language.

    anthropic-completions gateway                          # under uvicorn, on this machine
    uvicorn anthropic_completions.gateway:app --workers 4  # or any other ASGI server

In comes a request for a completion; what is asked of Messages, and how the reply is read, is the business of
the client, `AsyncAnthropic` with `backend="messages"`. `Settings` come from the environment where they are
not given; `create_app` makes the application of them, and `app` is the one of the environment's settings. It
needs the extra `gateway`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._settings import Settings

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    app: Starlette

__all__ = ["Settings", "app", "create_app"]


def create_app(
    settings: Settings | None = None, *, http_client: httpx.AsyncClient | None = None
) -> Starlette:
    """Return the ASGI application.

    Args:
        settings: The settings; None for those of the environment.
        http_client: What asks the upstream, such as one with a proxy or certificates; it is closed with the
            application.

    Raises:
        ImportError: The extra `gateway` is not installed.
        ValueError: A setting of the environment is wrong; its variable is named.
    """
    try:
        from ._application import application
    except ModuleNotFoundError as error:
        raise ImportError(
            "the gateway needs an extra: pip install 'anthropic-completions[gateway]'"
        ) from error
    return application(settings or Settings.of_environment(), http_client)


def __getattr__(name: str) -> Starlette:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()["app"] = create_app()
    return made
