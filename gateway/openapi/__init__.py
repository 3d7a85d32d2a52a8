"""A description in, its operations out."""

from gateway.openapi.canonical import canonical
from gateway.openapi.conversion import Direction, SchemaTooDeep
from gateway.openapi.description import Description, LateReader, read_description
from gateway.openapi.document import (
    MAX_CHAIN,
    Document,
    Node,
    UnresolvedRef,
    base_of,
    join,
    resolve_address,
)
from gateway.openapi.emptiness import admit_empty
from gateway.openapi.encodings import essence_of, is_json, is_media_type
from gateway.openapi.findings import Finding, Severity
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
from gateway.openapi.schemas import Convert, Schemas
from gateway.openapi.servers import absolute_server, read_servers
from gateway.openapi.swagger2 import media_types

__all__ = [
    "MAX_CHAIN",
    "METHODS",
    "Body",
    "Convert",
    "Description",
    "Direction",
    "Document",
    "Encoding",
    "Finding",
    "LateReader",
    "Node",
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
    "essence_of",
    "is_json",
    "is_media_type",
    "join",
    "media_types",
    "read_description",
    "read_servers",
    "resolve_address",
]
