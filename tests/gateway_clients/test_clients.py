"""Clients of four languages through the gateway, beside the same clients at the old endpoint.

Their commands are in GATEWAY_CLIENTS, a JSON object by the clients' names.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from anthropic_completions.sse import SSEDecoder
from anthropic_completions.testing import StandIn
from gateway.test_served import served
from gateway_clients.cases import CASES, REPLY, Case
from processes import started
from raw_server import HANG, RawServer, framed, head

COMMANDS: dict[str, list[str]] = json.loads(os.environ.get("GATEWAY_CLIENTS", "{}"))
PATIENCE_SECONDS = 60
CURL = ["curl", "--silent", "--show-error", "--no-buffer", "--header", "x-api-key: key"]
CURL += ["--header", "anthropic-version: 2023-06-01", "--header", "content-type: application/json"]
START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","model":"m"}}\n\n'
    b'event: content_block_start\ndata: {"index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
)


@dataclass
class Sides:
    """A gateway with its upstream, and the old endpoint."""

    gateway: str
    upstream: StandIn
    old: str
    old_service: StandIn

    def queue(self, case: Case) -> None:
        """Have the services answer as a case says."""
        if case.scripted is None:
            return
        self.upstream.queue(case.scripted)
        if case.is_old:
            self.old_service.queue(case.scripted)


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    upstream, old_service = StandIn(), StandIn(padding=False)
    with ExitStack() as stack:
        old = stack.enter_context(old_service.serve())
        gateway, _ = stack.enter_context(served(stack.enter_context(upstream.serve())))
        yield Sides(gateway, upstream, old, old_service)


def use(command: list[str], url: str, action: str) -> dict[str, Any]:
    """Return what a client tells."""
    done = subprocess.run([*command, url, action], capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def without_ids(text: str) -> str:
    """Return a text without ids of requests and completions, addresses, and times."""
    return re.sub(r"\b(msg|compl|req)_\w+|http://[\w.:]+", "", text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_client_gets_of_the_gateway_what_the_old_endpoint_gave(name: str, case: Case, sides: Sides) -> None:
    sides.queue(case)
    then = use(COMMANDS[name], sides.old, case.action) if case.is_old else None
    told = use(COMMANDS[name], sides.gateway, case.action)
    if then is not None:
        assert without_ids(json.dumps(told)) == without_ids(json.dumps(then))
    wanted = dict(case.outcome or {})
    if wanted.pop("error", False) or "status" in wanted:
        assert told["error"]
    assert wanted.pop("says", "") in told.get("error", "")
    assert {key: told.get(key) for key in wanted} == wanted
    assert told["text"] == REPLY or told.get("error")


def curl(url: str, action: str) -> tuple[dict[str, str], bytes]:
    """Return the head and the body of what curl gets."""
    fields = {"model": "claude-haiku-4-5", "max_tokens_to_sample": 20}
    fields |= {"prompt": "\n\nHuman: one two three\n\nAssistant:", "stream": action != "plain"}
    command = [*CURL, "--include", "--data", json.dumps(fields), f"{url}/v1/complete"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS)
    start, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *lines = start.decode().splitlines()
    named = (line.split(": ", 1) for line in lines)
    return {"status": status.split()[1], **{name.lower(): value for name, value in named}}, body


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_curl_gets_the_bytes_of_the_old_endpoint(case: Case, sides: Sides) -> None:
    sides.queue(case)
    then = curl(sides.old, case.action) if case.is_old else None
    headers, body = curl(sides.gateway, case.action)
    if then is not None:
        old_headers, old_body = then
        old_body = old_body.replace(b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n', b"")
        assert without_ids(body.decode()) == without_ids(old_body.decode())
        for name in ("status", "content-type", "retry-after", "x-should-retry"):
            assert headers.get(name) == old_headers.get(name)
        return
    outcome = case.outcome or {}
    assert outcome.get("says", "") in body.decode()
    if "status" in outcome:
        assert headers["status"] == str(outcome["status"])
        assert json.loads(body)["type"] == "error"
    else:
        *_, last = SSEDecoder().feed(body)
        assert last.event == "error"


@pytest.mark.parametrize("name", [*COMMANDS, "curl"])
def test_a_client_that_leaves_a_stream_frees_the_upstream_within_a_second(name: str) -> None:
    fields = {"model": "m", "max_tokens_to_sample": 20, "stream": True}
    body = json.dumps({**fields, "prompt": "\n\nHuman: one\n\nAssistant:"})
    script = [head("transfer-encoding: chunked"), framed(START), HANG]
    with RawServer(script) as upstream, served(upstream.url) as (url, _):
        command = [*COMMANDS.get(name, []), url, "leave"]
        if name == "curl":
            command = [*CURL, "--data", body, f"{url}/v1/complete"]
        with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            if name == "curl":
                process.terminate()
            left = time.monotonic()
            assert upstream.all_closed()
            seconds = time.monotonic() - left
            process.communicate(timeout=PATIENCE_SECONDS)
    assert seconds < 1
