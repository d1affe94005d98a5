"""What both clients share: settings and their layers, and the httpx client behind them."""

from __future__ import annotations

import os
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from . import _options
from ._constants import AI_PROMPT, HUMAN_PROMPT
from ._options import MAX_RETRIES, NOT_GIVEN, NotGiven, Omit, Options, is_given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import httpx

    from ._options import HeaderValues, QueryValues
    from ._transport import Clock

T = TypeVar("T")


class _Pool:
    """The httpx client of one or more clients: made when first needed, and made anew after a fork."""

    def __init__(self, given: Any, kind: str) -> None:
        self._given = given
        self._kind = kind
        # By process: a child must not use its parent's connections, as both would read from them.
        self._made: dict[int, Any] = {}
        self.closed = False

    def get(self) -> Any:
        """Return the httpx client."""
        process = os.getpid()
        client = self._given or self._made.get(process)
        if client is None:
            from . import _http

            # Of two threads one's is kept; the other's was not used.
            client = self._made.setdefault(process, getattr(_http, self._kind)())
        return client

    def opened(self) -> list[Any]:
        """Return the httpx clients that there are in this process, none or one."""
        client = self._given or self._made.get(os.getpid())
        return [] if client is None else [client]

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, here or by the owner of a given httpx client."""
        return self.closed or any(client.is_closed for client in self.opened())

    def __reduce__(self) -> tuple[Any, ...]:
        return _Pool, (self._given, self._kind)


class BaseClient:
    """What both clients share: all but sending, waiting and closing."""

    HUMAN_PROMPT = HUMAN_PROMPT
    AI_PROMPT = AI_PROMPT
    _http_kind: str
    _http_type: str

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | httpx.URL | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: int = MAX_RETRIES,
        max_retry_after: float = 60.0,
        deadline: float | None = None,
        stream_idle_timeout: float | None = None,
        max_event_bytes: int = 16 * 1024 * 1024,
        default_headers: HeaderValues | None = None,
        default_query: QueryValues | None = None,
        http_client: Any = None,
        middleware: Sequence[Any] | None = None,
    ) -> None:
        if api_key is None and auth_token is None:
            api_key = _options.environment("ANTHROPIC_API_KEY")
            auth_token = _options.environment("ANTHROPIC_AUTH_TOKEN")
        custom = _options.custom_headers(_options.environment("ANTHROPIC_CUSTOM_HEADERS"))
        self._pool = _Pool(self._checked_http_client(http_client), self._http_kind)
        self._options = Options(
            **_options.checked(
                api_key=api_key,
                auth_token=auth_token,
                base_url=base_url or _options.environment("ANTHROPIC_BASE_URL") or _options.BASE_URL,
                timeout=timeout,
                max_retries=max_retries,
                max_retry_after=max_retry_after,
                deadline=deadline,
                stream_idle_timeout=stream_idle_timeout,
                max_event_bytes=max_event_bytes,
                default_headers=_options.layer_headers(custom, default_headers),
                default_query=default_query or {},
                middleware=middleware or (),
            )
        )
        self._check_middleware()

    def _checked_http_client(self, http_client: Any) -> Any:
        if http_client is None:
            return None
        import httpx

        wanted = getattr(httpx, self._http_type)
        if not isinstance(http_client, wanted):
            came = f"{type(http_client).__module__}.{type(http_client).__qualname__}"
            raise TypeError(f"http_client: expected an httpx.{self._http_type}, got a {came}")
        return http_client

    # Settings, read

    @property
    def api_key(self) -> str | None:
        """The key."""
        return None if self._options.api_key is None else self._options.api_key.reveal()

    @property
    def auth_token(self) -> str | None:
        """The token."""
        return None if self._options.auth_token is None else self._options.auth_token.reveal()

    @property
    def base_url(self) -> httpx.URL:
        """Where requests go, with a slash at the end. It can be set."""
        import httpx

        return httpx.URL(f"{self._options.base_url}/")

    @base_url.setter
    def base_url(self, url: str | httpx.URL) -> None:
        self._options = replace(self._options, base_url=_options.base_url(str(url)))

    @property
    def timeout(self) -> float | httpx.Timeout | None:
        """The time limits: seconds, an `httpx.Timeout`, or None for no limit."""
        if not isinstance(self._options.timeout, NotGiven):
            return self._options.timeout
        from ._calls import default_timeout

        return default_timeout(self._pool.opened())

    @property
    def max_retries(self) -> int:
        """How often a request is tried again."""
        return self._options.max_retries

    @property
    def default_query(self) -> Mapping[str, object]:
        """The query parameters of every request."""
        return dict(self._options.default_query)

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        """The headers of every request, the credentials among them."""
        from ._calls import client_headers

        return client_headers(self._options)

    @property
    def auth_headers(self) -> dict[str, str]:
        """The headers that say who calls."""
        from ._calls import credentials

        return credentials(self._options)

    @property
    def middleware(self) -> tuple[Any, ...]:
        """The functions around each attempt, the outermost first."""
        return self._options.middleware

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed, or its `http_client` was."""
        return self._pool.is_closed

    # Settings, changed

    def copy(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | httpx.URL | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: int | NotGiven = NOT_GIVEN,
        max_retry_after: float | NotGiven = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        stream_idle_timeout: float | NotGiven | None = NOT_GIVEN,
        max_event_bytes: int | NotGiven = NOT_GIVEN,
        default_headers: HeaderValues | None = None,
        set_default_headers: HeaderValues | None = None,
        default_query: QueryValues | None = None,
        set_default_query: QueryValues | None = None,
        http_client: Any = None,
        middleware: Sequence[Any] | NotGiven | None = NOT_GIVEN,
    ) -> Self:
        """Return a client with some settings changed.

        It shares this one's connections, unless `http_client` is given; closing one closes both.

        Args:
            api_key, auth_token, base_url, timeout, max_retries, max_retry_after, deadline,
                stream_idle_timeout, max_event_bytes, http_client, middleware: As for the client; what is
                not given stays.
            default_headers: Headers to add to the default ones; `omit` takes one away.
            set_default_headers: Headers in place of the default ones.
            default_query: Query parameters to add to the default ones.
            set_default_query: Query parameters in place of the default ones.

        Raises:
            TypeError, ValueError: An argument is wrong, or an adding and a replacing one come together.
        """
        for name, add, put in (
            ("headers", default_headers, set_default_headers),
            ("query", default_query, set_default_query),
        ):
            if add is not None and put is not None:
                raise ValueError(f"default_{name} and set_default_{name}: expected one of them, got both")
        old = self._options
        headers = old.default_headers if set_default_headers is None else set_default_headers
        query = old.default_query if set_default_query is None else set_default_query
        given = {
            "api_key": NOT_GIVEN if api_key is None else api_key,
            "auth_token": NOT_GIVEN if auth_token is None else auth_token,
            "base_url": NOT_GIVEN if base_url is None else base_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "max_retry_after": max_retry_after,
            "deadline": deadline,
            "stream_idle_timeout": stream_idle_timeout,
            "max_event_bytes": max_event_bytes,
            "default_headers": _options.layer_headers(headers, default_headers),
            "default_query": {**query, **(default_query or {})},
            "middleware": () if middleware is None else middleware,
        }
        changed = _options.checked(**{name: value for name, value in given.items() if is_given(value)})
        new = copy(self)
        new._options = replace(old, **changed)
        if http_client is not None:
            new._pool = _Pool(self._checked_http_client(http_client), self._http_kind)
        new._check_middleware()
        return new

    with_options = copy

    def with_middleware(self, *middleware: Any) -> Self:
        """Return a client with further middleware, within that of this one."""
        return self.copy(middleware=(*self.middleware, *middleware))

    # The rest

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._options.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        # Without what belongs to this very object: its resources, which refer to it.
        return {name: value for name, value in vars(self).items() if name not in _OWN}

    @cached_property
    def _clock(self) -> Clock:
        from ._transport import Clock

        return Clock()

    def _check_middleware(self) -> None:
        if self._options.middleware:
            from ._middleware import check_middleware

            check_middleware(self._options.middleware, asynchronous=self._http_type == "AsyncClient")


_OWN = frozenset({"_clock", "completions", "with_raw_response", "with_streaming_response"})
