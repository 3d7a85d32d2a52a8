"""A description in, its operations out."""

from gateway.openapi.description import Description, read_description
from gateway.openapi.document import (
    MAX_CHAIN,
    Document,
    Node,
    UnresolvedRef,
    base_of,
    join,
    resolve_address,
)
from gateway.openapi.encodings import essence_of, is_media_type
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
from gateway.openapi.schemas import Convert, Direction, Schemas, SchemaTooDeep
from gateway.openapi.servers import first_server, read_servers
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
    "Node",
    "Operation",
    "Parameter",
    "Problem",
    "Schema",
    "SchemaTooDeep",
    "Schemas",
    "Signature",
    "UnresolvedRef",
    "base_of",
    "essence_of",
    "first_server",
    "is_media_type",
    "join",
    "media_types",
    "read_description",
    "read_servers",
    "resolve_address",
]
