"""Several worker processes behind one port."""

import asyncio
import json
import os
import re
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess, run_command, wait_until
from tests.support.serving import write_spec
from tests.support.tools import DONE

PATIENCE = 30


def workers_of(gateway: GatewayProcess) -> Sequence[int]:
    """Process ids, from `/proc`."""
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children")
    return tuple(map(int, children.read_text().split()))


def start(
    directory: Path, echo: EchoUpstream, *, workers: int = 2, settings: str = "timeout_seconds: 60"
) -> GatewayProcess:
    spec = write_spec(directory, {"/x": {"get": {"operationId": "getX", "responses": DONE}}})
    (directory / "gateway.yaml").write_text(
        f"server: {{workers: {workers}, drain_seconds: 2}}\n"
        f"apis: [{{name: shop, spec: '{spec}', base_url: '{echo.url}', {settings}}}]\n"
    )
    return GatewayProcess("gateway.yaml", directory=directory)


async def status_of(gateway: GatewayProcess, path: str) -> tuple[int, dict[str, object]]:
    """On a connection of its own, so that any worker may answer."""
    async with aiohttp.ClientSession() as http, http.get(f"{gateway.url}{path}") as response:
        return response.status, json.loads(await response.read())


async def until_ready(gateway: GatewayProcess) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await status_of(gateway, "/readyz"))[0] != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_all_workers_serve_and_one_that_dies_is_replaced(
    tmp_path: Path, echo: EchoUpstream
) -> None:
    with start(tmp_path, echo) as gateway:
        first = workers_of(gateway)
        assert len(first) == 2
        await until_ready(gateway)
        os.kill(first[0], signal.SIGKILL)
        # The other one goes on, and says that not everything is as it should be.
        async with asyncio.timeout(PATIENCE):
            while (await status_of(gateway, "/readyz"))[0] == 200:
                assert (await status_of(gateway, "/apis/shop/x"))[0] == 200
        await until_ready(gateway)
        second = workers_of(gateway)
        assert len(second) == 2
        assert first[0] not in second
        assert first[1] in second
        assert gateway.log.count("listening on") == 1
        assert gateway.stop(signal.SIGTERM) == 0
    assert "has ended with -9" in gateway.log
    assert not any(_is_alive(pid) for pid in (*first, *second))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_r31_one_worker_that_is_ended_takes_nobody_else_along(
    tmp_path: Path, echo: EchoUpstream, number: signal.Signals
) -> None:
    """The socket that refuses newcomers at the end is that of all workers."""
    with start(tmp_path, echo) as gateway:
        await until_ready(gateway)
        one = workers_of(gateway)[0]
        os.kill(one, number)
        await asyncio.to_thread(wait_until, lambda: not _is_alive(one), "the worker to have ended")
        async with asyncio.timeout(PATIENCE):
            await until_ready(gateway)
            for _ in range(20):
                assert (await status_of(gateway, "/apis/shop/x"))[0] == 200
        assert gateway.stop() == 0
    assert "has ended with 0" in gateway.log


async def test_one_session_on_every_worker(tmp_path: Path, echo: EchoUpstream) -> None:
    """What one worker has signed, without a key in the configuration, the other believes."""
    head = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    with start(tmp_path, echo) as gateway:
        url = f"{gateway.url}/mcp"
        async with aiohttp.ClientSession() as http, http.post(url, json=hello, headers=head) as it:
            session = it.headers["Mcp-Session-Id"]
        head |= {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        # Each on a connection of its own: both workers will have had some.
        for _ in range(20):
            async with (
                aiohttp.ClientSession() as http,
                http.post(url, json=ask, headers=head) as answer,
            ):
                assert answer.status == 200
        assert gateway.stop() == 0


async def test_the_supervisors_death_ends_the_workers(
    tmp_path: Path, echo: EchoUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "own"))
    with start(tmp_path, echo) as gateway:
        workers = workers_of(gateway)
        gateway.kill()
        wait_until(lambda: not any(_is_alive(pid) for pid in workers), "the workers to have ended")


def _is_alive(pid: int) -> bool:
    """An orphan that nobody waits for is a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_to_the_whole_group_is_one_signal(
    tmp_path: Path, echo: EchoUpstream, number: signal.Signals
) -> None:
    """As a terminal and some service managers send it: nobody is hurried by that."""
    release = threading.Event()
    echo.answer = Answer(hold=release)
    with start(tmp_path, echo) as gateway:
        asking = asyncio.ensure_future(status_of(gateway, "/apis/shop/x"))
        await asyncio.to_thread(wait_until, lambda: bool(echo.seen), "the call to arrive")
        for pid in (*workers_of(gateway), gateway.process.pid):
            os.kill(pid, number)
        release.set()
        assert (await asking)[0] == 200
        assert gateway.process.wait(PATIENCE) == 0


def test_what_is_wrong_for_all_is_told_once(tmp_path: Path) -> None:
    done = run_command(
        *("serve", "--port", "0", "--workers", "3", "--spec", "a=none.json"), directory=tmp_path
    )
    assert done.code == 2
    assert done.stderr.count("none.json") == 1


async def test_sighup_reaches_every_worker(tmp_path: Path, echo: EchoUpstream) -> None:
    with start(tmp_path, echo) as gateway:
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: gateway.log.count("reading every description again") == 2, "both to read"
        )


async def test_a_worker_that_is_started_again_has_the_present_configuration(
    tmp_path: Path, echo: EchoUpstream
) -> None:
    with start(tmp_path, echo) as gateway:
        file = tmp_path / "gateway.yaml"
        file.write_text(file.read_text().replace("name: shop", "name: store"))
        async with asyncio.timeout(PATIENCE):
            same = 0
            while same < 10:
                same = same + 1 if (await status_of(gateway, "/apis/store/x"))[0] == 200 else 0
        for pid in workers_of(gateway):
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    assert (await status_of(gateway, "/apis/store/x"))[0] == 200
                    break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize("workers", [1, 2])
async def test_s92_probes_have_a_door_of_their_own(
    tmp_path: Path, echo: EchoUpstream, workers: int
) -> None:
    with start(tmp_path, echo, workers=workers) as gateway:
        gateway.stop()
        file = tmp_path / "gateway.yaml"
        file.write_text(
            file.read_text().replace("{workers", "{probe_listen: '127.0.0.1:0', workers")
        )
        gateway.start()
        wait_until(lambda: "answering probes on" in gateway.log, "the other door")
        (door,) = re.findall(r"answering probes on (http://\S+)", gateway.log)
        async with aiohttp.ClientSession(headers={"Host": "10.1.2.3"}) as http:

            async def status(path: str) -> int:
                async with http.get(f"{door}{path}") as response:
                    return response.status

            async with asyncio.timeout(PATIENCE):
                while await status("/readyz") != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert [await status(path) for path in ("/healthz", "/metrics")] == [200, 200]
            closed = ("/", "/tools", "/apis/shop/x", "/admin/debug", "/mcp", "/contexts")
            assert {await status(path) for path in closed} == {404}
            gateway.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                while await status("/readyz") != 503:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert await status("/healthz") == 200
        assert gateway.process.wait(PATIENCE) == 0


async def test_a_large_result_is_there_on_every_worker(tmp_path: Path, echo: EchoUpstream) -> None:
    text = "x" * 200_000
    echo.answer = Answer(headers=(("Content-Type", "text/plain"),), body=[text.encode()])
    with start(tmp_path, echo, settings="max_response_bytes: 1000") as gateway:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{gateway.url}/tools/getX", json={}) as answer,
        ):
            handle = json.loads(await answer.read())["rest"]["handle"]
        for _ in range(12):
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{gateway.url}/results/{handle}") as answer,
            ):
                assert (answer.status, await answer.text()) == (200, text)
        assert gateway.stop() == 0
