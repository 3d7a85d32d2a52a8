"""Traffic with a secret in every place that can hold one, and what the gateway leaves behind."""

import base64
import gzip
import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.support.echo_upstream import Answer, EchoUpstream, Seen
from tests.support.gateway_process import (
    COMMAND,
    PATIENCE_SECONDS,
    GatewayProcess,
    child_environment,
    wait_until,
)
from tests.support.mcp_core import META, modern_message
from tests.support.mcp_transcript import overhear
from tests.support.ocp import encode_session
from tests.support.planting import Evidence, Said, plant, planted_in

CONTEXT = "ocp-0123456789abcdef"
TEXT = {"Content-Type": "application/json"}
BINARY = "application/octet-stream"
_META = "io.opencontextprotocol/context-id"
OVERVIEW = (
    "/",
    "/healthz",
    "/readyz",
    "/apis",
    "/metrics",
    "/tools",
    "/contexts",
    f"/contexts/{CONTEXT}",
)
REGISTRY = ("/registry", "/registry/vault", "/search?q=vault")


def vault(seen: Seen, go_on: threading.Event) -> Answer:
    """The API: some of its paths fail, each with a secret of its own."""
    path = seen.target.partition("?")[0]
    if path.endswith("/fails/cut"):
        return Answer(hang_up=True)
    if path.endswith("/fails/slow"):
        return Answer(hold=go_on, hang_up=True)
    headers = (
        ("Content-Type", "text/plain"),
        ("Set-Cookie", f"sid={plant('up-cookie')}"),
        ("WWW-Authenticate", f'Bearer realm="{plant("up-challenge")}"'),
        ("Location", f"https://elsewhere.test/?code={plant('up-location')}"),
        ("OCP-User", plant("up-ocp-user") * 20),
        ("OCP-Session", plant("up-ocp-session")),
    )
    if "/fails/" in path:
        return Answer(status=500, headers=headers, body=plant("up-error-body").encode())
    return Answer(headers=(("Content-Type", "application/json"), *headers[1:]), body=b"{}")


def private_descriptions() -> Mapping[str, Answer]:
    """What a server of descriptions answers, by path."""
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = {"operationId": "getAway", "parameters": [parameter], "responses": {}}
    good = {
        "openapi": "3.1.0",
        "info": {"title": "Down", "version": "1"},
        "paths": {"/items/{id}": {"get": operation}},
    }
    broken = f'{{"openapi": "3.1.0", "info": {plant("spec-broken-text")}'
    elsewhere = (("Location", f"/gone?token={plant('spec-location')}"),)
    return {
        "/good": Answer(body=json.dumps(good).encode()),
        "/broken": Answer(body=broken.encode()),
        "/moved": Answer(status=302, headers=elsewhere, body=b""),
        "/gone": Answer(status=403, body=plant("spec-refusal").encode()),
    }


def hostile_session() -> str:
    """A valid session whose history says more than a gateway may keep."""
    moment = "2026-01-01T00:00:00Z"
    entry = {
        "timestamp": moment,
        "action": "tool_call:getItem",
        "api_endpoint": f"GET /items/7?key={plant('session-query')}",
        "result": plant("session-result"),
        "metadata": {"password": plant("session-metadata"), "api": "vault", "success": True},
    }
    return encode_session(
        {
            "context_id": CONTEXT,
            "agent_type": "tester",
            "created_at": moment,
            "last_updated": moment,
            "recent_changes": [],
            "api_specs": {},
            "session": {"start_time": moment, "interaction_count": 1, "agent_type": "tester"},
            "history": [entry],
        }
    )


@dataclass(slots=True, kw_only=True)
class Traffic:
    """One gateway under way, and what it has said so far."""

    gateway: GatewayProcess
    http: aiohttp.ClientSession
    evidence: Evidence = field(default_factory=Evidence)

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> int:
        """Any request; its answer is kept as evidence, and its status returned."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {**(TEXT if data is not None else {}), **(headers or {})}
        url = self.gateway.url + path
        async with self.http.request(
            method, url, data=data, headers=sent, allow_redirects=False
        ) as answer:
            said = f"{answer.status} {list(answer.headers.items())}\n"
            text = said + (await answer.read()).decode("latin-1")
        own = planted_in(path, str(sent), data or b"")
        what = f"{method} {path}"
        self.evidence.said.append(Said(what=what, own=frozenset(own), text=text))
        return answer.status

    async def call(
        self, tool: str, arguments: object, headers: Mapping[str, str] | None = None
    ) -> int:
        named = {"OCP-Context-ID": CONTEXT, **(headers or {})}
        return await self.ask("POST", f"/tools/{tool}", arguments, named)

    async def look_around(self) -> None:
        for path in (*OVERVIEW, *REGISTRY):
            async with self.http.get(self.gateway.url + path) as answer:
                text = f"{answer.status} {list(answer.headers.items())}\n{await answer.text()}"
                earlier = self.evidence.overview.get(path, "")
                self.evidence.overview[path] = earlier + text


CREDENTIALS = {
    "Authorization": f"Bearer {plant('tool-authorization')}",
    "X-API-Key": plant("tool-api-key"),
    "Cookie": f"sid={plant('tool-cookie')}",
    "X-Pass": plant("forwarded"),
    "X-Other": plant("tool-header"),
}


async def plain_calls(traffic: Traffic) -> None:
    item: dict[str, object] = {
        "id": plant("arg-path"),
        "key": plant("arg-query"),
        "X_Note": plant("arg-header"),
        "sid": plant("arg-cookie"),
    }
    assert await traffic.call("getItem", item, CREDENTIALS) == 200
    assert await traffic.call("getItem?dry_run=true", item, CREDENTIALS) == 200
    assert await traffic.call("addItem", {"password": plant("arg-body")}) == 200
    for arguments in (
        {**item, "level": plant("wrong-type")},
        {**item, "id": plant("wrong-length") * 10},
        {**item, plant("wrong-name"): 1},
        {"name": plant("wrong-enum"), "password": plant("wrong-beside")},
        [plant("wrong-root")],
        f'{{"id": "{plant("wrong-json")}"'.encode(),
        b'{"id": "' + b"x" * 200_000 + plant("wrong-size").encode() + b'"}',
    ):
        tool = "addItem" if isinstance(arguments, dict) and "password" in arguments else "getItem"
        assert await traffic.call(tool, arguments) in (400, 413, 422)
    assert await traffic.call(plant("wrong-tool"), {}) == 404
    for failure in ("status", "cut", "slow"):
        assert await traffic.call("fail", {"id": failure}, CREDENTIALS) == 200
    assert await traffic.call("failToPost", {}) == 200
    assert await traffic.call("failToPost?dry_run=true", {}) == 200
    assert await traffic.call("getAway", {"id": plant("arg-refused")}) == 200


async def ocp_headers(traffic: Traffic) -> None:
    """Of each header one that is not valid; then a session that is, and says too much."""
    in_base64 = base64.b64encode(plant("ocp-session-base64").encode()).decode()
    packed = base64.b64encode(gzip.compress(plant("ocp-session-gzip").encode())).decode()
    too_long = "x" * 300
    for headers in (
        {"OCP-Context-ID": plant("ocp-id")},
        {"OCP-Agent-Type": plant("ocp-agent") + "@"},
        {"OCP-User": plant("ocp-user") + too_long},
        {"OCP-Workspace": plant("ocp-workspace") + too_long},
        {"OCP-Current-Goal": plant("ocp-goal") + too_long},
        {"OCP-Version": plant("ocp-version")},
        {"OCP-Session": plant("ocp-session-plain")},
        {"OCP-Session": in_base64},
        {"OCP-Session": packed},
        {"OCP-Session": encode_session({"context_id": CONTEXT, "x": plant("ocp-session-member")})},
        {"OCP_User": plant("ocp-twin")},
    ):
        assert await traffic.ask("POST", "/tools/getItem", {"id": "1"}, headers) == 200
        assert await traffic.ask("GET", "/apis/vault/items/1", None, headers) == 200
    session = {"OCP-Session": hostile_session()}
    assert await traffic.call("getItem", {"id": "2"}, session) == 200
    assert await traffic.call("getItem", {"id": "3"}) == 200


async def proxied_requests(traffic: Traffic) -> None:
    named = {"OCP-Context-ID": CONTEXT}
    headers = {
        **named,
        "Authorization": f"Bearer {plant('proxy-authorization')}",
        "Cookie": f"sid={plant('proxy-cookie')}",
        "X-API-Key": plant("proxy-api-key"),
        "X-Other": plant("proxy-header"),
        "Referer": f"https://a.test/?key={plant('proxy-referer')}",
    }
    query = f"?key={plant('proxy-query')}"
    for method, path, body, status in (
        ("GET", f"vault/items/{plant('proxy-path')}", None, 200),
        ("POST", "vault/items", plant("proxy-body").encode(), 200),
        ("GET", f"vault/other/{plant('proxy-undescribed')}", None, 200),
        ("GET", "vault/fails/status", None, 500),
        ("GET", "vault/fails/cut", None, 502),
        ("GET", "vault/fails/slow", None, 504),
        ("GET", "down/items/1", None, 502),
    ):
        assert await traffic.ask(method, f"/apis/{path}{query}", body, headers) == status
    for api in ("gone", "broken", "moved"):
        assert await traffic.ask("GET", f"/apis/{api}/x{query}", None, named) == 503
    for path in (
        f"/apis/{plant('wrong-api')}/x",
        f"/{plant('wrong-route')}",
        "/apis/vault/%2e%2e/",
    ):
        assert await traffic.ask("GET", path + query, None, headers) in (400, 404)


async def mcp_messages(traffic: Traffic) -> None:
    item = {"id": plant("arg-mcp"), "key": plant("arg-mcp-query")}
    modern = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "getItem",
        **CREDENTIALS,
    }
    meta = {
        **META,
        _META: CONTEXT,
        "test/secret": plant("meta-member"),
        "progressToken": plant("meta-token"),
    }
    for params in (
        {"name": "getItem", "arguments": item, "_meta": meta},
        {"name": "getItem", "arguments": {**item, "level": plant("wrong-mcp")}, "_meta": meta},
        {"name": "getItem", "arguments": plant("wrong-mcp-shape"), "_meta": meta},
        {"name": "getItem", "arguments": item, "_meta": {**META, _META: plant("meta-context")}},
    ):
        await traffic.ask("POST", "/mcp", modern_message("tools/call", params), modern)
    await traffic.ask("POST", "/mcp", modern_message(plant("wrong-method")), modern)
    await traffic.ask("POST", "/mcp", f'{{"id": "{plant("wrong-mcp-json")}"'.encode(), modern)
    await legacy_messages(traffic, item)


async def legacy_messages(traffic: Traffic, item: Mapping[str, object]) -> None:
    head = {"Accept": "application/json, text/event-stream"}
    opening = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"experimental": {plant("mcp-capability"): {}}},
        "clientInfo": {"name": "tester", "version": plant("mcp-version")},
    }
    begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening}
    url = traffic.gateway.url + "/mcp"
    async with traffic.http.post(url, json=begin, headers=head) as opened:
        session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
    call = {"name": "getItem", "arguments": item, "_meta": {"test/secret": plant("meta-legacy")}}
    message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
    assert await traffic.ask("POST", "/mcp", message, {**head, **session, **CREDENTIALS}) == 200
    wrong = {**head, "Mcp-Session-Id": plant("wrong-session")}
    assert await traffic.ask("POST", "/mcp", message, wrong) in (400, 404)


async def contexts_and_doors(traffic: Traffic) -> None:
    for body in (
        {"context_id": plant("wrong-context-id")},
        {"current_goal": [plant("wrong-goal")]},
        {plant("wrong-member"): plant("wrong-member-value")},
        f'{{"{plant("wrong-context-json")}'.encode(),
    ):
        assert await traffic.ask("POST", "/contexts", body, CREDENTIALS) in (400, 422)
        patch = {"Content-Type": "application/merge-patch+json", "If-Match": plant("wrong-etag")}
        status = await traffic.ask("PATCH", f"/contexts/{CONTEXT}", body, patch)
        assert status in (400, 412, 422)
    for path in (f"/contexts/{plant('wrong-id')}", f"/results/{plant('wrong-handle')}"):
        assert await traffic.ask("GET", path) in (400, 404)
    for headers in (
        {"Host": plant("wrong-host")},
        {"Origin": f"https://{plant('wrong-origin')}test"},
        {"Content-Type": plant("wrong-media-type")},
    ):
        assert await traffic.ask("POST", "/tools/getItem", {"id": "1"}, headers) >= 400
    for name in ("ocpContextCreate", "ocpContextUpdate", "ocpContextGet"):
        wrong = {plant("wrong-native"): 1, "current_goal": [plant("wrong-native-value")]}
        await traffic.call(name, wrong)


async def everything(traffic: Traffic) -> None:
    for part in (plain_calls, ocp_headers, proxied_requests, mcp_messages, contexts_and_doors):
        await part(traffic)
    await traffic.look_around()


def raw_requests(url: str) -> Sequence[bytes]:
    """What is no HTTP, or hardly."""
    host = url.removeprefix("http://").encode()
    secret = plant("wrong-http").encode()
    return (
        secret + b"\r\n\r\n",
        b"GET /" + secret + b" HTTP/9.9\r\nHost: " + host + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX-" + secret + b"\x00: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nX: " + b"y" * 70_000 + secret + b"\r\n\r\n",
        b"POST /tools/getItem HTTP/1.1\r\nHost: " + host + b"\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + secret + b"\r\n",
    )


def stdio_lines() -> bytes:
    call = {
        "name": "getItem",
        "arguments": {"id": plant("arg-stdio")},
        "_meta": {**META, _META: CONTEXT, "test/secret": plant("meta-stdio")},
    }
    wrong = {**call, "arguments": {"id": "1", "level": plant("wrong-stdio")}}
    lines = [
        modern_message("tools/call", call, request_id=1),
        modern_message("tools/call", wrong, request_id=2),
        modern_message(plant("wrong-stdio-method"), request_id=3),
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines) + (
        f'{{"{plant("wrong-stdio-json")}\n'.encode()
    )


def speak_stdio(config: Path, directory: Path, evidence: Evidence) -> None:
    """One process of `ocp-gateway stdio`, from its first line to the end of its input."""
    done = subprocess.run(
        [str(COMMAND), "stdio", str(config)],
        cwd=directory,
        input=stdio_lines(),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env={**os.environ, **child_environment()},  # noqa: TID251 - the secrets are in it
    )
    assert done.returncode == 0, done.stderr
    overhear(stdio_lines(), done.stdout)
    evidence.log += done.stderr.decode()
    own = frozenset(planted_in(stdio_lines()))
    evidence.said.append(Said(what="stdio", own=own, text=done.stdout.decode()))


def reload_descriptions(gateway: GatewayProcess, specs: EchoUpstream) -> None:
    """All of them, and the one that was good is no more."""
    specs.answer = Answer(body=f'{{"openapi": {plant("reload-text")}'.encode())
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "description of down" in gateway.log, "the fault of the new description")
