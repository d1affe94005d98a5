"""Whether the memory of `batch --via batches` stays flat: its peak at 100,000 requests beside that at 10,000.

    batches_memory.py [small] [large]

The stand-in serves in this process, each run is a process of its own. What may grow are the ids of requests
and of those that are done, and where each begins in its file: it fails where a request costs more than that.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from anthropic_completions.testing import StandIn

MOST_BYTES = 300
_RUN = (
    "import resource, sys\n"
    "from anthropic_completions.cli._app import run\n"
    "code = run(sys.argv[1:])\n"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    "sys.exit(code)"
)


def peak(count: int, url: str) -> int:
    """Return the most memory, in KiB, of a process that runs a batch."""
    with tempfile.TemporaryDirectory() as directory:
        source, target = Path(directory, "in.jsonl"), Path(directory, "out.jsonl")
        with source.open("w", encoding="utf-8") as file:
            for number in range(count):
                file.write(json.dumps({"id": number, "prompt": f"number {number}"}) + "\n")
        command = ["batch", "--via", "batches", "--model", "claude-haiku-4-5", str(source), str(target)]
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *command],
            env={**os.environ, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "stand-in"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done
        with target.open("rb") as lines:
            assert len({json.loads(line)["id"] for line in lines}) == count
    return int(done.stdout.splitlines()[-1])


def main() -> None:
    small, large = (int(number) for number in sys.argv[1:] or ("10000", "100000"))
    with StandIn(keep=0).serve() as url:
        peaks = [peak(count, url) for count in (small, large)]
    each = (peaks[1] - peaks[0]) * 1024 / (large - small)
    low, high = (f"{peak / 1024:.0f} MiB" for peak in peaks)
    print(f"{small} requests: {low}; {large} requests: {high}; {each:.0f} bytes for each (<= {MOST_BYTES})")
    sys.exit(each > MOST_BYTES)


if __name__ == "__main__":
    main()
