"""Redis in every shape on loopback: 3 sentinels over 2 servers, a Cluster of 3 masters."""

import random
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from tests.support.redis_server import READY_SECONDS, RedisServer, SentinelServer

SERVICE = "contexts"
SLOTS = 16_384
# Redis before 7 cannot be told where its bus listens: always that much above its port.
_BUS_OFFSET = 10_000


def await_until(holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Asks until it holds; an answer that is an error is a no."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except RedisError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"not in {seconds} seconds: {what}")


def ask(port: int, *words: str | bytes | int) -> object:
    """One command to the server at `port`, over a connection of its own; the answer as it came."""
    with Redis(port=port, socket_timeout=READY_SECONDS, protocol=2) as client:
        client.response_callbacks.clear()
        answer: object = client.execute_command(*words)
        return answer


def fields_of(answer: object) -> dict[bytes, bytes]:
    """An answer that is lines of `name:value`, or a list of names and values."""
    if isinstance(answer, list):
        return dict(zip(answer[::2], answer[1::2], strict=True))
    assert isinstance(answer, bytes)
    lines = (line.partition(b":") for line in answer.splitlines())
    return {name: value for name, _, value in lines}


class SentinelTrio:
    """A master, its replica, and three sentinels that agree by two when the master is gone."""

    def __init__(self, directory: Path, *, down_after_ms: int = 1_000) -> None:
        first = RedisServer(directory / "first")
        second = RedisServer(directory / "second", "--replicaof", "127.0.0.1", str(first.port))
        self.servers = (first, second)
        settings = (
            f"sentinel monitor {SERVICE} 127.0.0.1 {first.port} 2",
            f"sentinel down-after-milliseconds {SERVICE} {down_after_ms}",
            f"sentinel failover-timeout {SERVICE} 5000",
        )
        self.sentinels = tuple(
            SentinelServer(directory / f"sentinel{number}", settings) for number in range(3)
        )

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def start(self) -> None:
        for server in (*self.servers, *self.sentinels):
            server.start()

    def await_agreement(self) -> None:
        """Until a failover is possible: all know each other and a replica that is in step."""
        for sentinel in self.sentinels:
            await_until(partial(_is_agreed, sentinel.port), "the sentinels know each other")
        await_until(lambda: self.is_in_step(self.servers[1]), "the replica is in step")

    def master(self) -> RedisServer:
        """The server that the first sentinel names now."""
        answer = ask(self.sentinels[0].port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        assert isinstance(answer, list)
        return next(server for server in self.servers if server.port == int(answer[1]))

    def is_in_step(self, server: RedisServer) -> bool:
        """A replica that has what its master has."""
        return self._says(self.servers.index(server), b"master_link_status", b"up")

    def _says(self, which: int, name: bytes, value: bytes) -> bool:
        return fields_of(ask(self.servers[which].port, "INFO", "replication")).get(name) == value

    def stop(self) -> None:
        for server in (*self.sentinels, *self.servers):
            server.kill()


def _is_agreed(port: int) -> bool:
    told = fields_of(ask(port, "SENTINEL", "MASTER", SERVICE))
    return (told[b"num-other-sentinels"], told[b"num-slaves"]) == (b"2", b"1")


class ClusterTrio:
    """Three masters that share the slots."""

    def __init__(self, directory: Path, *options: str, announce: Sequence[int] = ()) -> None:
        """`announce`: the ports that clients are told, one a node, where those are others."""
        self.nodes = tuple(
            RedisServer(
                directory / f"node{number}",
                *("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *options),
                *(_announced(announce[number], port) if announce else ()),
                port=port,
            )
            for number, port in enumerate(cluster_ports(3))
        )

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"redis+cluster://{hosts}"

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        share = -(-SLOTS // len(self.nodes))
        for number, node in enumerate(self.nodes):
            mine = range(number * share, min((number + 1) * share, SLOTS))
            ask(node.port, "CLUSTER", "ADDSLOTS", *mine)
            ask(node.port, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            ask(node.port, "CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
        for node in self.nodes:
            await_until(partial(_is_whole, node.port), "the cluster is whole")

    def owner(self, slot: int) -> RedisServer:
        return next(node for node in self.nodes if slot in _slots_of(node.port))

    def move_slot(
        self,
        slot: int,
        source: RedisServer,
        target: RedisServer,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """As `redis-cli --cluster reshard` does: the keys one by one, then the word to all.

        `meanwhile` happens between any two steps.
        """
        names = {node: _id(node.port) for node in (source, target)}
        ask(target.port, "CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        meanwhile()
        ask(source.port, "CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])
        meanwhile()
        while keys := _keys(source.port, slot):
            for key in keys:
                ask(source.port, "MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
                meanwhile()
        for node in (target, source, *self.nodes):
            ask(node.port, "CLUSTER", "SETSLOT", slot, "NODE", names[target])
            meanwhile()

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()


def slot_of(key: str) -> int:
    return key_slot(key.encode())


def cluster_ports(count: int) -> list[int]:
    """Ports that are free a moment ago, and their buses' as well."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
            try:
                for wanted in (port, port + _BUS_OFFSET):
                    probe = held.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            found.append(port)
    return found


def _announced(port: int, own: int) -> tuple[str, ...]:
    return (
        *("--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", str(port)),
        *("--cluster-announce-bus-port", str(own + _BUS_OFFSET)),
    )


def _is_whole(port: int) -> bool:
    told = fields_of(ask(port, "CLUSTER", "INFO"))
    return (told[b"cluster_state"], told[b"cluster_known_nodes"]) == (b"ok", b"3")


def _slots_of(port: int) -> set[int]:
    nodes = ask(port, "CLUSTER", "NODES")
    assert isinstance(nodes, bytes)
    mine = next(line.split() for line in nodes.decode().splitlines() if "myself" in line)
    slots: set[int] = set()
    for part in mine[8:]:
        first, _, last = part.partition("-")
        # [SLOT->-NODE] is one that is on its way.
        if first.isdigit():
            slots |= set(range(int(first), int(last or first) + 1))
    return slots


def _keys(port: int, slot: int) -> list[bytes]:
    answer = ask(port, "CLUSTER", "GETKEYSINSLOT", slot, 10)
    assert isinstance(answer, list)
    return answer


def _id(port: int) -> bytes:
    answer = ask(port, "CLUSTER", "MYID")
    assert isinstance(answer, bytes)
    return answer


Topology = TypeVar("Topology", SentinelTrio, ClusterTrio)


@contextmanager
def started(topology: Topology) -> Iterator[Topology]:
    try:
        topology.start()
        yield topology
    finally:
        topology.stop()
