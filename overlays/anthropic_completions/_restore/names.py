"""The names that the other package lost and gets back: markers, types, resources, the tokenizer."""

from __future__ import annotations

from types import ModuleType
from typing import NoReturn

from ..prompts import AI_PROMPT, HUMAN_PROMPT
from .completions import RestoredAsyncCompletions, RestoredCompletions

CLIENTS: dict[str, type[RestoredCompletions | RestoredAsyncCompletions]] = {
    "Anthropic": RestoredCompletions,
    "AsyncAnthropic": RestoredAsyncCompletions,
}
MARKERS = {"HUMAN_PROMPT": HUMAN_PROMPT, "AI_PROMPT": AI_PROMPT}
# The classes of `client.with_raw_response` and `client.with_streaming_response`, with the property's name.
FORMS = {
    "AnthropicWithRawResponse": "with_raw_response",
    "AsyncAnthropicWithRawResponse": "with_raw_response",
    "AnthropicWithStreamedResponse": "with_streaming_response",
    "AsyncAnthropicWithStreamedResponse": "with_streaming_response",
}


_GONE = (
    "the tokenizer of the first Claude models left anthropic with its release 0.39, and fits no model that "
    "answers today. To count, ask the service: "
    "client.messages.count_tokens(model=..., messages=[...]).input_tokens"
)
TOKENIZERS = ("count_tokens", "get_tokenizer")


def resource_modules() -> tuple[ModuleType, dict[str, object]]:
    """Return the module `resources.completions`, and what of it stands in `resources` itself.

    The two classes are those of restored clients: what a tracer puts in the place of their `create` is what
    such clients call.
    """
    from ..resources import completions

    names = {name: getattr(completions, name) for name in completions.__all__}
    names |= {"Completions": RestoredCompletions, "AsyncCompletions": RestoredAsyncCompletions}
    return _module("resources.completions", names), names


def types_modules() -> tuple[dict[str, ModuleType], dict[str, object]]:
    """Return the modules of types that were removed, by their names, and what stands in `types` itself."""
    from ..types import completion, completion_create_params

    whole = {"completion": completion, "completion_create_params": completion_create_params}
    modules = {
        name: _module(f"types.{name}", {key: value for key, value in vars(one).items() if key[0] != "_"})
        for name, one in whole.items()
    }
    return modules, {
        "Completion": completion.Completion,
        "CompletionCreateParams": completion_create_params.CompletionCreateParams,
    }


def form(name: str) -> property:
    """Return the attribute `completions` of a class whose name is in `FORMS`."""
    return property(lambda self: getattr(self._client.completions, FORMS[name]))


def count_tokens(*_: object, **__: object) -> NoReturn:
    """Raise with the reason why tokens cannot be counted as they were, and with what counts them."""
    raise NotImplementedError(f"count_tokens: {_GONE}")


def get_tokenizer(*_: object, **__: object) -> GoneTokenizer:
    """Return what raises once it is used: some programs take a tokenizer that they never use."""
    return GoneTokenizer()


class GoneTokenizer:
    """In the place of the tokenizer: whatever is asked of it raises with the reason."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)  # of copies, pickles and the like
        raise NotImplementedError(f"get_tokenizer().{name}: {_GONE}")


def _module(name: str, contents: dict[str, object]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module
