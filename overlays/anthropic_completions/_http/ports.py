"""How the steps of a call are done: blocking and awaiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import strip_credentials
from .bodies import read, read_async
from .clients import AsyncDirectClient, DirectClient, params_beside
from .exchange import Port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

    from .exchange import Clock

    Build = Callable[..., httpx.Request]


def sync_port(http: httpx.Client, clock: Clock, closed: Callable[[], bool]) -> Port:
    """Return the blocking way to do steps."""

    def send_lent(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = http.send(request, stream=True, follow_redirects=False)
        strip_credentials(response)
        return response

    build: Build = _lent(http)
    deliver = send_lent
    if isinstance(http, DirectClient):
        build, deliver = http.prepare, http.deliver

    def send(request: httpx.Request) -> httpx.Response:
        _name_server(request)
        return deliver(request)

    return Port(
        build=build,
        send=send,
        read=read,
        close=lambda response: response.close(),
        sleep=clock.sleep,
        closed=closed,
    )


def async_port(http: httpx.AsyncClient, clock: Clock, closed: Callable[[], bool]) -> Port:
    """Return the awaiting way to do steps."""
    import anyio

    async def send_lent(request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await http.send(request, stream=True, follow_redirects=False)
        strip_credentials(response)
        return response

    build: Build = _lent(http)
    deliver = send_lent
    if isinstance(http, AsyncDirectClient):
        build, deliver = http.prepare, http.deliver

    def send(request: httpx.Request) -> Awaitable[httpx.Response]:
        _name_server(request)
        return deliver(request)

    async def close(response: httpx.Response) -> None:
        # A task that is being cancelled still gives its connection back.
        with anyio.CancelScope(shield=True):
            await response.aclose()

    return Port(
        build=build,
        send=send,
        read=read_async,
        close=close,
        sleep=clock.sleep_async or anyio.sleep,
        closed=closed,
    )


def _lent(http: httpx.Client | httpx.AsyncClient) -> Build:
    def build(method: str, url: httpx.URL, **parts: Any) -> httpx.Request:
        return http.build_request(method, url, params=params_beside(http, url), **parts)

    return build


def _name_server(request: httpx.Request) -> None:
    """Make TLS work for a host with an underscore, which Python takes for no name of a server."""
    if "_" in request.url.host:
        request.extensions["sni_hostname"] = request.url.host.replace("_", "-")
