"""Pickles that 0.1.0 made, before its modules moved into rooms, still load and still work."""

import base64
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions import (
    Anthropic,
    APIResponseValidationError,
    APITimeoutError,
    AsyncAnthropic,
    IncompleteStreamError,
    NotGiven,
    RateLimitError,
)
from anthropic_completions.batch import Completer
from anthropic_completions.messages import (
    BackendSwitchWarning,
    Loss,
    LossError,
    LossWarning,
    UntranslatableMessageError,
    UntranslatableReplyError,
)
from anthropic_completions.models import Lifecycle
from anthropic_completions.rate_limits import RateLimits
from anthropic_completions.testing import StandIn
from anthropic_completions.types import Completion

PICKLES = json.loads((Path(__file__).parent / "data" / "pickles-0.1.0.json").read_text())
EXPECTED: dict[str, Callable[[Any], bool]] = {
    "completion": lambda it: isinstance(it, Completion) and it.completion == " You said: Hi",
    "status_error": lambda it: isinstance(it, RateLimitError) and it.status_code == 429,
    "stream_error": lambda it: isinstance(it, IncompleteStreamError) and it.completion is not None,
    "timeout_error": lambda it: isinstance(it, APITimeoutError),
    "validation_error": lambda it: isinstance(it, APIResponseValidationError),
    "losses": lambda it: all(isinstance(loss, Loss) for loss in it) and it[0].rule == "prefill_refused",
    "loss_error": lambda it: isinstance(it, LossError) and it.losses[0].field == "prompt",
    "loss_warning": lambda it: isinstance(it, LossWarning) and it.losses[0].field == "prompt",
    "switch_warning": lambda it: isinstance(it, BackendSwitchWarning),
    "untranslatable": lambda it: isinstance(it, UntranslatableMessageError),
    "untranslatable_reply": lambda it: isinstance(it, UntranslatableReplyError),
    "client": lambda it: isinstance(it, Anthropic) and str(it.base_url) == "https://gateway.example/x/",
    "mapped_client": lambda it: it._options.model_map.get("claude-2.0") == "claude-haiku-4-5",
    "completer": lambda it: isinstance(it, Completer) and "id_column='name'" in repr(it),
    "async_client": lambda it: isinstance(it, AsyncAnthropic) and not it.is_closed(),
    "lifecycle": lambda it: isinstance(it, Lifecycle) and it.name == "claude-2.1",
    "rate_limits": lambda it: isinstance(it, RateLimits) and it.requests is not None,
    "options_not_given": lambda it: isinstance(it, NotGiven),
}


def loaded(name: str) -> Any:
    return pickle.loads(base64.b64decode(PICKLES[name]))


def test_each_kind_is_covered() -> None:
    assert PICKLES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", PICKLES)
def test_loads(name: str) -> None:
    assert EXPECTED[name](loaded(name))


@pytest.mark.parametrize("name", PICKLES)
def test_survives_being_pickled_again(name: str) -> None:
    assert EXPECTED[name](pickle.loads(pickle.dumps(loaded(name))))


def test_a_client_makes_calls_with_the_settings_that_it_had() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "gateway.example"
        body = {
            "type": "completion",
            "id": "i",
            "completion": " Hi",
            "stop_reason": "stop_sequence",
            "model": "m",
        }
        return httpx.Response(200, json=body)

    with loaded("client").with_options(
        http_client=httpx.Client(transport=httpx.MockTransport(answer))
    ) as client:
        made = client.completions.create(
            model="m", prompt="\n\nHuman: Hi\n\nAssistant:", max_tokens_to_sample=1
        )
    assert made.completion == " Hi"


def test_what_was_made_of_settings_for_calls_is_not_pickled() -> None:
    client = loaded("client")
    client._options.urls["/v1/complete"] = httpx.URL("https://gateway.example/x/v1/complete")
    assert not pickle.loads(pickle.dumps(client))._options.urls


def test_a_completer_completes_though_it_had_no_name_to_share_under(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anthropic_completions._client.clients.Anthropic", StandIn().client)
    done = loaded("completer")([{"name": "x", "prompt": "\n\nHuman: Hi\n\nAssistant:"}])
    assert done[0]["completion"] == " You said: Hi"
