"""A completion, piece by piece, with asyncio."""

import asyncio

from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, AsyncAnthropic


async def main() -> None:
    async with AsyncAnthropic(backend="messages") as client:
        stream = await client.completions.create(
            model="claude-haiku-5-5",
            max_tokens_to_sample=256,
            prompt=f"{HUMAN_PROMPT} Hello, world!{AI_PROMPT}",
            stream=True,
        )
        async for text in stream.text_stream:
            print(text, end="", flush=True)
    print()


asyncio.run(main())
