"""What `restore` gives back besides `client.completions`: errors, names, modules, wrappers, settings."""

import importlib
import pickle
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import anyio
import httpx
import pytest

import anthropic_completions
from anthropic_completions import _errors, restore
from anthropic_completions.messages import LossError, LossWarning, UntranslatableReplyError
from anthropic_completions.testing import StandIn, error, overloaded
from support import ARGUMENTS, World

# As the releases 1 and 2 have them.
TREE = {
    "AnthropicError": "Exception",
    "RetryableError": "AnthropicError",
    "APIError": "AnthropicError",
    "APIResponseValidationError": "APIError",
    "APIConnectionError": "APIError",
    "APITimeoutError": "APIConnectionError",
    "APIStatusError": "APIError",
    "BadRequestError": "APIStatusError",
    "AuthenticationError": "APIStatusError",
    "PaymentRequiredError": "APIStatusError",
    "RateLimitError": "APIStatusError",
    "InternalServerError": "APIStatusError",
    "ServiceUnavailableError": "InternalServerError",
    "OverloadedError": "InternalServerError",
}


class Client:
    """What `restore` asks of a client."""

    def __init__(self, http: Any, **settings: Any) -> None:
        self._client = http
        self._custom_headers: dict[str, Any] = {}
        self.custom_auth: Any = None
        self.api_key, self.auth_token = "k", None
        self.base_url = "http://stand-in"
        self.timeout: Any = 5
        self.max_retries = 0
        self.default_query: dict[str, object] = {}
        vars(self).update(settings)

    def copy(self, **settings: Any) -> Any:
        return type(self)(self._client, **settings)

    with_options = copy


class Form:
    def __init__(self, client: Any) -> None:
        self._client = client


@pytest.fixture
def package() -> Iterator[Any]:
    """Return what looks like `anthropic`, with its modules imported."""
    made: Any = ModuleType("modern")
    made.__path__ = []
    clients = {name: type(name, (Client,), {}) for name in ("Anthropic", "AsyncAnthropic")}
    vars(made).update(clients)
    for name, base in TREE.items():
        setattr(made, name, type(name, (getattr(made, base, Exception),), {"__module__": "modern"}))
    parts = {name: ModuleType(f"modern.{name}") for name in ("_client", "types")}
    forms = ("WithRawResponse", "WithStreamedResponse")
    vars(parts["_client"]).update(
        {f"{kind}{form}": type("Form", (Form,), {}) for kind in clients for form in forms}
    )
    vars(made).update(parts)
    before = dict(sys.modules)
    sys.modules |= {"modern": made, **{one.__name__: one for one in parts.values()}}
    yield made
    undo(made)
    for name in sys.modules.keys() - before.keys():
        if name.startswith("modern"):
            del sys.modules[name]


def undo(package: Any) -> None:
    """Take back what was restored, if anything was."""
    if "completions" in vars(package.Anthropic):
        package.Anthropic.completions.restoration.undo()


def use(world: World, package: Any, stand_in: StandIn, do: Any, **settings: Any) -> Any:
    """Run a function with a client of the package: an async one, whose result is awaited, in async worlds."""
    if world.backend is None:
        with httpx.Client(transport=stand_in.transport()) as http:
            return do(package.Anthropic(http, **settings))

    async def run() -> Any:
        async with httpx.AsyncClient(transport=stand_in.transport()) as http:
            return await do(package.AsyncAnthropic(http, **settings))

    return anyio.run(run, backend=world.backend)


def create(client: Any) -> Any:
    return client.completions.create(**ARGUMENTS)


def read_stream(world: World) -> Any:
    """Return a function that reads a stream to its end."""

    def blocking(client: Any) -> None:
        list(client.completions.create(**ARGUMENTS, stream=True))

    async def awaiting(client: Any) -> None:
        async for _ in await client.completions.create(**ARGUMENTS, stream=True):
            pass

    return blocking if world.backend is None else awaiting


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (400, ["BadRequestError", "APIStatusError", "APIError", "AnthropicError"]),
        (401, ["AuthenticationError"]),
        (402, ["PaymentRequiredError"]),
        (429, ["RateLimitError"]),
        (500, ["InternalServerError"]),
        (503, ["ServiceUnavailableError", "InternalServerError"]),
        (529, ["OverloadedError", "InternalServerError"]),
    ],
)
def test_an_error_is_caught_by_the_names_of_both_packages(
    world: World, package: Any, status: int, names: list[str]
) -> None:
    restore(package)
    for name in names:
        stand_in = StandIn()
        stand_in.queue(error(status, message="so"))
        with pytest.raises(getattr(package, name)) as raised:
            use(world, package, stand_in, create)
        assert type(raised.value) is anthropic_completions._errors.status_error_class(status)
        assert "so" in str(raised.value)
        again = pickle.loads(pickle.dumps(raised.value))
        assert (type(again), str(again)) == (type(raised.value), str(raised.value))


def test_an_error_inside_a_stream_is_caught_by_the_names_of_both(world: World, package: Any) -> None:
    restore(package)
    stand_in = StandIn()
    stand_in.queue(overloaded(after_chunks=1))
    with pytest.raises(package.OverloadedError) as raised:
        use(world, package, stand_in, read_stream(world))
    assert isinstance(raised.value, anthropic_completions.OverloadedError)
    assert raised.value.completion


def test_a_connection_that_fails_is_caught_by_the_names_of_both(world: World, package: Any) -> None:
    from anthropic_completions.testing import drop

    restore(package)
    stand_in = StandIn()
    stand_in.queue(drop())
    with pytest.raises(package.APIConnectionError):
        use(world, package, stand_in, create)


def test_errors_of_the_bridge_are_caught_too(package: Any) -> None:
    restore(package)
    assert issubclass(LossError, package.AnthropicError)
    assert issubclass(LossError, ValueError)
    assert issubclass(UntranslatableReplyError, package.APIError)


def test_two_packages_may_be_restored_and_undone_in_any_order(package: Any) -> None:
    other: Any = ModuleType("other")
    vars(other).update(
        Anthropic=type("Anthropic", (), {}),
        AsyncAnthropic=type("AsyncAnthropic", (), {}),
        APIError=type("APIError", (Exception,), {}),
    )
    before = {kind: kind.__mro__ for kind in vars(_errors).values() if isinstance(kind, type)}
    first, second = restore(package), restore(other)
    assert issubclass(_errors.RateLimitError, package.RateLimitError)
    assert issubclass(_errors.RateLimitError, other.APIError)
    first.undo()
    assert not issubclass(_errors.RateLimitError, package.APIError)
    assert issubclass(_errors.RateLimitError, other.APIError)
    second.undo()
    assert {kind: kind.__mro__ for kind in before} == before


def test_a_package_whose_errors_cannot_be_joined_is_left_as_it_was(package: Any) -> None:
    package.APIError, package.APIStatusError = (type(name, (Exception,), {}) for name in ("A", "B"))
    package.RateLimitError = type("RateLimitError", (package.APIStatusError, package.APIError), {})
    with pytest.raises(TypeError):
        restore(package)
    assert not hasattr(package, "HUMAN_PROMPT")
    assert _errors.AnthropicError.__mro__[2] is Exception


def test_types_and_resources_are_back_by_name_and_by_module(package: Any) -> None:
    resources: Any = ModuleType("modern.resources")
    resources.__path__ = []
    sys.modules["modern.resources"] = resources
    with restore(package):
        completions: Any = importlib.import_module("modern.resources.completions")
        assert package.types.Completion is anthropic_completions.types.Completion
        assert importlib.import_module("modern.types.completion").Completion is package.types.Completion
        params = importlib.import_module("modern.types.completion_create_params")
        assert params.CompletionCreateParams is package.types.CompletionCreateParams
        assert resources.Completions is completions.Completions
        assert resources.completions is completions
        assert isinstance(package.Anthropic(None).completions, resources.Completions)
        assert isinstance(package.AsyncAnthropic(None).completions, resources.AsyncCompletions)
    assert "modern.resources.completions" not in sys.modules
    assert not hasattr(resources, "Completions")
    assert not hasattr(package.types, "Completion")


def test_a_module_that_is_imported_later_is_given_back_its_names_then(
    package: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resources.py").write_text("IS_LOADED = True\n")
    package.__path__ = [str(tmp_path)]
    with restore(package):
        assert "modern.resources" not in sys.modules
        resources = importlib.import_module("modern.resources")
        assert resources.IS_LOADED
        assert resources.Completions
        assert "_Loader" not in repr(resources.__spec__)


def test_a_patch_of_the_class_by_name_sees_the_calls(world: World, package: Any) -> None:
    sys.modules["modern.resources"] = resources = ModuleType("modern.resources")
    restore(package)
    name = "Completions" if world.backend is None else "AsyncCompletions"
    cls: Any = getattr(resources, name)
    original, seen = cls.create, []

    def patched(self: Any, **arguments: Any) -> Any:
        seen.append(arguments["model"])
        return original(self, **arguments)

    cls.create = patched
    try:
        use(world, package, StandIn(), create)
    finally:
        del cls.create
    assert seen == [ARGUMENTS["model"]]
    assert anthropic_completions.resources.Completions.create is not patched


def test_what_counted_tokens_says_what_to_use(package: Any) -> None:
    restore(package)
    for owner in (package, package.Anthropic(None), package.AsyncAnthropic):
        with pytest.raises(NotImplementedError, match=r"0\.39.*client\.messages\.count_tokens"):
            owner.count_tokens("text")
        tokenizer = owner.get_tokenizer()  # taken and never used by lm-eval
        with pytest.raises(NotImplementedError, match=r"\.encode: .*client\.messages\.count_tokens"):
            tokenizer.encode("text")


def test_raw_and_streaming_responses_have_completions(world: World, package: Any) -> None:
    restore(package)
    kind = "Anthropic" if world.backend is None else "AsyncAnthropic"
    raw, streaming = (
        getattr(package._client, f"{kind}{form}") for form in ("WithRawResponse", "WithStreamedResponse")
    )

    def of_raw(client: Any) -> Any:
        return raw(client).completions.create(**ARGUMENTS)

    reply = use(world, package, StandIn(), of_raw)
    assert reply.http_response.json()["type"] == "message"
    assert reply.parse().completion

    def of_stream(client: Any) -> Any:
        with streaming(client).completions.create(**ARGUMENTS) as response:
            return response.read()

    async def of_stream_async(client: Any) -> Any:
        async with streaming(client).completions.create(**ARGUMENTS) as response:
            return await response.read()

    read = use(world, package, StandIn(), of_stream if world.backend is None else of_stream_async)
    assert b'"type":"message"' in read


def test_an_argument_that_there_is_not_is_refused(world: World, package: Any) -> None:
    restore(package)
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_tokens'"):
        use(world, package, StandIn(), lambda client: client.completions.create(**ARGUMENTS, max_tokens=1))


def wrap(client: Any, seen: list[str]) -> None:
    """Put a function around `create` as tracers do."""
    original = client.completions.create

    def traced(**arguments: Any) -> Any:
        seen.append("sync")
        return original(**arguments)

    async def traced_async(**arguments: Any) -> Any:
        seen.append("async")
        return await original(**arguments)

    client.completions.create = traced_async if "Async" in type(client).__name__ else traced


def test_a_wrapper_stays_when_a_setting_changes(world: World, package: Any) -> None:
    restore(package)
    seen: list[str] = []

    def do(client: Any) -> Any:
        wrap(client, seen)
        client.api_key = "other"
        return create(client)

    stand_in = StandIn()
    use(world, package, stand_in, do)
    assert len(seen) == 1
    assert stand_in.received[0].headers["x-api-key"] == "other"


def test_a_wrapper_goes_with_copies_which_keep_their_own_settings(world: World, package: Any) -> None:
    restore(package)
    seen: list[str] = []
    clients: list[Any] = []

    def do(client: Any) -> Any:
        wrap(client, seen)
        clients.append(client.with_options(api_key="second").copy(api_key="third"))
        return create(clients[0])

    stand_in = StandIn()
    use(world, package, stand_in, do)
    assert len(seen) == 1
    assert stand_in.received[0].headers["x-api-key"] == "third"


def test_a_copy_without_wrappers_has_completions_of_its_own(world: World, package: Any) -> None:
    restore(package)
    stand_in = StandIn()

    def do(client: Any) -> Any:
        assert client.completions
        return create(client.copy(api_key="second"))

    use(world, package, stand_in, do)
    assert stand_in.received[0].headers["x-api-key"] == "second"


def test_settings_come_from_the_environment_where_no_argument_gives_them(
    package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_BACKEND", "auto")
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_ON_LOSS", "drop")
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_MODEL_MAP", "a=b")
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_PREFILL", "instruct")
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_THINKING_ROOM", "7")
    settings = restore(package, on_loss="error").settings
    assert (settings["backend"], settings["on_loss"]) == ("auto", "error")
    assert settings["model_map"].get("a") == "b"
    assert (settings["prefill"], settings["thinking_room"]) == ("instruct", 7)


@pytest.mark.filterwarnings("ignore:the model 'claude-haiku-4-5' is asked for")
def test_a_model_map_is_followed_by_restored_clients(world: World, package: Any) -> None:
    restore(package, model_map={ARGUMENTS["model"]: "claude-haiku-4-5"})
    stand_in = StandIn()
    use(world, package, stand_in, create)
    assert stand_in.received[0].json()["model"] == "claude-haiku-4-5"


def test_a_wrong_setting_of_the_environment_names_its_variable(
    package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_COMPLETIONS_BACKEND", "some")
    with pytest.raises(ValueError, match=r"ANTHROPIC_COMPLETIONS_BACKEND: .*expected one of"):
        restore(package)


def test_losses_are_told_as_the_setting_says(world: World, package: Any) -> None:
    restore(package, on_loss="warn")

    def do(client: Any) -> Any:
        return client.completions.create(**{**ARGUMENTS, "model": "claude-opus-4-8"}, top_k=5)

    with pytest.warns(LossWarning, match="sampling_refused"):
        use(world, package, StandIn(), do)
