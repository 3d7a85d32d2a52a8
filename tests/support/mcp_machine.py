"""State machines that talk to `/mcp` in both eras, with and without a network."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from gateway.mcp.request_state import LIFE_SECONDS as STATE_SECONDS
from gateway.mcp.sessions import LIFE_SECONDS
from tests.support import mcp_messages as says
from tests.support.mcp_core import META
from tests.support.mcp_heads import (
    HEADER_FAULTS,
    JSON_HEAD,
    VERSIONS,
    Head,
    modern_head,
    version_head,
)
from tests.support.mcp_judge import judge_body
from tests.support.mcp_methods import LOG_LEVEL, RESULT, as_object
from tests.support.mcp_model import CAPABILITIES, VERSION
from tests.support.mcp_outcomes import came_of
from tests.support.mcp_room import Heard, Networked, Room, networked
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.support.mcp_talk import Talk, capabilities_in, result_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A call under way that waits for its API. `session` None: a modern one."""

    id: str
    session: str | None
    answer: "asyncio.Task[Heard]"


class Conversations(Talk):
    """Without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Held] = []
        self.numbers = 0

    @initialize()
    def learn(self) -> None:
        """What the server declares; the model predicts from that which methods there are."""
        discover = {"jsonrpc": "2.0", "id": 1, "method": "server/discover"}
        heard = self._ask_modern({**discover, "params": {"_meta": META}}, "right")
        self.world.capabilities[MODERN] = capabilities_in(heard)
        for revision in LEGACY:
            self._open(revision, None, says.ABLE)

    async def _leave(self) -> None:
        self.room.shop.release()
        answers = [held.answer for held in self.held]
        for heard in await asyncio.gather(*answers):
            assert heard.status in (200, 202)

    @rule(
        revision=st.sampled_from([*LEGACY, "1999-01-01", MODERN]),
        api=says.API_NAMES,
        capabilities=says.CLIENT_CAPABILITIES,
    )
    def open(self, revision: str, api: str | None, capabilities: dict[str, object]) -> None:
        self._open(revision, api, capabilities)

    @rule(
        message=says.MESSAGES,
        pick=st.integers(0, 99),
        version=VERSIONS,
        api=says.API_NAMES,
        claims=st.integers(0, 19),
    )
    def say_legacy(
        self, message: object, pick: int, version: str | None, api: str | None, claims: int
    ) -> None:
        """One message of a session, or of none, or of one that is no more."""
        if claims == 0 and isinstance(message, dict) and isinstance(message.get("params"), dict):
            message = {**message, "params": {**message["params"], "_meta": {VERSION: MODERN}}}
        head, api = self._session_head(pick, api)
        self._post(head + version_head(version), message, api=api)

    @rule(members=says.BATCHES, pick=st.integers(0, 99), version=VERSIONS, api=says.API_NAMES)
    def say_batch(
        self, members: list[object], pick: int, version: str | None, api: str | None
    ) -> None:
        head, api = self._session_head(pick, api)
        self._post(head + version_head(version), members, api=api)

    @rule(message=says.MESSAGES, meta=says.envelopes(), fault=HEADER_FAULTS, api=says.API_NAMES)
    def say_modern(self, message: object, meta: object, fault: str, api: str | None) -> None:
        if isinstance(message, dict):
            params = message.get("params", {})
            if isinstance(params, dict):
                message = {**message, "params": {**params, "_meta": meta}}
        self._ask_modern(message, fault, api=api)

    @rule(
        request=says.CALLS | says.requests(),
        capabilities=says.CLIENT_CAPABILITIES,
        pick=st.integers(0, 79),
        modern=st.booleans(),
    )
    def ask(
        self, request: dict[str, object], capabilities: object, pick: int, modern: bool
    ) -> None:
        """A request with nothing wrong around it."""
        params = request.get("params", {})
        meta: dict[str, object] = {"progressToken": "p"}
        if modern:
            meta |= {**META, CAPABILITIES: capabilities, LOG_LEVEL: "debug"}
        if isinstance(params, dict):
            request = {**request, "params": {**params, "_meta": meta}}
        if modern:
            self._ask_modern(request, "right")
        else:
            head, api = self._session_head(pick - pick % 10 + 1, None)
            self._post(head, request, api=api)

    @rule(
        ask=st.sampled_from(["form", "url", "all", "twice", "confirm"]),
        how=st.sampled_from(["right", "tampered", "elsewhere", "changed", "late", "again"]),
    )
    def answer_questions(self, ask: str, how: str) -> None:
        """A modern call that asks, and its retry: right, or with a state that is not its own."""
        name, body = ("dropItem", {}) if ask == "confirm" else ("addItem", {"body": {"ask": ask}})
        first: dict[str, object] = {"name": name, "arguments": body or {"id": "7"}}
        result = self._call_modern(first, RESULT)
        assert result["resultType"] == "input_required"
        state = result.get("requestState")
        answers = {key: {"action": "accept"} for key in as_object(result["inputRequests"])}
        retry = {**first, "inputResponses": answers}
        if not isinstance(state, str):
            self._call_modern(retry, RESULT)  # a cold one
            return
        retry["requestState"] = state
        if how == "tampered":
            retry["requestState"] = state + "-TAMPERED"
        elif how == "elsewhere":
            retry["name"] = "getItem"
        elif how == "changed":
            retry["arguments"] = {"id": "8", "body": {"ask": ask, "more": 1}}
        elif how == "late":
            self.room.clock += STATE_SECONDS
        right = how in ("right", "again")
        for _ in range(2 if how == "again" else 1):
            self._call_modern(retry, RESULT if right else -32602)

    def _call_modern(self, params: Mapping[str, object], what: int | str) -> Mapping[str, object]:
        self.numbers += 1
        meta = {**META, CAPABILITIES: says.ABLE}
        call = {"jsonrpc": "2.0", "id": self.numbers, "method": "tools/call"}
        heard = self._run(
            self.way,
            "POST",
            modern_head("tools/call", str(params["name"])),
            says.text_of({**call, "params": {**params, "_meta": meta}}),
        )
        assert came_of(heard.status, heard.body)[1] == what, (params, heard)
        judge_body(heard.body, revision=MODERN, asked=call)
        return as_object(json.loads(heard.body).get("result"))

    @rule(data=says.BROKEN, pick=st.integers(0, 99), version=VERSIONS)
    def say_nonsense(self, data: bytes, pick: int, version: str | None) -> None:
        head, api = self._session_head(pick, None)
        self._post(head + version_head(version), None, api=api, data=data)

    @rule(pick=st.integers(0, 99), version=VERSIONS, api=says.API_NAMES)
    def end_session(self, pick: int, version: str | None, api: str | None) -> None:
        head, api = self._session_head(pick, api)
        head += version_head(version)
        heard = self._run(self.way, "DELETE", head, api=api)
        expected = self._without_body(head, api)
        assert heard.status == (204 if expected == 200 else expected)
        if heard.status == 204:
            ((_, session_id),) = [pair for pair in head if pair[0] == "Mcp-Session-Id"]
            del self.world.sessions[session_id]
            self.ended.append(session_id)
        self._judge_refusal(heard)

    @rule(
        pick=st.integers(0, 99),
        version=VERSIONS,
        api=says.API_NAMES,
        accept=st.sampled_from(["text/event-stream", "application/json", "*/*;q=0"]),
    )
    def open_stream(self, pick: int, version: str | None, api: str | None, accept: str) -> None:
        head, api = self._session_head(pick, api)
        head = (*(pair for pair in head if pair[0] != "Accept"), ("Accept", accept))
        head += version_head(version)
        heard = self._run(self.way, "GET", head, api=api)
        expected = self._without_body(head, api)
        streams = accept == "text/event-stream"
        assert heard.status == (406 if expected == 200 and not streams else expected)
        self._judge_refusal(heard)

    @rule(pick=st.integers(0, 99), cancelled=st.booleans())
    def hold(self, pick: int, cancelled: bool) -> None:
        """A call that is under way while others are made, and may be cancelled."""
        self.numbers += 1
        call_id = f"held-{self.numbers}"
        arguments: dict[str, object] = {"q": "hold"}
        params: dict[str, object] = {"name": "listItems", "arguments": arguments}
        head, api = self._session_head(pick, None)
        session = dict(head).get("Mcp-Session-Id")
        if session not in self.world.sessions:
            params["_meta"], session = META, None
            head, api = modern_head("tools/call", "listItems"), None
        else:
            api = self.world.sessions[session].api
        call = {"jsonrpc": "2.0", "id": call_id, "method": "tools/call", "params": params}
        answer = self.runner.run(self._start(head, says.text_of(call), api))
        self.held.append(Held(id=call_id, session=session, answer=answer))
        if cancelled:
            self._cancel(self.held[-1])

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        self._cancel(self.held[pick % len(self.held)])

    def _cancel(self, held: Held) -> None:
        """A legacy call ends without an answer, a modern one goes on."""
        if held.session not in self.world.sessions and held.session is not None:
            return
        params: dict[str, object] = {"requestId": held.id}
        notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        if held.session is None:
            self._post(modern_head("notifications/cancelled"), notice)
            self.runner.run(asyncio.sleep(0))
            assert not held.answer.done()
            return
        opened = self.world.sessions[held.session]
        head = (*JSON_HEAD, ("Mcp-Session-Id", held.session))
        self._post(head, notice, api=opened.api)
        heard = self.runner.run(result_of(held.answer))
        assert (heard.status, heard.body) == (202, b"")
        self.held.remove(held)

    @precondition(lambda self: self.held)
    @rule()
    def release(self) -> None:
        self.room.shop.release()
        for held in self.held:
            heard = self.runner.run(result_of(held.answer))
            self._judge_call(held, heard)
        self.held.clear()

    def _judge_call(self, held: Held, heard: Heard) -> None:
        asked = {"jsonrpc": "2.0", "id": held.id, "method": "tools/call"}
        revision = MODERN if held.session is None else None
        assert heard.status == 200
        judge_body(heard.body, revision=revision, asked=asked)

    @rule()
    def wait_for_a_day(self) -> None:
        """Every session is as old as a session can become."""
        self.room.clock += LIFE_SECONDS
        self.ended += self.world.sessions
        self.world.sessions.clear()

    async def _start(self, head: Head, body: bytes, api: str | None) -> "asyncio.Task[Heard]":
        """The call, once its API has been asked."""
        self.room.shop.holding.clear()
        asked = asyncio.ensure_future(self.room.shop.holding.wait())
        answer = asyncio.ensure_future(self.way.send("POST", head, body, api))
        await asyncio.wait({asked, answer}, return_when=asyncio.FIRST_COMPLETED)
        assert asked.done(), "it ended too early"
        return answer


class OverHttp(Conversations):
    """The same over a real connection."""

    async def _make_room(self) -> Room:
        self.stack = AsyncExitStack()
        room = Room()
        self.network: Networked = await self.stack.enter_async_context(networked(room))
        return room

    def __init__(self) -> None:
        super().__init__()
        self.way = self.network

    async def _leave(self) -> None:
        await super()._leave()
        await self.stack.aclose()
