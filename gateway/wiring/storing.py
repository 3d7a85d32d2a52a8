"""The context store that a configuration names."""

from gateway.config import StoreConfig
from gateway.interfaces import ContextStore
from gateway.stores import StoreLimits, open_store


def make_store(config: StoreConfig) -> ContextStore:
    """Nothing is opened or connected before the first call. Raises ConfigError."""
    return open_store(
        config.url.reveal(),
        StoreLimits(
            ttl_seconds=config.context_ttl_seconds,
            new_ttl_seconds=config.new_context_ttl_seconds,
            max_contexts_per_principal=config.max_contexts_per_principal,
        ),
    )
