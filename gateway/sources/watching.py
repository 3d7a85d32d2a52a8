"""Watching files by looking at them: the same for every file system, at one stat each."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

# Two equal looks are a quiet period, so a change is seen after one to two of these.
LOOK_SECONDS = 0.15
# Thousands of files are looked at less often: rest is this many times work.
REST = 25

Identity = tuple[int, ...]
"""What changes when a file does: by writing, by renaming, or by a link on its path."""

_GONE: Identity = ()


class FileWatch:
    """The state of some files that its user has seen last; none at first."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)
        self._seen: tuple[Identity, ...] | None = None

    async def changed(self) -> None:
        """Returns once they are not what they were at the last return, and have come to rest.

        The first call returns as soon as they rest. A file that goes away or comes back has
        changed, and so has the whole when there are other `paths`.
        """
        before: tuple[Identity, ...] | None = None
        while True:
            now, seconds = await asyncio.to_thread(_look, self.paths)
            if now == before and now != self._seen:
                break
            before = now
            await asyncio.sleep(max(LOOK_SECONDS, seconds * REST))
        self._seen = now


def _look(paths: Iterable[Path]) -> tuple[tuple[Identity, ...], float]:
    """What the files are now, and how long it took to see."""
    start = time.perf_counter()
    found = tuple(identify_now(path) for path in paths)
    return found, time.perf_counter() - start


async def identify(path: Path) -> Identity:
    """What the file is now; equal before and after a read, it was not written meanwhile."""
    # A file system that hangs must not hold up the event loop.
    return await asyncio.to_thread(identify_now, path)


def identify_now(path: Path) -> Identity:
    """Follows symbolic links, so that Kubernetes' swap of `..data` counts as a change."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return _GONE
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def changed_ns(identity: Identity) -> int:
    """When the file was changed last, in nanoseconds since 1970; 0 where there was none."""
    return identity[-1] if identity else 0
