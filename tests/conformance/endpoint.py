"""Modern requests to the endpoint under test, as plain HTTP."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

REVISION = "2026-07-28"
EVERYTHING: Mapping[str, object] = {"sampling": {}, "elicitation": {}, "roots": {}}
_META = "io.modelcontextprotocol/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The response, of which there is exactly one, and what came before it on an event stream."""

    status: int
    response: Mapping[str, object]
    notifications: tuple[Mapping[str, object], ...] = ()

    @property
    def result(self) -> Mapping[str, object]:
        return _mapping(self.response["result"])

    @property
    def error(self) -> Mapping[str, object]:
        return _mapping(self.response["error"])

    @property
    def texts(self) -> list[object]:
        blocks = self.result["content"]
        assert isinstance(blocks, list)
        return [block["text"] for block in blocks if block["type"] == "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    http: aiohttp.ClientSession
    url: str
    capabilities: Mapping[str, object] = field(default_factory=lambda: EVERYTHING)

    async def call(
        self, tool: str, *, meta: Mapping[str, object] | None = None, **params: object
    ) -> Answer:
        """Call `tool` without arguments."""
        return await self.ask("tools/call", {"name": tool, "arguments": {}, **params}, meta=meta)

    async def ask(
        self,
        method: str,
        params: Mapping[str, object],
        *,
        meta: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send a request; `meta` is what `_meta` has besides what it must have."""
        async with self._send(method, params, meta or {}) as response:
            text = await response.text()
        *before, last = _messages(text, response.content_type)
        return Answer(status=response.status, response=last, notifications=tuple(before))

    @asynccontextmanager
    async def listen(self, **wanted: object) -> AsyncIterator[AsyncIterator[Mapping[str, object]]]:
        """The notifications of a stream that asks for `wanted`, as they come."""
        params = {"notifications": wanted}
        async with self._send("subscriptions/listen", params, {}) as response:
            yield (message async for line in response.content for message in _told(line.decode()))

    def _send(
        self, method: str, params: Mapping[str, object], meta: Mapping[str, object]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        message = {
            "jsonrpc": "2.0",
            "id": "one",
            "method": method,
            "params": {**params, "_meta": {**self._meta(), **meta}},
        }
        headers = {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION,
            "Mcp-Method": method,
        }
        name = params.get("name", params.get("uri"))
        if isinstance(name, str):
            headers["Mcp-Name"] = name
        return self.http.post(self.url, json=message, headers=headers)

    def _meta(self) -> dict[str, object]:
        return {
            f"{_META}protocolVersion": REVISION,
            f"{_META}clientCapabilities": self.capabilities,
            f"{_META}clientInfo": {"name": "tests", "version": "1"},
        }


def _messages(text: str, content_type: str) -> list[Mapping[str, object]]:
    if content_type == "application/json":
        return [_mapping(json.loads(text))]
    return [message for line in text.splitlines() for message in _told(line)]


def _told(line: str) -> Iterator[Mapping[str, object]]:
    """What a line of an event stream says, if anything."""
    if line.startswith("data: "):
        yield _mapping(json.loads(line.removeprefix("data: ")))


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict)
    return value
