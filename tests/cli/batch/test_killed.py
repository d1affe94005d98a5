"""Every id exactly once, whatever fails and whenever it is killed."""

import asyncio
import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from anthropic_completions.cli._batch.requests import check
from anthropic_completions.cli._batch.results import ResultsFile
from anthropic_completions.cli._batch.running import run
from anthropic_completions.cli._batch.tally import Tally
from anthropic_completions.testing import (
    Received,
    Scripted,
    StandIn,
    drop,
    drop_after,
    error,
    overloaded,
    rate_limited,
    raw,
    stall,
    truncate,
)
from cli.batch.files import COMMON, ask_many, lines_of, reading, results
from cli.batch.killing import kill, points
from cli.shell import MODULE, Cli, environment

# Half of a surrogate pair, which UTF-8 does not have, and a number that JSON has and doubles have not.
POISON = (
    b'{"type":"completion","id":"c","completion":"\\ud83d","model":"m","stop_reason":"max_tokens","x":1e999}'
)


def test_requests_with_failures_of_each_kind_are_each_done_once(source: Path, target: Path) -> None:
    """5 % of the attempts fail in each of eight ways, in no order."""
    kinds = [
        overloaded(),
        rate_limited(0.2),
        error(500),
        error(503, message="<html>"),
        drop(),
        drop_after(1),
        stall(10_000),
        error(402),  # which is not tried again
    ]
    chance = random.Random(6)

    def respond(_: Received) -> Scripted | None:
        number = chance.randrange(20)
        return kinds[number] if number < len(kinds) else None

    ask_many(source, 500)
    stand_in = StandIn(respond=respond, keep=0)
    ids = check(reading(source)).fingerprints
    tally = Tally(len(ids), before=0)

    async def main() -> None:
        with ResultsFile(target) as file:
            async with stand_in.async_client(max_retries=20) as client:
                await run(client, reading(source).requests(), file, COMMON, 32, tally)

    asyncio.run(main())
    done = results(target)
    assert Counter(result["id"] for result in done) == Counter([*ids])
    failed = [result["error"]["class"] for result in done if "error" in result]
    assert set(failed) == {"BillingError"}
    assert (tally.completed, tally.failed) == (500 - len(failed), len(failed))
    assert 20 < len(failed) < 60
    for result in done:
        if "completion" in result:
            number = result["id"].removeprefix("q-")
            assert result["completion"]["completion"] == f" You said: number {number}"


def test_a_reply_cut_short_is_a_failure_of_that_one(
    cli: Cli, stand_in: StandIn, source: Path, target: Path
) -> None:
    ask_many(source, 2)
    stand_in.queue(truncate())
    cli("batch", "-c", "1", str(source), str(target))
    assert ["error" in result for result in results(target)] == [True, False]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("poisoned", "beside"), [(False, False), (True, False), (False, True)])
def test_killed_five_times_at_random_points_it_ends_with_the_same_results(
    source: Path, target: Path, poisoned: bool, beside: bool
) -> None:
    """Also with replies that JSON or UTF-8 can hardly hold, and with a second run that is started at once."""

    def respond(received: Received) -> Scripted | None:
        prompt = received.json()["prompt"]
        if "7\n\nAssistant:" in prompt:
            return error(400, message="Never.")
        return raw(POISON, headers={}) if poisoned and "3\n\nAssistant:" in prompt else None

    count = 300
    ask_many(source, count)
    moments = points(random.Random(), count - 50)
    arguments = ["batch", "--concurrency", "4", str(source), str(target)]
    with StandIn(respond=respond, keep=0, delay=0.005).serve() as url:
        env = environment(ANTHROPIC_BASE_URL=url, ANTHROPIC_API_KEY="k")
        runs = [
            kill(arguments, env, lambda moment=moment: lines_of(target) >= moment, beside=beside)
            for moment in moments
        ]
        last = subprocess.run(
            [*MODULE, *arguments], env=env, capture_output=True, encoding="utf-8", check=False
        )
    assert all(run.killed for run in runs), moments
    assert any(run.refused for run in runs) == beside
    assert last.returncode == 1, last.stderr  # as some failed
    outcome = {
        result["id"]: result["completion"]["completion"]
        if "completion" in result
        else result["error"]["type"]
        for result in results(target)
    }
    assert len(results(target)) == count

    def expected(number: int) -> str:
        if number % 10 == 7:
            return "invalid_request_error"
        return "\ud83d" if poisoned and number % 10 == 3 else f" You said: number {number}"

    assert outcome == {f"q-{number}": expected(number) for number in range(count)}
