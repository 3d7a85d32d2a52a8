"""The client for upstreams as `serve` has it, in the test's own event loop."""

from gateway.client import AiohttpClient, Resilience
from gateway.client.resolving import Resolver


def make_client(resolver: Resolver | None = None) -> Resilience:
    """No pause of it is longer or shorter than it says."""
    return Resilience(AiohttpClient(resolver), fraction=lambda: 0.5)
