"""What a newcomer would write with aiohttp: the yardsticks.

`python -m benchmarks.bare handler` parses a JSON body and answers JSON, nothing else.
`python -m benchmarks.bare proxy URL` passes requests on to URL and streams the answers back.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import aiohttp
import orjson
import uvloop
from aiohttp import web

_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"}


async def handle(request: web.Request) -> web.Response:
    message = orjson.loads(await request.read())
    return web.Response(
        body=orjson.dumps({"id": message.get("id"), "result": {"content": [], "isError": False}}),
        content_type="application/json",
    )


def proxy(base_url: str) -> web.Application:
    async def pass_on(request: web.Request) -> web.StreamResponse:
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP]
        async with request.app[session].request(
            request.method,
            base_url + request.raw_path,
            headers=headers,
            data=request.content if request.can_read_body else None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    response.headers.add(name, value)
            response.content_length = answer.content_length
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response

    session = web.AppKey("session", aiohttp.ClientSession)

    async def keep_session(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as app[session]:
            yield

    app = web.Application()
    app.cleanup_ctx.append(keep_session)
    app.router.add_route("*", "/{path:.*}", pass_on)
    return app


def handler() -> web.Application:
    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    return app


async def serve(app: web.Application) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    chosen = handler() if sys.argv[1] == "handler" else proxy(sys.argv[2])
    uvloop.run(serve(chosen))
