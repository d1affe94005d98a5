"""The error of each HTTP status that has one of its own."""

# Made of openapi.yaml by `make generate`. Do not edit.

from __future__ import annotations

from .base import APIStatusError, InternalServerError

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "BillingError",
    "ConflictError",
    "DeadlineExceededError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTooLargeError",
    "ServiceUnavailableError",
    "UnprocessableEntityError",
]


class BadRequestError(APIStatusError):
    """400: the request's form or content is wrong."""

    status_code = 400


class AuthenticationError(APIStatusError):
    """401: the credential is missing, wrong, revoked or expired."""

    status_code = 401


class BillingError(APIStatusError):
    """402: payment is due."""

    status_code = 402


class PermissionDeniedError(APIStatusError):
    """403: the credential does not allow this."""

    status_code = 403


class NotFoundError(APIStatusError):
    """404: there is no such path or model; retired models answer so."""

    status_code = 404


class ConflictError(APIStatusError):
    """409: the request clashes with the state of something."""

    status_code = 409


class RequestTooLargeError(APIStatusError):
    """413: the request is above the size limit."""

    status_code = 413


class UnprocessableEntityError(APIStatusError):
    """422: the request cannot be processed."""

    status_code = 422


class RateLimitError(APIStatusError):
    """429: too many requests or tokens, or a spend limit."""

    status_code = 429


class ServiceUnavailableError(InternalServerError):
    """503: the service does not answer at present."""

    status_code = 503


class DeadlineExceededError(InternalServerError):
    """504: the service took too long."""

    status_code = 504


class OverloadedError(APIStatusError):
    """529: the service is overloaded, by all its users together."""

    status_code = 529


_CLASSES: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: BillingError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    503: ServiceUnavailableError,
    504: DeadlineExceededError,
    529: OverloadedError,
}


def status_error_class(status: int) -> type[APIStatusError]:
    """Return the class that stands for an HTTP status."""
    return _CLASSES.get(status) or (InternalServerError if status >= 500 else APIStatusError)
