"""The base of both clients: settings and their copies, and the httpx client behind them."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Generic

from .. import _options
from .._errors.callers import told_as
from .._http.pool import H, Pool, wrong_http_client
from .._options import (
    MAX_EVENT_BYTES,
    MAX_REPLY_BYTES,
    MAX_RETRIES,
    MAX_RETRY_AFTER,
    NOT_GIVEN,
    STREAM_END_GRACE,
    NotGiven,
    Omit,
    Options,
    is_given,
)
from .._options.markers import AI_PROMPT, HUMAN_PROMPT
from .._secrets import Secret, secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    import httpx

    from .._http.call import Clock
    from .._options import Backend, HeaderValues, ModelMapping, OnLoss, Prefill, QueryValues


class BaseClient(Generic[H]):
    """What both clients have in common: everything but sending, waiting and closing."""

    HUMAN_PROMPT = HUMAN_PROMPT
    AI_PROMPT = AI_PROMPT
    _asynchronous: ClassVar[bool]
    _make_http: Callable[[], H]  # makes the httpx client where none is given

    @staticmethod
    def _http_class() -> type[H]:
        """Return the class of the httpx client that can be given."""
        raise NotImplementedError

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | httpx.URL | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: int = MAX_RETRIES,
        max_retry_after: float | None = MAX_RETRY_AFTER,
        deadline: float | None = None,
        stream_idle_timeout: float | None = None,
        stream_end_grace: float = STREAM_END_GRACE,
        tolerate_abrupt_end: bool = False,
        max_event_bytes: int = MAX_EVENT_BYTES,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        default_headers: HeaderValues | None = None,
        default_query: QueryValues | None = None,
        http_client: H | None = None,
        middleware: Sequence[object] | None = None,
        backend: Backend | NotGiven = NOT_GIVEN,
        on_loss: OnLoss | NotGiven = NOT_GIVEN,
        model_map: ModelMapping | NotGiven | None = NOT_GIVEN,
        prefill: Prefill | NotGiven = NOT_GIVEN,
        thinking_room: int | NotGiven = NOT_GIVEN,
        learn: bool = True,
        model_warnings: bool = True,
    ) -> None:
        key: str | Secret | None = api_key
        token: str | Secret | None = auth_token
        if api_key is None and auth_token is None:
            key, token = (
                secret(name, _options.environment(name))
                for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
            )
        custom = _options.custom_headers(_options.environment("ANTHROPIC_CUSTOM_HEADERS"))
        self._pool = Pool(self._checked_http_client(http_client), self._make_http)
        named = _options.environment("ANTHROPIC_BASE_URL")
        self._options = Options(
            base_url_variable="ANTHROPIC_BASE_URL" if named and not base_url else None,
            **_options.checked(
                api_key=key,
                auth_token=token,
                timeout=timeout,
                max_retries=max_retries,
                max_retry_after=max_retry_after,
                deadline=deadline,
                stream_idle_timeout=stream_idle_timeout,
                stream_end_grace=stream_end_grace,
                tolerate_abrupt_end=tolerate_abrupt_end,
                max_event_bytes=max_event_bytes,
                max_reply_bytes=max_reply_bytes,
                default_headers=_options.layer_headers(
                    custom, _options.mapping("default_headers", default_headers)
                ),
                default_query=default_query,
                middleware=middleware,
                learn=learn,
                model_warnings=model_warnings,
            ),
            **_options.checked_or_environment(
                base_url=base_url or (NOT_GIVEN if named else _options.BASE_URL),
                backend=backend,
                on_loss=on_loss,
                model_map=model_map,
                prefill=prefill,
                thinking_room=thinking_room,
            ),
        )
        self._check_middleware()

    def __init_subclass__(cls, **options: object) -> None:
        # Python tells of a wrong argument by this name. Subclasses of both clients inherit theirs.
        super().__init_subclass__(**options)
        if BaseClient in cls.__bases__:
            setattr(cls, "__init__", told_as(cls.__name__, BaseClient.__init__))  # noqa: B010

    def _checked_http_client(self, http_client: H | None) -> H | None:
        if http_client is None:
            return None
        if not isinstance(http_client, wanted := self._http_class()):
            raise wrong_http_client(http_client, wanted)
        return http_client

    # Settings, read; these can be set as well, for the calls that begin after it

    @property
    def api_key(self) -> str | None:
        """The key."""
        return None if self._options.api_key is None else self._options.api_key.reveal()

    @api_key.setter
    def api_key(self, key: str | None) -> None:
        self._set(api_key=key)

    @property
    def auth_token(self) -> str | None:
        """The token."""
        return None if self._options.auth_token is None else self._options.auth_token.reveal()

    @auth_token.setter
    def auth_token(self, token: str | None) -> None:
        self._set(auth_token=token)

    @property
    def base_url(self) -> httpx.URL:
        """Where requests go, with a slash at the end."""
        import httpx

        url = httpx.URL(self._options.base_url)
        return url if url.raw_path.endswith(b"/") else url.copy_with(path=f"{url.path}/")

    @base_url.setter
    def base_url(self, url: str | httpx.URL) -> None:
        self._set(base_url=url)

    @property
    def timeout(self) -> float | httpx.Timeout | None:
        """The time limits: seconds, an `httpx.Timeout`, or None for no limit."""
        if not isinstance(self._options.timeout, NotGiven):
            return self._options.timeout
        from .calls import default_timeout

        return default_timeout(self._pool.opened())

    @timeout.setter
    def timeout(self, limits: float | httpx.Timeout | None) -> None:
        self._set(timeout=limits)

    @property
    def max_retries(self) -> int:
        """How often a request is tried again."""
        return self._options.max_retries

    @max_retries.setter
    def max_retries(self, number: int) -> None:
        self._set(max_retries=number)

    # Settings, read

    @property
    def default_query(self) -> Mapping[str, object]:
        """The query parameters of every request."""
        return dict(self._options.default_query)

    @property
    def default_headers(self) -> dict[str, str | Omit]:
        """The headers of every request, the credentials among them."""
        from .calls import client_headers

        return client_headers(self._options)

    @property
    def auth_headers(self) -> dict[str, str]:
        """The headers that say who calls."""
        from .calls import credentials

        return credentials(self._options)

    @property
    def middleware(self) -> tuple[object, ...]:
        """The functions around each attempt, the outermost first."""
        return self._options.middleware

    def is_closed(self) -> bool:
        """Whether the client was closed, or its `http_client` was."""
        return self._pool.is_closed()

    # Settings, changed

    def copy(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | httpx.URL | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        max_retries: int | NotGiven = NOT_GIVEN,
        max_retry_after: float | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        stream_idle_timeout: float | NotGiven | None = NOT_GIVEN,
        stream_end_grace: float | NotGiven = NOT_GIVEN,
        tolerate_abrupt_end: bool | NotGiven = NOT_GIVEN,
        max_event_bytes: int | NotGiven = NOT_GIVEN,
        max_reply_bytes: int | NotGiven = NOT_GIVEN,
        default_headers: HeaderValues | None = None,
        set_default_headers: HeaderValues | None = None,
        default_query: QueryValues | None = None,
        set_default_query: QueryValues | None = None,
        http_client: H | None = None,
        middleware: Sequence[object] | NotGiven | None = NOT_GIVEN,
        backend: Backend | NotGiven = NOT_GIVEN,
        on_loss: OnLoss | NotGiven = NOT_GIVEN,
        model_map: ModelMapping | NotGiven | None = NOT_GIVEN,
        prefill: Prefill | NotGiven = NOT_GIVEN,
        thinking_room: int | NotGiven = NOT_GIVEN,
        learn: bool | NotGiven = NOT_GIVEN,
        model_warnings: bool | NotGiven = NOT_GIVEN,
    ) -> Self:
        """Return a client with some settings changed.

        It shares this one's connections, unless `http_client` is given; closing one closes both. Arguments
        that are not told here mean what they mean for the client; what is not given stays.

        Args:
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
            "stream_end_grace": stream_end_grace,
            "tolerate_abrupt_end": tolerate_abrupt_end,
            "max_event_bytes": max_event_bytes,
            "max_reply_bytes": max_reply_bytes,
            "default_headers": _options.layer_headers(
                _options.mapping("set_default_headers", headers),
                _options.mapping("default_headers", default_headers),
            ),
            "default_query": {
                **_options.mapping("set_default_query", query),
                **_options.mapping("default_query", default_query),
            },
            "middleware": middleware,
            "backend": backend,
            "on_loss": on_loss,
            "model_map": model_map,
            "prefill": prefill,
            "thinking_room": thinking_room,
            "learn": learn,
            "model_warnings": model_warnings,
        }
        changed = _options.checked(**{name: value for name, value in given.items() if is_given(value)})
        new = copy(self)
        new._options = old.changed(**changed)
        if http_client is not None:
            new._pool = Pool(self._checked_http_client(http_client), self._make_http)
        new._check_middleware()
        return new

    with_options = copy

    def with_middleware(self, *middleware: object) -> Self:
        """Return a client with further middleware, within that of this one."""
        return self.copy(middleware=(*self.middleware, *middleware))

    # The rest

    def __repr__(self) -> str:
        options = vars(self).get("_options")  # not there where making it failed, as debuggers show it
        return f"{type(self).__name__}({f'base_url={options.base_url!r}' if options else 'not made'})"

    def __getstate__(self) -> dict[str, object]:
        # Without what belongs to this very object: its resources, which refer to it.
        return {name: value for name, value in vars(self).items() if name not in _OWN}

    @cached_property
    def _clock(self) -> Clock:
        from .._http.call import Clock

        return Clock()

    def _set(self, **settings: object) -> None:
        self._options = self._options.changed(**_options.checked(**settings))

    def _check_middleware(self) -> None:
        if self._options.middleware:
            from .middleware import check_middleware

            check_middleware(self._options.middleware, asynchronous=self._asynchronous)


_OWN = frozenset({"_clock", "completions", "with_raw_response", "with_streaming_response"})
