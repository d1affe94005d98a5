"""The stand-in in process: requests in, replies out, and the httpx transport between them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from .._client import Anthropic, AsyncAnthropic
from ._behaviour import Reply, reply_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from contextlib import AbstractContextManager

_KEY = "stand-in"


@dataclass(frozen=True, slots=True)
class Received:
    """A request that the stand-in got.

    Attributes:
        method: The HTTP method.
        path: The path, without the query.
        headers: The headers, names in lower case.
        body: The body's bytes.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON value.

        Raises:
            ValueError: The body is no JSON.
        """
        return json.loads(self.body)


class StandIn:
    """Answers as the service does on the wire, with text made up from the prompt.

    Requests are checked against the contract; the API reference's example gets the reference's reply.

    Attributes:
        received: The requests so far, in the order in which they came.
    """

    def __init__(self) -> None:
        self.received: list[Received] = []

    def handle(self, received: Received) -> Reply:
        """Note a request and return the reply to it."""
        self.received.append(received)
        number = len(self.received)
        return reply_to(received.method, received.path, received.headers, received.body, number=number)

    def transport(self) -> httpx.MockTransport:
        """Return a transport for `httpx.Client` or `httpx.AsyncClient`."""
        return httpx.MockTransport(self._respond)

    def client(self, **options: Any) -> Anthropic:
        """Return a client of this stand-in; the options are those of `Anthropic`."""
        http = httpx.Client(transport=self.transport())
        return Anthropic(**{"api_key": _KEY, "base_url": "http://stand-in", "http_client": http, **options})

    def async_client(self, **options: Any) -> AsyncAnthropic:
        """Return a client of this stand-in; the options are those of `AsyncAnthropic`."""
        http = httpx.AsyncClient(transport=self.transport())
        return AsyncAnthropic(
            **{"api_key": _KEY, "base_url": "http://stand-in", "http_client": http, **options}
        )

    def serve(self, *, port: int = 0) -> AbstractContextManager[str]:
        """Serve on a loopback port while the context lasts; the context's value is the URL.

        Args:
            port: The port, or 0 for any that is free.

        Raises:
            ImportError: The extra `server` is not installed.
        """
        from ._server import serve

        return serve(self.handle, port)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        received = Received(request.method, request.url.path, dict(request.headers), request.content)
        reply = self.handle(received)
        return httpx.Response(reply.status, headers=reply.headers, stream=_Pieces(reply.pieces))


class _Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in the pieces in which it is sent."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
