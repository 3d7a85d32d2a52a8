"""Declared resources and prompts in front of a small shop, two APIs of it."""

from gateway.catalog import (
    Catalog,
    Declared,
    DeclaredResource,
    Prompt,
    PromptArgument,
    PromptMessage,
    ResourcePart,
    TextPart,
    ToolOverride,
    ToolPart,
    read_catalog,
    read_template,
)
from gateway.openapi import read_description
from tests.support.tools import DONE, TEXT, Json, parameter

ITEM = parameter("id", "path", {"type": "integer", "examples": [7, 8]})
KIND = parameter("kind", "query", {"enum": ["cup", "Cupboard", "teacup"]})
PATHS: Json = {
    "/items": {
        "get": {"operationId": "listItems", "parameters": [KIND], "responses": DONE},
        "post": {"operationId": "addItem", "responses": DONE},
    },
    "/items/{id}": {"get": {"operationId": "getItem", "parameters": [ITEM], "responses": DONE}},
    "/secret/{name}": {
        "post": {
            "operationId": "ask",
            "parameters": [parameter("name", "path", TEXT)],
            "responses": DONE,
        },
        "get": {
            "operationId": "peek",
            "parameters": [parameter("name", "path", TEXT)],
            "responses": DONE,
        },
    },
}
STOCK_PATHS: Json = {"/stock": {"get": {"operationId": "listStock", "responses": DONE}}}
HIDDEN = {"ask": ToolOverride(hidden=True), "peek": ToolOverride(hidden=True)}


def catalog() -> Catalog:
    """`shop`, two operations of it hidden, and `stock`."""
    return Catalog(
        read_catalog(
            read_description(
                {"openapi": "3.1.0", "info": {"title": name.title(), "version": "1"}, "paths": it},
                api=name,
            ),
            overrides=HIDDEN if name == "shop" else {},
        )
        for name, it in (("shop", PATHS), ("stock", STOCK_PATHS))
    )


def from_tool(name: str, uri: str, tool: str, **rest: str) -> DeclaredResource:
    template = read_template(uri) if "{" in uri else None
    place = f"c.yaml:{name}"
    return DeclaredResource(uri=uri, name=name, template=template, tool=tool, place=place, **rest)  # type: ignore[arg-type]


NOTE = DeclaredResource(uri="test://note", name="note", data=b"a note", media_type="text/plain")
LOGO = DeclaredResource(uri="test://logo", name="logo", data=b"\x89PNG", media_type="image/png")
ITEMS = from_tool("items", "test://items", "listItems")
ONE_ITEM = from_tool("item", "test://items/{id}", "getItem")
PEEK = from_tool("peek", "test://peek/{name}", "peek")
STOCK = from_tool("stock", "test://stock", "listStock")
GREET = Prompt(
    name="greet",
    description="Greets somebody",
    title="Greeting",
    arguments=(
        PromptArgument(name="who", required=True, completions=("Ann", "Bob")),
        PromptArgument(name="uri", description="What to read"),
    ),
    messages=(
        PromptMessage(role="user", part=TextPart(text="Hello {{who}}")),
        PromptMessage(role="assistant", part=ResourcePart(uri="{{uri}}")),
    ),
)
ASK = Prompt(
    name="ask",
    description="Asks the hidden one",
    arguments=(PromptArgument(name="name", required=True), PromptArgument(name="mood")),
    messages=(
        PromptMessage(role="user", part=TextPart(text="So:")),
        PromptMessage(role="assistant", part=ToolPart(tool="ask")),
    ),
    place="c.yaml:ask",
)
DECLARED = Declared(
    resources=(NOTE, LOGO, ONE_ITEM, ITEMS, PEEK, STOCK),
    prompts=(GREET, ASK),
)
