"""The benchmark compares like with like, and docs/performance.md says of it what is so."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "tests" / "benchmarks"
PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")

sys.path.insert(0, str(BENCHMARKS))
import page  # noqa: E402
import run  # noqa: E402
import server  # noqa: E402
import workloads  # noqa: E402

sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The benchmark's server."""
    serving = subprocess.Popen(
        [sys.executable, str(BENCHMARKS / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with serving:
        assert serving.stdin
        assert serving.stdout
        yield f"http://127.0.0.1:{serving.stdout.readline().strip()}"
        serving.stdin.close()


@pytest.mark.parametrize("path", ["plain", "alone-1", "alone-5", "large-1", "large-700"])
def test_the_clients_do_the_same_work(url: str, path: str) -> None:
    """Ours and raw httpx read the same text of a reply, and of all events of a stream."""

    async def awaited(user: Any) -> Any:
        client, target = user.async_client(f"{url}/{path}"), f"{url}/{path}"
        read = user.async_call if path == "plain" else user.async_stream
        result = await read(client, target)
        await (client.close() if hasattr(client, "close") else client.aclose())
        return result

    def read(user: Any) -> Any:
        with user.client(f"{url}/{path}") as client:
            return (user.call if path == "plain" else user.stream)(client, f"{url}/{path}")

    ours, raw = workloads.load("anthropic_completions"), workloads.load("httpx")
    results = [read(ours), read(raw), asyncio.run(awaited(ours)), asyncio.run(awaited(raw))]
    count = int(path.partition("-")[2] or 1)
    texts = islice(cycle(server.TEXTS), count - 1)
    expected = " Hello! My name is Claude." if path == "plain" else len("".join(texts))
    assert results == [expected] * 4


@pytest.mark.parametrize("metric", ["import", "memory", "plain call"])
def test_a_sample_is_numbers_above_zero(url: str, metric: str) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "workloads.py"), "anthropic_completions", url, metric],
        input="\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    ready, sample = done.stdout.splitlines()
    assert ready == "ready"
    assert min(json.loads(sample)[metric].values()) > 0


def turns(**taken: Sequence[float]) -> dict[str, list[dict[str, float]]]:
    return {client: [{"cpu": each, "wall": 2 * each} for each in values] for client, values in taken.items()}


def test_a_figure_is_the_mean_of_all_turns() -> None:
    samples = {"plain call": turns(httpx=[1.0, 3.0, 2.0], ours=[2.0, 6.0, 1.0])}
    assert run.figures(samples, "cpu") == {"plain call": {"httpx": 2.0, "ours": 3.0}}
    assert run.figures(samples, "wall") == {"plain call": {"httpx": 4.0, "ours": 6.0}}
    memory = {"memory": {"ours": [{"bytes": 1.0}, {"bytes": 2.0}]}}
    assert run.figures(memory, "cpu") == {"memory": {"ours": 1.5}}


def measured(**ours: float) -> run.Results:
    """Return results where each client of ours takes 0.1 of each other, or as is said of the default."""
    others = dict.fromkeys((run.OLD, run.RAW, run.RAW_AIO, run.RAW_RUST), 10.0)
    mine = dict.fromkeys((run.FAST, run.AIO, run.RUST), 0.1)
    metrics = {target.metric for target in run.TARGETS} | set(run.GROWTH)
    return {metric: {**others, **mine, run.OURS: ours.get(metric, 0.1)} for metric in sorted(metrics)}


def missed(results: run.Results) -> list[str]:
    return [str(verdict) for verdict in run.judged(results) if not verdict.held]


def test_each_target_is_said_to_be_held_or_missed() -> None:
    assert len(run.judged(measured())) == len(run.TARGETS) + 4
    assert missed(measured()) == []
    slow = measured(**{"event alone": 12.5})
    assert missed(slow) == ["event alone, ours: 1.25 of httpx, at most 1.2"]
    grown = measured(**{"event of 10^5": 0.13})
    assert missed(grown) == ["time per event, 10^2 to 10^5, ours: 1.30 of the smallest, at most 1.2"]


def test_the_better_transport_is_the_faster_of_the_two() -> None:
    results = measured()
    results["async call"] |= {run.AIO: 9.0, run.RUST: 5.0}
    told = [str(verdict) for verdict in run.judged(results)]
    assert "async call, the better transport: 0.50 of httpx, at most 0.55" in told


def test_the_pages_tables_are_made_of_runs() -> None:
    runs = [measured(), measured(**{"plain call": 20.0}), measured(**{"plain call": 12.0})]
    shares, targets = page.ratios(runs), page.verdicts(runs)
    assert "| plain call | 1.20 | 0.01 | 0.01 | 0.01 | 1.00 | 1.00 | 1.00 | 10000 ms |" in shares
    assert "| plain call | ours | httpx | 0.95 | 0.01, held | 2.00, missed | 1.20, missed |" in targets


def test_the_page_has_every_metric_and_every_target() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if "|" in line]
    assert set(workloads.METRICS) <= {row[0] for row in rows}
    assert ["metric", *(name for name in run.CLIENTS if name != run.RAW), run.RAW] in rows
    for metric, client, other, limit in run.TARGETS:
        assert [metric, client, other, f"{limit:.2f}"] in [row[:4] for row in rows]


def test_the_benchmark_tells_its_options() -> None:
    shown = subprocess.run(
        [sys.executable, str(BENCHMARKS / "run.py"), "--help"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    for option in ("--budget", "--json", "--plot", "--quick"):
        assert option in shown


def test_the_extra_is_told_by_its_name() -> None:
    assert 'pip install ".[fast]"' in PAGE
    assert "\nfast = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
