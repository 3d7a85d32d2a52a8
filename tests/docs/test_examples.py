"""The examples in the pages' tables are what the code does."""

import json
from collections.abc import Mapping

import pytest

from gateway.calls import build_request, read_result
from gateway.catalog import Catalog, Tool, read_catalog
from gateway.catalog.arguments import argument_name
from gateway.errors import InvalidArguments
from gateway.messages import ResponseHead, header
from gateway.openapi import read_description
from tests.support.pages import Row, checked_rows, names_in

Json = Mapping[str, object]


def described(paths: Json, api: str = "api") -> Catalog:
    document = {"openapi": "3.1.0", "info": {"title": api, "version": "1"}, "paths": paths}
    return Catalog([read_catalog(read_description(document, api=api))])


def only_tool(catalog: Catalog) -> Tool:
    (tool,) = catalog.view().tools.values()
    return tool


def operations(rows: list[Row]) -> dict[str, dict[str, dict[str, object]]]:
    """The paths of each API that rows of API, operation, operationId and name describe."""
    apis: dict[str, dict[str, dict[str, object]]] = {}
    for api, operation, operation_id, _ in rows:
        method, path = operation.split(" ", 1)
        apis.setdefault(api, {}).setdefault(path, {})[method.lower()] = (
            {"operationId": operation_id} if operation_id else {}
        )
    return apis


def test_tool_names() -> None:
    rows = checked_rows("names.md", "tools")
    named = {
        (api, f"{tool.method} {tool.path}"): name
        for api, paths in operations(rows).items()
        for name, tool in described(paths, api).view().tools.items()
    }

    assert named == {(api, operation): name for api, operation, _, name in rows}


def test_names_in_a_view_of_several_apis() -> None:
    rows = checked_rows("names.md", "view")
    catalogs = [described(paths, api).apis[api] for api, paths in operations(rows).items()]
    view = Catalog(catalogs).view()
    named = {(tool.api, f"{tool.method} {tool.path}"): name for name, tool in view.tools.items()}

    assert named == {(api, operation): name for api, operation, _, name in rows}
    assert view.find("gitlabListRunners") is view.find("listRunners") is not None


@pytest.mark.parametrize(("place", "parameter", "name"), checked_rows("names.md", "arguments"))
def test_argument_names(place: str, parameter: str, name: str) -> None:
    assert argument_name(parameter, place) == name


@pytest.mark.parametrize(("required", "schema", "names"), checked_rows("names.md", "bodies"))
def test_body_arguments(required: str, schema: str, names: str) -> None:
    content = {"application/json": {"schema": json.loads(schema)}}
    body = {"required": required == "yes", "content": content}
    tool = only_tool(described({"/x": {"post": {"requestBody": body}}}))

    assert [argument.name for argument in tool.arguments.items] == names_in(names)


@pytest.mark.parametrize(
    ("place", "style", "explode", "value", "sent"), checked_rows("serialisation.md", "styles")
)
def test_styles(place: str, style: str, explode: str, value: str, sent: str) -> None:
    parameter = {"name": "p", "in": place, "style": style, "explode": explode == "true"}
    operation = {"parameters": [{**parameter, "schema": True, "required": place == "path"}]}
    path = "/x/{p}" if place == "path" else "/x"
    tool = only_tool(described({path: {"get": operation}}))
    arguments = {"p": json.loads(value)}

    if sent == "refused":
        with pytest.raises(InvalidArguments):
            build_request(tool, arguments)
        return
    head = build_request(tool, arguments).head
    name = sent.partition(":")[0]
    seen = {
        "path": head.target,
        "query": head.target.removeprefix("/x") or "nothing",
        "header": f"{name}: {header(head.headers, name)}",
        "cookie": f"{name}: {header(head.headers, name)}",
    }
    assert seen[place] == sent


@pytest.mark.parametrize(
    ("media_type", "body", "block", "structured"), checked_rows("results.md", "results")
)
def test_results(media_type: str, body: str, block: str, structured: str) -> None:
    headers = (("Content-Type", media_type),) if media_type else ()
    tool = only_tool(described({"/x": {"get": {}}}))
    head = ResponseHead(status=200, headers=headers)

    result = read_result(tool, head, body.encode(), complete=True, limit=1_000)

    assert [type(content).__name__.lower() for content in result.content] == [block]
    value = result.structured.value if result.structured else None
    assert value == (json.loads(structured) if structured else None)
