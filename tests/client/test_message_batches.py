"""Message Batches: each request once, whatever gets lost, and results that come back as completions."""

import json
import pickle
from typing import Any

import anyio
import pytest

from anthropic_completions import APIStatusError
from anthropic_completions.batch import (
    BatchHandle,
    BatchRequestError,
    OtherBatchError,
    Result,
    ResultsGoneError,
    SubmissionError,
    asubmit_batch,
    submit_batch,
)
from anthropic_completions.messages import LossError, UntranslatableMessageError
from anthropic_completions.testing import (
    FakeClock,
    Received,
    Scripted,
    StandIn,
    completion,
    drop,
    error,
    rate_limited,
)
from support import World

COMMON: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens_to_sample": 256}
DAY = 24 * 3600.0


def asked(number: object) -> dict[str, Any]:
    return {"id": number, "prompt": f"\n\nHuman: {number}\n\nAssistant:"}


def submit(world: World, stand_in: StandIn, requests: Any, **options: Any) -> BatchHandle:
    """Submit requests in a world."""
    settings = options.pop("settings", {})
    arguments = {**COMMON, **options}
    if world.backend is None:
        with stand_in.client(**settings) as client:
            return submit_batch(client, requests, **arguments)

    async def main() -> BatchHandle:
        async with stand_in.async_client(**settings) as client:
            return await asubmit_batch(client, requests, **arguments)

    return anyio.run(main, backend=world.backend)


def fetch(world: World, stand_in: StandIn, handle: BatchHandle) -> list[Result]:
    """Fetch the results in a world, by a client of its own."""
    handle = pickle.loads(pickle.dumps(handle))
    if world.backend is None:
        with stand_in.client() as client:
            return list(handle.results(client))

    async def main() -> list[Result]:
        async with stand_in.async_client() as client:
            return [result async for result in handle.aresults(client)]

    return anyio.run(main, backend=world.backend)


def created(stand_in: StandIn) -> int:
    """Return how many requests to create a batch came."""
    return sum(
        received.method == "POST" and received.path == "/v1/messages/batches"
        for received in stand_in.received
    )


class TestResults:
    """What comes back."""

    def test_each_request_has_one_result(self, world: World) -> None:
        stand_in = StandIn(batch_seconds=600)
        handle = submit(world, stand_in, map(asked, [*range(50), "text", None, (1, 2)]))
        results = fetch(world, stand_in, handle)
        assert len(handle) == 53
        assert {result.id: result.completion and result.completion.completion for result in results} == {
            number: f" You said: {number}" for number in [*range(50), "text", None, (1, 2)]
        }
        assert len(results) == 53
        assert stand_in.clock.waits[:2] == [5.0, 7.5]
        assert max(stand_in.clock.waits) == 60.0

    def test_results_can_be_fetched_again(self, world: World) -> None:
        stand_in = StandIn()
        handle = submit(world, stand_in, map(asked, range(3)))
        assert len(fetch(world, stand_in, handle)) == len(fetch(world, stand_in, handle)) == 3

    def test_a_completion_holds_its_message(self, world: World) -> None:
        stand_in = StandIn()
        (result,) = fetch(world, stand_in, submit(world, stand_in, [asked(1)]))
        assert result.completion is not None
        assert result.completion.message is not None
        assert result.completion.message["role"] == "assistant"

    def test_what_goes_wrong_is_in_the_result(self, world: World) -> None:
        stand_in = StandIn()
        stand_in.queue(
            error(400, message="Odd."), completion("", stop_reason="refusal"), drop(), completion(" Fine.")
        )
        results = {
            one.id: one for one in fetch(world, stand_in, submit(world, stand_in, map(asked, range(4))))
        }
        errored = results[0].error
        assert isinstance(errored, BatchRequestError)
        assert (errored.outcome, errored.type, errored.status_code) == (
            "errored",
            "invalid_request_error",
            400,
        )
        assert str(errored) == "Odd."
        assert str(errored.request_id).startswith("req_")
        assert isinstance(results[1].error, UntranslatableMessageError)
        expired = results[2].error
        assert isinstance(expired, BatchRequestError)
        assert expired.outcome == "expired"
        assert "expired" in str(pickle.loads(pickle.dumps(expired)))
        assert results[3].completion is not None

    def test_a_cancelled_batch_keeps_what_is_done(self, world: World) -> None:
        stand_in = StandIn(batch_seconds=1000)
        handle = submit(world, stand_in, map(asked, range(10)))
        stand_in.clock.now += 500

        def blocking(client: Any) -> Any:
            return handle.cancel(client)

        async def awaiting() -> Any:
            async with stand_in.async_client() as client:
                return await handle.acancel(client), await handle.astatus(client)

        if world.backend is None:
            assert blocking(stand_in.client())[0].processing_status == "canceling"
            assert handle.status(stand_in.client())[0].has_ended
        else:
            cancelled, now = anyio.run(awaiting, backend=world.backend)
            assert cancelled[0].processing_status == "canceling"
            assert now[0].counts["canceled"] == 5
        results = fetch(world, stand_in, handle)
        assert sorted(result.id for result in results if result.completion) == [0, 1, 2, 3, 4]
        outcomes = [one.error.outcome for one in results if isinstance(one.error, BatchRequestError)]
        assert outcomes == ["canceled"] * 5

    def test_what_is_not_done_in_a_day_expires(self, world: World) -> None:
        stand_in = StandIn(batch_seconds=2 * DAY)
        begun = stand_in.clock.now
        handle = submit(world, stand_in, map(asked, range(4)))
        stand_in.clock.now += 23 * 3600  # so that it is asked for an hour, and not for a day
        results = fetch(world, stand_in, handle)
        assert DAY <= stand_in.clock.now - begun < 1.1 * DAY
        outcomes = [one.error.outcome for one in results if isinstance(one.error, BatchRequestError)]
        assert outcomes == ["expired"] * 2

    def test_results_are_gone_after_29_days(self, world: World) -> None:
        stand_in = StandIn()
        handle = submit(world, stand_in, [asked(1)])
        stand_in.clock.now += 28.9 * DAY
        assert len(fetch(world, stand_in, handle)) == 1
        stand_in.clock.now += DAY
        with pytest.raises(ResultsGoneError, match="29 days") as caught:
            fetch(world, stand_in, handle)
        assert pickle.loads(pickle.dumps(caught.value)).status.id == handle.parts[0].batch_id

    def test_the_prompt_goes_through_the_bridge(self, world: World) -> None:
        stand_in = StandIn()
        request = {"prompt": "Be brief.\n\nHuman: Hi\n\nAssistant: I", "temperature": 0.5}
        (result,) = fetch(world, stand_in, submit(world, stand_in, [request], betas=["b-1"]))
        (post,) = (one for one in stand_in.received if one.method == "POST")
        (sent,) = post.json()["requests"]
        assert sent["params"] == {
            "model": "claude-haiku-4-5",
            "max_tokens": 256,
            "system": "Be brief.",
            "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "I"}],
            "stop_sequences": ["\n\nHuman:"],
            "temperature": 0.5,
        }
        assert post.betas == ["b-1"]
        assert result.completion is not None

    def test_the_handle_holds_no_key(self, world: World) -> None:
        handle = submit(world, StandIn(), [asked(1)], settings={"api_key": "sk-ant-secret"})
        assert b"secret" not in pickle.dumps(handle)


class TestSubmission:
    """Nothing is submitted twice, and what cannot be is told before."""

    def test_other_betas_are_a_batch_of_their_own(self, world: World) -> None:
        stand_in = StandIn()
        requests = [asked(1), {**asked(2), "betas": ["b-1"]}, {**asked(3), "betas": ["b-1"]}, asked(4)]
        handle = submit(world, stand_in, requests)
        assert [len(part.asked) for part in handle.parts] == [1, 2, 1]
        assert sorted(result.id for result in fetch(world, stand_in, handle)) == [1, 2, 3, 4]

    def test_too_many_requests_are_split(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "anthropic_completions.batch._service.handle.Packing.__init__.__defaults__", (3, 1_000_000, None)
        )
        stand_in = StandIn()
        handle = submit(world, stand_in, map(asked, range(7)))
        assert [len(part.asked) for part in handle.parts] == [3, 3, 1]
        assert sorted(result.id for result in fetch(world, stand_in, handle)) == [*range(7)]

    @pytest.mark.parametrize("lost", [drop(), error(500), error(529)], ids=repr)
    def test_a_lost_reply_does_not_submit_twice(self, world: World, lost: Scripted) -> None:
        replies = [lost]

        def respond(received: Received) -> Scripted | None:
            posted = received.method == "POST" and received.path.endswith("/batches")
            return replies.pop() if posted and replies else None

        stand_in = StandIn(respond=respond)
        handle = submit(world, stand_in, map(asked, range(3)))
        # An error said that nothing was taken, and a break did not.
        assert created(stand_in) == (1 if "drop" in repr(lost) else 2)
        assert len(fetch(world, stand_in, handle)) == 3
        assert len(stand_in._batches._batches) == 1

    def test_a_batch_of_somebody_else_is_not_taken_for_it(self, world: World) -> None:
        """One with as many requests that came in between is found out by its results."""
        stand_in = StandIn()
        replies = [drop()]
        others: list[BatchHandle] = []

        def respond(received: Received) -> Scripted | None:
            posted = received.method == "POST" and received.path.endswith("/batches")
            return replies.pop() if posted and replies else None

        others.append(submit(world, stand_in, [asked("other")]))
        stand_in._respond = respond
        mine = submit(world, stand_in, [asked("mine")])
        assert others[0].parts[0].batch_id != mine.parts[0].batch_id
        assert [result.id for result in fetch(world, stand_in, mine)] == ["mine"]
        (part,) = others[0].parts
        strange = BatchHandle((type(part)(mine.parts[0].batch_id, part.nonce, part.asked),))
        with pytest.raises(OtherBatchError):
            fetch(world, stand_in, strange)

    def test_a_rate_limit_is_waited_for(self, world: World) -> None:
        replies = [rate_limited(7)]

        def respond(received: Received) -> Scripted | None:
            return replies.pop() if received.method == "POST" and replies else None

        stand_in = StandIn(respond=respond)
        assert len(submit(world, stand_in, [asked(1)])) == 1
        assert 7.0 in stand_in.clock.waits

    def test_a_refusal_is_raised(self, world: World) -> None:
        def respond(received: Received) -> Scripted | None:
            return error(403) if received.method == "POST" else None

        with pytest.raises(APIStatusError):
            submit(world, StandIn(respond=respond), [asked(1)])

    def test_what_was_submitted_before_an_error_is_in_the_error(self, world: World) -> None:
        requests = [asked(1), {**asked(2), "betas": ["b"]}, {"id": 3}]
        stand_in = StandIn()
        with pytest.raises(SubmissionError) as caught:
            submit(world, stand_in, requests)
        handle = pickle.loads(pickle.dumps(caught.value)).handle
        assert isinstance(caught.value.__cause__, TypeError)
        assert [result.id for result in fetch(world, stand_in, handle)] == [1]

    @pytest.mark.parametrize(
        ("request_", "problem"),
        [
            ({"prompt": ""}, ValueError),
            ({**asked(1), "timeout": 3}, TypeError),
            ({**asked(1), "stream": True}, TypeError),
            ("text", TypeError),
        ],
    )
    def test_a_wrong_argument_submits_nothing(self, world: World, request_: Any, problem: Any) -> None:
        stand_in = StandIn()
        with pytest.raises(problem):
            submit(world, stand_in, [request_])
        assert not stand_in.received

    def test_losses_are_told_as_in_calls(self, world: World) -> None:
        with pytest.raises(LossError):
            submit(
                world,
                StandIn(),
                [asked(1)],
                model="claude-opus-4-8",
                temperature=0.5,
                settings={"on_loss": "error"},
            )

    def test_no_requests_are_no_batch(self, world: World) -> None:
        stand_in = StandIn()
        handle = submit(world, stand_in, [])
        assert len(handle) == len(fetch(world, stand_in, handle)) == 0
        assert not stand_in.received


class TestDownload:
    """Results are read as they come, each once, also where the reply breaks off."""

    def cut(self, stand_in: StandIn, ends: Any) -> list[int]:
        """Cut the first download off in the middle."""
        calls: list[int] = []
        inner = stand_in.handle

        def handle(received: Received, **options: Any) -> Any:
            reply = inner(received, **options)
            if received.path.endswith("/results"):
                calls.append(len(calls))
                if len(calls) == 1:
                    body = b"".join(reply.body)
                    return type(reply)(200, reply.headers, (body[: len(body) // 2], *ends))
            return reply

        stand_in.handle = handle  # type: ignore[method-assign]
        return calls

    def test_a_download_that_breaks_off_begins_again(self, world: World) -> None:
        from anthropic_completions.testing._stand_in.replies import Drop

        stand_in = StandIn()
        handle = submit(world, stand_in, map(asked, range(20)))
        calls = self.cut(stand_in, (Drop(),))
        results = fetch(world, stand_in, handle)
        assert sorted(result.id for result in results) == [*range(20)]
        assert all(result.completion for result in results)
        assert len(calls) == 2

    def test_a_request_that_the_results_lack_has_an_error(self, world: World) -> None:
        stand_in = StandIn()
        handle = submit(world, stand_in, map(asked, range(20)))
        self.cut(stand_in, ())
        results = fetch(world, stand_in, handle)
        assert sorted(result.id for result in results) == [*range(20)]
        lacking = [one.error for one in results if one.error]
        assert {one.outcome for one in lacking if isinstance(one, BatchRequestError)} == {"missing"}
        assert 5 < len(lacking) < 15

    def test_lines_end_at_newlines_only(self, world: World) -> None:
        stand_in = StandIn()
        stand_in.queue(completion("a\u2028b\x85c"))
        (result,) = fetch(world, stand_in, submit(world, stand_in, [asked(1)]))
        assert result.completion is not None
        assert result.completion.completion == " a\u2028b\x85c"


class TestStandIn:
    """The stand-in's batches."""

    def post(self, stand_in: StandIn, path: str, body: Any, method: str = "POST") -> Any:
        headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
        reply = stand_in.handle(Received(method, path, headers, json.dumps(body).encode()))
        return reply.status, json.loads(b"".join(one for one in reply.body if isinstance(one, bytes)))

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"requests": []},
            {"requests": [{"custom_id": "a b", "params": {}}]},
            {"requests": [{"custom_id": "a"}]},
            {"requests": [{"custom_id": "a", "params": {}}] * 2},
        ],
    )
    def test_it_refuses_what_the_service_would(self, body: Any) -> None:
        status, told = self.post(StandIn(), "/v1/messages/batches", body)
        assert status == 400
        assert told["error"]["type"] == "invalid_request_error"

    def test_a_batch_is_listed_with_the_newest_first(self) -> None:
        stand_in = StandIn(clock=FakeClock(1_700_000_000.0))
        request = {"requests": [{"custom_id": "a", "params": {}}]}
        ids = [self.post(stand_in, "/v1/messages/batches", request)[1]["id"] for _ in range(3)]
        _, told = self.post(stand_in, "/v1/messages/batches", None, "GET")
        assert [one["id"] for one in told["data"]] == ids[::-1]
        assert told["data"][0]["created_at"].startswith("2023-11-14T22:13:20")

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v1/messages/batches/nothing", 404),
            ("PUT", "/v1/messages/batches", 404),
            ("GET", "/v1/messages/batches/nothing/results", 404),
        ],
    )
    def test_what_there_is_not_is_not_found(self, method: str, path: str, status: int) -> None:
        assert self.post(StandIn(), path, None, method)[0] == status

    def test_a_key_is_wanted(self) -> None:
        reply = StandIn().handle(Received("GET", "/v1/messages/batches", {}, b""))
        assert reply.status == 401
