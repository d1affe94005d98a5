"""Read the old and odd shapes of replies that real servers send as the usual one.

- `stop_reason` is an empty string or the text "null" (gateways): there is none.
- `id`, `model`, `type` or `log_id` of a chunk is null (gateways): it did not come.
- `completion` of a chunk is null, and there is a stop reason (gateways): no more text.
- A whole reply has neither `id` nor `type` (replies of 2023): they did not come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._contract.schema import JSONObject

from .._contract.checks import is_completion_chunk
from .._contract.generated import first_violation

# Whether JSON fields are certainly a chunk; the contract's own check says what is wrong, and takes longer.
is_chunk = is_completion_chunk
DONE = "[DONE]"
_NO_STOP_REASON = ("", "null")
_MAY_BE_ABSENT = ("id", "model", "type", "log_id")
_ADDED_IN_2023 = {"id": "", "type": "completion"}


def usual(fields: JSONObject) -> JSONObject:
    """Return the fields of a whole reply in their usual shape; the same dict where they have it."""
    return {**fields, "stop_reason": None} if fields.get("stop_reason") in _NO_STOP_REASON else fields


def usual_chunk(fields: JSONObject) -> JSONObject:
    """Return the fields of a chunk in their usual shape."""
    fields = usual(fields)
    found = {name: value for name, value in fields.items() if value is not None or name not in _MAY_BE_ABSENT}
    if found.get("completion", "") is None and found.get("stop_reason") is not None:
        found["completion"] = ""
    return found


def violation_of(fields: object) -> object | None:
    """Return what of a whole reply's fields is not what the contract says, or None."""
    if isinstance(fields, dict) and "completion" in fields and not fields.keys() & _ADDED_IN_2023.keys():
        fields = {**_ADDED_IN_2023, **fields}
    return first_violation("Completion", fields)
