"""The benchmark: this package beside `anthropic==0.125.0`, raw httpx, aiohttp and pyreqwest, in one run.

    run.py [--budget SECONDS] [--quick] [--json FILE] [--plot FILE]

Only the ratios of one run count: machines are noisy, and change their speed within a second. All clients of a
metric are got ready, and take many short turns; what counts is what a client took in all turns. Times are CPU
time, those of the clock beside them.
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
GROWTH = [f"event of 10^{power}" for power in range(2, 6)]
# By what is measured at once, the turns that are taken of it. Where there is a target, noise must not decide.
TURNS = {
    ("import",): 7,
    ("first reply",): 11,
    ("memory",): 3,
    ("plain call",): 61,
    ("async call",): 61,
    ("event alone",): 61,
    ("event in large reads",): 61,
    ("async event alone",): 21,
    ("async event in large reads",): 21,
    ("500 concurrent calls, each",): 9,
    ("500 concurrent calls, memory each",): 2,
    ("200 concurrent streams, each",): 2,
    ("200 concurrent streams, memory each",): 2,
    tuple(GROWTH): 9,
}
# Of these a process gives one sample.
ONCE = {"import", "first reply", "memory"} | {metric for (metric, *_) in TURNS if "memory" in metric}
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
# metric: client: value
Results = dict[str, dict[str, float]]


def measures(client: str, metric: str) -> bool:
    """Tell whether a metric is of interest for a client, and one that it has."""
    if client in (OURS, FAST, RAW):
        return True
    if client == OLD:  # which takes minutes for them
        return metric not in GROWTH
    if metric in _START or "memory" in metric:
        return False
    if client in (AIO, RAW_AIO):
        return metric in (*_AWAITED, *_MANY) or (client == AIO and metric in GROWTH)
    return client == RUST or metric not in GROWTH


def python_of(client: str) -> str:
    return str(ROOT / ".venvs" / CLIENTS[client][0] / "bin" / "python")


class Worker:
    """A client that is ready to give samples of a metric, in a process of its own."""

    def __init__(self, client: str, metric: str, url: str) -> None:
        self._named = f"{client}, {metric}"
        self._process = subprocess.Popen(
            [python_of(client), "-I", str(HERE / "workloads.py"), CLIENTS[client][1], url, metric],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._line()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self._named}: failed")
        return line

    def sample(self) -> dict[str, dict[str, float]]:
        """Return what is measured, by metric: `cpu` and `wall` in seconds, or `bytes`."""
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        found: dict[str, dict[str, float]] = json.loads(self._line())
        return found

    def close(self) -> None:
        self._process.communicate()


# By metric and client, what each turn has found.
Samples = dict[str, dict[str, list[dict[str, float]]]]


def take_turns(metrics: tuple[str, ...], turns: int, seconds: float, url: str) -> Samples:
    """Have all clients of a metric give samples in turns, at least two, until the time is over."""
    metric, began = metrics[0], time.monotonic()
    clients = [client for client in CLIENTS if measures(client, metric)]
    samples: Samples = {name: {client: [] for client in clients} for name in metrics}
    workers = {} if metric in ONCE else {client: Worker(client, metric, url) for client in clients}
    for turn in range(turns):
        if turn >= 2 and time.monotonic() - began > seconds:
            break
        for client in clients:
            worker = workers.get(client) or Worker(client, metric, url)
            for name, found in worker.sample().items():
                samples[name][client].append(found)
            if not workers:
                worker.close()
    for worker in workers.values():
        worker.close()
    return samples


def figures(samples: Samples, kind: str) -> Results:
    """Return by metric and client the mean of all turns.

    Not the median: of a machine with two speeds that would be either of them, by chance.

    Args:
        samples: What the turns have found.
        kind: `cpu` or `wall`; of memory there is one kind.
    """
    return {
        metric: {
            client: statistics.fmean(each.get(kind) or each["bytes"] for each in turns)
            for client, turns in row.items()
        }
        for metric, row in samples.items()
    }


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
        of_old = f"{row[OURS] / row[OLD]:9.2f}" if OLD in row else " " * 9
        lines.append(f"{metric:36}{cells} {of_old} {row[OURS] / row[RAW]:7.2f}")
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
        if target.metric not in results:  # in a quick run
            continue
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
    parser.add_argument("--budget", type=float, default=600, help="seconds; turns are left out beyond it")
    parser.add_argument("--quick", action="store_true", help="few turns, of the metrics with targets")
    parser.add_argument("--json", default=str(ROOT / "build" / "bench.json"), help="where the numbers go")
    parser.add_argument("--plot", help="where a picture of the ratios goes")
    options = parser.parse_args()

    aimed = {target.metric for target in TARGETS} | {GROWTH[0]}
    groups = [group for group in TURNS if group[0] in aimed or not options.quick]
    samples: Samples = {}
    server = subprocess.Popen(
        [python_of(OURS), str(HERE / "server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert server.stdout
    started = time.monotonic()
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        free = is_free(url)
        for number, group in enumerate(groups):
            left = options.budget - (time.monotonic() - started)
            turns = 3 if options.quick else TURNS[group]
            samples |= take_turns(group, turns, left / (len(groups) - number), url)
            print(f"{group[0]}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    finally:
        server.terminate()

    results, wall = figures(samples, "cpu"), figures(samples, "wall")
    targets = {str(verdict): verdict.held for verdict in judged(results)}
    targets["traces, where their extra is not installed: nothing is imported"] = free
    print("CPU time, and memory\n\n" + "\n".join(table(results)), end="\n\n")
    timed = {metric: row for metric, row in wall.items() if "memory" not in metric}
    print("Time of the clock\n\n" + "\n".join(table(timed)), end="\n\n")
    print("\n".join(f"{'held  ' if held else 'MISSED'}  {words}" for words, held in targets.items()))
    print(f"\n{sum(targets.values())} of {len(targets)} targets held, in {time.monotonic() - started:.0f} s.")
    file = Path(options.json)
    file.parent.mkdir(parents=True, exist_ok=True)
    record = {"means": results, "wall": wall, "targets": targets, "turns": samples}
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    main()
