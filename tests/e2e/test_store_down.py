"""A store that is down in any way costs the calls nothing but their record."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.e2e.conftest import tracker_arguments
from tests.support.echo_upstream import EchoUpstream
from tests.support.faulty_redis import CLOSE, SILENCE, faulty_redis
from tests.support.gateway_process import PATIENCE_SECONDS, GatewayProcess
from tests.support.ocp import history, read_session
from tests.support.plain_http import call_tool
from tests.support.redis_server import RedisServer

CALLS = 100
PER_SECOND_OPEN = 10
"""Commands that a trial may cost, connection set-up included; there is one trial a second."""

FAULTS = {
    "silent": SILENCE,
    "hangs up": CLOSE,
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "no auth": b"-NOAUTH Authentication required.\r\n",
    "read only": b"-READONLY You can't write against a read only replica.\r\n",
    "out of memory": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "cannot persist": b"-MISCONF Redis is configured to save RDB snapshots\r\n",
    "cluster moved": b"-MOVED 3999 127.0.0.1:1\r\n",
    "no protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}


async def readiness(http: aiohttp.ClientSession, gateway: GatewayProcess) -> dict[str, object]:
    async with http.get(f"{gateway.url}/readyz") as ready:
        assert ready.status == 200
        answer: dict[str, object] = json.loads(await ready.read())
        return answer


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_calls_go_on_and_the_store_is_hardly_asked(
    echo: EchoUpstream,
    shared_redis: RedisServer,
    tmp_path: Path,
    http: aiohttp.ClientSession,
    fault: bytes,
) -> None:
    headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
    async with faulty_redis(shared_redis.port) as redis:
        store = ("--store", f"redis://127.0.0.1:{redis.port}/0")
        with GatewayProcess(*tracker_arguments(echo), *store, directory=tmp_path) as gateway:

            async def call() -> object:
                what = {"project": "gate"}
                answer = await call_tool(http, gateway.url, "issuesList", what, headers)
                assert answer["status"] == 200
                return answer["recorded"]

            assert await call() is True
            redis.fault = fault
            started = asyncio.get_running_loop().time()
            # Without a breaker, a silent store alone would take longer than this waits.
            async with asyncio.timeout(PATIENCE_SECONDS):
                outcomes = [await call() for _ in range(CALLS)]
            assert outcomes == [False] * CALLS
            seconds = asyncio.get_running_loop().time() - started
            assert len(redis.played) <= PER_SECOND_OPEN * (3 + seconds)
            assert await readiness(http, gateway) == {
                "status": "degraded",
                "reason": "context store unavailable",
                "unrecorded": {"store_down": CALLS},
            }
            redis.fault = None
            missed = CALLS
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await call():
                    missed += 1
            assert await readiness(http, gateway) == {
                "status": "ok",
                "unrecorded": {"store_down": missed},
            }
            await call()
    entry = ("tool_call:issuesList", "GET /projects/{project}/issues", "HTTP 200")
    assert history(read_session(echo.last)) == [entry, entry]
    assert f"the context store works again; calls not recorded meanwhile: {missed}" in gateway.log


async def test_a_store_that_says_nothing_delays_few_of_many_at_once(
    echo: EchoUpstream, shared_redis: RedisServer, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    async with faulty_redis(shared_redis.port) as redis:
        store = ("--store", f"redis://127.0.0.1:{redis.port}/0")
        with GatewayProcess(*tracker_arguments(echo), *store, directory=tmp_path) as gateway:

            async def call() -> object:
                headers = {"OCP-Context-ID": f"ocp-{uuid4().hex}"}
                what = {"project": "gate"}
                return (await call_tool(http, gateway.url, "issuesList", what, headers))["recorded"]

            assert await call() is True
            redis.fault = SILENCE
            async with asyncio.timeout(PATIENCE_SECONDS):
                for _ in range(20):
                    assert set(await asyncio.gather(*(call() for _ in range(20)))) == {False}
            answered = await readiness(http, gateway)
    assert (answered["status"], answered["unrecorded"]) == ("degraded", {"store_down": 400})
    assert gateway.log.count("calls go on and are not recorded") <= 3
