"""`client.completions`: `create` with its overloads and its raw and streaming forms, for both clients."""

from __future__ import annotations

import functools
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, overload

from .._options import NOT_GIVEN, NotGiven, Omit, omit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Unpack

    import httpx

    from .._contract.completion import Completion
    from .._options import HeaderValues, QueryValues
    from .._stream.streams import AsyncStream, Stream
    from ..types.completion_create_params import AnthropicBetaParam, CreateOptions, MetadataParam, ModelParam
    from .responses import APIResponse, AsyncAPIResponse, RawAPIResponse, ReplyBase

    Answer = Completion | Stream[Completion]
    AsyncAnswer = Completion | AsyncStream[Completion]

F = TypeVar("F", bound="ReplyBase[object]")


class Completer(Protocol):
    """What `Completions` asks of its client."""

    def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        """Make one call, and return the reply in the form of a class of replies."""
        ...


class AsyncCompleter(Protocol):
    """What `AsyncCompletions` asks of its client."""

    async def _complete(self, arguments: Mapping[str, object], form: type[F]) -> F:
        """Make one call, and return the reply in the form of a class of replies."""
        ...


class Completions:
    """Text completions. Reached as `client.completions`."""

    def __init__(self, client: Completer) -> None:
        self._client = client

    @overload
    def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> Completion: ...

    @overload
    def create(self, *, stream: Literal[True], **options: Unpack[CreateOptions]) -> Stream[Completion]: ...

    @overload
    def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> Answer: ...

    def create(
        self,
        *,
        max_tokens_to_sample: int,
        model: ModelParam,
        prompt: str,
        metadata: MetadataParam | Omit | NotGiven | None = omit,
        stop_sequences: Sequence[str] | Omit | NotGiven | None = omit,
        stream: bool | Omit | NotGiven | None = omit,
        temperature: float | Omit | NotGiven | None = omit,
        top_k: int | Omit | NotGiven | None = omit,
        top_p: float | Omit | NotGiven | None = omit,
        betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None = omit,
        extra_headers: HeaderValues | None = None,
        extra_query: QueryValues | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        check_prompt: bool = False,
    ) -> Answer:
        r"""Continue a prompt.

        Arguments that are not given, or are `omit`, are not sent; None is sent as null. Types and ranges
        are those of the contract and are checked before anything is sent.

        Args:
            max_tokens_to_sample: The most tokens to generate, 1 or more. The model may stop earlier.
            model: The model's name; any string, as the service decides which it knows.
            prompt: The transcript to continue, not empty: turns that begin with `\n\nHuman:` and
                `\n\nAssistant:`, the latter last.
            metadata: `{"user_id": ...}`, an opaque identifier of up to 256 characters.
            stop_sequences: Strings that end the completion; `\n\nHuman:` always does.
            stream: Whether to get the text piecewise.
            temperature: Randomness, 0.0 to 1.0. The service's default is 1.0.
            top_k: Sample from the K likeliest tokens only; 0 or more.
            top_p: Sample from the likeliest tokens whose probabilities add up to this; 0.0 to 1.0.
            betas: Names of beta features, sent as the anthropic-beta header.
            extra_headers: Further headers; they override all others, and `omit` takes one away.
            extra_query: Further query parameters.
            extra_body: Further fields of the body, unchecked; they override the arguments, and `omit`
                takes one away.
            timeout: Seconds for each of connecting, sending, and waiting for bytes, or an
                `httpx.Timeout`, or None for no limit; the client's where it is not given.
            deadline: Seconds for the whole call with all its attempts and waits, or None for no limit;
                the client's where it is not given.
            check_prompt: Whether to raise, before anything is sent, where the service would refuse the
                prompt; see `prompts.validate`. What it would only sanitise passes and is sent as it is.

        Returns:
            The completion, or with `stream=True` the stream of its chunks.

        Raises:
            TypeError, ValueError: An argument is wrong, or there is no credential. Nothing was sent.
            InvalidPromptError: A ValueError: `check_prompt` found that the service would refuse the prompt.
            LossError, UntranslatablePromptError: ValueErrors of the backend `messages`: it has no
                counterpart for something in the request, with `on_loss="error"`, or for the prompt.
            APIStatusError: The service answered with an error; the class tells which.
            APIConnectionError: No reply came, or not the whole of it.
            APITimeoutError: Nothing came in time.
            APIResponseValidationError: The reply is not what the contract says.
            UntranslatableReplyError: An APIError of the backend `messages`: the reply is a refusal, the use
                of a tool, or anything else that completions do not have.

        Warns:
            DeprecationWarning, RetiredModelWarning: The model is deprecated or retired; see the client's
                `model_warnings`.
            LossWarning: Messages has no counterpart for all of the request, with `on_loss="warn"`.
            BackendSwitchWarning: The backend `auto` asks Messages from now on.
        """
        from .responses import RawAPIResponse

        reply: RawAPIResponse[Answer] = self._client._complete(
            {
                "max_tokens_to_sample": max_tokens_to_sample,
                "model": model,
                "prompt": prompt,
                "metadata": metadata,
                "stop_sequences": stop_sequences,
                "stream": stream,
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "betas": betas,
                "extra_headers": extra_headers,
                "extra_query": extra_query,
                "extra_body": extra_body,
                "timeout": timeout,
                "deadline": deadline,
                "check_prompt": check_prompt,
            },
            RawAPIResponse,
        )
        return reply.parse()

    @cached_property
    def with_raw_response(self) -> CompletionsWithRawResponse:
        """The same methods, returning the HTTP reply, which is read already and parsed on demand."""
        return CompletionsWithRawResponse(self._client)

    @cached_property
    def with_streaming_response(self) -> CompletionsWithStreamingResponse:
        """The same methods, as context managers of the HTTP reply, whose body is not read yet."""
        return CompletionsWithStreamingResponse(self._client)


class AsyncCompletions:
    """Text completions. Reached as `client.completions`."""

    def __init__(self, client: AsyncCompleter) -> None:
        self._client = client

    @overload
    async def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> Completion: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> AsyncStream[Completion]: ...

    @overload
    async def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> AsyncAnswer: ...

    async def create(
        self,
        *,
        max_tokens_to_sample: int,
        model: ModelParam,
        prompt: str,
        metadata: MetadataParam | Omit | NotGiven | None = omit,
        stop_sequences: Sequence[str] | Omit | NotGiven | None = omit,
        stream: bool | Omit | NotGiven | None = omit,
        temperature: float | Omit | NotGiven | None = omit,
        top_k: int | Omit | NotGiven | None = omit,
        top_p: float | Omit | NotGiven | None = omit,
        betas: Sequence[AnthropicBetaParam] | Omit | NotGiven | None = omit,
        extra_headers: HeaderValues | None = None,
        extra_query: QueryValues | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: float | httpx.Timeout | NotGiven | None = NOT_GIVEN,
        deadline: float | NotGiven | None = NOT_GIVEN,
        check_prompt: bool = False,
    ) -> AsyncAnswer:
        from .responses import RawAPIResponse

        reply: RawAPIResponse[AsyncAnswer] = await self._client._complete(
            {
                "max_tokens_to_sample": max_tokens_to_sample,
                "model": model,
                "prompt": prompt,
                "metadata": metadata,
                "stop_sequences": stop_sequences,
                "stream": stream,
                "temperature": temperature,
                "top_k": top_k,
                "top_p": top_p,
                "betas": betas,
                "extra_headers": extra_headers,
                "extra_query": extra_query,
                "extra_body": extra_body,
                "timeout": timeout,
                "deadline": deadline,
                "check_prompt": check_prompt,
            },
            RawAPIResponse,
        )
        return reply.parse()

    create.__doc__ = Completions.create.__doc__

    @cached_property
    def with_raw_response(self) -> AsyncCompletionsWithRawResponse:
        """The same methods, returning the HTTP reply, which is read already and parsed on demand."""
        return AsyncCompletionsWithRawResponse(self._client)

    @cached_property
    def with_streaming_response(self) -> AsyncCompletionsWithStreamingResponse:
        """The same methods, as context managers of the HTTP reply, whose body is not read yet."""
        return AsyncCompletionsWithStreamingResponse(self._client)


class CompletionsWithRawResponse:
    """`create`, returning the HTTP reply, which is read already and parsed on demand."""

    def __init__(self, client: Completer) -> None:
        self._client = client

    @overload
    def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> RawAPIResponse[Completion]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> RawAPIResponse[Stream[Completion]]: ...

    @overload
    def create(self, *, stream: bool, **options: Unpack[CreateOptions]) -> RawAPIResponse[Answer]: ...

    @functools.wraps(Completions.create)
    def create(self, **arguments: object) -> object:
        from .responses import RawAPIResponse

        return self._client._complete(arguments, RawAPIResponse)


class AsyncCompletionsWithRawResponse:
    """`create`, returning the HTTP reply, which is read already and parsed on demand."""

    def __init__(self, client: AsyncCompleter) -> None:
        self._client = client

    @overload
    async def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> RawAPIResponse[Completion]: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> RawAPIResponse[AsyncStream[Completion]]: ...

    @overload
    async def create(
        self, *, stream: bool, **options: Unpack[CreateOptions]
    ) -> RawAPIResponse[AsyncAnswer]: ...

    @functools.wraps(AsyncCompletions.create)
    async def create(self, **arguments: object) -> object:
        from .responses import RawAPIResponse

        return await self._client._complete(arguments, RawAPIResponse)


class CompletionsWithStreamingResponse:
    """`create`, as a context manager of the HTTP reply, whose body is not read yet."""

    def __init__(self, client: Completer) -> None:
        self._client = client

    @overload
    def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> AbstractContextManager[APIResponse[Completion]]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> AbstractContextManager[APIResponse[Stream[Completion]]]: ...

    @overload
    def create(
        self, *, stream: bool, **options: Unpack[CreateOptions]
    ) -> AbstractContextManager[APIResponse[Answer]]: ...

    @functools.wraps(Completions.create)
    def create(self, **arguments: object) -> object:
        return self._open(arguments)

    @contextmanager
    def _open(self, arguments: Mapping[str, object]) -> Iterator[APIResponse[Answer]]:
        from .responses import APIResponse

        reply = self._client._complete(arguments, APIResponse)
        try:
            yield reply
        finally:
            reply.close()


class AsyncCompletionsWithStreamingResponse:
    """`create`, as a context manager of the HTTP reply, whose body is not read yet."""

    def __init__(self, client: AsyncCompleter) -> None:
        self._client = client

    @overload
    def create(
        self, *, stream: Literal[False] | Omit | NotGiven | None = ..., **options: Unpack[CreateOptions]
    ) -> AbstractAsyncContextManager[AsyncAPIResponse[Completion]]: ...

    @overload
    def create(
        self, *, stream: Literal[True], **options: Unpack[CreateOptions]
    ) -> AbstractAsyncContextManager[AsyncAPIResponse[AsyncStream[Completion]]]: ...

    @overload
    def create(
        self, *, stream: bool, **options: Unpack[CreateOptions]
    ) -> AbstractAsyncContextManager[AsyncAPIResponse[AsyncAnswer]]: ...

    @functools.wraps(Completions.create)
    def create(self, **arguments: object) -> object:
        return self._open(arguments)

    @asynccontextmanager
    async def _open(self, arguments: Mapping[str, object]) -> AsyncIterator[AsyncAPIResponse[AsyncAnswer]]:
        from .responses import AsyncAPIResponse

        reply = await self._client._complete(arguments, AsyncAPIResponse)
        try:
            yield reply
        finally:
            await reply.close()


class ClientWithRawResponse:
    """`client.with_raw_response`: the client's resources, returning HTTP replies."""

    def __init__(self, client: Completer) -> None:
        self.completions = CompletionsWithRawResponse(client)


class AsyncClientWithRawResponse:
    """`client.with_raw_response`: the client's resources, returning HTTP replies."""

    def __init__(self, client: AsyncCompleter) -> None:
        self.completions = AsyncCompletionsWithRawResponse(client)


class ClientWithStreamingResponse:
    """`client.with_streaming_response`: the client's resources, as context managers of HTTP replies."""

    def __init__(self, client: Completer) -> None:
        self.completions = CompletionsWithStreamingResponse(client)


class AsyncClientWithStreamingResponse:
    """`client.with_streaming_response`: the client's resources, as context managers of HTTP replies."""

    def __init__(self, client: AsyncCompleter) -> None:
        self.completions = AsyncCompletionsWithStreamingResponse(client)
