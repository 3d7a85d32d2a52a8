"""The examples in the pages' tables are what the code does."""

import json
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP

import pytest

from gateway.calls import build_request, read_result
from gateway.catalog import BodyForm, Catalog, Tool, ToolOverride, read_catalog
from gateway.catalog.arguments import argument_name
from gateway.errors import InvalidArguments, NotAvailable
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


@pytest.mark.parametrize(("api", "tool", "given", "published"), checked_rows("names.md", "given"))
def test_given_names_in_a_view_of_several_apis(
    api: str, tool: str, given: str, published: str
) -> None:
    catalogs = []
    for each, paths in operations(checked_rows("names.md", "view")).items():
        overrides = {tool: ToolOverride(name=given)} if each == api else {}
        document = {"openapi": "3.1.0", "info": {}, "paths": paths}
        catalogs.append(read_catalog(read_description(document, api=each), overrides=overrides))
    found = Catalog(catalogs).view().tools[published]

    assert (found.api, found.name) == (api, tool)
    assert given in Catalog(catalogs).view(api).tools


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

    result = read_result(tool, head, body.encode())

    assert [type(content).__name__.lower() for content in result.content] == [block]
    value = result.structured.value if result.structured else None
    assert value == (json.loads(structured) if structured else None)


def posting(media_type: str, schema: object, encoding: object = None) -> Tool:
    encodings = {"encoding": {"p": encoding}} if encoding is not None else {}
    body = {"required": True, "content": {media_type: {"schema": schema, **encodings}}}
    return only_tool(described({"/x": {"post": {"requestBody": body}}}))


@pytest.mark.parametrize(("given", "kind", "sent"), checked_rows("serialisation.md", "media"))
def test_media_types(given: str, kind: str, sent: str) -> None:
    tool = posting(given, {})
    forms = {"bytes": BodyForm.BINARY, "nothing can be sent": BodyForm.UNKNOWN}
    assert tool.arguments.body_form is (forms.get(kind) or BodyForm(kind.lower()))
    is_object = tool.arguments.body_form in (BodyForm.FORM, BodyForm.MULTIPART)
    arguments = {"body": {"a": "1"} if is_object else "YQ=="}

    if sent.startswith("501"):
        with pytest.raises(NotAvailable):
            build_request(tool, arguments)
        return
    content_type = header(build_request(tool, arguments).head.headers, "Content-Type")
    assert content_type is not None
    assert content_type.startswith(sent.removesuffix("..."))
    assert sent.endswith("...") or content_type == sent


@pytest.mark.parametrize(("value", "encoding", "sent"), checked_rows("serialisation.md", "forms"))
def test_form_bodies(value: str, encoding: str, sent: str) -> None:
    encodings = json.loads(encoding) if encoding else None
    tool = posting("application/x-www-form-urlencoded", {"type": "object"}, encodings)
    body = build_request(tool, {"body": {"p": json.loads(value)}}).body

    assert isinstance(body, bytes)
    assert (body.decode() or "nothing") == sent


@pytest.mark.parametrize(
    ("schema", "value", "encoding", "shown"), checked_rows("serialisation.md", "multipart")
)
def test_multipart_bodies(schema: str, value: str, encoding: str, shown: str) -> None:
    form = {"type": "object", "properties": {"p": json.loads(schema)}}
    tool = posting("multipart/form-data", form, json.loads(encoding) if encoding else None)
    request = build_request(tool, {"p": json.loads(value)})

    content_type = header(request.head.headers, "Content-Type")
    assert isinstance(request.body, bytes)
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + request.body, policy=HTTP)
    parts = [shown_part(part) for part in message.walk() if part is not message]
    assert "; ".join(parts) == shown.replace("`", "")


def shown_part(part: Message) -> str:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    media_type, filename = part["Content-Type"], part.get_filename()
    as_type = f" as {media_type}" if media_type else ""
    return data.decode() + as_type + (f", file {filename}" if filename else "")
