"""`/contexts`: the caller's own contexts, listed, made, read, patched and deleted."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web

from gateway.context import (
    AgentContext,
    agent_type_from,
    is_header_id,
    read_draft,
    read_inbound,
    read_patch,
    to_mapping,
)
from gateway.engine import NO_CONTEXT, OwnContexts
from gateway.errors import (
    BadRequest,
    Forbidden,
    GatewayError,
    UnknownContext,
    VersionConflict,
)
from gateway.interfaces import Stored
from gateway.mcp import encode_json
from gateway.policy import Principal
from gateway.server.etags import etag_of, is_any, is_matched, is_named
from gateway.server.heads import headers_of, is_plain, is_plain_json, read_json
from gateway.server.problems import unsupported_media_type

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
MAX_BODY = 4_194_304
"""Bytes of a draft or a patch: twice what one can say within the limits of its members."""
_ANOTHER = "the context is not the one that the condition asks for"
_LIMIT = re.compile(r"[0-9]{1,4}")
JSON = "application/json"
# RFC 7396 section 4, and what clients call any JSON.
PATCH_TYPES = ("application/merge-patch+json", JSON)


class ContextsEndpoint:
    """The handlers of `/contexts`. Without `may_list` nobody is told which contexts there are."""

    def __init__(
        self,
        contexts: OwnContexts,
        *,
        principal_of: Callable[[web.Request], Principal],
        max_body_bytes: int,
        may_list: bool = True,
        url: str = "/contexts/",
    ) -> None:
        """`url` and an id make the address that a caller is told."""
        self._contexts = contexts
        self._principal_of = principal_of
        self._max_body_bytes = max_body_bytes
        self._may_list = may_list
        self._url = url

    async def list(self, request: web.Request) -> web.Response:
        if not self._may_list:
            raise Forbidden("contexts are not listed where everybody is the same principal")
        limit, cursor = _paging(request.query)
        page = await self._contexts.list(self._principal_of(request), cursor=cursor, limit=limit)
        shown = {"contexts": [_line(item) for item in page.items], "nextCursor": page.next_cursor}
        return web.Response(
            body=encode_json(shown),
            content_type=JSON,
            headers={"Cache-Control": "private, no-cache"},
        )

    async def create(self, request: web.Request) -> web.Response:
        if not is_plain_json(request):
            return unsupported_media_type(
                "A new context is described as application/json, not compressed."
            )
        draft = read_draft(await self._json(request))
        agent_type = agent_type_from(read_inbound(headers_of(request)).agent_type, None)
        principal = self._principal_of(request)
        with _naming(draft.context_id):
            context = await self._contexts.create(principal, draft, agent_type=agent_type)
        response = _shown(context)
        response.set_status(201)
        response.headers["Location"] = f"{self._url}{context.context_id}"
        return response

    async def show(self, request: web.Request) -> web.Response:
        context_id = _id(request)
        with _naming(context_id):
            context = await self._contexts.read(self._principal_of(request), context_id)
            response = _shown(context)
            wanted = request.headers.getall("If-Match", [])
            if wanted and not is_matched(response.headers["ETag"], wanted):
                raise VersionConflict(_ANOTHER)
        if is_named(response.headers["ETag"], request.headers.getall("If-None-Match", [])):
            return _not_modified(response)
        return response

    async def patch(self, request: web.Request) -> web.Response:
        context_id, principal = _id(request), self._principal_of(request)
        if request.content_type not in PATCH_TYPES or not is_plain(request):
            types = ", ".join(PATCH_TYPES)
            # RFC 5789 section 2.2.
            accepted = {"Accept-Patch": types}
            return unsupported_media_type(f"A patch is one of {types}, not compressed.", accepted)
        with _naming(context_id):
            patch = read_patch(await self._json(request))
            read = await self._bound_to(request, context_id)
            context = await self._contexts.patch(principal, context_id, patch, only_if=read)
        return _shown(context)

    async def delete(self, request: web.Request) -> web.Response:
        context_id, principal = _id(request), self._principal_of(request)
        with _naming(context_id):
            read = await self._bound_to(request, context_id)
            await self._contexts.delete(principal, context_id, only_if=read)
        return web.Response(status=204, headers={"OCP-Context-ID": context_id})

    async def _bound_to(self, request: web.Request, context_id: str) -> AgentContext | None:
        """The one state that the request may change, None if any will do.

        Raises VersionConflict where its conditions do not hold now.
        """
        wanted = request.headers.getall("If-Match", [])
        unwanted = request.headers.getall("If-None-Match", [])
        if not wanted and not unwanted:
            return None
        context = await self._contexts.read(self._principal_of(request), context_id)
        etag = etag_of(_body(context))
        if (wanted and not is_matched(etag, wanted)) or is_named(etag, unwanted):
            raise VersionConflict(_ANOTHER)
        # `*` asks for existence alone (RFC 9110 section 13.1.1), which the change itself needs. And
        # a state that was not the unwanted one does not become it: every change is a newer one.
        return context if wanted and not is_any(wanted) else None

    async def _json(self, request: web.Request) -> object:
        return await read_json(request, min(self._max_body_bytes, MAX_BODY))


def _id(request: web.Request) -> str:
    context_id = request.match_info["id"]
    if not is_header_id(context_id):
        raise UnknownContext(NO_CONTEXT)
    return context_id


def _body(context: AgentContext) -> bytes:
    return encode_json(to_mapping(context))


def _shown(context: AgentContext) -> web.Response:
    body = _body(context)
    headers = {
        "ETag": etag_of(body),
        "Cache-Control": "private, no-cache",
        "OCP-Context-ID": context.context_id,
    }
    return web.Response(body=body, content_type=JSON, headers=headers)


def _not_modified(response: web.Response) -> web.Response:
    """RFC 9110 section 15.4.5: the same fields, without what describes a body."""
    headers = {name: value for name, value in response.headers.items() if name != "Content-Type"}
    return web.Response(status=304, headers=headers)


@contextmanager
def _naming(context_id: str | None) -> Iterator[None]:
    """Every answer about a context names it, refusals included."""
    try:
        yield
    except GatewayError as error:
        error.context_id = context_id
        raise


def _line(stored: Stored) -> Mapping[str, object]:
    context = stored.context
    return {
        "context_id": context.context_id,
        "agent_type": context.agent_type,
        "last_updated": context.last_updated,
        "interaction_count": context.session.interaction_count if context.session else 0,
    }


def _paging(query: Mapping[str, str]) -> tuple[int, str | None]:
    for name in query:
        if name not in ("limit", "cursor"):
            raise BadRequest(f"there is no query parameter {name[:64]!r} here")
    text = query.get("limit", str(DEFAULT_LIMIT))
    limit = int(text) if _LIMIT.fullmatch(text) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequest(f"limit is a number from 1 to {MAX_LIMIT}")
    return limit, query.get("cursor")
