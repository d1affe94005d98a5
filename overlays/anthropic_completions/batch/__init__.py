"""Many completions: a bounded number of calls at a time, or Message Batches at half the price.

    for result in complete_many(client, requests, model="claude-haiku-5-5", max_tokens_to_sample=256):
        print(result.id, result.completion or result.error)

    handle = submit_batch(client, requests, model="claude-sonnet-5-5", max_tokens_to_sample=256)
    for result in handle.results(client): ...    # hours later, in another process

Requests are taken from their source one by one. What goes wrong with one is in its result and stops no other.
"""

from ._completer import Completer
from ._result import Result
from ._service.handle import (
    BatchHandle,
    BatchPart,
    ResultsGoneError,
    SubmissionError,
    asubmit_batch,
    submit_batch,
)
from ._service.items import BatchRequestError
from ._service.lines import OtherBatchError
from ._service.steps import BatchStatus
from ._tasks import AsyncResults, acomplete_many
from ._threads import complete_many

__all__ = [
    "AsyncResults",
    "BatchHandle",
    "BatchPart",
    "BatchRequestError",
    "BatchStatus",
    "Completer",
    "OtherBatchError",
    "Result",
    "ResultsGoneError",
    "SubmissionError",
    "acomplete_many",
    "asubmit_batch",
    "complete_many",
    "submit_batch",
]
