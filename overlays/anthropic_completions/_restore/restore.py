"""`restore`: completions for the clients of an `anthropic` package that has none any more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _options
from .._client.clients import Anthropic, AsyncAnthropic
from .._options import NOT_GIVEN, omit
from ..prompts import AI_PROMPT, HUMAN_PROMPT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType, TracebackType
    from typing import Self

    from .._client.responses import ReplyBase
    from .._options import Backend, OnLoss

F = TypeVar("F", bound="ReplyBase[object]")

_MARKERS = {"HUMAN_PROMPT": HUMAN_PROMPT, "AI_PROMPT": AI_PROMPT}
_ABSENT = object()
# Of a client: what was last made of its settings, with these.
_KEPT = "_anthropic_completions"
_lock = threading.Lock()


def restore(
    anthropic: ModuleType,
    *,
    backend: Backend = "messages",
    on_loss: OnLoss = "warn",
    model_warnings: bool = True,
) -> Restoration:
    """Give an `anthropic` package back `HUMAN_PROMPT`, `AI_PROMPT` and `client.completions`.

        import anthropic
        from anthropic_completions import restore

        restore(anthropic)
        anthropic.Anthropic().completions.create(...)

    For programs and frameworks that import the package themselves, with its releases 1.x and 2.x. The clients
    are `Anthropic` and `AsyncAnthropic`, their subclasses and their copies, those that were made before
    included. The clouds' clients, which sign requests in other ways, get none.

    `client.completions` is this package's, with its arguments, results and errors: to catch those, catch
    `anthropic_completions.APIError`. It uses the client's key or token, base URL, time limits, number of
    retries, default headers and query, as they are at the moment, and sends through the client's own HTTP
    client, so that its connections, proxies and certificates serve it too. The client's middleware is not
    run, and the API version is that of completions.

    Calling it again changes the settings and restores nothing twice; one `undo()` takes back all. A package
    that still has completions of its own (0.x) gets these in their place.

    Args:
        anthropic: The package, imported.
        backend: As for `Anthropic`, but `messages` where it is not given: no publicly documented model is
            known to answer on the old endpoint.
        on_loss: As for `Anthropic`.
        model_warnings: As for `Anthropic`.

    Returns:
        What `undo()` is called on to take all of it back; it is a context manager that does so at its end.

    Raises:
        TypeError: It is not the package.
        TypeError, ValueError: A setting is wrong.
    """
    settings = _options.checked(backend=backend, on_loss=on_loss, model_warnings=model_warnings)
    classes = {getattr(anthropic, name, None): ours for name, ours in _CLIENTS.items()}
    if not all(isinstance(cls, type) for cls in classes):
        raise TypeError(f"anthropic: expected the package, imported, got {anthropic!r:.60}")
    with _lock:
        for cls in classes:
            present = vars(cls).get("completions")
            if isinstance(present, _Completions):
                present.restoration.settings = settings
                return present.restoration
        restoration = Restoration(settings)
        for name, value in _MARKERS.items():
            restoration.put(anthropic, name, value)
        for cls, ours in classes.items():
            for name, value in _MARKERS.items():
                restoration.put(cls, name, value)
            restoration.put(cls, "completions", _Completions(restoration, anthropic, ours))
        return restoration


class Restoration:
    """What `restore` did.

    Attributes:
        settings: The settings of the clients that it makes.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self._before: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, value: object) -> None:
        """Set an attribute, and remember what it was."""
        self._before.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Take all of it back. Safe to call twice."""
        with _lock:
            while self._before:
                owner, name, value = self._before.pop()
                if value is not _ABSENT:
                    setattr(owner, name, value)
                elif name in vars(owner):  # somebody may have taken it away already
                    delattr(owner, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.undo()


class _Completions:
    """The attribute `completions` of a class of clients."""

    def __init__(
        self, restoration: Restoration, package: ModuleType, ours: type[_Anthropic | _AsyncAnthropic]
    ) -> None:
        self.restoration = restoration
        self._clouds = f"{package.__name__}.lib."
        self._ours = ours
        self._unsaid = {
            getattr(package, name): value
            for name, value in (("NotGiven", NOT_GIVEN), ("Omit", omit))
            if hasattr(package, name)
        }

    def __get__(self, client: Any, owner: type[Any]) -> Any:
        if client is None:
            return self
        if any(cls.__module__.startswith(self._clouds) for cls in owner.__mro__):
            raise AttributeError(f"{owner.__name__!r} object has no attribute 'completions'")
        settings = {**self.restoration.settings, **_settings(client)}
        shared = (client._client, client.custom_auth)
        kept = vars(client).get(_KEPT)
        if kept is None or kept[:2] != (settings, shared):
            kept = vars(client)[_KEPT] = (settings, shared, self._made(settings, *shared))
        return kept[2].completions

    def _made(self, settings: Mapping[str, Any], http: Any, auth: Any) -> Any:
        made = self._ours.sharing(http, auth, settings["base_url"])
        made._set(**settings)
        made.unsaid = self._unsaid
        return made


class _TakesTheirs:
    """Takes what the other package has for arguments that are not given.

    Attributes:
        unsaid: Its classes, with what stands for them here.
    """

    unsaid: Mapping[type, Any]

    def _said(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return {name: self.unsaid.get(type(value), value) for name, value in arguments.items()}


class _Anthropic(_TakesTheirs, Anthropic):
    @classmethod
    def sharing(cls, http: Any, auth: Any, base_url: str) -> Self:
        """Return a client that sends through the HTTP client of another one."""
        from .shared_http import SharedClient

        # The environment was asked by the other client already, or was not to be.
        return cls(api_key="none", base_url=base_url, http_client=SharedClient(http, auth))

    def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        return super()._complete(self._said(arguments), form)


class _AsyncAnthropic(_TakesTheirs, AsyncAnthropic):
    @classmethod
    def sharing(cls, http: Any, auth: Any, base_url: str) -> Self:
        """Return a client that sends through the HTTP client of another one."""
        from .shared_http import SharedAsyncClient

        # The environment was asked by the other client already, or was not to be.
        return cls(api_key="none", base_url=base_url, http_client=SharedAsyncClient(http, auth))

    async def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        return await super()._complete(self._said(arguments), form)


_CLIENTS = {"Anthropic": _Anthropic, "AsyncAnthropic": _AsyncAnthropic}


def _settings(client: Any) -> dict[str, Any]:
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
