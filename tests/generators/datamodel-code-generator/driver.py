# It makes models alone; what sends them is the reader's own.
import json
import os
import sys
import urllib.request

sys.path.insert(0, ".")
from made import Completion, CompletionRequest

request = CompletionRequest(model="claude-2.1", max_tokens_to_sample=256, prompt=os.environ["PROMPT"])
headers = {"x-api-key": "key", "anthropic-version": "2023-06-01", "anthropic-beta": os.environ["BETAS"]}
body = request.model_dump_json(exclude_unset=True).encode()
headers["content-type"] = "application/json"
sent = urllib.request.Request(os.environ["URL"] + "/v1/complete", body, headers)
with urllib.request.urlopen(sent) as response:
    reply = Completion.model_validate_json(response.read())
plain = reply.model_dump(mode="json")
print(json.dumps({name: plain.get(name) for name in ("completion", "model", "mood")}))
