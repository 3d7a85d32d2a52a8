"""Whether the store does its work, and what the log hears of it."""

import logging

import pytest

from gateway.context import InboundContext
from gateway.engine import ContextClaim, ProxiedRequest, ToolCall
from gateway.engine.store_watch import QUIET_SECONDS, StoreWatch, Unrecorded
from gateway.errors import (
    GatewayError,
    PayloadTooLarge,
    StoreBusy,
    StoreUnavailable,
    UnreadableRecord,
    VersionConflict,
)
from gateway.messages import Request, RequestHead
from gateway.policy import ANONYMOUS
from tests.support.engine import Stage, stage

NAMED = ContextClaim(explicit_id="ocp-00000001")
DOWN = "the context store failed: ConnectionError"
DOWN_LINE = f"{DOWN}; calls go on and are not recorded"


def up_line(missed: int) -> str:
    return f"the context store works again; calls not recorded meanwhile: {missed}"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="gateway.engine")
    return caplog


async def recorded(on: Stage, claim: ContextClaim = NAMED) -> bool:
    call = ToolCall(name="getItem", arguments={"id": "7"}, principal=ANONYMOUS, claim=claim)
    return (await on.gateway.call_tool(call)).recorded


@pytest.mark.parametrize("claim", [NAMED, ContextClaim()], ids=["named", "new"])
async def test_a_store_that_goes_and_comes_back_is_two_lines(
    log: pytest.LogCaptureFixture, claim: ContextClaim
) -> None:
    on = stage()
    assert await recorded(on, claim)
    assert log.messages == []
    on.store.up = False
    for _ in range(3):
        assert not await recorded(on, claim)
        assert not await on.gateway.store_is_up()
    [line] = log.records
    assert line.message == "down; calls go on and are not recorded"
    assert line.levelno == logging.ERROR
    on.store.up = True
    for _ in range(3):
        assert await recorded(on, claim)
        assert await on.gateway.store_is_up()
    assert log.messages[1:] == [up_line(3)]
    assert on.gateway.unrecorded == {"store_down": 3}


async def test_a_store_that_is_down_from_the_start_is_one_line(
    log: pytest.LogCaptureFixture,
) -> None:
    on = stage()
    on.store.up = False
    assert not await on.gateway.store_is_up()
    assert not await recorded(on)
    assert len(log.messages) == 1


async def test_a_store_that_takes_no_entry_is_down_until_it_takes_one(
    log: pytest.LogCaptureFixture,
) -> None:
    on = stage()
    on.store.refusal = StoreUnavailable("the context store failed: disk is full")
    for _ in range(2):
        assert not await recorded(on)
        assert not await on.gateway.store_is_up()
    on.store.refusal = None
    assert not await on.gateway.store_is_up()
    assert await recorded(on)
    assert await on.gateway.store_is_up()
    [down, up] = log.messages
    assert "disk is full" in down
    assert up == up_line(2)
    assert on.gateway.unrecorded == {"store_down": 2}


async def test_an_outage_that_a_look_at_it_has_seen_ends_without_a_call() -> None:
    on = stage()
    on.store.up = False
    assert not await recorded(on, ContextClaim())
    assert not await on.gateway.store_is_up()
    on.store.up = True
    assert await on.gateway.store_is_up()


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (UnreadableRecord("of another version"), "unreadable"),
        (PayloadTooLarge("too large"), "too_large"),
        (VersionConflict("version 2"), "conflict"),
        (StoreBusy("too many writers at once on one context"), "conflict"),
    ],
    ids=["unreadable", "too-large", "conflict", "busy"],
)
async def test_a_context_s_own_trouble_is_not_the_store_s(
    log: pytest.LogCaptureFixture, refusal: GatewayError, reason: str
) -> None:
    on = stage()
    on.store.refusal = refusal
    assert not await recorded(on)
    assert await on.gateway.store_is_up()
    assert on.gateway.unrecorded == {reason: 1}
    [line] = log.records
    assert line.levelno == logging.WARNING
    assert line.message.startswith("a call was not recorded: ")
    assert line.message.endswith("(1 so far)")


async def test_a_store_that_is_too_busy_to_be_read_is_not_down(
    log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise StoreBusy("too many calls wait for the context store")

    on = stage()
    with monkeypatch.context() as patch:
        patch.setattr(on.store.inner, "get", busy)
        assert not await recorded(on)
        assert on.gateway.unrecorded == {"conflict": 1}
    assert await on.gateway.store_is_up()
    assert len(log.messages) == 1


def test_what_goes_on_does_not_fill_the_log(log: pytest.LogCaptureFixture) -> None:
    watch = StoreWatch(Clock())
    for _ in range(100):
        watch.missed(Unrecorded.CONFLICT)
    assert len(log.messages) == 7
    assert watch.unrecorded == {"conflict": 100}


async def test_what_is_not_to_be_recorded_is_not_counted() -> None:
    on = stage()
    on.store.up = False
    call = ToolCall(name="getItem", arguments={"id": "7"}, principal=ANONYMOUS, claim=NAMED)
    await on.gateway.preview_tool(call)
    plain = ProxiedRequest(
        api="shop",
        request=Request(head=RequestHead(method="GET", target="/items", headers=())),
        principal=ANONYMOUS,
        inbound=InboundContext(),
    )
    async with on.gateway.forward(plain):
        pass
    assert on.gateway.unrecorded == {}
    assert not await recorded(on)
    assert on.gateway.unrecorded == {"store_down": 1}


def test_each_reason_of_an_outage_is_told_once_and_not_too_many(
    log: pytest.LogCaptureFixture,
) -> None:
    watch = StoreWatch(Clock())
    for _ in range(2):
        for number in range(10):
            watch.cannot_write(StoreUnavailable(f"reason {number}"))
    assert [line.split(";")[0] for line in log.messages] == ["reason 0", "reason 1", "reason 2"]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_store_that_comes_and_goes_does_not_fill_the_log(log: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    watch = StoreWatch(clock)
    for _ in range(50):
        watch.cannot_write(StoreUnavailable(DOWN))
        watch.has_written()
    assert log.messages == [DOWN_LINE, up_line(0)]
    watch.cannot_write(StoreUnavailable(DOWN))
    assert not watch.up
    clock.now += QUIET_SECONDS
    watch.cannot_write(StoreUnavailable(DOWN))
    watch.has_written()
    assert log.messages == [DOWN_LINE, up_line(0)] * 2


def test_reading_proves_nothing_about_writing() -> None:
    watch = StoreWatch(Clock())
    watch.cannot_write(StoreUnavailable(DOWN))
    watch.has_read()
    assert not watch.up
    watch.cannot_read(StoreUnavailable(DOWN))
    watch.cannot_write(StoreUnavailable(DOWN))
    watch.has_read()
    assert watch.up
