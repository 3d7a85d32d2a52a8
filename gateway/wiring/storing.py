"""The context store that a configuration names, and what of the process its contexts need."""

import asyncio
import secrets
import time
from datetime import UTC, datetime

from gateway.config import StoreConfig
from gateway.engine import Surroundings
from gateway.interfaces import ContextStore, SessionBoard
from gateway.stores import (
    GuardedBoard,
    GuardedStore,
    MemoryStore,
    StoreLimits,
    open_board,
    open_store,
)


def make_surroundings() -> Surroundings:
    """The process's clocks and randomness; called within a running event loop."""
    return Surroundings(
        now=lambda: datetime.now(UTC),
        monotonic=asyncio.get_running_loop().time,
        random_bytes=secrets.token_bytes,
    )


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


def make_guarded_stores(config: StoreConfig) -> tuple[ContextStore, SessionBoard]:
    """The store, and the board that lies in the same place, both behind one guard."""
    store = make_store(config)
    board = open_board(config.url.reveal(), store)
    # What is in this process's own memory is never down.
    if isinstance(store, MemoryStore):
        return store, board
    guarded = GuardedStore(store, monotonic=time.monotonic)
    return guarded, GuardedBoard(board, guarded)
