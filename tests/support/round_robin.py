"""An HTTP proxy that sends each request to the next server, over a connection of its own.

What a balancer in front of replicas does to a client at its worst.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass(slots=True)
class RoundRobin:
    """`servers`: the URLs that take turns. `served`: how many requests each has answered."""

    servers: list[str]
    url: str = ""
    served: dict[str, int] = field(default_factory=dict)

    def next(self) -> str:
        server = self.servers.pop(0)
        self.servers.append(server)
        return server

    def remove(self, server: str) -> None:
        self.servers.remove(server)


@asynccontextmanager
async def round_robin(servers: Sequence[str]) -> AsyncIterator[RoundRobin]:
    proxy = RoundRobin(list(servers))

    async def relay(request: web.Request) -> web.StreamResponse:
        server = proxy.next()
        head = [(n, v) for n, v in request.headers.items() if n.lower() not in _HOP_BY_HOP]
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as client,
            client.request(
                request.method, server + request.raw_path, headers=head, data=await request.read()
            ) as answer,
        ):
            proxy.served[server] = proxy.served.get(server, 0) + 1
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", relay)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield proxy
    finally:
        await runner.cleanup()
