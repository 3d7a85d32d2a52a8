"""What stands between a call and its API: places, deadlines, retries, a circuit.

None of it is shared between APIs, so that none can hold up another. None of it knows HTTP: that is
the transport's.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.client.attempts import Attempts
from gateway.client.transport import Transport
from gateway.client.way import Condition, Way
from gateway.messages import Request, Response
from gateway.upstreams import Upstream


class Resilience:
    """An UpstreamClient around any Transport (docs/operations.md, Retries and below)."""

    def __init__(self, transport: Transport, *, fraction: Callable[[], float]) -> None:
        """`fraction` is random, of 0 to 1."""
        self._transport = transport
        self._fraction = fraction
        self._ways: dict[tuple[str, str], Way] = {}

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Of each API, at each origin, that has been asked since the start."""
        return tuple(way.condition for way in self._ways.values())

    async def aclose(self) -> None:
        for way in self._ways.values():
            way.close()
        await self._transport.aclose()

    @asynccontextmanager
    async def send(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        """See UpstreamClient. `deadline` is event loop time, in seconds.

        The place is held until the body has ended, or the caller has left.
        """
        way = self._way(upstream)
        place = await way.enter(upstream, deadline, websocket=request.websocket)
        try:
            async with AsyncExitStack() as held:
                attempts = Attempts(
                    transport=self._transport,
                    way=way,
                    request=request,
                    upstream=upstream,
                    deadline=deadline,
                    fraction=self._fraction,
                )
                yield await attempts.answer(held)
        finally:
            place.leave()

    def _way(self, upstream: Upstream) -> Way:
        key = (upstream.name, upstream.origin)
        way = self._ways.get(key)
        if way is None:
            # A reload may take an API away, or rename it, any number of times.
            self._ways = {name: way for name, way in self._ways.items() if not way.is_forgotten}
            way = self._ways[key] = Way(upstream, fraction=self._fraction)
        return way
