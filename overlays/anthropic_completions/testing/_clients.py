"""Make clients that send nothing over a network, and share the clock of what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from .._client.clients import Anthropic, AsyncAnthropic

if TYPE_CHECKING:
    from collections.abc import Mapping


def sync_client(transport: httpx.BaseTransport, clock: object, options: Mapping[str, Any]) -> Anthropic:
    """Return a client that sends through a transport."""
    http = httpx.Client(transport=transport)
    client = _Client(**{"http_client": http, **options})
    client._clock_in_use = clock
    return client


def async_client(
    transport: httpx.AsyncBaseTransport, clock: object, options: Mapping[str, Any]
) -> AsyncAnthropic:
    """Return a client that sends through a transport."""
    http = httpx.AsyncClient(transport=transport)
    client = _AsyncClient(**{"http_client": http, **options})
    client._clock_in_use = clock
    return client


def _clock(client: _Client | _AsyncClient) -> object:
    return client._clock_in_use


class _Client(Anthropic):
    """A client whose copies have its clock, too."""

    _clock_in_use: object
    _clock = property(_clock)  # pyright: ignore[reportAssignmentType]


class _AsyncClient(AsyncAnthropic):
    """A client whose copies have its clock, too."""

    _clock_in_use: object
    _clock = property(_clock)  # pyright: ignore[reportAssignmentType]


_Client.__name__ = "Anthropic"
_AsyncClient.__name__ = "AsyncAnthropic"
