"""One call as data, the steps of its exchange, and how these run: blocking or awaiting.

The exchange is sans-I/O: a generator that yields steps and is sent their results. `run` and `run_async`
have a port carry the steps out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar, cast

from .._errors import without_values
from .._options import MAX_REPLY_BYTES
from .transports.limit import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

T = TypeVar("T")


class Clock(NamedTuple):
    """Where time and chance come from; tests put their own in place."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep
    sleep_async: Callable[[float], Awaitable[None]] | None = None


class Call(NamedTuple):
    """One call, ready to send.

    Attributes:
        stream: Whether the body is left unread.
        streamed: Whether the body is a stream of events.
        deadline_at: The monotonic time at which the call ends, or None.
        idle_timeout: The most seconds of waiting for the head of a stream, or None.
        max_reply_bytes: The most bytes of a body that is read whole, decoded.
        hidden_parameters: Names of parameters of the query whose values are shown to nobody.
        base_url_variable: The variable of the environment that says where requests go, if one does.
        counts_retries: Whether the header with the number of retries is sent.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None
    timeout: httpx.Timeout
    stream: bool
    streamed: bool
    clock: Clock
    max_retries: int
    max_retry_after: float | None
    deadline_at: float | None = None
    idle_timeout: float | None = None
    max_reply_bytes: int = MAX_REPLY_BYTES
    hidden_parameters: frozenset[str] = frozenset()
    base_url_variable: str | None = None
    counts_retries: bool = True

    def __repr__(self) -> str:
        # Without the content, which is the caller's.
        url = without_values(self.url, self.hidden_parameters) if self.hidden_parameters else self.url
        return f"{type(self).__name__}({self.method!r}, {url!r}, headers={self.headers!r})"

    def remaining(self) -> float | None:
        """Return the seconds to the deadline, or None."""
        return None if self.deadline_at is None else self.deadline_at - self.clock.monotonic()

    def limit(self) -> Limit | None:
        """Return until when one attempt may wait, or None for no such limit."""
        if self.deadline_at is None and self.idle_timeout is None:
            return None
        return Limit(self.clock.monotonic, self.deadline_at, idle=self.idle_timeout)

    def is_late(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.deadline_at is not None and self.clock.monotonic() >= self.deadline_at


class Exchanged(NamedTuple):
    """A successful reply.

    Attributes:
        response: The reply; read, unless it was asked for as a stream.
        max_reply_bytes: The most bytes of its body, decoded, where it is read whole.
        retries_taken: How many attempts had failed before.
    """

    response: httpx.Response
    retries_taken: int
    max_reply_bytes: int = MAX_REPLY_BYTES


class BasePort(Protocol):
    """What an exchange asks of a port without waiting."""

    def build(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout: httpx.Timeout,
        extensions: Mapping[str, object] | None = None,
    ) -> httpx.Request:
        """Return a request."""
        ...

    def is_closed(self) -> bool:
        """Tell whether the client is closed."""
        ...


class Port(BasePort, Protocol):
    """Carries out steps, blocking."""

    def send(self, request: httpx.Request, call: Call) -> httpx.Response:
        """Send a request of a call and return its reply, unread and without credentials."""
        ...

    def read(self, response: httpx.Response, call: Call) -> bool:
        """Read a body; return whether its end was reached before the call's deadline."""
        ...

    def close(self, response: httpx.Response) -> None:
        """Give a reply's connection back."""
        ...

    def sleep(self, seconds: float, /) -> None:
        """Wait."""
        ...


class AsyncPort(BasePort, Protocol):
    """Carries out steps, awaiting each; as `Port`."""

    def send(self, request: httpx.Request, call: Call) -> Awaitable[httpx.Response]:
        """Send a request of a call and return its reply, unread and without credentials."""
        ...

    def read(self, response: httpx.Response, call: Call) -> Awaitable[bool]:
        """Read a body; return whether its end was reached before the call's deadline."""
        ...

    def close(self, response: httpx.Response) -> Awaitable[None]:
        """Give a reply's connection back, also in a task that is being cancelled."""
        ...

    def sleep(self, seconds: float, /) -> Awaitable[None]:
        """Wait."""
        ...


class Send(NamedTuple):
    """Send a request; the result is the reply."""

    request: httpx.Request
    call: Call

    def run(self, port: Port) -> httpx.Response:
        """Carry it out."""
        return port.send(self.request, self.call)

    def run_async(self, port: AsyncPort) -> Awaitable[httpx.Response]:
        """Carry it out."""
        return port.send(self.request, self.call)


class Read(NamedTuple):
    """Read a body; the result is whether its end was reached in time."""

    response: httpx.Response
    call: Call

    def run(self, port: Port) -> bool:
        """Carry it out."""
        return port.read(self.response, self.call)

    def run_async(self, port: AsyncPort) -> Awaitable[bool]:
        """Carry it out."""
        return port.read(self.response, self.call)


class Close(NamedTuple):
    """Give a reply's connection back."""

    response: httpx.Response

    def run(self, port: Port) -> None:
        """Carry it out."""
        port.close(self.response)

    def run_async(self, port: AsyncPort) -> Awaitable[None]:
        """Carry it out."""
        return port.close(self.response)


class Sleep(NamedTuple):
    """Wait."""

    seconds: float

    def run(self, port: Port) -> None:
        """Carry it out."""
        port.sleep(self.seconds)

    def run_async(self, port: AsyncPort) -> Awaitable[None]:
        """Carry it out."""
        return port.sleep(self.seconds)


Step = Send | Read | Close | Sleep
# What a step results in is sent back: of `Send` a response, of `Read` whether it is whole, otherwise None.
Steps = Generator[Step, object, T]


def run(steps: Steps[T], port: Port) -> T:
    """Carry out steps, blocking, and return what the generator returns."""
    try:
        step = next(steps)
        while True:
            try:
                result = step.run(port)
            except BaseException as error:  # noqa: BLE001 - the generator decides what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as done:
        return cast(T, done.value)


async def run_async(steps: Steps[T], port: AsyncPort) -> T:
    """Carry out steps, awaiting each, and return what the generator returns."""
    try:
        step = next(steps)
        while True:
            try:
                result = await step.run_async(port)
            except BaseException as error:  # noqa: BLE001 - the generator decides what becomes of it
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as done:
        return cast(T, done.value)
