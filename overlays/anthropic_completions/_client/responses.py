"""HTTP replies: what `with_raw_response` and `with_streaming_response` return."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, overload

import httpx

from .._contract.completion import Completion
from .._errors import APIResponseValidationError
from .._http.bodies import decoded_view, leave, read, read_async
from .._http.failures import TRANSPORT_ERRORS, body_failure, parse_json, text_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from typing import Self

    from .._http.call import Exchanged
    from .._stream.replies import Reader

R = TypeVar("R", covariant=True)
T = TypeVar("T")


class ReplyBase(Generic[R]):
    """What every form of a reply tells.

    Attributes:
        http_response: httpx's own object.
        retries_taken: How many retries there were; 0 or more.
    """

    # Whether the body is not read yet where a user gets it.
    unread: ClassVar[bool] = True

    def __init__(
        self,
        exchanged: Exchanged,
        reader: Reader,
        *,
        streamed: bool,
        open_stream: Callable[[], object] | None = None,
    ) -> None:
        self.http_response = exchanged.response
        self.retries_taken = exchanged.retries_taken
        self._max_reply_bytes = exchanged.max_reply_bytes
        self._reader = reader
        self._streamed = streamed
        self._open_stream = open_stream
        self._parsed: dict[object, object] = {}

    @property
    def headers(self) -> httpx.Headers:
        """The reply's headers."""
        return self.http_response.headers

    @property
    def status_code(self) -> int:
        """The reply's HTTP status."""
        return self.http_response.status_code

    @property
    def url(self) -> httpx.URL:
        """Where the reply is from."""
        return self.http_response.url

    @property
    def method(self) -> str:
        """The request's method."""
        return self.http_request.method

    @property
    def http_request(self) -> httpx.Request:
        """The request, with its credentials removed."""
        return self.http_response.request

    @property
    def http_version(self) -> str:
        """Such as `HTTP/1.1`."""
        return self.http_response.http_version

    @property
    def is_closed(self) -> bool:
        """Whether the body is read or given up."""
        return self.http_response.is_closed

    @property
    def elapsed(self) -> datetime.timedelta:
        """The time from sending the request to the end of the reply; before that, a RuntimeError."""
        return self.http_response.elapsed

    @property
    def request_id(self) -> str | None:
        """What names the exchange at Anthropic."""
        request_id: str | None = self.headers.get("request-id")
        return request_id

    @property
    def workspace_id(self) -> str | None:
        """The workspace that the request was counted for, where the service says so."""
        workspace: str | None = self.headers.get("anthropic-workspace-id")
        return workspace

    def __repr__(self) -> str:
        status = f"{self.status_code} {self.http_response.reason_phrase}".strip()
        return f"<{type(self).__name__} [{status}] of a {'stream' if self._streamed else 'completion'}>"

    def _view(self) -> httpx.Response:
        """Return what the body is iterated over with."""
        response = self.http_response
        encoded = "content-encoding" in response.headers and not response.is_stream_consumed
        return decoded_view(response) if encoded else response

    def _parse(self, to: object) -> object:
        if to not in self._parsed:
            self._parsed[to] = self._converted() if to is None else self._cast(to)
        return self._parsed[to]

    def _converted(self) -> object:
        if self._open_stream is not None:
            return self._open_stream()
        return self._reader.completion(self.http_response)

    def _cast(self, to: object) -> object:
        response = self.http_response
        if to is httpx.Response:
            return response
        if to is str:
            return text_of(response)
        if to is bytes:
            return response.content
        try:
            value = parse_json(response.content)
        except ValueError as error:
            raise APIResponseValidationError(
                response, text_of(response), message=f"Expected JSON: {error}"
            ) from error
        if isinstance(to, type) and issubclass(to, Completion):
            fields = self._reader.fields(response, value)
            try:
                return to.from_dict(cast("Mapping[str, object]", fields))
            except ValueError as error:
                raise APIResponseValidationError(response, value, message=str(error)) from error
        kind = cast("type[object]", getattr(to, "__origin__", to))  # of dict[str, int], dict
        if to not in (object, Any) and not isinstance(value, kind):
            message = f"Expected a value of {kind}, got one of type {type(value).__name__}"
            raise APIResponseValidationError(response, value, message=message)
        return value


class RawAPIResponse(ReplyBase[R]):
    """A reply that is read already. The same for both clients: nothing here waits."""

    unread = False

    @overload
    def parse(self, *, to: type[T]) -> T: ...

    @overload
    def parse(self) -> R: ...

    def parse(self, *, to: type[object] | None = None) -> object:
        """Return what `create` would have returned, or the reply as another type.

        Args:
            to: `dict`, `list`, `str`, `bytes`, `int`, `float`, `bool`, `Completion` or `httpx.Response`.

        Raises:
            APIResponseValidationError: The reply is not that.
        """
        return self._parse(to)

    @property
    def content(self) -> bytes:
        """The body."""
        return self.http_response.content

    @property
    def text(self) -> str:
        """The body as text."""
        return text_of(self.http_response)


class APIResponse(ReplyBase[R]):
    """A reply whose body is read when it is asked for."""

    @overload
    def parse(self, *, to: type[T]) -> T: ...

    @overload
    def parse(self) -> R: ...

    def parse(self, *, to: type[object] | None = None) -> object:
        """Read the body and return what `create` would have returned, or the reply as another type.

        Args:
            to: `dict`, `list`, `str`, `bytes`, `int`, `float`, `bool`, `Completion` or `httpx.Response`.

        Raises:
            APIConnectionError: The body broke off.
            APIResponseValidationError: The reply is not that.
        """
        if to is not httpx.Response and not (to is None and self._streamed):
            self.read()
        return self._parse(to)

    def read(self) -> bytes:
        """Read and return the body."""
        with _mapping(self.http_response):
            read(self.http_response, self._max_reply_bytes)
        return self.http_response.content

    def text(self) -> str:
        """Read and return the body as text."""
        self.read()
        return text_of(self.http_response)

    def json(self) -> Any:
        """Read and return the body's JSON value."""
        self.read()
        return self._cast(object)

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Iterate over the body's bytes as they come, or in pieces of a size in bytes."""
        with _mapping(self.http_response):
            yield from self._view().iter_bytes(chunk_size)

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Iterate over the body's text as it comes, or in pieces of a length."""
        with _mapping(self.http_response):
            yield from self._view().iter_text(chunk_size)

    def iter_lines(self) -> Iterator[str]:
        """Iterate over the body's lines."""
        with _mapping(self.http_response):
            yield from self._view().iter_lines()

    def close(self) -> None:
        """Give the connection back."""
        self.http_response.close()


class AsyncAPIResponse(ReplyBase[R]):
    """A reply whose body is read when it is asked for."""

    # An iteration that may have been left half-way.
    _begun: AsyncIterator[object] | None = None

    @overload
    async def parse(self, *, to: type[T]) -> T: ...

    @overload
    async def parse(self) -> R: ...

    async def parse(self, *, to: type[object] | None = None) -> object:
        """Read the body and return what `create` would have returned; see `APIResponse.parse`."""
        if to is not httpx.Response and not (to is None and self._streamed):
            await self.read()
        return self._parse(to)

    async def read(self) -> bytes:
        """Read and return the body."""
        with _mapping(self.http_response):
            await read_async(self.http_response, self._max_reply_bytes)
        return self.http_response.content

    async def text(self) -> str:
        """Read and return the body as text."""
        await self.read()
        return text_of(self.http_response)

    async def json(self) -> Any:
        """Read and return the body's JSON value."""
        await self.read()
        return self._cast(object)

    def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Iterate over the body's bytes as they come, or in pieces of a size in bytes."""
        return self._iterate(self._view().aiter_bytes(chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Iterate over the body's text as it comes, or in pieces of a length."""
        return self._iterate(self._view().aiter_text(chunk_size))

    def iter_lines(self) -> AsyncIterator[str]:
        """Iterate over the body's lines."""
        return self._iterate(self._view().aiter_lines())

    def _iterate(self, pieces: AsyncIterator[T]) -> AsyncIterator[T]:
        self._begun = pieces
        return _AsyncPieces(pieces, self.http_response)

    async def close(self) -> None:
        """Give the connection back."""
        if self._begun is not None:
            await leave(self._begun)
        await self.http_response.aclose()


class _AsyncPieces(Generic[T]):
    """An iteration over a body. No generator: one that is left half-way would be warned of under trio."""

    def __init__(self, pieces: AsyncIterator[T], response: httpx.Response) -> None:
        self._pieces = pieces
        self._response = response

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        with _mapping(self._response):
            return await anext(self._pieces)


@contextmanager
def _mapping(response: httpx.Response) -> Iterator[None]:
    try:
        yield
    except TRANSPORT_ERRORS as error:
        raise body_failure(error, response) from error
