"""Entity tags and the conditions that name them (RFC 9110 sections 8.8.3 and 13.1)."""

from collections.abc import Iterable
from hashlib import sha256


def etag_of(body: bytes) -> str:
    """The strong tag of a representation: the same bytes have the same one everywhere."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_named(etag: str, fields: Iterable[str]) -> bool:
    """Whether `If-None-Match` fields name the tag: compared weakly, or `*` (section 13.1.2)."""
    tags = {tag.removeprefix("W/") for tag in _tags(fields)}
    return etag in tags or "*" in tags


def is_matched(etag: str, fields: Iterable[str]) -> bool:
    """Whether `If-Match` fields hold for the tag: compared strongly, or `*` (section 13.1.1)."""
    tags = set(_tags(fields))
    return etag in tags or "*" in tags


def is_any(fields: Iterable[str]) -> bool:
    """Whether the fields say `*`: any representation, whatever its tag."""
    return "*" in _tags(fields)


def _tags(fields: Iterable[str]) -> list[str]:
    # None of our own tags has a comma.
    return [tag.strip() for field in fields for tag in field.split(",")]
