"""A state machine on the other side of a stdio process, whose era its first request fixes."""

import asyncio
import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support import mcp_messages as says
from tests.support.mcp_core import META
from tests.support.mcp_judge import judge_body, judge_message, read_line
from tests.support.mcp_methods import RESULT, World, as_object
from tests.support.mcp_model import (
    ASSUMED,
    MAX_BATCH,
    claims_modern,
    expect_line,
    expect_member,
    fixes_era,
)
from tests.support.mcp_outcomes import came_of, compare_batch, expect_cancellations
from tests.support.mcp_room import Dialogue, Heard, Room
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.support.mcp_talk import Talk, capabilities_in


class Lines(RuleBasedStateMachine):
    """`era`: the revision that is spoken, None before the first request."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.room = self.runner.run(self._make_room())
        self.world = World()
        self.process: Dialogue = self.room.dialogue()
        self.era: str | None = None
        self.agreed = False

    async def _make_room(self) -> Room:
        return Room()

    def teardown(self) -> None:
        self.runner.close()

    @initialize()
    def learn(self) -> None:
        """What the server declares, from processes of their own."""
        discover = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "server/discover",
            "params": {"_meta": META},
        }
        opened = self._hear(says.text_of(discover), self.room.dialogue())
        self.world.capabilities[MODERN] = capabilities_in(opened)
        for revision in LEGACY:
            heard = self._hear(says.text_of(_opening(revision)), self.room.dialogue())
            self.world.capabilities[revision] = capabilities_in(heard)

    @rule(message=says.MESSAGES)
    def say(self, message: object) -> None:
        self._say(message)

    @rule(message=says.MESSAGES, meta=says.envelopes())
    def say_modern(self, message: object, meta: object) -> None:
        params = as_object(message).get("params", {})
        if isinstance(message, dict) and isinstance(params, dict):
            message = {**message, "params": {**params, "_meta": meta}}
        self._say(message)

    @rule(revision=st.sampled_from([*LEGACY, MODERN, "1999-01-01"]))
    def shake_hands(self, revision: str) -> None:
        self._say(_opening(revision))

    @rule(members=says.BATCHES)
    def say_batch(self, members: list[object]) -> None:
        self._say_batch(members)

    def _say_batch(self, members: list[object]) -> None:
        heard = self._hear(says.text_of(members))
        if self.era not in (None, ASSUMED) or not 1 <= len(members) <= MAX_BATCH:
            assert came_of(heard.status, heard.body)[1] == -32600
        else:
            expected = [expect_member(member, self.world, ASSUMED) for member in members]
            expected = expect_cancellations(members, expected)
            compare_batch(heard.status, heard.body, expected, f"{members} -> {heard.body!r}")
            # An `initialize` has no place in there, and leaves no trace.
            fixing = (each for each in members if as_object(each).get("method") != "initialize")
            if self.era is None and any(map(fixes_era, fixing)):
                self.era = ASSUMED
        self._judge(heard, members)

    @rule(line=says.BROKEN | st.none())
    def say_nonsense(self, line: bytes | None) -> None:
        heard = self._hear(line)
        assert came_of(heard.status, heard.body)[1] == -32700
        self._judge(heard, None)

    @rule()
    def start_anew(self) -> None:
        self.process, self.era, self.agreed = self.room.dialogue(), None, False

    def _say(self, value: object) -> None:
        if isinstance(value, list):
            self._say_batch(value)
            return
        heard = self._hear(says.text_of(value))
        what = came_of(heard.status, heard.body)[1]
        expected = expect_line(value, self.world, self.era)
        assert what in expected, f"{self.era}: {value} -> {heard.body!r}, not {expected}"
        message = as_object(value)
        if self.era is None and fixes_era(value):
            modern = claims_modern(message) and message["method"] != "initialize"
            self.era = MODERN if modern else ASSUMED
        if message.get("method") == "initialize" and what == RESULT:
            self.era = str(json.loads(heard.body)["result"]["protocolVersion"])
            self.agreed = True
        self._judge(heard, value)

    def _judge(self, heard: Heard, asked: object) -> None:
        known = self.agreed or self.era == MODERN
        revision = self.era if known else None
        if heard.body:
            judge_body(heard.body, revision=revision, asked=asked)
        for message in heard.pushed:
            judge_message(read_line(message), revision=revision, asked=asked)

    def _hear(self, line: bytes | None, process: Dialogue | None = None) -> Heard:
        Talk.steps += 1
        return self.runner.run((process or self.process).say(line))


def _opening(revision: str) -> dict[str, object]:
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "tester"}}
    return {"jsonrpc": "2.0", "id": "open", "method": "initialize", "params": params}
