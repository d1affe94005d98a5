"""A recorded evaluation replays byte for byte, with no service, and its file holds no key."""

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import anyio
import httpx
import pytest

from anthropic_completions import Anthropic, APIConnectionError, APIError, IncompleteStreamError
from anthropic_completions.testing import (
    NotRecordedError,
    Recorder,
    StandIn,
    completion,
    drop,
    drop_after,
    error,
    rate_limited,
    raw,
    stall,
)
from anthropic_completions.testing._recorder.recording import hidden
from support import ARGUMENTS, PROMPT, World

SECRET = "sk-ant-a-very-secret-key"


class NoService(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that must not be used."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError("a request was sent")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError("a request was sent")


class Kept(httpx.MockTransport):
    """A transport that keeps the raw pieces of what it answers."""

    def __init__(self, stand_in: StandIn) -> None:
        self.pieces: list[list[bytes]] = []
        transport = stand_in.transport()

        def answer(request: httpx.Request) -> httpx.Response:
            response = transport.handler(request)
            pieces: list[bytes] = []
            self.pieces.append(pieces)
            inner = response.stream

            class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
                def __iter__(self) -> Any:
                    for piece in inner:
                        pieces.append(piece)
                        yield piece

                async def __aiter__(self) -> Any:
                    for piece in self:
                        yield piece

            response.stream = Body()
            return response

        super().__init__(answer)


Play = Callable[[Any], Iterator[Any]]


def run(world: World, recorder: Recorder, play: Play, **options: Any) -> Any:
    """Play against a recorder, in a world.

    Args:
        play: Gets the client and yields what a client of `World` may have to await.
    """
    options = {"api_key": SECRET, "base_url": "http://service", **options}

    async def steps(client: Any) -> Any:
        playing = play(client)
        advance, value = playing.send, None
        while True:
            try:
                step = advance(value)
            except StopIteration as done:
                return done.value
            try:
                advance, value = playing.send, await step if hasattr(step, "__await__") else step
            except Exception as error:
                advance, value = playing.throw, error

    async def main() -> Any:
        async with recorder.async_client(**options) as client:
            return await steps(client)

    if world.backend is not None:
        return anyio.run(main, backend=world.backend)
    with recorder.client(**options) as client:
        try:
            steps(client).send(None)  # with nothing to await it ends at once
        except StopIteration as done:
            return done.value
    raise AssertionError("a blocking client made something wait")


def _evaluation(client: Any) -> Any:
    """A small evaluation: plain, streamed, repeated, and with an error."""
    results = []
    for number in (1, 2):
        prompt = f"\n\nHuman: ünïcode {number} \U0001f600\n\nAssistant:"
        one = yield client.completions.create(**{**ARGUMENTS, "prompt": prompt})
        results.append((one.model_dump(), dict(one.headers)))
    for _ in range(2):
        stream = yield client.completions.create(**ARGUMENTS, stream=True)
        final = yield stream.get_final_completion()
        results.append((final.model_dump(), stream.request_id))
    try:
        yield client.completions.create(**ARGUMENTS, extra_body={"colour": "red"})
    except APIError as error:
        results.append((str(error), error.body))
    return results


class Pieces:
    """Reads raw bodies through a transport, in a world."""

    @staticmethod
    def of(world: World, transport: Any, count: int = 1, **fields: Any) -> list[list[bytes]]:
        headers = {"x-api-key": SECRET, "anthropic-version": "2023-06-01"}
        request = {"method": "POST", "url": "http://x/v1/complete", "json": {**ARGUMENTS, **fields}}

        if world.backend is None:
            with httpx.Client(transport=transport) as client:
                bodies = []
                for _ in range(count):
                    with client.stream(**request, headers=headers) as response:
                        bodies.append([*response.iter_raw()])
                return bodies

        async def main() -> list[list[bytes]]:
            async with httpx.AsyncClient(transport=transport) as client:
                bodies = []
                for _ in range(count):
                    async with client.stream(**request, headers=headers) as response:
                        bodies.append([piece async for piece in response.aiter_raw()])
                return bodies

        result: list[list[bytes]] = anyio.run(main, backend=world.backend)
        return result


def test_an_evaluation_replays_with_no_service(world: World, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    stand_in = StandIn()
    stand_in.queue(rate_limited(0.001))
    recorded = run(world, Recorder(path, transport=stand_in.transport()), _evaluation, max_retries=1)
    replayed = run(world, Recorder(path, transport=NoService()), _evaluation, max_retries=1)
    assert replayed == recorded
    assert [text["completion"] for text, _ in recorded[:2]] == [
        " You said: ünïcode 1 \U0001f600",
        " You said: ünïcode 2 \U0001f600",
    ]


def test_a_body_replays_in_its_pieces(world: World, tmp_path: Path) -> None:
    stand_in = StandIn(chunk_size=3)
    # Pieces that are cut inside a character, and one that is no text at all.
    stand_in.queue(raw("é".encode()[:1], "é".encode()[1:], b"\xff\x00\r\n", "\u2028\n".encode()))
    kept = Kept(stand_in)
    recorded = Pieces.of(world, Recorder(tmp_path / "x.json", transport=kept), 3, stream=True)
    assert recorded == kept.pieces
    assert len(recorded[0]) == 4
    assert len(recorded[1]) > 5
    assert Pieces.of(world, Recorder(tmp_path / "x.json"), 3, stream=True) == recorded


def test_one_world_replays_what_another_recorded(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    recorded = Pieces.of(World(None), Recorder(path, transport=StandIn().transport()), stream=True)
    for backend in ("asyncio", "trio"):
        assert Pieces.of(World(backend), Recorder(path), stream=True) == recorded


def test_the_file_holds_no_key(world: World, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    stand_in = StandIn()
    stand_in.queue(completion(f" You sent {SECRET}."), raw(b"x", headers={"set-cookie": "session=1"}))
    recorder = Recorder(path, transport=stand_in.transport())
    extra = {
        "extra_headers": {"cookie": "id=abcdefgh", "x-gateway-key": "gateway-secret"},
        "extra_query": {"api_key": "query-secret", "page": "2"},
    }

    def play(client: Any) -> Any:
        prompt = f"\n\nHuman: my key is {SECRET}\n\nAssistant:"
        yield client.completions.create(**{**ARGUMENTS, "prompt": prompt}, **extra)
        with suppress(APIError):
            yield client.completions.create(**ARGUMENTS)

    run(world, recorder, play, auth_token="bearer-secret-token")
    text = path.read_text(encoding="utf-8")
    for secret in (SECRET, "bearer-secret-token", "abcdefgh", "gateway-secret", "query-secret", "session"):
        assert secret not in text
    assert "page=2" in text
    assert " You sent [removed]." in text


def test_the_file_is_readable_json_after_each_exchange(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    client = Recorder(path, transport=StandIn().transport()).client(api_key=SECRET, base_url="http://x")
    for number in range(1, 4):
        client.completions.create(**ARGUMENTS, betas=["a-1"])
        entries = json.loads(path.read_bytes())
        assert len(entries) == number
    assert entries[0]["request"] == {
        "method": "POST",
        "target": "/v1/complete",
        "headers": {
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "a-1",
            "content-type": "application/json",
        },
        "body": ARGUMENTS,
    }
    assert entries[0]["response"]["status"] == 200
    assert ["content-type", "application/json"] in entries[0]["response"]["headers"]


def test_different_requests_may_come_in_another_order(tmp_path: Path) -> None:
    path = tmp_path / "x.json"

    def ask(client: Anthropic, numbers: list[int]) -> list[str]:
        prompts = [f"\n\nHuman: {number}\n\nAssistant:" for number in numbers]
        return [client.completions.create(**{**ARGUMENTS, "prompt": prompt}).completion for prompt in prompts]

    recorded = ask(Recorder(path, transport=StandIn().transport()).client(api_key=SECRET), [1, 2, 3])
    assert ask(Recorder(path).client(), [3, 1, 2]) == [recorded[2], recorded[0], recorded[1]]


def test_the_same_request_gets_its_replies_in_order(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    stand_in = StandIn()
    stand_in.queue(completion("1"), completion("2"))
    with Recorder(path, transport=stand_in.transport()).client(api_key=SECRET) as client:
        for _ in range(2):
            client.completions.create(**ARGUMENTS)
    client = Recorder(path).client()
    assert [client.completions.create(**ARGUMENTS).completion for _ in range(2)] == ["1", "2"]
    with pytest.raises(NotRecordedError, match="no reply more"):
        client.completions.create(**ARGUMENTS)


@pytest.mark.parametrize("changes", [{"top_k": 1}, {"betas": ["a-1"]}, {"extra_query": {"x": "1"}}])
def test_another_request_is_not_answered(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "x.json"
    Recorder(path, transport=StandIn().transport()).client(api_key=SECRET).completions.create(**ARGUMENTS)
    with pytest.raises(NotRecordedError, match="holds no reply to POST /v1/complete"):
        Recorder(path).client().completions.create(**ARGUMENTS, **changes)


def test_the_order_of_fields_and_the_key_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    headers = {"anthropic-version": "v", "content-type": "application/json"}
    with httpx.Client(transport=Recorder(path, transport=StandIn().transport())) as client:
        client.post("http://a/v1/complete", json=ARGUMENTS, headers={**headers, "x-api-key": SECRET})
    with httpx.Client(transport=Recorder(path)) as client:
        body = json.dumps(dict(reversed(ARGUMENTS.items())), indent=3)
        response = client.post(
            "http://b/v1/complete", content=body, headers={**headers, "x-api-key": "other"}
        )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "script", [drop(), drop_after(2), stall(9999), stall(9999, after_chunks=2)], ids=repr
)
def test_a_failure_replays(world: World, tmp_path: Path, script: Any) -> None:
    path = tmp_path / "x.json"
    stand_in = StandIn()
    stand_in.queue(script)

    def play(client: Any) -> Any:
        try:
            stream = yield client.completions.create(**ARGUMENTS, stream=True)
            yield stream.get_final_completion()
        except APIConnectionError as error:
            return type(error), error.completion, str(error)
        raise AssertionError("nothing failed")

    recorded = run(world, Recorder(path, transport=stand_in.transport()), play, max_retries=0)
    assert run(world, Recorder(path), play, max_retries=0) == recorded


def test_a_stream_that_was_left_replays_up_to_there(world: World, tmp_path: Path) -> None:
    path = tmp_path / "x.json"

    def leave(client: Any) -> Any:
        stream = yield client.completions.create(**ARGUMENTS, stream=True)
        first = (yield stream.__anext__()) if hasattr(stream, "__anext__") else next(stream)
        yield stream.close()
        return first.completion

    def stay(client: Any) -> Any:
        stream = yield client.completions.create(**ARGUMENTS, stream=True)
        yield stream.get_final_completion()

    stand_in = StandIn()
    stand_in.queue(stall(1, after_chunks=1))  # or an asynchronous client reads on while it closes
    assert run(world, Recorder(path, transport=stand_in.transport()), leave) == " Hello!"
    assert run(world, Recorder(path), leave) == " Hello!"
    with pytest.raises(IncompleteStreamError, match="recording ends here") as caught:
        run(world, Recorder(path), stay)
    assert caught.value.completion


def test_replaying_waits_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    stand_in = StandIn()
    stand_in.queue(rate_limited(50))
    recording = Recorder(path, transport=stand_in.transport())
    with recording.client(api_key=SECRET, max_retries=0) as client, pytest.raises(APIError):
        client.completions.create(**ARGUMENTS)
    with httpx.Client(transport=recording) as http:  # the attempt after it
        headers = {"x-api-key": SECRET, "anthropic-version": "2023-06-01"}
        http.post("http://x/v1/complete", json=ARGUMENTS, headers=headers)
    # Really waiting 50 s would be noticed.
    assert Recorder(path).client(max_retries=1).completions.create(**ARGUMENTS).completion


def test_replies_are_asked_for_uncompressed(tmp_path: Path) -> None:
    stand_in = StandIn()
    client = Recorder(tmp_path / "x.json", transport=stand_in.transport()).client(api_key=SECRET)
    client.completions.create(**ARGUMENTS)
    assert stand_in.received[0].headers["accept-encoding"] == "identity"


class TestModes:
    """Whether it records or replays."""

    def test_auto_records_first_and_replays_then(self, tmp_path: Path) -> None:
        path = tmp_path / "x.json"
        first = Recorder(path, transport=StandIn().transport())
        assert not first.replays
        first.client(api_key=SECRET).completions.create(**ARGUMENTS)
        assert Recorder(path).replays

    def test_record_begins_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "x.json"
        for prompt in (PROMPT, "\n\nHuman: other\n\nAssistant:"):
            recorder = Recorder(path, mode="record", transport=StandIn().transport())
            recorder.client(api_key=SECRET).completions.create(**{**ARGUMENTS, "prompt": prompt})
        (entry,) = json.loads(path.read_bytes())
        assert "other" in entry["request"]["body"]["prompt"]

    def test_replay_needs_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Recorder(tmp_path / "x.json", mode="replay").handle_request(httpx.Request("POST", "http://x"))

    @pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"[{}]", b"not JSON"])
    def test_replay_refuses_another_file(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises((ValueError, NotRecordedError), match=r"x\.json"):
            Recorder(tmp_path / "x.json").handle_request(httpx.Request("POST", "http://x"))

    def test_there_are_three_modes(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="mode"):
            Recorder(tmp_path, mode="other")  # type: ignore[arg-type]


def test_it_records_over_a_socket(world: World, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with StandIn().serve() as url:
        recorded = run(world, Recorder(path), _evaluation, base_url=url)
    assert run(world, Recorder(path), _evaluation, base_url=url) == recorded


@pytest.mark.parametrize(
    "pieces",
    [
        (b'{"error": "', SECRET[:9].encode(), SECRET[9:].encode(), b'"}'),
        (b'{"a": "' + SECRET[:3].encode(), SECRET[3:].encode() + b" " + SECRET.encode(), b'"}'),
        (b"\xc3" + SECRET.encode(), b"\xa9"),
    ],
)
def test_a_key_across_pieces_or_in_bytes_that_are_no_text_is_removed(
    world: World, tmp_path: Path, pieces: tuple[bytes, ...]
) -> None:
    """Only the key goes; every other byte stays in its piece."""
    stand_in = StandIn()
    stand_in.queue(raw(*pieces, status=401))
    path = tmp_path / "tape.json"
    recorder = Recorder(path, transport=stand_in.transport())

    def play(client: Any) -> Iterator[Any]:
        yield client.completions.create(**ARGUMENTS)

    with pytest.raises(APIError):
        run(world, recorder, play)
    stored = [hidden(piece) for piece in json.loads(path.read_bytes())[0]["response"]["body"]]
    assert b"".join(stored) == b"".join(pieces).replace(SECRET.encode(), b"[removed]")
    assert len(stored) == len(pieces)


def test_a_gateways_key_that_the_reply_repeats_is_removed(tmp_path: Path) -> None:
    """Each header whose name tells of a secret counts, as it does for logs and representations."""
    stand_in = StandIn()
    stand_in.queue(error(401, message=f"no such key: {SECRET}"))
    path = tmp_path / "tape.json"
    headers = {"x-gateway-key": SECRET}
    with (
        Recorder(path, transport=stand_in.transport()).client(
            api_key="sk-other-key", default_headers=headers
        ) as client,
        suppress(APIError),
    ):
        client.completions.create(**ARGUMENTS)
    assert SECRET not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", ["replayed", "stand-in", "none"])
def test_no_word_of_a_prompt_is_taken_for_the_key_of_replays(tmp_path: Path, word: str) -> None:
    """The client that replays has a key of its own, which is not looked for in the request."""
    arguments = {**ARGUMENTS, "prompt": f"\n\nHuman: Is this {word}?\n\nAssistant:"}
    path = tmp_path / "tape.json"
    texts = []
    for recorder in (Recorder(path, transport=StandIn().transport()), Recorder(path, mode="replay")):
        with recorder.client(**({} if recorder.replays else {"api_key": SECRET})) as client:
            texts.append(client.completions.create(**arguments).completion)
    assert texts == [f" You said: Is this {word}?"] * 2


def test_a_directory_that_is_not_there_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """A reply that was paid for is not lost for want of a directory."""
    with pytest.raises(FileNotFoundError, match=r"path: .*missing is no directory"):
        Recorder(tmp_path / "missing" / "tape.json", transport=NoService())


class TestKeysInDisguise:
    """What was given as a secret is in the file in no encoding."""

    KEY = "sk/ant+a-gateway's \u0022key\u0022?&".replace(" ", "_")

    def recorded(self, tmp_path: Path, *replies: Any, query: Any = None, key: str | None = None) -> str:
        path = tmp_path / "tape.json"
        key = key or self.KEY
        recorder = Recorder(path, transport=httpx.MockTransport(lambda request: replies[0]))
        with recorder.client(api_key=key, default_query=query, max_retries=0) as client, suppress(APIError):
            client.completions.create(**ARGUMENTS)
        return path.read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        "form",
        [
            lambda key: json.dumps(key),
            lambda key: quote(key, safe=""),
            lambda key: quote_plus(key),
            lambda key: re.sub("%..", lambda found: found[0].lower(), quote(key, safe="")),
            lambda key: base64.b64encode(key.encode()).decode(),
            lambda key: base64.b64encode(b"user:" + key.encode() + b":1").decode(),
            lambda key: base64.urlsafe_b64encode(b"u:" + key.encode()).decode(),
            lambda key: key.encode().hex(),
        ],
    )
    def test_an_echoed_key_is_removed_in_each_encoding(self, tmp_path: Path, form: Any) -> None:
        shown = form(self.KEY)
        text = self.recorded(
            tmp_path, httpx.Response(400, text=f"no such key: {shown}", headers={"x-key": shown})
        )
        assert "[removed]" in text
        assert shown.strip('"') not in text
        assert shown[4:-4] not in text

    def test_a_key_in_a_compressed_reply_is_removed(self, tmp_path: Path) -> None:
        """As of a server that compresses although it was asked not to."""
        body = gzip.compress(json.dumps({"error": {"message": f"no such key: {SECRET}"}}).encode())
        reply = httpx.Response(400, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(body))
        text = self.recorded(tmp_path, reply, key=SECRET)
        assert "no such key: [removed]" in text
        assert "gzip" not in text

    def test_a_reply_that_cannot_be_decoded_is_not_recorded(self, tmp_path: Path) -> None:
        for encoding in ("unheard-of", "gzip"):
            reply = httpx.Response(
                400, headers={"content-encoding": encoding}, stream=httpx.ByteStream(b"x" * 99)
            )
            with pytest.raises(ValueError, match=r"tape\.json: not recorded"):
                self.recorded(tmp_path, reply)
            assert not (tmp_path / "tape.json").exists()

    def test_an_echoed_default_of_the_query_is_removed(self, tmp_path: Path) -> None:
        """By its name or, where it is as long as a key, whatever its name."""
        query = {"key": "tiny-key", "route": "a-long-value-of-a-route"}
        text = self.recorded(
            tmp_path, httpx.Response(400, text="tiny-key a-long-value-of-a-route"), query=query
        )
        assert "tiny-key" not in text
        assert "a-long-value-of-a-route" not in text

    def test_a_short_key_that_the_reply_holds_is_not_recorded(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"tape\.json: not recorded.*too short"):
            self.recorded(tmp_path, httpx.Response(400, text="no such key: abc-d"), key="abc-d")
        assert "nothing" in self.recorded(tmp_path, httpx.Response(400, text="nothing"), key="abc-d")


class TestFilesOfOthers:
    """A file that is no whole recording is named, and nothing in it decides what runs."""

    def good(self, tmp_path: Path) -> tuple[Path, Any]:
        path = tmp_path / "tape.json"
        with Recorder(path, transport=StandIn().transport()).client(api_key=SECRET) as client:
            client.completions.create(**ARGUMENTS)
        return path, json.loads(path.read_bytes())

    @pytest.mark.parametrize(
        "change",
        [
            lambda entry: entry.pop("request"),
            lambda entry: entry.pop("response"),
            lambda entry: entry["response"].pop("status"),
            lambda entry: entry["response"].update(status="200"),
            lambda entry: entry["response"].pop("headers"),
            lambda entry: entry["response"].update(headers=[["a"]]),
            lambda entry: entry["response"].pop("body"),
            lambda entry: entry["response"].update(body=[{"base64": "?"}]),
            lambda entry: entry["response"].update(body=[1]),
            lambda entry: entry["response"].update(end={"type": "Client", "message": ""}),
            lambda entry: entry.update(error={"type": "HTTPStatusError", "message": ""}),
            lambda entry: entry.update(error={"type": "__class__", "message": ""}),
            lambda entry: entry.update(error="ReadError"),
        ],
    )
    def test_an_edited_file_is_named(self, tmp_path: Path, change: Any) -> None:
        path, entries = self.good(tmp_path)
        change(entries[0])
        path.write_text(json.dumps(entries), encoding="utf-8")
        with Recorder(path, mode="replay").client() as client, pytest.raises(ValueError, match=r"tape\.json"):
            client.completions.create(**ARGUMENTS)

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
    def test_a_recording_that_was_killed_is_named(self, tmp_path: Path, share: float) -> None:
        path, _ = self.good(tmp_path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        told = r"tape\.json is no recording: .*interrupted"
        with Recorder(path, mode="replay").client() as client, pytest.raises(ValueError, match=told):
            client.completions.create(**ARGUMENTS)

    def test_a_second_recorder_on_the_same_file_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "tape.json"
        one, other = (Recorder(path, mode="record", transport=StandIn().transport()) for _ in range(2))
        with one.client(api_key=SECRET) as first, other.client(api_key=SECRET) as second:
            first.completions.create(**ARGUMENTS)
            second.completions.create(**ARGUMENTS)
            with pytest.raises(ValueError, match=r"tape\.json was changed while it is being recorded"):
                first.completions.create(**ARGUMENTS)
