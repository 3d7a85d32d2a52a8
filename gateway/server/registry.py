"""`/registry` and `/search`: the gateway as the registry of OCP agents.

The agents that ask here send no credentials and no conditions, and take anything but 404 and
success for an outage.
"""

import asyncio
import re
from collections.abc import Mapping
from hashlib import sha256
from weakref import WeakKeyDictionary

from aiohttp import web

from gateway.catalog import ApiCatalog, Recall, View, make_anew
from gateway.dialects import registry_line, registry_tools, search_apis
from gateway.engine import Gateway
from gateway.errors import BadRequest, UnknownApi
from gateway.mcp import encode_json
from gateway.server.etags import etag_of, is_named
from gateway.server.provenance import own_url
from gateway.upstreams import ProxyReach

DEFAULT_PER_PAGE = 10
MAX_PER_PAGE = 100
_COUNT = re.compile(r"[0-9]{1,9}")


class RegistryEndpoint:
    """The handlers of `/registry` and `/search`. Tools are encoded once for each catalog."""

    def __init__(
        self, gateway: Gateway, *, public_url: str | None, recall: Recall = make_anew
    ) -> None:
        self._gateway = gateway
        self._public_url = public_url
        self._recall = recall
        self._tools: WeakKeyDictionary[View, tuple[bytes, bytes]] = WeakKeyDictionary()
        self._encoding = asyncio.Lock()

    async def list_apis(self, request: web.Request) -> web.Response:
        listed = self._apis().values()
        return _answer(request, encode_json([self._line(request, api) for api in listed]))

    async def search(self, request: web.Request) -> web.Response:
        """Parameters that registries elsewhere know are no fault here: agents may send them."""
        found = search_apis(self._apis(), request.query.get("q", ""))
        listed = [self._line(request, api) for api in found][: _per_page(request.query)]
        return _answer(request, encode_json({"results": listed}))

    async def show_api(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        view, api = self._gateway.view(name), self._gateway.catalog.apis[name]
        if not self._is_listed(name):
            raise UnknownApi(f"{name} is not proxied, so agents cannot reach it by themselves")
        tools, digest = await self._tools_of(view)
        head = encode_json(self._line(request, api)).removesuffix(b"}") + b',"tools":'
        # The tools may have megabytes: their own digest stands for them.
        return _answer(request, b"".join((head, tools, b"}")), etag_of(head + digest))

    def _apis(self) -> Mapping[str, ApiCatalog]:
        apis = self._gateway.catalog.apis
        return {name: api for name, api in apis.items() if self._is_listed(name)}

    def _is_listed(self, name: str) -> bool:
        return self._gateway.upstreams[name].proxy is not ProxyReach.OFF

    def _line(self, request: web.Request, api: ApiCatalog) -> dict[str, object]:
        base = self._public_url or own_url(request)
        return registry_line(api, base_url=f"{base}/apis/{api.api}")

    async def _tools_of(self, view: View) -> tuple[bytes, bytes]:
        if view not in self._tools:
            async with self._encoding:  # whoever comes meanwhile takes what the first one makes
                if view not in self._tools:
                    self._tools[view] = await asyncio.to_thread(self._encoded, view)
        return self._tools[view]

    def _encoded(self, view: View) -> tuple[bytes, bytes]:
        """An array of tools, and its digest."""
        body = self._recall(view, "registry", _encode_tools)
        return body, sha256(body).digest()


def _encode_tools(view: View) -> bytes:
    return encode_json(registry_tools(view))


def _answer(request: web.Request, body: bytes, etag: str | None = None) -> web.Response:
    etag = etag or etag_of(body)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if is_named(etag, request.headers.getall("If-None-Match", [])):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)


def _per_page(query: Mapping[str, str]) -> int:
    text = query.get("per_page", str(DEFAULT_PER_PAGE))
    if not _COUNT.fullmatch(text) or not int(text):
        raise BadRequest("per_page is a number from 1 on")
    return min(int(text), MAX_PER_PAGE)
