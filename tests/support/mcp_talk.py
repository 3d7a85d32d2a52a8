"""A conversation with `/mcp` in which each answer is compared with the model and judged."""

import asyncio
import json
from collections.abc import Mapping

from hypothesis.stateful import RuleBasedStateMachine

from tests.support import mcp_messages as says
from tests.support.mcp_heads import JSON_HEAD, Head, is_plain, modern_head, parameter_head, spoil
from tests.support.mcp_judge import judge_body, judge_message, judge_status, read_line
from tests.support.mcp_methods import Opened, World, as_object
from tests.support.mcp_model import VERSION, Post, expect
from tests.support.mcp_outcomes import as_list, came_of, compare_batch, expect_cancellations
from tests.support.mcp_room import Heard, Room, Way
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.support.mcp_shop import MIRRORED


class Talk(RuleBasedStateMachine):
    """`world` is what the model knows, `ended` what it once knew; the rules are in the heirs.

    `steps` counts the requests of all conversations so far.
    """

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.room = self.runner.run(self._make_room())
        self.way: Way = self.room
        self.world = World()
        self.ended: list[str] = []

    async def _make_room(self) -> Room:
        return Room()

    def teardown(self) -> None:
        with self.runner:
            self.runner.run(self._leave())

    async def _leave(self) -> None:
        """Before the loop closes."""

    def _open(self, revision: str, api: str | None, capabilities: Mapping[str, object]) -> None:
        params = {"protocolVersion": revision, "capabilities": capabilities}
        opening = {"jsonrpc": "2.0", "id": "open", "method": "initialize", "params": params}
        agreed = revision if revision in LEGACY else LEGACY[-1]
        heard = self._post(JSON_HEAD, opening, api=api, revision=agreed)
        self.world.capabilities[agreed] = capabilities_in(heard)
        session_id = heard.header("Mcp-Session-Id")
        assert session_id is not None
        assert session_id not in self.world.sessions
        self.world.sessions[session_id] = Opened(revision=agreed, api=api)

    def _session_head(self, pick: int, api: str | None) -> tuple[Head, str | None]:
        """Mostly of a session that lives, under the path that it belongs to."""
        living = list(self.world.sessions)
        if living and pick < 80:
            session_id = living[pick % len(living)]
            api = self.world.sessions[session_id].api if pick % 10 else api
        elif self.ended and pick < 90:
            session_id = self.ended[pick % len(self.ended)]
        elif pick < 95:
            session_id = ("s1.AAAA.BBBB", "", "x" * 600, "s1.~.~", "not one")[pick % 5]
        else:
            return JSON_HEAD, api
        return (*JSON_HEAD, ("Mcp-Session-Id", session_id)), api

    def _ask_modern(self, message: object, fault: str, *, api: str | None = None) -> Heard:
        method = as_object(message).get("method")
        params = as_object(as_object(message).get("params"))
        version = as_object(params.get("_meta")).get(VERSION, MODERN)
        name = params.get("uri" if method == "resources/read" else "name")
        head = modern_head(
            method if isinstance(method, str) and is_plain(method) else "x",
            name if isinstance(name, str) else None,
            version=version if isinstance(version, str) and version else MODERN,
        )
        headers = MIRRORED.get(name, {}) if isinstance(name, str) else {}
        head += parameter_head(as_object(params.get("arguments")), headers)
        return self._post(spoil(head, fault), message, api=api)

    def _post(
        self,
        head: Head,
        value: object,
        *,
        api: str | None = None,
        data: bytes | None = None,
        revision: str | None = None,
    ) -> Heard:
        """Say it and compare what comes back with what must."""
        body = says.text_of(value) if data is None else data
        post = Post(headers=head, value=value, broken=data is not None, api=api)
        heard = self._run(self.way, "POST", head, body, api)
        expected = expect(post, self.world)
        about = f"{head} {body[:500]!r}\n-> {heard.status} {heard.body[:500]!r}, not {expected}"
        if isinstance(expected, list):
            expected = expect_cancellations(as_list(value), expected)
            compare_batch(heard.status, heard.body, expected, about)
        else:
            assert came_of(heard.status, heard.body) in expected, about
        if heard.body:
            self._judge(post, heard, revision)
        return heard

    def _judge(self, post: Post, heard: Heard, revision: str | None) -> None:
        versions = post.values("MCP-Protocol-Version")
        if versions and (len(versions) > 1 or versions[0] not in LEGACY):
            revision = MODERN
        (session_id, *_) = [*post.values("Mcp-Session-Id"), ""]
        if revision is None and session_id in self.world.sessions:
            revision = self.world.sessions[session_id].revision
        if as_object(post.value).get("method") == "initialize" and revision != MODERN:
            result = as_object(as_object(read_line(heard.body)).get("result"))
            revision = str(result["protocolVersion"]) if result else None
        judge_body(heard.body, revision=revision, asked=post.value)
        judge_status(heard.status, read_line(heard.body), revision=revision)
        for message in heard.pushed:
            judge_message(read_line(message), revision=revision, asked=post.value)

    def _without_body(self, head: Head, api: str | None) -> int:
        """The status of a GET or DELETE: 200 stands for a session that is there."""
        post = Post(headers=head, api=api)
        versions, named = post.values("MCP-Protocol-Version"), post.values("Mcp-Session-Id")
        if (versions and versions[0] not in LEGACY) or not named:
            return 405
        session = self.world.sessions.get(named[0])
        return 200 if session and session.api == api else 404

    def _judge_refusal(self, heard: Heard) -> None:
        allow = heard.header("Allow")
        assert allow == ("POST" if heard.status == 405 else None)
        if heard.body:
            judge_body(heard.body, revision=None, asked=None)

    def _run(
        self, way: Way, method: str, head: Head, body: bytes = b"", api: str | None = None
    ) -> Heard:
        Talk.steps += 1
        return self.runner.run(way.send(method, head, body, api))


async def result_of(answer: "asyncio.Task[Heard]") -> Heard:
    async with asyncio.timeout(30):
        return await answer


def capabilities_in(heard: Heard) -> Mapping[str, object]:
    return as_object(as_object(json.loads(heard.body)["result"])["capabilities"])
