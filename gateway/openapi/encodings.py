"""Media types, and Encoding Objects: how the members of a form are written."""

import re
from collections.abc import Mapping

from gateway.openapi.document import Node
from gateway.openapi.model import Encoding

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_JSON = frozenset({"application/json", "text/json", "text/x-json", "application/x-json"})
_STYLES = frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"})
# RFC 9110 section 8.3.1, parameters of printable ASCII: it becomes a header of a part.
_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+( *;[ -~]*)?")


def read_encodings(media: Node, media_type: str) -> Mapping[str, Encoding]:
    """The encodings of a Media Type Object by member; empty for what is no form.

    What is of no use (another type, an unknown style, a member that is no text) is as if absent.
    """
    node = media.child("encoding")
    if node is None or not isinstance(node.value, dict) or essence_of(media_type) not in _FORMS:
        return {}
    return {str(name): _encoding(raw) for name, raw in node.value.items()}


def essence_of(media_type: str) -> str:
    """The media type without its parameters, in lower case (RFC 9110 section 8.3.1)."""
    return media_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether it is JSON: by its name, an older one, or every `+json` (RFC 6839 section 3.1)."""
    essence = essence_of(media_type)
    return essence in _JSON or essence.endswith("+json")


def is_media_type(text: str) -> bool:
    """Whether `text` can stand in a Content-Type."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def _encoding(raw: object) -> Encoding:
    if not isinstance(raw, dict):
        return Encoding()
    given = raw.get("style")
    style = given if isinstance(given, str) and given in _STYLES else None
    explode, reserved = raw.get("explode"), raw.get("allowReserved")
    # OpenAPI 3.1.1 section 4.8.15.1.2: any of the three asks for a style, `form` by default.
    if style is None and (isinstance(explode, bool) or isinstance(reserved, bool)):
        style = "form"
    return Encoding(
        style=style,
        explode=explode if isinstance(explode, bool) else style in (None, "form"),
        allow_reserved=reserved is True,
        media_type=_media_type(raw.get("contentType")),
    )


def _media_type(value: object) -> str | None:
    """The first of a comma-separated list of media types, unless it is a range."""
    first = value.partition(",")[0].strip() if isinstance(value, str) else ""
    return first if is_media_type(first) and "*" not in first else None
