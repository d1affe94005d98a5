"""Complete the API reference's example with a current model, plain and streamed, for `make demo`.

It is served by the Messages API, as no model is known to answer on the endpoint of completions any more.

With LIVE=1 in the environment it goes to the real service, with the key in ANTHROPIC_API_KEY; otherwise to
the stand-in server on a loopback port.
"""

import os
import sys
from contextlib import ExitStack

from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, Anthropic, APIError
from anthropic_completions.models import CURRENT
from anthropic_completions.testing import StandIn

MODEL = os.environ.get("MODEL") or CURRENT
PROMPT = f"{HUMAN_PROMPT} Hello, world!{AI_PROMPT}"


def complete(client: Anthropic) -> None:
    """Complete the prompt in both ways."""
    print(f"Plain, from {client.base_url}:", flush=True)
    completion = client.completions.create(model=MODEL, max_tokens_to_sample=256, prompt=PROMPT)
    print(completion.completion)
    print("Streamed:", flush=True)
    with client.completions.create(
        model=MODEL, max_tokens_to_sample=256, prompt=PROMPT, stream=True
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
    print()


def main() -> None:
    """Choose the service and show it."""
    live = bool(os.environ.get("LIVE"))
    with ExitStack() as stack:
        if live:
            print("Asking the real service.")
            client = Anthropic(backend="messages")
        else:
            print("Starting the stand-in server.")
            url = stack.enter_context(StandIn(today=True).serve())
            client = Anthropic(api_key="not-needed", base_url=url, backend="messages")
        stack.enter_context(client)
        try:
            complete(client)
        except (APIError, TypeError, ValueError) as error:
            sys.exit(f"{type(error).__name__}: {error}")
    if not live:
        print("The same against the real service: ANTHROPIC_API_KEY=... make demo LIVE=1 [MODEL=...]")


if __name__ == "__main__":
    main()
