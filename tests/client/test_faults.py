"""What can go wrong on the way, over real sockets: only documented errors come out, and no key gets out."""

import gzip
import json
from typing import Any

import httpx
import pytest

from anthropic_completions import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    DefaultAsyncHttpxClient,
    DefaultHttpxClient,
    OverloadedError,
)
from anthropic_completions.types import Completion
from raw_server import CLOSE, HANG, RESET, RawServer, Step, framed
from reachable import assert_holds_none
from support import ARGUMENTS, KEY, World

FIELDS = {"id": "c", "completion": " Hi", "model": "m", "stop_reason": "stop_sequence", "type": "completion"}
JSON = json.dumps(FIELDS).encode()
# Long enough that a busy machine does not come late, short enough to wait for.
SHORT = httpx.Timeout(20, read=0.25)


def reply(body: bytes = JSON, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return a whole reply; its length may be a lie."""
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*pieces: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + framed(*pieces)


def over_sockets(world: World, url: str) -> dict[str, Any]:
    """Return options for a client of a server; without certificates, which take their time to load."""
    kind = DefaultHttpxClient if world.backend is None else DefaultAsyncHttpxClient
    return {"base_url": url, "http_client": kind(verify=False)}


def outcome(world: World, script: list[Step], **options: Any) -> Any:
    """Return what a call against a server of these steps returns or raises, after a look for the key."""
    with RawServer(script) as server:
        try:
            result = world.create(None, {"max_retries": 0, **over_sockets(world, server.url), **options})
        except Exception as error:
            result = error
        assert server.requests == 1
        assert server.all_closed()
    if isinstance(result, Exception):
        assert isinstance(result, APIError)
        assert_holds_none([KEY], result)
    return result


NO_WHOLE_REPLY: dict[str, list[Step]] = {
    "closed": [CLOSE],
    "reset": [RESET],
    "closed within the first line": [b"HTTP/1.1 200", CLOSE],
    "reset within the head": [b"HTTP/1.1 200 OK\r\ncontent-type: app", RESET],
    "reset after the head": [b"HTTP/1.1 200 OK\r\n\r\n", RESET],
    "closed before the last byte": [reply(JSON, length=len(JSON) + 1), CLOSE],
    "reset within the body": [reply(JSON[:9], length=len(JSON)), RESET],
    "closed before the body": [reply(b"", length=5), CLOSE],
    "closed before the last chunk": [chunked(JSON), CLOSE],
    "reset within a chunk": [chunked(JSON[:9]), b"20\r\n{", RESET],
    "a chunk without a size": [chunked(JSON), b"no size\r\n", CLOSE],
    "two lengths": [reply(JSON, "content-length: 3"), CLOSE],
    "a length that is none": [b"HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\n", CLOSE],
    "a negative length": [b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", CLOSE],
    "an unknown framing": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: zip\r\n\r\n" + JSON, CLOSE],
    "a header without a colon": [b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", CLOSE],
    "a header without a name": [b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n", CLOSE],
    "a huge header": [b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000 + b"\r\n\r\n", CLOSE],
    "a status that is none": [b"HTTP/1.1 20x OK\r\n\r\n", CLOSE],
    "a line before the first": [b"\r\n" + reply(JSON), CLOSE],
    "SSH": [b"SSH-2.0-OpenSSH_9.6\r\n", CLOSE],
    "TLS": [b"\x15\x03\x01\x00\x02\x02\x46", CLOSE],
    "blank lines": [b"\r\n\r\n\r\n", CLOSE],
    "zeros": [b"\x00" * 70_000, CLOSE],
    "a redirect to no URL": [reply(b"{}", "location: http://host:port/", status="307 Moved"), CLOSE],
}


@pytest.mark.parametrize("fault", NO_WHOLE_REPLY)
def test_what_is_no_whole_reply_is_a_connection_error(world: World, fault: str) -> None:
    assert type(outcome(world, NO_WHOLE_REPLY[fault])) is APIConnectionError


SILENCE: dict[str, list[Step]] = {
    "at once": [HANG],
    "within the head": [b"HTTP/1.1 200 OK\r\n", HANG],
    "before the last byte": [reply(JSON, length=999), HANG],
    "before the last chunk": [chunked(JSON), HANG],
    "before the end that ends the body": [b"HTTP/1.1 200 OK\r\n\r\n" + JSON, HANG],
}


@pytest.mark.parametrize("moment", SILENCE)
def test_silence_is_a_timeout(world: World, moment: str) -> None:
    error = outcome(world, SILENCE[moment], timeout=SHORT)
    assert type(error) is APITimeoutError
    assert isinstance(error.__cause__, httpx.ReadTimeout)


def test_nobody_there_is_a_connection_error(world: World) -> None:
    with RawServer([CLOSE]) as server:
        url = server.url
    with pytest.raises(APIConnectionError) as caught:
        world.create(None, {"base_url": url, "max_retries": 0})
    assert_holds_none([KEY], caught.value)
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "http://nowhere.invalid",
        "http://999.1.1.1",
        "http://" + "a" * 64 + ".\N{SNOWMAN}",
        "http://xn--a",
    ],
)
def test_a_host_that_is_none_is_an_error(world: World, url: str) -> None:
    with pytest.raises((APIConnectionError, ValueError)) as caught:
        world.create(None, {"base_url": url, "max_retries": 0})
    assert_holds_none([KEY], caught.value)


TAKEN: dict[str, list[Step]] = {
    "plain": [reply(JSON)],
    "called HTML": [reply(JSON, "content-type: text/html")],
    "called a stream": [reply(JSON, "content-type: text/event-stream")],
    "called UTF-16": [reply(JSON, "content-type: application/json; charset=utf-16")],
    "called nothing sensible": [reply(JSON, "content-type: \xff\xfe", "content-encoding: identity")],
    "encoded in an unknown way": [reply(JSON, "content-encoding: unheard-of")],
    "compressed": [reply(gzip.compress(JSON, mtime=0), "content-encoding: gzip")],
    "compressed twice": [
        reply(gzip.compress(gzip.compress(JSON, mtime=0), mtime=0), "content-encoding: gzip, gzip")
    ],
    "after 100": [b"HTTP/1.1 100 Continue\r\n\r\n" + reply(JSON)],
    "HTTP/1.0": [b"HTTP/1.0 200 OK\r\n\r\n" + JSON, CLOSE],
    "ended by closing": [b"HTTP/1.1 200 OK\r\n\r\n" + JSON, CLOSE],
    "in chunks of a byte": [chunked(*(JSON[i : i + 1] for i in range(len(JSON)))) + b"0\r\n\r\n"],
    "with a trailer": [chunked(JSON) + b"0\r\nx-trailer: 1\r\n\r\n"],
}


@pytest.mark.parametrize("form", TAKEN)
def test_a_whole_reply_is_taken_whatever_its_headers_say(world: World, form: str) -> None:
    result = outcome(world, TAKEN[form])
    assert isinstance(result, Completion)
    assert result.to_dict() == FIELDS


SOMETHING_ELSE: dict[str, list[Step]] = {
    "HTML called JSON": [reply(b"<html>Log in</html>", "content-type: application/json")],
    "HTML in no encoding": [reply(b"<html>\xff</html>", "content-type: text/html; charset=undefined")],
    "half of JSON": [reply(b"{", "content-type: application/json")],
    "nothing called JSON": [reply(b"", "content-type: application/json")],
    "a mark of byte order": [reply(b"\xef\xbb\xbf", "content-type: application/json")],
    "an image": [reply(b"\x89PNG\r\n", "content-type: image/png")],
    "JSON called compressed": [reply(JSON, "content-encoding: gzip")],
    "called deflated": [reply(gzip.compress(JSON, mtime=0)[:-9], "content-encoding: deflate")],
    "called compressed thrice": [reply(JSON, "content-encoding: gzip, deflate, gzip")],
    "no content": [reply(b"", status="204 No Content")],
    "no chunk": [chunked(b"")],
    "another HTTP": [b"HTTP/9.9 200 OK\r\n\r\n", CLOSE],
}


@pytest.mark.parametrize("form", SOMETHING_ELSE)
def test_a_whole_reply_of_something_else_is_refused(world: World, form: str) -> None:
    error = outcome(world, SOMETHING_ELSE[form])
    assert type(error) is APIResponseValidationError
    assert error.status_code in (200, 204)


BAD_BODIES: dict[str, list[Step]] = {
    "JSON": [reply(b'{"error": {"type": "overloaded_error"}}', status="529 Overloaded")],
    "HTML": [reply(b"<html>", "content-type: application/json", status="529 Overloaded")],
    "JSON called compressed": [reply(b"{}", "content-encoding: gzip", status="529 Overloaded")],
    "closed within it": [reply(b"{", status="529 Overloaded", length=99), CLOSE],
    "reset within it": [reply(b"{", status="529 Overloaded", length=99), RESET],
    "reset before it": [b"HTTP/1.1 529 \r\n\r\n", RESET],
}


@pytest.mark.parametrize("body", BAD_BODIES)
def test_an_error_keeps_its_class_whatever_its_body(world: World, body: str) -> None:
    error = outcome(world, BAD_BODIES[body])
    assert type(error) is OverloadedError
    assert error.status_code == error.response.status_code == 529


def test_a_change_of_protocol_is_an_error(world: World) -> None:
    """No documented reply; httpx takes it for one."""
    error = outcome(world, [b"HTTP/1.1 101 Switching Protocols\r\n\r\n", CLOSE])
    assert isinstance(error, APIStatusError | APIConnectionError)


def test_an_error_whose_body_never_comes_keeps_its_class(world: World) -> None:
    error = outcome(world, [reply(b"{", status="529 Overloaded", length=99), HANG], timeout=SHORT)
    assert (type(error), error.body) == (OverloadedError, None)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_port_sends_nothing_there(world: World, status: int) -> None:
    """Neither key nor prompt, and not even a connection."""
    with RawServer([reply(JSON)]) as other:
        location = f"location: {other.url}/v1/complete"
        error = outcome(world, [reply(b"Moved.", location, status=f"{status} Moved")])
        assert isinstance(error, APIStatusError)
        assert f"another origin, {other.url}/v1/complete; nothing was sent there" in str(error)
        assert other.accepted == 0


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_to_the_same_port_is_followed(world: World, status: int) -> None:
    moved = reply(b"Moved.", "location: /elsewhere", status=f"{status} Moved")
    with RawServer(lambda number: [moved if number == 0 else reply(JSON)]) as server:
        assert world.create(None, over_sockets(world, server.url)).to_dict() == FIELDS
        assert server.requests == 2


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_changes_the_method_is_refused(world: World, status: int) -> None:
    error = outcome(world, [reply(b"Moved.", "location: /elsewhere", status=f"{status} Moved")])
    assert (error.status_code, error.body) == (status, "Moved.")
    assert "it would turn the POST into a GET" in str(error)


# httpx drops the generator of a request's body where sending it fails, of which trio may warn.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_connection_that_was_kept_and_is_gone_is_opened_anew(world: World) -> None:
    """A server closes idle connections when it likes; the next call does not fail for it."""

    def blocking(client: Any) -> list[Any]:
        return [client.completions.create(**ARGUMENTS) for _ in range(3)]

    async def awaiting(client: Any) -> list[Any]:
        return [await client.completions.create(**ARGUMENTS) for _ in range(3)]

    with RawServer([reply(JSON), CLOSE]) as server:
        results = world.use(blocking, awaiting, clock=_Impatient(), **over_sockets(world, server.url))
        assert [result.to_dict() for result in results] == [FIELDS] * 3
        assert server.requests == server.accepted == 3


def test_goes_on_after_faults(world: World) -> None:
    """Retried over a connection of its own each, and right in the end."""
    faults: list[list[Step]] = [[CLOSE], [b"garbage", CLOSE], [reply(JSON, length=999), RESET], [reply(JSON)]]
    with RawServer(lambda number: faults[number]) as server:
        options = {"max_retries": 3, **over_sockets(world, server.url)}
        result = world.use(
            lambda client: client.completions.create(**ARGUMENTS),
            lambda client: client.completions.create(**ARGUMENTS),
            clock=_Impatient(),
            **options,
        )
        assert result.to_dict() == FIELDS
        assert server.requests == server.accepted == 4


class _Impatient:
    """A clock whose waits take no time."""

    def __init__(self) -> None:
        from anthropic_completions._http.call import Clock

        clock = Clock()
        self.monotonic, self.wall, self.random = clock.monotonic, clock.wall, clock.random

    def sleep(self, seconds: float) -> None:
        pass

    async def sleep_async(self, seconds: float) -> None:
        pass


def test_every_fault_is_an_api_error() -> None:
    """The classes that the tests above expect are what programs catch."""
    for cls in (APIConnectionError, APITimeoutError, APIResponseValidationError, APIStatusError):
        assert issubclass(cls, APIError)
