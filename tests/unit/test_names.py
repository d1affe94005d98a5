"""The public names: all that there are, sorted, and loaded when they are asked for."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import anthropic_completions

# What a user of the old client's completions could import, by module.
OLD_NAMES = {
    "": [
        *("Anthropic", "AsyncAnthropic", "Client", "AsyncClient", "Stream", "AsyncStream", "HUMAN_PROMPT"),
        *("AI_PROMPT", "AnthropicError", "APIError", "APIStatusError", "APITimeoutError"),
        *("APIConnectionError", "APIResponseValidationError", "BadRequestError", "AuthenticationError"),
        *("PermissionDeniedError", "NotFoundError", "ConflictError", "RequestTooLargeError"),
        *("UnprocessableEntityError", "RateLimitError", "InternalServerError", "ServiceUnavailableError"),
        *("OverloadedError", "DeadlineExceededError", "RetryableError", "NOT_GIVEN", "not_given", "NotGiven"),
        *("omit", "Omit", "Timeout", "DEFAULT_TIMEOUT", "DEFAULT_MAX_RETRIES", "DEFAULT_CONNECTION_LIMITS"),
        *("DefaultHttpxClient", "DefaultAsyncHttpxClient", "APIResponse", "AsyncAPIResponse"),
        *("RequestOptions", "types", "resources", "__version__"),
    ],
    ".types": [
        *("Completion", "CompletionCreateParams", "Model", "ModelParam", "MetadataParam"),
        *("AnthropicBetaParam",),
    ],
    ".types.completion_create_params": [
        *("CompletionCreateParams", "CompletionCreateParamsBase", "CompletionCreateParamsNonStreaming"),
        *("CompletionCreateParamsStreaming", "Metadata", "CompletionRequestNonStreaming"),
        *("CompletionRequestStreaming", "CompletionRequestNonStreamingMetadata"),
        *("CompletionRequestStreamingMetadata", "AnthropicBetaParam", "ModelParam", "MetadataParam"),
    ],
    ".resources": ["Completions", "AsyncCompletions", "CompletionsWithRawResponse"],
    ".resources.completions": [
        *("Completions", "AsyncCompletions", "CompletionsWithRawResponse", "AsyncCompletionsWithRawResponse"),
        *("CompletionsWithStreamingResponse", "AsyncCompletionsWithStreamingResponse"),
    ],
}
# The command line and the plugin of pytest are no modules to import names from.
PUBLIC_MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(anthropic_completions.__path__, "anthropic_completions.")
    if "._" not in name and ".cli" not in name and not name.endswith(".plugin")
]


@pytest.mark.parametrize("module", ["anthropic_completions", *PUBLIC_MODULES])
def test_all_is_sorted_and_there(module: str) -> None:
    loaded = importlib.import_module(module)
    names = loaded.__all__
    # As the linter sorts: constants, classes, the rest.
    assert names == sorted(
        names, key=lambda name: (not name.isupper(), name[0].islower() or name[0] == "_", name)
    )
    for name in names:
        assert getattr(loaded, name) is not None


def test_all_is_every_public_name() -> None:
    """Also of the lazy ones; submodules besides `types` are reached by importing them."""
    code = (
        "import anthropic_completions as p, inspect\n"
        "names = {n for n in dir(p) if not n.startswith('_') and not inspect.ismodule(getattr(p, n))}\n"
        "names -= {'TYPE_CHECKING', 'Any', 'annotations'}\n"
        "print(sorted(names ^ (set(p.__all__) - {'__version__', 'types'})))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in OLD_NAMES.items() for name in names]
)
def test_has_the_old_clients_names(module: str, name: str) -> None:
    assert hasattr(importlib.import_module("anthropic_completions" + module), name)


def test_the_short_names_are_the_same_classes() -> None:
    assert anthropic_completions.Client is anthropic_completions.Anthropic
    assert anthropic_completions.AsyncClient is anthropic_completions.AsyncAnthropic


def test_the_defaults_are_the_old_clients() -> None:
    assert anthropic_completions.DEFAULT_MAX_RETRIES == 2
    assert anthropic_completions.DEFAULT_TIMEOUT.as_dict() == {
        "connect": 5.0,
        "read": 600.0,
        "write": 600.0,
        "pool": 600.0,
    }
    limits = anthropic_completions.DEFAULT_CONNECTION_LIMITS
    assert (limits.max_connections, limits.max_keepalive_connections) == (1000, 100)


@pytest.mark.parametrize("module", ["anthropic_completions", "anthropic_completions.types"])
def test_a_name_that_there_is_not_is_an_attribute_error(module: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
        importlib.import_module(module).nothing  # noqa: B018


def test_the_types_of_arguments_work_when_they_are_run() -> None:
    """As `str | Model` in a signature does, where annotations are not kept as text."""
    from anthropic_completions.types import AnthropicBetaParam, Model, ModelParam

    for alias in (AnthropicBetaParam, Model, ModelParam):
        assert type(None) in (alias | None).__args__


@pytest.mark.parametrize("name", ["HUMAN_PROMPT", "AI_PROMPT"])
def test_clients_have_the_markers(name: str) -> None:
    for cls in (anthropic_completions.Anthropic, anthropic_completions.AsyncAnthropic):
        assert getattr(cls, name) == getattr(anthropic_completions, name)
