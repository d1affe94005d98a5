"""Carry out the steps of an exchange with an httpx client: blocking and awaiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import strip_credentials
from .._log import without_keys
from .bodies import SentBytes, read, read_async
from .clients import AsyncDirectClient, DirectClient, params_beside
from .transports.limit import Limit, limited

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx

    from .call import Call, Clock


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
        extensions: Mapping[str, object] | None = None,
    ) -> httpx.Request:
        http = self._client
        if isinstance(http, DirectClient | AsyncDirectClient):
            return http.prepare(
                method, url, headers=headers, content=content, timeout=timeout, extensions=extensions
            )
        request = http.build_request(
            method,
            url,
            params=params_beside(http, url),
            headers=headers,
            content=content,
            timeout=timeout,
            extensions=dict(extensions or {}),
        )
        if content:
            request.stream = SentBytes(content)
        return request


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

    def send(self, request: httpx.Request, call: Call) -> httpx.Response:
        _name_server(request)
        limit = call.limit()
        if limit is None:
            return self._send(request)
        with limited(limit):
            return self._send(request)

    def _send(self, request: httpx.Request) -> httpx.Response:
        http = self._http
        if isinstance(http, DirectClient):
            return http.deliver(request)
        with without_keys(request):
            response = http.send(request, stream=True, follow_redirects=False)
        strip_credentials(response)
        return response

    def read(self, response: httpx.Response, call: Call) -> bool:
        limit = call.limit()
        if limit is None:
            return read(response, call.max_reply_bytes)
        with limited(limit):
            return read(response, call.max_reply_bytes, _lateness(call))

    def close(self, response: httpx.Response) -> None:
        response.close()


class AwaitingPort(_BasePort):
    """Carries out steps, awaiting each; as `BlockingPort`."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock, is_closed: Callable[[], bool]) -> None:
        super().__init__(http, is_closed)
        self._http = http
        self._clock = clock

    def send(self, request: httpx.Request, call: Call) -> Awaitable[httpx.Response]:
        _name_server(request)
        limit = call.limit()
        return self._send(request) if limit is None else self._send_in_time(request, limit)

    def _send(self, request: httpx.Request) -> Awaitable[httpx.Response]:
        http = self._http
        return http.deliver(request) if isinstance(http, AsyncDirectClient) else self._send_lent(request)

    async def _send_in_time(self, request: httpx.Request, limit: Limit) -> httpx.Response:
        with limited(limit):
            return await self._send(request)

    async def _send_lent(self, request: httpx.Request) -> httpx.Response:
        with without_keys(request):
            response = await self._http.send(request, stream=True, follow_redirects=False)
        strip_credentials(response)
        return response

    def read(self, response: httpx.Response, call: Call) -> Awaitable[bool]:
        limit = call.limit()
        if limit is None:
            return read_async(response, call.max_reply_bytes)
        return self._read_in_time(response, call, limit)

    async def _read_in_time(self, response: httpx.Response, call: Call, limit: Limit) -> bool:
        with limited(limit):
            return await read_async(response, call.max_reply_bytes, _lateness(call))

    async def close(self, response: httpx.Response) -> None:
        import anyio

        # A task that is being cancelled still gives its connection back.
        with anyio.CancelScope(shield=True):
            await response.aclose()

    def sleep(self, seconds: float) -> Awaitable[None]:
        import anyio

        return (self._clock.sleep_async or anyio.sleep)(seconds)


def _lateness(call: Call) -> Callable[[], bool] | None:
    return None if call.deadline_at is None else call.is_late


def _name_server(request: httpx.Request) -> None:
    """Make TLS work for a host with an underscore, which Python takes for no name of a server."""
    if "_" in request.url.host:
        request.extensions["sni_hostname"] = request.url.host.replace("_", "-")
