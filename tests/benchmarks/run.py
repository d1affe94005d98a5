"""The benchmark: this package beside `anthropic==0.125.0`, raw httpx, aiohttp and pyreqwest, in one run.

    run.py [--rounds N] [--budget SECONDS] [--quick] [--json FILE] [--plot FILE]

Only the ratios of one run count: machines are noisy, and clients take turns so that noise meets all alike.
Times are CPU time, those of the clock beside them; each figure is the median over the rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS, FAST, OLD, RAW = "ours", "fast", "0.125.0", "httpx"
AIO, RUST, RAW_AIO, RAW_RUST = "aiohttp", "rust", "raw aiohttp", "raw pyreqwest"
BETTER = "the better transport"
# client: (environment, package)
CLIENTS = {
    OURS: ("bench-ours", "anthropic_completions"),
    FAST: ("bench-fast", "anthropic_completions"),
    AIO: ("bench-transports", "anthropic_completions:aiohttp"),
    RUST: ("bench-transports", "anthropic_completions:rust"),
    OLD: ("bench-old", "anthropic"),
    RAW: ("bench-ours", "httpx"),
    RAW_AIO: ("bench-transports", "aiohttp"),
    RAW_RUST: ("bench-transports", "pyreqwest"),
}
QUICK = ["import", "first reply", "memory", "plain call", "async call", "event alone", "event in large reads"]
QUICK += ["500 concurrent calls, each", "event of 10^2", "event of 10^4"]
GROWTH = ["event of 10^2", "event of 10^3", "event of 10^4", "event of 10^5"]
_START = ["import", "first reply", "memory"]
_AWAITED = ["async call", "async event alone", "async event in large reads"]
_MANY = ["500 concurrent calls, each", "200 concurrent streams, each"]


class Target(NamedTuple):
    """At most this share of what another client takes."""

    metric: str
    client: str
    other: str
    limit: float


TARGETS = [
    Target("plain call", OURS, RAW, 0.95),
    Target("plain call", RUST, RAW, 0.60),
    Target("async call", OURS, OLD, 0.70),
    Target("async call", BETTER, RAW, 0.55),
    Target("500 concurrent calls, each", OURS, OLD, 0.80),
    Target("500 concurrent calls, each", BETTER, RAW, 0.35),
    Target("event in large reads", OURS, RAW, 1.35),
    Target("event in large reads", FAST, RAW, 1.00),
    Target("event alone", OURS, RAW, 1.20),
    Target("event alone", FAST, RAW, 1.05),
    Target("first reply", OURS, RAW, 1.25),
    Target("import", OURS, OLD, 0.02),
    Target("memory", OURS, OLD, 0.50),
]
FLAT = 1.2
# How often a metric is measured in a round: where the target is near to raw httpx, noise must not decide.
TURNS = {"plain call": 2, "async call": 2}

# metric: client: value
Results = dict[str, dict[str, float]]


def measures(client: str, metric: str) -> bool:
    """Tell whether a metric is of interest for a client, and one that it has."""
    if client in (OURS, FAST, OLD, RAW):
        return True
    if metric in _START or "memory" in metric:
        return False
    if client in (AIO, RAW_AIO):
        return metric in (*_AWAITED, *_MANY) or (client == AIO and metric in GROWTH)
    return client == RUST or metric not in GROWTH


def python_of(client: str) -> str:
    return str(ROOT / ".venvs" / CLIENTS[client][0] / "bin" / "python")


def measure(client: str, metric: str, url: str) -> dict[str, float]:
    """Return what is measured: `cpu` and `wall` in seconds, or `bytes`."""
    command = [python_of(client), "-I", str(HERE / "workloads.py"), CLIENTS[client][1], metric, url]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{client}, {metric}:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def shown(metric: str, value: float | None) -> str:
    if value is None:
        return ""
    if "memory" in metric:
        return f"{value / 2**20:.1f} MiB" if value > 2**20 else f"{value / 1024:.1f} KiB"
    return f"{value * 1e3:.0f} ms" if value > 5e-3 else f"{value * 1e6:.1f} us"


def table(results: Results) -> list[str]:
    clients = [name for name in CLIENTS if any(name in row for row in results.values())]
    lines = [
        f"{'metric':36}" + "".join(f" {name:>13}" for name in clients) + f" {'/0.125.0':>9} {'/httpx':>7}"
    ]
    for metric, row in results.items():
        cells = "".join(f" {shown(metric, row.get(name)):>13}" for name in clients)
        lines.append(f"{metric:36}{cells} {row[OURS] / row[OLD]:9.2f} {row[OURS] / row[RAW]:7.2f}")
    return lines


class Verdict(NamedTuple):
    """What a run says of a target."""

    target: Target
    ratio: float

    @property
    def held(self) -> bool:
        return self.ratio <= self.target.limit

    def __str__(self) -> str:
        metric, client, other, limit = self.target
        return f"{metric}, {client}: {self.ratio:.2f} of {other}, at most {limit}"


def judged(results: Results) -> list[Verdict]:
    """Return the ratio of each target that was measured."""
    found = []
    for target in TARGETS:
        row = results[target.metric]
        value = min(row[AIO], row[RUST]) if target.client == BETTER else row[target.client]
        found.append(Verdict(target, value / row[target.other]))
    for client in (OURS, FAST, AIO, RUST):
        grown = [results[metric][client] for metric in GROWTH if client in results.get(metric, {})]
        if grown:
            target = Target("time per event, 10^2 to 10^5", client, "the smallest", FLAT)
            found.append(Verdict(target, max(grown) / min(grown)))
    return found


_FREE = """
import sys
from anthropic_completions import Anthropic
client = Anthropic(api_key="key", base_url=sys.argv[1] + "/plain")
client.completions.create(model="claude-2.1", max_tokens_to_sample=1, prompt="p")
found = sorted(name for name in sys.modules if "opentelemetry" in name or name.endswith(".otel"))
sys.exit(f"imported: {found}" if found else 0)
"""


def is_free(url: str) -> bool:
    """Tell whether traces cost nothing where their extra is not installed: nothing of them is imported."""
    done = subprocess.run([python_of(OURS), "-I", "-W", "ignore", "-c", _FREE, url], check=False)
    return done.returncode == 0


def plot(results: Results, file: str) -> None:
    from matplotlib import pyplot

    shown_clients = [name for name in CLIENTS if name != RAW]
    figure, axes = pyplot.subplots(figsize=(10, 0.75 * len(results) + 1))
    height = 0.8 / len(shown_clients)
    for offset, name in enumerate(shown_clients):
        rows = [(index, row[name] / row[RAW]) for index, row in enumerate(results.values()) if name in row]
        places = [index + height * (offset - len(shown_clients) / 2) for index, _ in rows]
        axes.barh(places, [ratio for _, ratio in rows], height=height, label=name)
    axes.set_yticks(range(len(results)), list(results))
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("share of what raw httpx takes; less is better")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--budget", type=float, default=600, help="seconds; no round is begun that would not fit"
    )
    parser.add_argument("--quick", action="store_true", help="one round of the main metrics")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"), help="where the numbers go")
    parser.add_argument("--plot", help="where a picture of the ratios goes")
    options = parser.parse_args()

    sys.path.insert(0, str(HERE))
    from workloads import METRICS

    metrics = QUICK if options.quick else list(METRICS)
    samples: dict[str, dict[str, list[dict[str, float]]]] = {metric: {} for metric in metrics}
    server = subprocess.Popen(
        [python_of(OURS), str(HERE / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert server.stdout
    started, longest = time.monotonic(), 0.0
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        free = is_free(url)
        rounds = 1 if options.quick else options.rounds
        for number in range(rounds):
            began = time.monotonic()
            if number and began - started + longest > options.budget:
                print(f"stopped after {number} rounds, by the budget", file=sys.stderr)
                break
            for metric in metrics:
                for _ in range(1 if options.quick else TURNS.get(metric, 1)):
                    for client in CLIENTS:
                        if measures(client, metric):
                            samples[metric].setdefault(client, []).append(measure(client, metric, url))
            longest = max(longest, time.monotonic() - began)
            print(f"round {number + 1} of {rounds}: {longest:.0f} s", file=sys.stderr)
    finally:
        server.terminate()

    def medians(kind: str) -> Results:
        return {
            metric: {
                name: statistics.median(each.get(kind, each.get("bytes", 0.0)) for each in values)
                for name, values in row.items()
            }
            for metric, row in samples.items()
        }

    results, wall = medians("cpu"), medians("wall")
    targets = {str(verdict): verdict.held for verdict in judged(results)}
    targets["traces, where their extra is not installed: nothing is imported"] = free
    print("CPU time, and memory\n\n" + "\n".join(table(results)), end="\n\n")
    timed = {metric: row for metric, row in wall.items() if "memory" not in metric}
    print("Time of the clock\n\n" + "\n".join(table(timed)), end="\n\n")
    print("\n".join(f"{'held  ' if held else 'MISSED'}  {words}" for words, held in targets.items()))
    print(f"\n{sum(targets.values())} of {len(targets)} targets held, in {time.monotonic() - started:.0f} s.")
    file = Path(options.json)
    file.parent.mkdir(parents=True, exist_ok=True)
    record = {"medians": results, "wall": wall, "targets": targets, "rounds": samples}
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    main()
