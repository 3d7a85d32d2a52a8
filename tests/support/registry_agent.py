"""An agent that uses the gateway as its registry and fills requests by itself.

It does what the agents of the OCP libraries do, their carelessness included: path values go in raw,
parameters under their keys, and the whole history, arguments and all, is sent with every request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import aiohttp
from yarl import URL

from tests.support.ocp import encode_session

SUGGESTIONS = 3


class NotInTheRegistry(Exception):
    def __init__(self, suggestions: list[str]) -> None:
        super().__init__(suggestions)
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _now() -> str:
    return datetime.now(UTC).isoformat()  # noqa: TID251 - the agent's clock, not the gateway's


@dataclass(kw_only=True)
class RegistryAgent:
    """`apis` are the entries of the registry, as they came."""

    http: aiohttp.ClientSession
    registry: str
    context_id: str = field(default_factory=lambda: f"ocp-{uuid4().hex[:8]}")
    agent_type: str = "ai_agent"
    goal: str | None = None
    started: str = field(default_factory=_now)
    apis: dict[str, dict[str, object]] = field(default_factory=dict)
    specs: dict[str, str] = field(default_factory=dict)
    history: list[dict[str, object]] = field(default_factory=list)

    async def names(self) -> list[str]:
        listed = await self._get("/registry")
        assert isinstance(listed, list)
        return [api["name"] for api in listed]

    async def search(self, text: str) -> list[str]:
        found = await self._get("/search", q=text, per_page="10")
        assert isinstance(found, dict)
        return [result["name"] for result in found["results"]]

    async def register(self, name: str) -> dict[str, object]:
        """Raises NotInTheRegistry."""
        name = name.lower().strip()
        async with self.http.get(f"{self.registry}/registry/{name}") as response:
            if response.status == 404:
                found = await self.search(name) or await self.search(name[:3])
                raise NotInTheRegistry(found[:SUGGESTIONS])
            assert response.status == 200
            entry = await response.json()
        assert all(isinstance(entry[key], str) for key in ("display_name", "description"))
        self.apis[name] = entry
        self.specs[name] = f"registry:{name}"
        self._note("api_registered", self.specs[name], f"Discovered {len(entry['tools'])} tools")
        return self.apis[name]

    async def call(self, api: str, tool: str, **parameters: object) -> Reply:
        entry = self.apis[api]
        tools = entry["tools"]
        assert isinstance(tools, list)
        (found,) = (each for each in tools if each["name"] == tool)
        missing = [
            key for key, p in found["parameters"].items() if p["required"] and key not in parameters
        ]
        assert not missing
        places: dict[str, dict[str, object]] = {"path": {}, "query": {}, "header": {}, "body": {}}
        for key, value in parameters.items():
            places[found["parameters"][key]["location"]][key] = value
        url = str(entry["base_url"]) + found["path"]
        for key, value in places["path"].items():
            url = url.replace(f"{{{key}}}", str(value))
        self._note(f"tool_call:{tool}", url, "executing", parameters=parameters)
        return await self._send(tool, found["method"], url, places)

    async def _send(
        self, tool: str, method: str, url: str, places: Mapping[str, Mapping[str, object]]
    ) -> Reply:
        async with self.http.request(
            method,
            URL(url, encoded=True),
            params={key: str(value) for key, value in places["query"].items()},
            json=places["body"] or None,
            headers=self._headers() | {key: str(v) for key, v in places["header"].items()},
        ) as response:
            body = await response.read()
        path = URL(url, encoded=True).raw_path
        self._note(
            f"api_call_{method.lower()}",
            f"{method} {path}",
            f"HTTP {response.status}",
            url=url,
            success=response.ok,
        )
        self._note(f"tool_response:{tool}", url, f"{response.status} {response.reason}")
        return Reply(status=response.status, headers=response.headers, body=body)

    def _note(self, action: str, endpoint: str, result: str, **metadata: object) -> None:
        self.history.append(
            {
                "timestamp": _now(),
                "action": action,
                "api_endpoint": endpoint,
                "result": result,
                "metadata": metadata,
            }
        )

    def _headers(self) -> dict[str, str]:
        session = {
            "context_id": self.context_id,
            "agent_type": self.agent_type,
            "user": None,
            "workspace": None,
            "current_file": None,
            "session": {
                "start_time": self.started,
                "interaction_count": 0,
                "agent_type": self.agent_type,
            },
            "history": self.history,
            "current_goal": self.goal,
            "context_summary": None,
            "error_context": None,
            "recent_changes": [],
            "api_specs": self.specs,
            "created_at": self.started,
            "last_updated": _now(),
        }
        headers = {
            "OCP-Context-ID": self.context_id,
            "OCP-Agent-Type": self.agent_type,
            "OCP-Version": "1.0",
            "OCP-Session": encode_session(session),
        }
        return headers | ({"OCP-Current-Goal": self.goal} if self.goal else {})

    async def _get(self, path: str, **query: str) -> object:
        async with self.http.get(f"{self.registry}{path}", params=query) as response:
            assert response.status == 200
            return json.loads(await response.read())
