"""Exchanges judged beside their traffic, one after the other, by one task that nobody waits for.

What comes while too much is waiting is not judged: under load that makes it a sample.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace

from gateway.catalog import Tool
from gateway.engine.apart import apart
from gateway.engine.sending import called_operation
from gateway.interfaces import Telemetry
from gateway.messages import Request, RequestHead, Response, ResponseHead
from gateway.traffic import (
    NO_BODIES,
    Book,
    MessageRules,
    RequestRules,
    Verdict,
    judge_answer_head,
    judge_body,
    judge_media,
    judge_request_head,
    may_be_read,
    reads,
)
from gateway.upstreams import Upstream, Validation

AT_ONCE = 65_536
"""Bytes of a body from which on judging it is worth a thread."""
WAITING = 256
WAITING_BYTES = 67_108_864
"""Of all bodies together that are kept to be judged."""
LINE_SECONDS = 1.0
"""Between two log lines about one operation."""
_CLOSING_SECONDS = 2.0
_SHOWN = 5

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A message to be judged: a request, or where `answer` is there the answer to it.

    `body` is None where it was not read. `is_partial`: the body is a part of what is described.
    """

    tool: Tool
    upstream: Upstream
    request: RequestHead
    answer: ResponseHead | None = None
    body: bytes | None = field(default=None, repr=False)
    has_body: bool = True
    is_partial: bool = False

    @property
    def direction(self) -> str:
        return "request" if self.answer is None else "response"

    @property
    def status(self) -> int:
        return 0 if self.answer is None else self.answer.status


class Rules:
    """The rules of operations, compiled in a thread when they are first asked for."""

    def __init__(self) -> None:
        self.book = Book()
        self._compiling = asyncio.Lock()

    async def of_request(self, tool: Tool) -> RequestRules:
        found = self.book.find_request(tool)
        if found is None:
            async with self._compiling:
                found = await asyncio.to_thread(self.book.read_request, tool)
            _tell(tool, "requests", found.rules)
        return found

    async def of_answer(self, tool: Tool, status: int) -> MessageRules | None:
        if self.book.knows_answer(tool, status):
            return self.book.find_answer(tool, status)
        async with self._compiling:
            found = await asyncio.to_thread(self.book.read_answer, tool, status)
        _tell(tool, f"answers with {status}", found)
        return found


def judge(rules: Rules, case: Case) -> Verdict:
    """What is wrong with a message whose rules have been compiled."""
    if case.answer is not None:
        return _judge_answer(rules.book.find_answer(case.tool, case.status), case, case.answer)
    found = rules.book.read_request(case.tool)
    head = case.request
    verdict = judge_request_head(found.rules.head, found.template, head, case.upstream.base_path)
    if head.method != case.tool.method:
        return verdict
    bodies = found.rules.bodies
    verdict += judge_media(bodies, head.headers, has_body=case.has_body)
    rule = reads(bodies, head.headers) if case.has_body else None
    if rule is None or case.body is None:
        return verdict
    return verdict + judge_body(rule, head.headers, case.body, limit=case.upstream.max_body_bytes)


def _judge_answer(rules: MessageRules | None, case: Case, head: ResponseHead) -> Verdict:
    verdict = judge_answer_head(rules, head)
    bodies = rules.bodies if rules else NO_BODIES
    if case.is_partial:
        return verdict
    verdict += judge_media(bodies, head.headers, has_body=case.has_body)
    rule = reads(bodies, head.headers) if case.has_body else None
    if rule is None or case.body is None:
        return verdict
    limit = case.upstream.max_response_bytes
    return verdict + judge_body(rule, head.headers, case.body, limit=limit)


class TrafficReports:
    """Owns the task. `skipped` counts what was not judged because too much was waiting."""

    def __init__(self, rules: Rules, telemetry: Telemetry, monotonic: Callable[[], float]) -> None:
        self._rules = rules
        self._telemetry = telemetry
        self._monotonic = monotonic
        # With the context that each has come in, by which its log line names the request.
        self._cases: deque[tuple[Case, Context]] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None
        self._lines: dict[tuple[str, str, str], _Line] = {}
        self.skipped = 0

    async def aclose(self) -> None:
        """What is waiting is judged if that takes no longer than a moment."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_CLOSING_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task])

    async def settled(self) -> None:
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    def watch_request(self, request: Request, case: Case) -> Request:
        """The request, its body seen as it passes."""
        body = request.body
        if not isinstance(body, AsyncIterator):
            self._put(replace(case, body=body, has_body=bool(body)))
            return request
        if not may_be_read(request.head.headers):
            self._put(case)
            return request
        limit = case.upstream.max_body_bytes
        return replace(request, body=self._seen(body, limit, case))

    def watch_answer(self, response: Response, case: Case) -> Response:
        """The answer, its body seen as it passes."""
        if response.head.status in (204, 205):
            self._put(replace(case, has_body=False))
            return response
        if case.is_partial or not may_be_read(response.head.headers):
            self._put(case)
            return response
        limit = case.upstream.max_response_bytes
        return replace(response, body=self._seen(response.body, limit, case))

    async def _seen(
        self, body: AsyncIterator[bytes], limit: int, case: Case
    ) -> AsyncIterator[bytes]:
        """The chunks as they come. What breaks off is not judged: nobody has it whole."""
        chunks: list[bytes] = []
        size, kept = 0, True
        try:
            async for chunk in body:
                size += len(chunk)
                kept = kept and size <= limit and self._bytes + len(chunk) <= WAITING_BYTES
                if kept:
                    self._bytes += len(chunk)
                    chunks.append(chunk)
                elif chunks:
                    self._bytes -= sum(map(len, chunks))
                    chunks.clear()
                yield chunk
            whole = b"".join(chunks) if kept else None
            self._put(replace(case, body=whole, has_body=size > 0))
        finally:
            self._bytes -= sum(map(len, chunks))

    def _put(self, case: Case) -> None:
        size = len(case.body or b"")
        if len(self._cases) >= WAITING or self._bytes + size > WAITING_BYTES:
            self.skipped += 1
            return
        self._bytes += size
        self._cases.append((case, copy_context()))
        if self._task is None or self._task.done():
            work = asyncio.get_running_loop().create_task
            self._task = work(self._work(), context=Context())

    async def _work(self) -> None:
        while self._cases:
            case, context = self._cases.popleft()
            try:
                await self._judge(case, context)
            except Exception:  # noqa: BLE001 - the task must survive any message
                _LOG.exception("%s was not judged", case.tool.name)
            finally:
                self._bytes -= len(case.body or b"")
            await asyncio.sleep(0)

    async def _judge(self, case: Case, context: Context) -> None:
        if case.answer is None:
            await self._rules.of_request(case.tool)
        else:
            await self._rules.of_answer(case.tool, case.status)
        verdict = await apart(len(case.body or b""), AT_ONCE, judge, self._rules, case)
        if verdict.is_sound:
            return
        operation = called_operation(case.tool)
        self._telemetry.found_invalid(operation, case.direction, Validation.REPORT)
        line = self._line(case)
        line.unsaid += 1
        now = self._monotonic()
        if line.due <= now:
            line.due = now + LINE_SECONDS
            size = len(case.body or b"")
            await apart(size, AT_ONCE, context.run, _say, case, verdict, line.unsaid)
            line.unsaid = 0

    def _line(self, case: Case) -> "_Line":
        return self._lines.setdefault((case.tool.api, case.tool.name, case.direction), _Line())


@dataclass(slots=True)
class _Line:
    """When the next line about an operation may be written, and how many it will be about."""

    due: float = 0.0
    unsaid: int = 0


def _say(case: Case, verdict: Verdict, count: int) -> None:
    """One line: where and what, never a value."""
    faults = verdict.faults()
    told = "; ".join(f"{_clean(f.pointer)} {_clean(f.message)}" for f in faults[:_SHOWN])
    more = f"; {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    times = f" ({count} since the last line)" if count > 1 else ""
    name = f"{case.tool.method} {_clean(case.tool.path)}"
    _LOG.warning(
        "%s: a %s of %s is not as it is described: %s%s%s",
        case.tool.api,
        case.direction,
        name,
        told,
        more,
        times,
    )


def _clean(text: str) -> str:
    """On one line, in ASCII: names of members are whatever somebody has sent."""
    return text[:200].encode("unicode_escape").decode("ascii")


def _tell(tool: Tool, what: str, rules: MessageRules | None) -> None:
    for reason in rules.unjudged if rules else ():
        shown = _clean(f"{tool.method} {tool.path}")
        _LOG.warning("%s: %s of %s are not judged: %s", tool.api, what, shown, _clean(reason))
