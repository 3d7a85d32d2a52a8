"""Requests to upstreams over aiohttp's client, with everything clever switched off."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address

import aiohttp
from aiohttp import AddrInfoType
from yarl import URL

from gateway.errors import (
    ApiUnavailable,
    BadRequest,
    GatewayError,
    RequestTimeout,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.messages import IDEMPOTENT, Request, RequestHead, Response, ResponseHead, as_utf8
from gateway.upstreams import AddressScope, Upstream

CONNECT_SECONDS = 5.0
MAX_FIELD_BYTES = 65_536
# What no field value may hold (RFC 9110 section 5.5); aiohttp's parser lets some of it through.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 9112 section 3.2: whatever made the target, no blank and no control gets into a request line.
_TARGET = re.compile(r"[!-~]+")
_OWN_DEFAULTS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class AiohttpClient:
    """An UpstreamClient. One pool for all upstreams; nothing of one exchange reaches another.

    Where a description chose the server, connections have a pool of their own, which makes none
    outside the upstream's scope: a name may lead elsewhere each time that it is resolved.
    """

    def __init__(self) -> None:
        self._session = _open_session(AddressScope.ANY)
        self._scoped: dict[AddressScope, aiohttp.ClientSession] = {}

    async def aclose(self) -> None:
        for session in (self._session, *self._scoped.values()):
            await session.close()

    @asynccontextmanager
    async def send(
        self, request: Request, upstream: Upstream, *, deadline: float | None
    ) -> AsyncIterator[Response]:
        """See UpstreamClient. `deadline` is event loop time, in seconds."""
        answer = await self._answer(request, upstream, deadline)
        complete = False
        try:
            headers = tuple((_latin1(n), _latin1(v)) for n, v in answer.raw_headers)
            head = ResponseHead(status=answer.status, headers=headers)
            yield Response(head=head, body=_chunks(answer, upstream, deadline))
            complete = answer.content.at_eof()
        finally:
            if complete:
                await answer.release()
            else:
                answer.close()

    async def _answer(
        self, request: Request, upstream: Upstream, deadline: float | None
    ) -> aiohttp.ClientResponse:
        """The response to the first attempt that gets one (retries: docs/operations.md)."""
        if not _TARGET.fullmatch(request.head.target):
            raise BadRequest("the path or query is no visible ASCII")
        attempts = upstream.retries
        while True:
            try:
                async with asyncio.timeout_at(_limit(upstream, deadline)) as timer:
                    return await self._request(request, upstream, timer)
            except (TimeoutError, aiohttp.ClientError, ValueError) as error:
                # At the end of the gateway itself there is nothing left to repeat it with.
                if attempts == 0 or self._session.closed or not _may_repeat(request, error):
                    raise _failure(error, upstream) from error
            attempts -= 1

    async def _request(
        self, request: Request, upstream: Upstream, timer: asyncio.Timeout
    ) -> aiohttp.ClientResponse:
        head, body = request.head, request.body
        if self._session.closed:
            raise ApiUnavailable("the gateway is ending")
        answer = await self._session_for(upstream.scope).request(
            head.method,
            # yarl would resolve `%2E%2E` (and more) in a URL that is not marked as encoded.
            URL(upstream.origin + head.target, encoded=True),
            headers=_wire_headers(head),
            data=_paced(body, upstream, timer) if isinstance(body, AsyncIterator) else body,
            allow_redirects=False,
        )
        # A 101 that nobody asked for is no final answer, and 099 is no status at all.
        is_final = 200 <= answer.status <= 999
        if not is_final or any(_CONTROL.search(value) for _, value in answer.raw_headers):
            answer.close()
            raise aiohttp.ClientPayloadError
        return answer

    def _session_for(self, scope: AddressScope) -> aiohttp.ClientSession:
        if scope is AddressScope.ANY:
            return self._session
        if scope not in self._scoped:
            self._scoped[scope] = _open_session(scope)
        return self._scoped[scope]


def _open_session(scope: AddressScope) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=10,
            socket_factory=None if scope is AddressScope.ANY else _sockets_within(scope),
        ),
        # A jar would send one caller's cookies with another's request.
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_OWN_DEFAULTS,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        max_line_size=MAX_FIELD_BYTES,
        max_field_size=MAX_FIELD_BYTES,
        read_bufsize=65_536,
    )
    # aiohttp re-sends PUT and DELETE by itself when a kept connection dies; a test pins that this
    # private switch still turns that off.
    session._retry_connection = False  # noqa: SLF001
    return session


def _sockets_within(scope: AddressScope) -> Callable[[AddrInfoType], socket.socket]:
    def make_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not scope.admits(ip_address(str(address[0]).partition("%")[0])):
            raise OSError(f"no {scope} address")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make_socket


def _wire_headers(head: RequestHead) -> list[tuple[str, str]]:
    headers = [(name, as_utf8(value)) for name, value in head.headers]
    if not any(name.lower() == "user-agent" for name, _ in headers):
        headers.append(("User-Agent", "ocp-gateway"))
    return headers


async def _paced(
    body: AsyncIterator[bytes], upstream: Upstream, timer: asyncio.Timeout
) -> AsyncIterator[bytes]:
    """An upload that goes on as long as it moves; the upstream's time starts with its end.

    While the next chunk is awaited it is the caller who keeps us waiting: RequestTimeout.
    """
    now = asyncio.get_running_loop().time
    while True:
        # An upstream may answer before the upload's end: then its time is measured no more.
        with suppress(RuntimeError):
            timer.reschedule(None)
        try:
            async with asyncio.timeout(upstream.timeout_seconds):
                chunk = await anext(body, None)
        except TimeoutError as error:
            raise RequestTimeout("the request's body stopped coming") from error
        with suppress(RuntimeError):
            timer.reschedule(now() + upstream.timeout_seconds)
        if chunk is None:
            return
        yield chunk


def _may_repeat(request: Request, error: Exception) -> bool:
    """Nothing was sent, or what was sent does no more when it comes twice."""
    if isinstance(error, TimeoutError):
        return False
    if isinstance(error, aiohttp.ClientConnectorError):
        return True
    lost = isinstance(error, aiohttp.ClientConnectionError)
    streamed = isinstance(request.body, AsyncIterator)
    return lost and request.head.method in IDEMPOTENT and not streamed


def _failure(error: Exception, upstream: Upstream) -> GatewayError:
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return UpstreamUnreachable(f"{upstream.name} cannot be reached")
    if isinstance(error, TimeoutError):
        return UpstreamTimeout(f"{upstream.name} did not answer in time")
    if isinstance(error.__cause__, GatewayError):  # a streamed body's own refusal
        return error.__cause__
    if isinstance(error, aiohttp.ClientConnectionError):
        return UpstreamError(f"{upstream.name} closed the connection")
    return UpstreamError(f"{upstream.name} gave no valid answer")


def _limit(upstream: Upstream, deadline: float | None) -> float:
    step = asyncio.get_running_loop().time() + upstream.timeout_seconds
    return step if deadline is None else min(step, deadline)


async def _chunks(
    answer: aiohttp.ClientResponse, upstream: Upstream, deadline: float | None
) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout_at(_limit(upstream, deadline)):
                chunk = await answer.content.readany()
        except TimeoutError as error:
            raise UpstreamTimeout(f"{upstream.name} stopped sending") from error
        except aiohttp.ClientError as error:
            raise UpstreamError(f"{upstream.name} broke off its answer") from error
        if not chunk:
            return
        yield chunk


def _latin1(raw: bytes) -> str:
    return raw.decode("latin-1")
