"""`GET /results/{handle}`: what a tool's result left out."""

import re
from collections.abc import Callable

from aiohttp import web

from gateway.engine import Gateway, ResultPart
from gateway.errors import GatewayError
from gateway.policy import Principal
from gateway.server.problems import problem

_PIECE = 262_144
# RFC 9110 section 14.1.2, one range; a server may ignore every other form.
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
# An API's answer, opened at our own origin, must not become a page of ours.
_INERT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}


class ResultsEndpoint:
    """The handler of `/results`: the kept bytes, whole or one range of them."""

    def __init__(
        self, gateway: Gateway, *, principal_of: Callable[[web.Request], Principal]
    ) -> None:
        self._gateway = gateway
        self._principal_of = principal_of

    async def show(self, request: web.Request) -> web.StreamResponse:
        kept = await self._read(request, 0, 0)
        wanted = _wanted_range(request, kept.size)
        if wanted is not None and not wanted:
            return problem(
                status=416,
                code="range_not_satisfiable",
                title="Range not satisfiable",
                detail=f"The result has {kept.size} bytes.",
                headers={"Content-Range": f"bytes */{kept.size}"},
            )
        out = web.StreamResponse(headers={**_INERT, "Content-Type": kept.media_type})
        if not kept.whole:
            out.headers["OCP-Gateway-Complete"] = "false"
        if wanted is not None:
            out.set_status(206)
            out.headers["Content-Range"] = f"bytes {wanted[0]}-{wanted[-1]}/{kept.size}"
        await self._send(request, out, range(kept.size) if wanted is None else wanted)
        return out

    async def _send(self, request: web.Request, out: web.StreamResponse, positions: range) -> None:
        out.content_length = len(positions)
        await out.prepare(request)
        if request.method == "HEAD":
            return
        try:
            for start in range(positions.start, positions.stop, _PIECE):
                part = await self._read(request, start, min(_PIECE, positions.stop - start))
                await out.write(part.data)
        except GatewayError:
            # It is there no more, and the head is out: only a cut connection still tells.
            if request.transport is not None:
                request.transport.abort()

    async def _read(self, request: web.Request, start: int, length: int) -> ResultPart:
        return await self._gateway.read_result(
            self._principal_of(request), request.match_info["handle"], start=start, length=length
        )


def _wanted_range(request: web.Request, size: int) -> range | None:
    """The positions asked for, empty if there are none such; None where the whole is meant."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    # There is no validator that an If-Range could name (RFC 9110 section 13.1.5).
    if match is None or request.method != "GET" or "If-Range" in request.headers:
        return None
    first, last = match[1], match[2]
    if not first:
        return range(max(0, size - int(last)), size) if last else None
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
