"""Where the other documents of a description may be read from."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import aiohttp

from gateway.errors import DescriptionError
from gateway.messages import Headers
from gateway.sources.loading import fetch_with, read_file
from gateway.sources.parts import PartRefused
from gateway.sources.text import reveal
from gateway.sources.watching import Identity, identify_now

# As many as a browser opens, or a few more; nobody is to feel the load.
FETCHES_AT_ONCE = 8
# For all of them together: a slow server costs its parts, not the start of the gateway.
PARTS_SECONDS = 120.0


class FileParts:
    """Reads files of one file's directory tree; a link that leads out of it is refused."""

    def __init__(self, root: Path) -> None:
        self._directory = root.parent.resolve()
        self.seen: dict[Path, Identity] = {}

    def __call__(self, paths: Sequence[str]) -> Sequence[bytes | PartRefused]:
        return [self._read(path) for path in paths]

    def are_as_read(self) -> bool:
        """Whether no file has been written since it was read."""
        return all(identify_now(path) == seen for path, seen in self.seen.items())

    def paths(self, parts: Iterable[str]) -> Iterable[Path]:
        """Where these parts are, or would be."""
        return (self._directory / part for part in parts)

    def _read(self, path: str) -> bytes | PartRefused:
        place = self._directory / path
        # Before its links are followed, so that another target cannot go unnoticed.
        self.seen[place] = identify_now(place)
        try:
            target = place.resolve()
            if not target.is_relative_to(self._directory):
                return PartRefused("leads out of the description's directory")
            return read_file(target)
        except DescriptionError as error:
            return PartRefused(f"leads to what {error}")
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "cannot be read"
            return PartRefused(f"leads to a file that cannot be read: {reason}")


class UrlParts:
    """Reads what is below one URL's directory, with what may be sent to that origin."""

    def __init__(
        self, home: str, headers: Callable[[], Headers], loop: asyncio.AbstractEventLoop
    ) -> None:
        """`home` is the directory's URL with its last `/`; `loop` is where requests are made."""
        self._home = home
        self._headers = headers
        self._loop = loop
        self._deadline = loop.time() + PARTS_SECONDS

    def __call__(self, paths: Sequence[str]) -> Sequence[bytes | PartRefused]:
        """To be called from another thread than the loop's."""
        return asyncio.run_coroutine_threadsafe(self._read_all(paths), self._loop).result()

    async def _read_all(self, paths: Sequence[str]) -> Sequence[bytes | PartRefused]:
        headers = await asyncio.to_thread(reveal, self._headers)
        connections = aiohttp.TCPConnector(limit=FETCHES_AT_ONCE)
        few = asyncio.Semaphore(FETCHES_AT_ONCE)

        async def read(path: str) -> bytes | PartRefused:
            async with few:
                return await self._read(session, path, headers)

        async with aiohttp.ClientSession(connector=connections) as session:
            return await asyncio.gather(*map(read, paths))

    async def _read(
        self, session: aiohttp.ClientSession, path: str, headers: Headers
    ) -> bytes | PartRefused:
        url = self._home + quote(path)
        try:
            async with asyncio.timeout_at(self._deadline):
                fetched = await fetch_with(session, url, headers=headers, within=self._home)
        except TimeoutError:
            return PartRefused("leads to a document that came too late")
        except DescriptionError as error:
            return PartRefused(f"leads to a document that cannot be fetched: {error}")
        if fetched is None:
            return PartRefused("leads to a document that cannot be fetched: HTTP 304")
        return fetched.data
