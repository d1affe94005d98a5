"""The service for the clusters: the stand-in in a process of its own, which tells what it is asked.

    service.py COUNT

Its first line of output is its URL; then comes a line for each request, with what was asked and when. The
request COUNT, and all after it, wait until something comes on standard input; it ends with standard input.
"""

import sys
import threading
import time

from anthropic_completions.testing import Received, Scripted, StandIn, error


def main() -> None:
    hold_at, asked, go = int(sys.argv[1]), 0, threading.Event()

    def respond(received: Received) -> Scripted | None:
        nonlocal asked
        question = received.json()["messages"][0]["content"]
        asked += 1
        print(question, time.monotonic(), flush=True)
        if asked >= hold_at:
            go.wait()
        return error(400, message="Never.") if question.endswith("99") else None

    with StandIn(today=True, delay=0.02, respond=respond, keep=0).serve() as url:
        print(url, flush=True)
        sys.stdin.readline()
        go.set()
        sys.stdin.read()


if __name__ == "__main__":
    main()
