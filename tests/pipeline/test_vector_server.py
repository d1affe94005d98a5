"""The vector server, which judges the clients of other languages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = json.loads((ROOT / "tests/vectors/requests.json").read_text("utf-8"))["requests"]
# Sends the first request vector, changed as the first argument says.
CLIENT = """
import json, os, sys, urllib.error, urllib.request
with open(os.environ["VECTORS"] + "/requests.json", encoding="utf-8") as file:
    expected = json.load(file)["requests"][0]["request"]
headers = {name: value for name, value in expected["headers"].items() if value is not None}
changes = json.loads(sys.argv[1])
request = urllib.request.Request(
    os.environ["VECTORS_URL"] + "/requests/0" + changes.get("path", expected["path"]),
    json.dumps({**expected["body"], **changes.get("body", {})}).encode(),
    {**headers, **changes.get("headers", {})},
)
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.status, json.load(error)["error"]["message"])
"""


def served(**changes: object) -> subprocess.CompletedProcess[str]:
    server = str(ROOT / "tests" / "languages" / "server.py")
    command = [sys.executable, server, sys.executable, "-c", CLIENT, json.dumps(changes)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_a_right_request_is_accepted_and_vectors_that_are_left_out_are_named() -> None:
    done = served()
    assert done.stdout.strip() == "200"
    assert "wrong request" not in done.stderr
    assert "not asked for: " in done.stderr
    assert done.returncode == 1


def test_a_program_that_left_out_vectors_without_a_server_is_told() -> None:
    server = str(ROOT / "tests" / "languages" / "server.py")
    for printed in ("nothing", "test: 3 vectors passed"):
        command = [sys.executable, server, sys.executable, "-c", f"print({printed!r})"]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 1
        assert done.stdout == f"{printed}\n"
        assert "expected the program to end with '" in done.stderr
        assert "with those of messages.json" in done.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": "/v1/messages"}, "the path is /v1/messages, not /v1/complete"),
        ({"headers": {"anthropic-beta": "x"}}, "header anthropic-beta is 'x', not None"),
        (
            {"headers": {"anthropic-version": "2023-01-01"}},
            "anthropic-version is '2023-01-01', not '2023-06-01'",
        ),
        ({"body": {"stream": False}}, "stream is sent and should not be: False"),
        ({"body": {"max_tokens_to_sample": 256.0}}, "max_tokens_to_sample is 256.0, not 256"),
        ({"body": {"prompt": "\\n\\nHuman: Hello, world!\\n\\nAssistant:"}}, "prompt is "),
    ],
)
def test_a_wrong_request_is_refused_with_the_reason(changes: dict[str, object], reason: str) -> None:
    done = served(**changes)
    assert done.stdout.startswith("400 ")
    assert reason in done.stdout
    assert f"wrong request: {REQUESTS[0]['name']}: " in done.stderr
    assert done.returncode == 1
