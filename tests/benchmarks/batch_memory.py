"""Whether the memory of a batch stays flat: its peak at 100,000 requests beside that at 10,000.

    batch_memory.py [small] [large]

Each batch runs in a process of its own, against the stand-in in process, and is then found to be done, which
takes some minutes. What may grow are the ids of the requests and of those that are done: it fails where a
request costs more than that.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from anthropic_completions.cli._batch.requests import Reading, check
from anthropic_completions.cli._batch.results import ResultsFile
from anthropic_completions.cli._batch.running import run
from anthropic_completions.cli._batch.tally import Tally
from anthropic_completions.testing import StandIn

COMMON = {"model": "claude-2.1", "max_tokens_to_sample": 256}
MOST_BYTES = 250


async def batch(count: int, directory: Path) -> None:
    """Complete a number of prompts from a file into another, and then find that all is done."""
    source, target = directory / "in.jsonl", directory / "out.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps({"id": number, "prompt": f"number {number}"}) + "\n")
    reading = Reading(source, "jsonl", COMMON)
    for left in (count, 0):
        checked = check(reading)
        ids = checked.fingerprints
        with ResultsFile(target, fingerprints=ids) as results:
            tally = Tally(len(ids), before=sum(one in results.done for one in ids), causes=results.causes)
            ids.clear()
            async with StandIn(keep=0).async_client() as client:
                await run(client, reading.requests(), results, COMMON, 16, tally)
        assert (tally.completed, tally.failed) == (left, 0)
    with target.open("rb") as lines:
        assert sum(1 for _ in lines) == count


def peak(count: int) -> int:
    """Return the most memory, in KiB, of a process that runs a batch."""
    done = subprocess.run([sys.executable, __file__, "--one", str(count)], capture_output=True, check=True)
    return int(done.stdout)


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(batch(int(sys.argv[2]), Path(directory)))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    small, large = (int(number) for number in sys.argv[1:] or ("10000", "100000"))
    peaks = [peak(count) for count in (small, large)]
    each = (peaks[1] - peaks[0]) * 1024 / (large - small)
    low, high = (f"{peak / 1024:.0f} MiB" for peak in peaks)
    print(f"{small} requests: {low}; {large} requests: {high}; {each:.0f} bytes for each (<= {MOST_BYTES})")
    sys.exit(each > MOST_BYTES)


if __name__ == "__main__":
    main()
