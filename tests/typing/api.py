"""What type checkers see; this file is checked, never run."""

from typing import assert_type

from anthropic_completions import Anthropic, AsyncAnthropic, AsyncStream, Stream
from anthropic_completions.types import Completion

PROMPT = "\n\nHuman: Hello, world!\n\nAssistant:"


def blocking(client: Anthropic, flag: bool) -> None:
    create = client.completions.create
    assert_type(create(model="claude-2.1", max_tokens_to_sample=1, prompt=PROMPT), Completion)
    assert_type(create(model="claude-2.1", max_tokens_to_sample=1, prompt=PROMPT, stream=False), Completion)
    assert_type(create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=True), Stream[Completion])
    either = create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=flag)
    assert_type(either, Completion | Stream[Completion])


async def awaiting(client: AsyncAnthropic) -> None:
    create = client.completions.create
    assert_type(await create(model="claude-2.1", max_tokens_to_sample=1, prompt=PROMPT), Completion)
    stream = await create(model="m", max_tokens_to_sample=1, prompt=PROMPT, stream=True)
    assert_type(stream, AsyncStream[Completion])
