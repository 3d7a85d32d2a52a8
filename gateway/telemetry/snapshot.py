"""What a process is doing at this moment, for somebody who has to find out why: no values."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

from gateway import __version__
from gateway.engine import Freshness, Gateway
from gateway.telemetry.lag import LoopLag
from gateway.telemetry.lanes import Lane
from gateway.telemetry.log_writer import dropped_lines
from gateway.telemetry.process import open_descriptors, resident_bytes

_PACKAGE = Path(__file__).parent.parent
_MOST = 100
"""Groups of tasks and callers that are told of, the largest first."""
# What a suspended coroutine, generator or asynchronous generator waits for, and where it stands.
_WAITS = ("cr_await", "ag_await", "gi_yieldfrom")
_FRAMES = ("cr_frame", "ag_frame", "gi_frame")


def describe_tasks() -> list[dict[str, object]]:
    """Tasks by their name and where our own code waits in them: `server/proxy.py:62 forward`."""
    groups = Counter((_name(task), _place(task)) for task in asyncio.all_tasks())
    return [
        {"task": name, "at": place, "count": count}
        for (name, place), count in groups.most_common(_MOST)
    ]


def _name(task: asyncio.Task[object]) -> str:
    """The name that somebody has given it, else that of what it runs."""
    name = task.get_name()
    if not name.startswith("Task-"):
        return name
    return str(getattr(task.get_coro(), "__qualname__", "-"))


def _place(task: asyncio.Task[object]) -> str | None:
    """The innermost line of this package; None where it is nobody's of ours."""
    place = None
    for frame in _frames(task.get_coro()):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            where = path.relative_to(_PACKAGE)
            place = f"{where}:{frame.f_lineno} {frame.f_code.co_name}"
    return place


def _frames(waiting: object) -> Iterator[FrameType]:
    """From the outermost in."""
    while waiting is not None:
        frame = _first(waiting, _FRAMES)
        if isinstance(frame, FrameType):
            yield frame
        waiting = _first(waiting, _WAITS)


def _first(thing: object, names: Iterable[str]) -> object:
    found = (getattr(thing, name, None) for name in names)
    return next((value for value in found if value is not None), None)


def describe_process(*, uptime: float, lag: LoopLag) -> dict[str, object]:
    """`uptime` is seconds."""
    return {
        "version": __version__,
        "uptime_seconds": round(uptime, 1),
        "resident_bytes": resident_bytes(),
        "descriptors": open_descriptors(),
        "threads": threading.active_count(),
        "log_lines_dropped": dropped_lines(),
        "lag_seconds": {
            "p50": round(lag.quantile(0.5), 4),
            "p99": round(lag.quantile(0.99), 4),
            "max": round(lag.worst, 4),
        },
    }


def describe_gateway(gateway: Gateway) -> dict[str, object]:
    """The store and the catalog."""
    return {
        "store": {"works": gateway.store_works, "unrecorded": dict(gateway.unrecorded)},
        "catalog_changes": gateway.changes.number,
        "apis": {
            name: _describe_api(gateway, name)
            for name in sorted({*gateway.upstreams, *gateway.missing})
        },
    }


def _describe_api(gateway: Gateway, name: str) -> dict[str, object]:
    fresh = gateway.freshness.get(name, Freshness())
    is_there = name in gateway.catalog.apis
    return {
        "digest": gateway.catalog.view(name).digest if is_there else None,
        "tools": len(gateway.catalog.apis[name].tools) if is_there else 0,
        "loaded_at": fresh.loaded_at.isoformat() if fresh.loaded_at else None,
        "fault": fresh.fault,
    }


def describe_lanes(lanes: Iterable[Lane]) -> list[dict[str, object]]:
    return [
        {
            "api": lane.api,
            "origin": lane.origin,
            "running": lane.running,
            "waiting": lane.waiting,
            "websockets": lane.websockets,
            "circuit": str(lane.circuit),
            "retries": lane.retries,
            "refused": lane.refused,
            "rejected": lane.rejected,
        }
        for lane in lanes
    ]


def count_peers(addresses: Iterable[str]) -> dict[str, int]:
    """How many connections each address has, the most first."""
    return dict(Counter(addresses).most_common(_MOST))
