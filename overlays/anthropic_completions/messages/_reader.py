"""Serve a call by the Messages API: the request to send, and the reader of its replies.

It is loaded when a call is served by Messages.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple, cast

from .._contract.schema import describe
from .._errors import APIError, APIResponseValidationError, IncompleteStreamError
from .._errors.callers import stacklevel
from .._stream.assembly import Assembly
from .._stream.replies import Reader
from ._beginnings import Answer
from ._learning import support_of
from ._losses import Loss, LossError, LossWarning
from ._replies import UntranslatableMessageError, UntranslatableReplyError, completion_of
from ._requests import translate
from ._streams import StreamTranslator

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import httpx

    from .._contract.completion import Completion
    from .._contract.schema import JSONObject
    from .._options import OnLoss, Options
    from .._stream.sse import ServerSentEvent
    from .._stream.waits import StreamLimits
    from ._requests import Translation

PATH = "/v1/messages"
_EVENTS = frozenset(
    {"error", "message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"}
)
_NOT_FOLLOWED = "The answer does not begin so; it is returned whole."


class Asked(NamedTuple):
    """The request that says what one for a completion says, what it loses, and what reads the reply."""

    path: str
    request: JSONObject
    losses: tuple[Loss, ...]
    reader: MessagesReader


def messages_request(body: Mapping[str, object], options: Options, told: Collection[Loss] = ()) -> Asked:
    """Return the request that says what one for a completion says, having told what it loses.

    Args:
        body: The request for a completion.
        options: The client's settings.
        told: Losses that were told already.

    Raises:
        TypeError, UntranslatablePromptError: The request has no counterpart in Messages.
        LossError: It has one that loses something, and `on_loss` is `error`; or a prefill, and `prefill` is.
    """
    done = translate(
        body,
        prefill=options.prefill,
        thinking_room=options.thinking_room,
        support=support_of(options, str(body["model"])),
    )
    if done.losses and options.on_loss == "error":
        raise LossError(done.losses)
    new = [loss for loss in done.losses if loss not in told]
    if new and options.on_loss == "warn":
        warnings.warn(LossWarning(new), stacklevel=stacklevel())
    return Asked(PATH, done.request, done.losses, MessagesReader(done, options.on_loss))


class MessagesReader(Reader):
    """Reads the replies of the Messages API.

    Args:
        translation: What was asked.
        on_loss: What becomes of an answer that does not begin as it was asked to.

    Attributes:
        leading_space, beginning: As of the translation.
        max_tokens: The most tokens that were asked for.
    """

    def __init__(self, translation: Translation, on_loss: OnLoss) -> None:
        self.leading_space = translation.leading_space
        self.beginning = translation.beginning
        self.max_tokens = cast("int", translation.request["max_tokens"])
        self._on_loss = on_loss

    def assembly(self, limits: StreamLimits) -> Assembly:
        return MessagesAssembly(self, limits)

    def translator(self) -> StreamTranslator:
        """Return what translates one stream."""
        return StreamTranslator(
            leading_space=self.leading_space, beginning=self.beginning, max_tokens=self.max_tokens
        )

    def fields(self, response: httpx.Response, body: object) -> object:
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
        answer = Answer(leading_space=self.leading_space, beginning=self.beginning)
        try:
            fields = completion_of(body, answer, self.max_tokens)
        except UntranslatableMessageError as error:
            raise _reply_error(error, response, body) from None
        self.tell(answer.followed)
        return fields

    def message(self, body: object) -> JSONObject | None:
        return body if isinstance(body, dict) and body.get("type") != "completion" else None

    def tell(self, followed: bool | None) -> None:
        """Warn where an answer does not begin as it was asked to."""
        if followed is False and self._on_loss == "warn":
            loss = Loss("prompt", self.beginning, "prefill_instructed", _NOT_FOLLOWED)
            warnings.warn(LossWarning([loss]), stacklevel=stacklevel())


class MessagesAssembly(Assembly):
    """The chunks of one Messages stream so far.

    It is complete with `message_stop`, after a `message_delta` with a stop reason. Whatever comes but pings
    counts as a sign of life, also where it brings no text, as thinking does.
    """

    def __init__(self, reader: MessagesReader, limits: StreamLimits) -> None:
        super().__init__(limits)
        self._reader = reader

    def begin(self, response: httpx.Response) -> None:
        self._ended = False
        super().begin(response)
        self._translator = self._reader.translator()
        self._whole: JSONObject | None = None

    def is_stopped(self) -> bool:
        return self._ended and super().is_stopped()

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
        text = event.data.strip()
        if text in ("[DONE]", b"[DONE]"):  # what gateways put after message_stop, or in its place
            self._ended = self.over = True
            return None
        if not text:
            return None
        data = self._object(event.data)
        # Without a name the data itself tells.
        if not name:
            kind = "error" if data.get("error") else data.get("type")
            name = kind if isinstance(kind, str) else None
        if name == "error":
            raise self._stream_error(data)
        if name not in _EVENTS:
            return None
        self._waits.chunk()
        if name == "message_stop":
            self._ended = self.over = True
        undecided = self._translator.followed is None
        try:
            events = self._translator.feed(name, data)
        except UntranslatableMessageError as error:
            raise _reply_error(error, self.response, data) from None
        if undecided:
            self._reader.tell(self._translator.followed)
        return self._chunk(events[0][1]) if events else None

    def _fields(self, value: JSONObject) -> object:
        self._whole = self._reader.message(value)
        return self._reader.fields(self.response, value)

    def _message(self) -> JSONObject | None:
        return self._whole or (self._translator.message() if self._translator.begun else None)


def _reply_error(error: UntranslatableMessageError, response: httpx.Response, body: object) -> APIError:
    if error.reason == "malformed":
        message = f"The reply (status {response.status_code}) is not usable: {error}."
        return APIResponseValidationError(response, body, message=message)
    return UntranslatableReplyError(error, response)
