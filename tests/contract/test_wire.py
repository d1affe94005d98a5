"""What the overlay relies on in the generated package."""

import httpx
import pytest

from anthropic_completions._contract import generated as _wire
from anthropic_completions._errors import status_error_class
from anthropic_completions_api.api.completions import create_completion
from anthropic_completions_api.client import AuthenticatedClient
from anthropic_completions_api.models import CompletionRequest, ErrorResponse

ARGUMENTS = {"max_tokens_to_sample": 5, "model": "claude-2.1", "prompt": "p"}


def test_the_generated_kwargs_are_what_the_transport_expects() -> None:
    assert _wire.request_kwargs({**ARGUMENTS, "temperature": 0.5}, "a,b") == {
        "method": "post",
        "url": "/v1/complete",
        "json": {**ARGUMENTS, "temperature": 0.5},
        "headers": {
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "a,b",
            "Content-Type": "application/json",
        },
    }


def test_what_was_not_given_is_not_sent() -> None:
    assert _wire.request_kwargs(ARGUMENTS, None)["json"] == ARGUMENTS
    assert "anthropic-beta" not in _wire.request_kwargs(ARGUMENTS, None)["headers"]


@pytest.mark.parametrize("field", ["metadata", "stop_sequences", "stream", "temperature", "top_k", "top_p"])
def test_none_is_sent_as_null(field: str) -> None:
    assert _wire.request_kwargs({**ARGUMENTS, field: None}, None)["json"] == {**ARGUMENTS, field: None}


def test_every_known_kind_of_error_has_a_class_of_its_status() -> None:
    for kind, status in _wire.statuses().items():
        assert status_error_class(status).__name__ != "APIStatusError", kind


def test_an_error_of_a_kind_that_nobody_knows_parses() -> None:
    parsed = ErrorResponse.from_dict({"error": {"type": "surprise_error", "message": "Oh"}})
    assert parsed.error.type_ == "surprise_error"


def test_the_generated_calls_cannot_take_a_529_which_is_why_they_are_not_used() -> None:
    """When this fails, the generator has learned it, and `_transport` may use the generated calls."""
    body = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    transport = httpx.MockTransport(lambda _: httpx.Response(529, json=body))
    http = httpx.Client(transport=transport, base_url="http://stand-in")
    client = AuthenticatedClient(base_url="http://stand-in", token="").set_httpx_client(http)
    request = CompletionRequest.from_dict(ARGUMENTS)
    with pytest.raises(ValueError, match="529"):
        create_completion.sync(client=client, body=request)
