"""What people import and look up is where it was; what is missing is listed."""

import inspect
from importlib import import_module
from operator import attrgetter
from typing import Any, get_type_hints

import anthropic
import pytest
from anthropic._legacy_response import LegacyAPIResponse

import anthropic_completions
from anthropic_completions._client.responses import RawAPIResponse
from compat.differences import MISSING

NAMES = {
    "": (
        *(
            "Anthropic",
            "AsyncAnthropic",
            "Client",
            "AsyncClient",
            "Stream",
            "AsyncStream",
            "HUMAN_PROMPT",
            "AI_PROMPT",
        ),
        *("AnthropicError", "RetryableError", "APIError", "APIResponseValidationError", "APIConnectionError"),
        *(
            "APITimeoutError",
            "APIStatusError",
            "BadRequestError",
            "AuthenticationError",
            "PermissionDeniedError",
        ),
        *(
            "NotFoundError",
            "ConflictError",
            "RequestTooLargeError",
            "UnprocessableEntityError",
            "RateLimitError",
        ),
        *("InternalServerError", "ServiceUnavailableError", "DeadlineExceededError", "OverloadedError"),
        *(
            "NOT_GIVEN",
            "not_given",
            "NotGiven",
            "omit",
            "Omit",
            "Timeout",
            "DEFAULT_TIMEOUT",
            "DEFAULT_MAX_RETRIES",
        ),
        *("DEFAULT_CONNECTION_LIMITS", "DefaultHttpxClient", "DefaultAsyncHttpxClient", "APIResponse"),
        *("DefaultAioHttpClient", "AsyncAPIResponse", "RequestOptions", "types", "resources", "__version__"),
    ),
    ".types": (
        *(
            "Completion",
            "CompletionCreateParams",
            "Model",
            "ModelParam",
            "MetadataParam",
            "AnthropicBetaParam",
        ),
        "completion_create_params",
    ),
    ".types.completion_create_params": (
        *("CompletionCreateParams", "CompletionCreateParamsBase", "CompletionCreateParamsNonStreaming"),
        *("CompletionCreateParamsStreaming", "Metadata", "CompletionRequestNonStreaming"),
        *("CompletionRequestStreaming", "CompletionRequestNonStreamingMetadata"),
        "CompletionRequestStreamingMetadata",
    ),
    ".resources": ("Completions", "AsyncCompletions"),
    ".resources.completions": (
        *("Completions", "AsyncCompletions", "CompletionsWithRawResponse", "AsyncCompletionsWithRawResponse"),
        *("CompletionsWithStreamingResponse", "AsyncCompletionsWithStreamingResponse"),
    ),
}
ERRORS = [name for name in NAMES[""] if name.endswith("Error")]
CLASSES = {
    "client": "Anthropic",
    "async client": "AsyncAnthropic",
    "completions": "resources.completions.Completions",
    "async completions": "resources.completions.AsyncCompletions",
    "Stream": "Stream",
    "AsyncStream": "AsyncStream",
    "APIResponse": "APIResponse",
    "AsyncAPIResponse": "AsyncAPIResponse",
    "Completion": "types.Completion",
    **{name: name for name in ERRORS},
}


def _both(path: str) -> tuple[Any, Any]:
    import_module("anthropic.resources.completions")
    return attrgetter(path)(anthropic), attrgetter(path)(anthropic_completions)


def _public(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in NAMES.items() for name in names]
)
@pytest.mark.parametrize("package", ["anthropic", "anthropic_completions"])
def test_imports_a_name_from_where_it_was(package: str, module: str, name: str) -> None:
    exec(f"from {package}{module} import {name}", {})


def test_lists_the_names_of_the_package_that_are_missing() -> None:
    missing = {name for name in anthropic.__all__ if not hasattr(anthropic_completions, name)}
    assert missing == set(MISSING["anthropic"])


@pytest.mark.parametrize("what", CLASSES)
def test_lists_the_attributes_that_are_missing(what: str) -> None:
    old, new = _both(CLASSES[what])
    assert _public(old) - _public(new) == set(MISSING.get(what.removeprefix("async "), ()))


def test_gives_raw_replies_all_attributes() -> None:
    assert _public(LegacyAPIResponse) <= _public(RawAPIResponse)


@pytest.mark.parametrize("kind", ["Anthropic", "AsyncAnthropic"])
@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("__init__", "arguments of the client"),
        ("copy", "arguments of copy"),
        ("with_options", "arguments of copy"),
        ("post", "arguments of post"),
        ("close", None),
        ("with_middleware", None),
    ],
)
def test_lists_the_arguments_that_are_missing(kind: str, method: str, what: str | None) -> None:
    old, new = (inspect.signature(function).parameters for function in _both(f"{kind}.{method}"))
    assert set(old) - set(new) == (set(MISSING[what]) if what else set())
    assert {name: new[name].kind for name in old if name in new} == {
        name: old[name].kind for name in old if name in new
    }


@pytest.mark.parametrize("kind", ["Completions", "AsyncCompletions"])
@pytest.mark.parametrize("form", ["", "WithRawResponse", "WithStreamingResponse"])
def test_takes_every_argument_of_create(kind: str, form: str) -> None:
    old, new = _both(f"resources.completions.{kind}{form}")
    if form:
        old, new = old(anthropic.Anthropic(api_key="k").completions), new
        old, new = inspect.signature(old.create).parameters, inspect.signature(new.create).parameters
    else:
        old, new = inspect.signature(old.create).parameters, inspect.signature(new.create).parameters
    assert set(old) <= set(new)
    keywords = {name for name, parameter in new.items() if parameter.kind is parameter.KEYWORD_ONLY}
    assert set(old) - {"self"} <= keywords


@pytest.mark.parametrize("name", [name for name in ERRORS if name.startswith("API")])
def test_makes_an_error_of_the_same_arguments(name: str) -> None:
    old, new = _both(name)
    parameters = inspect.signature(new).parameters
    for argument, parameter in inspect.signature(old).parameters.items():
        assert parameters[argument].kind is parameter.kind
        assert parameters[argument].default == parameter.default


@pytest.mark.parametrize("name", ERRORS)
def test_catches_an_error_under_its_old_bases(name: str) -> None:
    old, new = _both(name)
    bases = [base.__name__ for base in new.__mro__]
    assert {base.__name__ for base in old.__mro__} <= set(bases)


@pytest.mark.parametrize(
    "name",
    [
        *("HUMAN_PROMPT", "AI_PROMPT", "DEFAULT_MAX_RETRIES", "DEFAULT_TIMEOUT", "DEFAULT_CONNECTION_LIMITS"),
        *("Timeout", "Anthropic.HUMAN_PROMPT", "Anthropic.AI_PROMPT", "AsyncAnthropic.HUMAN_PROMPT"),
    ],
)
def test_keeps_a_constant(name: str) -> None:
    old, new = _both(name)
    assert new == old


@pytest.mark.parametrize("name", ["NOT_GIVEN", "not_given", "omit"])
def test_keeps_what_stands_for_nothing(name: str) -> None:
    old, new = _both(name)
    assert not old
    assert not new
    assert type(new).__name__ == type(old).__name__


@pytest.mark.parametrize("form", ["Base", "NonStreaming", "Streaming"])
def test_keeps_the_typed_dicts(form: str) -> None:
    old, new = _both(f"types.completion_create_params.CompletionCreateParams{form}")
    assert set(old.__annotations__) <= set(new.__annotations__)
    assert new.__total__ == old.__total__


def test_lists_the_request_options_that_are_missing() -> None:
    old, new = _both("RequestOptions")
    assert set(get_type_hints(old)) - set(new.__annotations__) == set(MISSING["RequestOptions"])
