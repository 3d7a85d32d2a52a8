"""What the gateway itself offers to read: descriptions, tools, contexts, the rest of results."""

import asyncio
import json
from base64 import b64encode
from typing import Protocol

from gateway.calls import (
    EXCERPT_BYTES,
    Resource,
    Rest,
    charset_of,
    decode_beginning,
    decode_text,
)
from gateway.catalog import (
    Additions,
    Catalog,
    OwnKind,
    OwnUri,
    Tool,
    View,
    description_text,
    is_textual,
)
from gateway.context import (
    AgentContext,
    ContextDraft,
    agent_type_from,
    is_header_id,
    to_mapping,
)
from gateway.dialects import native_page, tool_page
from gateway.engine.answers import ResultPart
from gateway.engine.own_contexts import OwnContexts
from gateway.engine.values import ResourceCall, ResourceOutcome
from gateway.errors import UnknownApi, UnknownContext, UnknownResource, UnknownResult
from gateway.openapi import essence_of
from gateway.policy import Principal

MAX_PART = 1_048_576
"""Bytes of a kept result in one answer."""


class Owner(Protocol):
    """What is needed of the Gateway."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def additions(self) -> Additions: ...

    @property
    def contexts(self) -> OwnContexts: ...

    def view(self, api: str | None = None) -> View: ...

    async def read_result(
        self, principal: Principal, handle: str, *, start: int = 0, length: int = 0
    ) -> ResultPart: ...


async def read_own(owner: Owner, call: ResourceCall, own: OwnUri) -> ResourceOutcome:
    """What `own`, read from the call's URI, names.

    Raises UnknownResource, ApiUnavailable, StoreUnavailable.
    """
    match own.kind:
        case OwnKind.API:
            return await _api(owner, call, own.name)
        case OwnKind.TOOL:
            return await _tool(owner, call, own.name)
        case OwnKind.CONTEXT:
            return await _context(owner, call, own.name)
        case OwnKind.RESULT:
            return await _result(owner, call, own)


async def _api(owner: Owner, call: ResourceCall, name: str) -> ResourceOutcome:
    if call.api not in (None, name):
        raise UnknownResource(call.uri)
    try:
        owner.view(name)
    except UnknownApi:
        raise UnknownResource(call.uri) from None
    document = owner.catalog.apis[name].document
    if document is None:
        raise UnknownResource(call.uri)
    data, is_whole = await asyncio.to_thread(description_text, document)
    if is_whole:
        return _text(call.uri, data.decode(), "application/json")
    shown, size = decode_beginning(data[:EXCERPT_BYTES], "utf-8")
    text = (
        f"[Excerpt: the first {size:,} bytes of a larger description, not the whole of it.]\n"
        f"{shown}\n[Cut here. {OwnKind.TOOL} documents each tool.]"
    )
    return _text(call.uri, text, "text/plain")


async def _tool(owner: Owner, call: ResourceCall, name: str) -> ResourceOutcome:
    own, view = owner.additions.find(name), owner.view(call.api)
    tool = view.find(name)
    if own is not None:
        page = native_page(own)
    elif tool is not None:
        # Of a large description it takes its time to gather what a schema refers to.
        page = await asyncio.to_thread(_page, owner, view, tool)
    else:
        raise UnknownResource(call.uri)
    return _text(call.uri, page, "text/markdown")


def _page(owner: Owner, view: View, tool: Tool) -> str:
    return tool_page(view.published_name(tool), tool, owner.additions.input_schema(tool))


async def _context(owner: Owner, call: ResourceCall, name: str) -> ResourceOutcome:
    context_id = name or call.claim.named_id
    if context_id is None or not is_header_id(context_id):
        raise UnknownResource(call.uri)
    try:
        context = await owner.contexts.read(call.principal, context_id)
    except UnknownContext:
        if name:
            raise UnknownResource(call.uri) from None
        context = _before_its_first_call(owner, call, context_id)
    text = json.dumps(to_mapping(context), ensure_ascii=False, separators=(",", ":"))
    return _text(call.uri, text, "application/json", is_private=True)


def _before_its_first_call(owner: Owner, call: ResourceCall, context_id: str) -> AgentContext:
    """The conversation is there; what is kept of it begins with its first call."""
    agent_type = agent_type_from(call.claim.inbound.agent_type, call.claim.agent_hint)
    return owner.contexts.drafted(ContextDraft(), context_id, agent_type=agent_type)


async def _result(owner: Owner, call: ResourceCall, own: OwnUri) -> ResourceOutcome:
    start = own.start or 0
    length = EXCERPT_BYTES if own.length is None else min(own.length, MAX_PART)
    try:
        part = await owner.read_result(call.principal, own.name, start=start, length=length)
    except UnknownResult:
        raise UnknownResource(call.uri) from None
    contents, taken = _contents(call.uri, part)
    end = start + taken
    rest = None
    if end < part.size:
        rest = Rest(handle=own.name, start=end, size=part.size, whole=part.whole)
    return ResourceOutcome(contents=(contents,), is_private=True, rest=rest)


def _contents(uri: str, part: ResultPart) -> tuple[Resource, int]:
    """The part as text, its last character a whole one, or as bytes; and how many bytes it has."""
    essence = essence_of(part.media_type)
    if not is_textual(essence):
        blob = b64encode(part.data).decode()
        return Resource(uri=uri, media_type=essence, blob=blob), len(part.data)
    # Only the beginning can have a mark, or say of itself what it is.
    beginning = part.data if part.start == 0 else b""
    charset = charset_of(beginning, part.media_type)
    if part.start + len(part.data) >= part.size:
        text = decode_text(part.data, charset)
        return Resource(uri=uri, media_type=essence, text=text), len(part.data)
    text, size = decode_beginning(part.data, charset)
    return Resource(uri=uri, media_type=essence, text=text), size or len(part.data)


def _text(uri: str, text: str, media_type: str, *, is_private: bool = False) -> ResourceOutcome:
    contents = Resource(uri=uri, media_type=media_type, text=text)
    return ResourceOutcome(contents=(contents,), is_private=is_private)
