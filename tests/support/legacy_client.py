"""A legacy client over raw HTTP that answers what it is asked, by a request of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import aiohttp

_ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@dataclass(slots=True, kw_only=True)
class Spoken:
    """What came of one POST: the answer, and what was said before it."""

    status: int
    answer: Mapping[str, object] | None
    said: list[Mapping[str, object]] = field(default_factory=list)

    @property
    def result(self) -> Mapping[str, object]:
        assert self.answer is not None
        result = self.answer.get("result")
        assert isinstance(result, dict), self.answer
        return result

    @property
    def code(self) -> object:
        assert self.answer is not None
        error = self.answer["error"]
        assert isinstance(error, dict)
        return error["code"]

    def methods(self) -> list[object]:
        return [message["method"] for message in self.said]


@dataclass(slots=True, kw_only=True)
class LegacyClient:
    """One session. `answers`: the result for each method that it may be asked."""

    http: aiohttp.ClientSession
    url: str
    revision: str
    answers: Mapping[str, object] = field(default_factory=dict)
    session: str = ""
    sent: int = 0

    async def initialize(self) -> Self:
        params = {
            "protocolVersion": self.revision,
            "capabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
            "clientInfo": {"name": "tester", "version": "1"},
        }
        async with self._post(self._request("initialize", params)) as response:
            assert response.status == 200
            self.session = response.headers["Mcp-Session-Id"]
            answer = json.loads(await response.read())
        assert answer["result"]["protocolVersion"] == self.revision
        assert (await self.tell("notifications/initialized")) == 202
        return self

    async def ask(self, method: str, params: object = None) -> Spoken:
        return await self.send(self._request(method, params))

    async def call(self, tool: str, **arguments: object) -> Spoken:
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": 7}}
        return await self.ask("tools/call", params)

    async def tell(self, method: str, **params: object) -> int:
        note = {"jsonrpc": "2.0", "method": method, "params": params}
        async with self._post(note) as response:
            return response.status

    async def send(self, body: object) -> Spoken:
        async with self._post(body) as response:
            if response.content_type != "text/event-stream":
                data = await response.read()
                return Spoken(status=response.status, answer=json.loads(data) if data else None)
            said: list[Mapping[str, object]] = []
            async for line in response.content:
                if not line.startswith(b"data: "):
                    continue
                message = json.loads(line.removeprefix(b"data: "))
                if "method" not in message:
                    return Spoken(status=response.status, answer=message, said=said)
                said.append(message)
                await self._answer(message)
        raise AssertionError("the stream ended without an answer")

    async def delete(self) -> int:
        head = {"Mcp-Session-Id": self.session}
        async with self.http.delete(self.url, headers=head) as response:
            return response.status

    async def _answer(self, message: Mapping[str, object]) -> None:
        if "id" not in message:
            return
        result = self.answers[str(message["method"])]
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        async with self._post(answer) as response:
            assert response.status == 202

    def _request(self, method: str, params: object) -> dict[str, object]:
        self.sent += 1
        request: dict[str, object] = {"jsonrpc": "2.0", "id": self.sent, "method": method}
        return request if params is None else {**request, "params": params}

    def _post(self, body: object) -> aiohttp.client._RequestContextManager:
        head = dict(_ACCEPT)
        if self.session:
            head["Mcp-Session-Id"] = self.session
            if self.revision >= "2025-06-18":
                head["MCP-Protocol-Version"] = self.revision
        return self.http.post(self.url, data=json.dumps(body), headers=head)
