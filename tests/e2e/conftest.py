import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.dialogues import TRACKER
from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.planting import plant
from tests.support.redis_server import RedisServer, start_redis


@pytest.fixture
def echo() -> Iterator[EchoUpstream]:
    with EchoUpstream() as upstream:
        yield upstream


@pytest.fixture
def gateway(echo: EchoUpstream, tmp_path: Path) -> Iterator[GatewayProcess]:
    """The tracker description in front of `echo`, with a SQLite store."""
    with GatewayProcess(*tracker_arguments(echo), directory=tmp_path) as process:
        yield process


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Each of its requests carries a secret that the gateway must not keep."""
    secret = {"Authorization": f"Bearer {plant('every-request')}"}
    async with aiohttp.ClientSession(auto_decompress=False, headers=secret) as session:
        yield session


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with start_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may kill."""
    with start_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of ours that refuses connections: bound, so that nobody else takes it."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def tracker_arguments(echo: EchoUpstream) -> tuple[str, ...]:
    return ("--spec", f"tracker={TRACKER.description}", "--base-url", f"tracker={echo.url}")
