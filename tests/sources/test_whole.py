"""A description with its overlays and the documents it refers to: read, watched, opened again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.errors import DescriptionError
from gateway.openapi import Description, read_description
from gateway.sources import FileWatch, Snapshot, Source, watching
from gateway.sources.texts import Place, Texts

ROOT = """
openapi: 3.1.0
info: {title: Split}
paths:
  /pets: {get: {operationId: listPets, parameters: [{ $ref: 'parts/kind.yaml#/Kind' }]}}
  /lost: {get: {operationId: lost, parameters: [{$ref: '../outside.yaml#/p'}]}}
"""
KIND = "Kind: {name: kind, in: query, schema: {$ref: deep/kinds.yaml}}"
KINDS = "enum: [cat, dog]"
FILES = {"root.yaml": ROOT, "parts/kind.yaml": KIND, "parts/deep/kinds.yaml": KINDS}
OVERLAY = """
overlay: 1.0.0
info: {title: Names, version: 1.0.0}
actions:
  - {target: $.info, update: {title: Renamed}}
  - {target: $.nowhere, update: {}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "api" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "api" / name).write_text(text)
    (tmp_path / "outside.yaml").write_text("p: {name: secret, in: query}")
    return tmp_path / "api" / "root.yaml"


class Site:
    """A server of files by path, which counts what is asked and knows what it sent."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.moved: dict[str, str] = {}
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self.server = TestServer(app, host="127.0.0.1")

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.asked.append(path)
        self.keys.append(request.headers.get("X-Key"))
        if path in self.moved:
            return web.Response(status=302, headers={"Location": self.moved[path]})
        if path not in self.files:
            return web.Response(status=404)
        etag = f'"{hash(self.files[path])}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(text=self.files[path], headers={"ETag": etag})

    def url(self, path: str) -> str:
        return str(self.server.make_url(f"/{path}"))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site({f"v1/{name}": text for name, text in FILES.items()})
    async with made.server:
        yield made


async def taken(source: Source) -> Snapshot:
    snapshot = await source.read()
    assert snapshot is not None
    return snapshot


def described(snapshot: Snapshot) -> Description:
    return read_description(snapshot.open().document, api="split")


def kinds(snapshot: Snapshot) -> object:
    (operation,) = described(snapshot).operations
    node = described(snapshot).document.lookup("deep/kinds.yaml", "parts/kind.yaml#")
    assert operation.operation_id == "listPets"
    return node.value


async def test_what_a_file_refers_to_is_read_with_it(root: Path) -> None:
    source = Source(str(root))
    assert not source.files[1:]
    snapshot = await taken(source)
    assert kinds(snapshot) == {"enum": ["cat", "dog"]}
    assert set(snapshot.texts.parts) == {"parts/kind.yaml", "parts/deep/kinds.yaml"}
    assert set(source.files) == {root.parent / name for name in FILES}
    assert [p.pointer for p in described(snapshot).problems] == [
        "/paths/~1lost/get/parameters/0",
    ]


async def test_texts_alone_make_the_same_document(root: Path) -> None:
    snapshot = await taken(Source(str(root)))
    again = Snapshot(texts=snapshot.texts, place=Place(name="root.yaml"))
    assert again.digest == snapshot.digest
    assert kinds(again) == kinds(snapshot)


async def test_another_text_anywhere_is_another_digest(root: Path) -> None:
    source = Source(str(root))
    before = await taken(source)
    assert (await taken(source)).digest == before.digest
    part = root.parent / "parts/deep/kinds.yaml"
    part.write_text("enum: [owl]")
    changed = await taken(source)
    assert changed.digest != before.digest
    assert kinds(changed) == {"enum": ["owl"]}
    part.unlink()
    gone = await taken(source)
    assert "No such file" in gone.texts.refused["parts/deep/kinds.yaml"]
    assert root.parent / "parts/deep/kinds.yaml" in source.files  # it may come back
    part.write_text("enum: [cat, dog]")
    (back,) = [await taken(source)]
    assert kinds(back) == {"enum": ["cat", "dog"]}


async def test_a_broken_part_costs_what_needs_it_and_is_read_again(root: Path) -> None:
    part = root.parent / "parts/deep/kinds.yaml"
    part.write_text("enum: [")
    source = Source(str(root))
    snapshot = await taken(source)
    for opened in (snapshot, Snapshot(texts=snapshot.texts, place=snapshot.place)):
        messages = [problem.message for problem in described(opened).problems]
        assert any("leads to a document that is broken: not valid YAML" in m for m in messages)
    part.write_text("enum: [owl]")
    assert kinds(await taken(source)) == {"enum": ["owl"]}


async def test_every_file_is_watched(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    source = Source(str(root))
    await taken(source)
    watch = FileWatch(source.files)
    await watch.changed()
    for name, text in FILES.items():
        (root.parent / name).write_text(f"{text}\n# changed\n")
        await watch.changed()


async def test_a_url_s_parts_come_from_below_its_directory_with_its_headers(site: Site) -> None:
    source = Source(site.url("v1/root.yaml"), headers=lambda: (("X-Key", "k"),))
    snapshot = await taken(source)
    assert kinds(snapshot) == {"enum": ["cat", "dog"]}
    assert set(site.asked) == {f"v1/{name}" for name in FILES}
    assert set(site.keys) == {"k"}
    assert source.files == ()
    assert not source.is_watchable


async def test_a_url_s_parts_may_be_named_by_url(site: Site) -> None:
    site.files["v1/root.yaml"] = ROOT.replace("parts/kind", site.url("v1/parts/kind"))
    assert kinds(await taken(Source(site.url("v1/root.yaml")))) == {"enum": ["cat", "dog"]}


@pytest.mark.parametrize(
    "target",
    ["/elsewhere/kind.yaml", "/v1/../secret", "/v1/%2e%2e/secret", "http://localhost:9/v1/x"],
)
async def test_no_redirect_leads_out_of_the_directory(site: Site, target: str) -> None:
    site.files["elsewhere/kind.yaml"] = site.files["secret"] = KIND
    site.moved["v1/parts/kind.yaml"] = target
    snapshot = await taken(Source(site.url("v1/root.yaml")))
    assert "redirects" in snapshot.texts.refused["parts/kind.yaml"]
    assert set(site.asked) == {"v1/root.yaml", "v1/parts/kind.yaml"}


async def test_a_part_of_a_url_may_change_alone(site: Site) -> None:
    source = Source(site.url("v1/root.yaml"))
    before = await taken(source)
    assert (await taken(source)).digest == before.digest
    site.files["v1/parts/deep/kinds.yaml"] = "enum: [owl]"
    after = await taken(source)
    assert after.digest != before.digest
    assert kinds(after) == {"enum": ["owl"]}


async def test_overlays_are_applied_in_order_and_watched(root: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "one.yaml", tmp_path / "two.yaml"
    first.write_text(OVERLAY)
    second.write_text(OVERLAY.replace("Renamed", "Again"))
    source = Source(str(root), overlays=[str(first), str(second)])
    assert source.files[:3] == (root, first, second)
    before = await taken(source)
    opened = before.open()
    assert opened.document.root["info"] == {"title": "Again"}
    assert [[f.code for f in found] for found in opened.overlaid] == [["overlay-no-match"]] * 2
    second.write_text(OVERLAY)
    after = await taken(source)
    assert after.digest != before.digest
    assert after.open().document.root["info"] == {"title": "Renamed"}


async def test_an_overlay_may_bring_the_reference(root: Path, tmp_path: Path) -> None:
    (root.parent / "plain.json").write_text('{"openapi": "3.1.0", "paths": {"/a": {}}}')
    (tmp_path / "one.yaml").write_text(
        "overlay: 1.0.0\ninfo: {title: x, version: 1.0.0}\n"
        "actions: [{target: '$.paths.*', "
        "update: {get: {parameters: [{$ref: parts/kind.yaml#/Kind}]}}}]"
    )
    source = Source(str(root.parent / "plain.json"), overlays=[str(tmp_path / "one.yaml")])
    assert set((await taken(source)).texts.parts) == {"parts/kind.yaml", "parts/deep/kinds.yaml"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "overlay 2: No such file", id="missing"),
        pytest.param("a: [", "overlay 2: not valid YAML", id="no YAML"),
        pytest.param("{}", "overlay 2: ", id="no overlay"),
    ],
)
async def test_a_faulty_overlay_is_named(
    root: Path, tmp_path: Path, text: str | None, message: str
) -> None:
    first, second = tmp_path / "one.yaml", tmp_path / "two.yaml"
    first.write_text(OVERLAY)
    if text is not None:
        second.write_text(text)
    with pytest.raises(DescriptionError, match=message):
        (await taken(Source(str(root), overlays=[str(first), str(second)]))).open()


async def test_what_was_read_before_a_fault_is_not_taken_for_known(
    site: Site, tmp_path: Path
) -> None:
    """The server says 304 to what it has sent, but its text did not get through."""
    site.files["v1/root.yaml"] = '{"openapi": "3.1.0", "paths": {}}'
    overlay = tmp_path / "one.yaml"
    overlay.write_text(OVERLAY)
    source = Source(site.url("v1/root.yaml"), overlays=[str(overlay)])
    await taken(source)
    overlay.unlink()
    site.files["v1/root.yaml"] = '{"openapi": "3.1.1", "paths": {}}'
    with pytest.raises(DescriptionError):
        await source.read()
    overlay.write_text(OVERLAY)
    assert (await taken(source)).texts.root == site.files["v1/root.yaml"].encode()


async def test_an_overlay_of_a_url_that_says_304_may_change(site: Site, tmp_path: Path) -> None:
    site.files["v1/root.yaml"] = '{"openapi": "3.1.0", "info": {}, "paths": {}}'
    overlay = tmp_path / "one.yaml"
    overlay.write_text(OVERLAY)
    source = Source(site.url("v1/root.yaml"), overlays=[str(overlay)])
    before = await taken(source)
    overlay.write_text(OVERLAY.replace("Renamed", "Again"))
    after = await taken(source)
    assert after.digest != before.digest
    assert after.open().document.root["info"] == {"title": "Again"}


def test_no_two_sets_of_texts_have_one_digest() -> None:
    sets = [
        Texts(root=b"a"),
        Texts(root=b"a", overlays=(b"b",)),
        Texts(root=b"a", overlays=(b"b", b"")),
        Texts(root=b"a", parts={"b": b""}),
        Texts(root=b"a", refused={"b": ""}),
        Texts(root=b"a", parts={"b": b"", "c": b"d"}),
        Texts(root=b"a", parts={"b": b""}, refused={"c": "d"}),
    ]
    assert len({texts.digest() for texts in sets}) == len(sets)
