"""`restore`: completions for the clients of an `anthropic` package that has none any more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .. import _options
from .._options import NOT_GIVEN
from . import names
from .after_import import after_import
from .completions import CompletionsAttribute, carrying
from .errors import join_errors
from .restoration import LOCK, Restoration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from .._options import Backend, ModelMapping, NotGiven, OnLoss, Prefill


_DEFAULTS: Mapping[str, object] = {
    "backend": "messages",
    "on_loss": "warn",
    "model_map": None,
    "prefill": "drop",
    "thinking_room": _options.THINKING_ROOM,
}


def restore(
    anthropic: ModuleType,
    *,
    backend: Backend | NotGiven = NOT_GIVEN,
    on_loss: OnLoss | NotGiven = NOT_GIVEN,
    model_map: ModelMapping | NotGiven | None = NOT_GIVEN,
    prefill: Prefill | NotGiven = NOT_GIVEN,
    thinking_room: int | NotGiven = NOT_GIVEN,
    learn: bool = True,
    model_warnings: bool = True,
) -> Restoration:
    """Give an `anthropic` package back `client.completions`, and what belonged to it.

        import anthropic
        from anthropic_completions import restore

        restore(anthropic)
        anthropic.Anthropic().completions.create(...)

    For programs and frameworks that import the package themselves, with its releases 1.x and 2.x. The clients
    are `Anthropic` and `AsyncAnthropic`, their subclasses and their copies, those that were made before
    included. The clouds' clients, which sign requests in other ways, get none.

    `client.completions` is this package's, with its arguments and results, and so are
    `client.with_raw_response.completions` and `client.with_streaming_response.completions`. It uses the
    client's key or token, base URL, time limits, number of retries, default headers and query, as they are
    at the moment, and sends through the client's own HTTP client, so that its connections, proxies and
    certificates serve it too. The client's middleware is not run, and the API version is that of completions.
    What is put around `client.completions.create`, as tracers do, is also around that of the client's copies.

    Errors are this package's, and are caught by the names of both: `except anthropic.RateLimitError` and
    `except anthropic_completions.RateLimitError` catch the same one. Until `undo()` that holds for the errors
    of all clients of this package.

    Back are also `HUMAN_PROMPT` and `AI_PROMPT`, `types.Completion` and `types.CompletionCreateParams`,
    `resources.completions` and `resources.Completions` (and their asynchronous siblings). `count_tokens`
    raises a `NotImplementedError` that says what to use in its place, and so does what `get_tokenizer`
    returns, once it is used.

    Calling it again changes the settings and restores nothing twice; one `undo()` takes back all. A package
    that still has completions of its own (0.x) gets these in their place.

    Args:
        anthropic: The package, imported.
        backend: As for `Anthropic`; otherwise ANTHROPIC_COMPLETIONS_BACKEND, otherwise `messages`: no
            publicly documented model is known to answer on the old endpoint.
        on_loss: As for `Anthropic`, its variable in the environment included.
        model_map: As for `Anthropic`, its variable in the environment included.
        prefill: As for `Anthropic`, its variable in the environment included.
        thinking_room: As for `Anthropic`, its variable in the environment included.
        learn: As for `Anthropic`.
        model_warnings: As for `Anthropic`.

    Returns:
        What `undo()` is called on to take all of it back; it is a context manager that does so at its end.

    Raises:
        TypeError: It is not the package.
        TypeError, ValueError: A setting is wrong.
    """
    given = _options.checked_or_environment(
        backend=backend,
        on_loss=on_loss,
        model_map=model_map,
        prefill=prefill,
        thinking_room=thinking_room,
        learn=learn,
        model_warnings=model_warnings,
    )
    settings = {**_DEFAULTS, **given}
    clients = {name: getattr(anthropic, name, None) for name in names.CLIENTS}
    if not all(isinstance(cls, type) for cls in clients.values()):
        raise TypeError(f"anthropic: expected the package, imported, got {anthropic!r:.60}")
    with LOCK:
        for cls in clients.values():
            present = vars(cls).get("completions")
            if isinstance(present, CompletionsAttribute):
                present.restoration.settings.update(settings)
                return present.restoration
        restoration = Restoration(settings)
        try:
            _put_all(restoration, anthropic, clients)
        except BaseException:
            restoration.undo()
            raise
        return restoration


def _put_all(restoration: Restoration, package: ModuleType, clients: Mapping[str, object]) -> None:
    restoration.back_by(join_errors(package))
    for owner in (package, *clients.values()):
        for name, value in names.MARKERS.items():
            restoration.put(owner, name, value)
        for name in names.TOKENIZERS:
            restoration.put(owner, name, getattr(names, name))
    for name, cls in clients.items():
        attribute = CompletionsAttribute(restoration, package, names.CLIENTS[name])
        restoration.put(cls, "completions", attribute)
        for method in ("copy", "with_options"):
            if hasattr(cls, method):
                restoration.put(cls, method, carrying(getattr(cls, method)))
    for part, put in (("_client", _put_forms), ("types", _put_types), ("resources", _put_resources)):
        # Of those that are large, 2.x loads one only when it is asked for.
        restoration.back_by(after_import(f"{package.__name__}.{part}", partial(put, restoration)))


def _put_forms(restoration: Restoration, module: ModuleType) -> None:
    for name in names.FORMS:
        if hasattr(module, name):
            restoration.put(getattr(module, name), "completions", names.form(name))


def _put_types(restoration: Restoration, module: ModuleType) -> None:
    modules, contents = names.types_modules()
    for name, one in modules.items():
        restoration.put_module(f"{module.__name__}.{name}", one)
    for name, value in {**modules, **contents}.items():
        restoration.put(module, name, value)


def _put_resources(restoration: Restoration, module: ModuleType) -> None:
    completions, contents = names.resource_modules()
    restoration.put_module(f"{module.__name__}.completions", completions)
    for name, value in {"completions": completions, **contents}.items():
        restoration.put(module, name, value)
