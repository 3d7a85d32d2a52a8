from collections.abc import Iterator

import pytest

from tests.support.redis_server import RedisServer, start_redis


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests; each test takes a key prefix of its own."""
    with start_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server
