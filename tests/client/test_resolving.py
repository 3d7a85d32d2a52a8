"""Names of upstreams: one lookup for all, and none that holds up another's (R-13)."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from gateway.client import Resilience
from gateway.client.resolving import FAILED_SECONDS, FRESH_SECONDS, STALE_SECONDS, Resolver
from gateway.errors import UpstreamUnreachable, UpstreamUntried
from gateway.messages import Request, RequestHead
from gateway.policy import circuit
from gateway.upstreams import Upstream
from tests.support.clients import make_client
from tests.support.echo_upstream import EchoUpstream

PATIENCE = 10
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "unknown")
NOT_NOW = socket.gaierror(socket.EAI_AGAIN, "not now")
Found = tuple[tuple[int, str], ...]


def at(*addresses: str) -> Found:
    return tuple((socket.AF_INET, address) for address in addresses)


@dataclass(slots=True)
class Names:
    """A lookup that says what the test says, and can be held up by name."""

    said: dict[str, Found | OSError] = field(default_factory=dict)
    held: dict[str, threading.Event] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def look_up(self, host: str) -> Found:
        self.asked.append(host)
        if host in self.held:
            self.held[host].wait(PATIENCE)
        said = self.said[host]
        if isinstance(said, OSError):
            raise said
        return said


@pytest.fixture
def names() -> Iterator[Names]:
    made = Names()
    yield made
    for hold in made.held.values():
        hold.set()


Clock = Callable[[float], None]


@pytest.fixture
async def pass_by(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Lets seconds pass for the loop's clock."""
    loop = asyncio.get_running_loop()
    real, added = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + added[0])

    def move(seconds: float) -> None:
        added[0] += seconds

    return move


async def resolved(resolver: Resolver, host: str) -> set[str]:
    async with asyncio.timeout(PATIENCE):
        return {found["host"] for found in await resolver.resolve(host, 80, socket.AF_UNSPEC)}


async def test_r13_an_answer_is_used_for_a_while(names: Names, pass_by: Clock) -> None:
    names.said["shop"] = at("10.0.0.1")
    resolver = Resolver(names.look_up)
    for _ in range(3):
        assert await resolved(resolver, "shop") == {"10.0.0.1"}
    assert names.asked == ["shop"]
    names.said["shop"] = at("10.0.0.2")
    pass_by(FRESH_SECONDS)
    assert await resolved(resolver, "shop") == {"10.0.0.2"}


async def test_r13_all_who_ask_wait_for_one_lookup(names: Names) -> None:
    names.said["shop"] = at("10.0.0.1")
    names.held["shop"] = threading.Event()
    resolver = Resolver(names.look_up)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(resolved(resolver, "shop")) for _ in range(20)]
        await asyncio.sleep(0)
        asking[0].cancel()
        names.held["shop"].set()
    assert {frozenset(task.result()) for task in asking[1:]} == {frozenset({"10.0.0.1"})}
    assert names.asked == ["shop"]


async def test_r13_slow_names_hold_up_no_other(names: Names) -> None:
    slow = [f"slow-{number}" for number in range(64)]
    names.held |= {host: threading.Event() for host in slow}
    names.said |= {host: at("10.0.0.1") for host in slow} | {"shop": at("10.0.0.2")}
    resolver = Resolver(names.look_up)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(resolved(resolver, host)) for host in slow]
        await asyncio.sleep(0)
        assert await resolved(resolver, "shop") == {"10.0.0.2"}
        assert not any(task.done() for task in waiting)
        for hold in names.held.values():
            hold.set()


@pytest.mark.parametrize("error", [UNKNOWN, NOT_NOW], ids=["unknown", "not now"])
async def test_r13_a_failure_is_remembered_for_a_moment(
    names: Names, pass_by: Clock, error: OSError
) -> None:
    names.said["shop"] = error
    resolver = Resolver(names.look_up)
    for _ in range(5):
        with pytest.raises(socket.gaierror):
            await resolved(resolver, "shop")
    assert names.asked == ["shop"]
    names.said["shop"] = at("10.0.0.1")
    pass_by(FAILED_SECONDS)
    assert await resolved(resolver, "shop") == {"10.0.0.1"}


async def test_r13_an_old_answer_is_better_than_none(names: Names, pass_by: Clock) -> None:
    names.said["shop"] = at("10.0.0.1")
    resolver = Resolver(names.look_up)
    await resolved(resolver, "shop")
    names.said["shop"] = NOT_NOW
    pass_by(FRESH_SECONDS)
    assert await resolved(resolver, "shop") == {"10.0.0.1"}
    pass_by(STALE_SECONDS)
    with pytest.raises(socket.gaierror):
        await resolved(resolver, "shop")


async def test_r13_and_better_than_waiting(
    names: Names, pass_by: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.client.resolving.PATIENCE_SECONDS", 0.01)
    names.said["shop"] = at("10.0.0.1")
    resolver = Resolver(names.look_up)
    await resolved(resolver, "shop")
    pass_by(FRESH_SECONDS)
    names.held["shop"] = threading.Event()
    assert await resolved(resolver, "shop") == {"10.0.0.1"}


async def test_a_name_that_is_gone_is_gone(names: Names, pass_by: Clock) -> None:
    names.said["shop"] = at("10.0.0.1")
    resolver = Resolver(names.look_up)
    await resolved(resolver, "shop")
    names.said["shop"] = UNKNOWN
    pass_by(FRESH_SECONDS)
    with pytest.raises(socket.gaierror):
        await resolved(resolver, "shop")


async def test_connections_begin_at_each_address_in_turn(names: Names) -> None:
    names.said["shop"] = at("10.0.0.1", "10.0.0.2", "10.0.0.3")
    resolver = Resolver(names.look_up)
    first = [(await resolver.resolve("shop", 80))[0]["host"] for _ in range(6)]
    assert sorted(first[:3]) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert first[:3] == first[3:]


async def test_a_name_that_cannot_be_one_is_unknown() -> None:
    with pytest.raises(socket.gaierror):
        await resolved(Resolver(), "x" * 70 + ".test")


async def test_no_more_threads_is_no_answer(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(OSError, match="no thread"):
        await resolved(Resolver(names.look_up), "shop")


async def test_nobody_waits_for_a_closed_resolver(names: Names) -> None:
    names.said["shop"] = at("10.0.0.1")
    names.held["shop"] = threading.Event()
    resolver = Resolver(names.look_up)
    asking = asyncio.ensure_future(resolved(resolver, "shop"))
    await asyncio.sleep(0)
    await resolver.close()
    with pytest.raises(OSError, match="no answer"):
        await asking


async def outcome(client: Resilience, origin: str) -> int | type[Exception]:
    upstream = Upstream(name="shop", origin=origin, retries=1)
    request = Request(head=RequestHead(method="GET", target="/"))
    try:
        async with client.send(request, upstream, deadline=None) as response:
            return response.head.status
    except UpstreamUnreachable as error:
        return type(error)


@pytest.mark.parametrize(
    ("error", "raised"), [(UNKNOWN, UpstreamUnreachable), (NOT_NOW, UpstreamUntried)]
)
async def test_r13_what_the_caller_is_told(
    names: Names, error: OSError, raised: type[UpstreamUnreachable]
) -> None:
    names.said["shop.test"] = error
    client = make_client(Resolver(names.look_up))
    assert await outcome(client, "http://shop.test") is raised
    await client.aclose()


async def test_r13_a_name_that_hangs_is_given_up_and_works_again_when_it_does(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.client.aiohttp_client.CONNECT_SECONDS", 0.05)
    monkeypatch.setattr(circuit, "PAUSE_SECONDS", (0.0, 0.0))
    names.said["shop.test"] = at("127.0.0.1")
    names.held["shop.test"] = threading.Event()
    client = make_client(Resolver(names.look_up))
    with EchoUpstream() as echo:
        origin = f"http://shop.test:{echo.port}"
        for _ in range(circuit.FAILURES):
            assert await outcome(client, origin) is UpstreamUnreachable
        assert names.asked == ["shop.test"], "one thread, however many have waited for it"
        names.held["shop.test"].set()
        async with asyncio.timeout(PATIENCE):
            while await outcome(client, origin) != 200:
                pass
    await client.aclose()
