"""A made-up API behind a gateway, with an answer for all that MCP clients may be told or asked."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

from gateway.catalog import Catalog, Declared, ToolOverride, read_catalog
from gateway.engine import Gateway, Surroundings
from gateway.errors import UpstreamUnreachable
from gateway.messages import Request
from gateway.openapi import read_description
from gateway.upstreams import Upstream
from tests.support.asking import ROOTS, SAMPLE, asks, envelope, form
from tests.support.engine import NOW, UPSTREAM, Answer, FakeClient, StoreWithSwitch
from tests.support.offerings import GREET, NOTE, from_tool
from tests.support.tools import DONE, TEXT, Json, parameter

_JSON = "application/json"
_BODY: Json = {"content": {_JSON: {"schema": {}}}}
_ITEM = parameter("id", "path", TEXT)
PATHS: Json = {
    "/items": {
        "get": {"operationId": "listItems", "parameters": [parameter("q", "query", TEXT)]},
        "post": {"operationId": "addItem", "requestBody": _BODY},
    },
    "/items/{id}": {
        "parameters": [_ITEM, parameter("X-Note", "header", TEXT)],
        "get": {"operationId": "getItem", "responses": DONE},
        "delete": {"operationId": "dropItem", "responses": DONE},
    },
    "/found": {
        "get": {
            "operationId": "findItem",
            "parameters": [
                parameter("region", "query", TEXT),
                parameter("size", "query", {"type": "integer"}),
            ],
        }
    },
}
OVERRIDES = {
    "dropItem": ToolOverride(confirm=True),
    "findItem": ToolOverride(mcp_headers={"region": "Region", "size": "Size"}),
}
TOOLS = frozenset({"listItems", "addItem", "getItem", "dropItem", "findItem"})
ASKING = frozenset({"addItem", "dropItem"})
MIRRORED: Mapping[str, Mapping[str, str]] = {"findItem": {"region": "Region", "size": "Size"}}
_RESOURCES = (NOTE, from_tool("items", "test://items", "listItems"))
RESOURCES = frozenset(resource.uri for resource in _RESOURCES)
PROMPT = "greet"
"""Its argument `who` is required."""


def _answer(kind: str, *chunks: bytes, status: int = 200) -> Answer:
    return Answer(status=status, headers=(("Content-Type", kind),), chunks=chunks)


ANSWERS: Mapping[str, Answer | Exception] = {
    "object": _answer(_JSON, b'{"a":[1,2.5,"\xe2\x80\xa8"],"_meta":{"x":1}}'),
    "array": _answer(_JSON, b'["\xc2\x85",null,true]'),
    "number": _answer(_JSON, b"12345678901234567890123"),
    "broken": _answer(_JSON, b'{"a":'),
    "nan": _answer(_JSON, b'{"a":NaN}'),
    "text": _answer("text/plain", b"line one\nline two\xe2\x80\xa9"),
    "latin": _answer("text/plain; charset=latin-1", b"\xe9\xff"),
    "image": _answer("image/png", b"\x89PNG\r\n\x1a\n"),
    "audio": _answer("audio/x-wav", b"RIFF"),
    "binary": _answer("application/octet-stream", b"\x00\xff"),
    "nothing": _answer("text/plain", status=204),
    "missing": _answer(_JSON, b'{"error":"gone"}', status=404),
    "failing": _answer("text/html", b"<h1>oops</h1>", status=500),
    "refused": UpstreamUnreachable("shop refused"),
}
"""What the API says to `listItems`, by its argument `q`."""

_DONE = {"type": "result", "json": {"done": True}}
_LINK = {"type": "resource_link", "uri": "test://note", "name": "note"}
_URL = {
    "method": "elicitation/create",
    "params": {"mode": "url", "message": "Sign in", "url": "https://shop.test/in"},
}
INTERACTIONS: Mapping[str, Answer] = {
    "form": envelope(asks({"name": form()})),
    "url": envelope(asks({"url": _URL})),
    "sampling": envelope(asks({"sample": SAMPLE})),
    "roots": envelope(asks({"roots": ROOTS})),
    "all": envelope(asks({"a": form(), "b": SAMPLE, "c": ROOTS}, state={"step": 1})),
    "optional": envelope(asks({"a": {**form(), "optional": True}}, state=[1])),
    "twice": envelope(asks({"name": form()}, state="again")),
    "progress": envelope(
        {"type": "progress", "progress": 1, "total": 2, "message": "half\u2028way"},
        {"type": "log", "level": "error", "logger": "shop", "data": {"a": [1]}},
        {"type": "progress", "progress": 2},
        _DONE,
    ),
    "content": envelope({"type": "result", "content": [_LINK, {"type": "text", "text": "x"}]}),
    "silent": envelope({"type": "progress", "progress": 1}),
    "bad": envelope({"type": "nonsense"}),
}
"""What the API says to `addItem`, by the member `ask` of its body."""


class Shop:
    """The API. A call of `listItems` with `q: hold` sets `holding` and waits for `release`."""

    def __init__(self) -> None:
        self.holding = asyncio.Event()
        self._held = asyncio.Event()

    def release(self) -> None:
        """Let all that is held go on; what comes later is held anew."""
        self._held.set()
        self._held = asyncio.Event()

    def answer(self, request: Request) -> Answer | Exception:
        wanted = request.head.target.partition("q=")[2]
        if wanted == "hold":
            self.holding.set()
            return Answer(hold=self._held)
        if request.head.method == "POST":
            return _converse(request.body)
        return ANSWERS.get(wanted, Answer())


def _converse(body: object) -> Answer:
    try:
        value = json.loads(body) if isinstance(body, bytes) else None
    except (ValueError, RecursionError):
        return Answer()
    if not isinstance(value, dict):
        return Answer()
    if value.get("type") == "continue":
        # A second question, and no third.
        again = value.get("state") == "again"
        return envelope(asks({"more": form("More?")}, state={}) if again else _DONE)
    ask = value.get("ask")
    return INTERACTIONS.get(ask, Answer()) if isinstance(ask, str) else Answer()


def gateway_of(shop: Shop) -> Gateway:
    """A gateway in front of it that asks, offers resources and prompts, and repeats arguments."""
    description: Json = {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}}
    read = read_description({**description, "paths": PATHS}, api="shop")
    upstreams: Mapping[str, Upstream] = {"shop": replace(UPSTREAM, interaction=True)}
    client = FakeClient(answer=shop.answer)
    ticks = count()

    return Gateway(
        catalog=Catalog([read_catalog(read, overrides=OVERRIDES)]),
        upstreams=upstreams,
        store=StoreWithSwitch(),
        client=client,
        surroundings=Surroundings(
            now=lambda: NOW,
            monotonic=lambda: next(ticks) / 8,
            random_bytes=lambda size: next(ticks).to_bytes(size, "big"),
        ),
        max_history=5,
        declared=Declared(resources=_RESOURCES, prompts=(GREET,)),
    )
