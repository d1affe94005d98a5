"""Run the vectors with the blocking Python client, without pytest, which takes longer to start than they.

The functions are those of the tests. The first vector that fails ends it.
"""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "contract"), str(TESTS / "unit")]

import test_prompts as prompts  # noqa: E402
import test_vectors as vectors  # noqa: E402

from support import World  # noqa: E402

WITH_WORLD: list[tuple[Callable[..., None], list[dict[str, Any]]]] = [
    (vectors.test_a_request, vectors.REQUESTS["requests"]),
    (vectors.test_a_reply, vectors.REPLIES["replies"]),
    (vectors.test_a_stream, vectors.STREAMS["streams"]),
    (vectors.test_a_retry, vectors.RETRIES["retries"]),
]
ALONE: list[tuple[Callable[..., None], list[dict[str, Any]]]] = [
    (vectors.test_a_wish_to_wait, vectors.RETRIES["retry_after"]),
    (vectors.test_a_rate_limit, vectors.RATE_LIMITS["rate_limits"]),
    (prompts.test_the_verdict_is_the_service_s, prompts.VECTORS["validate"]),
    (prompts.test_a_prompt_is_taken_apart, prompts.VECTORS["parse"]),
    (prompts.test_a_prompt_is_built_of_turns, prompts.VECTORS["build"]),
]


def main() -> int:
    """Run them all and return how many passed."""
    warnings.simplefilter("ignore")
    world = World(None)
    vectors.test_the_kinds_of_error_stand_for_these_statuses()
    for check, cases in WITH_WORLD:
        for case in cases:
            check(world, case)
    for check, cases in ALONE:
        for case in cases:
            check(case)
    return sum(len(cases) for _, cases in WITH_WORLD + ALONE)


if __name__ == "__main__":
    print(f"python: {main()} vectors passed")
