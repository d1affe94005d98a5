"""A completion, piece by piece."""

from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, Anthropic

client = Anthropic(backend="messages")
stream = client.completions.create(
    model="claude-haiku-5-5",
    max_tokens_to_sample=256,
    prompt=f"{HUMAN_PROMPT} Hello, world!{AI_PROMPT}",
    stream=True,
)
for chunk in stream:
    print(chunk.completion, end="", flush=True)
print()
