"""The fixture API and the real gateway in front of it: `PORT=8000 tests/conformance/run`.

`WORKERS=4` has so many processes answer, which share a SQLite file.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from aiohttp import web

from tests.conformance.upstream import make_app
from tests.support.gateway_process import COMMAND

HERE = Path(__file__).parent
_HOST = "127.0.0.1"
_FILES = ("openapi.yaml", "gateway.yaml", "pixel.png")


async def stand(port: int, workers: int) -> int:
    """Serve until SIGTERM or SIGINT, or until the gateway ends; what to exit with.

    Prints where to find the gateway's MCP endpoint. Port 0 is a free one.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    with tempfile.TemporaryDirectory(prefix="ocp-conformance-") as name:
        directory = Path(name)
        for file in _FILES:
            shutil.copy(HERE / file, directory)
        async with _serve_api(directory / "openapi.yaml") as api_url:
            store = "memory://" if workers == 1 else f"sqlite:///{directory}/contexts.db"
            arguments = ("--port", str(port), "--workers", str(workers), "--store", store)
            return await _serve_gateway(directory, api_url, arguments, told)


@contextlib.asynccontextmanager
async def _serve_api(description: Path) -> AsyncIterator[str]:
    runner = web.AppRunner(make_app(description), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, _HOST, 0).start()
        yield f"http://{_HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _serve_gateway(
    directory: Path, api_url: str, arguments: Sequence[str], told: asyncio.Event
) -> int:
    gateway = await asyncio.create_subprocess_exec(
        COMMAND,
        *("serve", "gateway.yaml", "--base-url", f"everything={api_url}", *arguments),
        cwd=directory,
        env=_environment(),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
        # A group of its own: Ctrl-C reaches this process, which then ends the gateway.
        process_group=0,
    )
    async with asyncio.TaskGroup() as group:
        relay = group.create_task(_relay(gateway))
        stop = group.create_task(_stop_when(told, gateway))
        code = await gateway.wait()
        await relay
        stop.cancel()
    return 0 if told.is_set() else code or 1


def _environment() -> Mapping[str, str]:
    """Without what would change the configuration under test."""
    environment = os.environ  # noqa: TID251 - the tests' own environment, not the product's
    return {name: text for name, text in environment.items() if not name.startswith("OCP_GATEWAY")}


async def _relay(gateway: Process) -> None:
    """Pass the gateway's log on, and say when it accepts connections."""
    assert gateway.stderr is not None
    async for line in gateway.stderr:
        sys.stderr.buffer.write(line)
        sys.stderr.flush()
        _, announced, url = line.decode(errors="replace").partition("listening on ")
        if announced:
            sys.stdout.write(f"listening on {url.split()[0].rstrip('/')}/mcp\n")
            sys.stdout.flush()


async def _stop_when(told: asyncio.Event, gateway: Process) -> None:
    await told.wait()
    with contextlib.suppress(ProcessLookupError):
        # As at a terminal: no load balancer has to hear of it first.
        gateway.send_signal(signal.SIGINT)


if __name__ == "__main__":
    wishes = os.environ  # noqa: TID251 - as above
    sys.exit(asyncio.run(stand(int(wishes.get("PORT") or 0), int(wishes.get("WORKERS") or 1))))
