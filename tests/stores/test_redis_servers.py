"""Commands to Redis in every shape: what is answered, what is lost, what is sent again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from gateway.stores.redis_connections import RedisServers
from gateway.stores.redis_servers import connect
from tests.support.certificates import make_certificates
from tests.support.faulty_redis import (
    CLOSE,
    HANG_UP_WITHIN,
    SILENCE,
    FaultyRedis,
    Words,
    faulty_redis,
    scripted_redis,
)
from tests.support.redis_server import RedisServer, free_port, start_redis
from tests.support.tls_front import tls_front


@pytest.fixture
async def faulty(redis_server: RedisServer) -> AsyncIterator[FaultyRedis]:
    async with faulty_redis(redis_server.port) as faults:
        yield faults


@pytest.fixture
async def servers(faulty: FaultyRedis) -> AsyncIterator[RedisServers]:
    opened = connect(f"redis://127.0.0.1:{faulty.port}")
    yield opened
    await opened.aclose()


async def test_answers_come_in_order_and_a_refusal_is_one(servers: RedisServers) -> None:
    echoes = [("ECHO", str(number)) for number in range(100)]
    answers = await servers.run([*echoes[:50], ("NO", "SUCH"), *echoes[50:]])
    refusal = answers.pop(50)
    assert isinstance(refusal, ResponseError)
    assert answers == [str(number).encode() for number in range(100)]


async def test_nothing_is_connected_before_the_first_command(faulty: FaultyRedis) -> None:
    opened = connect(f"redis://127.0.0.1:{faulty.port}")
    await opened.aclose()
    assert faulty.connections == 0


async def test_a_connection_is_used_again(servers: RedisServers, faulty: FaultyRedis) -> None:
    for _ in range(10):
        assert await servers.run([("PING",)]) == [b"PONG"]
    assert faulty.connections == 1


async def test_what_was_answered_before_a_connection_ended_counts() -> None:
    def answer(words: Words) -> bytes:
        return b"+OK\r\n" if words == [b"FIRST"] else b"*1\r\n$garbage\r\n"

    async with scripted_redis(answer) as port:
        servers = connect(f"redis://127.0.0.1:{port}")
        first, *rest = await servers.run([("FIRST",), ("SECOND",), ("THIRD",)])
        await servers.aclose()
    assert first == b"OK"
    assert [isinstance(answer, RedisError) for answer in rest] == [True, True]


FAULTS = {
    "close": CLOSE,
    "half_an_answer": HANG_UP_WITHIN,
    "no_redis": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nonsense": b"\x00\xff\r\n",
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "malformed_redirection": b"-MOVED somewhere\r\n",
    "malformed_port": b"-ASK 1 host:port\r\n",
    "too_many_clients": b"-ERR max number of clients reached\r\n",
    "deep": b"*1\r\n" * 10_000,
    "long": b"$99999999999\r\n",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_a_server_says_is_an_answer_or_a_redis_error(
    servers: RedisServers, faulty: FaultyRedis, fault: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis_servers.OPERATION_SECONDS", 0.5)
    impatient = connect(f"redis://127.0.0.1:{faulty.port}")
    faulty.fault = fault
    answers = await impatient.run([("PING",), ("PING",)])
    assert [isinstance(answer, RedisError) for answer in answers] == [True, True]
    faulty.fault = None
    assert await impatient.run([("PING",)]) == [b"PONG"]
    await impatient.aclose()


async def test_idle_connections_that_the_server_has_closed_are_replaced(tmp_path: Path) -> None:
    with start_redis(tmp_path) as server:
        servers = connect(server.url)
        await asyncio.gather(*(servers.run([("PING",)]) for _ in range(5)))
        server.kill()
        await asyncio.to_thread(server.start)
        for _ in range(5):
            assert await servers.run([("PING",)]) == [b"PONG"]
        await servers.aclose()


async def test_a_silent_server_costs_one_connection_its_patience(
    faulty: FaultyRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis_servers.OPERATION_SECONDS", 0.5)
    servers = connect(f"redis://127.0.0.1:{faulty.port}")
    await asyncio.gather(*(servers.run([("PING",)]) for _ in range(5)))
    known, faulty.fault = faulty.connections, SILENCE
    [answer] = await servers.run([("PING",)])
    assert isinstance(answer, RedisError)
    faulty.fault = None
    assert await servers.run([("PING",)]) == [b"PONG"]
    assert faulty.connections == known + 1
    await servers.aclose()


async def test_a_login_that_is_never_answered_ends_in_time(
    faulty: FaultyRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis_servers.OPERATION_SECONDS", 0.05)
    servers = connect(f"redis://:secret@127.0.0.1:{faulty.port}")
    faulty.fault = SILENCE
    async with asyncio.timeout(5):
        [answer] = await servers.run([("PING",)])
    await servers.aclose()
    assert isinstance(answer, RedisError)


async def test_a_cancelled_command_leaves_its_answer_to_nobody(
    servers: RedisServers, faulty: FaultyRedis
) -> None:
    await servers.run([("PING",)])
    for _ in range(20):
        running = asyncio.ensure_future(servers.run([("BLPOP", "no-such-list", 0)]))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await servers.run([("ECHO", "mine")]) == [b"mine"]
    assert faulty.open_connections <= 21


async def test_connections_are_bounded_and_waiting_for_one_too(
    faulty: FaultyRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis_connections.MAX_CONNECTIONS", 3)
    monkeypatch.setattr("gateway.stores.redis_servers.OPERATION_SECONDS", 0.5)
    servers = connect(f"redis://127.0.0.1:{faulty.port}")
    faulty.fault = SILENCE
    answers = await asyncio.gather(*(servers.run([("PING",)]) for _ in range(10)))
    assert all(isinstance(answer, RedisError) for [answer] in answers)
    assert faulty.connections <= 6
    faulty.fault = None
    answers = await asyncio.gather(*(servers.run([("PING",)]) for _ in range(50)))
    assert answers == [[b"PONG"]] * 50
    await servers.aclose()


async def test_closed_servers_say_so(servers: RedisServers) -> None:
    await servers.aclose()
    [answer] = await servers.run([("PING",)])
    assert isinstance(answer, RedisConnectionError)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(("--appendonly", "no"), ["appendonly is off"], id="no_aof"),
        pytest.param(
            ("--maxmemory", "50mb", "--maxmemory-policy", "volatile-lru"),
            ["maxmemory-policy evicts"],
            id="evicting",
        ),
        pytest.param(("--maxmemory", "50mb"), [], id="bounded"),
        pytest.param(("--maxmemory-policy", "allkeys-lru"), [], id="boundless"),
        pytest.param(("--rename-command", "INFO", ""), [], id="not_permitted"),
    ],
)
async def test_settings_that_lose_contexts_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: tuple[str, ...], said: list[str]
) -> None:
    with caplog.at_level(logging.WARNING), start_redis(tmp_path, *options) as server:
        servers = connect(server.url)
        for _ in range(3):
            assert await servers.run([("PING",)]) == [b"PONG"]
        await servers.aclose()
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(said)
    assert all(part in message for part, message in zip(said, messages, strict=True))


async def test_nothing_is_said_of_servers_that_cannot_be_reached(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servers = connect(f"redis://127.0.0.1:{free_port()}")
    await servers.run([("PING",)])
    await servers.aclose()
    assert caplog.records == []


@pytest.mark.parametrize("fault", ["authority", "name"])
async def test_a_certificate_that_does_not_hold_is_refused(
    redis_server: RedisServer, tmp_path: Path, fault: str
) -> None:
    address = "127.0.0.2" if fault == "name" else "127.0.0.1"
    files = make_certificates(tmp_path / "one", address=address)
    other = make_certificates(tmp_path / "other") if fault == "authority" else files
    port = free_port()
    with tls_front(redis_server.port, port, files):
        servers = connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={other.authority}")
        [answer] = await servers.run([("PING",)])
        await servers.aclose()
    assert isinstance(answer, RedisConnectionError)
    assert "certificate" in str(answer).lower()


async def test_a_missing_file_of_an_authority_is_a_lost_command(tmp_path: Path) -> None:
    servers = connect(f"rediss://127.0.0.1:1?ssl_ca_certs={tmp_path}/none.pem")
    [answer] = await servers.run([("PING",)])
    await servers.aclose()
    assert isinstance(answer, RedisConnectionError)


class Node:
    """A cluster node as a script: what it answers to all but CLUSTER SLOTS."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.slots = b"*0\r\n"
        self.heard: list[Words] = []

    def __call__(self, words: Words) -> bytes:
        if words[:2] == [b"CLUSTER", b"SLOTS"]:
            return self.slots
        if words == [b"INFO"]:
            return b"-NOPERM\r\n"
        self.heard.append(words)
        return b"+OK\r\n" if words == [b"ASKING"] else self.answer


def serving(port: int, *, host: bytes = b"127.0.0.1") -> bytes:
    """All slots at one node, as CLUSTER SLOTS says it."""
    node = b"*3\r\n$%d\r\n%b\r\n:%d\r\n$1\r\nx\r\n" % (len(host), host, port)
    return b"*1\r\n*3\r\n:0\r\n:16383\r\n" + node


async def run_cluster(first: Node, second: Node, *, redirection: bytes) -> object:
    """What a GET is answered by two nodes, the first of which redirects to the second."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(scripted_redis(first))
        other = await stack.enter_async_context(scripted_redis(second))
        first.slots = second.slots = serving(one)
        first.answer = b"-" + redirection.replace(b"PORT", str(other).encode()) + b"\r\n"
        servers = connect(f"redis+cluster://127.0.0.1:{one}")
        [answer] = await servers.run([("GET", "key")])
        await servers.aclose()
    return answer


async def test_a_slot_on_its_way_is_asked_for_at_its_new_node() -> None:
    """The new node may have no slot of its own yet, so CLUSTER SLOTS does not name it."""
    first, second = Node(b""), Node(b"+new\r\n")
    assert await run_cluster(first, second, redirection=b"ASK 12539 127.0.0.1:PORT") == b"new"
    assert second.heard == [[b"ASKING"], [b"GET", b"key"]]


@pytest.mark.parametrize("host", [b"127.0.0.1", b""], ids=["named", "same_host"])
async def test_a_moved_slot_is_followed_before_the_map_is_right(host: bytes) -> None:
    first, second = Node(b""), Node(b"+new\r\n")
    redirection = b"MOVED 12539 %b:PORT" % host
    assert await run_cluster(first, second, redirection=redirection) == b"new"
    assert second.heard == [[b"GET", b"key"]]


async def test_after_a_moved_slot_the_map_is_read_again() -> None:
    former, owner = Node(b""), Node(b"+here\r\n")
    async with scripted_redis(former) as one, scripted_redis(owner) as other:
        former.slots, owner.slots = serving(one), serving(other)
        former.answer = b"-MOVED 12539 127.0.0.1:%d\r\n" % other
        servers = connect(f"redis+cluster://127.0.0.1:{one}")
        await servers.run([("GET", "key")])
        former.slots = serving(other)
        for _ in range(3):
            assert await servers.run([("GET", "key")]) == [b"here"]
        await servers.aclose()
    assert former.heard == [[b"GET", b"key"]] * 2


async def test_nodes_that_send_one_round_in_circles_end() -> None:
    first = Node(b"")
    async with scripted_redis(first) as port:
        first.slots = serving(port)
        first.answer = b"-MOVED 12539 127.0.0.1:%d\r\n" % port
        servers = connect(f"redis+cluster://127.0.0.1:{port}")
        [answer] = await servers.run([("GET", "key")])
        await servers.aclose()
    assert isinstance(answer, ResponseError)
    assert 1 < len(first.heard) < 10


@pytest.mark.parametrize("answer", [b"-TRYAGAIN later\r\n", b"-CLUSTERDOWN no\r\n"])
async def test_a_cluster_that_cannot_serve_says_so_in_the_end(answer: bytes) -> None:
    node = Node(answer)
    async with scripted_redis(node) as port:
        node.slots = serving(port)
        servers = connect(f"redis+cluster://127.0.0.1:{port}")
        [refusal] = await servers.run([("GET", "key")])
        await servers.aclose()
    assert isinstance(refusal, ResponseError)


@pytest.mark.parametrize(
    "slots",
    [b"*0\r\n", b"-ERR This instance has cluster support disabled\r\n", b":1\r\n", b"*1\r\n*0\r\n"],
    ids=["none", "no_cluster", "number", "odd"],
)
async def test_a_server_that_knows_no_slots_serves_none(slots: bytes) -> None:
    node = Node(b"+OK\r\n")
    node.slots = slots
    async with scripted_redis(node) as port:
        servers = connect(f"redis+cluster://127.0.0.1:{port}")
        answers = await servers.run([("GET", "key"), ("PING",)])
        await servers.aclose()
    assert all(isinstance(answer, RedisConnectionError) for answer in answers)
    assert node.heard == []


async def test_a_node_whose_host_is_unknown_is_where_it_was_asked() -> None:
    node = Node(b"+here\r\n")
    async with scripted_redis(node) as port:
        node.slots = serving(port, host=b"")
        servers = connect(f"redis+cluster://127.0.0.1:{port}")
        assert await servers.run([("GET", "key")]) == [b"here"]
        await servers.aclose()


async def test_the_next_seed_is_asked_where_one_is_gone() -> None:
    node = Node(b"+here\r\n")
    async with scripted_redis(node) as port:
        node.slots = serving(port)
        servers = connect(f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{port}")
        assert await servers.run([("GET", "key"), ("PING",)]) == [b"here", b"here"]
        await servers.aclose()


class Sentinel:
    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked = 0

    def __call__(self, words: Words) -> bytes:
        assert words == [b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", b"contexts"]
        self.asked += 1
        return self.answer


def named(port: int) -> bytes:
    return b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%d\r\n" % (len(str(port)), port)


async def test_sentinels_are_asked_in_turn_and_their_word_is_kept(
    redis_server: RedisServer,
) -> None:
    lost, knowing = Sentinel(b"*-1\r\n"), Sentinel(named(redis_server.port))
    async with scripted_redis(lost) as one, scripted_redis(knowing) as other:
        hosts = f"127.0.0.1:{free_port()},127.0.0.1:{one},127.0.0.1:{other}"
        servers = connect(f"redis+sentinel://{hosts}/contexts")
        for _ in range(3):
            assert await servers.run([("PING",)]) == [b"PONG"]
        await servers.aclose()
    assert (lost.asked, knowing.asked) == (1, 1)


async def test_a_master_that_became_a_replica_is_left(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    sentinel = Sentinel(b"")

    def demoted(words: Words) -> bytes:
        return b"+OK\r\n" if words == [b"PING"] else b"-READONLY You can't write\r\n"

    async with scripted_redis(sentinel) as port, scripted_redis(demoted) as former:
        sentinel.answer = named(former)
        servers = connect(f"redis+sentinel://127.0.0.1:{port}/contexts")
        [answer] = await servers.run([("SET", "demoted", 1, "PX", 1)])
        assert isinstance(answer, RedisConnectionError)
        sentinel.answer = named(redis_server.port)
        assert await servers.run([("SET", "demoted", 1, "PX", 1)]) == [b"OK"]
        await servers.aclose()
    assert [r.getMessage()[:35] for r in caplog.records] == ["Redis Sentinel names another master"]


async def test_a_replaced_master_is_left_although_it_answers(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis_sentinel.MASTER_SECONDS", 0.0)
    sentinel = Sentinel(b"")

    def cut_off(words: Words) -> bytes:
        return b"+former\r\n"

    async with scripted_redis(sentinel) as port, scripted_redis(cut_off) as former:
        servers = connect(f"redis+sentinel://127.0.0.1:{port}/contexts")
        sentinel.answer = named(former)
        assert await servers.run([("PING",)]) == [b"former"]
        sentinel.answer = named(redis_server.port)
        assert await servers.run([("PING",)]) == [b"PONG"]
        await servers.aclose()


async def test_the_known_master_serves_while_no_sentinel_answers(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stores.redis_sentinel.MASTER_SECONDS", 0.0)
    sentinel = Sentinel(named(redis_server.port))
    async with scripted_redis(sentinel) as port:
        servers = connect(f"redis+sentinel://127.0.0.1:{port}/contexts")
        assert await servers.run([("PING",)]) == [b"PONG"]
        sentinel.answer, sentinel.asked = b"*-1\r\n", 0
        for _ in range(3):
            assert await servers.run([("PING",)]) == [b"PONG"]
        await servers.aclose()
    # Not with every call: a pause follows a failure.
    assert sentinel.asked == 1
