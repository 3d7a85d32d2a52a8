"""Proxied traffic compared with the description of its operation, as far as the API asks for it.

`report` never holds anything up: bodies pass by, what was seen of them is judged beside. `enforce`
reads a body whole before it is passed on (docs/validation.md).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from gateway.catalog import Tool
from gateway.engine.apart import apart
from gateway.engine.sending import called_operation, is_call
from gateway.engine.traffic_reports import AT_ONCE, Case, Rules, TrafficReports, judge
from gateway.errors import (
    Fault,
    InvalidRequest,
    InvalidResponse,
    Overloaded,
    PayloadTooLarge,
    RequestTimeout,
)
from gateway.interfaces import Telemetry
from gateway.messages import Headers, Request, Response, header
from gateway.traffic import BodyRules, Verdict, reads
from gateway.upstreams import Upstream, Validation

HELD_BYTES = 268_435_456
"""Of all bodies together that are being read for `enforce`."""
# RFC 9110 sections 15.3.7 and 15.4.5: a part of an answer, or none because the caller has it. They
# come of the caller's own headers, and descriptions do not name them.
_PARTIAL, _NOT_MODIFIED = 206, 304
_BODILESS = frozenset({204, 205, 304})
_DECODED = "gzip, deflate"


class Traffic:
    """Both directions of every proxied exchange pass here."""

    def __init__(self, telemetry: Telemetry, monotonic: Callable[[], float]) -> None:
        """`monotonic` counts seconds."""
        self._telemetry = telemetry
        self._rules = Rules()
        self._reports = TrafficReports(self._rules, telemetry, monotonic)
        self._held = 0

    @property
    def skipped(self) -> int:
        """How many messages were not judged because too many were waiting for it."""
        return self._reports.skipped

    async def aclose(self) -> None:
        await self._reports.aclose()

    async def settled(self) -> None:
        """Until all that is to be reported so far has been judged."""
        await self._reports.settled()

    async def admit(self, request: Request, tool: Tool | None, upstream: Upstream) -> Request:
        """The request as it may be sent; its body is read where that is enforced.

        Raises InvalidRequest, PayloadTooLarge, RequestTimeout, Overloaded.
        """
        mode = upstream.validates.requests
        if tool is None or not is_call(request.head, tool):
            return request
        if upstream.validates.responses is Validation.ENFORCE:
            request = _readable_answers(request)
        if mode is Validation.OFF:
            return request
        case = Case(tool=tool, upstream=upstream, request=request.head)
        if mode is Validation.REPORT:
            return self._reports.watch_request(request, case)
        return await self._enforce_request(request, case)

    async def release(
        self, request: Request, response: Response, tool: Tool | None, upstream: Upstream
    ) -> Response:
        """The answer as the caller may have it. Raises InvalidResponse, Overloaded.

        Of the twin of a GET, which is HEAD, the answer is not described.
        """
        mode, status = upstream.validates.responses, response.head.status
        if mode is Validation.OFF or tool is None or request.head.method != tool.method:
            return response
        if status < 200 or status == _NOT_MODIFIED:
            return response
        case = Case(tool=tool, upstream=upstream, request=request.head, answer=response.head)
        if status == _PARTIAL:
            case = replace(case, is_partial=True)
        if mode is Validation.REPORT:
            return self._reports.watch_answer(response, case)
        return await self._enforce_answer(response, case)

    async def _enforce_request(self, request: Request, case: Case) -> Request:
        rules = await self._rules.of_request(case.tool)
        given, limit = request.body, case.upstream.max_body_bytes
        body: bytes | None = given if isinstance(given, bytes) else None
        held = _Held(self)
        try:
            wanted = reads(rules.rules.bodies, request.head.headers) is not None
            if wanted and isinstance(given, AsyncIterator):
                body = await _collect(_paced(given, case.upstream), limit, held)
                if body is None:
                    raise PayloadTooLarge(f"the body is larger than {limit} bytes")
                request = replace(request, body=body)
            has_body = given is not None if body is None else bool(body)
            case = replace(case, body=body, has_body=has_body)
            verdict = await apart(len(body or b""), AT_ONCE, judge, self._rules, case)
            await self._refuse(case, verdict, InvalidRequest)
        finally:
            held.release()
        return request

    async def _enforce_answer(self, response: Response, case: Case) -> Response:
        status, limit = response.head.status, case.upstream.max_response_bytes
        rules = await self._rules.of_answer(case.tool, case.status)
        bodies = rules.bodies if rules else BodyRules(by_type={})
        held = _Held(self)
        try:
            if case.is_partial or status in _BODILESS or not _is_read(bodies, response):
                verdict = judge(self._rules, replace(case, has_body=status not in _BODILESS))
                await self._refuse(case, verdict, InvalidResponse)
                return response
            body = await _collect(response.body, limit, held)
            if body is None:
                verdict = Verdict(unjudged=f"has more than the {limit} bytes that are read of it")
            else:
                case = replace(case, body=body, has_body=bool(body))
                verdict = await apart(len(body), AT_ONCE, judge, self._rules, case)
            await self._refuse(case, verdict, InvalidResponse)
            return replace(response, body=_once(body or b""))
        finally:
            held.release()

    async def _refuse(
        self, case: Case, verdict: Verdict, kind: type[InvalidRequest] | type[InvalidResponse]
    ) -> None:
        faults = await apart(len(case.body or b""), AT_ONCE, verdict.faults)
        if verdict.unjudged is not None:
            # What nobody can look at is no way around.
            faults = (*faults, Fault(pointer="/body", message=verdict.unjudged))
        if faults:
            operation = called_operation(case.tool)
            self._telemetry.found_invalid(operation, case.direction, Validation.ENFORCE)
            raise kind(*faults)

    def hold(self, size: int) -> None:
        if self._held + size > HELD_BYTES:
            raise Overloaded("as many bodies as may be are being checked already")
        self._held += size

    def let_go(self, size: int) -> None:
        self._held -= size


class _Held:
    """What one body takes of the room for all."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._size = 0

    def take(self, size: int) -> None:
        self._traffic.hold(size)
        self._size += size

    def release(self) -> None:
        self._traffic.let_go(self._size)
        self._size = 0


async def _collect(body: AsyncIterator[bytes], limit: int, held: _Held) -> bytes | None:
    """The whole body; None where it is larger than `limit`."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in body:
        size += len(chunk)
        if size > limit:
            return None
        held.take(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


async def _paced(body: AsyncIterator[bytes], upstream: Upstream) -> AsyncIterator[bytes]:
    """An upload that has to go on moving. Raises RequestTimeout."""
    while True:
        try:
            async with asyncio.timeout(upstream.timeout_seconds):
                chunk = await anext(body, None)
        except TimeoutError as error:
            raise RequestTimeout("the request's body stopped coming") from error
        if chunk is None:
            return
        yield chunk


async def _once(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


def _is_read(bodies: BodyRules, response: Response) -> bool:
    return reads(bodies, response.head.headers) is not None


def _readable_answers(request: Request) -> Request:
    """The request without codings that the gateway cannot undo (RFC 9110 section 12.5.3)."""
    given = header(request.head.headers, "accept-encoding")
    if given is None:
        return request
    coding = _DECODED if "gzip" in given.lower() else "identity"
    kept: Headers = tuple(
        pair for pair in request.head.headers if pair[0].lower() != "accept-encoding"
    )
    head = replace(request.head, headers=(*kept, ("Accept-Encoding", coding)))
    return replace(request, head=head)
