"""An API that talks while it works: it reports, logs, asks, and then answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.asking import INTERACTION, form, lines

_DONE = {"200": {"description": "ok", "content": {"application/json": {}}}}
PATHS: Mapping[str, object] = {
    "/items/{id}": {
        "get": {
            "operationId": "readItem",
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ],
            "responses": _DONE,
        }
    },
    "/talk": {"post": {"operationId": "talk", "responses": _DONE}},
    "/ask": {"post": {"operationId": "ask", "responses": _DONE}},
    "/hang": {"post": {"operationId": "hang", "responses": _DONE}},
}


@asynccontextmanager
async def asking_api(hangs: asyncio.Semaphore | None = None) -> AsyncIterator[str]:
    """Its base URL. `hangs` is released when a call has begun to hang."""

    async def hang(_: web.Request) -> web.Response:
        if hangs is not None:
            hangs.release()
        await asyncio.Event().wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/items/{id}", _read_item)
    app.router.add_post("/talk", _talk)
    app.router.add_post("/ask", _ask)
    app.router.add_post("/hang", hang)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _read_item(request: web.Request) -> web.Response:
    return web.json_response({"id": request.match_info["id"]})


async def _talk(_: web.Request) -> web.Response:
    said = [
        {"type": "progress", "progress": 1, "total": 2},
        {"type": "log", "level": "debug", "data": "quiet"},
        {"type": "log", "level": "error", "data": "loud"},
        {"type": "result", "json": "done"},
    ]
    return web.Response(body=lines(*said), content_type=INTERACTION)


async def _ask(request: web.Request) -> web.Response:
    body = await request.read()
    asked = json.loads(body) if body else {}
    if isinstance(asked, dict) and asked.get("type") == "continue":
        last = {"type": "result", "json": asked["responses"]}
    else:
        last = {"type": "input_required", "requests": {"name": form()}, "state": {"step": 1}}
    return web.Response(body=lines(last), content_type=INTERACTION)
