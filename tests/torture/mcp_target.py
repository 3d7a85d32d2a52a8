"""What the fuzzer of MCP shoots at, and who says whether an answer may be."""

import asyncio
import json
import logging
import re

from gateway.mcp import refuse_head
from tests.support.mcp_core import META
from tests.support.mcp_heads import JSON_HEAD, Head, modern_head
from tests.support.mcp_judge import judge_body, judge_message, judge_status, read_line
from tests.support.mcp_methods import NOTHING, Opened, World, as_object
from tests.support.mcp_model import Post, claims_modern, expect, expect_line
from tests.support.mcp_outcomes import as_list, came_of, compare_batch, expect_cancellations
from tests.support.mcp_room import Heard, Room
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.support.mcp_talk import capabilities_in
from tests.torture.mcp_corpus import Said

_STATUSES = {200, 202, 400, 404, 406, 415}
# Where parsers may differ: how large a number is, and which text is none.
_DISPUTED = re.compile(rb"[0-9]{15}|[0-9][eE]|\\u[dD]|NaN|Infinity")


class Incidents(logging.Handler):
    """Remembers what the gateway logs of bugs of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.errors.append(error or AssertionError(record.getMessage()))


class Target:
    """An endpoint with a session of each legacy revision, and a stdio process after the other."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._world = World()
        self._incidents = _watch()
        self._room = runner.run(self._open())

    async def _open(self) -> Room:
        room = Room()
        discover = {"jsonrpc": "2.0", "id": 1, "method": "server/discover"}
        body = json.dumps({**discover, "params": {"_meta": META}}).encode()
        heard = await room.send("POST", modern_head("server/discover"), body)
        self._world.capabilities[MODERN] = capabilities_in(heard)
        for revision in LEGACY:
            heard = await room.send("POST", JSON_HEAD, _opening(revision))
            self._world.capabilities[revision] = capabilities_in(heard)
            session_id = heard.header("Mcp-Session-Id")
            assert session_id is not None
            self._world.sessions[session_id] = Opened(revision=revision, api=None)
        self._sessions = tuple(self._world.sessions)
        return room

    def post(self, said: Said) -> Heard:
        return self._runner.run(self._room.send("POST", self._head(said), said.body))

    def say(self, said: Said) -> Heard:
        """As a line, after a handshake in a legacy revision, or after none."""
        return self._runner.run(self._say(said.body))

    async def _say(self, line: bytes) -> Heard:
        process = self._room.dialogue()
        revision = _agreed(line)
        if revision is not None:
            await process.say(_opening(revision))
        return await process.say(line)

    def _head(self, said: Said) -> Head:
        if not said.of_session:
            return said.head
        # By its content, so that the same input has the same session in another run.
        session_id = self._sessions[len(said.body) % len(self._sessions)]
        return (("Mcp-Session-Id", session_id), *said.head)

    def judge_post(self, said: Said, heard: Heard) -> str:
        """What came of it, in a word. Raises AssertionError and what the log has."""
        self._raise_incidents()
        assert heard.status in _STATUSES, heard.status
        head = self._head(said)
        asked, disputed = _value_of(said.body)
        if refuse_head(head) is not None:
            asked, disputed = None, True  # nobody has read the body
        revision = self._revision(head, asked, heard)
        if heard.body:
            judge_body(heard.body, revision=revision, asked=asked)
            judge_status(heard.status, read_line(heard.body), revision=revision)
        for message in heard.pushed:
            judge_message(read_line(message), revision=revision, asked=asked)
        if not disputed:
            self._compare(Post(headers=head, value=asked, broken=asked is _BROKEN), heard)
        return str(heard.status)

    def _compare(self, post: Post, heard: Heard) -> None:
        expected = expect(post, self._world)
        about = f"{post.headers} -> {heard.status} {heard.body[:500]!r}, not {expected}"
        if isinstance(expected, list):
            expected = expect_cancellations(as_list(post.value), expected)
            compare_batch(heard.status, heard.body, expected, about)
        else:
            assert came_of(heard.status, heard.body) in expected, about

    def _revision(self, head: Head, asked: object, heard: Heard) -> str | None:
        post = Post(headers=head)
        versions = post.values("MCP-Protocol-Version")
        if versions and (len(versions) > 1 or versions[0] not in LEGACY):
            return MODERN
        if isinstance(asked, dict) and asked.get("method") == "initialize":
            return None
        session = self._world.sessions.get(", ".join(post.values("Mcp-Session-Id")))
        return session.revision if session else None

    def judge_line(self, said: Said, heard: Heard) -> str:
        self._raise_incidents()
        asked, disputed = _value_of(said.body)
        revision = _agreed(said.body)
        if revision is None and claims_modern(as_object(asked)):
            revision = MODERN
        if as_object(asked).get("method") == "initialize":
            revision = None
        for message in (*heard.pushed, heard.body) if heard.body else heard.pushed:
            judge_body(message, revision=revision, asked=asked)
        if not disputed and not isinstance(asked, list) and asked is not _BROKEN:
            what = came_of(heard.status, heard.body)[1]
            expected = expect_line(asked, self._world, _agreed(said.body))
            assert what in expected, f"{_agreed(said.body)}: {heard.body[:500]!r}, not {expected}"
        return "stdio" if heard.body else f"stdio {NOTHING}"

    def _raise_incidents(self) -> None:
        if self._incidents.errors:
            error = self._incidents.errors.pop()
            self._incidents.errors.clear()
            raise error


_BROKEN = object()


def _value_of(body: bytes) -> tuple[object, bool]:
    """What another parser reads, _BROKEN for nothing, and whether the two may differ."""
    disputed = _DISPUTED.search(body) is not None or body.count(b"{") + body.count(b"[") > 90
    try:
        value: object = json.loads(body.decode())
    except (ValueError, RecursionError):
        return _BROKEN, disputed
    return value, disputed or body.startswith(b"\xef\xbb\xbf")


def _agreed(line: bytes) -> str | None:
    """What a process has agreed before this line: by its content, so that it can be repeated."""
    return (*LEGACY, None)[len(line) % (len(LEGACY) + 1)]


def _opening(revision: str) -> bytes:
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "fuzzer"}}
    opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    return json.dumps(opening).encode()


def _watch() -> Incidents:
    log = logging.getLogger("gateway.server.mcp_calls")
    for handler in log.handlers:
        if isinstance(handler, Incidents):
            return handler
    incidents = Incidents()
    log.addHandler(incidents)
    log.propagate = False
    return incidents
