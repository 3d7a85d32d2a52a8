"""Streams of changes as clients open them: over HTTP and over stdio."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from aiohttp import web

from gateway.mcp import (
    Cancel,
    Heard,
    Listen,
    Reply,
    RequestId,
    Subscribe,
    acknowledgement,
    read_event_id,
    refuse_subscription,
)
from gateway.policy import ANONYMOUS, Principal
from gateway.server.event_streams import PING, event, open_events, priming_event
from gateway.server.listening import Listening
from gateway.server.subscribers import EventOutlet, LineOutlet, Subscriber

MAX_STREAMS = 32
"""Modern ones at a time of one caller that is known by name."""
LIFE_SECONDS = 3_600.0
"""Of a modern stream over HTTP; a legacy one ends with its session."""
_MARK_BYTES = 6


class ListenStreams:
    """Opens event streams and waits beside them, while `listening` does all the telling.

    `clock`: seconds since the epoch; `new_bytes`: so many random bytes.
    """

    def __init__(
        self,
        listening: Listening,
        *,
        clock: Callable[[], float],
        new_bytes: Callable[[int], bytes],
    ) -> None:
        self._listening = listening
        self._clock = clock
        self._new_bytes = new_bytes
        self._places = _Places()

    async def subscribe(
        self, request: web.Request, subscribe: Subscribe, principal: Principal, api: str | None
    ) -> web.StreamResponse | Reply:
        """The stream of a modern request; its first message says what will be heard on it."""
        with self._places.take(principal) as taken:
            if not taken:
                return refuse_subscription(subscribe)
            response = await open_events(request)
            subscriber = Subscriber(
                outlet=EventOutlet(response, request.transport),
                catalog=self._listening.watch.catalog,
                expires_at=self._clock() + LIFE_SECONDS,
                api=api,
                subscribe=subscribe,
            )
            await self._keep(response, subscriber, event(acknowledgement(subscribe)))
            return response

    async def listen(
        self, request: web.Request, listen: Listen, api: str | None
    ) -> web.StreamResponse:
        """The stream of a legacy session; after `Last-Event-ID` it begins with what was missed."""
        response = await open_events(request)
        subscriber = Subscriber(
            outlet=EventOutlet(response, request.transport),
            catalog=self._listening.watch.catalog,
            expires_at=listen.expires_at,
            api=api,
            session=listen.scope,
            mark=self._new_bytes(_MARK_BYTES).hex(),
        )
        heard = read_event_id(listen.last_event_id or "")
        first = PING
        if heard is None and listen.is_primed:
            now = await self._listening.heard(subscriber)
            first = priming_event(now.event_id(subscriber.next_mark()))
        await self._keep(response, subscriber, first, heard)
        return response

    async def _keep(
        self,
        response: web.StreamResponse,
        subscriber: Subscriber,
        first: bytes,
        heard: Heard | None = None,
    ) -> None:
        """Waits until the stream ends. `first` is sent before anything else, with the head."""
        subscriber.ended = asyncio.get_running_loop().create_future()
        try:
            with suppress(ConnectionError):
                await response.write(first)
                await self._listening.open(subscriber, heard)
                await subscriber.ended
        finally:
            self._listening.forget(subscriber)


class _Places:
    """How many modern streams each caller has.

    Callers that are all known as `anonymous` have no number that is theirs, so none is too many.
    """

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, principal: Principal) -> Iterator[bool]:
        """Whether there is room for one more, which is taken while it lasts."""
        name = principal.name
        if principal == ANONYMOUS or self._taken[name] >= MAX_STREAMS:
            yield principal == ANONYMOUS
            return
        self._taken[name] += 1
        try:
            yield True
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]


class ListenLines:
    """The streams of one stdio process: messages between others, told apart by their ids."""

    def __init__(self, listening: Listening, write: Callable[[bytes], None]) -> None:
        self._listening = listening
        self._outlet = LineOutlet(write)
        self._subscribed: dict[RequestId, Subscriber] = {}

    async def open(self, decision: Subscribe | Listen) -> None:
        """Begins to tell of changes; a request of the same id is forgotten."""
        catalog = self._listening.watch.catalog
        subscriber = Subscriber(outlet=self._outlet, catalog=catalog, is_line=True)
        if isinstance(decision, Listen):
            subscriber.session = decision.scope
        else:
            self._forget(decision.id)
            self._subscribed[decision.id] = subscriber
            subscriber.subscribe = decision
            self._outlet.send(acknowledgement(decision))
        await self._listening.open(subscriber)

    def cancel(self, cancel: Cancel) -> bool:
        """Whether it was a stream that the client does not want any more; nothing answers that."""
        return self._forget(cancel.request_id)

    def _forget(self, request_id: RequestId) -> bool:
        subscriber = self._subscribed.pop(request_id, None)
        if subscriber is not None:
            self._listening.forget(subscriber)
        return subscriber is not None
