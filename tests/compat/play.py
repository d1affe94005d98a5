"""One case through one package: the client, the call, and all that can be seen of them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import anthropic
import httpx

import anthropic_completions
from compat import look
from compat.recorder import EVENTS, Recorded, Recorder, Reply
from support import ARGUMENTS, KEY, FakeClock

OLD: ModuleType = anthropic
NEW: ModuleType = anthropic_completions
Seen = dict[str, Any]

WORLDS = ("sync", "async")
# How `create` is reached, and what becomes of the reply.
PLAIN = ("plain", "raw", "unread")
STREAMED = ("streamed", "raw streamed", "unread streamed")
FORMS = PLAIN + STREAMED
ABSENT = "(absent)"

COMPLETION = (
    b'{"type":"completion","id":"compl_1","completion":" Hello!","stop_reason":"stop_sequence",'
    b'"model":"claude-2.1","stop":"\\n\\nHuman:","log_id":"compl_1"}'
)
CHUNK = (
    b'{"type":"completion","id":"compl_1","completion":" Hel","stop_reason":null,"model":"claude-2.1",'
    b'"stop":null,"log_id":"compl_1"   }'
)
STREAM = b"".join(
    b"event: %s\r\ndata: %s\r\n\r\n" % event
    for event in (
        (b"completion", CHUNK),
        (b"ping", b'{"type": "ping"}'),
        (b"completion", CHUNK.replace(b" Hel", b"lo!")),
        (b"completion", COMPLETION.replace(b" Hello!", b"")),
    )
)


@dataclass(frozen=True)
class Name:
    """Stands for what a package has under a name, such as `omit`: with `item`, `name[item]`; called."""

    path: str
    item: str | None = None
    called: Mapping[str, Any] | None = None

    def of(self, package: ModuleType) -> Any:
        value: Any = package
        for name in self.path.split("."):
            value = getattr(value, name)
        if self.item is not None:
            value = value[Name(self.item).of(package)]
        return value if self.called is None else value(**self.called)

    def __repr__(self) -> str:
        return self.path if self.called is None else f"{self.path}({dict(self.called)})"


OMIT, NOT_GIVEN = Name("omit"), Name("NOT_GIVEN")


@dataclass(frozen=True)
class Case:
    """A call and the replies to it, for both packages.

    Attributes:
        arguments: Of `create`, besides the three that it needs; `...` takes one away.
        client: Arguments of the client, besides the key; `...` takes the key away.
        http: Arguments of an httpx client to send with; None for the package's own kind.
        path: What follows the recorder's address in the `base_url`; None leaves that to the environment.
        env: Variables of the environment; `{url}` stands for the recorder's address.
        copy: Arguments of `with_options`, where it is called.
        post: Arguments of `client.post`, where that is called instead of `create`.
        replies: What is answered; none for a completion, or a stream where that is asked for.
        forms: The forms in which the call is made.
        differs: The keys of the deliberate differences that show.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)
    http: Mapping[str, Any] | None = None
    path: str | None = ""
    env: Mapping[str, str] = field(default_factory=dict)
    copy: Mapping[str, Any] | None = None
    post: Mapping[str, Any] | None = None
    replies: tuple[Reply, ...] = ()
    forms: tuple[str, ...] = FORMS
    differs: tuple[str, ...] = ()

    def answers(self, form: str) -> tuple[Reply, ...]:
        """Return the replies to the call in a form."""
        streamed = form in STREAMED or (self.post or {}).get("stream")
        return self.replies or (Reply(STREAM, headers=EVENTS) if streamed else Reply(COMPLETION),)


def compare(recorder: Recorder, case: Case, world: str, form: str) -> dict[str, tuple[Any, Any]]:
    """Return what differs between the packages, by its name: what the old one shows, and this one.

    What follows from a difference is not told: what a result shows where only one of them returned one,
    what further requests hold, what an error of this package shows beside one of Python, what chunks show
    where their numbers differ.
    """
    old, new = (play(package, recorder, case, world, form) for package in (OLD, NEW))
    one_raised = ("error class" in old) != ("error class" in new)
    chunks = old.get("stream chunks") == new.get("stream chunks")
    least = min(old["requests"], new["requests"])
    differing = {}
    for name in {**old, **new}:
        one, other = old.get(name, ABSENT), new.get(name, ABSENT)
        if ABSENT in (one, other):
            what, _, number = name.partition(" ")
            number = number.partition(" ")[0]
            if what == "request":
                if int(number) >= least:
                    continue
            elif name != "error class" and (one_raised or what == "error"):
                continue
        if name.startswith("chunk") and not chunks:
            continue
        if one != other or type(one) is not type(other):
            differing[name] = (one, other)
    return differing


def play(package: ModuleType, recorder: Recorder, case: Case, world: str, form: str) -> Seen:
    """Make a call and return all that can be seen of it: what was sent, and what came back."""
    recorder.expect(*case.answers(form))
    clock, timeouts = FakeClock(random=0.5), []
    with environment(case, recorder.url), clock_of_the_old(clock):
        came_back = run(world, _make(package, recorder.url, case, world, form, clock, timeouts))
    seen: Seen = {"requests": len(recorder.requests), "waits": [round(wait, 6) for wait in clock.waits]}
    for number, request in enumerate(recorder.requests):
        seen |= {f"request {number} {what}": value for what, value in _sent(request).items()}
    for number, timeout in enumerate(timeouts):
        seen[f"request {number} timeout"] = timeout
    return seen | came_back


def run(world: str, steps: Coroutine[Any, Any, Seen]) -> Seen:
    """Run a coroutine. In the sync world it never waits, and has no event loop."""
    if world == "async":
        return asyncio.run(steps)
    try:
        steps.send(None)
    except StopIteration as done:
        seen: Seen = done.value
        return seen
    raise AssertionError("the sync client waited")


@contextmanager
def environment(case: Case, url: str) -> Iterator[None]:
    """Set the variables of a case."""
    with patch.dict("os.environ", {name: value.format(url=url) for name, value in case.env.items()}):
        yield


@contextmanager
def clock_of_the_old(clock: FakeClock) -> Iterator[None]:
    """Have the old client take time and chance from a clock."""
    with (
        patch("anthropic._base_client.time", SimpleNamespace(time=clock.wall, sleep=clock.sleep)),
        patch("anthropic._base_client.anyio", SimpleNamespace(sleep=clock.sleep_async)),
        patch("anthropic._base_client.random", clock.random),
    ):
        yield


@asynccontextmanager
async def client_of(
    package: ModuleType, url: str, case: Case, world: str, timeouts: list[Any] | None = None
) -> AsyncIterator[Any]:
    """Make the client of a case, and close it afterwards."""
    sync = world == "sync"
    options: dict[str, Any] = {"api_key": KEY, **resolved(case.client, package)}
    if case.path is not None:
        options["base_url"] = url + case.path
    if case.http is not None:
        options["http_client"] = (httpx.Client if sync else httpx.AsyncClient)(**case.http)
    elif "http_client" not in options:
        # Without certificates: they take long to load, and a recorder without TLS has no use for them.
        make = package.DefaultHttpxClient if sync else package.DefaultAsyncHttpxClient
        options["http_client"] = make(verify=False)
    if timeouts is not None and options["http_client"] is not ...:
        options["http_client"].event_hooks = {"request": [_noting(timeouts, sync=sync)]}
    kind = package.Anthropic if sync else package.AsyncAnthropic
    client = kind(**{name: value for name, value in options.items() if value is not ...})
    try:
        yield client if case.copy is None else client.with_options(**resolved(case.copy, package))
    finally:
        await look.settled(client.close())


def resolved(value: Any, package: ModuleType) -> Any:
    """Return a value with its names replaced by what the package has under them."""
    if isinstance(value, Name):
        return value.of(package)
    if isinstance(value, dict):
        return {name: resolved(inner, package) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(resolved(inner, package) for inner in value)
    return value


async def _make(
    package: ModuleType, url: str, case: Case, world: str, form: str, clock: FakeClock, timeouts: list[Any]
) -> Seen:
    try:
        async with client_of(package, url, case, world, timeouts) as client:
            client.__dict__["_clock"] = clock
            if case.post is not None:
                post = resolved(case.post, package)
                return await look.at_result(
                    client.post(**{name: value for name, value in post.items() if value is not ...})
                )
            arguments = {**ARGUMENTS, **resolved(case.arguments, package)}
            arguments = {name: value for name, value in arguments.items() if value is not ...}
            if form in STREAMED:
                arguments["stream"] = True
            if form.startswith("raw"):
                return await look.at_raw(client.with_raw_response.completions.create(**arguments))
            if form.startswith("unread"):
                return await look.at_unread(client.with_streaming_response.completions.create(**arguments))
            return await look.at_result(client.completions.create(**arguments))
    except Exception as error:
        return look.at_error(error)


def _noting(timeouts: list[Any], *, sync: bool) -> Any:
    def note(request: httpx.Request) -> None:
        timeouts.append(request.extensions.get("timeout"))

    async def note_async(request: httpx.Request) -> None:
        note(request)

    return note if sync else note_async


def _sent(request: Recorded) -> Seen:
    seen: Seen = {"method": request.method, "target": request.target, "body": request.body}
    for name, value in request.headers:
        seen.setdefault(f"header {name.lower()}", []).append(value)
    return seen
