"""What must hold of the catalog of any description, whoever wrote it; faults are lines of text.

Written without the gateway's own code where that could share a mistake with it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import jsonschema_rs

from gateway.catalog import ApiCatalog, Tool
from gateway.dialects import ocp_tool
from gateway.openapi import Description, Node, UnresolvedRef, join

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Keywords of JSON Schema 2020-12 by what stands under them; everything else is data.
_ONE = frozenset(
    {"additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames"}
    | {"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
)
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
# Words that would give a reference another meaning than the plain one.
_MOVING = frozenset({"$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$schema"})


def faults_of(description: Description, catalog: ApiCatalog) -> Iterator[str]:
    """Everything that is wrong with the catalog of `description`: nothing, it is hoped."""
    for method, path in sorted(unaccounted(description, catalog)):
        yield f"{method} {path}: neither a tool nor a named problem"
    for name, tool in catalog.tools.items():
        if name != tool.name:
            yield f"{name}: its tool is called {tool.name}"
        yield from (f"{name}: {fault}" for fault in tool_faults(tool))


def tool_faults(tool: Tool) -> Iterator[str]:
    """What is wrong with one tool."""
    if not _NAME.fullmatch(tool.name):
        yield "the name does not match"
    if not _DIGEST.fullmatch(tool.digest):
        yield "the digest is none"
    for kind, schema in (("input", tool.input_schema), ("response", tool.response_schema)):
        yield from (f"{kind} schema: {fault}" for fault in schema_faults(schema))
    if tool.input_schema.get("additionalProperties") is not False:
        yield "input schema: is not closed"
    error = next(_ocp_schema().iter_errors(ocp_tool(tool)), None)
    if error is not None:
        yield f"OCP tool schema: {error.instance_path} {error.message[:200]}"


def schema_faults(schema: dict[str, object]) -> Iterator[str]:
    """What is wrong with one published schema: 2020-12, and closed under its own `$defs`."""
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, Mapping)
    for ref in sorted(_references(schema)):
        if not ref.startswith("#/$defs/") or ref.removeprefix("#/$defs/") not in definitions:
            yield f"the reference {ref[:80]!r} leads nowhere"
    try:
        jsonschema_rs.Draft202012Validator(schema, offline=True)
    except ValueError as error:
        yield str(error).splitlines()[0][:200]


def unaccounted(description: Description, catalog: ApiCatalog) -> set[tuple[str, str]]:
    """Method and path of what the description declares, the catalog lacks and no error names."""
    errors = [p for p in description.problems if p.severity == "error"]
    named = {" ".join(p.message.split()[:2]) for p in errors if " skipped" in p.message}
    places = {p.pointer for p in errors}
    made = {(tool.method, tool.path) for tool in catalog.tools.values()}
    return {
        (method, path)
        for method, path in declared(description) - made
        if " ".join(f"{method} {path}".split()[:2]) not in named
        and join("/paths", path) not in places
    }


def declared(description: Description) -> set[tuple[str, str]]:
    """Method and path of every operation under `paths`."""
    document = description.document
    paths = document.root.get("paths")
    found: set[tuple[str, str]] = set()
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if str(path).startswith("x-") or not isinstance(item, dict):
            continue
        members = set(item)
        try:
            target = document.follow(Node(value=item, pointer=join("/paths", str(path)))).value
        except UnresolvedRef:
            target = {}
        members |= set(target) if isinstance(target, dict) else set()
        found |= {(method.upper(), str(path)) for method in METHODS if method in members}
    return found


def _references(schema: object) -> set[str]:
    """Every reference in a schema, the forbidden words among them."""
    found: set[str] = set()
    todo = [schema]
    while todo:
        value = todo.pop()
        if not isinstance(value, Mapping):
            continue
        found |= {f"{word}={value[word]}" for word in _MOVING & value.keys()}
        if "$ref" in value:
            found.add(str(value["$ref"]))
        for key, part in value.items():
            if key in _ONE:
                todo.append(part)
            elif key in _LISTS and isinstance(part, list):
                todo.extend(part)
            elif key in _NAMED and isinstance(part, Mapping):
                todo.extend(part.values())
    return found


@cache
def _ocp_schema() -> jsonschema_rs.Draft7Validator:
    text = Path(__file__).with_name("ocp-tool.schema.json").read_text()
    return jsonschema_rs.Draft7Validator(json.loads(text), offline=True)
