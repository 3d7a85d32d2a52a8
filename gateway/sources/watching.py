"""Watching a file by looking at it: the same for every file system, at one stat a look."""

import asyncio
from pathlib import Path

# Two equal looks are a quiet period, so a change is seen after one to two of these.
LOOK_SECONDS = 0.15

Identity = tuple[int, ...]
"""What changes when a file does: by writing, by renaming, or by a link on its path."""

_GONE: Identity = ()


class FileWatch:
    """The state of one file that its user has seen last; none at first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Identity | None = None

    async def changed(self) -> None:
        """Returns once the file is not what it was at the last return, and has come to rest.

        The first call returns as soon as it rests. A file that goes away or comes back has changed.
        """
        before: Identity | None = None
        while (now := await identify(self._path)) != before or now == self._seen:
            before = now
            await asyncio.sleep(LOOK_SECONDS)
        self._seen = now


async def identify(path: Path) -> Identity:
    """What the file is now; equal before and after a read, it was not written meanwhile."""
    # A file system that hangs must not hold up the event loop.
    return await asyncio.to_thread(_identity, path)


def _identity(path: Path) -> Identity:
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
