"""One description where it is kept, read again and again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from gateway.errors import ConfigError, DescriptionError
from gateway.messages import Headers
from gateway.sources.loading import fetch, is_url, read_bytes
from gateway.sources.watching import identify

READ_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A description's text at one moment. `digest` is the SHA-256 of `data` in 64 hex digits."""

    data: bytes = field(repr=False)
    digest: str


class Source:
    """A path or an http(s) URL, and what has to be remembered to ask it for news only."""

    def __init__(self, location: str, *, headers: Callable[[], Headers] = tuple) -> None:
        """`headers` are made for each request to the URL; they may raise ConfigError."""
        self.location = location
        self._headers = headers
        self._conditions: Headers = ()

    @property
    def path(self) -> Path | None:
        """The file, None for a URL."""
        return None if is_url(self.location) else Path(self.location)

    async def read(self) -> Snapshot | None:
        """The text as it is now; None when a server says that it is the one read last.

        Raises DescriptionError, which holds no secret and does not name the location.
        """
        data = await (self._fetch() if self.path is None else self._read_file(self.path))
        return None if data is None else await asyncio.to_thread(take_snapshot, data)

    async def _fetch(self) -> bytes | None:
        conditions = self._conditions
        headers = await asyncio.to_thread(self._revealed)
        fetched = await fetch(self.location, headers=headers, conditions=conditions)
        if fetched is None:
            if not conditions:
                raise DescriptionError("HTTP 304")
            return None
        self._conditions = fetched.conditions
        return fetched.data

    async def _read_file(self, path: Path) -> bytes:
        for _ in range(READ_ATTEMPTS):
            before = await identify(path)
            data = await read_bytes(path)
            # Half of the old text with half of the new may well be valid.
            if await identify(path) == before:
                return data
        raise DescriptionError("is being written")

    def _revealed(self) -> Headers:
        try:
            return self._headers()
        except ConfigError as error:
            raise DescriptionError(str(error)) from error


def take_snapshot(data: bytes) -> Snapshot:
    return Snapshot(data=data, digest=sha256(data).hexdigest())
