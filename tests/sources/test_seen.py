"""Seeing without reading that a source still holds what it held."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.sources import Seen, Snapshot, Source, source, texts

SPLIT = b'{"paths": {"/a": {"$ref": "parts/a.json"}, "/b": {"$ref": "parts/none.json"}}}'
PART = b'{"get": {}}'
OVERLAY = b'{"overlay": "1.0.0", "actions": [{"target": "$.info", "update": {"x-a": 1}}]}'


@pytest.fixture(autouse=True)
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are at rest, however new they are."""
    monkeypatch.setattr(source, "UNRESTED_NS", -(10**18))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.json"
    path.write_bytes(SPLIT)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.json").write_bytes(PART)
    (tmp_path / "overlay.json").write_bytes(OVERLAY)
    return path


def opened(file: Path) -> Source:
    return Source(str(file), overlays=[str(file.parent / "overlay.json")])


async def read(it: Source) -> Snapshot:
    snapshot = await it.read()
    assert snapshot is not None
    return snapshot


async def seen_of(file: Path) -> Seen:
    it = opened(file)
    return it.seen(await read(it))


def rewrite(path: Path) -> None:
    """The same size at the same time, in the same place."""
    before = path.stat()
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # the clock of a file system has ticks
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_copy(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def appear(path: Path) -> None:
    (path.parent / "parts" / "none.json").write_bytes(PART)


def lead_elsewhere(path: Path) -> None:
    part = path.parent / "parts" / "a.json"
    part.rename(part.with_name("moved.json"))
    part.symlink_to(part.with_name("moved.json"))
    part.with_name("moved.json").write_bytes(b"{}")


async def test_files_that_nobody_touched_are_as_they_were_seen(file: Path) -> None:
    seen = await seen_of(file)
    names = sorted(str(Path(path).relative_to(file.parent)) for path in seen.files)
    assert names == ["overlay.json", "parts/a.json", "parts/none.json", "shop.json"]
    assert await opened(file).is_as(seen)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(rewrite, id="written over, same size and time"),
        pytest.param(lambda path: rewrite(path.parent / "overlay.json"), id="its overlay"),
        pytest.param(lambda path: rewrite(path.parent / "parts" / "a.json"), id="another document"),
        pytest.param(replace_by_copy, id="another file of its name"),
        pytest.param(appear, id="a document that was missing"),
        pytest.param(lead_elsewhere, id="a link"),
        pytest.param(Path.unlink, id="gone"),
    ],
)
async def test_every_change_is_seen(file: Path, change: Callable[[Path], None]) -> None:
    seen = await seen_of(file)
    change(file)
    assert not await opened(file).is_as(seen)


async def test_a_file_that_does_not_refer_to_others_any_more_forgets_them(file: Path) -> None:
    it = opened(file)
    part = str(file.parent / "parts" / "a.json")
    assert part in it.seen(await read(it)).files
    await asyncio.to_thread(file.write_bytes, b"{}")
    assert part not in it.seen(await read(it)).files


@pytest.mark.parametrize("age_ns", [10**9, 10**10])
async def test_a_file_that_has_just_been_written_has_to_be_read(
    file: Path, monkeypatch: pytest.MonkeyPatch, age_ns: int
) -> None:
    monkeypatch.setattr(source, "UNRESTED_NS", age_ns)
    changed = max(path.stat().st_ctime_ns for path in file.parent.rglob("*.json"))
    monkeypatch.setattr(time, "time_ns", lambda: changed + 5 * 10**9)
    seen = await seen_of(file)
    assert bool(seen.files) == (age_ns == 10**9)
    assert await opened(file).is_as(seen) == (age_ns == 10**9)


async def test_a_source_that_resumes_knows_all_its_files_and_parses_nothing(file: Path) -> None:
    before = opened(file)
    snapshot = await read(before)
    it = opened(file)
    it.resume(before.seen(snapshot), snapshot.texts)
    assert set(it.files) == set(before.files)
    again = await read(it)
    assert (again.digest, again.opened) == (snapshot.digest, None)


async def test_a_description_alone_resumes_without_its_text(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(b"{}")
    before = Source(str(path))
    snapshot = await read(before)
    seen = before.seen(snapshot)
    assert seen.are_one
    it = Source(str(path))
    it.resume(seen, None)
    assert it.files == (path,)
    assert (await read(it)).digest == snapshot.digest


async def test_a_text_that_only_seems_to_refer_to_others_is_parsed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shop.json"
    path.write_bytes(b'{"properties": {"$ref": {"type": "string"}}}')
    parsed: list[bytes] = []

    def parse(data: bytes) -> object:
        parsed.append(data)
        return json.loads(data)

    monkeypatch.setattr(texts, "parse", parse)
    before, it = Source(str(path)), Source(str(path))
    snapshot = await read(before)
    it.resume(before.seen(snapshot), None)
    for again in (await read(before), await read(it)):
        assert (again.digest, again.opened) == (snapshot.digest, None)
    assert len(parsed) == 1


async def test_a_document_that_is_missing_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_bytes(SPLIT)
    it = Source(str(path))
    await read(it)
    assert set(it.files) == {path, tmp_path / "parts" / "a.json", tmp_path / "parts" / "none.json"}
