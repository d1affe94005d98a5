"""The Messages API in the place of the old endpoint: what `messages` translates, asked and read.

It is loaded when a call is served by Messages.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from .._callers import stacklevel
from .._contract.schema import describe
from .._errors import APIError, APIResponseValidationError, IncompleteStreamError
from .._stream.assembly import Assembly, Reader
from . import (
    BackendSwitchWarning,
    LossError,
    LossWarning,
    StreamTranslator,
    UntranslatableMessageError,
    UntranslatableReplyError,
    needs_leading_space,
    to_completion,
    to_messages_request,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from .._contract.completion import Completion
    from .._errors import APIStatusError
    from .._options import OnLoss, Options
    from .._stream.assembly import StreamLimits
    from .._stream.sse import ServerSentEvent

PATH = "/v1/messages"
_EVENTS = frozenset(
    {"error", "message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"}
)
# "... is not supported on this API. Please use the Messages API instead." (observed)
_REFUSAL = "use the Messages API"


def messages_request(body: Mapping[str, Any], on_loss: OnLoss) -> tuple[str, dict[str, Any], Reader]:
    """Return path and body of the request that says what one for a completion says, and its reader.

    Raises:
        TypeError, UntranslatablePromptError: The request has no counterpart in Messages.
        LossError: It has one that loses something, and `on_loss` is `error`.
    """
    request, losses = to_messages_request(body)
    if losses and on_loss == "error":
        raise LossError(losses)
    if losses and on_loss == "warn":
        warnings.warn(LossWarning(losses), stacklevel=stacklevel())
    return PATH, request, MessagesReader(leading_space=needs_leading_space(body, request))


def switch(options: Options, model: str, refusal: APIStatusError) -> None:
    """Note that a model is served by Messages only, and warn of it.

    Raises:
        APIStatusError: The refusal, where it says something else.
    """
    body: Any = refusal.body if refusal.status_code == 400 else None
    try:
        told = str(body["error"]["message"])
    except (TypeError, KeyError):
        told = ""
    if _REFUSAL not in told:
        raise refusal
    # One dict operation decides who warns: no lock that a fork could leave taken.
    key, token = (options.base_url, model), object()
    if options.only_messages.setdefault(key, token) is token:
        try:
            warnings.warn(BackendSwitchWarning(model), stacklevel=stacklevel())
        except Warning:
            options.only_messages.pop(key, None)
            raise


class MessagesReader(Reader):
    """Reads the replies of the Messages API.

    Args:
        leading_space: As for `to_completion`.
    """

    def __init__(self, *, leading_space: bool) -> None:
        self._leading_space = leading_space

    def assembly(self, limits: StreamLimits) -> Assembly:
        return MessagesAssembly(self, limits)

    def translator(self) -> StreamTranslator:
        """Return what translates one stream."""
        return StreamTranslator(leading_space=self._leading_space)

    def fields(self, response: httpx.Response, body: Any) -> Any:
        """Return the fields of the completion that says what a reply's JSON value says.

        Middleware may have answered with a completion itself; that is taken as it is.

        Raises:
            UntranslatableReplyError: The message has no counterpart.
            APIResponseValidationError: It is no message.
        """
        if isinstance(body, dict) and body.get("type") == "completion":
            return body
        if not isinstance(body, dict):
            message = f"The reply (status {response.status_code}) is no message, but {describe(body)}."
            raise APIResponseValidationError(response, body, message=message)
        try:
            return to_completion(body, leading_space=self._leading_space)
        except UntranslatableMessageError as error:
            raise _reply_error(error, response, body) from None


class MessagesAssembly(Assembly):
    """The chunks of one Messages stream so far.

    It is complete with `message_stop`, after a `message_delta` with a stop reason. Whatever comes but pings
    counts as a sign of life, also where it brings no text, as thinking does.
    """

    def __init__(self, reader: MessagesReader, limits: StreamLimits) -> None:
        super().__init__(limits)
        self._reader = reader

    def begin(self, response: httpx.Response) -> None:
        super().begin(response)
        self._translator = self._reader.translator()
        self._ended = False

    def finish(self) -> Iterator[Completion]:
        if self._stopping is not None and not self._ended:
            raise IncompleteStreamError(
                message="The stream ended without a message_stop event.", request=self.response.request
            )
        yield from super().finish()

    def _chunk_of(self, event: ServerSentEvent) -> Completion | None:
        name = event.event
        if name is not None and name not in _EVENTS:
            return None
        data = self._object(event.data)
        # Without a name the data itself tells.
        name = name or ("error" if data.get("error") else data.get("type"))
        if name == "error":
            raise self._stream_error(data)
        if name not in _EVENTS:
            return None
        self._silence = 0.0
        self._ended = self._ended or name == "message_stop"
        try:
            for _, fields in self._translator.feed(name, data):
                return self._chunk(fields)
        except UntranslatableMessageError as error:
            raise _reply_error(error, self.response, data) from None
        return None

    def _fields(self, value: dict[str, Any]) -> Any:
        return self._reader.fields(self.response, value)


def _reply_error(error: UntranslatableMessageError, response: httpx.Response, body: object) -> APIError:
    if error.reason == "malformed":
        message = f"The reply (status {response.status_code}) is not usable: {error}."
        return APIResponseValidationError(response, body, message=message)
    return UntranslatableReplyError(error, response)
