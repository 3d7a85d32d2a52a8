"""Media types: what a body of a type is made of."""

import re
from enum import StrEnum

from gateway.openapi import essence_of, is_json, is_media_type

_TEXTUAL = re.compile(
    r"text/.*|application/(.*\+)?(xml|yaml)|application/(x-ndjson|jsonl|json-seq|javascript"
    r"|ecmascript|x-yaml|graphql|sdp|sql|toml|x-www-form-urlencoded)"
)
_BYTES = re.compile(
    r"(?!image/svg\+xml)(image|audio|video|font)/.*"
    r"|application/(octet-stream|pdf|zip|gzip|x-tar|msword|vnd\.(ms-|openxmlformats-).*)"
)


class BodyForm(StrEnum):
    """What makes a request body of its arguments."""

    JSON = "json"
    FORM = "form"
    MULTIPART = "multipart"
    TEXT = "text"  # the one argument is the body's text
    BINARY = "binary"  # the one argument is the body in base64
    UNKNOWN = "unknown"  # nothing can be sent


def body_form(media_type: str, *, is_binary: bool) -> BodyForm:
    """The form of a request body. `is_binary`: whether its schema says that it is bytes."""
    essence = essence_of(media_type)
    if not is_media_type(media_type.strip()):
        return BodyForm.UNKNOWN
    if is_json(essence):
        return BodyForm.JSON
    if essence in ("*/*", "application/*"):
        return BodyForm.BINARY if is_binary else BodyForm.JSON
    if essence == "application/x-www-form-urlencoded":
        return BodyForm.FORM
    if essence.startswith("multipart/"):
        is_form = essence in ("multipart/form-data", "multipart/*")
        return BodyForm.MULTIPART if is_form else BodyForm.UNKNOWN
    is_text = is_textual(essence) or essence.endswith("+xml")
    return BodyForm.TEXT if is_text and not is_binary else BodyForm.BINARY


def is_textual(media_type: str) -> bool:
    """Whether a body of this essence is read as text."""
    return is_json(media_type) or _TEXTUAL.fullmatch(media_type) is not None


def is_bytes(media_type: str) -> bool:
    """Whether content of this essence is certainly no text."""
    return _BYTES.fullmatch(media_type) is not None
