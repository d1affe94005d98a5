"""A completion, all at once."""

from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, Anthropic

client = Anthropic(backend="messages")  # reads ANTHROPIC_API_KEY
completion = client.completions.create(
    model="claude-haiku-5-5",
    max_tokens_to_sample=256,
    prompt=f"{HUMAN_PROMPT} Hello, world!{AI_PROMPT}",
)
print(completion.completion)
