"""A description in, its operations out."""

from gateway.openapi.anchors import DATA_MEMBERS, NAME_MEMBERS
from gateway.openapi.canonical import canonical
from gateway.openapi.conversion import Direction, SchemaTooDeep
from gateway.openapi.cycles import circles
from gateway.openapi.description import Description, LateReader, read_description
from gateway.openapi.document import (
    MAX_CHAIN,
    Document,
    Node,
    UnresolvedRef,
    base_of,
    join,
    quoted,
    resolve_address,
)
from gateway.openapi.emptiness import admit_empty
from gateway.openapi.encodings import essence_of, is_json, is_media_type, read_encodings
from gateway.openapi.extensions import NO_SUPPORT, ContextUse, OcpSupport
from gateway.openapi.findings import Code, Finding, Severity, finding
from gateway.openapi.hygiene import MAX_ARGUMENT_TEXT, clean_data, clean_text, limit_text
from gateway.openapi.model import (
    METHODS,
    Body,
    Encoding,
    Operation,
    Parameter,
    Problem,
    Schema,
    Signature,
)
from gateway.openapi.one_way import OneWay
from gateway.openapi.overlays import apply_overlay
from gateway.openapi.parameters import PLACEHOLDER, WHOLE_QUERY
from gateway.openapi.reach import subschemas
from gateway.openapi.schemas import LEFT_OUT, Build, Convert, Definition, Schemas
from gateway.openapi.servers import absolute_server, read_servers
from gateway.openapi.swagger2 import media_types

__all__ = [
    "DATA_MEMBERS",
    "LEFT_OUT",
    "MAX_ARGUMENT_TEXT",
    "MAX_CHAIN",
    "METHODS",
    "NAME_MEMBERS",
    "NO_SUPPORT",
    "PLACEHOLDER",
    "WHOLE_QUERY",
    "Body",
    "Build",
    "Code",
    "ContextUse",
    "Convert",
    "Definition",
    "Description",
    "Direction",
    "Document",
    "Encoding",
    "Finding",
    "LateReader",
    "Node",
    "OcpSupport",
    "OneWay",
    "Operation",
    "Parameter",
    "Problem",
    "Schema",
    "SchemaTooDeep",
    "Schemas",
    "Severity",
    "Signature",
    "UnresolvedRef",
    "absolute_server",
    "admit_empty",
    "apply_overlay",
    "base_of",
    "canonical",
    "circles",
    "clean_data",
    "clean_text",
    "essence_of",
    "finding",
    "is_json",
    "is_media_type",
    "join",
    "limit_text",
    "media_types",
    "quoted",
    "read_description",
    "read_encodings",
    "read_servers",
    "resolve_address",
    "subschemas",
]
