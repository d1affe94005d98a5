"""Options that commands share: what is asked for, and by which way."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Required, TypedDict, cast

import click

from ..._options.model_map import model_map
from ...models import CURRENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from click.shell_completion import CompletionItem

    from ..._client.clients import Anthropic, AsyncAnthropic
    from ..._contract.schema import JSONObject
    from ..._options import Backend, OnLoss, Prefill
    from ..._options.model_map import ModelMap

    F = TypeVar("F", bound=Callable[..., object])

_KNOWN = "#/components/schemas/Known"


class _Known(click.ParamType[str]):
    """Any text; the shell completes the names that the contract lists."""

    name = "text"

    def __init__(self, what: str) -> None:
        self._what = what

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from ..._contract.generated import component, known_models

        schema = component(_KNOWN + self._what)
        names = [*schema.get("enum", ())]
        if self._what == "Model":
            names += [name for name in known_models()["x-models"] if name not in names]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


MODEL = _Known("Model")


def _fields(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, object]:
    """Return the fields that `--set` names; their values are checked with the other arguments."""
    from ..._contract.generated import body_fields

    known = sorted(body_fields() - {"prompt", "stream"})
    fields: dict[str, object] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals or name not in known:
            raise click.BadParameter(f"expected NAME=VALUE with one of {', '.join(known)}, got {each!r}")
        try:
            fields[name] = json.loads(text)
        except ValueError:
            fields[name] = text
    return fields


_MODEL_OPTION = click.option(
    "-m", "--model", type=MODEL, default=CURRENT, show_default=True, help="The model."
)
_OTHER_OPTIONS = (
    click.option(
        "-n",
        "--max-tokens",
        type=click.IntRange(min=1),
        default=256,
        show_default=True,
        help="The most tokens to generate.",
    ),
    click.option("--stop", multiple=True, metavar="TEXT", help="Text that ends the completion; repeatable."),
    click.option("-t", "--temperature", type=click.FloatRange(0, 1), help="Randomness."),
    click.option(
        "--top-p", type=click.FloatRange(0, 1), help="Sample from the likeliest tokens, to this probability."
    ),
    click.option("--top-k", type=click.IntRange(min=0), help="Sample from so many of the likeliest tokens."),
    click.option(
        "--beta", multiple=True, type=_Known("Beta"), metavar="NAME", help="A beta feature; repeatable."
    ),
    click.option(
        "--set",
        "fields",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_fields,
        help="Any field of the request, as JSON or else as text; it overrides the options. Repeatable.",
    ),
)
_SERVICE_OPTIONS = (
    click.option(
        "--backend",
        type=click.Choice(["auto", "messages", "completions"]),
        default="auto",
        show_default=True,
        envvar="ANTHROPIC_COMPLETIONS_BACKEND",
        show_envvar=True,
        help="By which endpoint: the old one, Messages, or Messages where the old one refuses the model.",
    ),
    click.option(
        "--on-loss",
        type=click.Choice(["warn", "error", "drop"]),
        help="What to do about what Messages has no counterpart for; otherwise it is told.",
    ),
    click.option(
        "--map",
        "model_map",
        multiple=True,
        metavar="OLD=NEW",
        help="Ask for a model in place of another; OLD may have * and ?. Or 'recommended'. Repeatable.",
    ),
    click.option(
        "--prefill",
        type=click.Choice(["drop", "error", "instruct"]),
        help="What to do about an answer's beginning that the model refuses: drop it, fail, or ask for it.",
    ),
    click.option(
        "--thinking-room",
        "--room",
        type=click.IntRange(min=0),
        metavar="N",
        help="Tokens more for models that always think.",
    ),
    click.option(
        "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="The time limit."
    ),
)


class ServiceSettings(TypedDict, total=False):
    """Arguments of both clients that options stand for."""

    backend: Required[Backend]
    on_loss: OnLoss
    model_map: ModelMap
    prefill: Prefill
    thinking_room: int
    timeout: float


class RequestOptions(TypedDict, total=False):
    """What the options of `request_options` were given."""

    max_tokens: Required[int]
    stop: Required[tuple[str, ...]]
    temperature: Required[float | None]
    beta: Required[tuple[str, ...]]
    model: str | None
    top_p: float | None
    top_k: int | None
    fields: Mapping[str, object]


_SETTINGS = ("backend", "on_loss", "model_map", "prefill", "thinking_room", "timeout")


def request_options(function: F) -> F:
    """Add the options that say how to complete."""
    return _MODEL_OPTION(request_options_but_model(function))


def request_options_but_model(function: F) -> F:
    """Add the options that say how to complete, without that for the model."""
    return _with(_OTHER_OPTIONS, function)


def service_options(function: F) -> F:
    """Add the options that say by which way to complete; `settings_in` takes them."""
    return _with(_SERVICE_OPTIONS, function)


def _with(options: tuple[Callable[[F], F], ...], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def arguments_of(options: Mapping[str, object]) -> JSONObject:
    """Return the arguments of `create` that the options of `request_options` stand for."""
    given = cast("RequestOptions", options)
    arguments: JSONObject = {"max_tokens_to_sample": given["max_tokens"]}
    if (model := given.get("model")) is not None:
        arguments = {"model": model, **arguments}
    if given["stop"]:
        arguments["stop_sequences"] = [*given["stop"]]
    for name in ("temperature", "top_p", "top_k"):
        if (value := given.get(name)) is not None:
            arguments[name] = value
    if given["beta"]:
        arguments["betas"] = [*given["beta"]]
    return {**arguments, **given.get("fields", {})}


def settings_in(options: dict[str, object]) -> ServiceSettings:
    """Take the options of `service_options` out of all options, and return those that are given.

    They are arguments of `Anthropic` and `AsyncAnthropic`. With `backend="auto"`, which is the default,
    nobody has to be told that a model is served by Messages.

    Raises:
        ValueError: `--map` is no map.
    """
    if options["backend"] == "auto":
        from ...messages import BackendSwitchWarning

        warnings.simplefilter("ignore", BackendSwitchWarning)
    given = {name: options.pop(name) for name in _SETTINGS}
    given["model_map"] = model_map("--map", ",".join(cast("Sequence[str]", given["model_map"])) or None)
    return cast("ServiceSettings", {name: value for name, value in given.items() if value is not None})


def check_credentials(client: Anthropic | AsyncAnthropic) -> None:
    """Check that a client has credentials; which argument to pass is of no use at the command line.

    Raises:
        ValueError: It has none; the message names the variables to set.
    """
    if not {"x-api-key", "authorization"} & {name.lower() for name in client.default_headers}:
        raise ValueError("no credentials: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN)")
