"""What is read from the gateway now and then: its catalog, its store, what it is busy with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway import __version__
from gateway.engine import Freshness, Gateway

_DIGITS = 12
"""Of a digest, as a number: 48 bits, which a float still holds exactly."""
_PREFIX = "ocp_gateway_"
_GONE = float("nan")


class Rising:
    """A counter that follows a total kept elsewhere."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._seen = 0.0

    def follow(self, total: float) -> None:
        if total > self._seen:
            self._counter.inc(total - self._seen)
            self._seen = total


class Rises:
    """The same for a counter with one label."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._rising: dict[str, Rising] = {}

    def follow(self, totals: Mapping[str, int]) -> None:
        for label, total in totals.items():
            rising = self._rising.get(label)
            if rising is None:
                rising = self._rising[label] = Rising(self._counter.labels(label))
            rising.follow(total)


class Reading(Protocol):
    """Brings its metrics up to date."""

    def refresh(self) -> None: ...


class CatalogReading:
    """What is published, and how current it is, API by API."""

    def __init__(self, registry: CollectorRegistry, gateway: Gateway) -> None:
        def gauge(name: str, about: str, merged: str) -> Gauge:
            return Gauge(
                f"ocp_gateway_{name}",
                about,
                ("api",),
                registry=registry,
                multiprocess_mode=merged,  # type: ignore[arg-type]
            )

        self._gateway = gateway
        self._known: frozenset[str] = frozenset()
        self._up = gauge("api_up", "1: the API has a catalog, 0: it answers 503.", "livemin")
        self._tools = gauge("api_tools", "Tools of the API.", "livemax")
        self._problems = gauge("api_problems", "Problems of its description.", "livemax")
        self._fault = gauge(
            "api_description_fault", "1: a newer description cannot be used or had.", "livemax"
        )
        self._loaded = gauge(
            "api_loaded_timestamp_seconds", "Since when its catalog is there.", "livemin"
        )
        self._digest = gauge(
            "api_catalog_digest",
            "The first 48 bits of its catalog's digest: equal catalogs have equal numbers.",
            "livemax",
        )
        self._changes = Rising(
            Counter("ocp_gateway_catalog_changes", "Catalogs put in place.", registry=registry)
        )
        build = Gauge(
            "ocp_gateway_build_info",
            "1, labelled with the version.",
            ("version",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        build.labels(__version__).set(1)

    def refresh(self) -> None:
        gateway = self._gateway
        names = frozenset({*gateway.upstreams, *gateway.missing})
        for name in self._known - names:
            # With several processes a series cannot be taken back; no comparison holds for this.
            for gauge in (self._up, self._tools, self._problems, self._fault, self._digest):
                gauge.labels(name).set(_GONE)
        self._known = names
        for name in names:
            self._read(name)
        self._changes.follow(gateway.changes.number)

    def _read(self, name: str) -> None:
        catalog = self._gateway.catalog.apis.get(name)
        fresh = self._gateway.freshness.get(name, Freshness())
        self._up.labels(name).set(catalog is not None)
        self._fault.labels(name).set(fresh.fault is not None)
        if fresh.loaded_at is not None:
            self._loaded.labels(name).set(fresh.loaded_at.timestamp())
        if catalog is not None:
            self._tools.labels(name).set(len(catalog.tools))
            self._problems.labels(name).set(len(catalog.problems))
            digest = self._gateway.catalog.view(name).digest
            self._digest.labels(name).set(int(digest[:_DIGITS], 16))


class StoreReading:
    """Whether the context store works, and what was not recorded."""

    def __init__(self, registry: CollectorRegistry, gateway: Gateway) -> None:
        self._gateway = gateway
        self._up = Gauge(
            "ocp_gateway_store_up",
            "1: the context store works, as the latest attempts tell.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._unrecorded = Rises(
            Counter(
                "ocp_gateway_unrecorded_calls",
                "Calls that are not in their context's history.",
                ("reason",),
                registry=registry,
            )
        )

    def refresh(self) -> None:
        self._up.set(self._gateway.store_works)
        missed = self._gateway.unrecorded
        self._unrecorded.follow({reason.value: count for reason, count in missed.items()})


class TrafficReading:
    """How much of the proxied traffic nobody had the time to compare with its description."""

    def __init__(self, registry: CollectorRegistry, gateway: Gateway) -> None:
        self._gateway = gateway
        self._unjudged = Rising(
            Counter(
                "ocp_gateway_unjudged_traffic",
                "Proxied messages that were not compared because too many were waiting.",
                registry=registry,
            )
        )

    def refresh(self) -> None:
        self._unjudged.follow(self._gateway.unjudged)


class NumbersReading:
    """Numbers that somebody else keeps."""

    def __init__(
        self,
        registry: CollectorRegistry,
        numbers: Mapping[str, "Number"],
        tallies: Mapping[str, "Tally"],
    ) -> None:
        """Both by their metric's name without prefix and suffix."""
        self._gauges = [
            (
                Gauge(_PREFIX + name, number.about, registry=registry, multiprocess_mode="livesum"),
                number.read,
            )
            for name, number in numbers.items()
        ]
        self._counters = [
            (Rises(Counter(_PREFIX + name, tally.about, (tally.label,), registry=registry)), tally)
            for name, tally in tallies.items()
        ]

    def refresh(self) -> None:
        for gauge, read in self._gauges:
            gauge.set(read())
        for rises, tally in self._counters:
            rises.follow(tally.read())


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What something is at: it goes up and down."""

    about: str
    read: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often something has happened, by a closed set of reasons."""

    about: str
    label: str
    read: Callable[[], Mapping[str, int]]
