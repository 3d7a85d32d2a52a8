"""The steps of a drain that are too short to be seen from outside (tests/e2e/test_draining.py)."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from aiohttp import web

from gateway.server.draining import Draining
from gateway.wiring.draining import Pace, drain, prompt, unhurried
from gateway.wiring.listening import BACKLOG, bind

PATIENCE = 20
HASTY = Pace(calls=PATIENCE, lead=0.0, quiet=0.0, last_call=0.0)


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_r31_whoever_has_connected_is_accepted_however_late_the_loop_is() -> None:
    """The event loop has not turned once between their connecting and the drain."""
    app, draining = web.Application(), Draining()
    app.router.add_get("/", hello)
    app.on_response_prepare.append(draining.tell)
    runner = web.AppRunner(app)
    await runner.setup()
    doors = bind("127.0.0.1", 0)
    await web.SockSite(runner, doors[0], backlog=BACKLOG).start()
    with ExitStack() as held:
        callers = [
            held.enter_context(socket.create_connection(doors[0].getsockname())) for _ in range(3)
        ]
        for caller in callers:
            caller.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await drain(runner, doors, draining, HASTY, is_for_all=lambda: True)
        for caller in callers:
            caller.settimeout(PATIENCE)
            assert caller.recv(65_536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("pace", [unhurried, prompt], ids=["unhurried", "prompt"])
@pytest.mark.parametrize(
    ("whole", "calls"), [(0.0, 0.0), (1.0, 0.8), (5.0, 4.0), (25.0, 24.0)], ids=str
)
def test_r31_what_is_cut_has_time_to_end_in(
    whole: float, calls: float, pace: Callable[[float], Pace]
) -> None:
    assert pace(whole).calls == pytest.approx(calls)
