"""Lists that are made once: by this process, by one before it, or before a new catalog serves."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.catalog import ApiCatalog, Catalog, View, read_catalog
from gateway.openapi import read_description
from gateway.sources import ListFiles
from gateway.wiring.listing import Lists
from tests.support.mcp_core import DESCRIPTION

PATIENCE = 30


def api(name: str = "pets", origin: str = "1") -> ApiCatalog:
    return replace(read_catalog(read_description(DESCRIPTION, api=name)), origin=origin)


class Maker:
    """Makes lists of names, and remembers for whom."""

    def __init__(self) -> None:
        self.made: list[View] = []

    def __call__(self, view: View) -> bytes:
        self.made.append(view)
        return ",".join(view.tools).encode()


@asynccontextmanager
async def keeping(directory: Path) -> AsyncIterator[Lists]:
    lists = Lists(ListFiles(directory))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lists.keep())
        yield lists
        task.cancel()


def kept(directory: Path) -> int:
    return len(list(directory.glob("*.list")))


async def until_kept(directory: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while not kept(directory):  # noqa: ASYNC110 - a file is no event
            await asyncio.sleep(0.01)


async def found_again(directory: Path, form: str, apis: Iterable[ApiCatalog]) -> bool:
    """Whether another process finds a list that this one has made."""
    make = Maker()
    Lists(ListFiles(directory)).recall(Catalog(apis).view(), form, make)
    return make.made == []


async def test_the_next_process_finds_what_was_made(tmp_path: Path) -> None:
    make = Maker()
    async with keeping(tmp_path) as lists:
        first = lists.recall(Catalog([api()]).view(), "mcp", make)
        await until_kept(tmp_path)
    assert len(make.made) == 1
    second = Lists(ListFiles(tmp_path)).recall(Catalog([api()]).view(), "mcp", make)
    assert (second, len(make.made)) == (first, 1)


@pytest.mark.parametrize(
    ("form", "apis", "found"),
    [
        ("mcp", [api()], True),
        ("ocp", [api()], False),
        ("mcp", [api(origin="2")], False),
        ("mcp", [api("other")], False),
        ("mcp", [api(), api("other")], False),
        ("mcp", [api(origin="")], False),
    ],
    ids=["the same", "another form", "another origin", "another API", "one more API", "unknown"],
)
async def test_a_list_is_that_of_its_form_and_of_all_its_view_is_made_of(
    tmp_path: Path, form: str, apis: list[ApiCatalog], found: bool
) -> None:
    async with keeping(tmp_path) as lists:
        lists.recall(Catalog([api()]).view(), "mcp", Maker())
        await until_kept(tmp_path)
    assert await found_again(tmp_path, form, apis) == found


async def test_what_nobody_can_tell_apart_is_not_kept(tmp_path: Path) -> None:
    async with keeping(tmp_path) as lists:
        lists.recall(Catalog([api(origin="")]).view(), "mcp", Maker())
        lists.recall(Catalog([api()]).view(), "mcp", Maker())
        await until_kept(tmp_path)
    assert kept(tmp_path) == 1


async def test_what_was_asked_of_the_old_catalog_is_ready_in_the_new_one() -> None:
    lists, make, other = Lists(), Maker(), Maker()
    old = Catalog([api(), api("zoo")])
    new, newer = (Catalog([api(origin=origin), api("more")]) for origin in "23")
    lists.recall(old.view(), "mcp", make)
    lists.recall(old.view("pets"), "ocp", other)
    lists.recall(old.view("zoo"), "ocp", other)
    lists.renew(old, new)
    assert make.made == [old.view(), new.view()]
    assert other.made == [old.view("pets"), old.view("zoo"), new.view("pets")]
    lists.recall(new.view(), "mcp", make)
    assert len(make.made) == 2
    # What nobody asked for meanwhile is made all the same.
    lists.renew(new, newer)
    assert other.made[-1] is newer.view("pets")


async def test_a_disk_that_takes_nothing_costs_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file")
    async with keeping(tmp_path / "cache") as lists:
        assert lists.recall(Catalog([api()]).view(), "mcp", lambda _: b"x") == b"x"
        async with asyncio.timeout(PATIENCE):
            while not caplog.records:  # noqa: ASYNC110 - a log is no event
                await asyncio.sleep(0.01)
    assert "a list of tools is not kept" in caplog.text


async def test_a_form_that_is_asked_for_while_lists_are_renewed_is_no_harm(tmp_path: Path) -> None:
    lists = Lists(ListFiles(tmp_path))
    old, new = Catalog([api()]), Catalog([api(origin="2")])
    make = Maker()

    def make_and_ask(view: View) -> bytes:
        # As a request would in another thread, just now.
        lists.recall(old.view(), f"form {len(make.made)}", make)
        return make(view)

    lists.recall(old.view(), "first", make_and_ask)
    await asyncio.to_thread(lists.renew, old, new)
    assert lists.recall(new.view(), "first", make) == ",".join(new.view().tools).encode()
