"""How what a service answers is read as completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._contract.completion import Completion
from .._contract.generated import first_violation
from .._errors import APIResponseValidationError
from .._http.failures import body_of, holds_error, reported_error
from .assembly import Assembly

if TYPE_CHECKING:
    import httpx


class Reader:
    """Reads the replies to one call; this one, those of the old endpoint."""

    def assembly(self, *arguments: Any, **limits: Any) -> Assembly:
        """Return what puts the chunks of a stream together; the arguments are those of `Assembly`."""
        return Assembly(*arguments, **limits)

    def fields(self, response: httpx.Response, body: Any) -> Any:
        """Return the fields of the completion that a reply's JSON value is, unchecked."""
        return body

    def completion(self, response: httpx.Response) -> Completion:
        """Return the completion that a reply is.

        Raises:
            APIStatusError: It is an error, although its status is 200; of the class that its type stands for,
                as in a stream.
            APIResponseValidationError: It is none; the error holds status, headers and body.
        """
        body = body_of(response)
        if holds_error(body):
            raise reported_error(response, body, where="reply")
        fields = self.fields(response, body)
        violation = first_violation("Completion", fields)
        if violation is None:
            return Completion._from_wire(fields, response.headers)
        message = f"The reply (status {response.status_code}) is no completion. {violation}"
        raise APIResponseValidationError(response, body, message=message)


COMPLETIONS = Reader()
