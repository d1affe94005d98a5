"""`client.completions`: `create` in its plain, raw and streaming forms, for both clients."""

from __future__ import annotations

import functools
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

from .create import AsyncCreate, Create

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Unpack

    from .._contract.completion import Completion
    from .._options import NotGiven, Omit
    from .._stream.streams import AsyncStream, Stream
    from ..types.completion_create_params import CreateOptions
    from .create import Answer, AsyncAnswer, AsyncCompleter, Completer
    from .responses import APIResponse, AsyncAPIResponse, RawAPIResponse


class Completions(Create):
    """Text completions. Reached as `client.completions`."""

    @cached_property
    def with_raw_response(self) -> CompletionsWithRawResponse:
        """The same methods, returning the HTTP reply, which is read already and parsed on demand."""
        return CompletionsWithRawResponse(self._client)

    @cached_property
    def with_streaming_response(self) -> CompletionsWithStreamingResponse:
        """The same methods, as context managers of the HTTP reply, whose body is not read yet."""
        return CompletionsWithStreamingResponse(self._client)


class AsyncCompletions(AsyncCreate):
    """Text completions. Reached as `client.completions`."""

    @cached_property
    def with_raw_response(self) -> AsyncCompletionsWithRawResponse:
        """The same methods, returning the HTTP reply, which is read already and parsed on demand."""
        return AsyncCompletionsWithRawResponse(self._client)

    @cached_property
    def with_streaming_response(self) -> AsyncCompletionsWithStreamingResponse:
        """The same methods, as context managers of the HTTP reply, whose body is not read yet."""
        return AsyncCompletionsWithStreamingResponse(self._client)


# Errors about arguments name the classes that people know.
Create.create.__qualname__ = "Completions.create"
AsyncCreate.create.__qualname__ = "AsyncCompletions.create"


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
