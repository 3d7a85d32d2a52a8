"""Every store that a test can be run over, and how time passes for it."""

from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from tests.support.redis_server import RedisServer
from tests.support.redis_topologies import ClusterTrio, SentinelTrio

REDIS = ["redis", "redis_user", "redis_tls", "sentinels", "cluster"]


@dataclass
class Clock:
    """The store's clock, as far as a test can move it."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def redis_of(request: pytest.FixtureRequest, shape: str) -> tuple[str, list[int]]:
    """The URL of a store, and the ports of the servers that hold its keys."""
    if shape == "cluster":
        cluster: ClusterTrio = request.getfixturevalue("cluster")
        return cluster.url, [node.port for node in cluster.nodes]
    if shape == "sentinels":
        trio: SentinelTrio = request.getfixturevalue("sentinels")
        return trio.url, [trio.master().port]
    server: RedisServer = request.getfixturevalue("redis_server")
    url: str = server.url if shape == "redis" else request.getfixturevalue(shape)
    return url, [server.port]


async def age_redis(port: int, prefix: str, seconds: float) -> None:
    """Takes seconds from what every key has left to live, and from the indexes' expiry times."""
    milliseconds = round(seconds * 1000)
    async with Redis(port=port) as client:
        for key in [key async for key in client.scan_iter(f"{prefix}*")]:
            if await client.type(key) == b"zset":
                for member in await client.zrange(key, 0, -1):
                    assert isinstance(member, bytes)
                    await client.zincrby(key, -milliseconds, member)
            left = await client.pttl(key)
            assert left > 0, "every key expires"
            await client.pexpire(key, left - milliseconds)
