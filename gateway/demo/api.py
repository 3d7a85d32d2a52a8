"""The demo API over HTTP, as `demo.yaml` describes it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import orjson
from aiohttp import web

from gateway.demo.cover import draw_cover
from gateway.demo.library import Book, Conflict, Library, Loan, stocked_library

DESCRIPTION = Path(__file__).with_name("demo.yaml")

LIBRARY = web.AppKey("library", Library)
_READER = re.compile(r"R-[0-9]{4}")
_SHELVES = {
    "name": "room",
    "shelves": [
        {"name": "north wall", "shelves": [{"name": "novels", "shelves": []}]},
        {"name": "south wall", "shelves": [{"name": "mathematics", "shelves": []}]},
    ],
}


class Refused(Exception):
    """A request that does not keep to the description."""


def make_app() -> web.Application:
    """The demo API with its first books."""
    app = web.Application(middlewares=[_answer_problems])
    app[LIBRARY] = stocked_library()
    app.add_routes(
        [
            web.get("/openapi.yaml", _description),
            web.get("/books", _list_books),
            web.post("/books", _create_book),
            web.get("/books/{id}", _get_book),
            web.patch("/books/{id}", _update_book),
            web.delete("/books/{id}", _delete_book),
            web.get("/books/{id}/cover", _cover),
            web.put("/books/{id}/loan", _borrow),
            web.delete("/books/{id}/loan", _return),
            web.get("/shelves", _shelves),
        ]
    )
    return app


@web.middleware
async def _answer_problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        return _problem(400, "Bad request", str(refused))
    except KeyError:
        return _problem(404, "Not found", "there is no such book")
    except Conflict as conflict:
        return _problem(409, "Conflict", str(conflict))


def _problem(status: int, title: str, detail: str) -> web.Response:
    problem = {"title": title, "status": status, "detail": detail}
    return _json(problem, status=status, content_type="application/problem+json")


def _json(
    value: object, *, status: int = 200, content_type: str = "application/json"
) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type=content_type)


def _book_json(library: Library, book: Book) -> dict[str, object]:
    return {**asdict(book), "available": book.id not in library.loans}


async def _description(_: web.Request) -> web.StreamResponse:
    return web.FileResponse(DESCRIPTION, headers={"Content-Type": "application/yaml"})


async def _list_books(request: web.Request) -> web.Response:
    library = request.app[LIBRARY]
    limit = _count(request.query.get("limit", "20"), most=100)
    found = [
        _book_json(library, book)
        for book in library.books.values()
        if _matches(request, book, available=book.id not in library.loans)
    ]
    return _json({"books": found[:limit], "total": len(found)})


def _matches(request: web.Request, book: Book, *, available: bool) -> bool:
    query = request.query
    wanted = query.get("available")
    return (
        query.get("author", "").casefold() in book.author.casefold()
        and set(query.getall("tag", [])) <= set(book.tags)
        and (wanted is None or (wanted == "true") is available)
    )


async def _create_book(request: web.Request) -> web.Response:
    library = request.app[LIBRARY]
    members = _book_members(await _body(request))
    title, author = members.get("title"), members.get("author")
    if not isinstance(title, str) or not isinstance(author, str):
        raise Refused("title and author are required")
    year, tags = members.get("year"), members.get("tags", ())
    book = library.add(
        title=title,
        author=author,
        year=year if isinstance(year, int) else None,
        tags=tags if isinstance(tags, tuple) else (),
    )
    response = _json(_book_json(library, book), status=201)
    response.headers["Location"] = f"/books/{book.id}"
    return response


async def _get_book(request: web.Request) -> web.Response:
    library = request.app[LIBRARY]
    return _json(_book_json(library, library.books[_book_id(request)]))


async def _update_book(request: web.Request) -> web.Response:
    library = request.app[LIBRARY]
    book = library.change(_book_id(request), _book_members(await _body(request)))
    return _json(_book_json(library, book))


async def _delete_book(request: web.Request) -> web.Response:
    request.app[LIBRARY].remove(_book_id(request))
    return web.Response(status=204)


async def _cover(request: web.Request) -> web.Response:
    book = request.app[LIBRARY].books[_book_id(request)]
    return web.Response(body=draw_cover(book.title), content_type="image/png")


async def _borrow(request: web.Request) -> web.Response:
    body = await _body(request)
    days, note = body.get("days"), body.get("note")
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 60:
        raise Refused("days must be an integer from 1 to 60")
    loan = Loan(
        book_id=_book_id(request),
        reader=_reader(request),
        days=days,
        note=note if isinstance(note, str) else None,
    )
    request.app[LIBRARY].lend(loan, dry_run=request.query.get("dryRun") == "true")
    return _json(asdict(loan))


async def _return(request: web.Request) -> web.Response:
    request.app[LIBRARY].take_back(_book_id(request), _reader(request))
    return web.Response(status=204)


async def _shelves(_: web.Request) -> web.Response:
    return _json(_SHELVES)


def _book_id(request: web.Request) -> int:
    return _count(request.match_info["id"], most=2**53)


def _count(text: str, *, most: int) -> int:
    if not re.fullmatch("[1-9][0-9]{0,15}", text) or int(text) > most:
        raise Refused(f"{text[:20]!r} is not a number from 1 to {most}")
    return int(text)


def _reader(request: web.Request) -> str:
    reader = request.headers.get("X-Reader", "")
    if not _READER.fullmatch(reader):
        raise Refused("X-Reader must be a card number such as R-0042")
    return reader


async def _body(request: web.Request) -> dict[str, object]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise Refused("the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused("the body is not an object")
    return body


def _book_members(body: dict[str, object]) -> dict[str, object]:
    """The known members of a book, their types checked."""
    members: dict[str, object] = {}
    for name, value in body.items():
        match name, value:
            case ("title" | "author", str() as text) if text:
                members[name] = text
            case ("year", int() | None):
                members[name] = value
            case ("tags", list() as tags) if all(isinstance(tag, str) for tag in tags):
                members[name] = tuple(tags)
            case _:
                raise Refused(f"{name[:40]!r} is unknown or has a wrong value")
    return members
