import json
import os
import sys

sys.path.insert(0, "made")
from openapi_client import ApiClient, CompletionRequest, CompletionsApi, Configuration

client = ApiClient(Configuration(host=os.environ["URL"], api_key={"ApiKey": "key"}))
betas = os.environ["BETAS"].split(",")
request = CompletionRequest(model="claude-2.1", max_tokens_to_sample=256, prompt=os.environ["PROMPT"])
if os.environ["CONTRACT"] == "as it is":
    reply = CompletionsApi(client).create_completion("2023-06-01", request, anthropic_beta=betas)
else:
    reply = CompletionsApi(client).create_completion("2023-06-01", request, anthropic_beta=",".join(betas))
extra = getattr(reply, "additional_properties", {})
print(json.dumps({"completion": reply.completion, "model": str(reply.model), "mood": extra.get("mood")}))
