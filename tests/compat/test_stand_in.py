"""The stand-in beside the old client, curl and a JSON Schema validator."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from jsonschema import Draft202012Validator

from anthropic_completions._contract.generated import contract
from anthropic_completions.prompts import validate
from anthropic_completions.testing import Received, StandIn, overloaded
from compat.calls import CALLS
from compat.play import OLD, Case, play
from compat.recorder import Recorder
from support import ARGUMENTS

REQUEST = Draft202012Validator({**contract(), "$ref": "#/components/schemas/CompletionRequest"})
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01", "content-type": "application/json"}
REPLY = " Hello! My name is Claude."


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[StandIn, str]]:
    stand_in = StandIn()
    with stand_in.serve() as url:
        yield stand_in, url


def verdicts(recorder: Recorder, case: Case) -> Iterator[tuple[bool, bool]]:
    """Yield for each body that the old client sends whether the schema and the stand-in take it."""
    for form in case.forms:
        play(OLD, recorder, case, "sync", form)
        for request in recorder.requests[:1]:
            if request.method != "POST" or not request.target.partition("?")[0].endswith("/v1/complete"):
                continue
            try:
                body = json.loads(request.body)
            except ValueError:
                continue
            reply = StandIn().handle(Received("POST", "/v1/complete", HEADERS, request.body))
            taken = reply.status == 200
            if reply.status == 400 and isinstance(body, dict) and isinstance(body.get("prompt"), str):
                # What a schema cannot say, the rules for prompts, is told apart by the reason that is given.
                message = json.loads(b"".join(reply.body))["error"]["message"]
                taken = message == str(validate(body["prompt"]).message)
            yield REQUEST.is_valid(body), taken


@pytest.mark.parametrize("case", CALLS, ids=lambda case: case.name)
def test_the_stand_in_takes_what_the_schema_takes(recorder: Recorder, case: Case) -> None:
    for schema, stand_in in verdicts(recorder, case):
        assert stand_in == schema


def test_the_table_has_bodies_of_both_verdicts(recorder: Recorder) -> None:
    found = [schema for case in CALLS for schema, _ in verdicts(recorder, case)]
    assert found.count(True) > 100
    assert found.count(False) > 20


def test_the_old_client_completes(served: tuple[StandIn, str]) -> None:
    with anthropic.Anthropic(api_key="key", base_url=served[1]) as client:
        completion = client.completions.create(**ARGUMENTS)
        chunks = list(client.completions.create(**ARGUMENTS, stream=True))
    assert (completion.completion, completion.stop_reason) == (REPLY, "stop_sequence")
    assert "".join(chunk.completion for chunk in chunks) == REPLY
    assert chunks[-1].stop_reason == "stop_sequence"


def test_the_old_async_client_completes(served: tuple[StandIn, str]) -> None:
    async def main() -> tuple[Any, list[Any]]:
        async with anthropic.AsyncAnthropic(api_key="key", base_url=served[1]) as client:
            completion = await client.completions.create(**ARGUMENTS)
            stream = await client.completions.create(**ARGUMENTS, stream=True)
            return completion, [chunk async for chunk in stream]

    completion, chunks = asyncio.run(main())
    assert completion.completion == REPLY
    assert "".join(chunk.completion for chunk in chunks) == REPLY


def test_the_old_client_gets_typed_errors(served: tuple[StandIn, str]) -> None:
    stand_in, url = served
    with anthropic.Anthropic(api_key="key", base_url=url, max_retries=0) as client:
        with pytest.raises(anthropic.BadRequestError, match="temperature"):
            client.completions.create(**ARGUMENTS, temperature=2)
        stand_in.queue(overloaded())
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.completions.create(**ARGUMENTS)
        assert caught.value.status_code == 529
        stand_in.queue(overloaded(after_chunks=2))
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            list(client.completions.create(**ARGUMENTS, stream=True))


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("stream", [False, True])
def test_curl_completes(served: tuple[StandIn, str], stream: bool) -> None:
    command = ["curl", "--silent", "--show-error", "--fail", "--no-buffer", f"{served[1]}/v1/complete"]
    for name, value in HEADERS.items():
        command += ["--header", f"{name}: {value}"]
    body = json.dumps({**ARGUMENTS, "stream": stream})
    done = subprocess.run([*command, "--data", body], capture_output=True, check=True)
    if not stream:
        assert json.loads(done.stdout)["completion"] == REPLY
        return
    events = done.stdout.decode().split("\r\n\r\n")
    assert events.pop() == ""
    data = [json.loads(event.partition("data: ")[2]) for event in events if "event: completion" in event]
    assert "".join(chunk["completion"] for chunk in data) == REPLY
    assert data[-1]["stop_reason"] == "stop_sequence"
