"""The store behind the watch behaves as without it, and its operations are timed."""

import pytest
from prometheus_client import CollectorRegistry

from gateway.context import CallFailure, RecordCall, entry_for_call, new_context
from gateway.errors import StoreUnavailable, VersionConflict
from gateway.policy import ANONYMOUS
from gateway.telemetry.watched_store import StoreFigures, WatchedStore
from tests.support.engine import NOW, StoreWithSwitch
from tests.support.telemetry import Clock, Series, series


@pytest.fixture
def inner() -> StoreWithSwitch:
    return StoreWithSwitch()


@pytest.fixture
def store(inner: StoreWithSwitch, registry: CollectorRegistry, clock: Clock) -> WatchedStore:
    return WatchedStore(inner, StoreFigures(registry, monotonic=clock))


def counts(registry: CollectorRegistry) -> Series:
    return series(registry, "ocp_gateway_store_seconds_count")


def change(operation_id: str = "1") -> RecordCall:
    fresh = new_context("c-1", "agent", NOW)
    entry = entry_for_call(
        now=NOW, outcome=CallFailure.TIMEOUT, milliseconds=1, tool="t", operation=None
    )
    return RecordCall(
        operation_id=operation_id,
        entry=entry,
        fresh=fresh,
        max_history=10,
        read=fresh,
        merged=fresh,
    )


async def test_what_goes_well_is_timed_by_operation(
    store: WatchedStore, registry: CollectorRegistry
) -> None:
    assert await store.get(ANONYMOUS, "c-1") is None
    stored = await store.update(ANONYMOUS, "c-1", change(), expected=0)
    assert stored is not None
    assert await store.get(ANONYMOUS, "c-1", newest=True) == stored
    assert len((await store.list(ANONYMOUS, None, 10)).items) == 1
    await store.ping()
    assert counts(registry) == {
        "operation=get outcome=ok": 2.0,
        "operation=update outcome=ok": 1.0,
        "operation=list outcome=ok": 1.0,
        "operation=ping outcome=ok": 1.0,
    }
    await store.aclose()


async def test_what_fails_is_timed_by_its_code(
    inner: StoreWithSwitch, store: WatchedStore, registry: CollectorRegistry
) -> None:
    with pytest.raises(VersionConflict):
        await store.update(ANONYMOUS, "c-1", change(), expected=7)
    inner.up = False
    with pytest.raises(StoreUnavailable):
        await store.get(ANONYMOUS, "c-1")
    assert counts(registry) == {
        "operation=update outcome=version_conflict": 1.0,
        "operation=get outcome=store_unavailable": 1.0,
    }
