"""Print the tables of docs/performance.md: page.py RECORD..., the files that `--json` of runs has written.

The first has the median over the runs of each client's share of what raw httpx took in the same run.
"""

import json
import statistics
import sys
from pathlib import Path

import run


def ratios(runs: list[run.Results]) -> list[str]:
    """Return the table of all clients beside raw httpx, whose own figures are in its column."""
    clients = [name for name in run.CLIENTS if name != run.RAW]
    lines = [f"| metric | {' | '.join(clients)} | {run.RAW} |", "| --- " * (len(clients) + 2) + "|"]
    for metric in runs[0]:
        rows = [results[metric] for results in runs]
        cells = [
            f"{statistics.median(row[name] / row[run.RAW] for row in rows):.2f}" if name in rows[0] else ""
            for name in clients
        ]
        raw = run.shown(metric, statistics.median(row[run.RAW] for row in rows))
        lines.append(f"| {' | '.join([metric, *cells, raw])} |")
    return lines


def verdicts(runs: list[run.Results]) -> list[str]:
    """Return the table of the targets and what each run says of them."""
    heads = "".join(f" run {number} |" for number in range(1, len(runs) + 1))
    lines = [f"| metric | client | of | at most |{heads}", "| --- " * (len(runs) + 4) + "|"]
    judged = [run.judged(results) for results in runs]
    for number, verdict in enumerate(judged[0]):
        found = [f"{each[number].ratio:.2f}, {'held' if each[number].held else 'missed'}" for each in judged]
        limit = f"{verdict.target.limit:.2f}"
        words = [verdict.target.metric, verdict.target.client, verdict.target.other, limit]
        lines.append(f"| {' | '.join([*words, *found])} |")
    return lines


def main() -> None:
    runs = [json.loads(Path(file).read_text(encoding="utf-8"))["means"] for file in sys.argv[1:]]
    print("\n".join([*ratios(runs), "", *verdicts(runs)]))


if __name__ == "__main__":
    main()
