"""What answers for Anthropic."""

from anthropic_completions.testing import StandIn


class Service(StandIn):
    """A stand-in that is served, and where it is."""

    url: str
