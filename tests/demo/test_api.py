"""The demo API answers as its description says."""

import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from jsonschema import Draft202012Validator

from gateway.catalog import read_catalog
from gateway.demo.api import DESCRIPTION, make_app
from gateway.openapi import read_description

Client = TestClient[Request, Application]

DOCUMENT = yaml.safe_load(DESCRIPTION.read_text())
READER = {"X-Reader": "R-0042"}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app())) as client:
        yield client


def check(value: object, path: str, method: str, status: int) -> None:
    """Holds an answer against the schema that the description gives for it."""
    answer = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    (media,) = answer["content"].values()
    schema = {**media["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(value)


def test_the_copy_among_the_specs_is_the_same() -> None:
    copy = Path(__file__).parents[2] / "specs" / "demo.yaml"
    assert copy.read_bytes() == DESCRIPTION.read_bytes()


def test_the_description_becomes_tools_without_a_problem() -> None:
    catalog = read_catalog(read_description(DOCUMENT, api="library"))
    assert catalog.problems == ()
    assert set(catalog.tools) == {
        "borrowBook",
        "createBook",
        "deleteBook",
        "getBook",
        "getBookCover",
        "listBooks",
        "listShelves",
        "returnBook",
        "updateBook",
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        pytest.param({}, [1, 2, 3, 4, 5], id="all"),
        pytest.param({"author": "LE GUIN"}, [1, 2], id="author"),
        pytest.param([("tag", "novel"), ("tag", "mathematics")], [4], id="tags"),
        pytest.param({"available": "false"}, [3], id="lent"),
        pytest.param({"available": "true", "author": "le guin"}, [1, 2], id="on-the-shelf"),
        pytest.param({"limit": "2"}, [1, 2], id="limit"),
    ],
)
async def test_books_are_listed_by_every_filter(
    client: Client, query: dict[str, str] | list[tuple[str, str]], ids: list[int]
) -> None:
    lent = await client.put("/books/3/loan", json={"days": 1}, headers=READER)
    assert lent.status == 200
    answer = await (await client.get("/books", params=query)).json()
    check(answer, "/books", "get", 200)
    assert [book["id"] for book in answer["books"]] == ids


async def test_a_book_is_added_changed_and_removed(client: Client) -> None:
    added = await client.post("/books", json={"title": "Dawn", "author": "Octavia E. Butler"})
    book = await added.json()
    check(book, "/books", "post", 201)
    assert added.headers["Location"] == f"/books/{book['id']}"
    changed = await client.patch(added.headers["Location"], json={"year": 1987, "tags": ["novel"]})
    assert await changed.json() == {**book, "year": 1987, "tags": ["novel"]}
    assert (await client.delete(added.headers["Location"])).status == 204
    gone = await client.get(added.headers["Location"])
    assert gone.status == 404
    check(await gone.json(), "/books/{bookId}", "get", 404)


async def test_a_book_is_borrowed_by_one_reader_at_a_time(client: Client) -> None:
    other = {"X-Reader": "R-0043"}
    tried = await client.put("/books/1/loan?dryRun=true", json={"days": 7}, headers=other)
    assert tried.status == 200
    lent = await client.put("/books/1/loan", json={"days": 7, "note": "x"}, headers=READER)
    check(await lent.json(), "/books/{bookId}/loan", "put", 200)
    assert await lent.json() == {"book_id": 1, "reader": "R-0042", "days": 7, "note": "x"}
    refused = await client.put("/books/1/loan", json={"days": 7}, headers=other)
    assert refused.status == 409
    assert (await client.delete("/books/1")).status == 409
    assert (await client.delete("/books/1/loan", headers=other)).status == 409
    assert (await client.delete("/books/1/loan", headers=READER)).status == 204
    assert (await client.delete("/books/1")).status == 204


async def test_a_cover_is_a_png_image_that_decodes(client: Client) -> None:
    answer = await client.get("/books/1/cover")
    image = await answer.read()
    assert answer.content_type == "image/png"
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    size, kind, width, height = struct.unpack(">I4sII", image[8:24])
    assert (size, kind, width, height) == (13, b"IHDR", 64, 96)
    (length,) = struct.unpack(">I", image[33:37])
    assert len(zlib.decompress(image[41 : 41 + length])) == 96 * (1 + 3 * 64)


async def test_shelves_contain_shelves(client: Client) -> None:
    answer = await (await client.get("/shelves")).json()
    check(answer, "/shelves", "get", 200)
    assert answer["shelves"][0]["shelves"][0]["name"] == "novels"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        pytest.param("POST", "/books", b"{", {}, 400, id="not-json"),
        pytest.param("POST", "/books", b"[]", {}, 400, id="not-an-object"),
        pytest.param("POST", "/books", b'{"title": "x"}', {}, 400, id="no-author"),
        pytest.param("POST", "/books", b'{"title": 1, "author": "x"}', {}, 400, id="type"),
        pytest.param("PATCH", "/books/1", b'{"pages": 1}', {}, 400, id="unknown-member"),
        pytest.param("PUT", "/books/1/loan", b'{"days": 61}', READER, 400, id="too-long"),
        pytest.param("PUT", "/books/1/loan", b'{"days": 1}', {}, 400, id="no-reader"),
        pytest.param("PUT", "/books/99/loan", b'{"days": 1}', READER, 404, id="no-book"),
        pytest.param("GET", "/books/0", b"", {}, 400, id="not-an-id"),
        pytest.param("GET", "/books?limit=101", b"", {}, 400, id="limit"),
    ],
)
async def test_a_request_that_breaks_the_description_is_refused(
    client: Client, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await client.request(method, path, data=body, headers=headers)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["status"] == status


async def test_it_serves_its_own_description(client: Client) -> None:
    assert isinstance(client.session, ClientSession)
    answer = await client.get("/openapi.yaml")
    assert await answer.read() == DESCRIPTION.read_bytes()
