"""A description against the OpenAPI meta-schemas, and its Schema Objects against their dialect.

The meta-schemas are package data, read once like an import. They refer to nothing outside, and
`offline` refuses to go and look.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

import jsonschema_rs
import orjson

from gateway.openapi.checking.explaining import explain
from gateway.openapi.checking.walking import Spot, pointer_of
from gateway.openapi.findings import Code, Finding, finding

DEFAULT_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The OAS dialects are JSON Schema 2020-12 plus annotations (OpenAPI 3.1 section 4.8.24.4).
_DIALECTS: Mapping[str, str] = {
    "https://spec.openapis.org/oas/3.1/dialect/base": DEFAULT_DIALECT,
    "https://spec.openapis.org/oas/3.1/dialect/2024-11-10": DEFAULT_DIALECT,
    "https://spec.openapis.org/oas/3.2/dialect/2025-09-17": DEFAULT_DIALECT,
    DEFAULT_DIALECT: DEFAULT_DIALECT,
    "https://json-schema.org/draft/2019-09/schema": "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema": "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-06/schema": "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-04/schema": "http://json-schema.org/draft-04/schema#",
}
# `openapi: 3.0` without quotes is a number in YAML; everybody reads it, so nobody is told.
_VERSION_MEMBERS = frozenset({"/openapi", "/swagger"})


def check_structure(root: Mapping[str, object], version: str) -> Iterator[Finding]:
    """What the meta-schema of `version` (`2.0`, `3.0`, `3.1` or `3.2`) says about `root`."""
    for found in _faults(_meta_schema(version), root):
        if found.pointer not in _VERSION_MEMBERS:
            yield found


def check_schemas(root: Mapping[str, object], nodes: Sequence[Spot]) -> Iterator[Finding]:
    """Schema Objects of OpenAPI 3.1 and 3.2 against the meta-schema of their dialect.

    `nodes` are those that stand in no other schema: a meta-schema looks at what is inside.
    """
    usual = root.get("jsonSchemaDialect", DEFAULT_DIALECT)
    unknown: set[object] = set()
    for node in nodes:
        value = node[0]
        if not isinstance(value, Mapping):
            continue
        named = value.get("$schema", usual)
        dialect = _DIALECTS.get(named.rstrip("#")) if isinstance(named, str) else None
        if dialect is not None:
            yield from _schema_faults(dialect, value, node)
        elif str(named) not in unknown:
            unknown.add(str(named))
            text = f"schemas of the dialect {named!s} are not checked"
            yield finding(Code.SCHEMA_DIALECT_UNKNOWN, pointer_of(node), text)


def _schema_faults(dialect: str, value: object, node: Spot) -> Iterator[Finding]:
    validator = _dialect(dialect)
    try:
        if validator.is_valid(value):
            return
    except ValueError:
        return  # not JSON: check_structure has said so
    at = pointer_of(node)
    for found in _faults(validator, value):
        yield finding(Code.SCHEMA_INVALID, at + found.pointer, found.message)


def _faults(validator: jsonschema_rs.Validator, value: object) -> Iterator[Finding]:
    try:
        yield from explain(validator.iter_errors(value), value)
    except (ValueError, RecursionError) as error:
        yield finding(Code.STRUCTURE_DEPTH, "", f"is not JSON that can be checked: {error}")


@cache
def _meta_schema(version: str) -> jsonschema_rs.Validator:
    name = f"schemas/openapi-{version}.json"
    schema = orjson.loads(files("gateway.openapi.checking").joinpath(name).read_bytes())
    return jsonschema_rs.validator_for(schema, mask="value", offline=True)


@cache
def _dialect(uri: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"$schema": uri, "$ref": uri}, mask="value", offline=True)
