"""The benchmark: this package beside `anthropic==0.125.0` and raw httpx, as ratios in one run.

    run.py [--rounds N] [--quick] [--json FILE] [--plot FILE]

Only the ratios of one run count: machines are noisy, and clients take turns so that noise meets all alike.
Times are CPU time; each figure is the median over the rounds.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS, FAST, OLD, RAW = "ours", "with the extra", "0.125.0", "httpx"
# client: (environment, package)
CLIENTS = {
    OURS: ("bench-ours", "anthropic_completions"),
    FAST: ("bench-fast", "anthropic_completions"),
    OLD: ("bench-old", "anthropic"),
    RAW: ("bench-ours", "httpx"),
}
QUICK = ["import", "first reply", "memory", "plain call", "async call", "event alone", "event in large reads"]
GROWTH = ["event of 10^2", "event of 10^3", "event of 10^4", "event of 10^5"]


class Target(NamedTuple):
    """At most this share of what another client takes."""

    metric: str
    other: str
    limit: float


TARGETS = [
    Target("import", OLD, 0.15),
    Target("first reply", OLD, 0.25),
    Target("memory", OLD, 0.60),
    Target("plain call", OLD, 0.55),
    Target("plain call", RAW, 1.05),
    Target("async call", OLD, 0.75),
    Target("async call", RAW, 1.05),
    Target("event alone", OLD, 0.30),
    Target("event alone", RAW, 1.4),
    Target("event in large reads", OLD, 0.20),
    Target("event in large reads", RAW, 2.0),
]
FLAT = 1.2
# How often a metric is measured in a round: where the target is near to raw httpx, noise must not decide.
TURNS = {"plain call": 3, "async call": 3}

Results = dict[str, dict[str, float]]


def python_of(client: str) -> str:
    return str(ROOT / ".venvs" / CLIENTS[client][0] / "bin" / "python")


def measure(client: str, metric: str, url: str) -> float:
    command = [python_of(client), "-I", str(HERE / "workloads.py"), CLIENTS[client][1], metric, url]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{client}, {metric}:\n{done.stderr}")
    return float(json.loads(done.stdout))


def shown(metric: str, value: float) -> str:
    if "memory" in metric:
        return f"{value / 2**20:.1f} MiB" if value > 2**20 else f"{value / 1024:.1f} KiB"
    return f"{value * 1e3:.0f} ms" if value > 5e-3 else f"{value * 1e6:.1f} us"


def table(results: Results) -> list[str]:
    clients = next(iter(results.values()))
    lines = [
        f"{'metric':36}" + "".join(f" {name:>14}" for name in clients) + f" {'/0.125.0':>9} {'/httpx':>7}"
    ]
    for metric, row in results.items():
        cells = "".join(f" {shown(metric, row[name]):>14}" for name in clients)
        lines.append(f"{metric:36}{cells} {row[OURS] / row[OLD]:9.2f} {row[OURS] / row[RAW]:7.2f}")
    return lines


def verdicts(results: Results) -> dict[str, bool]:
    """Return each target that was measured, in words, and whether it was held."""
    found = {}
    for metric, other, limit in TARGETS:
        ratio = results[metric][OURS] / results[metric][other]
        found[f"{metric}: {ratio:.2f} of {other}, at most {limit}"] = ratio <= limit
    grown = [results[metric][OURS] for metric in GROWTH if metric in results]
    if grown:
        spread = max(grown) / min(grown)
        words = (
            f"time per event, without the call, from 10^2 to 10^5 events: spread {spread:.2f}, at most {FLAT}"
        )
        found[words] = spread <= FLAT
    return found


def plot(results: Results, file: str) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 0.4 * len(results) + 1))
    for offset, (name, label) in enumerate(((OLD, "of anthropic 0.125.0"), (RAW, "of raw httpx"))):
        places = [index + 0.38 * offset for index in range(len(results))]
        axes.barh(places, [row[OURS] / row[name] for row in results.values()], height=0.36, label=label)
    axes.set_yticks(range(len(results)), list(results))
    axes.axvline(1, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.set_xlabel("this package, as a share")
    axes.legend()
    figure.tight_layout()
    figure.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="the main metrics, without the extra")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"), help="where the numbers go")
    parser.add_argument("--plot", help="where a picture of the ratios goes")
    options = parser.parse_args()

    sys.path.insert(0, str(HERE))
    from workloads import METRICS

    metrics = QUICK if options.quick else list(METRICS)
    clients = [client for client in CLIENTS if client != FAST or not options.quick]
    numbers: dict[str, dict[str, list[float]]] = {
        metric: {client: [] for client in clients} for metric in metrics
    }
    server = subprocess.Popen(
        [python_of(OURS), str(HERE / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert server.stdout
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        for number in range(options.rounds):
            for metric in metrics:
                for _ in range(1 if options.quick else TURNS.get(metric, 1)):
                    for client in clients:
                        numbers[metric][client].append(measure(client, metric, url))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
    finally:
        server.terminate()

    results = {
        m: {name: statistics.median(values) for name, values in row.items()} for m, row in numbers.items()
    }
    targets = verdicts(results)
    print("\n".join(table(results)), end="\n\n")
    print("\n".join(f"{'held  ' if held else 'MISSED'}  {words}" for words, held in targets.items()))
    print(f"\n{sum(targets.values())} of {len(targets)} targets held.")
    file = Path(options.json)
    file.parent.mkdir(parents=True, exist_ok=True)
    record = {"medians": results, "targets": targets, "rounds": numbers}
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    main()
