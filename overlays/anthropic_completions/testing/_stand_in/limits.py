"""Limit the rate of requests to the stand-in, and tell of it in headers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_PERIOD_SECONDS = 60
# What is announced where nothing is limited; never used up.
_PLENTY = 1_000_000
_PLENTY_OF_TOKENS = 1_000_000_000


class RateLimiter:
    """Counts requests and tokens in periods of a minute, which begin with a request.

    Args:
        requests: The most requests in a period; None for no limit.
    """

    def __init__(self, requests: int | None) -> None:
        self._limit = requests
        self._ends = -math.inf
        self._requests = self._tokens = 0

    def take(self, now: float, tokens: int) -> tuple[dict[str, str], int | None]:
        """Count a request.

        Returns:
            The headers for its reply, and the whole seconds to wait where it is one too many.
        """
        if now >= self._ends:
            self._ends = now + _PERIOD_SECONDS
            self._requests = self._tokens = 0
        if self._limit is not None and self._requests >= self._limit:
            return self._headers(), max(1, math.ceil(self._ends - now))
        self._requests += 1
        self._tokens += tokens
        return self._headers(), None

    def _headers(self) -> dict[str, str]:
        # Rounded up to seconds, so that the limit is full again at the time that is told.
        reset = datetime.fromtimestamp(math.ceil(self._ends), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        requests = _PLENTY if self._limit is None else self._limit
        left = {
            "requests": (requests, requests - self._requests),
            "tokens": (_PLENTY_OF_TOKENS, round(_PLENTY_OF_TOKENS - self._tokens, -3)),
        }
        headers = {}
        for kind, (limit, remaining) in left.items():
            headers[f"anthropic-ratelimit-{kind}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{kind}-remaining"] = str(max(0, remaining))
            headers[f"anthropic-ratelimit-{kind}-reset"] = reset
        return headers
