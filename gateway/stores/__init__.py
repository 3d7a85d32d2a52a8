"""Stores of contexts and of large results, and the one place where a store's URL is understood."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.errors import ConfigError
from gateway.interfaces import ContextStore
from gateway.stores.memory import MemoryStore
from gateway.stores.record import StoreLimits
from gateway.stores.results import ResultFiles
from gateway.stores.sqlite import SqliteStore

__all__ = ["MemoryStore", "ResultFiles", "SqliteStore", "StoreLimits", "open_store"]

_DATABASE = re.compile(r"(?:/[0-9]{0,9})?", re.ASCII)
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
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

    _check_redis(url)
    try:
        return RedisStore(url, limits)
    except ValueError:
        raise ConfigError("store.url: the Redis URL cannot be read") from None


def _check_redis(url: str) -> None:
    """Refuses what the client would take to mean something else, or choke on at the first call.

    What is refused is not repeated: behind a password with an unescaped `?` or `#` it is a part
    of that password.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError("store.url: the Redis URL cannot be read") from None
    if "#" in url:
        raise ConfigError("store.url: a Redis URL has no fragment; write # in a password as %23")
    if not _DATABASE.fullmatch(parts.path):
        raise ConfigError("store.url: the Redis database must be a number: redis://HOST:PORT/0")
    if "?" in url and parts.scheme == "redis":
        raise ConfigError("store.url: redis:// takes no options; write ? in a password as %3F")
    options = parse_qsl(parts.query, keep_blank_values=True)
    if not all(name in _TLS_OPTIONS and value for name, value in options):
        known = ", ".join(_TLS_OPTIONS)
        raise ConfigError(f"store.url: the options of rediss:// are {known}, each with a value")
