"""What is done about an API that is slow, full, down or gone, whatever talks HTTP to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from gateway.client import Resilience
from gateway.errors import (
    CircuitOpen,
    GatewayError,
    PayloadTooLarge,
    UpstreamBusy,
    UpstreamError,
    UpstreamLost,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
    UpstreamUntried,
)
from gateway.messages import Request, RequestHead, Response, ResponseHead
from gateway.policy import budget, circuit
from gateway.policy.circuit import FAILURES, CircuitState
from gateway.upstreams import Upstream

SHOP = Upstream(name="shop", origin="http://shop.test", retries=0)
Act = Callable[[Request], Awaitable[int]]


@dataclass(slots=True)
class FakeTransport:
    """Does `act` for each attempt: it returns a status, raises, or waits. Keeps what came."""

    act: Act
    asked: list[Request] = field(default_factory=list)
    open: int = 0
    chunks: tuple[bytes, ...] = (b"body",)

    @asynccontextmanager
    async def exchange(self, request: Request, upstream: Upstream) -> AsyncIterator[Response]:
        self.asked.append(request)
        self.open += 1
        try:
            status = await self.act(request)
            yield Response(head=ResponseHead(status=status), body=self._body())
        finally:
            self.open -= 1

    async def _body(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk

    async def aclose(self) -> None:
        pass


def always(outcome: int | GatewayError) -> Act:
    async def act(_: Request) -> int:
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome

    return act


def in_turn(*outcomes: int | GatewayError) -> Act:
    left = list(outcomes)

    async def act(request: Request) -> int:
        return await always(left.pop(0))(request)

    return act


async def for_ever(_: Request) -> int:
    await asyncio.Event().wait()
    raise AssertionError


def client_of(transport: FakeTransport) -> Resilience:
    return Resilience(transport, fraction=lambda: 0.5)


def asking(method: str = "GET", body: bytes | AsyncIterator[bytes] | None = None) -> Request:
    return Request(head=RequestHead(method=method, target="/"), body=body)


async def ask(
    client: Resilience, upstream: Upstream = SHOP, request: Request | None = None
) -> int | type[GatewayError]:
    """The status, or what was raised."""
    try:
        async with client.send(request or asking(), upstream, deadline=None) as response:
            assert [chunk async for chunk in response.body] == [b"body"]
            return response.head.status
    except GatewayError as error:
        return type(error)


async def pieces() -> AsyncIterator[bytes]:
    yield b"x"


async def read_all(request: Request) -> int:
    if isinstance(request.body, AsyncIterator):
        async for _ in request.body:
            pass
    return 200


class Uploading:
    """A request whose body ends when it may `go_on`."""

    task: asyncio.Task[int | type[GatewayError]]

    def __init__(self, client: Resilience) -> None:
        self.client = client
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def body(self) -> AsyncIterator[bytes]:
        self.begun.set()
        yield b"x"
        await self.go_on.wait()


class Running:
    """Requests that hold their places, each in a task of its own, until `finish`."""

    def __init__(
        self, client: Resilience, group: asyncio.TaskGroup, request: Request | None = None
    ) -> None:
        self._client = client
        self._group = group
        self._request = request or asking()
        self._go_on = asyncio.Event()
        self.outcomes: list[str] = []

    async def start(self, count: int, upstream: Upstream) -> list[asyncio.Task[None]]:
        tasks = [self._group.create_task(self._run(upstream)) for _ in range(count)]
        await asyncio.sleep(0)  # each has come as far as it gets by itself
        await asyncio.sleep(0)
        return tasks

    def finish(self) -> None:
        self._go_on.set()

    async def _run(self, upstream: Upstream) -> None:
        try:
            async with self._client.send(self._request, upstream, deadline=None):
                await self._go_on.wait()
            self.outcomes.append("answered")
        except GatewayError as error:
            self.outcomes.append(error.code)


class TestPlaces:
    """R-11: what is held up at one API is not held up at another."""

    NARROW = replace(SHOP, max_concurrency=2)

    async def test_r11_as_many_as_may_run_as_many_wait_and_the_rest_is_told_at_once(self) -> None:
        client = client_of(FakeTransport(always(200)))
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            await running.start(6, self.NARROW)
            assert running.outcomes == ["upstream_busy"] * 2
            (condition,) = client.conditions
            assert (condition.running, condition.waiting, condition.refused) == (2, 2, 2)
            running.finish()
        assert running.outcomes[2:] == ["answered"] * 4
        assert client.conditions[0].running == 0

    async def test_r11_another_api_has_places_of_its_own(self) -> None:
        client = client_of(FakeTransport(always(200)))
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            await running.start(6, self.NARROW)
            assert await ask(client, replace(self.NARROW, name="other")) == 200
            running.finish()

    async def test_r11_websockets_have_places_of_their_own(self) -> None:
        client = client_of(FakeTransport(always(101)))
        socket = replace(asking(), websocket=True)
        one = replace(SHOP, max_concurrency=1)
        async with client.send(socket, one, deadline=None):
            assert await ask(client, one) == 101
            async with client.send(asking(), one, deadline=None):
                (condition,) = client.conditions
                assert (condition.running, condition.websockets) == (1, 1)
        async with asyncio.TaskGroup() as group:
            running = Running(client, group, socket)
            await running.start(3, one)
            assert running.outcomes == ["upstream_busy"]
            assert client.conditions[0].waiting == 1
            assert await ask(client, one) == 101
            running.finish()
        assert client.conditions[0].websockets == 0

    async def test_r11_nobody_waits_longer_than_a_moment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.client.way.WAITING_SECONDS", 0.02)
        client = client_of(FakeTransport(always(200)))
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            await running.start(2, self.NARROW)
            assert await ask(client, self.NARROW) is UpstreamBusy
            assert client.conditions[0].waiting == 0
            running.finish()

    async def test_r11_a_deadline_ends_the_wait_for_a_place(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gateway.client.way.WAITING_SECONDS", 1_000.0)
        client = client_of(FakeTransport(always(200)))
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            await running.start(2, self.NARROW)
            with pytest.raises(UpstreamBusy):
                async with client.send(
                    asking(), self.NARROW, deadline=asyncio.get_running_loop().time()
                ):
                    pass
            running.finish()

    async def test_r11_who_leaves_while_waiting_takes_no_place(self) -> None:
        client = client_of(FakeTransport(always(200)))
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            tasks = await running.start(4, self.NARROW)
            tasks[2].cancel()
            await asyncio.sleep(0)
            running.finish()
        assert running.outcomes == ["answered"] * 3
        assert client.conditions[0].running == 0

    async def test_who_leaves_in_the_moment_before_passes_it_on(self) -> None:
        client = client_of(FakeTransport(always(200)))
        one = replace(SHOP, max_concurrency=1)
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            async with AsyncExitStack() as first:
                await first.enter_async_context(client.send(asking(), one, deadline=None))
                (waiting,) = await running.start(1, one)
                waiting.cancel()
                await first.aclose()
            running.finish()
        assert client.conditions[0].running == 0

    async def test_who_leaves_in_the_very_moment_of_getting_a_place_hands_it_on(self) -> None:
        client = client_of(FakeTransport(always(200)))
        one = replace(SHOP, max_concurrency=1)
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            async with AsyncExitStack() as first:
                await first.enter_async_context(client.send(asking(), one, deadline=None))
                (waiting,) = await running.start(1, one)
                await first.aclose()
                waiting.cancel()
            running.finish()
        assert client.conditions[0].running == 0
        assert await ask(client, one) == 200

    @pytest.mark.parametrize(
        "act", [always(UpstreamError("broken")), always(PayloadTooLarge("large"))]
    )
    async def test_a_failure_gives_its_place_back(self, act: Act) -> None:
        client = client_of(FakeTransport(act))
        await ask(client)
        assert client.conditions[0].running == 0

    async def test_r07_a_timeout_gives_its_place_back_and_drops_the_connection(self) -> None:
        transport = FakeTransport(for_ever)
        client = client_of(transport)
        assert await ask(client, replace(SHOP, timeout_seconds=0.01)) is UpstreamTimeout
        assert (client.conditions[0].running, transport.open) == (0, 0)

    async def test_the_place_is_held_until_the_body_has_ended(self) -> None:
        client = client_of(FakeTransport(always(200)))
        async with client.send(asking(), SHOP, deadline=None) as response:
            async for _ in response.body:
                assert client.conditions[0].running == 1
        assert client.conditions[0].running == 0


class TestRetries:
    TWICE = replace(SHOP, retries=2)

    @pytest.mark.parametrize(
        ("method", "failure", "attempts"),
        [
            ("GET", UpstreamLost("lost"), 3),
            ("PUT", UpstreamLost("lost"), 3),
            ("DELETE", UpstreamLost("lost"), 3),
            ("POST", UpstreamLost("lost"), 1),
            ("PATCH", UpstreamLost("lost"), 1),
            ("POST", UpstreamRefused("refused"), 3),
            ("GET", UpstreamUnreachable("no TLS"), 1),
            ("GET", UpstreamUntried("no name"), 1),
            ("GET", UpstreamBusy("no socket"), 1),
            ("GET", UpstreamError("no HTTP"), 1),
        ],
        ids=lambda value: value if isinstance(value, str) else getattr(value, "args", [value])[0],
    )
    async def test_r05_who_is_asked_again(
        self, method: str, failure: GatewayError, attempts: int
    ) -> None:
        transport = FakeTransport(always(failure))
        outcome = await ask(client_of(transport), self.TWICE, asking(method, b"x"))
        assert outcome is type(failure)
        assert len(transport.asked) == attempts

    async def test_r05_an_attempt_that_succeeds_is_the_answer(self) -> None:
        transport = FakeTransport(in_turn(UpstreamLost("lost"), UpstreamRefused("refused"), 200))
        client = client_of(transport)
        assert await ask(client, self.TWICE) == 200
        assert client.conditions[0].retries == 2

    @pytest.mark.parametrize(
        ("failure", "attempts"), [(UpstreamLost("lost"), 1), (UpstreamRefused("refused"), 3)]
    )
    async def test_r05_a_streamed_body_is_sent_once(
        self, failure: GatewayError, attempts: int
    ) -> None:
        transport = FakeTransport(always(failure))
        await ask(client_of(transport), self.TWICE, asking("PUT", pieces()))
        assert len(transport.asked) == attempts

    async def test_r05_a_websocket_is_asked_for_once(self) -> None:
        transport = FakeTransport(always(UpstreamRefused("refused")))
        await ask(client_of(transport), self.TWICE, replace(asking(), websocket=True))
        assert len(transport.asked) == 1

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    async def test_a_status_is_never_a_reason(self, status: int) -> None:
        transport = FakeTransport(always(status))
        assert await ask(client_of(transport), self.TWICE) == status
        assert len(transport.asked) == 1

    async def test_a_timeout_is_never_a_reason(self) -> None:
        transport = FakeTransport(for_ever)
        assert await ask(client_of(transport), replace(self.TWICE, timeout_seconds=0.01)) is (
            UpstreamTimeout
        )
        assert len(transport.asked) == 1

    async def test_r12_retries_end_when_the_budget_does(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(circuit, "FAILURES", 10_000)
        transport = FakeTransport(always(UpstreamLost("lost")))
        client = client_of(transport)
        for _ in range(200):
            await ask(client, replace(SHOP, retries=1))
        most = 200 * budget.SHARE + budget.FLOOR
        assert 0 < len(transport.asked) - 200 <= most

    async def test_nothing_is_repeated_at_the_end(self) -> None:
        transport = FakeTransport(always(UpstreamLost("lost")))
        client = client_of(transport)

        async def end(_: Request) -> int:
            await client.aclose()
            raise UpstreamLost("lost")

        transport.act = end
        assert await ask(client, self.TWICE) is UpstreamLost
        assert len(transport.asked) == 1


class TestTheCircuit:
    """R-10: failures in a row, and the API is left alone."""

    @pytest.mark.parametrize(
        "act",
        [
            always(UpstreamRefused("refused")),
            always(UpstreamLost("lost")),
            always(UpstreamError("no HTTP")),
            always(UpstreamTimeout("late")),
            always(UpstreamUntried("no name")),
            always(502),
            always(503),
            always(504),
        ],
        ids=["refused", "lost", "no HTTP", "timeout", "no name", "502", "503", "504"],
    )
    async def test_r10_what_opens_it(self, act: Act) -> None:
        transport = FakeTransport(act)
        client = client_of(transport)
        outcomes = [await ask(client) for _ in range(FAILURES + 2)]
        assert outcomes[-2:] == [CircuitOpen, CircuitOpen]
        assert len(transport.asked) == FAILURES
        (condition,) = client.conditions
        assert (condition.circuit, condition.rejected) == (CircuitState.OPEN, 2)

    @pytest.mark.parametrize(
        "act",
        [
            always(500),
            always(429),
            always(404),
            always(UpstreamBusy("no socket")),
            always(PayloadTooLarge("the caller's fault")),
        ],
        ids=["500", "429", "404", "no socket", "caller"],
    )
    async def test_r10_what_says_nothing_against_it(self, act: Act) -> None:
        transport = FakeTransport(act)
        client = client_of(transport)
        for _ in range(3 * FAILURES):
            await ask(client)
        assert len(transport.asked) == 3 * FAILURES

    async def test_r10_it_says_when_to_come_back(self) -> None:
        client = client_of(FakeTransport(always(503)))
        for _ in range(FAILURES):
            await ask(client)
        with pytest.raises(CircuitOpen) as caught:
            async with client.send(asking(), SHOP, deadline=None):
                pass
        assert caught.value.retry_after == 1

    async def test_r10_one_trial_closes_it_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(circuit, "PAUSE_SECONDS", (1e-9, 1e-9))
        transport = FakeTransport(always(UpstreamLost("lost")))
        client = client_of(transport)
        for _ in range(FAILURES):
            await ask(client)
        transport.act = always(200)
        assert [await ask(client) for _ in range(3)] == [200, 200, 200]
        assert client.conditions[0].circuit is CircuitState.CLOSED

    async def test_r10_a_trial_is_one_attempt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(circuit, "PAUSE_SECONDS", (1e-9, 1e-9))
        transport = FakeTransport(always(UpstreamRefused("refused")))
        client = client_of(transport)
        for _ in range(FAILURES):
            await ask(client)
        await ask(client, replace(SHOP, retries=5))
        assert len(transport.asked) == FAILURES + 1

    async def test_r10_a_trial_whose_caller_leaves_is_followed_by_another(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(circuit, "PAUSE_SECONDS", (1e-9, 1e-9))
        transport = FakeTransport(always(UpstreamLost("lost")))
        client = client_of(transport)
        for _ in range(FAILURES):
            await ask(client)
        transport.act = for_ever
        async with asyncio.TaskGroup() as group:
            trial = group.create_task(ask(client))
            await asyncio.sleep(0)
            trial.cancel()
        transport.act = always(200)
        assert await ask(client) == 200

    @pytest.fixture
    async def hourly(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Uploading]:
        """A client whose circuit has opened and whose trial is an upload that does not end."""
        monkeypatch.setattr(circuit, "PAUSE_SECONDS", (1e-9, 1e-9))
        monkeypatch.setattr("gateway.client.way.SENDING_SECONDS", 0.0)
        transport = FakeTransport(always(503))
        client = client_of(transport)
        for _ in range(FAILURES):
            await ask(client)
        transport.act = read_all
        uploading = Uploading(client)
        async with asyncio.TaskGroup() as group:
            uploading.task = group.create_task(
                ask(client, request=asking("POST", uploading.body()))
            )
            await uploading.begun.wait()
            yield uploading
            uploading.go_on.set()

    async def test_r10_a_trial_that_is_still_being_uploaded_keeps_nobody_out(
        self, hourly: Uploading
    ) -> None:
        assert [await ask(hourly.client) for _ in range(3)] == [200, 200, 200]
        assert hourly.client.conditions[0].circuit is CircuitState.CLOSED
        assert not hourly.task.done()

    async def test_r10_an_upload_that_is_answered_closes_it_however_late(
        self, hourly: Uploading
    ) -> None:
        hourly.go_on.set()
        assert await hourly.task == 200
        assert hourly.client.conditions[0].circuit is CircuitState.CLOSED

    async def test_r10_an_upload_that_is_through_decides_as_any_other_trial(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(circuit, "PAUSE_SECONDS", (1e-9, 1e-9))
        transport = FakeTransport(always(503))
        client = client_of(transport)
        for _ in range(FAILURES):
            await ask(client)
        monkeypatch.setattr("gateway.client.way.SENDING_SECONDS", 0.0)
        through = asyncio.Event()

        async def hang(request: Request) -> int:
            await read_all(request)
            through.set()
            return await for_ever(request)

        transport.act = hang
        async with asyncio.TaskGroup() as group:
            trial = group.create_task(ask(client, request=asking("POST", pieces())))
            await through.wait()
            assert await ask(client) is CircuitOpen
            trial.cancel()

    async def test_r10_another_api_and_another_origin_have_their_own(self) -> None:
        transport = FakeTransport(always(503))
        client = client_of(transport)
        for _ in range(FAILURES):
            await ask(client)
        transport.act = always(200)
        assert await ask(client, replace(SHOP, name="other")) == 200
        assert await ask(client, replace(SHOP, origin="http://elsewhere.test")) == 200
        assert await ask(client) is CircuitOpen

    async def test_r10_who_waits_for_a_place_is_told_when_it_has_opened(self) -> None:
        transport = FakeTransport(always(503))
        client = client_of(transport)
        one = replace(SHOP, max_concurrency=1)
        async with asyncio.TaskGroup() as group:
            running = Running(client, group)
            async with client.send(asking(), one, deadline=None):
                waiting = [group.create_task(ask(client, one))]
                await asyncio.sleep(0)
                way = client._ways["shop", SHOP.origin]
                for _ in range(FAILURES - 1):
                    way.failed(way.ask(SHOP, streamed=False), UpstreamLost("lost"))
            running.finish()
        assert await waiting[0] is CircuitOpen

    async def test_r10_nobody_queues_for_what_would_be_refused(self) -> None:
        transport = FakeTransport(always(200))
        client = client_of(transport)
        one = replace(SHOP, max_concurrency=1)
        async with client.send(asking(), one, deadline=None):
            way = client._ways["shop", SHOP.origin]
            for _ in range(FAILURES):
                way.failed(way.ask(SHOP, streamed=False), UpstreamLost("lost"))
            assert await ask(client, one) is CircuitOpen
            assert client.conditions[0].refused == 0

    async def test_it_is_said_in_the_log_once(self, caplog: pytest.LogCaptureFixture) -> None:
        client = client_of(FakeTransport(always(UpstreamLost("shop closed the connection"))))
        for _ in range(3 * FAILURES):
            await ask(client)
        assert caplog.messages == ["shop is left alone for a moment: shop closed the connection"]


async def test_an_api_that_a_reload_took_away_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = client_of(FakeTransport(always(200)))
    async with client.send(asking(), replace(SHOP, name="busy"), deadline=None):
        await ask(client)
        monkeypatch.setattr("gateway.client.way.FORGOTTEN_SECONDS", -1.0)
        await ask(client, replace(SHOP, name="other"))
        assert {condition.api for condition in client.conditions} == {"busy", "other"}


async def test_a_websocket_may_be_silent_and_a_body_may_not() -> None:
    class Silent(FakeTransport):
        socket = False

        @asynccontextmanager
        async def exchange(self, request: Request, upstream: Upstream) -> AsyncIterator[Response]:
            send = self._send if self.socket else None
            yield Response(head=ResponseHead(status=101), body=self._later(), send=send)

        async def _send(self, _: bytes) -> None: ...

        async def _later(self) -> AsyncIterator[bytes]:
            await asyncio.sleep(0.1)  # the subject: longer than a body may take
            yield b"hello"

    transport = Silent(always(101))
    client = client_of(transport)
    hasty = replace(SHOP, timeout_seconds=0.02)
    async with client.send(asking(), hasty, deadline=None) as response:
        with pytest.raises(UpstreamTimeout):
            await anext(response.body)
    transport.socket = True
    async with client.send(asking(), hasty, deadline=None) as response:
        assert await anext(response.body) == b"hello"
