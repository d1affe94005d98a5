"""`generated_client`: the client of the generated package, with a client of this one behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

import httpx

from .._contract.generated import GeneratedClient
from .._options import API_VERSION
from .clients import Anthropic, AsyncAnthropic
from .responses import RawAPIResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._contract.completion import Completion

    AnyClient: TypeAlias = Anthropic | AsyncAnthropic

# Headers that are made anew: of the request from its body, of the reply as its body is decoded.
_REQUEST_OWN = frozenset({"host", "content-length", "content-type"})
_REPLY_OWN = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def generated_client(client: AnyClient) -> GeneratedClient:
    """Return a client for the functions of `anthropic_completions_api`, which sends as `client` does.

    So `create_completion.sync` and its siblings raise this package's errors instead of returning or tripping
    over what is no completion, try again what may be tried again, and show no key. All settings of `client`
    hold, its `backend` too. The methods `with_headers` and `with_timeout` of what is returned work as well.

    Args:
        client: An `Anthropic` for `sync` and `sync_detailed`, an `AsyncAnthropic` for `asyncio` and
            `asyncio_detailed`. It is closed where the returned client is left as a context manager.

    Raises:
        TypeError: `client` is neither. The functions of the generated package raise one where the client is
            of the other kind, and otherwise what `completions.create` raises.
        ValueError: Raised by the functions of the generated package for `stream=True`, as they cannot read
            streams, and for what the contract does not allow.
    """
    if not isinstance(client, Anthropic | AsyncAnthropic):
        name = type(client).__name__
        raise TypeError(f"client: expected an Anthropic or an AsyncAnthropic, got a value of type {name}")
    timeout = client.timeout
    return GeneratedClient(
        base_url=str(client.base_url),
        timeout=timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout),
        httpx_args={"transport": _Transport(client), "trust_env": False},
    )


class _Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers the generated package's requests with replies to calls of `completions.create`."""

    def __init__(self, client: AnyClient) -> None:
        self._client = client
        with httpx.Client(transport=httpx.MockTransport(_never), trust_env=False) as http:
            self._httpx_headers = http.headers

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(self._client, Anthropic):
            raise _wrong_kind("Anthropic", "sync", self._client)
        return _response(self._client._complete(self._arguments(request), RawAPIResponse))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(self._client, AsyncAnthropic):
            raise _wrong_kind("AsyncAnthropic", "asyncio", self._client)
        return _response(await self._client._complete(self._arguments(request), RawAPIResponse))

    def _arguments(self, request: httpx.Request) -> Mapping[str, object]:
        """Return the arguments of `create` that say what a request says."""
        body = json.loads(request.content)
        if body.pop("stream", False):
            raise ValueError(
                "stream: expected False, as generated code reads no streams, got True; "
                "call completions.create(stream=True) of the client itself"
            )
        said = {
            name: value
            for name, value in request.headers.items()
            if name not in _REQUEST_OWN and self._httpx_headers.get(name) != value
        }
        if said.get("anthropic-version") == API_VERSION:
            del said["anthropic-version"]
        return {**body, "extra_headers": said, "timeout": httpx.Timeout(**request.extensions["timeout"])}

    def close(self) -> None:
        if isinstance(self._client, Anthropic):
            self._client.close()

    async def aclose(self) -> None:
        if isinstance(self._client, AsyncAnthropic):
            await self._client.close()


def _response(raw: RawAPIResponse[Completion]) -> httpx.Response:
    """Return the reply that the generated code is to read, whose body is a completion."""
    completion = raw.parse()
    headers = [pair for pair in raw.headers.multi_items() if pair[0] not in _REPLY_OWN]
    # Of the Messages API, the completion that its reply stands for.
    return httpx.Response(200, headers=headers, json=completion.to_dict())


def _wrong_kind(wanted: str, function: str, client: AnyClient) -> TypeError:
    return TypeError(
        f"{function}: expected a client that was made of an {wanted}, got one of an {type(client).__name__}"
    )


def _never(request: httpx.Request) -> httpx.Response:
    raise AssertionError("nothing is sent with this client")
