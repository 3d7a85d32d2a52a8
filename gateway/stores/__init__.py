"""Stores of contexts and of large results, and the one place where a store's URL is understood."""

from pathlib import Path
from urllib.parse import unquote

from gateway.errors import ConfigError
from gateway.interfaces import ContextStore, SessionBoard
from gateway.stores.breaker import GuardedStore
from gateway.stores.guarded_board import GuardedBoard
from gateway.stores.memory import MemoryStore
from gateway.stores.memory_board import MemoryBoard
from gateway.stores.record import StoreLimits
from gateway.stores.results import ResultFiles
from gateway.stores.shared_results import SharedResults
from gateway.stores.sqlite import SqliteStore
from gateway.stores.sqlite_board import SqliteBoard

__all__ = [
    "GuardedBoard",
    "GuardedStore",
    "MemoryBoard",
    "MemoryStore",
    "ResultFiles",
    "SharedResults",
    "SqliteBoard",
    "SqliteStore",
    "StoreLimits",
    "open_board",
    "open_store",
]

_REDIS = frozenset(
    f"{scheme}{shape}" for scheme in ("redis", "rediss") for shape in ("", "+sentinel", "+cluster")
)


def open_store(url: str, limits: StoreLimits) -> ContextStore:
    """The store that `store.url` names: memory://, sqlite:///PATH, or Redis in one of its shapes.

    Those are redis://, redis+sentinel:// and redis+cluster://, each with rediss for TLS.
    `sqlite:///a.db` is relative, `sqlite:////var/a.db` absolute. Nothing is opened or connected
    before the first call. Raises ConfigError, which never repeats the URL: it may hold a password.
    """
    scheme, separator, _ = url.partition("://")
    scheme = scheme.lower() if separator else ""
    if scheme == "memory":
        return MemoryStore(limits)
    if scheme == "sqlite":
        return SqliteStore(_sqlite_path(url), limits)
    if scheme in _REDIS:
        return _open_redis(url, limits)
    raise ConfigError(
        "store.url: expected memory://, sqlite:///PATH, redis://, rediss://, redis+sentinel:// or"
        " redis+cluster://"
    )


def open_board(url: str, store: ContextStore) -> SessionBoard:
    """The board of those who share `store`, which `open_store` made of this URL."""
    match store:
        case MemoryStore():
            return MemoryBoard()
        case SqliteStore():
            return SqliteBoard(store)
        case _:
            return _open_redis_board(url)


def _sqlite_path(url: str) -> Path:
    rest = url.partition("://")[2]
    if not rest.startswith("/") or len(rest) < 2 or "?" in rest or "#" in rest:
        raise ConfigError("store.url: expected sqlite:///PATH, without options")
    return Path(unquote(rest[1:]))


def _open_redis(url: str, limits: StoreLimits) -> ContextStore:
    # Imported on demand: the client costs start time and memory that other stores need not pay.
    from gateway.stores.redis import RedisStore  # noqa: PLC0415
    from gateway.stores.redis_servers import connect  # noqa: PLC0415
    from gateway.stores.redis_urls import read_redis_url  # noqa: PLC0415

    address = read_redis_url(url)
    return RedisStore(connect(address), limits, prefix=address.prefix)


def _open_redis_board(url: str) -> SessionBoard:
    from gateway.stores.redis_board import open_redis_board  # noqa: PLC0415 - as above
    from gateway.stores.redis_urls import read_redis_url  # noqa: PLC0415

    return open_redis_board(read_redis_url(url))
