"""The metrics as Prometheus reads them, of one process or of all that share a directory."""

from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = CONTENT_TYPE_LATEST


def make_registry(directory: Path | None) -> CollectorRegistry:
    """A registry whose metrics, where there is a `directory`, live in files there.

    PROMETHEUS_MULTIPROC_DIR has to name the same one.
    """
    # Every counter would have a second series that says when it began.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    if directory is not None:
        # The library decides this when it is imported, which may have been in the parent process.
        values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


def render(registry: CollectorRegistry, directory: Path | None) -> bytes:
    """May take long with many operations: for a thread."""
    if directory is None:
        return generate_latest(registry)
    merged = CollectorRegistry()
    MultiProcessCollector(merged, path=str(directory))  # type: ignore[no-untyped-call]
    return generate_latest(merged)


def forget_worker(directory: Path, pid: int) -> None:
    """A process has ended: what it was busy with goes, what it has counted stays."""
    with suppress(OSError):
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
