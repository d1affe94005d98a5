"""The retry policy, by value."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_completions._http.retry import backoff, retry_after, should_retry
from strategies import texts

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("status", "retried"),
    [
        *((status, False) for status in (300, 304, 307, 400, 401, 402, 403, 404, 405, 410, 413, 418, 422)),
        *((status, True) for status in (408, 409, 429, 500, 501, 502, 503, 504, 520, 529, 599, 600)),
    ],
)
def test_retries_by_status(status: int, retried: bool) -> None:
    assert should_retry(status, {}) is retried


@pytest.mark.parametrize("status", [400, 429, 500])
@pytest.mark.parametrize(
    ("wish", "retried"), [("true", True), ("false", False), ("True", None), ("yes", None), ("", None)]
)
def test_the_services_wish_goes_before_the_status(status: int, wish: str, retried: bool | None) -> None:
    """Only `true` and `false`, as they are written, are a wish."""
    expected = should_retry(status, {}) if retried is None else retried
    assert should_retry(status, {"x-should-retry": wish}) is expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "0.5"}, 0.0005),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "61"}, 61.0),
        ({"retry-after": "86400"}, 86400.0),
        ({"retry-after-ms": "100", "retry-after": "9"}, 0.1),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after-ms": "nan", "retry-after": "9"}, 9.0),
        *(
            ({name: value}, None)
            for name in ("retry-after", "retry-after-ms")
            for value in ("", "0", "-1", "-0.0", "nan", "inf", "-inf", "1e300", "soon", "1,5", "٣x")
        ),
        ({"retry-after": "31708800"}, None),
        ({"retry-after-ms": "31708800000"}, None),
    ],
)
def test_reads_what_the_service_asks(headers: dict[str, str], seconds: float | None) -> None:
    """What is not a number, not above zero or beyond a year counts as nothing."""
    assert retry_after(headers, now=NOW) == seconds


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
        ("Tue Nov 14 22:13:50 2023", 30.0),
        ("Tue, 14 Nov 2023 22:13:50 +0000", 30.0),
        ("Tue, 14 Nov 2023 22:13:20 GMT", None),
        ("Tue, 14 Nov 2023 22:13:10 GMT", None),
        ("Tue, 14 Nov 2028 22:13:10 GMT", None),
        ("Tue, 14 Nov 99999 22:13:10 GMT", None),
        ("tomorrow", None),
        ("2023-11-14T22:13:50Z", None),
    ],
)
def test_reads_the_three_forms_of_http_dates(date: str, seconds: float | None) -> None:
    """All of them mean UTC, whatever the machine's zone; what is past or far away counts as nothing."""
    assert retry_after({"retry-after": date}, now=NOW) == seconds


@given(value=texts(), milliseconds=st.none() | texts(), now=st.floats(0, 4e9))
def test_any_header_gives_a_sensible_wait_or_none(value: str, milliseconds: str | None, now: float) -> None:
    headers = {"retry-after": value} | ({} if milliseconds is None else {"retry-after-ms": milliseconds})
    wait = retry_after(headers, now=now)
    assert wait is None or 0 < wait <= 366 * 24 * 3600


@given(st.integers(0, 99), st.integers(-1, 32), st.integers(-1, 13), st.integers(0, 99999))
def test_any_date_gives_a_sensible_wait_or_none(second: int, day: int, month: int, year: int) -> None:
    name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month % 12]
    wait = retry_after({"retry-after": f"Mon, {day} {name} {year} 00:00:{second} GMT"}, now=NOW)
    assert wait is None or 0 < wait <= 366 * 24 * 3600


@pytest.mark.parametrize(
    ("retries_taken", "longest"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (10_000, 8.0)]
)
def test_backs_off_by_the_formula(retries_taken: int, longest: float) -> None:
    """Half a second, doubled for each retry up to eight, less up to a quarter by chance."""
    assert backoff(retries_taken, random=0.0) == longest
    assert backoff(retries_taken, random=0.5) == longest * 0.875
    assert backoff(retries_taken, random=1.0) == longest * 0.75
