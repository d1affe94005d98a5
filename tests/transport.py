"""Put another transport in the place of httpx's own, for the suite to run over it.

For pytest: `TRANSPORT=aiohttp PYTHONPATH=tests pytest -p transport`; TRANSPORT is `aiohttp` or `rust`.
"""

import os

import pytest

import anthropic_completions as package
from anthropic_completions._http import clients, ports  # ports knows the classes by what they are

KIND = os.environ["TRANSPORT"]
ASYNC = {"aiohttp": package.DefaultAioHttpClient, "rust": package.DefaultAsyncRustHttpClient}[KIND]
assert ports.AsyncDirectClient in ASYNC.__mro__
ASYNC.transports()  # aiohttp reads the system's certificates as it is imported

package.DefaultAsyncHttpxClient = clients.DefaultAsyncHttpxClient = clients.AsyncDirectClient = ASYNC
if KIND == "rust":
    SYNC = package.DefaultRustHttpClient
    package.DefaultHttpxClient = clients.DefaultHttpxClient = clients.DirectClient = SYNC


# What differs, by parts of a test's name and its parameters. docs/transports.md has a row for each kind.
_ASYNCIO_ONLY = "works in asyncio only"
_INSIDE = "looks into httpcore's pool"
_LENIENT = "what is let pass, or refused, of a malformed head"
_LINGERS = "a reply that is left as its event loop ends"
_CERTIFICATES = "when certificates are loaded"
_SOCKS = "has SOCKS of its own, or none"
DIFFERENCES = {
    "aiohttp": {
        "test_what_is_no_whole_reply_is_a_connection_error[asyncio-reset after the head]": "a reset ends it",
        "test_what_is_no_whole_reply_is_a_connection_error[asyncio-an unknown framing]": _LENIENT,
        "test_what_is_no_whole_reply_is_a_connection_error[asyncio-a line before the first]": _LENIENT,
        "test_a_whole_reply_of_something_else_is_refused[asyncio-another HTTP]": _LENIENT,
        "test_a_fault_is_named_and_loses_nothing[asyncio-gzip-broken]": "pieces are larger",
        "[asyncio-the first line]": _LENIENT,
        "test_a_bad_end_after_the_stop_reason_is_an_error_that_has_both[asyncio-broken framing]": "pieces",
        "test_a_stream_left_as_the_last_act_harms_nothing": _LINGERS,
        "test_a_stream_forgotten_as_the_last_act_harms_nothing": _LINGERS,
        "test_a_stream_may_outlive_its_event_loop": _LINGERS,
        "TestDefaultHttpClients": _INSIDE,
        "test_an_environment_that_cannot_work_is_a_value_error_at_the_first_call[asyncio-socks": _SOCKS,
    },
    "rust": {
        "-an unknown framing]": _LENIENT,
        "-a huge header]": _LENIENT,
        "-a line before the first]": _LENIENT,
        "-called nothing sensible]": "a header with bytes beyond ASCII is refused",
        "-another HTTP]": _LENIENT,
        "-replies with 1xx without a pause]": "a connection may outlive a wait for a head",
        "test_a_stream_left_as_the_last_act_harms_nothing": _LINGERS,
        "test_a_stream_may_outlive_its_event_loop": _LINGERS,
        "test_the_garbage_collector_may_strike_anywhere": _INSIDE,
        "TestDefaultHttpClients": _INSIDE,
        "test_certificates_that_cannot_be_used_are_told_once_before_many_calls": _CERTIFICATES,
        "test_the_first_encrypted_connection_loads_for_all": _CERTIFICATES,
        "test_an_environment_that_cannot_work_is_a_value_error_at_the_first_call[sync-socks": _SOCKS,
        "test_an_environment_that_cannot_work_is_a_value_error_at_the_first_call[asyncio-socks": _SOCKS,
    },
}[KIND]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "trio" in item.nodeid.partition("[")[2].strip("]").split("-"):
            item.add_marker(pytest.mark.skip(reason=_ASYNCIO_ONLY))
        for part, reason in DIFFERENCES.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.skip(reason=reason))
