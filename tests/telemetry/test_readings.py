"""Gauges and followed totals say what the gateway says."""

from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Counter

from gateway.engine import Freshness
from gateway.telemetry.lag import TICK_SECONDS, LoopLag
from gateway.telemetry.lanes import LanesReading
from gateway.telemetry.process import ProcessReading
from gateway.telemetry.readings import (
    CatalogReading,
    Number,
    NumbersReading,
    Rising,
    StoreReading,
    Tally,
    TrafficReading,
)
from tests.support.engine import NOW, UPSTREAM, FakeClient, StoreWithSwitch, gateway_with
from tests.support.telemetry import series


def test_a_catalog_is_told_api_by_api(registry: CollectorRegistry) -> None:
    gateway = gateway_with(FakeClient(), StoreWithSwitch(), {"shop": UPSTREAM})
    gateway.missing = frozenset({"late"})
    gateway.freshness = {"shop": Freshness(loaded_at=NOW, fault="line 1: no"), "late": Freshness()}
    CatalogReading(registry, gateway).refresh()
    tools = len(gateway.catalog.apis["shop"].tools)
    assert series(registry, "ocp_gateway_api_up") == {"api=shop": 1.0, "api=late": 0.0}
    assert series(registry, "ocp_gateway_api_tools") == {"api=shop": tools}
    assert series(registry, "ocp_gateway_api_description_fault")["api=shop"] == 1.0
    assert series(registry, "ocp_gateway_api_loaded_timestamp_seconds") == {
        "api=shop": NOW.timestamp()
    }
    digest = gateway.catalog.view("shop").digest
    assert series(registry, "ocp_gateway_api_catalog_digest") == {"api=shop": int(digest[:12], 16)}


def test_an_api_that_is_gone_is_no_number_any_more(registry: CollectorRegistry) -> None:
    gateway = gateway_with(FakeClient(), StoreWithSwitch(), {"shop": UPSTREAM})
    gateway.missing = frozenset({"late"})
    reading = CatalogReading(registry, gateway)
    reading.refresh()
    gateway.missing = frozenset()
    reading.refresh()
    gone = series(registry, "ocp_gateway_api_up")["api=late"]
    assert gone != gone  # noqa: PLR0124 - what is no number equals nothing


def test_traffic_that_was_not_judged_is_counted(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_with(FakeClient(), StoreWithSwitch(), {"shop": UPSTREAM})
    reading = TrafficReading(registry, gateway)
    for total in (0, 2, 5):
        monkeypatch.setattr(gateway._traffic._reports, "skipped", total)
        reading.refresh()
        assert series(registry, "ocp_gateway_unjudged_traffic_total") == {"": total}


async def test_the_store_is_told_as_the_latest_attempts_went(registry: CollectorRegistry) -> None:
    store = StoreWithSwitch()
    gateway = gateway_with(FakeClient(), store, {"shop": UPSTREAM})
    reading = StoreReading(registry, gateway)
    reading.refresh()
    assert series(registry, "ocp_gateway_store_up") == {"": 1.0}
    store.up = False
    await gateway.store_is_up()
    reading.refresh()
    assert series(registry, "ocp_gateway_store_up") == {"": 0.0}


def test_a_followed_total_never_goes_back(registry: CollectorRegistry) -> None:
    rising = Rising(Counter("followed", "x", registry=registry))
    for total in (3, 3, 2, 5):
        rising.follow(total)
    assert series(registry, "followed_total") == {"": 5.0}


def test_numbers_and_tallies_of_others_are_read_anew_each_time(registry: CollectorRegistry) -> None:
    kept = {"n": 1, "bad": 2}
    reading = NumbersReading(
        registry,
        {"things": Number(about="x", read=lambda: kept["n"])},
        {"faults": Tally(about="x", label="code", read=lambda: {"bad": kept["bad"]})},
    )
    reading.refresh()
    kept.update(n=0, bad=6)
    reading.refresh()
    assert series(registry, "ocp_gateway_things") == {"": 0.0}
    assert series(registry, "ocp_gateway_faults_total") == {"code=bad": 6.0}


@dataclass(frozen=True, kw_only=True)
class Way:
    api: str
    origin: str
    circuit: str = "closed"
    running: int = 1
    waiting: int = 2
    websockets: int = 6
    retries: int = 3
    refused: int = 4
    rejected: int = 5


def test_lanes_are_summed_over_the_origins_of_an_api(registry: CollectorRegistry) -> None:
    lanes = (
        Way(api="shop", origin="http://a"),
        Way(api="shop", origin="http://b", circuit="half_open"),
        Way(api="news", origin="http://c"),
    )
    LanesReading(registry, lambda: lanes).refresh()
    names = ("running", "waiting", "websockets", "circuits_open", "retries_total")
    refusals = ("refused_busy_total", "refused_circuit_total")
    told = {
        name: series(registry, f"ocp_gateway_upstream_{name}")["api=shop"]
        for name in (*names, *refusals)
    }
    assert told == {
        "running": 2.0,
        "waiting": 4.0,
        "websockets": 12.0,
        "circuits_open": 1.0,
        "retries_total": 6.0,
        "refused_busy_total": 8.0,
        "refused_circuit_total": 10.0,
    }


def test_the_process_is_told_under_the_usual_names(registry: CollectorRegistry) -> None:
    ProcessReading(registry, started=1_000.0, dropped=lambda: 7).refresh()
    assert series(registry, "process_start_time_seconds") == {"": 1_000.0}
    assert series(registry, "process_cpu_seconds_total")[""] > 0
    assert series(registry, "process_resident_memory_bytes")[""] > 1_000_000
    assert 0 < series(registry, "process_open_fds")[""] < series(registry, "process_max_fds")[""]
    assert series(registry, "ocp_gateway_log_lines_dropped_total") == {"": 7.0}


async def test_r34_lag_is_what_a_blocked_loop_adds(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    lag = LoopLag(registry)
    assert (lag.worst, lag.quantile(0.99)) == (0.0, 0.0)
    times = iter((0.0, TICK_SECONDS, 10.0, 10.0 + TICK_SECONDS + 0.75))
    for _ in range(2):
        await lag.tick(clock=lambda: next(times))
    assert lag.worst == pytest.approx(0.75)
    assert lag.quantile(0.5) == pytest.approx(0.75)
    assert lag.quantile(0.1) == 0.0
    assert series(registry, "ocp_gateway_event_loop_lag_seconds_bucket")["le=1.0"] == 2.0
    assert series(registry, "ocp_gateway_event_loop_lag_seconds_bucket")["le=0.5"] == 1.0
