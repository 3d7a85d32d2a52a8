"""A conversation over stdio begins before the descriptions are there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.support.gateway_process import COMMAND, child_environment
from tests.support.mcp_core import encoded, message, modern_message
from tests.support.tools import DONE

PATIENCE = 30
DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Slow", "version": "1"},
    "servers": [{"url": "http://127.0.0.1:9"}],
    "paths": {"/x": {"get": {"operationId": "getX", "responses": DONE}}},
}


@asynccontextmanager
async def slow_description(release: asyncio.Event) -> AsyncIterator[str]:
    """The URL of a description that is not answered before `release`."""

    async def answer(_: web.Request) -> web.Response:
        await release.wait()
        return web.json_response(DESCRIPTION)

    app = web.Application()
    app.router.add_get("/slow.json", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slow.json"
    finally:
        await runner.cleanup()


async def ask(child: asyncio.subprocess.Process, value: object) -> None:
    assert child.stdin
    child.stdin.write(encoded(value) + b"\n")
    await child.stdin.drain()


async def hear(child: asyncio.subprocess.Process) -> dict[str, object]:
    assert child.stdout
    async with asyncio.timeout(PATIENCE):
        answer = json.loads(await child.stdout.readline())
    assert isinstance(answer, dict)
    return answer


async def test_the_probe_is_answered_while_a_description_is_on_its_way(tmp_path: Path) -> None:
    release = asyncio.Event()
    async with slow_description(release) as url:
        child = await asyncio.create_subprocess_exec(
            str(COMMAND),
            *("stdio", "--spec", f"slow={url}", "--store", "memory://"),
            cwd=tmp_path,
            env=child_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await ask(child, modern_message("server/discover"))
        assert "result" in await hear(child)
        await ask(child, modern_message("tools/list", request_id=2))
        release.set()
        answer = await hear(child)
        assert answer["id"] == 2
        result = answer["result"]
        assert isinstance(result, dict)
        assert [tool["name"] for tool in result["tools"]] == ["getX"]
        assert child.stdin
        child.stdin.close()
        async with asyncio.timeout(PATIENCE):
            assert await child.wait() == 0


async def test_a_description_that_cannot_be_read_ends_the_conversation(tmp_path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        str(COMMAND),
        *("stdio", "--spec", "gone=missing.json", "--store", "memory://"),
        cwd=tmp_path,
        env=child_environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await ask(child, message("initialize", {"protocolVersion": "2025-11-25"}))
    assert child.stderr
    async with asyncio.timeout(PATIENCE):
        said = await child.stderr.read()
        assert await child.wait() == 2
    assert b"missing.json" in said
    assert b"Traceback" not in said
