"""Streams of changes over real HTTP, in both eras."""

import asyncio
import socket
from contextlib import AsyncExitStack

import pytest

from gateway.catalog import Declared, DeclaredResource, Prompt, PromptMessage, ToolPart
from gateway.policy import Principal
from gateway.server import listening, session_records
from gateway.server.listen_streams import LIFE_SECONDS, MAX_STREAMS
from gateway.server.listening import Listening
from gateway.server.subscribers import Subscriber
from tests.support.listening import (
    AFTER,
    BEFORE,
    DESCRIPTION_URI,
    PATIENCE,
    PROMPTS_CHANGED,
    RESOURCES_CHANGED,
    TOOLS_CHANGED,
    UPDATED,
    Door,
    World,
    descriptors,
    following,
    handlers,
    listen_bytes,
    open_door,
    pets,
    subscribed,
    until,
)
from tests.support.mcp_core import NOW

TOOLS = {"toolsListChanged": True}
LISTS = {"toolsListChanged": True, "resourcesListChanged": True}
RENAMED = pets("listPets", "getPet", title="Animals")
TOOL_URI = "gateway://tools/getPet"


async def test_r26_a_modern_stream_hears_what_it_asked_for_and_nothing_else() -> None:
    wanted = {"toolsListChanged": True, "resourceSubscriptions": [DESCRIPTION_URI, "test://mine"]}
    async with open_door() as door, subscribed(door, wanted, request_id="mine") as ear:
        door.change(pets("listPets", title="Animals"))
        events = [await ear.event() for _ in range(2)]
        mine = {"_meta": {"io.modelcontextprotocol/subscriptionId": "mine"}}
        assert [(event.method, event.message["params"], event.id) for event in events] == [
            (TOOLS_CHANGED, mine, ""),
            (UPDATED, {"uri": DESCRIPTION_URI, **mine}, ""),
        ]
        door.change(RENAMED)  # of which only the tools are told
        assert await ear.methods(2) == [TOOLS_CHANGED, UPDATED]


async def test_r26_changes_that_follow_closely_are_told_once() -> None:
    async with open_door() as door, subscribed(door, LISTS) as ear:
        door.change(*(pets("listPets", f"other{n}") for n in range(20)))
        assert (await ear.event()).method == TOOLS_CHANGED
        door.change(pets("listPets", "other19", title="Animals"))
        assert (await ear.event()).method == RESOURCES_CHANGED


async def test_changes_are_gathered_for_a_moment() -> None:
    async with open_door() as door, subscribed(door, LISTS) as ear:
        for catalog in (AFTER, BEFORE, pets("listPets", "other")):
            door.change(catalog)
            for _ in range(5):
                await asyncio.sleep(0)
        assert (await ear.event()).method == TOOLS_CHANGED
        door.change(pets("listPets", "other", title="Animals"))
        assert (await ear.event()).method == RESOURCES_CHANGED


async def test_what_is_as_it_was_in_the_end_is_not_told() -> None:
    async with open_door() as door, subscribed(door, LISTS) as ear:
        door.change(AFTER, BEFORE)
        # Neither what is the same, made anew.
        door.change(pets("listPets", "getPet"))
        door.change(RENAMED)
        assert (await ear.event()).method == RESOURCES_CHANGED


async def test_the_view_of_one_api_hears_of_that_api_only() -> None:
    async with (
        open_door() as door,
        subscribed(door, LISTS, path="/mcp/pets") as one,
        subscribed(door, LISTS) as every,
    ):
        door.change(pets("listPets", "getPet", shop="sell"))
        assert (await every.event()).method == TOOLS_CHANGED
        door.change(pets("listPets", "getPet", shop="sell", title="Animals"))
        assert (await one.event()).method == RESOURCES_CHANGED


def declared_for(tool: str) -> Declared:
    message = PromptMessage(role="user", part=ToolPart(tool=tool))
    prompt = Prompt(name="ask", description="Asks", messages=(message,))
    resource = DeclaredResource(uri="test://x", name="x", tool=tool)
    return Declared(resources=(resource,), prompts=(prompt,))


async def test_what_is_declared_goes_with_its_tool_and_who_listens_is_told() -> None:
    wanted = {**LISTS, "promptsListChanged": True}
    async with (
        open_door(declared=declared_for("getPet")) as door,
        subscribed(door, wanted, path="/mcp/pets") as one,
        subscribed(door, wanted) as every,
    ):
        session = await door.initialize(path="/mcp/pets")
        heard = await primed(door, session, path="/mcp/pets")
        async with following(door, session, after=heard, path="/mcp/pets") as legacy:
            door.change(AFTER)
            changed = [TOOLS_CHANGED, RESOURCES_CHANGED, PROMPTS_CHANGED]
            assert await one.methods(3) == changed
            events = [await legacy.event() for _ in range(3)]
            assert [event.method for event in events] == changed
            # In the view of all APIs the entries stay, and an attempt says why they are dead.
            assert await every.methods(1) == [TOOLS_CHANGED]
            door.change(BEFORE)
            assert await every.methods(1) == [TOOLS_CHANGED]
            assert await one.methods(3) == changed
        # Prompts are as they were when that stream had told of tools and resources.
        async with following(door, session, after=events[1].id, path="/mcp/pets") as legacy:
            assert await legacy.methods(2) == [TOOLS_CHANGED, RESOURCES_CHANGED]
            door.change(AFTER)
            assert await legacy.methods(3) == changed


async def test_a_change_while_a_stream_is_being_opened_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really_open = Listening.open

    async def open_late(self: Listening, subscriber: Subscriber, *rest: object) -> None:
        self.watch.announce(AFTER)
        await asyncio.sleep(0)
        await really_open(self, subscriber, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Listening, "open", open_late)
    async with open_door() as door, subscribed(door, TOOLS) as ear:
        assert (await ear.event()).method == TOOLS_CHANGED


async def test_r26_nobody_is_told_before_the_acknowledgement() -> None:
    async with open_door() as door, subscribed(door, TOOLS) as first:
        for number in range(10):
            door.change(pets(f"t{number}"))
            async with subscribed(door, TOOLS):  # checks what comes first
                pass
        assert (await first.event()).method == TOOLS_CHANGED


@pytest.mark.parametrize("pings", [1, 3])
async def test_r25_signs_of_life_come_from_time_to_time(pings: int) -> None:
    async with open_door(ping_seconds=0.01) as door, subscribed(door, TOOLS) as ear:
        for _ in range(pings):
            assert await ear.block() == b": ping\n"


async def test_a_modern_stream_ends_with_its_time_in_good_order() -> None:
    world = World()
    async with open_door(world, ping_seconds=0.01) as door, subscribed(door, TOOLS) as ear:
        world.now = NOW + LIFE_SECONDS - 1
        assert await ear.block() == b": ping\n"
        world.now = NOW + LIFE_SECONDS
        last = await ear.event()
        assert last.message["id"] == 1
        result = last.message["result"]
        assert isinstance(result, dict)
        assert result["resultType"] == "complete"
        assert await ear.is_over()


async def test_a_drain_ends_all_streams_in_good_order() -> None:
    async with open_door() as door:
        session = await door.initialize("2025-06-18")
        async with (
            subscribed(door, TOOLS, request_id=7) as modern,
            following(door, session) as legacy,
        ):
            assert (await legacy.block()).startswith(b":")
            async with asyncio.timeout(PATIENCE):
                await door.stop()
            assert (await modern.event()).message["id"] == 7
            assert await modern.is_over()
            assert await legacy.is_over()
        assert handlers() == 0


async def test_a_stream_that_comes_during_a_drain_ends_as_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really_open = Listening.open

    async def open_late(self: Listening, subscriber: Subscriber, *rest: object) -> None:
        self.close()
        await really_open(self, subscriber, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Listening, "open", open_late)
    async with open_door() as door, subscribed(door, TOOLS) as ear:
        assert "result" in (await ear.event()).message
        assert await ear.is_over()


async def test_a_caller_known_by_name_has_so_many_streams_and_no_more() -> None:
    world = World(principal=Principal(name="key:one"))
    async with open_door(world) as door, AsyncExitStack() as stack:
        for number in range(MAX_STREAMS - 1):
            await stack.enter_async_context(subscribed(door, TOOLS, request_id=number))
        async with subscribed(door, TOOLS):
            with pytest.raises(AssertionError, match="429"):
                await stack.enter_async_context(subscribed(door, TOOLS))
            world.principal = Principal(name="key:two")
            await stack.enter_async_context(subscribed(door, TOOLS))
            world.principal = Principal(name="key:one")
        await until(lambda: handlers() == MAX_STREAMS)
        await stack.enter_async_context(subscribed(door, TOOLS))


async def test_r25_a_client_that_does_not_read_is_dropped_and_the_others_hear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "WINDOW_SECONDS", 0)
    # As many as a stream may ask for, so that the buffers between the two are full soon.
    names = [f"{'x' * 40}{n}" for n in range(100)]
    uris = [f"gateway://tools/{name}" for name in names]
    catalogs = pets(*names), pets()
    async with open_door() as door, AsyncExitStack() as stack:
        slow = stack.enter_context(socket.socket())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", door.port))
        slow.sendall(listen_bytes(door.port, {"resourceSubscriptions": uris}))
        await until(lambda: handlers() == 1)
        async with subscribed(door, TOOLS) as ear:
            changes = 0
            while handlers() > 1:
                changes += 1
                door.change(catalogs[changes % 2])
                assert (await ear.event()).method == TOOLS_CHANGED
                assert changes < 1_000


async def test_r25_two_hundred_streams_hear_and_when_they_die_nothing_is_left() -> None:
    async with open_door() as door:
        async with subscribed(door, TOOLS):
            pass
        await until(lambda: handlers() == 0)
        before = descriptors()
        request = listen_bytes(door.port, LISTS)
        pairs = []
        for _ in range(200):
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
            writer.write(request)
            pairs.append((reader, writer))
        async with asyncio.timeout(PATIENCE):
            for reader, _ in pairs:
                await reader.readuntil(b"acknowledged")
            door.change(AFTER)
            for reader, _ in pairs:
                await reader.readuntil(TOOLS_CHANGED.encode())
        assert handlers() == 200
        for number, (_, writer) in enumerate(pairs):
            # Half of them with a reset, as when a process is killed with data unread.
            writer.transport.abort() if number % 2 else writer.close()
        await until(lambda: handlers() == 0 and descriptors() <= before)
        assert len(door.listening) == 0


async def test_an_old_client_gets_its_events_unchunked() -> None:
    async with open_door() as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(listen_bytes(door.port, TOOLS, version="1.0"))
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"chunked" not in head
            assert (await reader.readuntil(b"\n\n")).startswith(b"event: message\ndata: {")
            door.change(AFTER)
            assert (await reader.readuntil(b"\n\n")).startswith(b"event: message\ndata: {")
        writer.close()


@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_session_hears_of_changes_and_can_tell_what_it_has_heard(revision: str) -> None:
    async with open_door() as door:
        session = await door.initialize(revision)
        async with following(door, session) as ear:
            first = await ear.block()
            if revision == "2025-11-25":
                assert first.startswith(b"id: c1.")
                assert first.endswith(b"\ndata: \n")
            else:
                assert first == b": ping\n"
            door.change(pets("listPets", title="Animals"))
            events = [await ear.event() for _ in range(2)]
            assert [event.method for event in events] == [TOOLS_CHANGED, RESOURCES_CHANGED]
            assert all("params" not in event.message for event in events)
            assert len({event.id for event in events}) == 2
        async with following(door, session, after=events[0].id) as ear:
            assert (await ear.event()).method == RESOURCES_CHANGED


async def primed(door: Door, session: str, path: str = "/mcp") -> str:
    """The id with which a stream of that session begins."""
    async with following(door, session, path=path) as ear:
        block = await ear.block()
        return block.decode().splitlines()[0].removeprefix("id: ")


async def test_who_comes_back_elsewhere_is_told_what_it_has_missed() -> None:
    world = World()
    async with open_door(world) as one, open_door(world, shown=AFTER) as other:
        session = await one.initialize()
        heard = await primed(one, session)
        async with following(other, session, after=heard) as ear:
            event = await ear.event()
            assert event.method == TOOLS_CHANGED
            # Nothing else was missed: the next is a change of now.
            other.change(pets("listPets", title="Animals"))
            assert (await ear.event()).method == RESOURCES_CHANGED
        async with following(other, session, after=event.id) as ear:
            assert (await ear.event()).method == RESOURCES_CHANGED


@pytest.mark.parametrize("after", ["", "7", "c1.nonsense"])
async def test_an_id_that_is_not_ours_begins_anew(after: str) -> None:
    async with open_door() as door:
        session = await door.initialize()
        async with following(door, session, after=after) as ear:
            assert (await ear.block()).startswith(b"id: c1.")


async def test_a_session_hears_of_the_resources_that_it_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_records, "FRESH_SECONDS", 0)
    world = World()
    async with open_door(world) as one, open_door(world) as other:
        session = await one.initialize()
        async with following(one, session) as ear:
            await ear.block()
            for uri in (TOOL_URI, DESCRIPTION_URI, "gateway://tools/listPets", "test://mine"):
                await other.request(session, "resources/subscribe", {"uri": uri})
            await other.request(session, "resources/unsubscribe", {"uri": DESCRIPTION_URI})
            one.change(AFTER)
            events = [await ear.event() for _ in range(2)]
            assert [event.method for event in events] == [TOOLS_CHANGED, UPDATED]
            assert events[1].message["params"] == {"uri": TOOL_URI}


async def test_a_session_that_ends_elsewhere_loses_its_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_records, "FRESH_SECONDS", 0)
    world = World()
    async with open_door(world, ping_seconds=0.01) as one, open_door(world) as other:
        session = await one.initialize("2025-06-18")
        async with following(one, session) as ear:
            assert (await ear.block()).startswith(b":")
            assert await other.delete(session) == 204
            assert await ear.is_over()


async def test_the_end_of_a_session_ends_its_stream() -> None:
    async with open_door(ping_seconds=10 * PATIENCE) as door:
        session = await door.initialize("2025-06-18")
        async with following(door, session) as ear:
            assert await door.delete(session) == 204
            assert await ear.is_over()


async def test_a_session_that_expires_loses_its_stream() -> None:
    world = World()
    async with open_door(world, ping_seconds=0.01) as door:
        session = await door.initialize("2025-06-18")
        async with following(door, session) as ear:
            world.now = NOW + 86_400
            assert await ear.is_over()
