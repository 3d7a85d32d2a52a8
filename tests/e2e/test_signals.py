"""Being asked to end, at inconvenient moments."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import (
    COMMAND,
    GatewayProcess,
    child_environment,
    wait_until,
)
from tests.support.serving import write_spec
from tests.support.tools import DONE

# Far below the drain and fetch limits in here: who waits for those is caught.
PATIENCE = 15
STARTING = 45
ENDLESS = 600


@pytest.fixture
def never() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def configured(tmp_path: Path, echo: EchoUpstream, drain_seconds: float) -> str:
    spec = write_spec(tmp_path, {"/x": {"get": {"operationId": "getX", "responses": DONE}}})
    config = tmp_path / "gateway.yaml"
    config.write_text(
        f"server: {{port: 0, drain_seconds: {drain_seconds}}}\n"
        f"apis: [{{name: shop, spec: '{spec}', base_url: '{echo.url}', timeout_seconds: 500}}]\n"
    )
    return str(config)


def refuses(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as door:
        return door.connect_ex((parts.hostname, parts.port)) != 0


async def call_and(gateway: GatewayProcess, echo: EchoUpstream, *signals: signal.Signals) -> int:
    """The exit code after these signals, one by one, while a call waits for its upstream."""

    async def call() -> None:
        async with aiohttp.ClientSession() as http, http.post(f"{gateway.url}/tools/getX"):
            pass

    async with asyncio.timeout(PATIENCE):
        calling = asyncio.ensure_future(call())
        await asyncio.to_thread(wait_until, lambda: bool(echo.seen), "the call to arrive")
        for number in signals:
            gateway.process.send_signal(number)
            # Two signals at one moment would be one: the first is heard when the door is shut.
            await asyncio.to_thread(wait_until, lambda: refuses(gateway.url), "the end to begin")
        code = await asyncio.to_thread(gateway.process.wait)
        await asyncio.gather(calling, return_exceptions=True)
        return code


@pytest.mark.parametrize("drain_seconds", [0, 1])
async def test_calls_get_no_longer_than_the_drain(
    tmp_path: Path, never: threading.Event, drain_seconds: int
) -> None:
    with EchoUpstream() as echo:
        echo.answer = Answer(hold=never)
        config = configured(tmp_path, echo, drain_seconds)
        with GatewayProcess(config, directory=tmp_path) as gateway:
            assert await call_and(gateway, echo, signal.SIGTERM) == 0
            assert "Traceback" not in gateway.log
        never.set()  # or the API would wait for its own thread


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    tmp_path: Path, never: threading.Event, number: signal.Signals
) -> None:
    with EchoUpstream() as echo:
        echo.answer = Answer(hold=never)
        config = configured(tmp_path, echo, ENDLESS)
        with GatewayProcess(config, directory=tmp_path) as gateway:
            assert await call_and(gateway, echo, number, number) == 0
            assert "Traceback" not in gateway.log
        never.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_while_a_description_is_loading(
    tmp_path: Path, number: signal.Signals
) -> None:
    asked = asyncio.Event()

    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        str(COMMAND),
        *("serve", "--spec", f"a=http://127.0.0.1:{port}/x.json"),
        cwd=tmp_path,
        env=child_environment(),
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
            process.send_signal(number)
            _, errors = await process.communicate()
            await left.wait()
        assert (process.returncode, errors) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        server.close()


STUCK = """
import time
from gateway.sources import loading
times = iter(range(9))
read_file = loading.read_file
def read(path):
    if next(times) < {good}:
        return read_file(path)
    print("stuck", flush=True)
    time.sleep(600)
loading.read_file = read
from gateway.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "signals",
    # Two different ones: two alike at one moment would be one.
    [(signal.SIGTERM,), (signal.SIGTERM, signal.SIGINT)],
    ids=["once", "twice"],
)
async def test_r31_a_thread_that_is_stuck_at_the_start_does_not_hold_it_up(
    tmp_path: Path, signals: Sequence[signal.Signals]
) -> None:
    """As on a file system that hangs: no thread can be cancelled."""
    arguments = ("serve", "--spec", f"a={tmp_path / 'x.json'}")
    async with stuck(tmp_path, *arguments, good=0) as process:
        await until_stuck(process)
        for number in signals:
            process.send_signal(number)
        assert await process.wait() == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_r31_a_thread_that_is_stuck_later_does_not_either(
    tmp_path: Path, workers: int
) -> None:
    spec = write_spec(tmp_path, {"/x": {"get": {"operationId": "getX", "responses": DONE}}})
    config = tmp_path / "gateway.yaml"
    config.write_text(
        f"server: {{port: 0, drain_seconds: 0.5, workers: {workers}}}\n"
        f"apis: [{{name: shop, spec: '{spec}', base_url: 'http://127.0.0.1:1'}}]\n"
    )
    async with stuck(tmp_path, "serve", str(config), good=1) as process:
        assert process.stderr is not None
        while b"listening on" not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGHUP)
        await until_stuck(process)
        process.send_signal(signal.SIGTERM)
        log = (await process.stderr.read()).decode()
        assert await process.wait() == 0
        # It is not the supervisor that has lost patience.
        assert "it is killed" not in log
        assert log.count("something does not end, the process ends without it") >= 1


@asynccontextmanager
async def stuck(
    directory: Path, *arguments: str, good: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway that reads `good` descriptions and then no other one, ever."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STUCK.format(good=good), *arguments),
        cwd=directory,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(STARTING + PATIENCE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_stuck(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    assert await process.stdout.readline() == b"stuck\n"
