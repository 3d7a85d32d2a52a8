"""Which members of which object lead to which objects (OpenAPI 2.0, 3.0, 3.1 and 3.2).

The walk goes where these tables lead and nowhere else: examples, defaults, enumerations and
extensions are data, in which a member named `$ref` is no reference.
"""

from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple


class Shape(Enum):
    """How the objects stand under a member."""

    ONE = auto()
    LIST = auto()
    ONE_OR_LIST = auto()
    MAP = auto()
    PATTERN_MAP = auto()  # a map whose `x-` members are extensions
    REF = auto()  # the member is a reference
    MAPPING = auto()  # a map to references or schema names (discriminator)


class Subject(Enum):
    """What the checks look at more closely; the walk collects these."""

    PATH_ITEM = auto()
    OPERATION = auto()
    SERVER = auto()
    SECURITY = auto()
    LINK = auto()
    SCHEMA = auto()  # a Schema Object that is not inside another one


class Rule(NamedTuple):
    shape: Shape
    table: "Table"
    subject: Subject | None = None


Table = dict[str, Rule]

_LEAF: Table = {}
_SCHEMA: Table = {}
_PATH_ITEM: Table = {}
_HEADER: Table = {}

_SERVER: Table = {}
_SERVERS = Rule(Shape.LIST, _SERVER, Subject.SERVER)
_SECURITY = Rule(Shape.LIST, _LEAF, Subject.SECURITY)
_REF = Rule(Shape.REF, _LEAF)
_ROOT_SCHEMA = Rule(Shape.ONE, _SCHEMA, Subject.SCHEMA)
_EXAMPLE: Table = {"$ref": _REF}
_EXAMPLES = Rule(Shape.MAP, _EXAMPLE)

_SCHEMA.update(
    {
        "$ref": _REF,
        "$dynamicRef": _REF,
        "discriminator": Rule(Shape.ONE, {"mapping": Rule(Shape.MAPPING, _LEAF)}),
    }
)
_SCHEMA.update(
    dict.fromkeys(
        (
            *("additionalProperties", "additionalItems", "not", "if", "then", "else", "contains"),
            *("propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema"),
        ),
        Rule(Shape.ONE, _SCHEMA),
    )
)
_SCHEMA.update(dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), Rule(Shape.LIST, _SCHEMA)))
_SCHEMA.update(
    dict.fromkeys(
        (
            "properties",
            "patternProperties",
            "dependentSchemas",
            "dependencies",
            "$defs",
            "definitions",
        ),
        Rule(Shape.MAP, _SCHEMA),
    )
)
# A schema, or in older drafts a list of them.
_SCHEMA["items"] = Rule(Shape.ONE_OR_LIST, _SCHEMA)

_ENCODING: Table = {"headers": Rule(Shape.MAP, _HEADER)}
_ENCODING["encoding"] = Rule(Shape.MAP, _ENCODING)
_ENCODING["prefixEncoding"] = Rule(Shape.LIST, _ENCODING)
_ENCODING["itemEncoding"] = Rule(Shape.ONE, _ENCODING)
_MEDIA_TYPE: Table = {
    **_ENCODING,
    "$ref": _REF,
    "schema": _ROOT_SCHEMA,
    "itemSchema": _ROOT_SCHEMA,
    "examples": _EXAMPLES,
}
del _MEDIA_TYPE["headers"]
_CONTENT = Rule(Shape.MAP, _MEDIA_TYPE)
_HEADER.update({"$ref": _REF, "schema": _ROOT_SCHEMA, "content": _CONTENT, "examples": _EXAMPLES})
_PARAMETER: Table = dict(_HEADER)
_LINK: Table = {"$ref": _REF, "server": Rule(Shape.ONE, _SERVER, Subject.SERVER)}
_LINKS = Rule(Shape.MAP, _LINK, Subject.LINK)
_RESPONSE: Table = {
    "$ref": _REF,
    "headers": Rule(Shape.MAP, _HEADER),
    "content": _CONTENT,
    "links": _LINKS,
    "schema": _ROOT_SCHEMA,  # 2.0
}
_REQUEST_BODY: Table = {"$ref": _REF, "content": _CONTENT}
# Members have runtime expressions for names; every one of them is a path item.
_CALLBACK: Table = {"$ref": _REF, "*": Rule(Shape.ONE, _PATH_ITEM, Subject.PATH_ITEM)}
_OPERATION: Table = {
    "parameters": Rule(Shape.LIST, _PARAMETER),
    "requestBody": Rule(Shape.ONE, _REQUEST_BODY),
    "responses": Rule(Shape.PATTERN_MAP, _RESPONSE),
    "callbacks": Rule(Shape.MAP, _CALLBACK),
    "servers": _SERVERS,
    "security": _SECURITY,
}
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_PATH_ITEM.update(dict.fromkeys(METHODS, Rule(Shape.ONE, _OPERATION, Subject.OPERATION)))
_PATH_ITEM.update(
    {
        "$ref": _REF,
        "parameters": Rule(Shape.LIST, _PARAMETER),
        "servers": _SERVERS,
        "additionalOperations": Rule(Shape.MAP, _OPERATION, Subject.OPERATION),
    }
)
CALLBACK = _CALLBACK
_PATH_ITEMS = Rule(Shape.MAP, _PATH_ITEM, Subject.PATH_ITEM)

# What an agent can reach; everything below COMPONENTS is only there to be referred to.
ROOT: Table = {
    "paths": Rule(Shape.PATTERN_MAP, _PATH_ITEM, Subject.PATH_ITEM),
    "webhooks": _PATH_ITEMS,
    "x-webhooks": _PATH_ITEMS,  # how 3.0 descriptions say it
    "servers": _SERVERS,
    "security": _SECURITY,
}

COMPONENTS: Mapping[str, Rule] = {
    "schemas": Rule(Shape.ONE, _SCHEMA, Subject.SCHEMA),
    "responses": Rule(Shape.ONE, _RESPONSE),
    "parameters": Rule(Shape.ONE, _PARAMETER),
    "examples": Rule(Shape.ONE, _EXAMPLE),
    "requestBodies": Rule(Shape.ONE, _REQUEST_BODY),
    "headers": Rule(Shape.ONE, _HEADER),
    "securitySchemes": Rule(Shape.ONE, {"$ref": _REF}),
    "links": Rule(Shape.ONE, _LINK, Subject.LINK),
    "callbacks": Rule(Shape.ONE, _CALLBACK),
    "pathItems": CALLBACK["*"],
    "mediaTypes": Rule(Shape.ONE, _MEDIA_TYPE),
}

# Swagger 2.0 keeps its components at the root.
SWAGGER_COMPONENTS: Mapping[str, Rule] = {
    "definitions": COMPONENTS["schemas"],
    "parameters": COMPONENTS["parameters"],
    "responses": COMPONENTS["responses"],
    "securityDefinitions": Rule(Shape.ONE, _LEAF),
}
