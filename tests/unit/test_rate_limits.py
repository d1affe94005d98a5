"""The rate-limit headers, typed."""

from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions.rate_limits import RateLimit, RateLimits
from strategies import texts

NAMES = [
    f"anthropic-ratelimit-{kind}-{part}"
    for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    for part in ("limit", "remaining", "reset")
]


def test_reads_all_limits() -> None:
    headers = {
        "Anthropic-RateLimit-Requests-Limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2024-06-04T18:39:57Z",
        "anthropic-ratelimit-tokens-limit": "40000",
        "anthropic-ratelimit-tokens-remaining": "39000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-reset": "2024-06-04T20:39:57.5+02:00",
    }
    moment = datetime(2024, 6, 4, 18, 39, 57, tzinfo=UTC)
    later = datetime(2024, 6, 4, 20, 39, 57, 500_000, tzinfo=timezone(timedelta(hours=2)))
    assert RateLimits.from_headers(httpx.Headers(headers)) == RateLimits(
        requests=RateLimit(50, 49, moment),
        tokens=RateLimit(40000, 39000, None),
        input_tokens=RateLimit(None, 0, None),
        output_tokens=RateLimit(None, None, later),
    )


def test_there_may_be_none() -> None:
    assert RateLimits.from_headers({}) == RateLimits(None, None, None, None)


@pytest.mark.parametrize("value", ["many", "-1", "1.5", "1_000", "٣", "9" * 19])
def test_a_count_in_another_form_is_none(value: str) -> None:
    assert RateLimits.from_headers({NAMES[0]: value}).requests == RateLimit(None, None, None)


@pytest.mark.parametrize("value", ["soon", "2024-06-04T18:39:57", "2024-06-04", "1717526397", "24:00"])
def test_a_time_in_another_form_or_without_a_zone_is_none(value: str) -> None:
    assert RateLimits.from_headers({NAMES[2]: value}).requests == RateLimit(None, None, None)


@given(st.dictionaries(st.sampled_from(NAMES), texts() | st.datetimes().map(datetime.isoformat)))
def test_any_headers_are_read(headers: dict[str, str]) -> None:
    RateLimits.from_headers(headers)
