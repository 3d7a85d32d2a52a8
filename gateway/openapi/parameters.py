"""Parameter and Request Body Objects, references followed and defaults filled in."""

import re
from collections.abc import Iterator, Mapping

from gateway.openapi.document import Document, Node, UnresolvedRef, quoted
from gateway.openapi.encodings import essence_of, is_media_type, read_encodings
from gateway.openapi.keywords import is_shallow
from gateway.openapi.model import LOCATIONS, Body, Parameter, Schema

# OpenAPI 3.1 section 4.8.12.2.1: parameters of these names are ignored.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
# Headers that frame the message, name its peers or belong to the gateway: no argument sets them.
_RESERVED_HEADERS = frozenset(
    {"host", "cookie", "content-length", "transfer-encoding", "connection", "keep-alive", "te"}
    | {"trailer", "upgrade", "expect", "forwarded", "via", "date", "content-encoding"}
)
_RESERVED_PREFIXES = ("x-forwarded-", "proxy-", "ocp-", "mcp-", "sec-")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2

_STYLES: Mapping[str, tuple[str, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Skip(Exception):
    """The operation cannot be used: `reason`, at `pointer`."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


Warnings = list[tuple[str, str]]


def read_parameters(
    document: Document, path: str, shared: Node | None, own: Node | None, pointer: str
) -> tuple[tuple[Parameter, ...], Warnings]:
    """The parameters of one operation: those of its path item, overridden by name and place.

    Raises Skip or UnresolvedRef. A placeholder that nobody declares becomes a required text.
    """
    warnings: Warnings = []
    found: dict[tuple[str, str], Parameter] = {}
    for nodes in (shared, own):
        for node in entries(nodes):
            if parameter := _parameter(document.follow(node), warnings, document):
                found[parameter.location, parameter.name] = parameter
    settle_path(path, found, pointer, warnings)
    return tuple(found.values()), warnings


def settle_path(
    path: str, found: dict[tuple[str, str], Parameter], pointer: str, warnings: Warnings
) -> None:
    """Make the path parameters in `found` those that the template has."""
    names = dict.fromkeys(PLACEHOLDER.findall(path))
    for location, name in list(found):
        if location == "path" and name not in names:
            warnings.append((found["path", name].pointer, f"{quoted(name)} is not in the path"))
            del found["path", name]
    for name in names:
        if ("path", name) not in found:
            warnings.append((pointer, f"the path's {quoted(name)} is not declared; taken as text"))
            found["path", name] = _undeclared(name, pointer)


def entries(node: Node | None) -> Iterator[Node]:
    """The members of a list of parameters. Raises Skip where it is none."""
    if node is None or node.value is None:
        return
    if not isinstance(node.value, list | tuple):
        raise Skip(node.pointer, "`parameters` is not a list")
    for index, value in enumerate(node.value):
        yield Node(value=value, pointer=f"{node.pointer}/{index}")


def _parameter(node: Node, warnings: Warnings, document: Document) -> Parameter | None:
    raw = node.value
    if not isinstance(raw, Mapping):
        raise Skip(node.pointer, "a parameter is an object")
    name, location = raw.get("name"), raw.get("in")
    if not isinstance(name, str) or not name:
        raise Skip(node.pointer, "the parameter has no name")
    if location not in LOCATIONS or not isinstance(location, str):
        raise Skip(node.pointer, f"the parameter {quoted(name)} has no usable `in`")
    if location == "header" and not is_settable(name, node.pointer, warnings):
        return None
    schema, schema_pointer, media_type = _schema(node, name, document)
    style = raw.get("style", _STYLES[location][0])
    if style not in _STYLES[location] or not isinstance(style, str):
        shown = f"style {quoted(style)}" if isinstance(style, str) else "such a style"
        raise Skip(node.pointer, f"{shown} does not go with a {location} parameter")
    explode = raw.get("explode")
    description = raw.get("description")
    return Parameter(
        name=name,
        location=location,
        required=raw.get("required") is True or location == "path",
        schema=schema,
        pointer=node.pointer,
        schema_pointer=schema_pointer,
        style=style,
        # OpenAPI 3.1 section 4.8.12.2: true for form, false for every other style.
        explode=explode if isinstance(explode, bool) else style == "form",
        allow_reserved=raw.get("allowReserved") is True and location == "query",
        media_type=media_type,
        description=description.strip() if isinstance(description, str) else "",
        deprecated=raw.get("deprecated") is True,
        examples=(raw["example"],) if "example" in raw and is_shallow(raw["example"]) else (),
    )


def is_settable(name: str, pointer: str, warnings: Warnings) -> bool:
    """Whether a header parameter may be an argument. Raises Skip for what is no header name."""
    # Many servers fold `_` into `-` (CVE-2025-64484), so a twin counts as the header itself.
    lowered = name.lower().replace("_", "-")
    if name.lower() in _IGNORED_HEADERS:
        return False
    if lowered in _RESERVED_HEADERS | _IGNORED_HEADERS or lowered.startswith(_RESERVED_PREFIXES):
        warnings.append((pointer, f"the header {name} cannot be an argument; left out"))
        return False
    if not _TOKEN.fullmatch(name):
        raise Skip(pointer, f"{quoted(name)} is no header name")
    return True


def _schema(node: Node, name: str, document: Document) -> tuple[Schema, str, str | None]:
    """The schema, its pointer, and the media type of a `content` parameter."""
    content = node.child("content")
    if content is None:
        found = node.child("schema") or Node(value=True, pointer=node.pointer)
        if not isinstance(found.value, Mapping | bool):
            raise Skip(found.pointer, f"the schema of {quoted(name)} is no schema")
        return found.value, found.pointer, None
    if not isinstance(content.value, Mapping) or len(content.value) != 1:
        raise Skip(content.pointer, f"`content` of {quoted(name)} needs exactly one media type")
    media_type = str(next(iter(content.value)))
    found = _schema_of(_media(document, content, media_type))
    if not isinstance(found.value, Mapping | bool):
        raise Skip(found.pointer, f"the schema of {quoted(name)} is no schema")
    return found.value, found.pointer, media_type


def _undeclared(name: str, pointer: str) -> Parameter:
    return Parameter(
        name=name,
        location="path",
        required=True,
        schema={"type": "string"},
        pointer=pointer,
        schema_pointer=pointer,
        style="simple",
        explode=False,
    )


def read_body(document: Document, node: Node | None) -> Body | None:
    """The request body under the media type that is sent; None where the operation has none."""
    if node is None or node.value is None:
        return None
    node = document.follow(node)
    if not isinstance(node.value, Mapping):
        raise Skip(node.pointer, "a request body is an object")
    content = node.child("content")
    if content is None or not isinstance(content.value, Mapping) or not content.value:
        raise Skip(node.pointer, "the request body has no `content`")
    media_type = min((str(key) for key in content.value), key=preference)
    media = _media(document, content, media_type)
    schema = _schema_of(media)
    if not isinstance(schema.value, Mapping | bool):
        raise Skip(schema.pointer, "the body's schema is no schema")
    description = node.value.get("description")
    return Body(
        media_type=media_type,
        schema=schema.value,
        pointer=schema.pointer,
        required=node.value.get("required") is True,
        description=description.strip() if isinstance(description, str) else "",
        encodings=read_encodings(media, media_type),
    )


def _media(document: Document, content: Node, media_type: str) -> Node:
    media = content.child(media_type)
    if media is None:
        raise UnresolvedRef(content.pointer, "no media type")
    return document.follow(media)


def _schema_of(media: Node) -> Node:
    return media.child("schema") or Node(value=True, pointer=media.pointer)


def preference(media_type: str) -> tuple[int, str]:
    """JSON first, then what can be sent as a form, then text; ties in the order of the alphabet."""
    essence = essence_of(media_type)
    if essence == "application/json":
        rank = 0
    elif essence.endswith("+json"):
        rank = 1
    elif essence == "application/x-www-form-urlencoded":
        rank = 2
    elif essence == "multipart/form-data":
        rank = 3
    elif essence == "*/*":
        rank = 4
    elif essence.startswith("text/"):
        rank = 5
    elif not essence.startswith("multipart/") and is_media_type(media_type):
        rank = 6
    else:  # nothing can be sent as one of these
        rank = 7
    return rank, media_type
