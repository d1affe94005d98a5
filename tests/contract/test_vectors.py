"""The vectors: language-neutral cases of what the contract means, here run with both clients."""

import base64
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

import anthropic_completions
from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, Anthropic, APIError, APIStatusError
from anthropic_completions._contract.generated import statuses
from anthropic_completions._http import retry
from anthropic_completions._stream.sse import SSEDecoder
from anthropic_completions.rate_limits import RateLimit, RateLimits
from spread import BOTH_CLIENTS, spread
from support import Body, FakeClock, Script, World, chunk, completion_reply, stream_reply

VECTORS = Path(__file__).parents[1] / "vectors"
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in VECTORS.glob("*.json")}
SCHEMA = FILES.pop("schema")
CONSTANTS, REQUESTS, REPLIES, STREAMS, RETRIES, RATE_LIMITS = (
    FILES[name] for name in ("constants", "requests", "replies", "streams", "retries", "rate_limits")
)
NOW = parsedate_to_datetime(RETRIES["now"]).timestamp()


def each(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def each_with_both_clients(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    """Run each vector with the blocking and the awaiting client, in turn in all of the worlds."""
    rows = {case["name"]: (case,) for case in cases}
    assert len(rows) == len(cases)
    return pytest.mark.parametrize(("case", "world"), spread(rows, BOTH_CLIENTS))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_schema_says(name: str) -> None:
    schema = {**SCHEMA, "$ref": f"#/$defs/{name}"}
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(FILES[name])
    ]
    assert errors == []


@pytest.mark.parametrize("name", FILES)
def test_no_two_cases_of_a_group_have_one_name(name: str) -> None:
    groups = [group for group in FILES[name].values() if isinstance(group[0], dict)]
    repeated = [
        name for group in groups for name, count in Counter(c["name"] for c in group).items() if count > 1
    ]
    assert repeated == []


@each(CONSTANTS["markers"])
def test_a_marker_is_these_bytes(case: dict[str, Any]) -> None:
    marker = {"HUMAN_PROMPT": HUMAN_PROMPT, "AI_PROMPT": AI_PROMPT}[case["name"]]
    assert marker == case["text"] == getattr(Anthropic, case["name"])
    assert marker.encode().hex() == case["hex"]


def test_requests_go_to_this_address_with_this_version(world: World) -> None:
    protocol = {case["name"]: case["value"] for case in CONSTANTS["protocol"]}
    script = Script([completion_reply()])
    world.create(script)
    assert str(script.requests[0].url) == protocol["base_url"] + protocol["path"]
    assert script.requests[0].headers["anthropic-version"] == protocol["anthropic-version"]


def test_the_kinds_of_error_stand_for_these_statuses() -> None:
    assert statuses() == {case["name"]: case["status"] for case in CONSTANTS["error_types"]}


@each_with_both_clients(REQUESTS["requests"])
def test_a_request(world: World, case: dict[str, Any]) -> None:
    arguments = dict(case["arguments"])
    if "workspace_id" in arguments:
        arguments["extra_headers"] = {"anthropic-workspace-id": arguments.pop("workspace_id")}
    options = {"api_key": None, **case["credentials"]}
    if arguments.get("stream"):
        script = Script([stream_reply(chunk("", "stop_sequence"))])
        assert world.stream(script, options, **arguments).error is None
    else:
        script = Script([completion_reply()])
        world.create(script, options, **arguments)

    (request,), expected = script.requests, case["request"]
    assert (request.method, request.url.path) == (expected["method"], expected["path"])
    assert {name: request.headers.get(name) for name in expected["headers"]} == expected["headers"]
    # As text, in which 1 and 1.0 differ; the order of fields is the client's own.
    body = json.loads(request.content)
    assert json.dumps(body, sort_keys=True) == json.dumps(expected["body"], sort_keys=True)


def bytes_of(value: Any) -> bytes:
    """Return the bytes that a vector gives as text, in base64, or as a JSON value."""
    if isinstance(value, str):
        return value.encode()
    return base64.b64decode(value["base64"]) if "base64" in value else json.dumps(value["json"]).encode()


def reply_of(reply: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a reply that is not streamed."""
    body = bytes_of(reply["body"])
    if not reply.get("gzip"):
        return reply["headers"], body
    return {**reply["headers"], "content-encoding": "gzip"}, gzip.compress(body)


def compressed(pieces: list[bytes]) -> Iterator[bytes]:
    """Yield pieces as one gzip stream, each so that it can be read at once."""
    compress = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    for piece in pieces:
        yield compress.compress(piece) + compress.flush(zlib.Z_SYNC_FLUSH)
    yield compress.flush()


def well_formed(text: str) -> str:
    """Return a text with U+FFFD in place of each half of a surrogate pair."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_error(error: Exception | None, case: dict[str, Any], *, within_a_stream: bool) -> None:
    """Compare an error with what its vector says."""
    expected = case["error"]
    assert type(error) is getattr(anthropic_completions, expected["python"])
    assert isinstance(error, APIError)
    assert error.request_id == expected["request_id"]
    assert error.retry_after == expected.get("retry_after")
    if isinstance(error, APIStatusError):
        assert (error.type or "unknown") == expected["kind"]
        detail = error.body["error"] if isinstance(error.body, dict) and "error" in error.body else {}
        message = detail.get("message") if isinstance(detail, dict) else None
        assert (message if isinstance(message, str) else None) == expected["message"]
        status = case["reply"]["status"]
        assert error.status_code == (statuses().get(expected["kind"], 200) if status == 200 else status)
    else:
        assert expected["kind"] in ("invalid", "incomplete")
    assert error.completion == ("".join(case["texts"]) if within_a_stream else None)


@each_with_both_clients(REPLIES["replies"])
def test_a_reply(world: World, case: dict[str, Any]) -> None:
    reply = case["reply"]
    headers, content = reply_of(reply)
    response = httpx.Response(reply["status"], headers=headers, content=content)
    if "error" in case:
        with pytest.raises(APIError) as caught:
            world.create(Script([response]), {"max_retries": 0})
        check_error(caught.value, case, within_a_stream=False)
    else:
        completion = world.create(Script([response]))
        fields = completion.to_dict()
        assert {**fields, "completion": well_formed(fields["completion"])} == case["completion"]
        assert completion._request_id == case["request_id"]


@each_with_both_clients(STREAMS["streams"])
def test_a_stream(world: World, case: dict[str, Any]) -> None:
    reply = case["reply"]
    pieces: list[bytes | Exception] = [bytes_of(piece) for piece in reply["pieces"]]
    if reply.get("breaks"):
        pieces.append(httpx.RemoteProtocolError("peer closed connection"))
    headers = reply["headers"]
    if reply.get("gzip"):
        headers = {**headers, "content-encoding": "gzip"}
        pieces = list(compressed([bytes_of(piece) for piece in reply["pieces"]]))
    response = httpx.Response(reply["status"], headers=headers, stream=Body(*pieces))
    if reply["status"] != 200:
        with pytest.raises(APIError) as caught:
            world.stream(Script([response]), {"max_retries": 0})
        check_error(caught.value, case, within_a_stream=False)
        return
    streamed = world.stream(Script([response]), {"max_retries": 0})
    assert [well_formed(text) for text in streamed.texts] == case["texts"]
    if "error" in case:
        check_error(streamed.error, case, within_a_stream=True)
    else:
        assert streamed.error is None
        assert well_formed(streamed.final.completion) == "".join(case["texts"])
        ended = {name: streamed.final.to_dict().get(name) for name in case["end"]}
        assert ended == case["end"]


@each(STREAMS["streams"])
def test_a_stream_has_the_same_events_wherever_it_is_cut(case: dict[str, Any]) -> None:
    body = b"".join(bytes_of(piece) for piece in case["reply"]["pieces"])
    whole = list(SSEDecoder().feed(body))
    for at in range(1, len(body)):
        decoder = SSEDecoder()
        assert [*decoder.feed(body[:at]), *decoder.feed(body[at:])] == whole, f"cut at byte {at}"


@each(RETRIES["retry_after"])
def test_a_wish_to_wait(case: dict[str, Any]) -> None:
    assert retry.retry_after(case["headers"], now=NOW) == case["seconds"]


@each_with_both_clients(RETRIES["retries"])
def test_a_retry(world: World, case: dict[str, Any]) -> None:
    clock = FakeClock(random=case["random"])
    clock.now = NOW
    clock.sleep = clock.waits.append  # so that the time stays that of the case
    taken = case["retries_taken"]
    before = [httpx.Response(500, headers={"retry-after": "0.001"}) for _ in range(taken)]
    failed: Any = httpx.ReadError("reset")
    if case["status"] is not None:
        failed = httpx.Response(case["status"], headers=case["headers"])
    script = Script([*before, failed, completion_reply()])
    options = {"max_retries": taken + 1, "max_retry_after": None, "clock": clock}
    if case["wait"] is None:
        with pytest.raises(APIError):
            world.create(script, options)
    else:
        world.create(script, options)
    assert clock.waits[taken:] == ([] if case["wait"] is None else [pytest.approx(case["wait"])])


@each(RATE_LIMITS["rate_limits"])
def test_a_rate_limit(case: dict[str, Any]) -> None:
    def described(limit: RateLimit | None) -> dict[str, Any] | None:
        if limit is None:
            return None
        reset = limit.reset and limit.reset.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"limit": limit.limit, "remaining": limit.remaining, "reset": reset}

    limits = RateLimits.from_headers(case["headers"])
    assert {name: described(getattr(limits, name)) for name in case["rate_limits"]} == case["rate_limits"]
