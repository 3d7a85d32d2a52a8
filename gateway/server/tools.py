"""`GET /tools`, `GET /tools/{name}`, `POST /tools/{name}`: the catalog over plain HTTP."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

from aiohttp import web

from gateway.catalog import Additions, Recall, Tool, View, make_anew
from gateway.context import read_inbound
from gateway.dialects import ocp_tool
from gateway.engine import (
    AskedInVain,
    CallOutcome,
    ContextClaim,
    Continuation,
    Gateway,
    ToolCall,
)
from gateway.errors import (
    BadRequest,
    ConfirmationRequired,
    InputRequired,
    NotAvailable,
    UnknownTool,
)
from gateway.mcp import (
    LATEST_LEGACY,
    V2026_07_28,
    describe_all,
    describe_native,
    describe_tool,
    encode_json,
)
from gateway.mcp.content import render_content, render_rest
from gateway.messages import Headers
from gateway.policy import Principal
from gateway.server.etags import etag_of, is_named
from gateway.server.heads import headers_of, is_plain_json, read_json
from gateway.server.previews import preview_json
from gateway.server.problems import unsupported_media_type

Json = dict[str, object]
Describe = Callable[[str, Tool], Json]

FORMATS: Mapping[str, Describe] = {
    "ocp": lambda name, tool: {**ocp_tool(tool), "name": name},
    "mcp": lambda name, tool: describe_tool(name, tool, V2026_07_28),
}
_LATER_FORMATS = frozenset({"openai", "openai-responses", "anthropic", "gemini", "langchain"})
_LATER_QUERY = frozenset({"search", "limit", "cursor", "max_tokens"})


class ToolsEndpoint:
    """The handlers of `/tools`. Encoded lists are kept for as long as their view lives."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        principal_of: Callable[[web.Request], Principal],
        max_body_bytes: int,
        recall: Recall = make_anew,
    ) -> None:
        self._gateway = gateway
        self._recall = recall
        self._principal_of = principal_of
        self._max_body_bytes = max_body_bytes
        self._lists: WeakKeyDictionary[View, dict[str, tuple[bytes, str]]] = WeakKeyDictionary()
        self._listing = asyncio.Lock()

    async def list_tools(self, request: web.Request) -> web.Response:
        query = _query(request, allowed=("format", "api"))
        form = _format(query)
        body, etag = await self._list(self._gateway.view(query.get("api")), form)
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if is_named(etag, request.headers.getall("If-None-Match", [])):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def show_tool(self, request: web.Request) -> web.Response:
        query = _query(request, allowed=("format", "api"))
        form, name = _format(query), request.match_info["name"]
        view, additions = self._gateway.view(query.get("api")), self._gateway.additions
        if form == "mcp" and (native := additions.find(name)) is not None:
            return _shown_tool(describe_native(native, V2026_07_28), native.digest)
        tool = view.find(name)
        if tool is None:
            raise UnknownTool(f"there is no tool {name[:64]!r}")
        if form == "mcp":
            described = describe_tool(view.published_name(tool), tool, V2026_07_28, additions)
        else:
            described = FORMATS[form](view.generated_name(tool), tool)
        return _shown_tool(described, tool.digest, tool)

    async def call_tool(self, request: web.Request) -> web.Response:
        query = _query(request, allowed=("api", "dry_run", "confirm"))
        dry_run = _flag(query, "dry_run")
        if not is_plain_json(request):
            return unsupported_media_type("Arguments are sent as application/json, not compressed.")
        headers = headers_of(request)
        call = ToolCall(
            name=request.match_info["name"],
            arguments=_arguments(await read_json(request, self._max_body_bytes)),
            principal=self._principal_of(request),
            claim=ContextClaim(inbound=read_inbound(headers)),
            api=query.get("api"),
            headers=headers,
            consent=query.get("confirm"),
        )
        if dry_run:
            return await self._preview(call)
        outcome = await _outcome(self._gateway, call)
        return web.Response(
            body=encode_json(_shown(outcome)),
            content_type="application/json",
            headers={"OCP-Context-ID": outcome.context_id},
        )

    async def _preview(self, call: ToolCall) -> web.Response:
        body = encode_json(preview_json(await self._gateway.preview_tool(call)))
        # No context was made, so only one that the call names can be named.
        named = call.claim.named_id
        headers = {"OCP-Context-ID": named} if named else None
        return web.Response(body=body, content_type="application/json", headers=headers)

    async def _list(self, view: View, form: str) -> tuple[bytes, str]:
        kept = self._lists.setdefault(view, {})
        if form not in kept:
            async with self._listing:  # whoever comes meanwhile takes what the first one makes
                if form not in kept:
                    # A thousand tools take a fifth of a second, and nobody else shall wait for it.
                    kept[form] = await asyncio.to_thread(self._encoded, view, form)
        return kept[form]

    def _encoded(self, view: View, form: str) -> tuple[bytes, str]:
        """A list of tools with its entity tag."""
        additions = self._gateway.additions
        # What is added is no part of the OCP format: it has neither method nor path.
        name = f"tools {form} {additions.key}" if form == "mcp" else f"tools {form}"
        body = self._recall(view, name, partial(_encoded, form, additions))
        return body, etag_of(body)


async def _outcome(gateway: Gateway, call: ToolCall) -> CallOutcome:
    """What comes of a call whose caller can be asked nothing."""
    while True:
        try:
            return await gateway.call_tool(call)
        except ConfirmationRequired as error:
            advice = f"repeat the call with ?confirm={error.digest}"
            told = ConfirmationRequired(f"{error}; {advice}", digest=error.digest)
            told.context_id = error.context_id
            raise told from None
        except AskedInVain as error:
            context_id = error.context_id or ""
            return CallOutcome(result=error.result, context_id=context_id, recorded=error.recorded)
        except InputRequired as required:
            if required.requests:
                raise
            # There is nothing to answer: the API only wants its state back.
            claim = replace(call.claim, ambient_id=required.context_id)
            continuation = Continuation(responses={}, state=required.state)
            call = replace(call, claim=claim, continuation=continuation)


def _shown_tool(definition: Json, digest: str, tool: Tool | None = None) -> web.Response:
    """`tool` is None for one of the gateway's own, which has no source."""
    shown = {
        "tool": definition,
        "digest": digest,
        "tokens": -(-len(encode_json(definition)) // 4),
        "source": {
            "api": tool.api if tool else None,
            "method": tool.method if tool else None,
            "path": tool.path if tool else None,
            "operationId": tool.operation_id if tool else None,
        },
    }
    return web.Response(body=encode_json(shown), content_type="application/json")


def _encoded(form: str, additions: Additions, view: View) -> bytes:
    if form == "mcp":
        tools = describe_all(view, V2026_07_28, additions)
    else:  # OCP agents know tools by what descriptions alone call them
        describe = FORMATS[form]
        tools = [describe(name, tool) for name, tool in view.generated.items()]
    return encode_json({"tools": tools, "digest": view.digest, "nextCursor": None})


def _query(request: web.Request, *, allowed: tuple[str, ...]) -> Mapping[str, str]:
    for name in request.query:
        if name in allowed:
            continue
        if name in _LATER_QUERY:
            raise NotAvailable(f"the query parameter {name} is not available yet")
        raise BadRequest(f"there is no query parameter {name[:64]!r} here")
    return request.query


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false")
    if value not in ("true", "false"):
        raise BadRequest(f"{name} is true or false")
    return value == "true"


def _format(query: Mapping[str, str]) -> str:
    form = query.get("format", "ocp")
    if form in _LATER_FORMATS:
        raise NotAvailable(f"the format {form} is not available yet")
    if form not in FORMATS:
        raise BadRequest(f"there is no format {form[:40]!r}; there are {', '.join(FORMATS)}")
    return form


def _arguments(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadRequest("the arguments are not a JSON object")
    return value


def _shown(outcome: CallOutcome) -> Json:
    result = outcome.result
    shown: Json = {
        "status": result.status,
        "headers": _joined(result.headers),
        "content": [
            render_content(block, LATEST_LEGACY, index)
            for index, block in enumerate(result.content)
        ],
        "structuredContent": result.structured.value if result.structured else None,
        "isError": result.is_error,
        "context_id": outcome.context_id,
        "recorded": outcome.recorded,
    }
    if result.rest is not None:
        shown["rest"] = render_rest(result.rest)
    return shown


def _joined(headers: Headers) -> dict[str, str]:
    """One member per name; several values are joined as RFC 9110 section 5.3 allows."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
