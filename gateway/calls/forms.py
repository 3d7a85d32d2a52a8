"""`application/x-www-form-urlencoded` bodies (WHATWG URL section 5, OpenAPI 3.1 section 4.8.15)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote_plus, unquote

from gateway.calls.styles import Pairs, query_pairs, text_of
from gateway.openapi import Encoding, Parameter, is_json

FORM_TYPE = "application/x-www-form-urlencoded"


def encode_form(members: Mapping[str, object], encodings: Mapping[str, Encoding]) -> bytes:
    """The members as pairs, in their order; nulls are left out.

    A member without a style is repeated if it is an array and JSON if it is an object.
    """
    return "&".join(
        pair
        for name, member in members.items()
        for pair in _pairs(name, member, encodings.get(name))
    ).encode()


def plain_pairs(name: str, value: object, encoding: Encoding) -> Pairs:
    """The pairs of a member that has a style, nothing percent-encoded."""
    # `allowReserved` lets percent-triplets pass, which must not be decoded here.
    encoded = replace(encoding, allow_reserved=False)
    pairs = _styled(name, value, encoded, encoding.style or "form")
    return [(unquote(key), unquote(text)) for key, text in pairs]


def parts_of(
    value: object, media_type: str | None = None
) -> Iterator[tuple[tuple[int, ...], object]]:
    """What a member without a style is sent as, each with its path in the member.

    That is each item of an array, nulls left out. An array that the description calls JSON is one
    value: by themselves, its objects would be JSON without that.
    """
    if isinstance(value, list | tuple) and not (media_type and is_json(media_type)):
        yield from (((index,), item) for index, item in enumerate(value) if item is not None)
    elif value is not None:
        yield (), value


def part_text(value: object, media_type: str | None) -> str:
    """A part under its media type: by JSON's rules where it is JSON, texts in quotes as well."""
    if media_type and is_json(media_type):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text_of(value)


def _pairs(name: str, value: object, encoding: Encoding | None) -> Iterator[str]:
    if encoding is not None and encoding.style is not None:
        for key, text in _styled(name, value, encoding, encoding.style):
            # A form writes a space as `+`; everything else is percent-encoded alike.
            yield f"{key.replace('%20', '+')}={text.replace('%20', '+')}"
        return
    media_type = encoding.media_type if encoding else None
    for _, part in parts_of(value, media_type):
        yield f"{quote_plus(name)}={quote_plus(part_text(part, media_type))}"


def _styled(name: str, value: object, encoding: Encoding, style: str) -> Pairs:
    parameter = Parameter(
        name=name,
        location="query",
        required=False,
        schema=True,
        pointer="",
        schema_pointer="",
        style=style,
        explode=encoding.explode,
        allow_reserved=encoding.allow_reserved,
        nested=encoding.nested,
    )
    return query_pairs(parameter, value)
