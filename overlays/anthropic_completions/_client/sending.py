"""Carry out the calls of a client, blocking and awaiting. It loads what a first call needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .._errors import APIStatusError
from .._http.call import run, run_async
from .._http.exchange import exchange
from .._http.ports import AwaitingPort, BlockingPort
from .._stream.streams import AsyncStream, Stream
from .calls import Caller
from .routing import completion_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from .._contract.completion import Completion
    from .._http.call import AsyncPort, Port
    from .base import BaseClient
    from .calls import Prepared
    from .responses import ReplyBase

F = TypeVar("F", bound="ReplyBase[object]")


def complete(client: BaseClient[httpx.Client], arguments: Mapping[str, object], form: type[F]) -> F:
    """Make a call of `create`'s arguments and return the reply in the form of a class of replies."""
    caller = Caller(client._options, client._clock, client._pool.get())
    prepared = completion_call(caller, arguments, unread=form.unread)
    while True:
        try:
            return carry_out(client, prepared, form)
        except APIStatusError as refusal:
            prepared = prepared.after(refusal)


def carry_out(client: BaseClient[httpx.Client], prepared: Prepared, form: type[F]) -> F:
    """Send a call, again where it may be, and return the reply in the form of a class of replies."""
    call = prepared.call
    port: Port = BlockingPort(client._pool.get(), client._clock, client._pool.is_closed)
    if client._options.middleware:
        from .middleware import MiddlewarePort

        port = MiddlewarePort(port, prepared, client._options.middleware)
    exchanged = run(exchange(call, port), port)

    def open_stream() -> Stream[Completion]:
        return Stream(call, port, exchanged, prepared.assembly())

    streamed = call.streamed
    return form(exchanged, prepared.reader, streamed=streamed, open_stream=open_stream if streamed else None)


async def complete_async(
    client: BaseClient[httpx.AsyncClient], arguments: Mapping[str, object], form: type[F]
) -> F:
    """As `complete`."""
    caller = Caller(client._options, client._clock, client._pool.get())
    prepared = completion_call(caller, arguments, unread=form.unread)
    while True:
        try:
            return await carry_out_async(client, prepared, form)
        except APIStatusError as refusal:
            prepared = prepared.after(refusal)


async def carry_out_async(client: BaseClient[httpx.AsyncClient], prepared: Prepared, form: type[F]) -> F:
    """As `carry_out`."""
    call = prepared.call
    port: AsyncPort = AwaitingPort(client._pool.get(), client._clock, client._pool.is_closed)
    if client._options.middleware:
        from .middleware import AsyncMiddlewarePort

        port = AsyncMiddlewarePort(port, prepared, client._options.middleware)
    exchanged = await run_async(exchange(call, port), port)

    def open_stream() -> AsyncStream[Completion]:
        return AsyncStream(call, port, exchanged, prepared.assembly())

    streamed = call.streamed
    return form(exchanged, prepared.reader, streamed=streamed, open_stream=open_stream if streamed else None)
