"""The benchmark: this package beside `anthropic==0.125.0` and raw httpx, as ratios in one run.

    run.py [--rounds N] [--quick] [--json FILE] [--plot FILE]

Only the ratios of one run count: machines are noisy, and clients take turns so that noise meets all alike.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS, OLD, RAW = "anthropic_completions", "anthropic", "httpx"
QUICK = ["import", "first reply", "memory", "plain call", "async call", "event alone", "event in large reads"]

# metric: (limit against the old package, limit against raw httpx); None where there is no target.
TARGETS: dict[str, tuple[float | None, float | None]] = {
    "import": (0.15, None),
    "first reply": (0.25, None),
    "memory": (0.60, None),
    "plain call": (0.55, 1.05),
    "async call": (0.75, 1.05),
    "event alone": (0.30, 1.4),
    "event in large reads": (0.20, 2.0),
}
GROWTH = ["event of 10^2", "event of 10^3", "event of 10^4", "event of 10^5"]
FLAT = 1.2


def python_of(name: str) -> str:
    return str(ROOT / ".venvs" / ("bench-old" if name == OLD else "bench") / "bin" / "python")


def measure(client: str, metric: str, url: str) -> float:
    command = [python_of(client), "-I", str(HERE / "workloads.py"), client, metric, url]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{client}, {metric}:\n{done.stderr}")
    return float(json.loads(done.stdout))


def shown(metric: str, value: float) -> str:
    if "memory" in metric:
        return f"{value / 2**20:.1f} MiB" if value > 2**20 else f"{value / 1024:.1f} KiB"
    return f"{value * 1e3:.0f} ms" if value > 5e-3 else f"{value * 1e6:.1f} us"


def verdict(metric: str, old: float, raw: float) -> str:
    limits = TARGETS.get(metric, (None, None))
    held = [ratio <= limit for ratio, limit in zip((old, raw), limits, strict=True) if limit is not None]
    return "" if not held else "held" if all(held) else "MISSED"


def report(results: dict[str, dict[str, float]]) -> list[str]:
    lines = [
        f"{'metric':36} {'ours':>10} {'0.125.0':>10} {'httpx':>10} {'/0.125.0':>9} {'/httpx':>7}  target"
    ]
    for metric, row in results.items():
        old, raw = (row[OURS] / row[name] for name in (OLD, RAW))
        limits = " and ".join(
            f"<= {limit} of {name}"
            for limit, name in zip(TARGETS.get(metric, ()), ("0.125.0", "httpx"), strict=False)
            if limit is not None
        )
        cells = " ".join(f"{shown(metric, row[name]):>10}" for name in (OURS, OLD, RAW))
        lines.append(
            f"{metric:36} {cells} {old:9.2f} {raw:7.2f}  {limits} {verdict(metric, old, raw)}".rstrip()
        )
    grown = [results[metric][OURS] for metric in GROWTH if metric in results]
    if len(grown) > 1:
        # From 10^3 on: with 10^2 events the call itself is most of the time.
        spread = max(grown[1:]) / min(grown[1:])
        outcome = "held" if spread <= FLAT else "MISSED"
        lines.append(f"Time per event, from 10^3 to 10^5 events: {spread:.2f} (<= {FLAT}) {outcome}")
    return lines


def plot(results: dict[str, dict[str, float]], file: str) -> None:
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
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="three rounds of the main metrics")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"), help="where the numbers go")
    parser.add_argument("--plot", help="where a picture goes (needs matplotlib)")
    options = parser.parse_args()

    sys.path.insert(0, str(HERE))
    from workloads import METRICS

    metrics = QUICK if options.quick else list(METRICS)
    rounds = 3 if options.quick else options.rounds
    numbers: dict[str, dict[str, list[float]]] = {metric: {OURS: [], OLD: [], RAW: []} for metric in metrics}
    server = subprocess.Popen(
        [python_of(OURS), str(HERE / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert server.stdout
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        for number in range(rounds):
            for metric in metrics:
                for client in (OURS, OLD, RAW):
                    numbers[metric][client].append(measure(client, metric, url))
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    finally:
        server.terminate()

    results = {
        m: {name: statistics.median(values) for name, values in row.items()} for m, row in numbers.items()
    }
    print("\n".join(report(results)))
    Path(options.json).parent.mkdir(parents=True, exist_ok=True)
    Path(options.json).write_text(json.dumps({"medians": results, "rounds": numbers}, indent=1) + "\n")
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    main()
