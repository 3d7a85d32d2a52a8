"""Redis Cluster: each command goes to the node that serves its key's slot.

redis-py's own cluster client is not used. It sends ASKING over another connection than the command
that needs it, knows no node that is about to get its first slot, and a MOVED closes connections
under the calls that are using them.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.stores.redis_connections import RedisServer, Words
from gateway.stores.redis_urls import Address

_KEYLESS = frozenset({"PING", "INFO"})
_SCRIPTS = frozenset({"EVAL", "EVALSHA"})
_PAUSES = (0.0, 0.0, 0.01, 0.03, 0.1)
"""Seconds before a redirected command is sent again; a slot that moves is between two nodes."""
_DOUBTS = (MovedError, ClusterDownError, RedisConnectionError, RedisTimeoutError)
"""Answers after which the map of slots is read again."""


@dataclass(frozen=True, slots=True)
class _SlotMap:
    """Ranges of slots in order: the first of each, the last, and the node that serves them."""

    firsts: tuple[int, ...] = ()
    lasts: tuple[int, ...] = ()
    nodes: tuple[Address, ...] = ()

    def node_of(self, slot: int) -> Address | None:
        position = bisect_right(self.firsts, slot) - 1
        return self.nodes[position] if position >= 0 and slot <= self.lasts[position] else None


@dataclass(frozen=True, slots=True)
class _Errand:
    """A command that is still to be answered. `node`: where it was redirected to."""

    position: int
    words: Words
    slot: int | None
    node: Address | None = None
    asking: bool = False


class ClusterServers:
    """The nodes of a cluster; `seeds` are some of them, to ask for all."""

    def __init__(
        self, seeds: Sequence[Address], server_at: Callable[[Address], RedisServer]
    ) -> None:
        self._guides = list(seeds)
        self._seeds = frozenset(seeds)
        self._server_at = server_at
        self._servers: dict[Address, RedisServer] = {}
        self._slots = _SlotMap()
        self._doubted = True
        self._reading = asyncio.Lock()

    async def run(self, commands: Sequence[Words]) -> list[object]:
        answers: list[object] = [None] * len(commands)
        errands = [_Errand(n, words, _slot_of(words)) for n, words in enumerate(commands)]
        for pause in _PAUSES:
            if pause:
                await asyncio.sleep(pause)
            if self._doubted:
                await self._learn()
            errands = await self._round(errands, answers)
            if not errands:
                break
        return answers

    async def aclose(self) -> None:
        for server in self._servers.values():
            await server.aclose()

    async def _round(self, errands: list[_Errand], answers: list[object]) -> list[_Errand]:
        """Sends every errand once; what comes back are those that have to be sent again."""
        groups: dict[Address, list[_Errand]] = {}
        for errand in errands:
            node = errand.node or self._node_for(errand.slot)
            if node is None:
                answers[errand.position] = RedisConnectionError("no node serves this slot")
                self._doubted = True
            else:
                groups.setdefault(node, []).append(errand)
        async with asyncio.TaskGroup() as tasks:
            sent = [tasks.create_task(self._send(n, g, answers)) for n, g in groups.items()]
        again = [errand for task in sent for errand in task.result()]
        return sorted(again, key=lambda errand: errand.position)

    async def _send(
        self, node: Address, errands: list[_Errand], answers: list[object]
    ) -> list[_Errand]:
        commands: list[Words] = []
        for errand in errands:
            # It holds for the very next command of the connection.
            commands += [("ASKING",), errand.words] if errand.asking else [errand.words]
        replies = iter(await self._server(node).run(commands))
        again = []
        for errand in errands:
            if errand.asking:
                next(replies)
            answer = answers[errand.position] = next(replies)
            if isinstance(answer, _DOUBTS):
                self._doubted = True
            if isinstance(answer, AskError | TryAgainError):
                again.append(_redirected(errand, answer, node))
        return again

    def _server(self, node: Address) -> RedisServer:
        if node not in self._servers:
            self._servers[node] = self._server_at(node)
        return self._servers[node]

    def _node_for(self, slot: int | None) -> Address | None:
        if slot is not None:
            return self._slots.node_of(slot)
        return self._slots.nodes[0] if self._slots.nodes else None

    async def _learn(self) -> None:
        """Reads which node serves which slots, from the first node that says so."""
        before = self._slots
        async with self._reading:
            if self._slots is not before:
                return
            for node in tuple(self._guides):
                # Last until it has answered: who gives up on it now does not begin with it again.
                self._guides.remove(node)
                self._guides.append(node)
                [answer] = await self._server(node).run([("CLUSTER", "SLOTS")])
                found = _slot_map(answer, node[0])
                if found is not None:
                    await self._adopt(found, guide=node)
                    return

    async def _adopt(self, slots: _SlotMap, guide: Address) -> None:
        self._slots, self._doubted = slots, False
        known = dict.fromkeys((guide, *slots.nodes, *self._seeds))
        self._guides = list(known)
        for node in self._servers.keys() - known.keys():
            await self._servers.pop(node).aclose()


def _slot_of(words: Words) -> int | None:
    name = words[0]
    if name in _KEYLESS:
        return None
    key = words[3] if name in _SCRIPTS else words[1]
    return key_slot(key if isinstance(key, bytes) else str(key).encode())


def _redirected(errand: _Errand, answer: AskError | TryAgainError, node: Address) -> _Errand:
    """The errand as it is to be sent next. MOVED is a kind of ASK in redis-py, for good."""
    if isinstance(answer, TryAgainError):
        return replace(errand, node=None, asking=False)
    # Redis 7 leaves the host out when it does not know its own.
    target = (answer.host or node[0], answer.port)
    return replace(errand, node=target, asking=not isinstance(answer, MovedError))


def _slot_map(answer: object, asked: str) -> _SlotMap | None:
    """What CLUSTER SLOTS says: [[first, last, [host, port, ...], replicas...], ...].

    A node without a host is reached under the name that was asked (Redis 7, `NULL` endpoints).
    """
    ranges: list[tuple[int, int, Address]] = []
    for part in answer if isinstance(answer, list) else ():
        match part:
            case [int(first), int(last), [host, int(port), *_], *_]:
                name = host.decode(errors="replace") if isinstance(host, bytes) else ""
                ranges.append((first, last, (name or asked, port)))
            case _:
                return None
    if not ranges:
        return None
    firsts, lasts, nodes = zip(*sorted(ranges), strict=True)
    return _SlotMap(firsts, lasts, nodes)
