"""The published JSON Schemas of the revisions of MCP, read more strictly than they are written.

They are silent about unknown members, so that a member of a later revision would pass. Here an
object has the members that its revision names and no others, unless the schema says otherwise.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jsonschema_rs

MODERN = "2026-07-28"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
REVISIONS = (*LEGACY, MODERN)

_SCHEMAS = Path(__file__).with_name("mcp_schemas")
# JSON Schemas of others: any keyword may stand there.
_FOREIGN = {"inputSchema", "outputSchema", "requestedSchema"}

Schema = Mapping[str, object]


class Shapes:
    """What one revision defines: its methods, and the shape of what belongs to each.

    `requests` and `notifications` are names of definitions by method; `pushed` are the methods of
    what a server may say of its own accord, requests and notifications alike.
    """

    def __init__(self, revision: str) -> None:
        document = json.loads((_SCHEMAS / f"{revision}.json").read_text())
        key = "$defs" if "$defs" in document else "definitions"
        self._definitions: Mapping[str, Schema] = document[key]
        closed = {name: _closed(schema, name) for name, schema in self._definitions.items()}
        self._document = {"$schema": document["$schema"], key: closed}
        self._prefix = f"#/{key}/"
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self.requests = self._methods("Request")
        self.notifications = self._methods("Notification")
        unions = ("ServerNotification", "ServerRequest")
        self.pushed = {self._method(name) for union in unions for name in self._members(union)}

    def has(self, definition: str) -> bool:
        return definition in self._definitions

    def result_of(self, method: str) -> str | None:
        """The definition of a method's result, None for a method that the revision lacks."""
        request = self.requests.get(method)
        if request is None:
            return None
        result = request.removesuffix("Request") + "Result"
        return result if self.has(result) else "EmptyResult"

    def error_of(self, code: object) -> str | None:
        """The definition of a whole error response with this code, where there is one."""
        for name, schema in self._definitions.items():
            if name.endswith("Error") and f'"const":{code},' in _text(schema):
                # Some describe the error object only.
                return name if '"jsonrpc"' in _text(schema) else None
        return None

    def names_envelope(self, definition: str) -> bool:
        """Whether the definition speaks of `jsonrpc` and `id`, too."""
        return "jsonrpc" in _object(self._definitions[definition].get("properties"))

    def fault(self, definition: str, value: object) -> str | None:
        """What is wrong with a value, by its first fault; None for nothing."""
        validator = self._validators.get(definition)
        if validator is None:
            schema = {**self._document, "$ref": self._prefix + definition}
            validator = jsonschema_rs.validator_for(schema)
            self._validators[definition] = validator
        for error in validator.iter_errors(value):
            place = "/".join(str(step) for step in error.instance_path)
            return f"{definition}, at /{place}: {error.message:.300}"
        return None

    def _methods(self, suffix: str) -> dict[str, str]:
        ours = (name for name in self._definitions if name.endswith(suffix))
        # Where a union has a single member left, it repeats that member's definition.
        named = {self._method(name): name for name in ours if not name.startswith("Client")}
        return {method: name for method, name in named.items() if method}

    def _method(self, definition: str) -> str:
        properties = _object(self._definitions[definition].get("properties"))
        return str(_object(properties.get("method")).get("const", ""))

    def _members(self, union: str) -> list[str]:
        members = self._definitions.get(union, {}).get("anyOf", [])
        assert isinstance(members, list)
        return [str(member["$ref"]).removeprefix(self._prefix) for member in members]


@cache
def shapes_of(revision: str) -> Shapes:
    return Shapes(revision)


def _closed(schema: object, name: str) -> object:
    """The schema without room for members that it does not name; `name` is where it stands."""
    if not isinstance(schema, dict):
        return schema
    closed = dict(schema)
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            closed[keyword] = _closed(schema[keyword], keyword)
    if "anyOf" in schema:
        closed["anyOf"] = [_closed(each, "anyOf") for each in schema["anyOf"]]
    properties = _object(schema.get("properties"))
    closed["properties"] = {key: _closed(value, key) for key, value in properties.items()}
    if name not in _FOREIGN and not name.endswith("MetaObject") and properties:
        closed.setdefault("additionalProperties", False)
    return closed if properties else {**closed, "properties": {}}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(schema: object) -> str:
    return json.dumps(schema, separators=(",", ":"), sort_keys=True)
