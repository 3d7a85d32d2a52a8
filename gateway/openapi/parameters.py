"""Parameter and Request Body Objects, references followed and defaults filled in."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import orjson

from gateway.openapi.document import Document, Node, UnresolvedRef, base_of, quoted
from gateway.openapi.encodings import essence_of, is_json, is_media_type, read_encodings
from gateway.openapi.examples import read_examples
from gateway.openapi.model import Body, Parameter, Schema

# OpenAPI 3.1 section 4.8.12.2.1: parameters of these names are ignored.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
# Headers that frame the message, name its peers or belong to the gateway: no argument sets them.
_RESERVED_HEADERS = frozenset(
    {"host", "cookie", "content-length", "transfer-encoding", "connection", "keep-alive", "te"}
    | {"trailer", "upgrade", "expect", "forwarded", "via", "date", "content-encoding"}
)
_RESERVED_PREFIXES = ("x-forwarded-", "proxy-", "ocp-", "mcp-", "sec-")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2

WHOLE_QUERY = "querystring"
_STYLES: Mapping[str, tuple[str, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    # Of OpenAPI 3.2 are the style `cookie`, and the whole query in one `content` parameter.
    "cookie": ("form", "cookie"),
    "querystring": (WHOLE_QUERY,),
}
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Skip(Exception):
    """The operation cannot be used: `reason`, at `pointer`."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


Warnings = list[tuple[str, str]]


Check = Callable[[Parameter], Iterable[tuple[str, str]]]
"""What is to be said of a parameter. Raises Skip, UnresolvedRef or SchemaTooDeep."""


class Parameters:
    """The Parameter Objects of one document; what many operations have is read once."""

    def __init__(self, document: Document, check: Check, *, ref_siblings: bool) -> None:
        """`ref_siblings`: whether a description beside `$ref` counts (3.1) or not (3.0)."""
        self._document = document
        self._ref_siblings = ref_siblings
        self._check = check
        # By the document that a reference stands in and the reference, as it is written.
        self._shared: dict[tuple[str, str], tuple[Parameter | None, Warnings]] = {}
        # Those that nothing is to be said of, by document and text. Generators write the same ones
        # again and again: MS Graph's 37,000 are 1,400.
        self._alike: dict[tuple[str, bytes], Parameter] = {}

    def read(
        self, path: str, shared: Node | None, own: Node | None, pointer: str
    ) -> tuple[tuple[Parameter, ...], Warnings]:
        """The parameters of one operation: those of its path item, overridden by name and place.

        Raises Skip or UnresolvedRef. A placeholder that nobody declares becomes a required text.
        """
        warnings: Warnings = []
        found: dict[tuple[str, str], Parameter] = {}
        for listed in (shared, own):
            if listed is not None:
                self._collect(listed, found, warnings)
        settle_path(path, found, pointer, warnings)
        return tuple(found.values()), warnings

    def _collect(
        self, listed: Node, found: dict[tuple[str, str], Parameter], warnings: Warnings
    ) -> None:
        base = base_of(listed.pointer)
        for index, value in enumerate(_values(listed)):
            ref = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(ref, str):
                entry = Node(value=value, pointer=f"{listed.pointer}/{index}")
                parameter, said = self._read_own(entry, base)
            elif (kept := self._shared.get((base, ref))) is not None:
                parameter, said = kept
            else:
                entry = Node(value=value, pointer=f"{listed.pointer}/{index}")
                parameter, said = self._shared[base, ref] = self._read(entry)
            warnings.extend(said)
            if parameter is not None:
                if self._ref_siblings and (text := _said_beside(value)) is not None:
                    parameter = replace(parameter, description=text)
                found[parameter.location, parameter.name] = parameter

    def _read_own(self, entry: Node, base: str) -> tuple[Parameter | None, Warnings]:
        try:
            key = base, orjson.dumps(entry.value)
        except orjson.JSONEncodeError:  # large integers, many levels
            return self._read(entry)
        if (alike := self._alike.get(key)) is not None:
            return _moved(alike, entry.pointer), []
        parameter, warnings = self._read(entry)
        if parameter is not None and not warnings:
            self._alike[key] = parameter
        return parameter, warnings

    def _read(self, entry: Node) -> tuple[Parameter | None, Warnings]:
        warnings: Warnings = []
        node = self._document.follow(entry)
        parameter = _parameter(node, warnings, self._document)
        if parameter is not None:
            warnings.extend(self._check(parameter))
        return parameter, warnings


def _said_beside(value: object) -> str | None:
    """The description of a Reference Object: before its target's (3.1 section 4.8.23.1)."""
    if not isinstance(value, dict) or len(value) == 1 or not isinstance(value.get("$ref"), str):
        return None
    text = value.get("description")
    return text.strip() if isinstance(text, str) else None


def _moved(parameter: Parameter, pointer: str) -> Parameter:
    """The same parameter in another place. `dataclasses.replace` would take twice the time."""
    schema_pointer = parameter.schema_pointer
    if f"{schema_pointer}/".startswith(f"{parameter.pointer}/"):
        schema_pointer = pointer + schema_pointer[len(parameter.pointer) :]
    return Parameter(
        name=parameter.name,
        location=parameter.location,
        required=parameter.required,
        schema=parameter.schema,
        pointer=pointer,
        schema_pointer=schema_pointer,
        style=parameter.style,
        explode=parameter.explode,
        allow_reserved=parameter.allow_reserved,
        allow_empty=parameter.allow_empty,
        media_type=parameter.media_type,
        description=parameter.description,
        deprecated=parameter.deprecated,
        examples=parameter.examples,
    )


def settle_path(
    path: str, found: dict[tuple[str, str], Parameter], pointer: str, warnings: Warnings
) -> None:
    """Make the path parameters in `found` those that the template has."""
    names = dict.fromkeys(PLACEHOLDER.findall(path)) if "{" in path else {}
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
    if node is not None:
        for index, value in enumerate(_values(node)):
            yield Node(value=value, pointer=f"{node.pointer}/{index}")


def _values(node: Node) -> Sequence[object]:
    if node.value is None:
        return ()
    if not isinstance(node.value, list | tuple):
        raise Skip(node.pointer, "`parameters` is not a list")
    return node.value


def _parameter(node: Node, warnings: Warnings, document: Document) -> Parameter | None:
    raw = node.value
    if not isinstance(raw, dict):
        raise Skip(node.pointer, "a parameter is an object")
    name, location = raw.get("name"), raw.get("in")
    if not isinstance(name, str) or not name:
        leave_out(node, "the parameter has no name", warnings)
        return None
    if not isinstance(location, str) or location not in _STYLES:
        raise Skip(node.pointer, f"the parameter {quoted(name)} has no usable `in`")
    if location == "header" and not is_settable(name, node.pointer, warnings):
        return None
    schema, schema_pointer, media_type = _schema(node, name, document)
    if location == "querystring" and media_type is None:
        raise Skip(node.pointer, f"the parameter {quoted(name)} needs `content`")
    style = raw.get("style", _STYLES[location][0])
    if style not in _STYLES[location] or not isinstance(style, str):
        shown = f"style {quoted(style)}" if isinstance(style, str) else "such a style"
        raise Skip(node.pointer, f"{shown} does not go with a {location} parameter")
    explode = raw.get("explode")
    description = raw.get("description")
    return Parameter(
        name=name,
        location="query" if style == WHOLE_QUERY else location,
        required=raw.get("required") is True or location == "path",
        schema=schema,
        pointer=node.pointer,
        schema_pointer=schema_pointer,
        style=style,
        # OpenAPI 3.2 section 4.12.2.2: true for form and cookie, false for every other style.
        explode=explode if isinstance(explode, bool) else style in ("form", "cookie"),
        allow_reserved=raw.get("allowReserved") is True and location == "query",
        allow_empty=raw.get("allowEmptyValue") is True and location == "query",
        media_type=media_type,
        description=description.strip() if isinstance(description, str) else "",
        deprecated=raw.get("deprecated") is True,
        examples=_examples(node, media_type, document),
    )


def _examples(node: Node, media_type: str | None, document: Document) -> tuple[object, ...]:
    """A parameter's own examples, else those of its media type."""
    own = read_examples(node, document)
    if own or media_type is None or (content := node.child("content")) is None:
        return own
    return read_examples(_media(document, content, media_type), document)


def leave_out(node: Node, reason: str, warnings: Warnings) -> None:
    """Do without a parameter or body that nobody can give. Raises Skip where it is required."""
    if isinstance(node.value, dict) and node.value.get("required") is True:
        raise Skip(node.pointer, reason)
    warnings.append((node.pointer, f"{reason}; left out"))


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
        found = _schema_of(node)
        if not isinstance(found.value, dict | bool):
            raise Skip(found.pointer, f"the schema of {quoted(name)} is no schema")
        return found.value, found.pointer, None
    if not isinstance(content.value, dict) or len(content.value) != 1:
        raise Skip(content.pointer, f"`content` of {quoted(name)} needs exactly one media type")
    media_type = str(next(iter(content.value)))
    found = _schema_of(_media(document, content, media_type))
    if not isinstance(found.value, dict | bool):
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


def read_body(
    document: Document, node: Node | None, warnings: Warnings, *, ref_siblings: bool
) -> Body | None:
    """The request body under the media type that is sent; None where the operation has none."""
    if node is None or node.value is None:
        return None
    beside = _said_beside(node.value) if ref_siblings else None
    node = document.follow(node)
    if not isinstance(node.value, dict):
        raise Skip(node.pointer, "a request body is an object")
    content = node.child("content")
    if content is None or not isinstance(content.value, dict) or not content.value:
        leave_out(node, "the request body has no `content`", warnings)
        return None
    media_type = min((str(key) for key in content.value), key=preference)
    media = _media(document, content, media_type)
    schema = _schema_of(media)
    if not isinstance(schema.value, dict | bool):
        raise Skip(schema.pointer, "the body's schema is no schema")
    description = node.value.get("description") if beside is None else beside
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


def _schema_of(holder: Node) -> Node:
    """The Schema Object of a parameter or a media type; a null, too, says nothing of the value."""
    found = holder.child("schema")
    if found is None or found.value is None:
        return Node(value=True, pointer=holder.pointer)
    return found


def preference(media_type: str) -> tuple[int, str]:
    """JSON first, then what can be sent as a form, then text; ties in the order of the alphabet."""
    essence = essence_of(media_type)
    if essence == "application/json":
        rank = 0
    elif is_json(essence):
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
