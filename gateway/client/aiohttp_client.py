"""One exchange over aiohttp's client, with everything clever switched off."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.http import HttpProcessingError, HttpVersion10, HttpVersion11
from yarl import URL

from gateway.client.conversation import Conversation
from gateway.client.failures import failure
from gateway.client.resolving import Resolver
from gateway.client.tls import TlsContexts
from gateway.client.upgrading import HANDSHAKE, SWITCHING, Pipe, is_switched
from gateway.errors import ApiUnavailable, BadRequest, UpstreamError, UpstreamUnreachable
from gateway.messages import Request, Response, ResponseHead, as_utf8
from gateway.upstreams import AddressScope, Upstream

CONNECT_SECONDS = 2.0
"""For everything up to a connection that can be used: name, TCP, proxy, TLS."""
MAX_FIELD_BYTES = 65_536
MAX_HEAD_BYTES = 262_144
# What no field value may hold (RFC 9110 section 5.5); aiohttp's parser lets some of it through.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# RFC 9112 section 3.2: whatever made the target, no blank and no control gets into a request
# line. Nor does a fragment, which aiohttp would drop without a word.
_TARGET = re.compile(r"[!\"$-~]+")
# Up to what a signed number of 64 bits holds for certain: beyond it implementations differ.
_LENGTH = re.compile(r"[0-9]{1,18}")
_OWN_DEFAULTS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class AiohttpClient:
    """A Transport. Nothing of one exchange reaches another but its connection.

    Connections are pooled by scheme, host, port, TLS context and proxy. Where a description chose
    the server, they have a pool of their own, which makes none outside the upstream's scope: a name
    may lead elsewhere each time that it is resolved.
    """

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver or Resolver()
        self._tls = TlsContexts()
        self._session = _open_session(AddressScope.ANY, self._resolver)
        self._scoped: dict[AddressScope, aiohttp.ClientSession] = {}

    async def aclose(self) -> None:
        for session in (self._session, *self._scoped.values()):
            await session.close()
        await self._resolver.close()

    @asynccontextmanager
    async def exchange(self, request: Request, upstream: Upstream) -> AsyncIterator[Response]:
        """As Transport.exchange."""
        answer = await self._request(request, upstream)
        complete = False
        try:
            headers = tuple((_latin1(n), _latin1(v)) for n, v in answer.raw_headers)
            head = ResponseHead(status=answer.status, headers=headers)
            if answer.status == SWITCHING:
                pipe = Pipe(answer)
                yield Response(head=head, body=pipe.received(), send=pipe.send)
            else:
                yield Response(head=head, body=_chunks(answer, upstream))
                complete = answer.content.at_eof()
        finally:
            if complete:
                await answer.release()
            else:
                answer.close()

    async def _request(self, request: Request, upstream: Upstream) -> aiohttp.ClientResponse:
        head = request.head
        if not _TARGET.fullmatch(head.target):
            raise BadRequest("the path or query is no visible ASCII")
        if self._session.closed:
            raise ApiUnavailable("the gateway is ending")
        context = await self._tls.of(upstream)
        try:
            answer = await self._session_for(upstream).request(
                head.method,
                # yarl would resolve `%2E%2E` (and more) in a URL that is not marked as encoded.
                URL(upstream.origin + head.target, encoded=True),
                headers=_wire_headers(request),
                data=request.body,
                allow_redirects=False,
                ssl=context,
                proxy=upstream.egress_proxy,
            )
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise failure(error, upstream) from error
        try:
            _check(answer, upstream, request)
        except UpstreamError:
            answer.close()
            raise
        return answer

    def _session_for(self, upstream: Upstream) -> aiohttp.ClientSession:
        scope = upstream.scope
        if upstream.egress_proxy is not None:
            # The operator named the proxy, wherever it is; where names lead is then its affair.
            if not scope.admits_host(urlsplit(upstream.origin).hostname or ""):
                raise UpstreamUnreachable(f"{upstream.name} is at no {scope} address")
            scope = AddressScope.ANY
        if scope is AddressScope.ANY:
            return self._session
        if scope not in self._scoped:
            self._scoped[scope] = _open_session(scope, self._resolver)
        return self._scoped[scope]


def _open_session(scope: AddressScope, resolver: Resolver) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=0,
        resolver=resolver,
        use_dns_cache=False,
        socket_factory=None if scope is AddressScope.ANY else _sockets_within(scope),
    )
    # Another private switch that tests pin: aiohttp has no setting for the protocol.
    loop = asyncio.get_running_loop()
    connector._factory = partial(Conversation, loop=loop)  # type: ignore[assignment] # noqa: SLF001
    session = aiohttp.ClientSession(
        connector=connector,
        # A jar would send one caller's cookies with another's request.
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_OWN_DEFAULTS,
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
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


def _wire_headers(request: Request) -> list[tuple[str, str]]:
    handshake = HANDSHAKE if request.websocket else ()
    headers = [(name, as_utf8(value)) for name, value in (*request.head.headers, *handshake)]
    if not any(name.lower() == "user-agent" for name, _ in headers):
        headers.append(("User-Agent", "ocp-gateway"))
    return headers


def _check(answer: aiohttp.ClientResponse, upstream: Upstream, request: Request) -> None:
    """Raises UpstreamError for a head that must not be passed on."""
    asked = request.websocket and answer.status == SWITCHING
    # A 101 that nobody asked for is no final answer, and 099 is no status at all.
    is_final = 200 <= answer.status <= 999
    if not (is_switched(answer, request.head.headers) if asked else is_final):
        raise UpstreamError(f"{upstream.name} gave no valid answer")
    if not _is_framed(answer) or _CONTROL.search((answer.reason or "").encode("utf-8", "replace")):
        raise UpstreamError(f"{upstream.name} gave no valid answer")
    size = 0
    for name, value in answer.raw_headers:
        size += len(name) + len(value)
        if _CONTROL.search(value):
            raise UpstreamError(f"{upstream.name} gave no valid answer")
    if size > MAX_HEAD_BYTES:
        raise UpstreamError(f"{upstream.name} gave too large a head")


def _is_framed(answer: aiohttp.ClientResponse) -> bool:
    """Whether anybody else would see the body end where we do.

    A transfer coding besides `chunked` is no business of the caller's, and would be no more than
    bytes once it is passed on (RFC 9112 section 6.1). Not all of it is left to aiohttp's parser,
    because its second one, in Python, lets more through.
    """
    codings = answer.headers.getall("Transfer-Encoding", [])
    lengths = answer.headers.getall("Content-Length", [])
    if answer.version not in (HttpVersion10, HttpVersion11):
        return False
    if codings:
        is_plain = [coding.lower() for coding in codings] == ["chunked"]
        return is_plain and not lengths and answer.version == HttpVersion11
    return not lengths or (len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) is not None)


async def _chunks(answer: aiohttp.ClientResponse, upstream: Upstream) -> AsyncIterator[bytes]:
    while True:
        try:
            chunk = await answer.content.readany()
        except (aiohttp.ClientError, HttpProcessingError) as error:
            raise UpstreamError(f"{upstream.name} broke off its answer") from error
        if not chunk:
            return
        yield chunk


def _latin1(raw: bytes) -> str:
    return raw.decode("latin-1")
