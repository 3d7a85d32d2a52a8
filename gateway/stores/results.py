"""Large results in temporary files of this process, gone after an hour (docs/results.md)."""

import asyncio
import io
import logging
import tempfile
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import StoreUnavailable
from gateway.interfaces import KeptResult
from gateway.policy import Principal
from gateway.stores.shared_results import SharedResults, read_part

_LOG = logging.getLogger(__name__)

TTL_SECONDS = 3_600.0
MAX_TOTAL_BYTES = 536_870_912
MAX_RESULTS = 256
"""Each holds a file descriptor."""
_BLOCK = 1_048_576

_Key = tuple[str, str]


class _File:
    """An anonymous file: it is gone with the process, however that ends; a named one if `shared`.

    Its methods block and may run in any thread. After `close` there is nothing in it.
    """

    def __init__(self, shared: SharedResults | None = None) -> None:
        self.path: Path | None = None
        self._shared = shared
        self._lock = threading.Lock()
        self._file: io.FileIO | None = None
        self._closed = False

    def append(self, data: bytes) -> None:
        """Raises OSError."""
        with self._lock:
            if self._closed:
                return
            if self._file is None and self._shared is not None:
                self._file, self.path = self._shared.new_file()
            elif self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  closed below
            self._file.seek(0, io.SEEK_END)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]

    def read(self, start: int, length: int) -> bytes:
        """Raises OSError."""
        with self._lock:
            if self._file is None:
                return b""
            self._file.seek(start)
            return self._file.read(length)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()
                self._file = None
                if self.path is not None:
                    with suppress(OSError):
                        self.path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    kept: KeptResult
    file: _File
    expires: float


class ResultFiles:
    """A ResultStore. When there is no room, whoever holds most loses their oldest result."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        ttl_seconds: float = TTL_SECONDS,
        max_total_bytes: int = MAX_TOTAL_BYTES,
        max_results: int = MAX_RESULTS,
        shared: SharedResults | None = None,
    ) -> None:
        """`clock` counts seconds from anywhere and never goes back.

        With `shared`, other processes that have it find what is kept here, and this one theirs.
        """
        self.shared = shared
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._max_total_bytes = max_total_bytes
        self._max_results = max_results
        # In order of keeping and so, all living equally long, of expiry.
        self._held: OrderedDict[_Key, _Held] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        # Of drafts and held results together.
        self._bytes = 0
        self._files = 0

    @property
    def usage(self) -> tuple[int, int]:
        """How many files there are, drafts included, and their bytes."""
        return self._files, self._bytes

    def draft(self) -> "_Draft":
        return _Draft(self)

    async def find(self, principal: Principal, handle: str) -> KeptResult | None:
        held = self._find(principal, handle)
        found = await self._elsewhere(principal, handle) if held is None else None
        return held.kept if held else found[0] if found else None

    async def read(
        self, principal: Principal, handle: str, start: int, length: int
    ) -> bytes | None:
        held = self._find(principal, handle)
        found = await self._elsewhere(principal, handle) if held is None else None
        try:
            if held is not None:
                return await asyncio.to_thread(held.file.read, start, length)
            if found is not None:
                return await asyncio.to_thread(read_part, found[1], start, length)
        except OSError as error:
            raise _unusable(error) from error
        return None

    async def _elsewhere(self, principal: Principal, handle: str) -> tuple[KeptResult, Path] | None:
        if self.shared is None:
            return None
        try:
            now = self._clock()
            return await asyncio.to_thread(self.shared.find, principal, handle, now)
        except OSError as error:
            raise _unusable(error) from error

    async def aclose(self) -> None:
        while self._held:
            self._drop(next(iter(self._held)))
        if self._timer is not None:
            self._timer.cancel()

    def reserve(self, size: int, *, files: int = 0) -> None:
        """Make room for a draft's next bytes. Raises StoreUnavailable where there is none."""
        self._drop_expired()
        while self._bytes + size > self._max_total_bytes or self._files + files > self._max_results:
            if not self._held:
                raise StoreUnavailable("there is no room for another large result")
            self._drop(self._victim())
        self._bytes += size
        self._files += files

    def release(self, size: int, *, files: int = 0) -> None:
        self._bytes -= size
        self._files -= files

    async def admit(self, principal: Principal, handle: str, kept: KeptResult, file: _File) -> None:
        """Hold a draft's file, whose room is reserved already, as a result from now on."""
        expires = self._clock() + self._ttl_seconds
        if self.shared is not None and file.path is not None:
            try:
                await asyncio.to_thread(
                    self.shared.publish, principal, handle, kept, file.path, expires
                )
            except OSError as error:
                raise _unusable(error) from error
        self._held[principal.name, handle] = _Held(kept=kept, file=file, expires=expires)
        self._wake_later()

    def _find(self, principal: Principal, handle: str) -> _Held | None:
        self._drop_expired()
        return self._held.get((principal.name, handle))

    def _victim(self) -> _Key:
        shares: Counter[str] = Counter()
        for (name, _), held in self._held.items():
            shares[name] += held.kept.size
        ((greediest, _),) = shares.most_common(1)
        return next(key for key in self._held if key[0] == greediest)

    def _drop_expired(self) -> None:
        now = self._clock()
        while self._held:
            key, held = next(iter(self._held.items()))
            if held.expires > now:
                return
            self._drop(key)

    def _drop(self, key: _Key) -> None:
        held = self._held.pop(key)
        if self.shared is not None:
            self.shared.withdraw(Principal(name=key[0]), key[1])
        self.release(held.kept.size, files=1)
        held.file.close()

    def _wake_later(self) -> None:
        # Nobody may ever ask again, and the space is wanted back all the same.
        if self._timer is None and self._held:
            oldest = next(iter(self._held.values()))
            delay = max(0.0, oldest.expires - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._drop_expired()
        self._wake_later()


class _Draft:
    """A ResultDraft: written to its file in blocks, off the event loop."""

    def __init__(self, store: ResultFiles) -> None:
        self._store = store
        self._file = _File(store.shared)
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._files = 0
        self.size = 0

    async def append(self, data: bytes) -> None:
        self._store.reserve(len(data), files=1 - self._files)
        self._files = 1
        self.size += len(data)
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _BLOCK:
            await self._flush()

    async def read(self) -> bytes:
        await self._flush()
        try:
            return await asyncio.to_thread(self._file.read, 0, self.size)
        except OSError as error:
            raise _unusable(error) from error

    async def keep(
        self, principal: Principal, handle: str, *, media_type: str, whole: bool
    ) -> None:
        await self._flush()
        kept = KeptResult(media_type=media_type, size=self.size, whole=whole)
        await self._store.admit(principal, handle, kept, self._file)
        # It is the store's now: `discard` must not find anything.
        self._file, self._files, self.size = _File(self._store.shared), 0, 0

    async def discard(self) -> None:
        self._store.release(self.size, files=self._files)
        self._files = self.size = 0
        self._file.close()

    async def _flush(self) -> None:
        block = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        try:
            await asyncio.to_thread(self._file.append, block)
        except OSError as error:
            raise _unusable(error) from error


def _unusable(error: OSError) -> StoreUnavailable:
    reason = error.strerror or type(error).__name__
    _LOG.warning("large results cannot be kept (TMPDIR): %s", reason)
    return StoreUnavailable(f"large results cannot be kept: {reason}")
