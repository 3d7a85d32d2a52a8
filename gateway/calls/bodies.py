"""Body arguments as the bytes of a request."""

import json

import orjson

from gateway.catalog import is_json
from gateway.errors import NotAvailable


def encode_body(value: object, media_type: str) -> bytes:
    """`value` under `media_type`. Raises NotAvailable for a media type that is no JSON."""
    if is_json(media_type) or media_type == "*/*":
        return json_bytes(value)
    raise NotAvailable(f"bodies of type {media_type[:100]} cannot be sent yet, only JSON can")


def json_bytes(value: object) -> bytes:
    """Compact UTF-8 JSON; integers of any size stay exact."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
