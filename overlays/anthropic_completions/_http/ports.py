"""Carry out the steps of an exchange with an httpx client: blocking and awaiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import strip_credentials
from .bodies import read, read_async
from .clients import AsyncDirectClient, DirectClient, params_beside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from .call import Clock


class _BasePort:
    """What both ports do without waiting."""

    def __init__(self, http: httpx.Client | httpx.AsyncClient, is_closed: Callable[[], bool]) -> None:
        self._client = http
        self.is_closed = is_closed

    def build(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout: httpx.Timeout,
        extensions: Mapping[str, Any] | None = None,
    ) -> httpx.Request:
        http = self._client
        if isinstance(http, DirectClient | AsyncDirectClient):
            return http.prepare(
                method, url, headers=headers, content=content, timeout=timeout, extensions=extensions
            )
        return http.build_request(
            method,
            url,
            params=params_beside(http, url),
            headers=headers,
            content=content,
            timeout=timeout,
            extensions=dict(extensions or {}),
        )


class BlockingPort(_BasePort):
    """Carries out steps, blocking.

    Args:
        http: What to send with.
        clock: What to sleep by.
        is_closed: Tells whether the client of this package is closed.
    """

    def __init__(self, http: httpx.Client, clock: Clock, is_closed: Callable[[], bool]) -> None:
        super().__init__(http, is_closed)
        self._http = http
        self.sleep = clock.sleep

    def send(self, request: httpx.Request) -> httpx.Response:
        _name_server(request)
        http = self._http
        if isinstance(http, DirectClient):
            return http.deliver(request)
        response = http.send(request, stream=True, follow_redirects=False)
        strip_credentials(response)
        return response

    def read(self, response: httpx.Response, is_late: Callable[[], bool] | None) -> bool:
        return read(response, is_late)

    def close(self, response: httpx.Response) -> None:
        response.close()


class AwaitingPort(_BasePort):
    """Carries out steps, awaiting each; as `BlockingPort`."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, is_closed: Callable[[], bool]) -> None:
        super().__init__(http, is_closed)
        self._http = http
        self._clock = clock

    def send(self, request: httpx.Request) -> Awaitable[httpx.Response]:
        _name_server(request)
        http = self._http
        return http.deliver(request) if isinstance(http, AsyncDirectClient) else self._send_lent(request)

    async def _send_lent(self, request: httpx.Request) -> httpx.Response:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        strip_credentials(response)
        return response

    def read(self, response: httpx.Response, is_late: Callable[[], bool] | None) -> Awaitable[bool]:
        return read_async(response, is_late)

    async def close(self, response: httpx.Response) -> None:
        import anyio

        # A task that is being cancelled still gives its connection back.
        with anyio.CancelScope(shield=True):
            await response.aclose()

    def sleep(self, seconds: float) -> Awaitable[None]:
        import anyio

        return (self._clock.sleep_async or anyio.sleep)(seconds)


def _name_server(request: httpx.Request) -> None:
    """Make TLS work for a host with an underscore, which Python takes for no name of a server."""
    if "_" in request.url.host:
        request.extensions["sni_hostname"] = request.url.host.replace("_", "-")
