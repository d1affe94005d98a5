"""The client of anthropic 0.125.0: python_client.py URL ACTION."""

import json
import sys
from typing import Any

import anthropic

url, action = sys.argv[1:]
told: dict[str, Any] = {"text": ""}
client = anthropic.Anthropic(api_key="key", base_url=url, max_retries=0)
arguments: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens_to_sample": 20,
    "prompt": "\n\nHuman: one two three\n\nAssistant:",
}
try:
    if action == "plain":
        completion = client.completions.create(**arguments)
        told |= {"text": completion.completion, "stop": completion.stop_reason}
    else:
        stream = client.completions.create(**arguments, stream=True)
        for chunk in stream:
            told["text"] += chunk.completion
            told["stop"] = chunk.stop_reason
            if action == "leave":
                stream.close()
                break
except anthropic.APIError as error:
    told |= {"status": getattr(error, "status_code", None), "error": str(error)}
print(json.dumps(told), flush=True)
if action == "leave":
    sys.stdin.read()  # so that it is the closed stream that tells, and not the end of the process
