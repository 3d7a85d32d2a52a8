"""An API of many operations, so that each call leaves an entry that no other call leaves."""

from pathlib import Path
from typing import Protocol

import aiohttp

from gateway.context import HistoryEntry
from tests.support.checker import Heard
from tests.support.mcp_conversation import CONTEXT_KEY, RECORDED_KEY
from tests.support.mcp_core import META, modern_message
from tests.support.serving import write_spec

API = "marks"
MARKS = 300
"""How many calls one context takes."""


class WrongAnswer(AssertionError):
    """An answer that no state of the store excuses."""


class Call(Protocol):
    """Makes the call `mark` in the context; what the answer says of the entry.

    Raises what aiohttp raises where the answer is lost, and WrongAnswer.
    """

    async def __call__(
        self, http: aiohttp.ClientSession, url: str, mark: str, context_id: str
    ) -> Heard: ...


def write_description(directory: Path) -> str:
    # POST: no client and no gateway sends one twice on its own account (RFC 9110 section 9.2.2).
    done = {"200": {"description": "done"}}
    return write_spec(
        directory,
        {
            f"/{mark_name(number)}": {"post": {"operationId": mark_name(number), "responses": done}}
            for number in range(MARKS)
        },
        name=API,
    )


def mark_name(number: int) -> str:
    return f"mark{number}"


def mark_of(entry: HistoryEntry) -> str:
    """The mark that an entry of any kind of call carries."""
    return (entry.api_endpoint or "").removeprefix("POST /")


async def by_tool(http: aiohttp.ClientSession, url: str, mark: str, context_id: str) -> Heard:
    headers = _claims(context_id)
    async with http.post(f"{url}/tools/{mark}", json={}, headers=headers) as response:
        answer = await _json(response)
        if answer.get("context_id") != context_id:
            raise WrongAnswer(f"another context: {answer}")
        return _heard(recorded=answer["recorded"])


async def by_mcp(http: aiohttp.ClientSession, url: str, mark: str, context_id: str) -> Heard:
    headers = {
        **_claims(context_id),
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": str(META["io.modelcontextprotocol/protocolVersion"]),
        "Mcp-Method": "tools/call",
        "Mcp-Name": mark,
    }
    params = {"_meta": {**META, CONTEXT_KEY: context_id}, "name": mark, "arguments": {}}
    message = modern_message("tools/call", params)
    async with http.post(f"{url}/mcp", json=message, headers=headers) as response:
        answer = await _json(response)
        result = answer.get("result")
        meta = result.get("_meta") if isinstance(result, dict) else None
        if not isinstance(meta, dict) or meta.get(CONTEXT_KEY) != context_id:
            raise WrongAnswer(f"another context: {answer}")
        return _heard(recorded=meta.get(RECORDED_KEY, True))


async def by_proxy(http: aiohttp.ClientSession, url: str, mark: str, context_id: str) -> Heard:
    headers = _claims(context_id)
    async with http.post(f"{url}/apis/{API}/{mark}", headers=headers) as response:
        await _json(response)
        if response.headers.get("OCP-Context-ID") != context_id:
            raise WrongAnswer(f"another context: {response.headers}")
        return _heard(recorded=response.headers.get("OCP-Gateway-Recorded") != "false")


WAYS: tuple[Call, ...] = (by_tool, by_mcp, by_proxy)


def _claims(context_id: str) -> dict[str, str]:
    # The goal tags the context, so that a value of another one shows.
    return {"OCP-Context-ID": context_id, "OCP-Current-Goal": context_id}


async def _json(response: aiohttp.ClientResponse) -> dict[str, object]:
    if response.status != 200:
        raise WrongAnswer(f"{response.status}: {await response.text()}")
    answer = await response.json()
    if not isinstance(answer, dict):
        raise WrongAnswer(f"no object: {answer}")
    return answer


def _heard(*, recorded: object) -> Heard:
    return Heard.ACKNOWLEDGED if recorded is True else Heard.DENIED
