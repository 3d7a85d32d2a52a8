"""What the URL of a Redis store says: which servers, as whom, over TLS or not, key prefix."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from gateway.errors import ConfigError

KEY_PREFIX = "ocp-gateway:"
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_FORMS = {
    "single": re.compile(r"(?:/(?P<database>[0-9]{0,9}))?", re.ASCII),
    # Sentinel's own alphabet for the name of a service.
    "sentinel": re.compile(r"/(?P<service>[\w.-]{1,128})(?:/(?P<database>[0-9]{0,9}))?", re.ASCII),
    "cluster": re.compile(r"/?(?P<database>0?)", re.ASCII),
}
_PATHS = {
    "single": "the Redis database must be a number: redis://HOST:PORT/0",
    "sentinel": "expected redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, and /NUMBER for a database",
    "cluster": "a Redis Cluster has only one database: redis+cluster://HOST:PORT,HOST:PORT",
}
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(?::(?P<port>[0-9]{1,5}))?")
# Braces would move the hash tag; the rest are wildcards of ACL and SCAN patterns.
_PREFIX = re.compile(r"[\w.:/-]{1,64}", re.ASCII)

Shape = Literal["single", "sentinel", "cluster"]
Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """`user` None: the default user. `password` None: no authentication."""

    user: str | None
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Paths of PEM files; None: the system's authorities, no client certificate."""

    ca: str | None
    certificate: str | None
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """`nodes` are the server, the sentinels, or some nodes of the cluster."""

    shape: Shape
    nodes: tuple[Address, ...]
    service: str
    database: int
    credentials: Credentials
    sentinel_credentials: Credentials
    tls: Tls | None
    prefix: str


def read_redis_url(url: str) -> RedisAddress:
    """Raises ConfigError, which never repeats a part of the URL.

    Behind a password with an unescaped `/`, `?` or `#`, any part may be a part of that password.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigError("store.url: the Redis URL cannot be read") from None
    if "#" in url:
        raise ConfigError("store.url: a Redis URL has no fragment; write # in a password as %23")
    shape = _shape(parts.scheme)
    path = _FORMS[shape].fullmatch(parts.path)
    if path is None:
        raise ConfigError(f"store.url: {_PATHS[shape]}")
    options = _options(parts, shape)
    user, password, nodes = _authority(parts.netloc, shape)
    credentials = Credentials(user, password)
    named = path.groupdict()
    return RedisAddress(
        shape=shape,
        nodes=nodes,
        service=named.get("service") or "",
        database=int(named["database"] or 0),
        credentials=credentials,
        sentinel_credentials=_sentinel_credentials(options, credentials),
        tls=_tls(options) if parts.scheme.startswith("rediss") else None,
        prefix=options.get("prefix", KEY_PREFIX),
    )


def _shape(scheme: str) -> Shape:
    match scheme.partition("+")[2]:
        case "sentinel":
            return "sentinel"
        case "cluster":
            return "cluster"
        case _:
            return "single"


def _options(parts: SplitResult, shape: Shape) -> dict[str, str]:
    known = ["prefix"]
    if parts.scheme.startswith("rediss"):
        known += _TLS_OPTIONS
    if shape == "sentinel":
        known += _SENTINEL_OPTIONS
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    # `a?b` in a password is the likeliest cause of an option that is none.
    if (
        len(options) < len(pairs)
        or (parts.query and not pairs)
        or not all(name in known and (value or name in _SENTINEL_OPTIONS) for name, value in pairs)
    ):
        raise ConfigError(
            f"store.url: the options of {parts.scheme}:// are {', '.join(known)}, each once and"
            " with a value; write ? in a password as %3F"
        )
    if not _PREFIX.fullmatch(options.get("prefix", KEY_PREFIX)):
        raise ConfigError("store.url: prefix takes letters, digits and .:/_-, at most 64")
    return options


def _authority(netloc: str, shape: Shape) -> tuple[str | None, str | None, tuple[Address, ...]]:
    login, _, hosts = netloc.rpartition("@")
    user, separator, password = login.partition(":")
    found = [_HOST.fullmatch(host) for host in hosts.split(",")] if hosts else []
    nodes = tuple(
        (host["v6"] or host["name"], int(host["port"] or _PORTS[shape])) for host in found if host
    )
    if len(nodes) != len(found) or not all(0 < port < 65_536 for _, port in nodes):
        raise ConfigError("store.url: the Redis URL cannot be read: expected HOST or HOST:PORT")
    if shape == "single":
        if len(nodes) > 1:
            raise ConfigError("store.url: several hosts need redis+sentinel:// or redis+cluster://")
        nodes = nodes or (("localhost", _PORTS[shape]),)
    if not nodes:
        raise ConfigError(f"store.url: redis+{shape}:// needs a host")
    return unquote(user) or None, unquote(password) if separator else None, nodes


def _sentinel_credentials(options: dict[str, str], servers: Credentials) -> Credentials:
    """Those of the servers unless the URL says otherwise; an empty password: none is asked for."""
    if not options.keys() & set(_SENTINEL_OPTIONS):
        return servers
    user, password = map(options.get, _SENTINEL_OPTIONS)
    return Credentials(user or None, password or None)


def _tls(options: dict[str, str]) -> Tls:
    return Tls(
        ca=options.get("ssl_ca_certs"),
        certificate=options.get("ssl_certfile"),
        key=options.get("ssl_keyfile"),
    )
