import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Certificates, make_certificates
from tests.support.redis_server import RedisServer, free_port, start_redis
from tests.support.redis_topologies import ClusterTrio, SentinelTrio, ask, started
from tests.support.tls_front import tls_front

USER, PASSWORD = "gateway", "an ACL user's"
_DOCUMENTED = re.compile(r"^ACL SETUSER gateway on >PASSWORD (.*)$", re.MULTILINE)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests; each test takes a key prefix of its own."""
    with start_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def least_rights() -> tuple[str, ...]:
    """What the documentation tells people to grant, and no more."""
    page = Path(__file__).parents[2] / "docs" / "stores.md"
    found = _DOCUMENTED.search(page.read_text())
    assert found is not None
    return tuple(found[1].split())


@pytest.fixture(scope="session")
def redis_user(redis_server: RedisServer, least_rights: tuple[str, ...]) -> str:
    """The server's URL for a user with the least rights, who may use `ocp-gateway:` keys alone."""
    ask(redis_server.port, "ACL", "SETUSER", USER, "on", f">{PASSWORD}", *least_rights)
    return f"redis://{USER}:an%20ACL%20user's@127.0.0.1:{redis_server.port}/0"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def redis_tls(redis_server: RedisServer, certificates: Certificates) -> Iterator[str]:
    """The server's URL over TLS."""
    port = free_port()
    with tls_front(redis_server.port, port, certificates):
        yield f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificates.authority}"


@pytest.fixture(scope="session")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelTrio]:
    with started(SentinelTrio(tmp_path_factory.mktemp("sentinel"))) as trio:
        yield trio


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterTrio]:
    with started(ClusterTrio(tmp_path_factory.mktemp("cluster"))) as trio:
        yield trio
