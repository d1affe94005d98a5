"""The stand-in behaves as the wire does: what it refuses, what it answers, and in which form."""

import json
import re
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions._contract.generated import component, contract, statuses
from anthropic_completions._stream.sse import SSEDecoder
from anthropic_completions.prompts import validate
from anthropic_completions.testing import FakeClock, Received, StandIn
from strategies import texts
from support import ARGUMENTS, PROMPT

HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01", "content-type": "application/json"}
REPLY = " Hello! My name is Claude."


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**contract(), "$ref": f"#/components/schemas/{name}"})


REQUEST, COMPLETION, ERROR = (validator(name) for name in ("CompletionRequest", "Completion", "Error"))
EVENT = jsonschema.Draft202012Validator(
    {**contract(), "$ref": "#/components/schemas/CompletionStream/contentSchema/items"}
)


def send(
    stand_in: StandIn | None = None,
    body: Any = None,
    *,
    method: str = "POST",
    path: str = "/v1/complete",
    headers: dict[str, str | None] | None = None,
    **fields: Any,
) -> httpx.Response:
    """Send the usual request, changed, over plain httpx."""
    content = body if isinstance(body, bytes) else json.dumps(body or {**ARGUMENTS, **fields}).encode()
    named = {name: value for name, value in {**HEADERS, **(headers or {})}.items() if value is not None}
    with httpx.Client(transport=(stand_in or StandIn()).transport(), base_url="http://x") as client:
        return client.request(method, path, content=content, headers=named)


def message(response: httpx.Response) -> str:
    text: str = response.json()["error"]["message"]
    return text


def events(response: httpx.Response) -> list[tuple[str | None, Any]]:
    return [(event.event, json.loads(event.data)) for event in SSEDecoder().feed(response.content)]


class TestRefusals:
    """Each with the API's status, type and form."""

    @pytest.mark.parametrize(
        ("changes", "status", "kind", "says"),
        [
            ({"path": "/v1/models"}, 404, "not_found_error", "POST /v1/models: not found"),
            ({"path": "/v1/complete/"}, 404, "not_found_error", "not found"),
            ({"method": "GET"}, 405, "invalid_request_error", "GET: method not allowed"),
            ({"method": "OPTIONS"}, 405, "invalid_request_error", "OPTIONS"),
            ({"headers": {"x-api-key": None}}, 401, "authentication_error", "x-api-key header is required"),
            ({"headers": {"x-api-key": ""}}, 401, "authentication_error", "x-api-key header is required"),
            (
                {"headers": {"x-api-key": None, "authorization": "Basic abc"}},
                401,
                "authentication_error",
                "x-api-key",
            ),
            ({"headers": {"anthropic-version": None}}, 400, "invalid_request_error", "anthropic-version"),
            ({"headers": {"content-type": None}}, 400, "invalid_request_error", "content-type"),
            ({"headers": {"content-type": "text/plain"}}, 400, "invalid_request_error", "content-type"),
            ({"body": b"{"}, 400, "invalid_request_error", "not valid JSON"),
            ({"body": b""}, 400, "invalid_request_error", "not valid JSON"),
            ({"body": b"\xff"}, 400, "invalid_request_error", "not valid JSON"),
            ({"body": b"[" * 100_000}, 400, "invalid_request_error", "not valid JSON"),
            ({"body": b'{"temperature": NaN}'}, 400, "invalid_request_error", "not valid JSON"),
            ({"body": b"[]"}, 400, "invalid_request_error", "expected an object"),
            ({"prompt": "\ud800"}, 400, "invalid_request_error", "not valid JSON"),
            ({"colour": "red"}, 400, "invalid_request_error", "colour: Extra inputs are not permitted"),
            ({"metadata": {"name": "x"}}, 400, "invalid_request_error", "metadata.name: Extra inputs"),
            ({"metadata": {"user_id": "x" * 257}}, 400, "invalid_request_error", "metadata.user_id"),
            ({"temperature": 1.5}, 400, "invalid_request_error", "temperature"),
            ({"stop_sequences": ["a", 1]}, 400, "invalid_request_error", "stop_sequences[1]"),
            ({"top_k": None}, 400, "invalid_request_error", "top_k"),
            (
                {"body": {"prompt": PROMPT}},
                400,
                "invalid_request_error",
                "max_tokens_to_sample: Field required",
            ),
        ],
    )
    def test_what_breaks_the_rules(self, changes: Any, status: int, kind: str, says: str) -> None:
        response = send(**changes)
        assert response.status_code == status
        assert response.json()["error"]["type"] == kind
        assert says in message(response)
        assert ERROR.is_valid(response.json())
        assert response.json()["request_id"] == response.headers["request-id"]

    def test_a_wrong_method_is_told_the_right_one(self) -> None:
        assert send(method="PUT").headers["allow"] == "POST"

    @pytest.mark.parametrize("status", [400, 401])
    def test_the_service_says_that_another_attempt_is_in_vain(self, status: int) -> None:
        response = send(top_p=2) if status == 400 else send(headers={"x-api-key": None})
        assert (response.status_code, response.headers["x-should-retry"]) == (status, "false")

    def test_a_body_above_the_limit_is_answered_as_the_edge_does(self) -> None:
        response = send(StandIn(max_body_bytes=100))
        assert response.status_code == 413
        assert response.json() == {
            "error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}
        }
        assert send(StandIn(max_body_bytes=len(json.dumps(ARGUMENTS)))).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"x-api-key": "right"}, 200),
            ({"x-api-key": "wrong"}, 401),
            ({"x-api-key": None, "authorization": "Bearer right"}, 200),
            ({"x-api-key": None, "authorization": "bearer right"}, 200),
            ({"x-api-key": None, "authorization": "Bearer wrong"}, 401),
            ({"x-api-key": None, "authorization": "Bearer "}, 401),
        ],
    )
    def test_a_key_can_be_insisted_on(self, headers: dict[str, str | None], status: int) -> None:
        assert send(StandIn(api_key="right"), headers=headers).status_code == status

    @pytest.mark.parametrize(
        ("prompt", "says"),
        [
            ("Hello, world", "must start with"),
            ("Hello, world\n\nAssistant:", "must start with"),
            ("\n\nHuman: Hello, Claude", "must end with"),
            ("\n\nAssistant: Hello, world\n\nHuman: Hello, Claude\n\nAssistant:", "must start with"),
            ("\n\nHuman: Hello\n\nAssistant: Hello\n\nHuman: How many toes do dogs have?", "must end with"),
            ("\n\nHuman: Hello, Claude \nAssistant:", "must end with"),
            ("Human: Hello, Claude\n\nAssistant:", None),
            ("\n\nHuman: Hello, Claude:\n\nAssistant: ", None),
            ("\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: Can you explain Glycolysis?\n\nAssistant:", None),
            ("\n\nHuman: Hello\n\nAssistant: Hello, my name is", None),
            ("Today is January 1, 2024.\n\nHuman: Hello, Claude\n\nAssistant:", None),
            ("\n\nHuman:\nHello world\n\n\nAssistant:", None),
        ],
    )
    def test_the_rules_for_prompts(self, prompt: str, says: str | None) -> None:
        response = send(prompt=prompt)
        assert response.status_code == (400 if says else 200)
        if says:
            assert re.fullmatch(rf'prompt {says} "\\n\\n(Human|Assistant):" turn.*', message(response))

    def test_what_is_refused_takes_no_reply_from_the_queue(self) -> None:
        from anthropic_completions.testing import completion

        stand_in = StandIn()
        stand_in.queue(completion("Mine."))
        assert send(stand_in, prompt="x").status_code == 400
        assert send(stand_in).json()["completion"] == "Mine."


VERDICTS = [
    {},
    {"model": ""},
    {"model": "a model of tomorrow"},
    {"model": 1},
    {"prompt": ""},
    {"prompt": ["x"]},
    {"max_tokens_to_sample": 0},
    {"max_tokens_to_sample": 1},
    {"max_tokens_to_sample": 10**400},
    {"max_tokens_to_sample": 1.0},
    {"max_tokens_to_sample": 1e300},
    {"max_tokens_to_sample": 1.5},
    {"max_tokens_to_sample": True},
    {"max_tokens_to_sample": "1"},
    {"stop_sequences": []},
    {"stop_sequences": [""]},
    {"stop_sequences": ["a", "\n\nHuman:"]},
    {"stop_sequences": "a"},
    {"stop_sequences": [None]},
    *({name: None} for name in component("#/components/schemas/CompletionRequest/properties")),
    {"metadata": {}},
    {"metadata": {"user_id": None}},
    {"metadata": {"user_id": "é" * 256}},
    {"metadata": {"user_id": 3}},
    {"metadata": []},
    {"temperature": 0},
    {"temperature": 1.0},
    {"temperature": -0.0},
    {"temperature": 1.0000001},
    {"temperature": "0.5"},
    {"temperature": False},
    {"top_k": 0},
    {"top_k": -1},
    {"top_k": -2},
    {"top_p": -1},
    {"top_k": 10**20},
    {"top_k": 2.0},
    {"top_p": 1},
    {"top_p": 1e-320},
    {"top_p": -1e-320},
    {"stream": True},
    {"stream": 1},
    {"stream": "true"},
    {"betas": ["x"]},
    {"": 1},
]


class TestAgainstTheContract:
    """The stand-in's verdicts are those of the contract's JSON Schema and the rules for prompts."""

    def check(self, body: Any) -> None:
        valid = REQUEST.is_valid(body) and bool(validate(body["prompt"]))
        assert (send(body=body).status_code == 200) == valid

    @pytest.mark.parametrize("changes", VERDICTS, ids=lambda changes: json.dumps(changes)[:60])
    def test_a_table(self, changes: dict[str, Any]) -> None:
        self.check({**ARGUMENTS, **changes})

    @pytest.mark.parametrize("name", ["max_tokens_to_sample", "model", "prompt", "nothing"])
    def test_a_missing_field(self, name: str) -> None:
        self.check({field: value for field, value in ARGUMENTS.items() if field != name})

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "model": texts() | st.integers(),
                "max_tokens_to_sample": st.integers(-1, 3) | st.floats(allow_nan=False, allow_infinity=False),
                "stop_sequences": st.lists(texts() | st.none(), max_size=3) | texts(),
                "temperature": st.floats(-0.5, 1.5) | st.booleans(),
                "top_k": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
                "top_p": st.floats(-0.5, 1.5) | texts(),
                "stream": st.booleans() | st.integers(),
                "metadata": st.dictionaries(st.sampled_from(["user_id", "x"]), texts() | st.none()),
                "prompt": texts()
                | st.lists(st.sampled_from(["\n", "Human:", "\n\nAssistant:", " x"])).map("".join),
            },
        )
    )
    def test_any_request(self, changes: dict[str, Any]) -> None:
        self.check({**ARGUMENTS, **changes})


class TestCompletions:
    """What is answered to a request that the contract allows."""

    def test_the_references_example_gets_the_references_reply(self) -> None:
        response = send()
        assert response.status_code == 200
        assert list(response.json()) == [
            "type",
            "id",
            "completion",
            "stop_reason",
            "model",
            "stop",
            "log_id",
        ]
        assert response.json()["completion"] == REPLY
        assert response.json()["stop"] == "\n\nHuman:"
        assert COMPLETION.is_valid(response.json())

    @pytest.mark.parametrize(
        ("prompt", "text"),
        [
            ("\n\nHuman: How many toes?\n\nAssistant:", " You said: How many toes?"),
            ("Human: How many toes?\n\nAssistant:", " You said: How many toes?"),
            ("\n\nHuman: First\n\nAssistant: Yes\n\nHuman: Second\n\nAssistant: So", " You said: Second"),
            ("\n\nHuman:\n\nAssistant:", " You said: "),
        ],
    )
    def test_any_other_prompt_gets_its_last_question_back(self, prompt: str, text: str) -> None:
        assert send(prompt=prompt).json()["completion"] == text
        assert send(prompt=prompt).json() == send(prompt=prompt).json()

    @pytest.mark.parametrize(
        ("limit", "stops", "expected"),
        [
            (2, [], (" Hello! My", "max_tokens", None)),
            (1e300, [], (REPLY, "stop_sequence", "\n\nHuman:")),
            (5, [], (REPLY, "stop_sequence", "\n\nHuman:")),
            (256, ["name"], (" Hello! My ", "stop_sequence", "name")),
            (2, ["name"], (" Hello! My", "max_tokens", None)),
            (2, ["My"], (" Hello! ", "stop_sequence", "My")),
            (256, ["Claude", "name", "is"], (" Hello! My ", "stop_sequence", "name")),
            (256, ["", "absent"], (REPLY, "stop_sequence", "\n\nHuman:")),
            (256, [" "], ("", "stop_sequence", " ")),
        ],
    )
    @pytest.mark.parametrize("stream", [False, True])
    def test_the_limit_and_the_stop_sequences_hold(
        self, limit: int, stops: list[str], expected: tuple[str, str, str | None], stream: bool
    ) -> None:
        response = send(max_tokens_to_sample=limit, stop_sequences=stops, stream=stream)
        if not stream:
            body = response.json()
            assert (body["completion"], body["stop_reason"], body["stop"]) == expected
            return
        chunks = [data for name, data in events(response) if name == "completion"]
        text = "".join(chunk["completion"] for chunk in chunks)
        assert (text, chunks[-1]["stop_reason"], chunks[-1]["stop"]) == expected
        assert all(chunk["stop_reason"] is None and chunk["stop"] is None for chunk in chunks[:-1])

    @pytest.mark.parametrize(
        ("asked", "answered"),
        [
            ("claude-2", "claude-2.0"),
            ("claude-instant-1", "claude-instant-1.2"),
            ("claude-opus-4-1", "claude-opus-4-1-20250805"),
            ("claude-2.1", "claude-2.1"),
            ("unknown", "unknown"),
        ],
    )
    def test_an_alias_is_resolved(self, asked: str, answered: str) -> None:
        assert send(model=asked).json()["model"] == answered

    def test_every_reply_has_the_services_headers(self) -> None:
        clock = FakeClock(1_700_000_000.5)
        stand_in = StandIn(clock=clock)
        first, second, refused = send(stand_in), send(stand_in, stream=True), send(stand_in, prompt="x")
        ids = [response.headers["request-id"] for response in (first, second, refused)]
        assert len(set(ids)) == 3
        assert all(re.fullmatch(r"req_\d{24}", request_id) for request_id in ids)
        assert first.headers["anthropic-ratelimit-requests-limit"] == "1000000"
        assert first.headers["anthropic-ratelimit-requests-remaining"] == "999999"
        assert second.headers["anthropic-ratelimit-requests-remaining"] == "999998"
        assert first.headers["anthropic-ratelimit-tokens-remaining"] == "1000000000"
        # Half a second is rounded up: at the time that is told the limit is full again.
        assert first.headers["anthropic-ratelimit-requests-reset"] == "2023-11-14T22:14:21Z"
        assert "anthropic-organization-id" in refused.headers

    def test_ids_differ_from_request_to_request(self) -> None:
        stand_in = StandIn()
        bodies = [send(stand_in).json() for _ in range(3)]
        assert len({body["id"] for body in bodies}) == 3
        assert all(body["id"] == body["log_id"] for body in bodies)

    @given(prompt=texts(), limit=st.integers(1, 6), stops=st.lists(texts(max_size=2), max_size=2))
    def test_whatever_is_answered_is_what_the_contract_says(
        self, prompt: str, limit: int, stops: list[str]
    ) -> None:
        fields = {"max_tokens_to_sample": limit, "stop_sequences": stops}
        prompt = f"\n\nHuman: {prompt}\n\nAssistant:"
        plain = send(prompt=prompt, **fields)
        assert COMPLETION.is_valid(plain.json())
        streamed = events(send(prompt=prompt, stream=True, **fields))
        assert all(EVENT.is_valid({"event": name, "data": data}) for name, data in streamed)
        text = "".join(data["completion"] for name, data in streamed if name == "completion")
        assert text == plain.json()["completion"]


class TestStreams:
    """The recorded form, and what can be set of it."""

    def test_the_recorded_form(self) -> None:
        response = send(stream=True)
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        lines = response.content.split(b"\r\n")
        assert b"\n" not in b"".join(lines)
        assert lines[0] == b"event: completion"
        assert lines[3:6] == [b"event: ping", b'data: {"type": "ping"}', b""]
        assert any(line.endswith(b"  }") for line in lines)
        assert events(response)[-1][1]["completion"] == ""

    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_the_size_of_chunks(self, size: int) -> None:
        texts = [
            data["completion"]
            for name, data in events(send(StandIn(chunk_size=size), stream=True))
            if name == "completion"
        ]
        assert texts == [REPLY[at : at + size] for at in range(0, len(REPLY), size)] + [""]

    @pytest.mark.parametrize(("every", "pings"), [(None, [1]), (0, []), (1, [1, 3, 5, 7, 9]), (2, [2, 5])])
    def test_the_pings(self, every: int | None, pings: list[int]) -> None:
        names = [name for name, _ in events(send(StandIn(ping_every=every), stream=True))]
        assert [at for at, name in enumerate(names) if name == "ping"] == pings

    def test_no_padding(self) -> None:
        assert b" }" not in send(StandIn(padding=False), stream=True).content

    def test_delays_move_the_clock_and_take_no_time(self) -> None:
        stand_in = StandIn(delay=0.5)
        send(stand_in)
        assert stand_in.clock.waits == [0.5]
        send(stand_in, stream=True)
        assert stand_in.clock.waits == [0.5] * (1 + len(REPLY.split()) + 1)

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("chunk_size", 0),
            ("delay", -1.0),
            ("delay", float("nan")),
            ("ping_every", -1),
            ("max_body_bytes", -1),
            ("requests_per_minute", 0),
            ("keep", -1),
        ],
    )
    def test_a_setting_out_of_range_is_refused(self, name: str, wrong: Any) -> None:
        with pytest.raises(ValueError, match=f"{name}: expected .* or more, got {wrong}"):
            StandIn(**{name: wrong})


class TestLimits:
    """The rate limit that can be set."""

    def test_one_request_too_many_is_told_when_to_come_again(self) -> None:
        clock = FakeClock(1_700_000_000.0)
        stand_in = StandIn(requests_per_minute=2, clock=clock)
        assert [send(stand_in).status_code for _ in range(2)] == [200, 200]
        clock.sleep(15.5)
        response = send(stand_in)
        assert response.status_code == 429
        assert response.json()["error"]["type"] == "rate_limit_error"
        assert response.headers["retry-after"] == "45"
        assert response.headers["anthropic-ratelimit-requests-remaining"] == "0"
        clock.sleep(44.5)
        assert send(stand_in).status_code == 200

    def test_a_client_that_obeys_gets_through(self) -> None:
        stand_in = StandIn(requests_per_minute=1)
        client = stand_in.client()
        for _ in range(3):
            client.completions.create(**ARGUMENTS)
        assert stand_in.clock.waits == [60.0, 60.0]


class TestReceived:
    """What a test can see of the requests."""

    def test_a_request_is_shown_parsed(self) -> None:
        stand_in = StandIn()
        stand_in.client().completions.create(
            **ARGUMENTS, betas=["a-1", "b-2"], extra_query={"x": "1"}, extra_headers={"X-Mine": "yes"}
        )
        (received,) = stand_in.received
        assert (received.method, received.path, received.query) == ("POST", "/v1/complete", "x=1")
        assert received.json() == ARGUMENTS
        assert received.betas == ["a-1", "b-2"]
        assert received.headers["x-mine"] == "yes"

    @pytest.mark.parametrize("line", ["a-1,b-2", "a-1, b-2", " a-1 ,, b-2"])
    def test_betas_are_understood_in_each_spelling(self, line: str) -> None:
        assert Received("POST", "/", {"anthropic-beta": line}, b"").betas == ["a-1", "b-2"]

    def test_a_key_is_not_shown(self) -> None:
        stand_in = StandIn()
        stand_in.client(api_key="sk-secret").completions.create(**ARGUMENTS)
        assert "sk-secret" not in repr(stand_in.received)

    @pytest.mark.parametrize(("keep", "left"), [(None, 3), (2, 2), (0, 0)])
    def test_only_so_many_are_kept(self, keep: int | None, left: int) -> None:
        stand_in = StandIn(keep=keep)
        for number in range(1, 4):
            send(stand_in, top_k=number)
        assert [received.json()["top_k"] for received in stand_in.received] == [1, 2, 3][3 - left :]


def test_every_status_of_the_contract_can_be_asked_for() -> None:
    from anthropic_completions.testing import error

    for kind, status in statuses().items():
        stand_in = StandIn()
        stand_in.queue(error(status))
        response = send(stand_in)
        assert (response.status_code, response.json()["error"]["type"]) == (status, kind)


def test_the_package_loads_neither_the_stand_in_nor_the_command_line() -> None:
    import subprocess
    import sys

    code = (
        "import sys, anthropic_completions\n"
        "print([m for m in sys.modules if m.startswith(('anthropic_completions.testing',"
        " 'anthropic_completions.cli', 'anthropic_completions.batch', 'click', 'rich', 'uvicorn'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
