"""What Schemathesis is told besides the contract, in the terms that it knows.

Loaded through SCHEMATHESIS_HOOKS by scripts/test_stand_in.sh.
"""

import os
from typing import Any

import schemathesis

_STREAM = "text/event-stream"


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Add the rules for prompts as a pattern, and say of a stream what each of its events is."""
    # The run sends a right key with every request; a wrong token beside it does no harm.
    raw_schema["security"] = [{"ApiKey": []}]
    schemas = raw_schema["components"]["schemas"]
    # A known name or any other text is any text, which Schemathesis does not see.
    schemas["AnthropicBeta"] = schemas["Model"] = {"type": "string"}
    # Prompts that the rules allow; others are refused, as other violations are. Messages takes no blank turn.
    turn = "[^:]*[0-9A-Za-z][^:]*" if os.environ.get("TESTED") == "gateway" else "[^:]*"
    schemas["CompletionRequest"]["properties"]["prompt"]["pattern"] = (
        rf"^[^:]*\n\nHuman:{turn}\n\nAssistant:[^:]*$"
    )
    content = raw_schema["paths"]["/v1/complete"]["post"]["responses"]["200"]["content"][_STREAM]
    del content["schema"]
    content["itemSchema"] = {
        "anyOf": [
            _event(branch["properties"])
            for branch in schemas["CompletionStream"]["contentSchema"]["items"]["anyOf"]
        ]
    }


def _event(properties: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": properties["data"]}
    return {
        "type": "object",
        "required": ["event", "data"],
        "properties": {"event": properties["event"], "data": data},
    }
