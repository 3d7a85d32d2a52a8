"""The body of an answer to a tool call: read within bounds, selected from, kept when it is large.

What a result shows of a body is bounded by the API's `max_response_bytes`. Of a larger one the
beginning is shown and everything, up to a second bound, is kept for whoever called.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace

from gateway.calls import (
    EXCERPT_BYTES,
    ContentDecoder,
    Ending,
    Larger,
    NotSelected,
    Selected,
    ToolResult,
    Undecodable,
    content_type,
    may_be_json,
    read_result,
    select_json,
    undecodable,
)
from gateway.catalog import Tool
from gateway.engine.apart import apart
from gateway.errors import StoreUnavailable, UnknownResult, UpstreamError
from gateway.interfaces import ResultDraft, ResultStore
from gateway.messages import Response, ResponseHead
from gateway.openapi import is_media_type
from gateway.policy import Principal

KEPT_BYTES = 67_108_864
"""Of one body, unless a result may show even more."""
SELECT_BYTES = 16_777_216
# What takes less than a millisecond or so is not worth a thread.
_AT_ONCE = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPart:
    """Bytes of a kept body from `start` on, and what `KeptResult` says of the whole."""

    data: bytes
    start: int
    size: int
    media_type: str
    whole: bool


class Answers:
    """The engine's side of large results. Without a store nothing is kept."""

    def __init__(
        self, store: ResultStore | None, *, url: str | None, new_handle: Callable[[], str]
    ) -> None:
        """`url` and a handle make the address that a caller is told; None where there is none."""
        self.store = store
        self.url = url
        self.new_handle = new_handle
        # Python objects take up to ten times their JSON's space: one large selection at a time.
        self.selecting = asyncio.Lock()

    @asynccontextmanager
    async def reading(
        self, tool: Tool, principal: Principal, limit: int
    ) -> AsyncIterator["Reading"]:
        """For one call. `limit` is how many bytes its result may show."""
        reading = Reading(self, tool, principal, limit)
        try:
            yield reading
        finally:
            await reading.close()

    async def read(self, principal: Principal, handle: str, start: int, length: int) -> ResultPart:
        """Raises UnknownResult, another principal's or an expired one included."""
        kept = await self.store.find(principal, handle) if self.store else None
        data: bytes | None = b""
        if kept is not None and self.store is not None and length > 0:
            data = await self.store.read(principal, handle, start, length)
        if kept is None or data is None:
            raise UnknownResult("there is no such result, or it is there no more")
        return ResultPart(
            data=data, start=start, size=kept.size, media_type=kept.media_type, whole=kept.whole
        )

    async def aclose(self) -> None:
        if self.store is not None:
            await self.store.aclose()


class Reading:
    """One answer's body: `receive`, then `result`."""

    def __init__(self, answers: Answers, tool: Tool, principal: Principal, limit: int) -> None:
        self._answers = answers
        self._tool = tool
        self._principal = principal
        self._limit = limit
        self._bound = limit if answers.store is None else max(limit, KEPT_BYTES)
        self._head = ResponseHead(status=0)
        self._fault: str | None = None
        self._restart(ResponseHead(status=0))

    async def close(self) -> None:
        """Let go of what was not kept."""
        if self._draft is not None:
            await self._draft.discard()

    async def receive(self, response: Response) -> None:
        """Read the body as far as it is wanted.

        Raises UpstreamError when it breaks off before it is larger than a result may be.
        """
        self._restart(response.head)
        if response.head.status >= 300:
            self._limit = self._bound = EXCERPT_BYTES
        try:
            await self._take_all(response)
        except UpstreamError:
            if self._size <= self._limit:
                raise
            self._ending = Ending.BROKEN_OFF
        except Undecodable as error:
            self._ending = Ending.BROKEN_OFF
            if self._size <= self._limit:
                self._fault = str(error)

    async def result(self) -> ToolResult:
        """What the call answers. What its excerpt leaves out is kept from now on."""
        tool, head = self._tool, self._head
        if self._fault is not None:
            return undecodable(tool, head, self._fault)
        note = await self._select()
        if self._ending is Ending.WHOLE and self._draft is None:
            body = b"".join(self._chunks)
            args = (tool, self._head, body)
            return await apart(len(body), _AT_ONCE, read_result, *args, note=note)
        beginning = b"".join(self._chunks)[: min(EXCERPT_BYTES, self._limit)]
        larger = await self._keep()
        return read_result(tool, self._head, beginning, larger=larger, note=note)

    def _restart(self, head: ResponseHead) -> None:
        self._head = head
        # Of a larger body, which goes to the draft, only the beginning.
        self._chunks: list[bytes] = []
        self._size = 0
        self._draft: ResultDraft | None = None
        self._ending = Ending.WHOLE

    async def _take_all(self, response: Response) -> None:
        decoder = ContentDecoder(response.head.headers)
        received = 0
        async for chunk in response.body:
            received += len(chunk)
            for piece in decoder.decode(chunk):
                if not await self._take(piece):
                    return
                if decoder.inflates:
                    await asyncio.sleep(0)
            if received > self._bound:  # a coding may make nothing of anything
                self._ending = Ending.TOO_LARGE
                return
        decoder.finish()

    async def _take(self, piece: bytes) -> bool:
        """Whether there is room for more."""
        room = self._bound - self._size
        taken = piece[:room]
        self._size += len(taken)
        if len(piece) > room:
            self._ending = Ending.TOO_LARGE
        if self._size <= self._limit:
            self._chunks.append(taken)
        else:
            await self._spill(taken)
        return self._ending is Ending.WHOLE

    async def _spill(self, data: bytes) -> None:
        if self._draft is None and self._answers.store is not None:
            self._draft = self._answers.store.draft()
            data = b"".join((*self._chunks, data))
            self._chunks = [data[: min(EXCERPT_BYTES, self._limit)]]
        if self._draft is not None:
            try:
                await self._draft.append(data)
            except StoreUnavailable:
                await self._drop_draft(Ending.NO_ROOM)

    async def _drop_draft(self, ending: Ending) -> None:
        self._ending = ending
        if self._draft is not None:
            draft, self._draft = self._draft, None
            await draft.discard()

    async def _select(self) -> str | None:
        """Put what the configured expression makes of the body in its place, or say why not."""
        expression, head = self._tool.override.select, self._head
        if expression is None or head.status >= 300 or not self._size:
            return None
        if not may_be_json(self._tool, head):
            return None
        outcome: Selected | NotSelected = NotSelected(reason="the answer is too large for it")
        async with self._answers.selecting if self._size > _AT_ONCE else nullcontext():
            if (body := await self._whole_body()) is not None:
                args = (expression, body, content_type(head))
                outcome = await apart(len(body), _AT_ONCE, select_json, *args)
        if isinstance(outcome, NotSelected):
            return f"[The configured selection was not applied: {outcome.reason}.]"
        await self._drop_draft(Ending.WHOLE)
        headers = tuple(pair for pair in head.headers if pair[0].lower() != "content-type")
        self._restart(replace(head, headers=(*headers, ("Content-Type", "application/json"))))
        await self._take(outcome.data)
        return None

    async def _whole_body(self) -> bytes | None:
        if self._ending is not Ending.WHOLE:
            return None
        if self._draft is None:
            return b"".join(self._chunks)
        if self._size > SELECT_BYTES:
            return None
        try:
            return await self._draft.read()
        except StoreUnavailable:
            return None

    async def _keep(self) -> Larger:
        handle = None
        if self._draft is not None:
            handle = self._answers.new_handle()
            declared = content_type(self._head) or ""
            media_type = declared if is_media_type(declared) else "application/octet-stream"
            whole = self._ending is Ending.WHOLE
            try:
                await self._draft.keep(self._principal, handle, media_type=media_type, whole=whole)
            except StoreUnavailable:
                handle = None
                self._ending = Ending.NO_ROOM
        has_url = handle is not None and self._answers.url is not None
        url = f"{self._answers.url}{handle}" if has_url else None
        return Larger(size=self._size, ending=self._ending, handle=handle, url=url)
