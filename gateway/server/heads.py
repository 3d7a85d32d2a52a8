"""aiohttp's requests in our own words."""

import asyncio

from aiohttp import web

from gateway.errors import BadRequest, PayloadTooLarge
from gateway.mcp import LARGE, parse_json
from gateway.mcp.errors import RpcError
from gateway.messages import Headers
from gateway.policy import Caller
from gateway.server.connections import invite_body

# What a page may send anywhere without asking first (Fetch, "CORS-safelisted request-header").
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})


CALLER = web.RequestKey("caller", Caller)
"""Where a request holds its Caller, once that is known."""


def headers_of(request: web.Request) -> Headers:
    """The header pairs as they arrived, without those that authenticated the caller.

    Bytes are read as Latin-1, so that none is lost.
    """
    pairs = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in request.raw_headers)
    caller = request.get(CALLER)
    if caller is None or not caller.consumed:
        return pairs
    return tuple(pair for pair in pairs if pair[0].lower() not in caller.consumed)


def raw_target(request: web.Request) -> str:
    """The request target as sent, in origin form. Raises BadRequest for any other form."""
    target = request.raw_path
    if not target.startswith("/") or target.startswith("//") or "#" in target:
        raise BadRequest("the request target is not in origin form")
    return target


def is_plain(request: web.Request) -> bool:
    """Whether the body has no content coding."""
    return request.headers.get("Content-Encoding", "identity").lower() == "identity"


def is_plain_json(request: web.Request) -> bool:
    """Whether the body is JSON as it stands, or there is none."""
    if not is_plain(request):
        return False
    if request.can_read_body:
        return request.content_type == "application/json"
    # Some clients name a type for no body at all; no web page's form may act even so.
    return request.content_type not in _FORM_TYPES


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body. Raises PayloadTooLarge as soon as it passes `limit` bytes."""
    if (request.content_length or 0) > limit:
        raise PayloadTooLarge(f"the body is larger than {limit} bytes")
    await invite_body(request)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise PayloadTooLarge(f"the body is larger than {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_json(request: web.Request, limit: int) -> object:
    """What the body says; no body of a POST is an empty object.

    Raises PayloadTooLarge as `read_body` does, BadRequest for what is no JSON.
    """
    body = await read_body(request, limit)
    if request.method == "POST" and not body.strip():
        return {}
    try:
        # Nobody else shall wait for what one caller has much of.
        return parse_json(body) if len(body) < LARGE else await asyncio.to_thread(parse_json, body)
    except RpcError as error:
        raise BadRequest(str(error)) from error
