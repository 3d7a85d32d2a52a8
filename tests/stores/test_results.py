"""Large results in temporary files."""

import asyncio
import errno
import io
import logging
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.interfaces import KeptResult
from gateway.policy import ANONYMOUS, Principal
from gateway.stores import ResultFiles

OTHER = Principal(name="key:other")
TYPE = "text/plain; charset=utf-8"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


Open = Callable[..., ResultFiles]


@pytest.fixture
async def opened(clock: Clock) -> AsyncIterator[Open]:
    """Makes stores, which are closed afterwards and have then let go of everything."""
    stores: list[ResultFiles] = []

    def make(**settings: object) -> ResultFiles:
        stores.append(ResultFiles(clock=clock, **settings))  # type: ignore[arg-type]
        return stores[-1]

    yield make
    for store in stores:
        await store.aclose()
        assert store.usage == (0, 0)


async def keep(
    store: ResultFiles, handle: str, data: bytes, *, principal: Principal = ANONYMOUS
) -> None:
    draft = store.draft()
    await draft.append(data)
    await draft.keep(principal, handle, media_type=TYPE, whole=True)
    await draft.discard()


async def there(store: ResultFiles, *handles: str, principal: Principal = ANONYMOUS) -> list[str]:
    return [handle for handle in handles if await store.find(principal, handle)]


async def test_what_is_kept_can_be_read_in_parts(opened: Open) -> None:
    store = opened()
    draft = store.draft()
    blocks = [bytes([number]) * 700_000 for number in range(5)]
    for block in blocks:
        await draft.append(block)
    assert draft.size == 3_500_000
    assert await draft.read() == b"".join(blocks)
    await draft.append(b"end")
    await draft.keep(ANONYMOUS, "h", media_type=TYPE, whole=False)

    assert await store.find(ANONYMOUS, "h") == KeptResult(
        media_type=TYPE, size=3_500_003, whole=False
    )
    assert await store.read(ANONYMOUS, "h", 699_999, 2) == b"\x00\x01"
    assert await store.read(ANONYMOUS, "h", 3_500_000, 100) == b"end"
    assert await store.read(ANONYMOUS, "h", 4_000_000, 100) == b""
    assert store.usage == (1, 3_500_003)


async def test_readers_do_not_disturb_each_other(opened: Open) -> None:
    store = opened()
    data = bytes(range(256)) * 1_000
    await keep(store, "h", data)
    parts = await asyncio.gather(
        *(store.read(ANONYMOUS, "h", start, 1_000) for start in range(0, 256_000, 1_000))
    )
    assert b"".join(part or b"" for part in parts) == data


@pytest.mark.parametrize(("principal", "handle"), [(OTHER, "h"), (ANONYMOUS, "H"), (ANONYMOUS, "")])
async def test_nobody_else_finds_it(opened: Open, principal: Principal, handle: str) -> None:
    store = opened()
    await keep(store, "h", b"x")
    assert await store.find(principal, handle) is None
    assert await store.read(principal, handle, 0, 1) is None


async def test_what_is_discarded_leaves_nothing(opened: Open) -> None:
    store = opened()
    draft = store.draft()
    await draft.append(b"x" * 2_000_000)
    assert store.usage == (1, 2_000_000)
    await draft.discard()
    await draft.discard()
    assert store.usage == (0, 0)
    await keep(store, "h", b"x")  # which discards after keeping
    assert store.usage == (1, 1)


class TestExpiry:
    async def test_is_after_the_time_to_live(self, opened: Open, clock: Clock) -> None:
        store = opened(ttl_seconds=3_600)
        await keep(store, "old", b"x")
        clock.now += 3_599
        await keep(store, "new", b"x")
        assert await there(store, "old", "new") == ["old", "new"]
        clock.now += 1
        assert await there(store, "old", "new") == ["new"]
        assert await store.read(ANONYMOUS, "old", 0, 1) is None
        assert store.usage == (1, 1)

    async def test_needs_nobody_who_asks(self) -> None:
        empty = asyncio.Event()

        class Watched(ResultFiles):
            def release(self, size: int, *, files: int = 0) -> None:
                super().release(size, files=files)
                if self.usage == (0, 0):
                    empty.set()

        store = Watched(ttl_seconds=0.01)
        await asyncio.gather(keep(store, "a", b"x"), keep(store, "b", b"x"))
        async with asyncio.timeout(10):
            await empty.wait()
        await store.aclose()


class TestRoom:
    async def test_is_made_by_dropping_the_oldest(self, opened: Open) -> None:
        store = opened(max_total_bytes=10)
        for handle in ("a", "b", "c"):
            await keep(store, handle, b"xxxx")
        assert await there(store, "a", "b", "c") == ["b", "c"]

    async def test_is_made_by_who_holds_most(self, opened: Open) -> None:
        store = opened(max_total_bytes=10)
        await keep(store, "modest", b"x", principal=OTHER)
        await keep(store, "a", b"xxxx")
        await keep(store, "b", b"xxxx")
        await keep(store, "c", b"xxxx", principal=OTHER)
        assert await there(store, "a", "b") == ["b"]
        assert await there(store, "modest", "c", principal=OTHER) == ["modest", "c"]

    async def test_has_a_bound_on_files_too(self, opened: Open) -> None:
        store = opened(max_results=2)
        for handle in ("a", "b", "c"):
            await keep(store, handle, b"")
        assert await there(store, "a", "b", "c") == ["b", "c"]

    @pytest.mark.parametrize("settings", [{"max_total_bytes": 10}, {"max_results": 1}])
    async def test_that_drafts_take_cannot_be_had(
        self, opened: Open, settings: dict[str, int]
    ) -> None:
        store = opened(**settings)
        first, second = store.draft(), store.draft()
        await first.append(b"x" * 9)
        with pytest.raises(StoreUnavailable, match="no room"):
            await second.append(b"yy")
        await second.discard()
        assert store.usage == (1, 9)
        await first.discard()


class Unreadable(io.FileIO):
    def read(self, _: int | None = -1) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


class TestADiskThatCannotBeRead:
    @pytest.fixture(autouse=True)
    def unreadable(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(
            tempfile, "TemporaryFile", lambda **_: Unreadable(tmp_path / "file", "w+b")
        )

    async def test_is_unavailable(self, opened: Open) -> None:
        store = opened()
        draft = store.draft()
        await draft.append(b"x")
        with pytest.raises(StoreUnavailable, match="Input/output error"):
            await draft.read()
        await draft.keep(ANONYMOUS, "h", media_type=TYPE, whole=True)
        with pytest.raises(StoreUnavailable, match="Input/output error"):
            await store.read(ANONYMOUS, "h", 0, 1)


async def test_a_draft_that_is_discarded_while_it_is_written_takes_nothing_more(
    opened: Open,
) -> None:
    store = opened()
    draft = store.draft()
    await draft.append(b"x")
    file = draft._file
    await draft.discard()
    file.append(b"late")
    assert file.read(0, 10) == b""


class TestADiskThatIsFull:
    @pytest.fixture(autouse=True)
    def full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(**_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    @pytest.mark.parametrize("size", [10, 2_000_000], ids=["at the end", "on the way"])
    async def test_is_unavailable_and_logged(
        self, opened: Open, caplog: pytest.LogCaptureFixture, size: int
    ) -> None:
        store = opened()
        draft = store.draft()

        async def write() -> None:
            await draft.append(b"x" * size)
            await draft.keep(ANONYMOUS, "h", media_type=TYPE, whole=True)

        with (
            caplog.at_level(logging.WARNING),
            pytest.raises(StoreUnavailable, match="No space left"),
        ):
            await write()
        assert "No space left on device" in caplog.text
        assert await store.find(ANONYMOUS, "h") is None
        await draft.discard()
        assert store.usage == (0, 0)
