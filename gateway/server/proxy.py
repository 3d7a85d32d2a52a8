"""`/apis/{name}/...`: bodies stream both ways, heads go through the core."""

from collections.abc import AsyncIterator, Callable

from aiohttp import web
from aiohttp.http import HttpVersion11
from multidict import CIMultiDict

from gateway.context import read_inbound, without_session
from gateway.engine import Gateway, ProxiedRequest
from gateway.errors import PayloadTooLarge, UpstreamError
from gateway.messages import Request, RequestHead, Response, as_utf8, header
from gateway.policy import Principal
from gateway.server.connections import invite_body
from gateway.server.heads import headers_of, raw_target
from gateway.server.provenance import provenance_of
from gateway.server.websockets import is_handshake, pass_through

PREFIX = "/apis/"
# RFC 9110 sections 6.4.1 and 15.3.5, 15.4.5: these answers never have a body.
_BODILESS = frozenset({204, 304})
# What one slow reader keeps waiting grows with the size of what is written at once.
MAX_WRITTEN_BYTES = 65_536
_IS_UNTYPED = web.RequestKey("is_untyped", bool)


class ProxyEndpoint:
    """The handler of everything below `/apis/`."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        principal_of: Callable[[web.Request], Principal],
        is_open: bool = True,
    ) -> None:
        """`is_open`: callers do not have to say who they are."""
        self._gateway = gateway
        self._principal_of = principal_of
        self._is_open = is_open

    async def forward(self, request: web.Request) -> web.StreamResponse:
        api, target = _split(raw_target(request))
        headers = headers_of(request)
        upstream = self._gateway.upstreams.get(api)
        limit = upstream.max_body_bytes if upstream else 0
        body = None
        if request.can_read_body:
            if upstream and (request.content_length or 0) > limit:
                raise PayloadTooLarge(f"the body is larger than {limit} bytes")
            body = _limited(request, limit)
        head = RequestHead(method=request.method, target=target, headers=headers)
        # With a body the two ends might not agree where the frames begin.
        asks = body is None and is_handshake(head)
        websocket = bool(upstream and upstream.websocket and asks)
        call = ProxiedRequest(
            api=api,
            request=Request(head=head, body=body, websocket=websocket),
            principal=self._principal_of(request),
            # Nobody's session is worth reading for an answer that there is no such API.
            inbound=read_inbound(headers if upstream else without_session(headers)),
            provenance=provenance_of(request),
            is_open=self._is_open,
        )
        async with self._gateway.forward(call) as response:
            if response.send is not None:
                return await pass_through(request, response, response.send)
            return await _pass_back(request, response)


def _split(target: str) -> tuple[str, str]:
    """API name and the target below it: path and query as sent, the path starting with `/`."""
    path, mark, query = target.partition("?")
    name, _, rest = path.removeprefix(PREFIX).partition("/")
    return name, f"/{rest}{mark}{query}"


async def _limited(request: web.Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    await invite_body(request)
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(f"the body is larger than {limit} bytes")
        yield chunk


async def _pass_back(request: web.Request, response: Response) -> web.StreamResponse:
    headers = CIMultiDict((name, as_utf8(value)) for name, value in response.head.headers)
    out = web.StreamResponse(status=response.head.status, headers=headers)
    bodiless = request.method == "HEAD" or response.head.status in _BODILESS
    unmeasured = header(response.head.headers, "content-length") is None
    # To HTTP/1.0 the end of the connection is the end of the body (RFC 9112 section 6.3).
    if unmeasured and not bodiless:
        if request.version >= HttpVersion11:
            out.enable_chunked_encoding()
        else:
            out.force_close()
    try:
        request[_IS_UNTYPED] = header(response.head.headers, "content-type") is None
        await out.prepare(request)
        async for chunk in response.body:
            await _write(out, chunk)
        await out.write_eof()
    except (UpstreamError, ConnectionError):
        # The head is out: only a cut connection still tells the caller that this is not all.
        if request.transport is not None:
            request.transport.abort()
    return out


async def _write(out: web.StreamResponse, chunk: bytes) -> None:
    """Waits whenever the reader is behind."""
    for start in range(0, len(chunk), MAX_WRITTEN_BYTES):
        await out.write(chunk[start : start + MAX_WRITTEN_BYTES])


async def guess_no_type(request: web.Request, response: web.StreamResponse) -> None:
    """Whoever sends no media type has said so on purpose: a signal of `on_response_prepare`."""
    if request.get(_IS_UNTYPED):
        response.headers.popall("Content-Type", None)
