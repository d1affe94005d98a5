"""Read the replies of the old endpoint: whole ones, and streams with an assembly."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .._contract.completion import Completion
from .._errors import APIResponseValidationError
from .._http.failures import body_of, holds_error, reported_error
from .assembly import Assembly
from .shapes import usual, violation_of

if TYPE_CHECKING:
    import httpx

    from .._contract.schema import JSONObject
    from .waits import StreamLimits


class Reader:
    """Reads the replies to one call; this one, those of the old endpoint."""

    def assembly(self, limits: StreamLimits) -> Assembly:
        """Return what puts the chunks of a stream together."""
        return Assembly(limits)

    def fields(self, response: httpx.Response, body: object) -> object:
        """Return the fields of the completion that a reply's JSON value is, unchecked."""
        return usual(body) if isinstance(body, dict) else body

    def message(self, body: object) -> JSONObject | None:
        """Return the message that a reply's JSON value is, if it is one."""
        return None

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
        violation = violation_of(fields)
        if violation is None:
            return Completion._from_wire(cast("JSONObject", fields), response.headers, self.message(body))
        message = f"The reply (status {response.status_code}) is no completion. {violation}"
        raise APIResponseValidationError(response, body, message=message)


COMPLETIONS = Reader()
