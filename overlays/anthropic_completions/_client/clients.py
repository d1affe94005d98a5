"""`Anthropic` and `AsyncAnthropic`: what they send with, `post`, closing, and their resources.

httpx and the generated package load with the first call, not with this module.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from .._http.pool import awaiting_client, blocking_client
from .base import BaseClient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    import httpx

    from .._options import RequestOptions
    from .calls import Prepared
    from .completions import (
        AsyncClientWithRawResponse,
        AsyncClientWithStreamingResponse,
        AsyncCompletions,
        ClientWithRawResponse,
        ClientWithStreamingResponse,
        Completions,
    )
    from .responses import ReplyBase

T = TypeVar("T")
F = TypeVar("F", bound="ReplyBase[object]")

_DOC = """Makes requests to the Text Completions API.

    Safe to share between threads. After a fork, and in another event loop, it opens connections of its own,
    unless `http_client` is given. Making one does no input or output; the first call opens connections.
    Close it, or use it as a context manager, to close them.

    What is tried again: requests that could not be sent or whose reply broke off before anything of it was
    returned, and replies with status 408, 409, 429 or from 500 on; the service's `x-should-retry` decides
    where it is sent. At most `max_retries` times, after the seconds that the service asks for
    (`retry-after-ms`, `retry-after`) or else after `min(0.5 * 2 ** n, 8) * (1 - 0.25 * random())` seconds
    for the retry number n, from 0. A stream is not tried again once a chunk has come.

    With ANTHROPIC_LOG set to `info` or `debug` when the first call is made, retries and requests are logged,
    under `anthropic_completions` and `httpx`: without credentials, and without bodies unless
    ANTHROPIC_LOG_BODIES is set as well.

    Args:
        api_key: The key, sent as `x-api-key`; otherwise ANTHROPIC_API_KEY.
        auth_token: A token, sent as `Authorization: Bearer`; otherwise ANTHROPIC_AUTH_TOKEN. The
            environment is asked for neither where one of the two is given.
        base_url: Where requests go, a gateway's path included; otherwise ANTHROPIC_BASE_URL, otherwise
            https://api.anthropic.com. It may end in `/v1` or `/v1/complete`, and has neither a query nor a
            password.
        timeout: Seconds for each of connecting, sending and waiting for bytes, an `httpx.Timeout`, or None
            for no limit. Otherwise 600 s, and 5 s to connect.
        max_retries: How often a request is tried again, 0 or more.
        max_retry_after: The longest wait, in seconds, that the service may ask for; None for no limit.
            Where it asks for more, the error is raised at once, with `retry_after`.
        deadline: Seconds for a whole call with all its attempts and waits; None for no limit. The call
            returns or raises by then, whatever the other side does, and a stream ends by then. Two things
            are beyond it: a blocking look-up of a host's name, and with an `http_client` of another class
            than httpx's, reads that last longer.
        stream_idle_timeout: The most seconds of waiting that a stream may go without a completion event
            (pings do not count), the reply's head counted as one; None for no limit.
        stream_end_grace: Seconds, 0 or more, to wait for the end of a stream after its stop reason. A
            stream whose connection stays open then is complete, and its connection is closed.
        tolerate_abrupt_end: Whether a stream that has its stop reason is complete also where its connection
            breaks before HTTP's own end. Otherwise that raises `IncompleteStreamError`, whose `completion`
            and `stop_reason` tell what had come: a broken connection is no proof that nothing is missing.
        max_event_bytes: The most bytes of one event of a stream.
        max_reply_bytes: The most bytes of one reply, of a stream with all its events, after decompression.
        default_headers: Headers of every request. They override the client's own, without regard to case,
            and `omit` takes one away; both override ANTHROPIC_CUSTOM_HEADERS (a `Name: value` in
            each line; lines without a colon are passed over).
        default_query: Query parameters of every request.
        http_client: An `httpx.{http}` to send with; it is closed with this client. Its time limits hold
            where `timeout` is not given and they are not httpx's own default.
        middleware: Functions `(request, call_next)` around each attempt, the outermost first.
        backend: Which endpoint serves `completions.create`: `completions`, the old one; `messages`, the
            Messages API, with requests and replies translated as `anthropic_completions.messages` says;
            `auto`, the old one, and Messages from then on for a model of which the service answers that it
            serves it by Messages only, or that it does not know (404) while the contract does. It is told
            once with a `BackendSwitchWarning`, and copies of the client with the same `base_url` know it
            too. Otherwise ANTHROPIC_COMPLETIONS_BACKEND, otherwise `completions`. Raw replies of Messages
            show the message; `parse()` makes the completion of it.
        on_loss: What to do where a request holds what Messages has no counterpart for, before it is sent:
            `warn` with a `LossWarning`, raise a `LossError` (`error`), or `drop` it in silence. Otherwise
            ANTHROPIC_COMPLETIONS_ON_LOSS, otherwise `warn`.
        model_map: Models to ask for in place of others: names, or patterns with `*`, `?` and `[…]`, to names,
            where names override patterns; or `recommended`, what the contract recommends for retired models.
            Told once per process with a `ModelMapWarning`. Otherwise ANTHROPIC_COMPLETIONS_MODEL_MAP
            (`old=new,old=new`, or `recommended`), otherwise none.
        prefill: What becomes of a prefill, text that the answer shall begin with, where Messages refuses it
            for the model: `drop` leaves it out; `instruct` asks for it in words and takes it off the answer;
            `error` raises a `LossError`. Otherwise ANTHROPIC_COMPLETIONS_PREFILL, otherwise `drop`.
        thinking_room: Tokens, from 0, by which the cap grows for models that always think on Messages.
            Otherwise ANTHROPIC_COMPLETIONS_THINKING_ROOM, otherwise 8192.
        learn: Whether to do without what Messages refuses (400) of a request where it names it: in one more
            request, outside of `max_retries`, and from then on for the model and `base_url`. Losses are
            told as `on_loss` says.
        model_warnings: Whether `completions.create` warns of models that are deprecated
            (`DeprecationWarning`) or retired (`RetiredModelWarning`), once per model and process. It does
            where `base_url` is Anthropic's own service only: others keep models as long as they like.

    Raises:
        TypeError, ValueError: An argument is wrong. A credential's text is never repeated.
    """


class Anthropic(BaseClient["httpx.Client"]):
    __doc__ = _DOC.format(http="Client")

    _asynchronous = False
    _make_http = staticmethod(blocking_client)

    @staticmethod
    def _http_class() -> type[httpx.Client]:
        import httpx

        return httpx.Client

    @cached_property
    def completions(self) -> Completions:
        """Text completions."""
        from .completions import Completions

        return Completions(self)

    @cached_property
    def with_raw_response(self) -> ClientWithRawResponse:
        """The same resources, returning HTTP replies, which are read already and parsed on demand."""
        from .completions import ClientWithRawResponse

        return ClientWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> ClientWithStreamingResponse:
        """The same resources, as context managers of HTTP replies, whose bodies are not read yet."""
        from .completions import ClientWithStreamingResponse

        return ClientWithStreamingResponse(self)

    def post(
        self,
        path: str,
        *,
        cast_to: type[T],
        body: Mapping[str, object] | None = None,
        options: RequestOptions | None = None,
        stream: bool = False,
        stream_cls: type[object] | None = None,
    ) -> Any:
        """Send a POST with a body of your own, for requests that `create` has no arguments for.

        Args:
            path: Where to, from `base_url` on, such as `/v1/complete`.
            cast_to: What to return: `Completion`, `dict`, `list`, `str`, `bytes` or `httpx.Response`.
            body: The JSON object to send, unchecked.
            options: `headers`, `params`, `timeout`, `max_retries`, `extra_json` of this request.
            stream: Whether to return the `Stream` of the reply.
            stream_cls: Of no effect; there is one kind of stream.

        Raises:
            APIError: As `completions.create`.
        """
        from .calls import Caller, raw_call
        from .responses import RawAPIResponse

        caller = Caller(self._options, self._clock, self._pool.get())
        prepared = raw_call(caller, path, body, options, stream=stream)
        reply = self._exchange(prepared, RawAPIResponse)
        return reply.parse() if stream else reply.parse(to=cast_to)

    def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        from .sending import complete

        return complete(self, arguments, form)

    def _exchange(self, prepared: Prepared, form: type[F]) -> F:
        from .sending import carry_out

        return carry_out(self, prepared, form)

    def close(self) -> None:
        """Close the connections, also those of a given `http_client` and of copies."""
        self._pool.closed = True
        for http in self._pool.opened():
            http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncAnthropic(BaseClient["httpx.AsyncClient"]):
    __doc__ = _DOC.format(http="AsyncClient")

    _asynchronous = True
    _make_http = staticmethod(awaiting_client)

    @staticmethod
    def _http_class() -> type[httpx.AsyncClient]:
        import httpx

        return httpx.AsyncClient

    @cached_property
    def completions(self) -> AsyncCompletions:
        """Text completions."""
        from .completions import AsyncCompletions

        return AsyncCompletions(self)

    @cached_property
    def with_raw_response(self) -> AsyncClientWithRawResponse:
        """The same resources, returning HTTP replies, which are read already and parsed on demand."""
        from .completions import AsyncClientWithRawResponse

        return AsyncClientWithRawResponse(self)

    @cached_property
    def with_streaming_response(self) -> AsyncClientWithStreamingResponse:
        """The same resources, as context managers of HTTP replies, whose bodies are not read yet."""
        from .completions import AsyncClientWithStreamingResponse

        return AsyncClientWithStreamingResponse(self)

    async def post(
        self,
        path: str,
        *,
        cast_to: type[T],
        body: Mapping[str, object] | None = None,
        options: RequestOptions | None = None,
        stream: bool = False,
        stream_cls: type[object] | None = None,
    ) -> Any:
        """Send a POST with a body of your own; see `Anthropic.post`."""
        from .calls import Caller, raw_call
        from .responses import RawAPIResponse

        caller = Caller(self._options, self._clock, self._pool.get())
        prepared = raw_call(caller, path, body, options, stream=stream)
        reply = await self._exchange(prepared, RawAPIResponse)
        return reply.parse() if stream else reply.parse(to=cast_to)

    async def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        from .sending import complete_async

        return await complete_async(self, arguments, form)

    async def _exchange(self, prepared: Prepared, form: type[F]) -> F:
        from .sending import carry_out_async

        return await carry_out_async(self, prepared, form)

    async def close(self) -> None:
        """Close the connections, also those of a given `http_client` and of copies."""
        self._pool.closed = True
        for http in self._pool.opened():
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
