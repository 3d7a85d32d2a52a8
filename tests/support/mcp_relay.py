"""What an MCP client and the gateway really said to each other, written down on the way."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession, ClientTimeout, web

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
# Clients ask for more than that: some look for metadata of an authorization server first.
_STREAMABLE = re.compile(r"/mcp(/[a-z0-9-]+)?")
# The transport of 2024-11-05: what one request asks comes as an answer to the other.
_SSE = re.compile(r"/(sse(/[a-z0-9-]+)?|messages)")
_FOR_ONE_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
# `tee` writes what it reads at once (POSIX). A process of its own for each conversation: `$$`.
_TAP = 'record=$1/$$; shift; tee "$record.asked" | "$@" | tee "$record.answered"'

Message = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Everything that was said in one connection of stdio, or in one request over HTTP."""

    asked: Sequence[Message]
    answered: Sequence[Message]


@dataclass(slots=True, kw_only=True)
class _Passed:
    path: str
    body: bytes
    answer: bytearray = field(default_factory=bytearray)


class HttpRelay:
    """Hands every request on to `target` and back.

    Ask for `exchanges` once the client is through.
    """

    def __init__(self, target: str, session: ClientSession) -> None:
        self.url = ""
        self._target = target
        self._session = session
        self._passed: list[_Passed] = []

    def exchanges(self) -> Iterator[Exchange]:
        for each in self._passed:
            if _STREAMABLE.fullmatch(each.path):
                yield Exchange(asked=_messages(each.body), answered=_messages(each.answer))
        sse = [each for each in self._passed if _SSE.fullmatch(each.path)]
        if sse:
            yield Exchange(
                asked=[message for each in sse for message in _messages(each.body)],
                answered=[message for each in sse for message in _messages(each.answer)],
            )

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        passed = _Passed(path=request.path, body=await request.read())
        self._passed.append(passed)
        async with self._session.request(
            request.method,
            self._target + request.raw_path,
            headers=_end_to_end(request.headers),
            data=passed.body or None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=_end_to_end(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                passed.answer += chunk
                await response.write(chunk)
            return response


@asynccontextmanager
async def http_relay(target: str) -> AsyncIterator[HttpRelay]:
    """A relay on a free loopback port before the server at `target`."""
    async with ClientSession(
        auto_decompress=False, timeout=ClientTimeout(total=None), skip_auto_headers=("User-Agent",)
    ) as session:
        relay = HttpRelay(target, session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", relay.pass_on)
        # A client that leaves is seen by the gateway as well.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            relay.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield relay
        finally:
            await runner.cleanup()


def tapped(record: Path, *command: str) -> tuple[str, ...]:
    """A command that runs `command` and writes into the directory `record` what passes it."""
    return ("/bin/sh", "-c", _TAP, "sh", str(record), *command)


def tapped_exchanges(record: Path) -> Iterator[Exchange]:
    for asked in record.glob("*.asked"):
        answered = asked.with_suffix(".answered")
        yield Exchange(
            asked=[json.loads(line) for line in asked.read_bytes().splitlines()],
            answered=[json.loads(line) for line in answered.read_bytes().splitlines()],
        )


def revisions_spoken(exchanges: Sequence[Exchange], method: str) -> set[object]:
    """All in which there were requests of `method`: each one's own, else what was agreed on."""
    agreed = {
        result["protocolVersion"]
        for each in exchanges
        for answer in each.answered
        if isinstance(result := answer.get("result"), dict) and "protocolVersion" in result
    }
    spoken: set[object] = set()
    for request in (request for each in exchanges for request in each.asked):
        if request.get("method") == method:
            spoken |= _own_revision(request) or agreed
    return spoken


def _own_revision(request: Message) -> set[object]:
    params = request.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    return {meta[VERSION_KEY]} if isinstance(meta, dict) and VERSION_KEY in meta else set()


def _messages(body: bytes | bytearray) -> Sequence[Message]:
    """Those of a JSON body, or of an event stream."""
    if body.startswith((b"{", b"[")):
        value = json.loads(body)
        return value if isinstance(value, list) else [value]
    return [json.loads(data) for data in re.findall(rb"^data: (\{.*)$", body, re.MULTILINE)]


def _end_to_end(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() not in _FOR_ONE_HOP]
