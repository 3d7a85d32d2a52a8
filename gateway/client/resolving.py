"""Names of upstreams to addresses: remembered for a moment, looked up once for all who ask.

A lookup is one blocking call for each name, in a thread of its own. Threads that are shared
(asyncio has one set of them for whatever blocks) would all be taken by a few names whose servers
do not answer, and no other name were looked up. A daemon thread also lets the process end while a
lookup hangs, which it may do for half a minute.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp.abc import AbstractResolver, ResolveResult

FRESH_SECONDS = 10.0
"""An answer is used for so long without a question: getaddrinfo does not tell its TTL."""
STALE_SECONDS = 3_600.0
"""So old an answer is better than none, where names cannot be looked up (RFC 8767)."""
FAILED_SECONDS = 1.0
"""So long a name that could not be looked up is not looked up again."""
PATIENCE_SECONDS = 0.5
"""Then an older answer will do, where there is one; else connecting ends the wait."""
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})

Address = tuple[int, str]
"""Family and numeric address."""
Lookup = Callable[[str], tuple[Address, ...]]


class NoAddress(OSError):
    """Nobody knows at the moment: names cannot be looked up."""


@dataclass(slots=True)
class _Name:
    """What is known of a name. Times are the event loop's."""

    addresses: tuple[Address, ...] = ()
    found: float = float("-inf")
    error: OSError | None = None
    failed: float = float("-inf")
    flight: asyncio.Future[None] | None = None

    def learn(self, result: tuple[Address, ...] | OSError, now: float) -> None:
        if not isinstance(result, OSError):
            self.addresses, self.found, self.error = result, now, None
            return
        self.error, self.failed = result, now
        if isinstance(result, socket.gaierror) and result.errno in _NO_SUCH_NAME:
            self.addresses = ()

    def best(self, now: float) -> tuple[Address, ...]:
        if self.addresses and now - self.found < STALE_SECONDS:
            return self.addresses
        raise self.error or NoAddress("no answer")


def look_up(host: str) -> tuple[Address, ...]:
    """What the machine says: hosts file, search domains, DNS. Blocks; raises OSError."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # of a name that cannot be in any zone
        raise socket.gaierror(socket.EAI_NONAME, "no host name") from error
    return tuple((int(item[0]), str(item[4][0])) for item in found)


class Resolver(AbstractResolver):
    """aiohttp's seam for names."""

    def __init__(self, lookup: Lookup = look_up) -> None:
        """`lookup` runs in a thread."""
        self._lookup = lookup
        self._names: dict[str, _Name] = {}
        self._turn = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError: gaierror where there is no such name, NoAddress where nobody knows."""
        addresses = await self._addresses(host)
        # Each connection begins with another one, as servers of names have it, too.
        self._turn += 1
        first = self._turn % len(addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=0,
                flags=int(socket.AI_NUMERICHOST),
            )
            for kind, address in (*addresses[first:], *addresses[:first])
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        """Lookups under way end by themselves, and nobody waits for them."""
        for name in self._names.values():
            _end(name)

    async def _addresses(self, host: str) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        name = self._names.setdefault(host, _Name())
        now = loop.time()
        if name.addresses and now - name.found < FRESH_SECONDS:
            return name.addresses
        if now - name.failed >= FAILED_SECONDS:
            flight = name.flight or self._begin(host, name)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS if name.addresses else None):
                    # Those who give up do not end it for the others.
                    await asyncio.shield(flight)
        return name.best(loop.time())

    def _begin(self, host: str, name: _Name) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        flight = name.flight = loop.create_future()

        def land(result: tuple[Address, ...] | OSError) -> None:
            name.learn(result, loop.time())
            _end(name)

        def fly() -> None:
            try:
                result: tuple[Address, ...] | OSError = self._lookup(host)
            except OSError as error:
                result = error
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(land, result or NoAddress("no address"))

        try:
            threading.Thread(target=fly, name=f"lookup {host}", daemon=True).start()
        except RuntimeError:  # as many threads as there may be
            land(NoAddress("no thread"))
        return flight


def _end(name: _Name) -> None:
    flight, name.flight = name.flight, None
    if flight is not None and not flight.done():
        flight.set_result(None)
