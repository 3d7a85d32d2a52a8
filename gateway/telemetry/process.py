"""What the process costs the machine, under the names that Prometheus' own clients use."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.telemetry.readings import Rising

_SELF = Path("/proc/self")


class ProcessReading:
    """CPU, memory and descriptors; of several processes the sum."""

    def __init__(
        self, registry: CollectorRegistry, *, started: float, dropped: Callable[[], int]
    ) -> None:
        """`started`: seconds since 1970; `dropped`: how many log lines were given up."""
        self._dropped = dropped
        self._cpu = Rising(
            Counter("process_cpu_seconds", "User and system time.", registry=registry)
        )
        self._resident = Gauge(
            "process_resident_memory_bytes",
            "Memory in use.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._open = Gauge(
            "process_open_fds", "Descriptors.", registry=registry, multiprocess_mode="livesum"
        )
        limit = Gauge(
            "process_max_fds",
            "The limit of one process.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        start = Gauge(
            "process_start_time_seconds",
            "When the oldest process began.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._lines = Rising(
            Counter(
                "ocp_gateway_log_lines_dropped",
                "Log lines that were given up because nobody took them.",
                registry=registry,
            )
        )
        start.set(started)
        limit.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])

    def refresh(self) -> None:
        self._cpu.follow(sum(os.times()[:2]))
        self._resident.set(resident_bytes())
        self._open.set(open_descriptors())
        self._lines.follow(self._dropped())


def resident_bytes() -> int:
    """0 where the system does not tell."""
    try:
        pages = int((_SELF / "statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def open_descriptors() -> int:
    """0 where the system does not tell."""
    try:
        return sum(1 for _ in (_SELF / "fd").iterdir())
    except OSError:
        return 0
