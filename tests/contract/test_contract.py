"""The contract against itself and against the API reference: examples, names, what is known of models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from anthropic_completions._contract.generated import component, contract
from anthropic_completions._stream.sse import SSEDecoder
from anthropic_completions_api.models import CompletionRequest
from anthropic_completions_api.models.known_beta import KNOWN_BETA_VALUES
from anthropic_completions_api.models.known_model import KNOWN_MODEL_VALUES

DOCUMENTED_STATUSES = {"400", "401", "402", "403", "404", "409", "413", "429", "500", "504", "529"}
# The API reference's lists. The contract may add to them, and keeps their order.
REFERENCE_MODELS = [
    "claude-opus-4-8",
    "claude-opus-4-7",
    "claude-mythos-preview",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
    "claude-opus-4-1",
    "claude-opus-4-1-20250805",
    "claude-opus-4-0",
    "claude-opus-4-20250514",
    "claude-sonnet-4-0",
    "claude-sonnet-4-20250514",
    "claude-3-haiku-20240307",
]
REFERENCE_BETAS = [
    "message-batches-2024-09-24",
    "prompt-caching-2024-07-31",
    "computer-use-2024-10-22",
    "computer-use-2025-01-24",
    "pdfs-2024-09-25",
    "token-counting-2024-11-01",
    "token-efficient-tools-2025-02-19",
    "output-128k-2025-02-19",
    "files-api-2025-04-14",
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "dev-full-thinking-2025-05-14",
    "interleaved-thinking-2025-05-14",
    "code-execution-2025-05-22",
    "extended-cache-ttl-2025-04-11",
    "context-1m-2025-08-07",
    "context-management-2025-06-27",
    "model-context-window-exceeded-2025-08-26",
    "skills-2025-10-02",
    "fast-mode-2026-02-01",
    "output-300k-2026-03-24",
    "user-profiles-2026-03-24",
    "advisor-tool-2026-03-01",
    "managed-agents-2026-04-01",
    "cache-diagnosis-2026-04-07",
    "thinking-token-count-2026-05-13",
]

OPERATION: dict[str, Any] = contract()["paths"]["/v1/complete"]["post"]
SCHEMAS: dict[str, Any] = contract()["components"]["schemas"]
KNOWN_MODEL = SCHEMAS["KnownModel"]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    return component(node["$ref"]) if "$ref" in node else node


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator of a schema of the contract, references included."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator({**schema, "components": contract()["components"]})


def examples_of(media: dict[str, Any]) -> Iterator[Any]:
    yield from (example["value"] for example in media.get("examples", {}).values())
    if "example" in media:
        yield media["example"]


def json_examples() -> Iterator[Any]:
    """Yield (where, schema, example) of each JSON body in the contract."""
    for example in examples_of(OPERATION["requestBody"]["content"]["application/json"]):
        yield "request", SCHEMAS["CompletionRequest"], example
    for status, response in OPERATION["responses"].items():
        media = resolved(response)["content"]["application/json"]
        found = list(examples_of(media))
        assert found, f"no example of status {status}"
        for example in found:
            yield status, media["schema"], example


@pytest.mark.parametrize(("where", "schema", "example"), list(json_examples()))
def test_an_example_is_what_its_schema_says(where: str, schema: dict[str, Any], example: Any) -> None:
    assert list(validator(schema).iter_errors(example)) == []


STREAMS = OPERATION["responses"]["200"]["content"]["text/event-stream"]


@pytest.mark.parametrize("name", STREAMS["examples"])
def test_a_stream_example_decodes_to_events_of_its_schema(name: str) -> None:
    schema = SCHEMAS["CompletionStream"]
    text = STREAMS["examples"][name]["value"]
    assert list(validator(STREAMS["schema"]).iter_errors(text)) == []
    events = [{"event": event.event, "data": event.json()} for event in SSEDecoder().feed(text.encode())]
    assert len(events) >= 2
    assert list(validator(schema["contentSchema"]).iter_errors(events)) == []


@pytest.mark.parametrize(
    ("schema", "value"), [(schema, v) for schema in SCHEMAS for v in SCHEMAS[schema].get("examples", [])]
)
def test_an_example_in_a_schema_is_what_the_schema_says(schema: str, value: Any) -> None:
    assert list(validator(SCHEMAS[schema]).iter_errors(value)) == []


def test_every_documented_status_and_the_default_have_a_response() -> None:
    assert set(OPERATION["responses"]) == {"200", "default", *DOCUMENTED_STATUSES}


def test_every_error_response_has_the_one_open_error_shape() -> None:
    for status in [*DOCUMENTED_STATUSES, "default"]:
        schema = resolved(OPERATION["responses"][status])["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}
    known_by_nobody = {"error": {"type": "surprise_error", "message": "Oh", "more": 1}, "else": 2}
    assert list(validator(SCHEMAS["Error"]).iter_errors(known_by_nobody)) == []


@pytest.mark.parametrize(
    ("name", "reference"), [("KnownModel", REFERENCE_MODELS), ("KnownBeta", REFERENCE_BETAS)]
)
def test_the_known_names_hold_the_references_in_its_order(name: str, reference: list[str]) -> None:
    known = SCHEMAS[name]["enum"]
    assert [value for value in known if value in reference] == reference
    assert len(set(known)) == len(known)


def test_the_generated_types_hold_the_known_names() -> None:
    assert set(KNOWN_MODEL["enum"]) == KNOWN_MODEL_VALUES
    assert set(SCHEMAS["KnownBeta"]["enum"]) == KNOWN_BETA_VALUES


@pytest.mark.parametrize("name", ["Model", "AnthropicBeta"])
def test_any_other_name_is_allowed(name: str) -> None:
    assert validator(SCHEMAS[name]).is_valid("something-else")


def test_the_request_is_closed_and_so_is_its_metadata() -> None:
    request = {"max_tokens_to_sample": 1, "model": "m", "prompt": "p"}
    check = validator(SCHEMAS["CompletionRequest"])
    assert check.is_valid(request)
    assert check.is_valid({**request, "metadata": {"user_id": None}})
    assert check.is_valid({**request, "metadata": {"user_id": "u" * 256}})
    for wrong in (
        {"colour": 1},
        {"metadata": {"name": "x"}},
        {"metadata": {"user_id": "u" * 257}},
        {"max_tokens_to_sample": 0},
        {"prompt": ""},
        {"temperature": 1.01},
        {"top_p": -1.01},
        {"top_k": -2},
        {"stop_sequences": "x"},
        {"stream": "yes"},
    ):
        assert not check.is_valid({**request, **wrong}), wrong


def test_minus_one_says_that_no_sampling_is_set() -> None:
    request = {"max_tokens_to_sample": 1, "model": "m", "prompt": "p", "top_k": -1, "top_p": -1}
    assert validator(SCHEMAS["CompletionRequest"]).is_valid(request)


BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "additionalProperties", "default")
BOUNDED = [SCHEMAS["CompletionRequest"], SCHEMAS["Metadata"]]
BOUNDED += [field for schema in BOUNDED for field in schema["properties"].values()]


@pytest.mark.parametrize("schema", BOUNDED)
def test_each_bound_of_a_request_says_whose_it_is(schema: dict[str, Any]) -> None:
    assert set(schema.get("x-bounds", {})) == {bound for bound in BOUNDS if bound in schema}


def test_the_contract_says_what_its_words_mean() -> None:
    about = contract()["info"]["description"]
    assert all(f"*{word}*" in about for word in ("documented", "observed", "inference", "unknown"))
    assert "x-bounds" in about


def test_the_references_links_are_in_the_contract() -> None:
    text = json.dumps(contract())
    for page in ("prompt-validation", "streaming", "migrating-from-text-completions-to-messages"):
        assert f"https://docs.claude.com/en/api/{page}" in text
    assert "https://docs.anthropic.com/en/docs/models-overview" in text


def test_only_the_text_is_required_of_a_chunk() -> None:
    assert validator(SCHEMAS["CompletionChunk"]).is_valid({"completion": ""})
    assert not validator(SCHEMAS["CompletionChunk"]).is_valid({"id": "x"})


def test_the_beta_header_is_a_list() -> None:
    parameter = contract()["components"]["parameters"]["AnthropicBetas"]
    assert parameter["schema"]["type"] == "array"
    assert (parameter["style"], parameter["explode"]) == ("simple", False)


def test_the_generated_request_keeps_the_old_clients_order_of_fields() -> None:
    body = CompletionRequest.from_dict(
        {"top_p": 0.1, "prompt": "p", "model": "m", "max_tokens_to_sample": 1, "stream": True}
    ).to_dict()
    assert list(body) == ["max_tokens_to_sample", "model", "prompt", "stream", "top_p"]


def test_each_key_of_models_is_explained_and_no_other() -> None:
    """That the entries are consistent is checked by scripts/check_models.py."""
    used = {key for entry in KNOWN_MODEL["x-models"].values() for key in entry}
    for entry in KNOWN_MODEL["x-models"].values():
        used |= {f"messages.{key}" for key in entry.get("messages", {})}
    assert set(KNOWN_MODEL["x-models-keys"]) == used


@pytest.mark.parametrize("name", REFERENCE_MODELS)
def test_every_model_of_the_reference_tells_how_messages_serves_it(name: str) -> None:
    entry = KNOWN_MODEL["x-models"][name]
    assert "messages" in KNOWN_MODEL["x-models"].get(entry.get("alias_of"), entry)


def test_the_bundled_contract_is_the_written_one() -> None:
    written = Path(__file__).resolve().parents[2] / "openapi.yaml"
    assert contract() == yaml.safe_load(written.read_text(encoding="utf-8"))
