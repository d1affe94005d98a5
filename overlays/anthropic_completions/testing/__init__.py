"""A stand-in for the service, to try and to test programs without a key or a network.

from anthropic_completions.testing import StandIn

client = StandIn().client()          # in process, nothing is sent anywhere
with StandIn().serve() as url: ...   # on a loopback port; needs the extra `server`
"""

from ._stand_in import Received, StandIn

__all__ = ["Received", "StandIn"]
