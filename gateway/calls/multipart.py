"""`multipart/form-data` bodies (RFC 7578): files from base64 or text, objects as JSON."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from gateway.calls.forms import part_text, parts_of, plain_pairs
from gateway.calls.styles import text_of
from gateway.catalog import FILE_MEMBERS, FileUse
from gateway.openapi import Encoding, is_json, is_media_type

FILE_TYPE = "application/octet-stream"
NOT_BASE64 = "is not base64"
# The quote and what ends a line as browsers write them (WHATWG HTML section 4.10.22.8), and every
# other control character, which some reader might stop at.
_ESCAPED = {code: f"%{code:02X}" for code in (*range(0x20), 0x22, 0x7F)}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsendable:
    """A value that no part can be made of: `path` leads to it from the body."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`media_type` and `filename` are None where the part's head names none."""

    name: str
    data: bytes
    media_type: str | None = None
    filename: str | None = None

    @property
    def head(self) -> bytes:
        line = f'Content-Disposition: form-data; name="{self.name.translate(_ESCAPED)}"'
        if self.filename is not None:
            # RFC 7578 section 4.2: as UTF-8, and never by `filename*`.
            line += f'; filename="{self.filename.translate(_ESCAPED)}"'
        if self.media_type is not None:
            line += f"\r\nContent-Type: {self.media_type}"
        return f"{line}\r\n\r\n".encode()


def read_parts(
    name: str, value: object, use: FileUse | None, encoding: Encoding
) -> Iterator[Part | Unsendable]:
    """The parts of one member; `use` is None for what is no file."""
    if use is not None:
        for path, item in parts_of(value):
            yield _file(name, item, use, encoding.media_type, (name, *path))
    elif encoding.style is not None:
        for key, text in plain_pairs(name, value, encoding):
            yield Part(name=key, data=text.encode())
    else:
        for _, item in parts_of(value, encoding.media_type):
            yield _field(name, item, encoding.media_type)


def write_parts(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body and its boundary, which no part contains."""
    boundary = _boundary(parts).encode()
    out = [piece for p in parts for piece in (b"--", boundary, b"\r\n", p.head, p.data, b"\r\n")]
    return b"".join([*out, b"--", boundary, b"--\r\n"]), boundary.decode()


def decode_base64(text: str) -> bytes | None:
    """The bytes (RFC 4648 section 4), line breaks and spaces admitted; None for what is none."""
    try:
        return b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None


def _field(name: str, value: object, media_type: str | None) -> Part:
    if isinstance(value, Mapping | list | tuple) and not (media_type and is_json(media_type)):
        media_type = "application/json"
    return Part(name=name, data=part_text(value, media_type).encode(), media_type=media_type)


def _file(
    name: str, value: object, use: FileUse, media_type: str | None, path: Path
) -> Part | Unsendable:
    if isinstance(value, Mapping) and _is_file(value):
        return _described_file(name, value, media_type or FILE_TYPE, path)
    if not isinstance(value, str) or use is FileUse.TEXT:
        return _field(name, value, media_type)
    data = decode_base64(value)
    if data is None:
        return Unsendable(path=path, reason=NOT_BASE64)
    return Part(name=name, data=data, media_type=media_type or FILE_TYPE, filename=name)


def _is_file(value: Mapping[str, object]) -> bool:
    return value.keys() <= FILE_MEMBERS and ("data" in value) is not ("text" in value)


def _described_file(
    name: str, value: Mapping[str, object], media_type: str, path: Path
) -> Part | Unsendable:
    given = value.get("content_type", media_type)
    if not isinstance(given, str) or not is_media_type(given):
        return Unsendable(path=(*path, "content_type"), reason="is no media type")
    if "text" in value:
        data: bytes | None = text_of(value["text"]).encode()
    else:
        data = decode_base64(text_of(value["data"]))
    if data is None:
        return Unsendable(path=(*path, "data"), reason=NOT_BASE64)
    return Part(name=name, data=data, media_type=given, filename=_filename(value, name))


def _filename(value: Mapping[str, object], name: str) -> str:
    """The last segment of what was given: directories are no affair of the receiver's."""
    given = value.get("filename")
    last = re.split(r"[/\\]", given)[-1] if isinstance(given, str) else ""
    return last if last.strip(". ") else name


def _boundary(parts: Sequence[Part]) -> str:
    """A boundary that no part contains: nobody can write content that holds its own hash."""
    digest = sha256()
    for part in parts:
        digest.update(len(part.data).to_bytes(8, "big") + part.head + part.data)
    return f"ocp-gateway-{digest.hexdigest()[:40]}"
