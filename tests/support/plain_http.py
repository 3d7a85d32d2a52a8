"""The plain ways in: `POST /tools/{name}` with aiohttp, and raw bytes on a socket."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from tests.support.gateway_process import PATIENCE_SECONDS
from tests.support.mcp_http_watch import by_name, judge_raw


async def call_tool(
    http: aiohttp.ClientSession,
    url: str,
    tool: str,
    arguments: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> dict[str, object]:
    """Call `tool`, which must be tried; the whole answer."""
    async with http.post(f"{url}/tools/{tool}", json=arguments, headers=headers) as response:
        assert response.status == 200, await response.text()
        answer = await response.json()
        assert isinstance(answer, dict)
        assert response.headers["OCP-Context-ID"] == answer["context_id"]
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def send_raw(url: str, request: bytes) -> RawAnswer:
    """Send these very bytes on a connection of their own; the one answer to them.

    The request must carry `Connection: close`, so that the answer ends with the connection.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    address = (parts.hostname, parts.port)
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    answer = RawAnswer(
        status=int(status_line.split(" ")[1]),
        headers=tuple((name, value.strip()) for name, _, value in pairs),
        body=body,
    )
    judge_raw(request, answer.status, by_name(answer.headers), body)
    return answer


async def problem_of(response: aiohttp.ClientResponse) -> dict[str, object]:
    """The RFC 9457 document of a refusal, whose shape is checked."""
    assert response.content_type == "application/problem+json"
    problem = json.loads(await response.read())
    assert {"type", "title", "status", "detail", "code"} <= problem.keys()
    assert problem["status"] == response.status
    assert isinstance(problem, dict)
    return problem


def send_raw_any(url: str, request: bytes) -> bytes:
    """Send these very bytes, then nothing more; whatever comes back until the end."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    address = (parts.hostname, parts.port)
    with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return stream.read()
