"""Native MCP content from an API: checked against the shapes of its blocks.

It is data: no `uri` is fetched, and of `_meta` only what belongs to nobody else is kept.
"""

import re
from collections.abc import Mapping

from gateway.calls.block_shapes import BLOCKS, LAST_MODIFIED
from gateway.calls.client_uris import is_for_clients
from gateway.calls.content import Audio, Content, Image, Link, Resource, Text
from gateway.calls.envelope_shapes import misfit
from gateway.calls.multipart import decode_base64

Json = Mapping[str, object]

# MCP 2025-11-25 "General fields": labels before a slash, then a name.
_META_KEY = re.compile(
    r"(?P<labels>[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)"
    r"/(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?"
)
# Those two are MCP's, the third is what this gateway and OCP clients say to each other.
_RESERVED = frozenset({"modelcontextprotocol", "mcp", "opencontextprotocol"})
_MAX_KEY = 256
MAX_BLOCKS = 1_000
_LAST_MODIFIED = re.compile(LAST_MODIFIED)


class BadContent(Exception):
    """What is wrong with a block; begins with its place in the line."""


def read_blocks(blocks: list[object]) -> tuple[Content, ...]:
    """The blocks of a `content` list. Raises BadContent."""
    if len(blocks) > MAX_BLOCKS:
        raise BadContent(f"/content: has more than {MAX_BLOCKS:,} blocks")
    return tuple(_block(block, f"/content/{index}") for index, block in enumerate(blocks))


def _block(block: object, at: str) -> Content:
    if not isinstance(block, dict):
        raise BadContent(f"{at}: is no object")
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in BLOCKS:
        raise BadContent(f"{at}/type: is none of {', '.join(BLOCKS)}")
    if reason := misfit(f"block {kind}", block, at):
        raise BadContent(reason)
    annotations, meta = _annotations(block), kept_meta(block.get("_meta"))
    match kind:
        case "text":
            return Text(text=str(block["text"]), annotations=annotations, meta=meta)
        case "image" | "audio":
            made = Image if kind == "image" else Audio
            return made(
                data=_base64(block["data"], f"{at}/data"),
                media_type=str(block["mimeType"]),
                annotations=annotations,
                meta=meta,
            )
        case "resource":
            return _resource(block, at, annotations, meta)
        case _:
            return _link(block, at, annotations, meta)


def _resource(block: Json, at: str, annotations: Json | None, meta: Json | None) -> Resource:
    given = block["resource"]
    inside: Json = given if isinstance(given, Mapping) else {}
    blob = inside.get("blob")
    return Resource(
        uri=_uri(inside["uri"], f"{at}/resource/uri"),
        media_type=_text(inside, "mimeType"),
        text=_text(inside, "text"),
        blob=None if blob is None else _base64(blob, f"{at}/resource/blob"),
        contents_meta=kept_meta(inside.get("_meta")),
        annotations=annotations,
        meta=meta,
    )


def _link(block: Json, at: str, annotations: Json | None, meta: Json | None) -> Link:
    size = block.get("size")
    return Link(
        uri=_uri(block["uri"], f"{at}/uri"),
        name=str(block["name"]),
        title=_text(block, "title"),
        description=_text(block, "description"),
        media_type=_text(block, "mimeType"),
        size=int(size) if isinstance(size, (int, float)) else None,
        annotations=annotations,
        meta=meta,
    )


def _text(members: Json, name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _base64(value: object, at: str) -> str:
    if not isinstance(value, str) or decode_base64(value) is None:
        raise BadContent(f"{at}: is no base64")
    return "".join(value.split())


def _uri(value: object, at: str) -> str:
    uri = str(value)
    if not is_for_clients(uri):
        raise BadContent(f"{at}: has no host that clients can read")
    return uri


def _annotations(block: Json) -> Json | None:
    given = block.get("annotations")
    known = ("audience", "priority", "lastModified")
    found = {k: given[k] for k in known if k in given} if isinstance(given, Mapping) else {}
    if not _LAST_MODIFIED.fullmatch(str(found.get("lastModified", ""))):
        # A client that checks it refuses the whole result, and nobody needs it that much.
        found.pop("lastModified", None)
    return found or None


def kept_meta(given: object) -> Json | None:
    """What an API may say in `_meta`: under a prefix, and one that is not reserved."""
    if not isinstance(given, Mapping):
        return None
    kept = {key: value for key, value in given.items() if _is_free(key)}
    return kept or None


def _is_free(key: object) -> bool:
    if not isinstance(key, str) or len(key) > _MAX_KEY:
        return False
    match = _META_KEY.fullmatch(key)
    return match is not None and _RESERVED.isdisjoint(match["labels"].lower().split("."))
