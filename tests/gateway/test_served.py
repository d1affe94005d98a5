"""The gateway as its command serves it: in a process of its own, over sockets."""

import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions import Anthropic
from anthropic_completions.testing import StandIn
from processes import run, started

# Each process loads what it needs before it answers, and there may be many others.
PATIENCE_SECONDS = 120
pytestmark = pytest.mark.timeout(2 * PATIENCE_SECONDS)

ARGUMENTS: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "prompt": "\n\nHuman: one two three four\n\nAssistant:",
    "max_tokens_to_sample": 20,
}


@contextmanager
def served(upstream: str, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve a gateway in a process; yield its URL and the process."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "anthropic_completions", "gateway", "--port", str(port)]
    command += ["--upstream", upstream, *arguments]
    url = f"http://127.0.0.1:{port}"
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                httpx.get(f"{url}/healthz")
                break
            except httpx.TransportError:
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                assert time.monotonic() < until
                time.sleep(0.05)
        yield url, process


def test_a_client_of_the_old_endpoint_is_served_and_the_log_is_json() -> None:
    with StandIn().serve() as upstream, served(upstream) as (url, process):
        with Anthropic(api_key="k", base_url=url) as client:
            assert client.completions.create(**ARGUMENTS).completion == " You said: one two three four"
            stream = client.completions.create(**ARGUMENTS, stream=True)
            assert stream.get_final_completion().completion == " You said: one two three four"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        told = [json.loads(line) for line in out.decode().splitlines()]
    assert [(one["status"], one["streamed"], one["outcome"]) for one in told] == [
        (200, False, "complete"),
        (200, True, "complete"),
    ]
    assert b"Traceback" not in err


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_pages_first_request_is_answered() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
    command, request = re.search(r"^\$ anthropic-completions gateway (.*)$", page, re.M), sh(page)
    assert command is not None
    options = shlex.split(command[1].replace("--check", ""))
    with StandIn(today=True).serve() as upstream, served(upstream, *options) as (url, _):
        request = request.replace("http://127.0.0.1:8787", url).replace("$ANTHROPIC_API_KEY", "k")
        done = run(["sh", "-c", request], timeout=PATIENCE_SECONDS)
    answer = json.loads(done.stdout)
    assert (answer["model"], answer["completion"]) == (
        "claude-haiku-4-5-20251001",
        " You said: Is water wet?",
    )


def sh(page: str) -> str:
    """Return the commands of the first block for a shell."""
    return page.partition("```sh\n")[2].partition("```")[0]


def test_streams_end_before_the_gateway_stops() -> None:
    with StandIn(delay=0.2).serve() as upstream, served(upstream) as (url, process):
        with Anthropic(api_key="k", base_url=url, max_retries=0) as client:
            stream = client.completions.create(**ARGUMENTS, stream=True)
            first = next(stream)
            process.send_signal(signal.SIGTERM)
            rest = [chunk.completion for chunk in stream]
        assert first.completion + "".join(rest) == " You said: one two three four"
        assert process.wait(PATIENCE_SECONDS) in (0, -signal.SIGTERM)


@pytest.mark.skipif(sys.platform == "win32", reason="workers are processes of uvicorn")
def test_workers_tell_their_metrics_together() -> None:
    with StandIn().serve() as upstream, served(upstream, "--workers", "2") as (url, _):
        for _ in range(6):
            with Anthropic(api_key="k", base_url=url) as client:
                client.completions.create(**ARGUMENTS)
        text = httpx.get(f"{url}/metrics", timeout=PATIENCE_SECONDS).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")  # or a worker would be left
    counts = [
        line for line in text.splitlines() if line.startswith("anthropic_completions_gateway_requests_total")
    ]
    assert sum(float(line.split()[-1]) for line in counts) == 6
