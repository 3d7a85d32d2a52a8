"""One turn at an API that may answer line by line, and ask (docs/interactions.md)."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from gateway.calls import (
    Asked,
    BadEnvelope,
    ContentDecoder,
    EnvelopeReader,
    JsonAnswer,
    LastLine,
    Line,
    LogLine,
    NativeAnswer,
    Progress,
    ToolResult,
    Undecodable,
    broken_interaction,
    continuation,
    is_interaction,
    may_ask,
    native_result,
    offer,
    unasked,
)
from gateway.catalog import Tool
from gateway.engine.apart import apart
from gateway.engine.rounds import MAX_ROUNDS, Course, Stage
from gateway.engine.session_refusals import SessionRefusals
from gateway.engine.values import AskedInVain, ToolCall
from gateway.errors import UpstreamError, UpstreamTimeout
from gateway.messages import Headers, Request, Response
from gateway.upstreams import Upstream

MAX_SECONDS = 3_600.0
"""Of one turn, however lively it is."""
PARTING_SECONDS = 2.0
"""For the end of the answer once its last line is there: what comes then is a fault."""
MOST_PROGRESS = 10
"""Notifications in a second."""
_PROGRESS_SECONDS = 1.0
# A line that is no longer takes a millisecond or two at worst.
_AT_ONCE = 16_384

Heard = Response | ToolResult | AskedInVain


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What is sent, for whom, and how the call stands.

    `shown` names the headers, lower-case, that hold no secret; `monotonic` counts seconds.
    """

    call: ToolCall = field(repr=False)
    tool: Tool
    upstream: Upstream
    course: Course
    request: Request
    shown: frozenset[str]
    monotonic: Callable[[], float] = field(repr=False)

    def prepared(self) -> "Turn":
        """The turn at an API that has agreed to interactions: it is told what it may do."""
        if not self.upstream.interaction:
            return self
        request = offer(self.request, self.call.abilities)
        course = self.course
        if may_ask(request) and (course.stage is Stage.UPSTREAM or course.is_cold):
            request = continuation(request, course.answers, course.upstream)
        return replace(self, request=request)

    @asynccontextmanager
    async def exchange(self, refusals: SessionRefusals) -> AsyncIterator[Response]:
        """The exchange, within `timeout_seconds` unless it is an interaction."""
        started, seconds = self.monotonic(), self.upstream.timeout_seconds
        if not self.upstream.interaction:
            sent = refusals.exchange(self.request, self.upstream, deadline=started + seconds)
            async with sent as response:
                yield response
            return
        async with AsyncExitStack() as stack:
            deadline = started + MAX_SECONDS
            sent = refusals.exchange(self.request, self.upstream, deadline=deadline)
            try:
                async with asyncio.timeout(seconds):
                    response = await stack.enter_async_context(sent)
            except TimeoutError as error:
                raise self._timeout() from error
            if self._is_interaction(response):
                yield response
                return
            body = self._within(response.body, lambda: started + seconds - self.monotonic())
            yield replace(response, body=body)

    async def hear(self, response: Response) -> Heard:
        """What an interaction comes to; any other response as it is.

        Its end is a Response of JSON, a result, or that its caller cannot be asked. Raises
        InputRequired, and UpstreamTimeout where nothing is heard for `timeout_seconds`.
        """
        if not self._is_interaction(response):
            return response
        try:
            last = await self._last_line(response)
        except UpstreamTimeout:
            raise
        except (UpstreamError, BadEnvelope, Undecodable) as error:
            return broken_interaction(self.tool, response.head, str(error))
        match last:
            case JsonAnswer(data=data):
                return _as_json(response, data)
            case NativeAnswer():
                limit = self.upstream.max_response_bytes
                return native_result(self.tool, response.head, last, limit=limit)
            case Asked():
                return self._ask(last, response)
            case None:
                return broken_interaction(self.tool, response.head, "it ended without a last line")

    def _is_interaction(self, response: Response) -> bool:
        return self.upstream.interaction and is_interaction(self.tool.method, response.head)

    async def _last_line(self, response: Response) -> LastLine | None:
        """Tells the listener what it may hear until the last line is there, and the end."""
        telling = _Telling(self.call, self.monotonic)
        last: LastLine | None = None
        until = self.monotonic() + self.upstream.timeout_seconds
        chunks = self._within(response.body, lambda: until - self.monotonic())
        try:
            async for line in _lines(response.head.headers, chunks):
                # What comes after the last one gives the API no more time.
                if last is None:
                    last = await telling.tell(line)
                    until = self.monotonic() + self._patience(last)
        except UpstreamError:
            if last is None:
                raise
        return last

    def _patience(self, last: LastLine | None) -> float:
        return self.upstream.timeout_seconds if last is None else PARTING_SECONDS

    async def _within(
        self, body: AsyncIterator[bytes], left: Callable[[], float]
    ) -> AsyncIterator[bytes]:
        """The chunks, each of them within the seconds that are left."""
        while True:
            try:
                async with asyncio.timeout(max(left(), 0)):
                    chunk = await anext(body, None)
            except TimeoutError as error:
                raise self._timeout() from error
            if chunk is None:
                return
            yield chunk

    def _timeout(self) -> UpstreamTimeout:
        return UpstreamTimeout(f"{self.upstream.name} did not answer in time")

    def _ask(self, asked: Asked, response: Response) -> ToolResult | AskedInVain:
        """Raises InputRequired for what the caller can be asked (docs/interactions.md, Asking)."""
        if not may_ask(self.request):
            reason = f"it asks, which {self.tool.method} with such a body cannot"
            return broken_interaction(self.tool, response.head, reason)
        able, asks = self.call.abilities, asked.asks
        missing = {need for ask in asks.values() if not ask.optional for need in ask.needs - able}
        requests = {key: ask.request for key, ask in asks.items() if ask.needs <= able}
        if not missing and not requests and asked.state is None:
            missing = {need for ask in asks.values() for need in ask.needs - able}
        if missing:
            return AskedInVain(unasked(self.tool, response.head, missing), frozenset(missing))
        if not self.course.may_ask:
            reason = f"it asks again after {MAX_ROUNDS} rounds"
            return broken_interaction(self.tool, response.head, reason)
        raise replace(self.course, upstream=asked.state).ask(Stage.UPSTREAM, requests)


async def _lines(headers: Headers, chunks: AsyncIterator[bytes]) -> AsyncIterator[Line | None]:
    """What the lines say; None for an empty one. Raises BadEnvelope and Undecodable."""
    decoder, reader = ContentDecoder(headers), EnvelopeReader()
    async for chunk in chunks:
        for piece in decoder.decode(chunk):
            for line in reader.feed(piece):
                yield await apart(len(line), _AT_ONCE, reader.read, line)
                # Thousands of short lines may be there at once.
                await asyncio.sleep(0)
            if decoder.inflates:
                await asyncio.sleep(0)
    decoder.finish()
    if rest := reader.finish():
        yield await apart(len(rest), _AT_ONCE, reader.read, rest)


class _Telling:
    """Hands on what the caller wants to hear, progress no faster than anybody reads."""

    def __init__(self, call: ToolCall, monotonic: Callable[[], float]) -> None:
        self._listener = call.listener
        self._abilities = call.abilities
        self._monotonic = monotonic
        self._times: deque[float] = deque(maxlen=MOST_PROGRESS)
        self._furthest = float("-inf")

    async def tell(self, line: Progress | LogLine | LastLine | None) -> LastLine | None:
        """Waits for the listener; a last line is not told but returned."""
        if not isinstance(line, Progress | LogLine):
            return line
        if self._listener is None:
            return None
        if isinstance(line, LogLine):
            if "log" in self._abilities:
                await self._listener.log(line)
        elif "progress" in self._abilities and self._is_due(line):
            await self._listener.progress(line)
        return None

    def _is_due(self, line: Progress) -> bool:
        """MCP: progress grows with each notification, and their rate is bounded."""
        if line.progress <= self._furthest:
            return False
        now = self._monotonic()
        if len(self._times) == MOST_PROGRESS and now - self._times[0] < _PROGRESS_SECONDS:
            return False
        self._times.append(now)
        self._furthest = line.progress
        return True


def _as_json(response: Response, data: bytes) -> Response:
    """The response as if the API had answered this JSON."""

    async def whole() -> AsyncIterator[bytes]:
        yield data

    body_fields = {"content-type", "content-encoding", "content-length"}
    kept = tuple(p for p in response.head.headers if p[0].lower() not in body_fields)
    headers = (*kept, ("Content-Type", "application/json"))
    return Response(head=replace(response.head, headers=headers), body=whole())
