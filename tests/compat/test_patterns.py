"""Programs written for the old client print the same with only the import changed. Their text is frozen."""

import contextlib
import gc
import io
from types import ModuleType

import httpx
import pytest

from compat.play import COMPLETION, NEW, OLD, STREAM
from compat.recorder import EVENTS, JSON, Recorder, Reply
from compat.replies import HTML, REFERENCE

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

SOON = (*JSON, ("retry-after-ms", "1"))
OVERLOADED = Reply(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', 529, SOON)
LIMITED = Reply(b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}', 429, SOON)
REFUSED = Reply(b'{"type":"error","error":{"type":"invalid_request_error","message":"No."}}', 400, SOON)
WHOLE, STREAMED = Reply(COMPLETION), Reply(STREAM, headers=EVENTS)

# As the API reference prints it.
REFERENCE_EXAMPLE = """
import os
from anthropic import Anthropic

client = Anthropic(
    api_key=os.environ.get("ANTHROPIC_API_KEY"),  # This is the default and can be omitted
)
for completion in client.completions.create(
    max_tokens_to_sample=256,
    model="claude-2.1",
    prompt="\\n\\nHuman: Hello, world!\\n\\nAssistant:",
):
  print(completion)
"""

HARNESS = """
import anthropic

client = anthropic.Anthropic(max_retries=0)

def complete(prompt):
    for attempt in range(5):
        try:
            return client.completions.create(
                prompt=f"{anthropic.HUMAN_PROMPT} {prompt}{anthropic.AI_PROMPT}",
                model="claude-instant-1.2",
                stop_sequences=[anthropic.HUMAN_PROMPT, "\\n"],
                max_tokens_to_sample=256,
                temperature=0.0,
            ).completion
        except anthropic.APIError as error:
            print("attempt", attempt, type(error).__name__, error.message)

print([complete(question) for question in ("one", "two")])
"""

KINDS_OF_ERRORS = """
import anthropic
from anthropic import Anthropic

client = Anthropic(max_retries=0)
for _ in range(4):
    try:
        print(client.completions.create(model="m", max_tokens_to_sample=1, prompt="p").completion)
    except anthropic.APIConnectionError as e:
        print("The server could not be reached")
        print(e.__cause__)  # an underlying Exception, likely raised within httpx.
    except anthropic.RateLimitError as e:
        print("A 429 status code was received; we should back off a bit.", e.status_code)
    except anthropic.APIStatusError as e:
        print("Another non-200-range status code was received")
        print(e.status_code)
        print(e.response)
        print(e.response.json() if "json" in e.response.headers["content-type"] else e.body)
"""

PARAMETERS = """
import json
from anthropic import AI_PROMPT, HUMAN_PROMPT, Anthropic
from anthropic.types import Completion, CompletionCreateParams

params: CompletionCreateParams = {
    "model": "claude-2.1",
    "max_tokens_to_sample": 300,
    "prompt": f"{HUMAN_PROMPT} how does a court case get to the Supreme Court?{AI_PROMPT}",
}
completion: Completion = Anthropic().completions.create(**params)
dumped = completion.model_dump()
print(dumped, list(dumped), json.dumps(dumped, sort_keys=True))
print(completion.to_json(), completion.to_dict()["completion"], completion._request_id)
print(dict(completion), completion.stop, getattr(completion, "usage", None), completion)
"""

JOINED = """
from anthropic import Anthropic

client = Anthropic()
stream = client.completions.create(prompt="p", stream=True, max_tokens_to_sample=300, model="claude-2.1")
print("".join(chunk.completion for chunk in stream))
text = ""
with client.completions.create(prompt="p", stream=True, max_tokens_to_sample=9, model="m") as stream:
    for completion in stream:
        text += completion.completion
        print(completion.completion, end="|", flush=True)
        if completion.stop_reason:
            print(completion.stop_reason)
print(text, stream.response.status_code)
"""

GATHERED = """
import asyncio
import anthropic

async def main():
    client = anthropic.AsyncAnthropic()
    limit = asyncio.Semaphore(2)

    async def complete(number):
        async with limit:
            return await client.completions.create(
                model="claude-2.1",
                max_tokens_to_sample=10,
                prompt=f"{client.HUMAN_PROMPT} {number}{client.AI_PROMPT}",
            )

    for completion in await asyncio.gather(*(complete(number) for number in range(5))):
        print(completion.completion, completion.stop_reason)
    await client.close()

asyncio.run(main())
"""

ASYNC_STREAM = """
import asyncio
from anthropic import AsyncAnthropic

async def main():
    async with AsyncAnthropic() as client:
        stream = await client.completions.create(
            prompt="p", max_tokens_to_sample=300, model="claude-2.1", stream=True
        )
        print([completion.completion async for completion in stream])

asyncio.run(main())
"""

RAW = """
from anthropic import Anthropic

client = Anthropic()
response = client.completions.with_raw_response.create(model="m", max_tokens_to_sample=1, prompt="p")
print(response.headers.get("request-id"), response.status_code, response.retries_taken)
completion = response.parse()
print(completion.completion, completion)
response = client.with_raw_response.completions.create(
    model="m", max_tokens_to_sample=1, prompt="p", stream=True
)
print([chunk.completion for chunk in response.parse()])
with client.completions.with_streaming_response.create(
    model="m", max_tokens_to_sample=1, prompt="p"
) as response:
    for line in response.iter_lines():
        print(line)
"""

OPTIONS = """
import httpx
from anthropic import NOT_GIVEN, Anthropic, DefaultHttpxClient, Timeout

client = Anthropic(
    timeout=httpx.Timeout(60.0, read=5.0, write=10.0, connect=2.0),
    max_retries=0,
    default_headers={"anthropic-beta": "my-beta"},
    http_client=DefaultHttpxClient(transport=httpx.HTTPTransport(local_address="127.0.0.1")),
)
arguments = dict(model="m", max_tokens_to_sample=1, prompt="p", top_k=NOT_GIVEN, metadata={"user_id": "u"})
print(client.with_options(max_retries=5).completions.create(**arguments).completion)
print(client.with_options(timeout=5 * 1000).completions.create(**arguments, timeout=Timeout(3)).completion)
print(client.post("/v1/complete", body={"model": "m"}, cast_to=httpx.Response).json()["completion"])
"""

PROGRAMS = {
    "the reference's example": (REFERENCE_EXAMPLE, [Reply(REFERENCE)]),
    "the reference's example, as the service replies": (REFERENCE_EXAMPLE, [WHOLE]),
    "an evaluation harness": (HARNESS, [OVERLOADED, LIMITED, WHOLE, REFUSED, WHOLE]),
    "kinds of errors": (
        KINDS_OF_ERRORS,
        [LIMITED, OVERLOADED, Reply(HTML, 502, (("content-type", "text/html"),)), WHOLE],
    ),
    "parameters": (PARAMETERS, [WHOLE]),
    "retries": (PARAMETERS, [OVERLOADED, LIMITED, WHOLE]),
    "joined chunks": (JOINED, [STREAMED]),
    "gathered completions": (GATHERED, [WHOLE]),
    "an async stream": (ASYNC_STREAM, [STREAMED]),
    "raw replies": (RAW, [WHOLE, STREAMED, WHOLE]),
    "options": (OPTIONS, [OVERLOADED, WHOLE]),
}


def _output(package: ModuleType, source: str, recorder: Recorder, replies: list[Reply]) -> str:
    """Run a program with its import changed, and return what it prints."""
    name = package.__name__
    source = source.replace("import anthropic\n", f"import {name} as anthropic\n")
    source = source.replace("from anthropic", f"from {name}")
    recorder.expect(*replies)
    printed = io.StringIO()
    namespace = {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        exec(compile(source, name, "exec"), namespace)
    # The programs leave their clients open; here is where that may be seen.
    namespace.clear()
    gc.collect()
    return printed.getvalue()


@pytest.mark.parametrize("name", PROGRAMS)
def test_prints_the_same(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-a-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", recorder.url)
    # Without certificates: they take long to load, and a recorder without TLS has no use for them.
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **_: False)
    source, replies = PROGRAMS[name]
    old = _output(OLD, source, recorder, replies)
    sent = [(request.target, request.body) for request in recorder.requests]
    new = _output(NEW, source, recorder, replies)
    assert new == old
    assert sorted((request.target, request.body) for request in recorder.requests) == sorted(sent)
    assert old


def test_prints_the_fields_of_the_reference(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example iterates over the completion, which gives pairs of field and value."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-a-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", recorder.url)
    assert _output(NEW, REFERENCE_EXAMPLE, recorder, [Reply(REFERENCE)]).splitlines() == [
        "('id', 'compl_018CKm6gsux7P8yMcwZbeCPw')",
        "('completion', ' Hello! My name is Claude.')",
        "('model', 'claude-2.1')",
        "('stop_reason', 'stop_sequence')",
        "('type', 'completion')",
    ]
