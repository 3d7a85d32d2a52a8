"""One text where it is kept, a file or a URL, read again and again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from gateway.errors import ConfigError, DescriptionError
from gateway.messages import Headers
from gateway.sources.loading import fetch, is_url, read_bytes
from gateway.sources.watching import Identity, identify

READ_ATTEMPTS = 3


class Text:
    """A path or an http(s) URL, and what has to be remembered to ask it for news only."""

    def __init__(self, location: str, *, headers: Callable[[], Headers] = tuple) -> None:
        """`headers` are made for each request to the URL; they may raise ConfigError."""
        self._location = location
        self._headers = headers
        # What asks the URL for news only.
        self.conditions: Headers = ()
        # The file that was read last, as it was then.
        self.identity: Identity | None = None

    @property
    def path(self) -> Path | None:
        """The file, None for a URL."""
        return None if is_url(self._location) else Path(self._location)

    async def read(self) -> bytes | None:
        """The bytes as they are now; None when a server says that they are those read last.

        Raises DescriptionError, which holds no secret and does not name the location.
        """
        return await (self._fetch() if self.path is None else self._read_file(self.path))

    def forget(self) -> None:
        """What was read last did not last: have it sent again."""
        self.conditions = ()

    async def _fetch(self) -> bytes | None:
        conditions = self.conditions
        headers = await asyncio.to_thread(reveal, self._headers)
        fetched = await fetch(self._location, headers=headers, conditions=conditions)
        if fetched is None:
            if not conditions:
                raise DescriptionError("HTTP 304")
            return None
        self.conditions = fetched.conditions
        return fetched.data

    async def _read_file(self, path: Path) -> bytes:
        for _ in range(READ_ATTEMPTS):
            before = await identify(path)
            data = await read_bytes(path)
            # Half of the old text with half of the new may well be valid.
            if await identify(path) == before:
                self.identity = before
                return data
        raise DescriptionError("is being written")


def reveal(headers: Callable[[], Headers]) -> Headers:
    """The headers with their secrets. Raises DescriptionError."""
    try:
        return headers()
    except ConfigError as error:
        raise DescriptionError(str(error)) from error
