"""Try and test programs without a key or a network: a stand-in for the service, and recordings.

    from anthropic_completions.testing import StandIn, overloaded

    stand_in = StandIn()
    client = stand_in.client()           # in process, nothing is sent anywhere
    with stand_in.serve() as url: ...    # on a loopback port; needs the extra `server`
    stand_in.queue(overloaded())         # what to answer next

`Recorder` keeps real exchanges in a file and gives them again. For pytest there is a fixture:
`pytest_plugins = ["anthropic_completions.testing.plugin"]`.
"""

from ._clock import FakeClock
from ._recorder.recorder import NotRecordedError, Recorder
from ._stand_in.requests import Received
from ._stand_in.scripts import (
    Scripted,
    completion,
    drop,
    drop_after,
    error,
    overloaded,
    rate_limited,
    raw,
    refusal,
    stall,
    truncate,
)
from ._stand_in.stand_in import StandIn

__all__ = [
    "FakeClock",
    "NotRecordedError",
    "Received",
    "Recorder",
    "Scripted",
    "StandIn",
    "completion",
    "drop",
    "drop_after",
    "error",
    "overloaded",
    "rate_limited",
    "raw",
    "refusal",
    "stall",
    "truncate",
]
