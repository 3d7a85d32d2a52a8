"""Body arguments as the bytes of a request."""

import json

import orjson

from gateway.catalog import is_json
from gateway.errors import NotAvailable


def encode_body(value: object, media_type: str) -> tuple[bytes, str]:
    """`value` under `media_type`, and the Content-Type that this makes.

    Raises NotAvailable for a media type that is no JSON. A range of types admits JSON, but names
    none that a Content-Type could carry.
    """
    if media_type in ("*/*", "application/*"):
        media_type = "application/json"
    if is_json(media_type):
        return json_bytes(value), media_type
    raise NotAvailable(f"bodies of type {media_type[:100]} cannot be sent yet, only JSON can")


def json_bytes(value: object) -> bytes:
    """Compact UTF-8 JSON; integers of any size stay exact."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
