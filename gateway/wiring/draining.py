"""The end of a server: off the list, out of the door, finish, cut."""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from gateway.server.draining import Connections, Draining, has_unread
from gateway.wiring.listening import refuse_new

_LOG = logging.getLogger("gateway")

LEAD_SECONDS = 3.0
LEAD_SHARE = 0.2
"""Of the whole drain: while it still accepts, so that load balancers learn of it."""
QUIET_SECONDS = 1.0
QUIET_SHARE = 0.1
LAST_CALL_SECONDS = 0.1
"""For callers who are connecting while the door is being shut: a round trip or two."""
CUT_SECONDS = 1.0
CUT_SHARE = 0.2
"""Of the whole drain: for the end of what is cut, and of the process."""
FIRST_LOOK_SECONDS = 0.002
LOOK_SECONDS = 0.05
MOST_LOOKS = 50
"""Where no more connections can be accepted the queue stays as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds: `calls` until what is left is cut; `lead` while it goes on accepting.

    A kept connection is closed unannounced when it was idle for `quiet`.
    """

    calls: float
    lead: float
    quiet: float
    last_call: float


def unhurried(seconds: float) -> Pace:
    """For a drain that nobody shall notice, within so many seconds."""
    return Pace(
        calls=_but_for_cutting(seconds),
        lead=min(seconds * LEAD_SHARE, LEAD_SECONDS),
        quiet=min(seconds * QUIET_SHARE, QUIET_SECONDS),
        last_call=min(seconds * QUIET_SHARE, LAST_CALL_SECONDS),
    )


def prompt(seconds: float) -> Pace:
    """For somebody who waits at a terminal: what is under way ends, nothing else is waited for."""
    return Pace(calls=_but_for_cutting(seconds), lead=0.0, quiet=0.0, last_call=0.0)


def _but_for_cutting(seconds: float) -> float:
    return seconds - min(seconds * CUT_SHARE, CUT_SECONDS)


async def drain(
    runner: web.AppRunner,
    doors: Sequence[socket.socket],
    draining: Draining,
    pace: Pace,
    *,
    is_for_all: Callable[[], bool],
) -> None:
    """Ends a server that listens on `doors` so that no caller loses a request.

    Answers carry `Connection: close` from the beginning; the listening sockets are closed when the
    connections in their queues have been accepted; streams of the gateway's own end as their
    protocol says; what still runs when `pace` is over is cut, and seen to be. `is_for_all`: whether
    no other process goes on listening on `doors`; asked when they are shut.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + pace.calls
    draining.begin()
    await asyncio.sleep(pace.lead)
    await _shut(runner, doors, pace, is_for_all=is_for_all())
    # Streams that end before would be opened again right here.
    await runner.shutdown()
    if runner.server is not None:
        connections = Connections(runner.server)
        await _until_empty(connections, end=end, quiet=pace.quiet)
        if connections:
            _LOG.warning("%d connections are cut at the end of the drain", len(connections))
            connections.cut()
        end = loop.time() + CUT_SECONDS
        await _until_empty(connections, end=end, quiet=0.0)
    with suppress(TimeoutError):
        async with asyncio.timeout_at(end):
            await runner.cleanup()


async def _shut(
    runner: web.AppRunner, doors: Sequence[socket.socket], pace: Pace, *, is_for_all: bool
) -> None:
    # It is the socket that refuses, in whichever process it is.
    for sock in doors if is_for_all else ():
        refuse_new(sock)
    await asyncio.sleep(pace.last_call)
    # The loop accepts what is in the queues. One that was held up is late with that: it may look
    # at its timers first.
    for _ in range(MOST_LOOKS):
        if not any(map(has_unread, doors)):
            break
        await asyncio.sleep(FIRST_LOOK_SECONDS)
    # What was accepted last becomes a connection some turns later, for which asyncio needs a server
    # that is open, and only then it is waited for.
    await asyncio.sleep(FIRST_LOOK_SECONDS)
    for site in runner.sites:
        await site.stop()
    await asyncio.sleep(FIRST_LOOK_SECONDS)


async def _until_empty(connections: Connections, *, end: float, quiet: float) -> None:
    loop, wait = asyncio.get_running_loop(), FIRST_LOOK_SECONDS
    while connections and (now := loop.time()) < end:
        connections.close_idle(now=now, quiet=quiet)
        await asyncio.sleep(min(wait, end - now))
        wait = min(wait * 2, LOOK_SECONDS)
