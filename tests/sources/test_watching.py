"""When a watched file counts as changed: once for each time that it comes to rest."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.sources import FileWatch, watching

PATIENCE = 30


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.02)


class Mount:
    """A Kubernetes ConfigMap volume: `a.yaml` -> `..data/a.yaml`, `..data` -> `..N`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.count = 0
        self.publish("one")
        (directory / "a.yaml").symlink_to("..data/a.yaml")

    def publish(self, text: str) -> None:
        self.count += 1
        version = self.directory / f"..{self.count}"
        version.mkdir()
        (version / "a.yaml").write_text(text)
        (self.directory / "..data_tmp").symlink_to(version.name)
        (self.directory / "..data_tmp").rename(self.directory / "..data")


def write(path: Path) -> None:
    path.write_text("three")


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("more")


def replace(path: Path) -> None:
    path.with_name("new").write_text("one")
    path.with_name("new").rename(path)


def same_size(path: Path) -> None:
    path.write_text("two")


def give_rights(path: Path) -> None:
    path.chmod(0o640)


async def at_rest(path: Path) -> FileWatch:
    watch = FileWatch([path])
    async with asyncio.timeout(PATIENCE):
        await watch.changed()
    return watch


async def stands_still(watch: FileWatch, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether some further looks find nothing new."""
    looks: list[watching.Identity] = []
    look, enough = watching.identify_now, asyncio.Event()

    def counted(path: Path) -> watching.Identity:
        looks.append(look(path))
        if len(looks) == 5:
            loop.call_soon_threadsafe(enough.set)
        return looks[-1]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(watching, "identify_now", counted)
    waiting = asyncio.ensure_future(watch.changed())
    await asyncio.wait_for(enough.wait(), PATIENCE)
    return waiting.cancel()


@pytest.mark.parametrize(
    "change", [write, append, replace, same_size, give_rights, Path.touch, Path.unlink]
)
async def test_each_change_of_a_file_is_seen_once(
    tmp_path: Path, change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("one")
    watch = await at_rest(path)
    waiting = asyncio.ensure_future(watch.changed())
    change(path)
    await asyncio.wait_for(waiting, PATIENCE)
    assert await stands_still(watch, monkeypatch)


async def test_a_file_that_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "a.yaml"
    watch = await at_rest(path)
    async with asyncio.timeout(PATIENCE):
        path.parent.mkdir()
        path.write_text("one")
        await watch.changed()
        path.rename(tmp_path / "away")
        await watch.changed()
        (tmp_path / "away").rename(path)
        await watch.changed()


async def test_a_swapped_configmap_is_a_change(tmp_path: Path) -> None:
    mount = Mount(tmp_path)
    watch = await at_rest(tmp_path / "a.yaml")
    async with asyncio.timeout(PATIENCE):
        # Text of one size: nothing but the link differs.
        for text in ("two", "six"):
            mount.publish(text)
            await watch.changed()
            assert (tmp_path / "a.yaml").read_text() == text


async def test_a_file_is_changed_when_it_comes_to_rest_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await at_rest(tmp_path / "a.yaml")
    looks = iter([(1,), (2,), (3,), (), (4,), (5,), (5,)])
    monkeypatch.setattr(watching, "identify_now", lambda _: next(looks))
    async with asyncio.timeout(PATIENCE):
        await watch.changed()
    assert next(looks, "all were needed") == "all were needed"


async def test_what_is_as_before_once_it_rests_is_no_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = await at_rest(tmp_path / "a.yaml")
    looks = iter([(1,), (), (), (), (2,), (2,)])
    monkeypatch.setattr(watching, "identify_now", lambda _: next(looks))
    async with asyncio.timeout(PATIENCE):
        await watch.changed()
    assert next(looks, "all were needed") == "all were needed"


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000, "file/below"])
async def test_a_path_that_leads_nowhere_is_a_file_that_is_gone(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert await stands_still(await at_rest(tmp_path / name), monkeypatch)
