"""`client.completions` of a client that belongs to another package."""

from __future__ import annotations

import functools
import inspect
from contextvars import ContextVar
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar, cast

from .._client.clients import Anthropic, AsyncAnthropic
from .._client.completions import AsyncCompletions, Completions
from .._options import NOT_GIVEN, omit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import ModuleType

    import httpx

    from .._client.responses import ReplyBase
    from .restoration import Restoration

    _AnyServer: TypeAlias = "_Server[Anthropic] | _Server[AsyncAnthropic]"
    _Unsaid = Mapping[type, object]

C = TypeVar("C", Anthropic, AsyncAnthropic)
F = TypeVar("F", bound="ReplyBase[object]")

# Of a client: its completions.
_KEPT = "_anthropic_completions"
# Of a function that was carried to a copy of a client: the function that was put around `create`.
_CARRIED = "_anthropic_completions_carried"
# What serves a call of a wrapper that was put around the completions of another client.
_acting: ContextVar[_AnyServer | None] = ContextVar("_acting", default=None)


class _TheirClient(Protocol):
    """What is used of a client of the other package."""

    api_key: str | None
    auth_token: str | None
    base_url: object
    timeout: object
    max_retries: int
    default_query: Mapping[str, object]
    custom_auth: object
    completions: RestoredCompletions | RestoredAsyncCompletions
    _client: object
    _custom_headers: Mapping[str, object]


class CompletionsAttribute:
    """The attribute `completions` of a class of clients.

    Args:
        restoration: What was done; its settings may change.
        package: The other package.
        kind: What its value is.
    """

    def __init__(
        self,
        restoration: Restoration,
        package: ModuleType,
        kind: type[RestoredCompletions | RestoredAsyncCompletions],
    ) -> None:
        self.restoration = restoration
        self._clouds = f"{package.__name__}.lib."
        self._kind = kind
        self._unsaid = {
            getattr(package, name): value
            for name, value in (("NotGiven", NOT_GIVEN), ("Omit", omit))
            if hasattr(package, name)
        }

    def __get__(self, client: _TheirClient | None, owner: type[object]) -> object:
        if client is None:
            return self
        if any(cls.__module__.startswith(self._clouds) for cls in owner.__mro__):
            raise AttributeError(f"{owner.__name__!r} object has no attribute 'completions'")
        settings = self.restoration.settings
        kept = vars(client).get(_KEPT)
        if kept is None or kept.server.settings is not settings:
            kept = vars(client)[_KEPT] = self._kind(client, settings, self._unsaid)
        return kept


class _Server(Generic[C]):
    """Serves the calls of one client's completions, with that client's settings as they are at each call.

    Args:
        theirs: The client.
        settings: The settings of the restoration.
        unsaid: The classes that the other package has for arguments that are not given, with what stands for
            them here.
    """

    def __init__(self, theirs: _TheirClient, settings: Mapping[str, object], unsaid: _Unsaid) -> None:
        self.settings = settings
        self.origin: _Server[C] = self
        self._theirs = theirs
        self._unsaid = unsaid
        self._made: tuple[object, object, C] | None = None

    def client(self) -> C:
        """Return the client of this package that serves a call now."""
        acting = _acting.get()
        server = self if acting is None or acting.origin is not self else cast("_Server[C]", acting)
        return server._own_client()

    def _own_client(self) -> C:
        settings = {**self.settings, **_settings(self._theirs)}
        shared = (self._theirs._client, self._theirs.custom_auth)
        if self._made is None or self._made[:2] != (settings, shared):
            made = self._client_through(*shared, str(settings["base_url"]))
            made._set(**settings)
            self._made = (settings, shared, made)
        return self._made[2]

    def _client_through(self, http: object, auth: object, base_url: str) -> C:
        raise NotImplementedError

    def _said(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return {name: self._unsaid.get(type(value), value) for name, value in arguments.items()}


class _BlockingServer(_Server[Anthropic]):
    def _client_through(self, http: object, auth: object, base_url: str) -> Anthropic:
        from .shared_http import SharedClient

        # The environment was asked by the other client already, or was not to be.
        shared = SharedClient(cast("httpx.Client", http), auth)
        return Anthropic(api_key="none", base_url=base_url, http_client=shared)

    def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        return self.client()._complete(self._said(arguments), form)


class _AwaitingServer(_Server[AsyncAnthropic]):
    def _client_through(self, http: object, auth: object, base_url: str) -> AsyncAnthropic:
        from .shared_http import SharedAsyncClient

        # The environment was asked by the other client already, or was not to be.
        shared = SharedAsyncClient(cast("httpx.AsyncClient", http), auth)
        return AsyncAnthropic(api_key="none", base_url=base_url, http_client=shared)

    async def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        return await self.client()._complete(self._said(arguments), form)


class RestoredCompletions(Completions):
    """As `Completions`.

    It stays the same object as long as its client, so that what is put around its methods stays as well.

    Attributes:
        server: What serves its calls.
    """

    def __init__(self, theirs: _TheirClient, settings: Mapping[str, object], unsaid: _Unsaid) -> None:
        self.server = _BlockingServer(theirs, settings, unsaid)
        super().__init__(self.server)


class RestoredAsyncCompletions(AsyncCompletions):
    """As `AsyncCompletions`; otherwise as `RestoredCompletions`."""

    def __init__(self, theirs: _TheirClient, settings: Mapping[str, object], unsaid: _Unsaid) -> None:
        self.server = _AwaitingServer(theirs, settings, unsaid)
        super().__init__(self.server)


def carrying(copy: Callable[..., _TheirClient]) -> Callable[..., object]:
    """Return a client's method `copy` that also carries what was put around `completions.create`."""

    @functools.wraps(copy)
    def copying(self: object, *args: object, **kwargs: object) -> object:
        new = copy(self, *args, **kwargs)
        kept = vars(self).get(_KEPT)
        if kept is not None and (wrapper := vars(kept).get("create")) is not None:
            new.completions.server.origin = kept.server.origin
            create = _served_by(new.completions.server, getattr(wrapper, _CARRIED, wrapper))
            vars(new.completions)["create"] = create
        return new

    return copying


def _served_by(server: _AnyServer, wrapper: Callable[..., object]) -> Callable[..., object]:
    """Return a function that calls a wrapper of `create`, and has a server serve the call inside."""

    @functools.wraps(wrapper)
    def call(*args: object, **kwargs: object) -> object:
        token = _acting.set(server)
        try:
            result = wrapper(*args, **kwargs)
        finally:
            _acting.reset(token)
        return wait(result) if inspect.isawaitable(result) else result

    async def wait(result: Awaitable[object]) -> object:
        token = _acting.set(server)
        try:
            return await result
        finally:
            _acting.reset(token)

    setattr(call, _CARRIED, wrapper)
    return call


def _settings(client: _TheirClient) -> dict[str, object]:
    """Return the settings of a client of the other package as `Options` has them."""
    given = {**getattr(client, "_credential_headers", {}), **client._custom_headers}
    headers = {name: value if isinstance(value, str) else omit for name, value in given.items()}
    key, token = client.api_key or None, client.auth_token or None
    if client.custom_auth is not None and key is None and token is None:
        headers.setdefault("Authorization", omit)  # the HTTP client's `auth` sets it
    return {
        "api_key": key,
        "auth_token": token,
        "base_url": str(client.base_url),
        "timeout": client.timeout,
        "max_retries": client.max_retries,
        "default_headers": headers,
        "default_query": dict(client.default_query),
    }
