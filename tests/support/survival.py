"""A description from the door to requests: what may be refused, and what must hold of the rest."""

import json
from collections.abc import Iterator, Mapping
from random import Random

from gateway.calls import build_request
from gateway.catalog import ApiCatalog, Catalog, Tool, read_catalog
from gateway.errors import GatewayError
from gateway.openapi import Description, read_description
from gateway.openapi.checking import check_document
from gateway.openapi.overlays import apply_overlay
from gateway.sources.positions import locate
from tests.support.mutations import odd_value
from tests.support.proofs import faults_of

# Tools of one description that calls are made of: the others differ in little.
_CALLED = 6


def survive(root: object, random: Random) -> str:
    """Take `root` as far as it goes: `refused`, or `published` once everything held.

    Anything but a GatewayError that comes out of the gateway's rooms comes out of here, too.
    """
    try:
        description = read_description(root, api="any")
    except GatewayError:
        return "refused"
    catalog = read_catalog(description)
    assert list(faults_of(description, catalog)) == []
    assert len(Catalog([catalog]).digest) == 64
    assert isinstance(description.servers, tuple)
    tools = list(catalog.tools.values())
    for tool in random.sample(tools, min(len(tools), _CALLED)):
        for arguments in (_odd_arguments(tool, random), _likely_arguments(tool, random)):
            call(tool, arguments)
        route(catalog, tool, random)
    inspect(description, random)
    return "published"


def json_text(value: object) -> bytes:
    """JSON of any depth that the parser reads, which is more than orjson writes."""
    return json.dumps(value, separators=(",", ":")).encode()


def call(tool: Tool, arguments: Mapping[str, object]) -> None:
    """Build the request, which is a refusal or one that can be written to a socket."""
    try:
        request = build_request(tool, arguments)
    except GatewayError:
        return
    target = request.head.target
    assert target.startswith("/"), target
    assert target.isascii(), target
    assert target.isprintable(), target
    assert " " not in target, target
    for name, value in request.head.headers:
        assert name.isascii(), name
        assert not set(name) & set(" :\r\n\t\0"), name
        assert value.isascii(), value
        assert not set(value) & set("\r\n\0"), value
    assert request.body is None or isinstance(request.body, bytes)


def route(catalog: ApiCatalog, tool: Tool, random: Random) -> None:
    """Look up what a template may stand for."""
    path = tool.path.replace("{", random.choice(("", "x", "%2f"))).replace("}", "")
    for method in (tool.method, "HEAD", random.choice(("OPTIONS", "TRACE", ""))):
        try:
            catalog.routes.match(method, path)
        except GatewayError:
            continue


def inspect(description: Description, random: Random) -> None:
    """Check the description, find the places, lay something over it."""
    root = description.document.root
    findings = check_document(description.document, description.version)
    pointers = [p.pointer for p in description.problems] + [f.pointer for f in findings]
    located = locate(json_text(root), pointers)
    assert located.keys() == set(pointers)
    actions = [_action(random) for _ in range(random.randint(0, 3))]
    try:
        apply_overlay(root, {"overlay": "1.0.0", "info": odd_value(random), "actions": actions})
    except GatewayError:
        return


def _action(random: Random) -> object:
    target = random.choice(
        (
            "$",
            "$.paths.*",
            "$..schema",
            "$.info",
            "$..*[0]",
            "$..[?@.name == 'a']",
            "$.x",
            "nothing",
        )
    )
    kind = random.choice(("update", "remove", "copy", "x"))
    return {"target": target, kind: True if kind == "remove" else odd_value(random)}


def _odd_arguments(tool: Tool, random: Random) -> dict[str, object]:
    names = [a.name for a in tool.arguments.items] + ["body", "other"]
    return {name: odd_value(random) for name in names if random.random() < 0.7}


def _likely_arguments(tool: Tool, random: Random) -> dict[str, object]:
    """Arguments of the described types, so that most of them get as far as a request."""
    definitions = tool.input_schema.get("$defs")
    known = definitions if isinstance(definitions, Mapping) else {}
    properties = tool.input_schema.get("properties")
    found = properties if isinstance(properties, Mapping) else {}
    return {
        argument.name: _likely(found.get(argument.name), known, random, 6)
        for argument in tool.arguments.items
        if argument.required or random.random() < 0.5
    }


def _likely(
    schema: object, definitions: Mapping[str, object], random: Random, levels: int
) -> object:
    if not isinstance(schema, Mapping) or not levels:
        return random.choice(("x", 1, None, [], {}))
    if named := list(_named_values(schema)):
        return random.choice(named)
    if parts := list(_parts(schema, definitions)):
        return _likely(random.choice(parts), definitions, random, levels - 1)
    kind = schema.get("type")
    kind = random.choice(kind) if isinstance(kind, list) and kind else kind
    if kind == "array" or "items" in schema:
        item = _likely(schema.get("items"), definitions, random, levels - 1)
        return [item] * random.randint(0, 2)
    if kind == "object" or "properties" in schema:
        return _likely_object(schema, definitions, random, levels - 1)
    values: Mapping[object, object] = {"integer": 3, "number": 2.5, "boolean": True, "null": None}
    return values.get(kind, random.choice(("x", "a b&c=d/é", "eA==", "2024-01-01")))


def _parts(schema: Mapping[str, object], definitions: Mapping[str, object]) -> Iterator[object]:
    """The schemas that one may stand for."""
    if isinstance(ref := schema.get("$ref"), str):
        yield definitions.get(ref.rpartition("/")[2])
    for word in ("anyOf", "oneOf", "allOf"):
        if isinstance(parts := schema.get(word), list):
            yield from parts


def _named_values(schema: Mapping[str, object]) -> Iterator[object]:
    if "const" in schema:
        yield schema["const"]
    for word in ("enum", "examples"):
        if isinstance(values := schema.get(word), list):
            yield from values[:1]
    if "default" in schema:
        yield schema["default"]


def _likely_object(
    schema: Mapping[str, object], definitions: Mapping[str, object], random: Random, levels: int
) -> dict[str, object]:
    properties, required = schema.get("properties"), schema.get("required")
    names = required if isinstance(required, list) else []
    made = {
        str(name): _likely(part, definitions, random, levels)
        for name, part in (properties.items() if isinstance(properties, Mapping) else ())
        if name in names or random.random() < 0.5
    }
    return made | {str(name): "x" for name in names if name not in made}
