"""Writers at several gateway processes that share one store, while something is being killed."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import aiohttp

from tests.support.checker import Heard, Ledger, Verdict, judge, read_all
from tests.support.echo_upstream import Answer, EchoUpstream
from tests.support.gateway_process import GatewayProcess
from tests.torture.marks import (
    API,
    MARKS,
    WAYS,
    WrongAnswer,
    mark_name,
    mark_of,
    write_description,
)

WRITERS = 12
CONTEXTS = 4
"""How many contexts are written to at once, each by writers at every gateway."""
PATIENCE_SECONDS = 60.0
_ANSWER_SECONDS = 20.0
_PAUSE_SECONDS = 0.01
_ANY_SECONDS = 0.05
_SHOWN = 20


@dataclass(slots=True)
class Door:
    """A gateway process and what its writers know of it."""

    process: GatewayProcess
    up: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: int = 0

    async def kill_and_start(self) -> None:
        self.process.kill()
        self.up.clear()
        await asyncio.to_thread(self.process.start)
        self.up.set()


class Swarm:
    """The writers. Each keeps to one gateway and one place, which gets a new context when full."""

    def __init__(self, doors: Sequence[Door], random: Random) -> None:
        self.doors = doors
        self.random = random
        self.ledger = Ledger()
        self.wrong: list[str] = []
        self.slowest = 0.0
        self._numbers = count()
        self._places = [self._fresh_context() for _ in range(CONTEXTS)]
        self._over = False
        self._news = asyncio.Event()

    async def moment_for(self, victims: Sequence[Door]) -> None:
        """Wait for a moment to kill what serves these doors, once all have made some progress.

        Right after an acknowledgement, when one that came too early would be found out, or by
        chance, so that any step is met.
        """
        await self.progress(self.random.randint(5, 30))
        if self.random.random() < 0.5:
            await asyncio.sleep(self.random.uniform(0, _ANY_SECONDS))
            return
        total = sum(door.acknowledged for door in victims)
        while sum(door.acknowledged for door in victims) == total:
            await self._next_answer()

    async def _next_answer(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def progress(self, calls: int) -> None:
        """Wait until every gateway has acknowledged that many calls more."""
        wanted = [(door, door.acknowledged + calls) for door in self.doors]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while any(door.acknowledged < least for door, least in wanted):
                await self._next_answer()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Writers write; in the end each finishes its call."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(WRITERS):
                group.create_task(self._write(http, number))
            yield
            self._over = True

    async def _write(self, http: aiohttp.ClientSession, number: int) -> None:
        door, call = self.doors[number % len(self.doors)], WAYS[number // len(self.doors) % 3]
        while not self._over:
            await door.up.wait()
            context_id, mark = self._take(number % CONTEXTS)
            started = time.monotonic()
            try:
                heard = await call(http, door.process.url, mark, context_id)
            except (aiohttp.ClientError, OSError):
                heard = Heard.NOTHING
            except WrongAnswer as wrong:
                heard = Heard.NOTHING
                self.wrong.append(f"{context_id}: {mark} was answered {wrong}")
            self.slowest = max(self.slowest, time.monotonic() - started)
            self._note(door, context_id, mark, heard)
            if heard is not Heard.ACKNOWLEDGED:
                await asyncio.sleep(_PAUSE_SECONDS)  # as a client would that was refused

    def _take(self, place: int) -> tuple[str, str]:
        """The place's context and a mark that is new there."""
        context_id, numbers = self._places[place]
        number = next(numbers)
        if number == MARKS:
            self._places[place] = context_id, numbers = self._fresh_context()
            number = next(numbers)
        mark = mark_name(number)
        self.ledger.ask(context_id, mark)
        return context_id, mark

    def _note(self, door: Door, context_id: str, mark: str, heard: Heard) -> None:
        self.ledger.hear(context_id, mark, heard)
        door.acknowledged += heard is Heard.ACKNOWLEDGED
        self._news.set()

    def _fresh_context(self) -> tuple[str, "count[int]"]:
        return f"ocp-{next(self._numbers):08x}", count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Siege:
    """What came of one run."""

    verdict: Verdict
    wrong: tuple[str, ...]
    kills: int
    seconds: float
    slowest: float

    @property
    def faults(self) -> tuple[str, ...]:
        """A run in which no kill met a call under way has shown nothing."""
        heard = self.verdict.heard
        idle = heard[Heard.DENIED] + heard[Heard.NOTHING] == 0
        vain = ("no call was under way when something was killed",) if idle else ()
        return self.verdict.faults + self.wrong + vain

    def __str__(self) -> str:
        head = f"{self.kills} kills in {self.seconds:.0f} s, slowest answer {self.slowest:.2f} s"
        return "\n".join((head, *self.verdict.lines(), *_some(self.faults)))


def _some(faults: tuple[str, ...]) -> Iterator[str]:
    yield f"{len(faults):,} faults"
    yield from faults[:_SHOWN]


async def besiege(
    disturb: Callable[[Swarm], Awaitable[int]],
    *,
    url: str,
    gateways: int,
    directory: Path,
    random: Random,
    afterwards: Callable[[], None] = lambda: None,
) -> Siege:
    """Let the writers write to the store at `url` while `disturb` kills; it returns how often.

    The verdict is taken once all gateways have ended and `afterwards` has run.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        upstream = stack.enter_context(EchoUpstream())
        upstream.answer = Answer(body=b"{}", headers=(("Content-Type", "application/json"),))
        doors = await asyncio.to_thread(_open, stack, upstream, url, directory, gateways)
        swarm = Swarm(doors, random)
        async with swarm.at_work():
            kills = await disturb(swarm)
    afterwards()
    return Siege(
        verdict=judge(swarm.ledger, await read_all(url, swarm.ledger), mark_of),
        wrong=tuple(swarm.wrong),
        kills=kills,
        seconds=time.monotonic() - started,
        slowest=swarm.slowest,
    )


def killing_gateways(kills: int) -> Callable[[Swarm], Awaitable[int]]:
    """Kill one gateway after another, by chance, each amid the calls of all."""

    async def kill(swarm: Swarm) -> int:
        for _ in range(kills):
            victim = swarm.random.choice(swarm.doors)
            await swarm.moment_for([victim])
            await victim.kill_and_start()
        await swarm.progress(5)
        return kills

    return kill


def _open(
    stack: ExitStack, upstream: EchoUpstream, url: str, directory: Path, gateways: int
) -> list[Door]:
    directory.mkdir(exist_ok=True)
    words = ("--spec", f"{API}={write_description(directory)}", "--store", url)
    doors = []
    for number in range(gateways):
        own = directory / f"gateway{number}"
        own.mkdir()
        process = GatewayProcess(*words, "--base-url", f"{API}={upstream.url}", directory=own)
        doors.append(Door(stack.enter_context(process)))
        doors[-1].up.set()
    return doors
