"""Many completions, a bounded number of them at a time.

    for result in complete_many(client, requests, model="claude-2.1", max_tokens_to_sample=256):
        print(result.id, result.completion or result.error)

Requests are taken from their source one by one, when a call can begin: there may be more of them than fit
into memory. What goes wrong with one is in its result and stops no other.
"""

from ._result import Result
from ._tasks import AsyncResults, acomplete_many
from ._threads import complete_many

__all__ = ["AsyncResults", "Result", "acomplete_many", "complete_many"]
