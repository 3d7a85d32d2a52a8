"""Behind Sentinel and in a Cluster: rights, TLS, a master that is killed, a slot that moves."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from gateway.interfaces import ContextStore
from gateway.policy import ANONYMOUS
from gateway.stores import StoreLimits, open_store, redis_board, redis_records
from gateway.stores.redis_records import keys_of
from gateway.stores.redis_urls import KEY_PREFIX
from tests.support.appending import Appender, count_lost
from tests.support.certificates import Certificates
from tests.support.contexts import a_context_id, append
from tests.support.faulty_redis import Words, scripted_redis
from tests.support.redis_server import free_port
from tests.support.redis_topologies import (
    ClusterTrio,
    SentinelTrio,
    ask,
    await_until,
    slot_of,
    started,
)
from tests.support.tls_front import tls_front

ID = "ocp-00000000"
FAILOVER_SECONDS = 10.0


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[ContextStore]:
    store = open_store(url, StoreLimits())
    try:
        yield store
    finally:
        await store.aclose()


@pytest.fixture
def own_sentinels(tmp_path: Path) -> Iterator[SentinelTrio]:
    with started(SentinelTrio(tmp_path)) as trio:
        yield trio


async def test_writes_go_on_at_the_new_master(own_sentinels: SentinelTrio) -> None:
    await asyncio.to_thread(own_sentinels.await_agreement)
    async with opened(own_sentinels.url) as store, asyncio.TaskGroup() as tasks:
        writer = Appender(store, ID)
        tasks.create_task(writer.run())
        await writer.until(50)
        own_sentinels.master().kill()
        before = tuple(writer.acknowledged)
        async with asyncio.timeout(FAILOVER_SECONDS):
            await writer.until(len(before) + 50)
        writer.stop()
        stored = await writer.stored()
        after = writer.acknowledged[len(before) :]
        assert writer.unanswered
        assert count_lost(after, stored) == 0
        # Replication is asynchronous: the last may be gone, but nothing before them.
        lost = count_lost(before, stored)
        assert [*before[: len(before) - lost], *after] == [
            entry for entry in stored if entry not in writer.unanswered
        ]


async def test_a_slot_moves_under_writes(cluster: ClusterTrio) -> None:
    slot = slot_of(keys_of(KEY_PREFIX, ANONYMOUS).root)
    source = cluster.owner(slot)
    target = next(node for node in cluster.nodes if node is not source)
    async with opened(cluster.url) as store, asyncio.TaskGroup() as tasks:
        writer = Appender(store, a_context_id(7))
        tasks.create_task(writer.run())
        await writer.until(20)

        def meanwhile() -> None:
            """Between any two steps of the move, some writes."""
            seen = writer.attempts
            await_until(lambda: writer.attempts > seen + 1, "the writer goes on")

        for here, there in ((source, target), (target, source)):
            await asyncio.to_thread(cluster.move_slot, slot, here, there, meanwhile)
        await writer.until(len(writer.acknowledged) + 20)
        writer.stop()
        assert count_lost(writer.acknowledged, await writer.stored()) == 0


async def test_a_cluster_over_tls_needs_few_rights(
    tmp_path: Path, certificates: Certificates, least_rights: tuple[str, ...]
) -> None:
    ports = [free_port() for _ in range(3)]
    trio = ClusterTrio(tmp_path, announce=ports)
    with ExitStack() as stack:
        for node, port in zip(trio.nodes, ports, strict=True):
            stack.enter_context(tls_front(node.port, port, certificates))
        stack.enter_context(started(trio))
        rights = ("on", ">secret", *least_rights, "+cluster|slots", "+asking")
        for node in trio.nodes:
            ask(node.port, "ACL", "SETUSER", "gateway", *rights)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        url = f"rediss+cluster://gateway:secret@{hosts}?ssl_ca_certs={certificates.authority}"
        async with opened(url) as store:
            await store.ping()
            for number in range(3):
                context_id = a_context_id(number)
                await store.update(ANONYMOUS, context_id, append(context_id=context_id))
            assert len((await store.list(ANONYMOUS, None, 10)).items) == 3


def test_the_least_rights_are_what_is_sent(least_rights: tuple[str, ...]) -> None:
    scripts = [Path(redis_records.__file__), Path(redis_board.__file__)]
    text = "".join(path.read_text() for path in scripts)
    called = set(re.findall(r"redis\.p?call\('([A-Z]+)'", text))
    sent = {"PING", "GETRANGE", "ZRANGE", "EVAL", "EVALSHA", "HGETALL", "BLPOP"}
    granted = {right[1:].upper() for right in least_rights if right.startswith("+")}
    assert granted == called | sent


async def test_sentinels_may_have_credentials_of_their_own(
    redis_user: str, redis_tls: str, certificates: Certificates
) -> None:
    heard: list[Words] = []
    tls_port = redis_tls.partition("127.0.0.1:")[2].partition("/")[0]

    def sentinel(words: Words) -> bytes:
        heard.append(words)
        if words[0] == b"AUTH":
            return b"+OK\r\n"
        return b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%b\r\n" % (len(tls_port), tls_port.encode())

    login = redis_user.partition("//")[2].partition("@")[0]
    port = free_port()
    async with scripted_redis(sentinel) as plain:
        with tls_front(plain, port, certificates):
            url = (
                f"rediss+sentinel://{login}@127.0.0.1:{port}/contexts?sentinel_password=theirs"
                f"&ssl_ca_certs={certificates.authority}"
            )
            async with opened(url) as store:
                await store.ping()
    assert heard[0] == [b"AUTH", b"theirs"]
    assert len(heard) == 2
