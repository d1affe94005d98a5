"""Every model of the contract, and names that it does not have, by the bridge against today's service."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from anthropic_completions import AnthropicError, BadRequestError, NotFoundError
from anthropic_completions._contract.generated import component
from anthropic_completions.messages import LossError, LossWarning, UntranslatableReplyError
from anthropic_completions.models import lifecycle, messages_support
from anthropic_completions.testing import StandIn, completion, error
from spread import spread
from support import ARGUMENTS, PROMPT, World

MODELS = list(component("#/components/schemas/KnownModel")["x-models"])
# One for each way in which today's models are served.
LIVING = sorted(name for name in MODELS if lifecycle(name).status in ("active", "deprecated"))
RETIRED = [name for name in MODELS if name not in LIVING]
CASES: dict[str, dict[str, Any]] = {
    "prefill": {"prompt": f"{PROMPT} My answer is ("},
    "temperature 0": {"temperature": 0},
    "temperature and top_p": {"temperature": 0.5, "top_p": 0.9},
    "top_k": {"top_k": 5},
    "stop": {"stop_sequences": ["Claude"]},
    "5 tokens": {"max_tokens_to_sample": 5},
}
WORLDS = [World(None), World("asyncio")]
worlds = pytest.mark.parametrize("world", WORLDS, ids=["sync", "async"])
streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
WAYS = {
    "sync": (WORLDS[0], False),
    "async-streamed": (WORLDS[1], True),
    "async": (WORLDS[1], False),
    "sync-streamed": (WORLDS[0], True),
}


def in_some_way(*models: str) -> pytest.MarkDecorator:
    """Parametrise with models, each in one of the ways: which of them matters to no rule of a model."""
    return pytest.mark.parametrize(
        ("model", "world", "stream"), spread({name: (name,) for name in models}, {"once": ()}, WAYS)
    )


def bedrock(message: str) -> str:
    return f"The model returned the following errors: {message}"


def bare(message: str) -> str:
    return message.replace("`", "").replace('"', "")


class Session:
    """Calls of one client, which remembers, to a stand-in."""

    def __init__(self, world: World, stand_in: StandIn, **options: Any) -> None:
        self.world, self.stand_in = world, stand_in
        self.options = {"base_url": "http://x", "max_retries": 0, "backend": "messages", **options}
        self.learned: dict[Any, Any] = {}

    def __call__(self, **arguments: Any) -> Any:
        """Return the completion, or the error."""
        kind = httpx.Client if self.world.backend is None else httpx.AsyncClient
        arguments = {**ARGUMENTS, **arguments}
        stream = arguments.get("stream")

        def blocking(client: Any) -> Any:
            client._options.learned.update(self.learned)
            try:
                found = client.completions.create(**arguments)
                return found.get_final_completion() if stream else found
            except AnthropicError as error:
                return error
            finally:
                self.learned = client._options.learned

        async def awaiting(client: Any) -> Any:
            client._options.learned.update(self.learned)
            try:
                found = await client.completions.create(**arguments)
                return await found.get_final_completion() if stream else found
            except AnthropicError as error:
                return error
            finally:
                self.learned = client._options.learned

        http_client = kind(transport=self.stand_in.transport())
        return self.world.use(blocking, awaiting, http_client=http_client, **self.options)

    def requests(self) -> int:
        """Return how many requests came since this was asked last."""
        count = len(self.stand_in.received)
        self.stand_in.received.clear()
        return count


@pytest.mark.parametrize(
    ("model", "prefill", "world", "stream"),
    [
        *spread({name: (name,) for name in LIVING}, {"drop": ("drop",), "instruct": ("instruct",)}, WAYS),
        *spread({name: (name,) for name in RETIRED}, {"drop": ("drop",)}, WAYS),
    ],
)
def test_each_model_answers_or_is_told_to_be_retired(
    world: World, stream: bool, model: str, prefill: str
) -> None:
    session = Session(world, StandIn(today=True), on_loss="drop", prefill=prefill)
    for case in CASES.values():
        found = session(model=model, stream=stream, **case)
        assert session.requests() == 1
        if model in LIVING:
            assert found.completion.strip()
            assert found.message["usage"]["output_tokens"]
        else:
            assert isinstance(found, NotFoundError)
            assert "was retired on" in str(found)
            assert "model_map=" in str(found)


@in_some_way(*RETIRED)
def test_each_retired_model_gives_way_to_the_recommended_one(world: World, stream: bool, model: str) -> None:
    session = Session(world, StandIn(today=True), on_loss="drop", model_map="recommended")
    session.options["model_warnings"] = False
    for case in CASES.values():
        assert session(model=model, stream=stream, **case).completion.strip()


NAMES = {
    "claude": ("claude-next", None),
    "other": ("my-claude", None),
    "other, as Bedrock says it": ("my-claude", bedrock),
    "other, without quotes": ("my-claude", bare),
}


@pytest.mark.parametrize(
    ("model", "name", "reword", "world", "stream"), spread({name: (name,) for name in LIVING}, NAMES, WAYS)
)
def test_of_names_that_are_in_no_list_refusals_are_learned(
    world: World, stream: bool, name: str, reword: Any, model: str
) -> None:
    stand_in = StandIn(like={name: model}, reword=reword, thinking_tokens=3)
    session = Session(world, stand_in, on_loss="drop")
    learned = 0
    for case in CASES.values():
        found = session(model=name, stream=stream, **case)
        before, learned = learned, lessons(session, name)
        assert session.requests() <= 1 + learned - before
        assert found.completion.strip()
    for case in CASES.values():
        assert session(model=name, stream=stream, **case).completion.strip()
        assert session.requests() == 1


def lessons(session: Session, name: str) -> int:
    """Return how many things refusals have told of a model."""
    found = session.learned.get(("http://x", name))
    known = messages_support(name)
    if found is None:
        return 0
    return sum(
        getattr(found, field) != getattr(known, field)
        for field in ("prefill", "sampling", "thinking", "off_switch", "effort", "max_tokens")
    )


@in_some_way(*LIVING)
def test_with_losses_as_errors_nothing_is_sent_without_what_it_would_lose(
    world: World, stream: bool, model: str
) -> None:
    stand_in = StandIn(like={"my-claude": model}, thinking_tokens=3)
    session = Session(world, stand_in, on_loss="error")
    for name, case in CASES.items():
        found = session(model="my-claude", stream=stream, **case)
        if isinstance(found, LossError):
            assert isinstance(found.__cause__, BadRequestError) or session.requests() == 0
        else:
            (received,) = stand_in.received
            sent = received.json()
            assert {field for field in case if field.startswith(("te", "top"))} <= sent.keys()
            assert (name == "prefill") == (sent["messages"][-1]["role"] == "assistant")
        session.requests()


@pytest.mark.parametrize(
    ("model", "like", "thinking"),
    [
        ("claude-opus-5", "claude-sonnet-5-5", {"type": "between_tools"}),
        ("claude-opus-5", "claude-opus-5-5", None),
        ("claude-sonnet-5-5", "claude-haiku-5-5", None),
        ("claude-haiku-5-5", "claude-mythos-preview", None),
    ],
)
@worlds
@streamed
def test_a_switch_that_is_refused_is_learned(
    world: World, stream: bool, model: str, like: str, thinking: Any
) -> None:
    session = Session(world, StandIn(like={model: like}), on_loss="drop")
    assert session(model=model, stream=stream).completion
    first, last = (received.json() for received in session.stand_in.received)
    assert first["thinking"] is not None
    assert last.get("thinking") == thinking
    if thinking is None:
        assert (last["output_config"], last["max_tokens"]) == ({"effort": "low"}, 256 + 8192)


@worlds
def test_a_cap_that_was_raised_too_far_is_learned_and_one_that_was_asked_for_is_not(world: World) -> None:
    session = Session(world, StandIn(like={"claude-next": "claude-3-haiku-20240307"}), on_loss="drop")
    assert session(model="claude-next").completion
    assert [received.json()["max_tokens"] for received in session.stand_in.received] == [8448, 8448, 4096]
    session.requests()
    found = session(model="claude-next", max_tokens_to_sample=5000)
    assert isinstance(found, BadRequestError)
    assert session.requests() == 1


@worlds
@streamed
def test_what_is_learned_is_told_once_with_the_other_losses(world: World, stream: bool) -> None:
    session = Session(world, StandIn(like={"my-claude": "claude-opus-4-8"}))
    arguments = {"model": "my-claude", "stream": stream, "top_k": 5, "stop_sequences": [" "]}
    with pytest.warns(LossWarning) as caught:
        session(**arguments)
    told: list[Any] = [warning.message for warning in caught]
    assert [[loss.rule for loss in one.losses] for one in told] == [
        ["blank_stop_sequence"],
        ["sampling_refused"],
    ]
    with pytest.warns(LossWarning) as caught:
        session(**arguments)
    (again,) = [warning.message for warning in caught]
    assert [loss.rule for loss in again.losses] == ["blank_stop_sequence", "sampling_refused"]


@worlds
@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({"learn": False}, {"top_k": 5}),
        ({}, {"extra_body": {"colour": "red"}}),
        ({}, {"extra_body": {"thinking": {"type": "between_tools"}}}),
        ({}, {"extra_body": {"output_config": {"effort": "xhigh"}}}),
        ({}, {"max_tokens_to_sample": 999_999_999}),
    ],
    ids=["switched off", "unknown field", "the caller's thinking", "the caller's effort", "too high a cap"],
)
def test_other_refusals_are_the_callers(world: World, options: Any, arguments: dict[str, Any]) -> None:
    session = Session(world, StandIn(like={"my-claude": "claude-opus-4-6"}), on_loss="drop", **options)
    session.stand_in._like["my-claude"] = "claude-opus-4-8" if "top_k" in arguments else "claude-opus-4-6"
    assert isinstance(session(model="my-claude", **arguments), BadRequestError)
    assert session.requests() == 1
    assert not session.learned


@worlds
@pytest.mark.parametrize("status", [401, 404, 422, 500])
def test_only_a_400_teaches(world: World, status: int) -> None:
    session = Session(world, StandIn(), on_loss="drop")
    session.stand_in.queue(error(status, "invalid_request_error", "`top_k` is deprecated for this model."))
    assert getattr(session(model="my-claude", top_k=5), "status_code", None) == status
    assert session.requests() == 1


@worlds
def test_what_was_not_sent_is_not_learned(world: World) -> None:
    session = Session(world, StandIn(), on_loss="drop")
    for message in (
        "`top_k` is deprecated for this model.",
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        "This model does not support assistant message prefill.",
        '"thinking.type.disabled" is not supported for this model.',
        "This model does not support the effort parameter.",
        "max_tokens: 256 > 8, which is the maximum allowed number of output tokens for my-claude",
    ):
        session.stand_in.queue(error(400, "invalid_request_error", message))
        assert isinstance(session(model="my-claude"), BadRequestError)
        assert session.requests() == 1


@worlds
def test_learning_counts_in_no_retry_budget_and_holds_for_copies_and_other_addresses_apart(
    world: World,
) -> None:
    session = Session(world, StandIn(like={"my-claude": "claude-opus-5-5"}), on_loss="drop", max_retries=0)
    assert session(model="my-claude", top_k=5, prompt=f"{PROMPT} Hi").completion
    assert session.requests() == 3
    assert list(session.learned) == [("http://x", "my-claude")]
    session.options["base_url"] = "http://y"
    session(model="my-claude", top_k=5)
    assert session.requests() == 2


@worlds
@streamed
def test_an_answer_that_is_all_thinking_says_what_helps(world: World, stream: bool) -> None:
    session = Session(world, StandIn(thinking_tokens=100), on_loss="drop", thinking_room=10)
    found = session(model="claude-opus-5-5", stream=stream, max_tokens_to_sample=5)
    assert isinstance(found, UntranslatableReplyError)
    assert (found.reason, found.thinking_tokens, found.max_tokens) == ("thinking", 15, 15)
    assert "thinking_room" in str(found)


# A program of 2023

PROGRAM = """
from anthropic_completions import AI_PROMPT, HUMAN_PROMPT, Anthropic

client = Anthropic()
for question in ("How many?", "Which one?"):
    answer = client.completions.create(
        model="claude-2.1",
        max_tokens_to_sample=256,
        temperature=0,
        prompt=f"{HUMAN_PROMPT} {question}{AI_PROMPT} The answer is (",
        stream=STREAM,
    )
    for part in answer if STREAM else [answer]:
        print(part.completion, end="")
    print()
"""


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    pytest.importorskip("uvicorn")
    with StandIn(today=True, respond=lambda _: completion(" The answer is (B) indeed.")).serve() as url:
        yield url


@streamed
@pytest.mark.parametrize(
    ("model", "rules"),
    [
        ("claude-haiku-5-5", ["prefill_instructed", "sampling_refused"]),
        ("claude-sonnet-5-5", ["prefill_instructed", "sampling_refused"]),
        ("claude-opus-5-5", ["prefill_instructed", "sampling_refused", "thinking_counts"]),
    ],
)
def test_a_program_of_2023_goes_on_with_three_variables(
    served: str, tmp_path: Path, model: str, rules: list[str], stream: bool
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("STREAM", str(stream)), encoding="utf-8")
    environment = {
        "ANTHROPIC_API_KEY": "k",
        "ANTHROPIC_BASE_URL": served,
        "ANTHROPIC_COMPLETIONS_BACKEND": "messages",
        "ANTHROPIC_COMPLETIONS_MODEL_MAP": f"claude-2.1={model}",
        "ANTHROPIC_COMPLETIONS_PREFILL": "instruct",
    }
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "B) indeed.\nB) indeed.\n"
    for rule in rules:
        assert done.stderr.count(f"[{rule}]") == 1
    assert done.stderr.count("[") == len(rules)
    assert done.stderr.count(f"{model!r} is asked for in place of 'claude-2.1'") == 1
