"""The retry policy: which failures are tried again, and after how long.

Pure: time and chance come with the call, and the exchange does the waiting.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .._errors import APIConnectionError, APIError, APIStatusError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .call import Call

FIRST_BACKOFF = 0.5
MAX_BACKOFF = 8.0
JITTER = 0.25
# A wait of more than a year is a mistake, not a wish.
_ABSURD = 366 * 24 * 3600.0


def wait_before(call: Call, failure: APIError | RetryableError, retries_taken: int) -> float | None:
    """Return the seconds to wait before the next attempt, or None where there shall be none.

    There is none after `max_retries`, where the failure is final, where the service asks for a longer wait
    than `max_retry_after`, and where the wait would not end before the deadline.

    Args:
        call: Its limits and its clock.
        failure: What the attempt before ended in.
        retries_taken: How many retries there were already; 0 or more.
    """
    if retries_taken >= call.max_retries or not _may_retry(failure):
        return None
    wait = failure.retry_after if isinstance(failure, APIError) else None
    if wait is not None and call.max_retry_after is not None and wait > call.max_retry_after:
        return None
    if wait is None:
        wait = backoff(retries_taken, random=call.clock.random())
    remaining = call.remaining()
    return None if remaining is not None and wait >= remaining else wait


def _may_retry(failure: APIError | RetryableError) -> bool:
    if isinstance(failure, APIStatusError):
        return should_retry(failure.status_code, failure.response.headers)
    if isinstance(failure, APIConnectionError):
        return not failure._final
    return isinstance(failure, RetryableError)


def should_retry(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether a request may be tried again after an error reply.

    The service's own `x-should-retry: true` or `false` decides; without it 408, 409, 429 and every
    status from 500 do.
    """
    wish = headers.get("x-should-retry")
    if wish in ("true", "false"):
        return wish == "true"
    return status in (408, 409, 429) or status >= 500


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that the service asks to wait, or None where it asks nothing sensible.

    `retry-after-ms` (milliseconds) overrides `retry-after` (seconds or an HTTP date). What is not a
    number, not above zero or beyond a year counts as nothing.

    Args:
        headers: The reply's headers, looked up in lower case.
        now: The time, in seconds since the epoch, that a date is compared with.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _sensible(milliseconds / 1000)
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is None and value is not None:
        seconds = _seconds_until(value, now)
    return _sensible(seconds)


def backoff(retries_taken: int, *, random: float) -> float:
    """Return the seconds to wait where the service asks nothing.

    `min(0.5 * 2 ** retries_taken, 8) * (1 - 0.25 * random)`: 0.375 to 0.5 before the first retry, twice
    as much before each further one, never above 8.

    Args:
        retries_taken: How many retries there were already; 0 or more.
        random: A random number, 0.0 to 1.0.
    """
    # Beyond 2 ** 4 the limit holds; the power itself must not overflow.
    return min(FIRST_BACKOFF * 2.0 ** min(retries_taken, 4), MAX_BACKOFF) * (1 - JITTER * random)


def _sensible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 < seconds <= _ABSURD else None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(date: str, now: float) -> float | None:
    # Not dateutil: it takes almost any text for a date, and HTTP allows three exact forms.
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date)
        # One of the three forms names no zone; all mean UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError, TypeError):
        return None
