"""What callers ask of the gateway in front of the tagged API, and how each answer must be."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.support.mcp_core import META, modern_message
from tests.torture.lines import Answer

API = "work"
MARKERS = 20
"""Tools that tell the generation of a list: all of one list must be of the same one."""
_UPLOAD = 3_000
_MARKER = re.compile(r"generation(\d+)marker\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request and what is wrong with an answer to it: None for nothing.

    `repeats`: a caller may send it again when it cannot know what became of it. `timed`: how long
    it takes is the gateway's doing.
    """

    kind: str
    request: bytes
    fault: Callable[[Answer], str | None]
    repeats: bool = True
    timed: bool = True


Make = Callable[[str], Ask]
"""A tag that nobody else has -> a request with it."""


def write_description(path: Path, generation: int = 0) -> None:
    """Replaces the file at once by a description of the tagged API."""
    done = {"200": {"description": "done"}}

    def operation(name: str, *parameters: str, **more: object) -> dict[str, object]:
        return {
            "operationId": name,
            "parameters": [*map(_parameter, parameters)],
            "responses": done,
            **more,
        }

    body = {"content": {"text/plain": {"schema": {"type": "string"}}}, "required": True}
    paths: dict[str, object] = {
        "/small/{amount}": {
            "get": operation("getSmall", "amount", "tag"),
            "post": operation("postSmall", "amount", requestBody=body),
        },
        "/slow/{amount}": {"get": operation("getSlow", "amount", "tag")},
        "/large/{amount}": {"get": operation("getLarge", "amount", "tag")},
        "/events/{amount}": {"get": operation("getEvents", "amount", "tag")},
    }
    for number in range(MARKERS):
        name = f"generation{generation}marker{number}"
        paths[f"/marker/{number}"] = {"get": operation(name)}
    document = {"openapi": "3.1.0", "info": {"title": API, "version": "1"}, "paths": paths}
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(document))
    aside.replace(path)


def _parameter(name: str) -> dict[str, object]:
    if name == "amount":
        return {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}
    return {"name": name, "in": "query", "required": True, "schema": {"type": "string"}}


def request_bytes(
    method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    framing = f"Content-Length: {len(body)}\r\n" if body or method == "POST" else ""
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}{framing}\r\n"
    return head.encode() + body


def proxied(tag: str) -> Ask:
    return _echoed("proxied", request_bytes("GET", f"/apis/{API}/small/0?tag={tag}"), tag)


def proxied_slow(tag: str) -> Ask:
    request = request_bytes("GET", f"/apis/{API}/slow/40?tag={tag}")
    return replace(_echoed("proxied slow", request, tag), timed=False)


def proxied_large(tag: str) -> Ask:
    target = f"/apis/{API}/large/200000?tag={tag}"
    expected = tag.ljust(200_000, ".")
    return _echoed("proxied large", request_bytes("GET", target), expected)


def uploaded(tag: str) -> Ask:
    body = f"{tag} ".ljust(_UPLOAD, ".")
    request = request_bytes(
        "POST", f"/apis/{API}/small/0", body.encode(), {"Content-Type": "text/plain"}
    )
    return _echoed("uploaded", request, body, repeats=False)


def called(tag: str) -> Ask:
    body = json.dumps({"amount": 0, "tag": tag}).encode()
    headers = {"Content-Type": "application/json", "OCP-Context-ID": _context_of(tag)}

    def fault(answer: Answer) -> str | None:
        value = _object(answer)
        good = value.get("isError") is False and value.get("context_id") == _context_of(tag)
        return None if good and _text(value) == tag else _shown(answer)

    request = request_bytes("POST", "/tools/getSmall", body, headers)
    # The operation behind it is a GET.
    return Ask(kind="tool called", request=request, fault=fault)


def called_by_mcp(tag: str) -> Ask:
    params = {"_meta": dict(META), "name": "getSmall", "arguments": {"amount": 0, "tag": tag}}

    def fault(answer: Answer) -> str | None:
        result = _object(answer).get("result")
        return None if isinstance(result, dict) and _text(result) == tag else _shown(answer)

    request = mcp_bytes("tools/call", params, "getSmall", _context_of(tag))
    return Ask(kind="MCP call", request=request, fault=fault)


def mcp_bytes(
    method: str,
    params: Mapping[str, object],
    name: str | None = None,
    context_id: str | None = None,
) -> bytes:
    """A request of the era of 2026-07-28."""
    headers = {
        **({"OCP-Context-ID": context_id} if context_id else {}),
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": str(META["io.modelcontextprotocol/protocolVersion"]),
        "Mcp-Method": method,
        **({"Mcp-Name": name} if name else {}),
    }
    return request_bytes(
        "POST", "/mcp", json.dumps(modern_message(method, params)).encode(), headers
    )


@dataclass(slots=True)
class Lists:
    """Asks for lists of tools, and remembers which generation each digest stands for."""

    generations: dict[str, str] = field(default_factory=dict)

    def listed(self, _tag: str) -> Ask:
        request = request_bytes("GET", "/tools?format=ocp")
        return Ask(kind="tools listed", request=request, fault=self._fault)

    def listed_by_mcp(self, _tag: str) -> Ask:
        request = mcp_bytes("tools/list", {"_meta": dict(META)})
        return Ask(kind="MCP list", request=request, fault=self._fault)

    def _fault(self, answer: Answer) -> str | None:
        value = _object(answer)
        result = value.get("result", value)
        tools = result.get("tools") if isinstance(result, dict) else None
        if not isinstance(tools, list):
            return _shown(answer)
        found = [_MARKER.fullmatch(tool["name"]) for tool in tools]
        markers = [match[1] for match in found if match]
        if len(markers) != MARKERS or len(set(markers)) != 1:
            return f"a mixed list: {sorted(markers)}"
        digest = str(value.get("digest", "of MCP " + markers[0]))
        known = self.generations.setdefault(digest, markers[0])
        return None if known == markers[0] else f"{digest} is of {known} and of {markers[0]}"


def _echoed(kind: str, request: bytes, expected: str, *, repeats: bool = True) -> Ask:
    wanted = expected.encode()

    def fault(answer: Answer) -> str | None:
        return None if answer.status == 200 and answer.body == wanted else _shown(answer)

    return Ask(kind=kind, request=request, fault=fault, repeats=repeats)


def _context_of(tag: str) -> str:
    return "ocp-" + tag.partition("-")[0].encode().hex().rjust(8, "0")


def _object(answer: Answer) -> dict[str, object]:
    try:
        value = json.loads(answer.body)
    except ValueError:
        return {}
    return value if answer.status == 200 and isinstance(value, dict) else {}


def _text(result: Mapping[str, object]) -> object:
    content = result.get("content")
    block = content[0] if isinstance(content, list) and content else None
    return block.get("text") if isinstance(block, dict) else None


def _shown(answer: Answer) -> str:
    return f"answered {answer.status}: {answer.body[:200].decode('latin-1')}"
