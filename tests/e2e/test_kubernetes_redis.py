"""The central gateway of config/kubernetes as it is written there, against a Redis as it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.echo_upstream import EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.support.manifests import Manifests, read_directory, table
from tests.support.pages import DOCS, ROOT
from tests.support.redis_server import RedisServer

PASSWORD = "0123456789abcdef"  # noqa: S105 - of a server of this test


@pytest.fixture(scope="module")
def manifests() -> Manifests:
    return read_directory(ROOT / "config" / "kubernetes" / "central")


@pytest.fixture
def redis(manifests: Manifests, tmp_path: Path) -> Iterator[RedisServer]:
    """With the settings of its ConfigMap and the user that the page makes."""
    page = (DOCS / "kubernetes.md").read_text()
    users = re.search(r"<<END\n(.*?)^ *END$", page, re.MULTILINE | re.DOTALL)
    assert users is not None
    file = tmp_path / "users.acl"
    lines = (line.strip() for line in users[1].splitlines())
    file.write_text("\n".join(lines).replace("$password", PASSWORD) + "\n")
    settings = str(table(manifests.named("ConfigMap", "ocp-gateway-redis")["data"])["redis.conf"])
    taken = [line for line in settings.splitlines() if line.split()[0] not in ("port", "dir")]
    words = [word for line in taken for word in f"--{line}".split()]
    words[words.index("--aclfile") + 1] = str(file)
    server = RedisServer(tmp_path / "redis", *[word.strip('"') for word in words])
    with server:
        server.start()
        yield server


@pytest.fixture
def gateway(
    manifests: Manifests, redis: RedisServer, echo: EchoUpstream, tmp_path: Path
) -> Iterator[GatewayProcess]:
    url = f"redis://gateway:{PASSWORD}@127.0.0.1:{redis.port}/0"
    manifests.load_config(tmp_path, url)
    # What the pod's network gives in a cluster.
    moved = ("--host", "127.0.0.1", "--base-url", f"library={echo.url}")
    file = tmp_path / "gateway.yaml"
    file.write_text(re.sub(r"probe_listen: \S+", "probe_listen: 127.0.0.1:0", file.read_text()))
    with GatewayProcess(str(file), *moved, directory=tmp_path) as process:
        yield process


async def test_a_call_with_a_key_is_recorded_with_the_rights_that_the_page_gives(
    gateway: GatewayProcess, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    key = next((tmp_path / "secrets").glob("agents-key")).read_text()
    headers = {"Authorization": f"Bearer {key}", "Host": "ocp-gateway.ocp-gateway.svc"}
    call = {"bookId": "dune"}
    async with http.post(f"{gateway.url}/tools/getBook", json=call, headers=headers) as answer:
        called = await answer.json()
    context = f"{gateway.url}/contexts/{called['context_id']}"
    async with http.get(context, headers=headers) as answer:
        kept = await answer.json()
    async with http.post(f"{gateway.url}/tools/getBook", json=call) as refused:
        pass

    assert (called["isError"], called["recorded"], refused.status) == (False, True, 401)
    assert kept["session"]["interaction_count"] == 1
    assert not re.search(r" (warning|error|critical) |Traceback", gateway.log), gateway.log


async def test_s92_kubelet_and_prometheus_need_no_key_on_the_port_for_probes(
    gateway: GatewayProcess, http: aiohttp.ClientSession
) -> None:
    probes = re.search(r"answering probes on (http://\S+)", gateway.log)
    assert probes is not None
    pod = {"Host": "10.1.2.3:8081"}
    statuses = {}
    for path in ("/healthz", "/readyz", "/metrics", "/tools", "/admin/debug"):
        async with http.get(f"{probes[1]}{path}", headers=pod) as answer:
            statuses[path] = answer.status

    expected = {"/healthz": 200, "/readyz": 200, "/metrics": 200}
    assert statuses == {**expected, "/tools": 404, "/admin/debug": 404}
