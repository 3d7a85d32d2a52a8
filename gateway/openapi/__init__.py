"""A description in, its operations out."""

from gateway.openapi.description import Description, read_description
from gateway.openapi.document import MAX_CHAIN, Document, Node, UnresolvedRef, join
from gateway.openapi.model import (
    METHODS,
    Body,
    Operation,
    Parameter,
    Problem,
    Schema,
    Signature,
)
from gateway.openapi.schemas import Convert, Direction, Schemas, SchemaTooDeep
from gateway.openapi.servers import first_server

__all__ = [
    "MAX_CHAIN",
    "METHODS",
    "Body",
    "Convert",
    "Description",
    "Direction",
    "Document",
    "Node",
    "Operation",
    "Parameter",
    "Problem",
    "Schema",
    "SchemaTooDeep",
    "Schemas",
    "Signature",
    "UnresolvedRef",
    "first_server",
    "join",
    "read_description",
]
