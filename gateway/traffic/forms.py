"""`multipart/form-data` taken apart (RFC 7578, RFC 2046 section 5.1)."""

import re
from dataclasses import dataclass, field

from gateway.traffic.unreadable import Unreadable

# Parts of one body; servers stop at a thousand as well (PHP's max_input_vars, Django's fields).
MAX_FORM_PARTS = 1_000
_MAX_HEAD = 16_384
_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s"]{1,200}))""", re.IGNORECASE)
_NAME = re.compile(r"""(?:^|;)\s*name\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))""", re.IGNORECASE)
_FILENAME = re.compile(r";\s*filename\*?\s*=", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    """`media_type` is empty where the part names none."""

    name: str
    media_type: str
    is_file: bool
    data: bytes = field(repr=False)


def split_form(body: bytes, content_type: str) -> tuple[FormPart, ...]:
    """The parts of a multipart body. Raises Unreadable."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise Unreadable("has no boundary in its Content-Type")
    boundary = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + boundary, MAX_FORM_PARTS + 1)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Unreadable(f"is no multipart body of at most {MAX_FORM_PARTS} parts")
    return tuple(_part(piece) for piece in pieces[1:-1])


def _part(piece: bytes) -> FormPart:
    head, mark, data = piece.partition(b"\r\n\r\n")
    if not mark or len(head) > _MAX_HEAD:
        raise Unreadable("has a part without a head")
    fields = _fields(head)
    disposition = fields.get("content-disposition", "")
    named = _NAME.search(disposition.partition(";")[2])
    if named is None:
        raise Unreadable("has a part without a name")
    quoted = named[1]
    # Browsers write `"` as %22 (WHATWG HTML section 4.10.22.8), older clients as \".
    name = named[2] if quoted is None else _ESCAPED.sub(r"\1", quoted)
    name = name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
    media_type = fields.get("content-type", "")
    return FormPart(
        name=name,
        media_type=media_type,
        is_file=_FILENAME.search(disposition) is not None or _is_bytes(media_type),
        data=data,
    )


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("utf-8", "replace").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, mark, value in pairs if mark}


def _is_bytes(media_type: str) -> bool:
    return bool(media_type) and not re.match(
        r"text/|application/(.*\+)?json", media_type, re.IGNORECASE
    )
