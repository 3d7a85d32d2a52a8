"""Tools made of a few lines of description."""

from collections.abc import Mapping

from gateway.catalog import ApiCatalog, Tool, read_catalog
from gateway.openapi import read_description

Json = Mapping[str, object]

DONE: Json = {"200": {"description": "Done"}}
TEXT: Json = {"type": "string"}


def api_of(paths: Json, *, name: str = "api", version: str = "3.1.0", **rest: object) -> ApiCatalog:
    """The catalog of an API with these Path Item Objects."""
    info = {"title": name, "version": "1"}
    document = {"openapi": version, "info": info, "paths": paths, **rest}
    return read_catalog(read_description(document, api=name))


def tool_of(
    *parameters: Json,
    path: str = "/things",
    method: str = "get",
    body: Json | None = None,
    responses: Json = DONE,
) -> Tool:
    """The one tool of an API: `body` is a schema, sent as JSON and required."""
    operation: dict[str, object] = {
        "operationId": "use",
        "parameters": list(parameters),
        "responses": responses,
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": True, "content": content}
    (tool,) = api_of({path: {method: operation}}).tools.values()
    return tool


def parameter(name: str, place: str, schema: Json | bool = True, **rest: bool | str) -> Json:
    required = {"required": True} if place == "path" else {}
    return {"name": name, "in": place, "schema": schema, **required, **rest}
