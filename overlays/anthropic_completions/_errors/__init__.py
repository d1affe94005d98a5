"""The exceptions of this package, and which of them a status or a type of error stands for.

    AnthropicError
    ├── RetryableError                  raise it from middleware to have the request tried again
    └── APIError                        message, request, body, request_id
        ├── APIResponseValidationError  the reply is not what the contract says
        ├── APIConnectionError          no reply, or not the whole of it
        │   ├── APITimeoutError         nothing came in time
        │   └── IncompleteStreamError   the stream ended before the text did
        └── APIStatusError              the service answered with an error
            ├── BadRequestError           400
            ├── AuthenticationError       401
            ├── BillingError              402
            ├── PermissionDeniedError     403
            ├── NotFoundError             404
            ├── ConflictError             409
            ├── RequestTooLargeError      413
            ├── UnprocessableEntityError  422
            ├── RateLimitError            429
            ├── InternalServerError       500 and every 5xx without a class of its own
            │   ├── ServiceUnavailableError  503
            │   └── DeadlineExceededError    504
            └── OverloadedError           529

The Messages API in the place of the old endpoint adds `messages.UntranslatableReplyError`, an `APIError`.
Every error survives pickle and copy. None holds a key: the requests that they carry have their
credentials removed.
"""

from . import status
from .base import (
    HIDDEN_PARAMETERS,
    AnthropicError,
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    IncompleteStreamError,
    InternalServerError,
    RetryableError,
    _Base,
    _restore,
    error_type,
    shown_url,
    strip_credentials,
    without_credentials,
    without_values,
)
from .status import *  # noqa: F403
from .status import status_error_class

__all__ = [
    "HIDDEN_PARAMETERS",
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AnthropicError",
    "IncompleteStreamError",
    "InternalServerError",
    "RetryableError",
    "_Base",
    "_restore",  # by which pickles make errors
    "error_type",
    "shown_url",
    "status_error_class",
    "strip_credentials",
    "without_credentials",
    "without_values",
]
__all__ += status.__all__
