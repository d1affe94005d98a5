"""What each client is asked to do, what the service answers meanwhile, and how the outcome is told.

A client is a command that gets the URL and the name of an action, and prints one line of JSON: `text` and
`stop` of what came, `status` and `error`, the message, of what was raised, also after some text of a stream.
"""

from dataclasses import dataclass
from typing import Any

from anthropic_completions.testing import (
    Scripted,
    drop_after,
    error,
    overloaded,
    rate_limited,
    refusal,
)


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: What it is.
        action: What the client does: `plain`, `stream` or `leave`.
        scripted: What is answered instead of a completion.
        is_old: Whether the old endpoint gave just the same; otherwise `outcome` says what the gateway gives.
        outcome: What the client has to tell, as far as it is given.
    """

    name: str
    action: str
    scripted: Scripted | None = None
    is_old: bool = True
    outcome: dict[str, Any] | None = None


REPLY = " You said: one two three"
CASES = [
    Case("plain", "plain", outcome={"text": REPLY, "stop": "stop_sequence"}),
    Case("streamed", "stream", outcome={"text": REPLY, "stop": "stop_sequence"}),
    Case("an overloaded service", "plain", overloaded(), outcome={"status": 529}),
    Case("too many requests", "stream", rate_limited(7), outcome={"status": 429}),
    Case("a wrong request", "plain", error(400, "invalid_request_error", "No."), outcome={"status": 400}),
    Case("an error inside a stream", "stream", overloaded(after_chunks=1), outcome={"error": True}),
    # The old endpoint gave half an answer and no end, which is no error to every client.
    Case("a reply that is cut", "plain", drop_after(1), is_old=False, outcome={"status": 502}),
    Case("a stream that is cut", "stream", drop_after(1), is_old=False, outcome={"error": True}),
    Case("a refusal", "plain", refusal("bio"), is_old=False, outcome={"status": 400, "says": "bio"}),
    Case(
        "a refusal of a stream",
        "stream",
        refusal("bio"),
        is_old=False,
        outcome={"error": True, "says": "bio"},
    ),
]
