"""From what a store's URL says to Redis servers that can be spoken to."""

import logging
from collections.abc import Sequence

from redis.exceptions import RedisError

from gateway.stores.redis_cluster import ClusterServers
from gateway.stores.redis_connections import (
    OPERATION_SECONDS,
    Access,
    RedisServers,
    Words,
)
from gateway.stores.redis_sentinel import SENTINEL_SECONDS, SentinelServers
from gateway.stores.redis_urls import RedisAddress, read_redis_url

_LOG = logging.getLogger(__name__)


def connect(address: RedisAddress | str) -> RedisServers:
    """Nothing is connected yet. A URL that cannot be read is a ConfigError."""
    read = read_redis_url(address) if isinstance(address, str) else address
    return FirstLook(_servers(read))


def connect_beside(
    address: RedisAddress, *, blocking_seconds: float = 0.0, connections: int | None = None
) -> RedisServers:
    """Further connections to servers whose settings somebody else looks at.

    `connections`: at most so many to one server. Commands may wait there for `blocking_seconds`.
    """
    return _servers(address, blocking_seconds, connections)


def _servers(
    address: RedisAddress, blocking_seconds: float = 0.0, connections: int | None = None
) -> RedisServers:
    access = Access(
        credentials=address.credentials,
        tls=address.tls,
        seconds=OPERATION_SECONDS,
        blocking_seconds=blocking_seconds,
        connections=connections,
        database=address.database,
    )
    match address.shape:
        case "single":
            return access.to(address.nodes[0])
        case "cluster":
            return ClusterServers(address.nodes, access.to)
        case "sentinel":
            asking = Access(
                credentials=address.sentinel_credentials, tls=address.tls, seconds=SENTINEL_SECONDS
            )
            sentinels = [asking.to(node) for node in address.nodes]
            return SentinelServers(sentinels, address.service, access.to)


class FirstLook:
    """Around servers: says once, in the log, what their settings mean for what is stored."""

    def __init__(self, servers: RedisServers) -> None:
        self._servers = servers
        self._looked = False

    async def run(self, commands: Sequence[Words]) -> list[object]:
        answers = await self._servers.run(commands)
        if not self._looked and not any(isinstance(answer, RedisError) for answer in answers):
            self._looked = True
            await self._look()
        return answers

    async def aclose(self) -> None:
        await self._servers.aclose()

    async def _look(self) -> None:
        [answer] = await self._servers.run([("INFO",)])
        # Not permitted, or another server's dialect: there is nothing to say.
        lines = answer.split(b"\r\n") if isinstance(answer, bytes) else []
        if b"aof_enabled:0" in lines:
            _LOG.warning("an acknowledged update may be lost when Redis ends: appendonly is off")
        bounded = any(line.startswith(b"maxmemory:") and line[10:] != b"0" for line in lines)
        if bounded and b"maxmemory_policy:noeviction" not in lines:
            _LOG.warning("Redis may drop contexts when it is full: maxmemory-policy evicts keys")
