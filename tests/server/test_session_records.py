"""What processes know of each other's legacy sessions, and when."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from gateway.errors import BadRequest, StoreUnavailable
from gateway.interfaces import SessionBoard
from gateway.server import session_records
from gateway.server.session_records import FRESH_SECONDS, SessionNotes, SessionRecords
from gateway.stores import MemoryBoard
from tests.support.stores import Clock

NONCE = bytes(range(12))
OTHER = bytes(12)
URI = "test://watched-resource"


@dataclass(slots=True)
class Board:
    """A board in memory that may be down or slow; `reads` counts."""

    clock: Clock
    down: bool = False
    reads: int = 0
    slow: asyncio.Event | None = None
    read: asyncio.Event = field(default_factory=asyncio.Event)
    inner: MemoryBoard = field(init=False)

    def __post_init__(self) -> None:
        self.inner = MemoryBoard(clock=self.clock)

    async def note(self, page: str, name: str, value: bytes | None, *, seconds: float) -> None:
        if self.down:
            raise StoreUnavailable("down")
        await self.inner.note(page, name, value, seconds=seconds)

    async def notes(self, page: str) -> Mapping[str, bytes]:
        self.reads += 1
        if self.down:
            raise StoreUnavailable("down")
        found = await self.inner.notes(page)
        self.read.set()
        if self.slow is not None:
            await self.slow.wait()
        return found

    async def post(self, box: str, value: bytes, *, seconds: float) -> None:
        raise AssertionError

    async def take(self, box: str, *, seconds: float) -> bytes | None:
        raise AssertionError

    async def aclose(self) -> None:
        return


@dataclass(slots=True)
class World:
    """Two processes, `here` and `there`, with a board between them."""

    clock: Clock = field(default_factory=Clock)
    board: Board = field(init=False)
    here: SessionRecords = field(init=False)
    there: SessionRecords = field(init=False)

    def __post_init__(self) -> None:
        self.board = Board(self.clock)
        self.here, self.there = self.process(self.board), self.process(self.board)

    def process(self, board: SessionBoard) -> SessionRecords:
        return SessionRecords(board, clock=self.clock, monotonic=self.clock)

    @property
    def until(self) -> float:
        return self.clock.now + 1_000


@pytest.fixture
def world() -> World:
    return World()


async def test_nothing_is_known_of_a_new_session(world: World) -> None:
    assert await world.here.look(NONCE) == SessionNotes()


async def test_what_is_written_here_is_known_here_at_once(world: World) -> None:
    await world.here.look(NONCE)
    await world.here.set_level(NONCE, "debug", until=world.until)
    await world.here.watch(NONCE, URI, until=world.until)
    assert await world.here.look(NONCE) == SessionNotes(level="debug", watched=frozenset({URI}))
    assert await world.here.look(OTHER) == SessionNotes()


async def test_what_is_written_there_is_known_here_soon(world: World) -> None:
    await world.here.look(NONCE)
    await world.there.set_level(NONCE, "debug", until=world.until)
    await world.there.watch(NONCE, URI, until=world.until)
    world.clock.now += FRESH_SECONDS
    assert await world.here.look(NONCE) == SessionNotes(level="debug", watched=frozenset({URI}))


async def test_the_board_is_asked_once_in_a_while(world: World) -> None:
    for _ in range(10):
        await world.here.look(NONCE)
        world.clock.now += FRESH_SECONDS / 10
    assert world.board.reads == 1
    await world.here.look(NONCE)
    assert world.board.reads == 2


async def test_a_process_that_writes_often_hears_of_others_all_the_same(world: World) -> None:
    await world.here.look(NONCE)
    await world.there.end(NONCE, until=world.until)
    for _ in range(5):
        world.clock.now += FRESH_SECONDS / 5
        await world.here.set_level(NONCE, "debug", until=world.until)
    assert (await world.here.look(NONCE)).ended


async def test_a_process_that_was_not_asked_before_forgets_nothing(world: World) -> None:
    await world.there.watch(NONCE, URI, until=world.until)
    await world.here.set_level(NONCE, "debug", until=world.until)
    assert (await world.here.look(NONCE)).watched == {URI}


async def test_resources_watched_on_two_processes_add_up(world: World) -> None:
    uris = [f"test://{number}" for number in range(20)]
    async with asyncio.TaskGroup() as group:
        for number, uri in enumerate(uris):
            process = (world.here, world.there)[number % 2]
            group.create_task(process.watch(NONCE, uri, until=world.until))
    assert (await world.process(world.board).look(NONCE)).watched == set(uris)


async def test_a_resource_that_is_watched_no_more(world: World) -> None:
    await world.here.watch(NONCE, URI, until=world.until)
    await world.here.watch(NONCE, "test://other", until=world.until)
    await world.there.unwatch(NONCE, URI, until=world.until)
    await world.there.unwatch(NONCE, "test://never", until=world.until)
    world.clock.now += FRESH_SECONDS
    assert (await world.here.look(NONCE)).watched == {"test://other"}


async def test_the_end_holds_everywhere_and_for_good(world: World) -> None:
    await world.there.look(NONCE)
    await world.here.end(NONCE, until=world.until)
    assert (await world.here.look(NONCE)).ended
    assert not (await world.there.look(NONCE)).ended
    world.clock.now += FRESH_SECONDS
    assert (await world.there.look(NONCE)).ended
    await world.there.set_level(NONCE, "debug", until=world.until)
    world.clock.now += 900
    assert (await world.here.look(NONCE)).ended
    assert (await world.there.look(NONCE)).ended


async def test_the_end_holds_here_while_the_board_is_down(world: World) -> None:
    world.board.down = True
    await world.here.end(NONCE, until=world.until)
    world.clock.now += 10 * FRESH_SECONDS
    assert (await world.here.look(NONCE)).ended
    assert not (await world.there.look(NONCE)).ended


async def test_sessions_go_on_with_what_is_known_while_the_board_is_down(world: World) -> None:
    await world.here.set_level(NONCE, "debug", until=world.until)
    world.board.down = True
    world.clock.now += FRESH_SECONDS
    assert (await world.here.look(NONCE)).level == "debug"
    assert await world.there.look(NONCE) == SessionNotes()
    await world.there.set_level(NONCE, "error", until=world.until)
    await world.there.watch(NONCE, URI, until=world.until)
    assert await world.there.look(NONCE) == SessionNotes(level="error", watched=frozenset({URI}))


async def test_a_board_that_is_down_is_not_asked_by_every_request(world: World) -> None:
    world.board.down = True
    for _ in range(10):
        await world.here.look(NONCE)
    assert world.board.reads == 1


async def test_an_older_answer_does_not_undo_what_was_written_since(world: World) -> None:
    world.board.slow = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(world.here.look(NONCE))
        await world.board.read.wait()
        slow, world.board.slow = world.board.slow, None
        await world.here.set_level(NONCE, "debug", until=world.until)
        slow.set()
    assert looking.result().level == "debug"
    assert (await world.here.look(NONCE)).level == "debug"


async def test_an_older_answer_does_not_revive_a_session(world: World) -> None:
    world.board.slow = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(world.here.look(NONCE))
        await world.board.read.wait()
        slow, world.board.slow = world.board.slow, None
        await world.here.end(NONCE, until=world.until)
        slow.set()
    assert (await world.here.look(NONCE)).ended
    assert looking.done()


async def test_a_session_watches_only_so_much(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_records, "MAX_WATCHED", 2)
    for uri in ("test://1", "test://2", "test://1"):
        await world.here.watch(NONCE, uri, until=world.until)
    with pytest.raises(BadRequest):
        await world.here.watch(NONCE, "test://3", until=world.until)
    with pytest.raises(BadRequest):
        await world.here.watch(OTHER, "x" * (session_records.MAX_URI + 1), until=world.until)


async def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_records, "_MAX_SEEN", 2)
    monkeypatch.setattr(session_records, "_MAX_ENDED", 2)
    nonces = [bytes([number]) * 12 for number in range(1, 4)]
    for nonce in nonces:
        await world.here.look(nonce)
    world.board.reads = 0
    for nonce in nonces:
        await world.here.look(nonce)
    assert world.board.reads == 3
    world.board.down = True
    for nonce in nonces:
        await world.here.end(nonce, until=world.until)
    assert [(await world.here.look(nonce)).ended for nonce in nonces] == [False, True, True]


async def test_sessions_that_have_expired_are_forgotten(world: World) -> None:
    await world.here.end(NONCE, until=world.until)
    world.clock.now += 1_001
    await world.here.end(OTHER, until=world.until)
    assert not (await world.here.look(NONCE)).ended


async def test_notes_of_another_version_are_no_fault(world: World) -> None:
    for name, value in (("level", b"\xff"), ("later", b""), ("watched:", b"")):
        await world.board.note(NONCE.hex(), name, value, seconds=1_000)
    assert not (await world.here.look(NONCE)).ended
