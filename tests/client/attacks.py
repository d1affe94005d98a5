"""Calls and streams of raw bytes, in each way to run a client."""

import json
from collections.abc import Sequence
from typing import Any

from anthropic_completions import APIError
from raw_server import RawServer, Step
from reachable import assert_holds_none
from support import KEY, Streamed, World, chunk

A, B, END = chunk(" a"), chunk(" b"), chunk("", "stop_sequence")
FIELDS = {"id": "c", "completion": " Hi", "model": "m", "stop_reason": "stop_sequence", "type": "completion"}
JSON = json.dumps(FIELDS).encode()


def options(world: World, server: RawServer, **changes: Any) -> dict[str, Any]:
    """Return options for a client of a server; without certificates, which take their time to load."""
    http = world.http(verify=False)
    return {"max_retries": 0, "timeout": 15, "http_client": http, "base_url": server.url, **changes}


def call(world: World, steps: Sequence[Step], **changes: Any) -> Any:
    """Return what a plain call returns or raises."""
    with RawServer(steps) as server:
        try:
            result = world.create(None, options(world, server, **changes))
        except APIError as error:
            assert_holds_none([KEY], error)
            result = error
        assert server.all_closed()
    return result


def read(world: World, steps: Sequence[Step], **changes: Any) -> Streamed:
    """Return what a stream brings; after each chunk the server may go on."""
    with RawServer(steps) as server:
        result = world.stream(None, options(world, server, **changes), after_each=server.go)
        assert server.all_closed()
    assert_holds_none([KEY], result.error)
    return result


def reply(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *headers, f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
