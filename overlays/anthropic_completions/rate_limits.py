"""The rate-limit headers, typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Self

__all__ = ["RateLimit", "RateLimits"]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One limit; what the headers do not say, or say in another form, is None.

    Attributes:
        limit: The most that is allowed within a period.
        remaining: What is left of it; for tokens, rounded to thousands.
        reset: When the limit is full again, with its time zone.
    """

    limit: int | None
    remaining: int | None
    reset: datetime | None


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits that a reply's headers tell; None where they tell nothing of one.

    Source: the headers `anthropic-ratelimit-*` of the API's page on rate limits. Recordings of this
    endpoint lack them.

    Attributes:
        requests: Requests.
        tokens: Tokens, by the most restrictive limit in force.
        input_tokens: Tokens of prompts.
        output_tokens: Generated tokens.
    """

    requests: RateLimit | None = None
    tokens: RateLimit | None = None
    input_tokens: RateLimit | None = None
    output_tokens: RateLimit | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read the limits from a reply's headers, looked up in lower case."""
        return cls(
            requests=_limit(headers, "requests"),
            tokens=_limit(headers, "tokens"),
            input_tokens=_limit(headers, "input-tokens"),
            output_tokens=_limit(headers, "output-tokens"),
        )


def _limit(headers: Mapping[str, str], kind: str) -> RateLimit | None:
    values = [headers.get(f"anthropic-ratelimit-{kind}-{part}") for part in ("limit", "remaining", "reset")]
    if not any(values):
        return None
    limit, remaining, reset = values
    return RateLimit(_count(limit), _count(remaining), _time(reset))


def _count(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None


def _time(value: str | None) -> datetime | None:
    if not value:
        return None
    from dateutil.parser import isoparse

    try:
        time = isoparse(value)
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo else None
