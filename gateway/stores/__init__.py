"""Context stores, and the one place where a store's URL is understood."""

from pathlib import Path
from urllib.parse import unquote

from gateway.errors import ConfigError
from gateway.interfaces import ContextStore
from gateway.stores.memory import MemoryStore
from gateway.stores.record import StoreLimits, UnreadableRecord
from gateway.stores.sqlite import SqliteStore

__all__ = ["MemoryStore", "SqliteStore", "StoreLimits", "UnreadableRecord", "open_store"]

_LATER = ("redis+sentinel", "redis+cluster")


def open_store(url: str, limits: StoreLimits) -> ContextStore:
    """The store that `store.url` names: memory://, sqlite:///PATH, redis:// or rediss://.

    `sqlite:///a.db` is relative, `sqlite:////var/a.db` absolute. Nothing is opened or connected
    before the first call. Raises ConfigError, which never repeats the URL: it may hold a password.
    """
    scheme, separator, _ = url.partition("://")
    scheme = scheme.lower() if separator else ""
    if scheme == "memory":
        return MemoryStore(limits)
    if scheme == "sqlite":
        return SqliteStore(_sqlite_path(url), limits)
    if scheme in ("redis", "rediss"):
        return _open_redis(url, limits)
    if scheme in _LATER:
        raise ConfigError(f"store.url: {scheme}:// is not available yet")
    raise ConfigError("store.url: expected memory://, sqlite:///PATH, redis:// or rediss://")


def _sqlite_path(url: str) -> Path:
    rest = url.partition("://")[2]
    if not rest.startswith("/") or len(rest) < 2 or "?" in rest or "#" in rest:
        raise ConfigError("store.url: expected sqlite:///PATH, without options")
    return Path(unquote(rest[1:]))


def _open_redis(url: str, limits: StoreLimits) -> ContextStore:
    # Imported on demand: the client costs start time and memory that other stores need not pay.
    from gateway.stores.redis import RedisStore  # noqa: PLC0415

    try:
        return RedisStore(url, limits)
    except ValueError:
        raise ConfigError("store.url: the Redis URL cannot be read") from None
