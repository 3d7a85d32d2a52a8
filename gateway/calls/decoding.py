"""Bodies of answers: content codings, character sets, JSON."""

import codecs
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from gateway.messages import Headers, header_values

# orjson reads deeper than anything can be written again (254 levels, less what goes around it).
MAX_DEPTH = 200
_LONG_NUMBER = re.compile(r"\d{19}")
_GZIP = b"\x1f\x8b"
_CHARSET = re.compile(r"""charset\s*=\s*"?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)


class Undecodable(Exception):
    """The body cannot be read as its head says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A parsed JSON value, which may be None."""

    value: object


def decode_content(
    headers: Headers, body: bytes, *, complete: bool, limit: int
) -> tuple[bytes, bool]:
    """`body` without its gzip or deflate coding, and whether all of it is there.

    At most `limit` bytes come out (RFC 9110 section 8.4; a small body may inflate a thousandfold).
    Raises Undecodable for another coding or a broken stream.
    """
    codings = [
        coding.strip().lower()
        for value in header_values(headers, "content-encoding")
        for coding in value.split(",")
        if coding.strip().lower() not in ("", "identity")
    ]
    if not codings or not body:  # an answer to HEAD has the header, too
        return body, complete
    if len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        raise Undecodable(f"the answer's content coding {', '.join(codings)[:40]!r} is not known")
    return _inflate(body, codings[0], complete=complete, limit=limit)


def _inflate(body: bytes, coding: str, *, complete: bool, limit: int) -> tuple[bytes, bool]:
    # 47: gzip or zlib by its header; deflate in the wild comes raw, too (-15).
    wbits = -15 if coding == "deflate" and body[:1] and body[0] & 0x0F != 8 else 47
    machine = zlib.decompressobj(wbits)
    try:
        decoded = machine.decompress(body, limit)
        # RFC 1952 section 2.2: a gzip file is one member or several.
        while machine.unused_data.startswith(_GZIP) and len(decoded) < limit:
            rest, machine = machine.unused_data, zlib.decompressobj(wbits)
            decoded += machine.decompress(rest, limit - len(decoded))
    except zlib.error as error:
        raise Undecodable(f"the answer's {coding} coding is broken") from error
    is_whole = machine.eof and not machine.unused_data.startswith(_GZIP)
    if complete and not is_whole and len(decoded) < limit:
        raise Undecodable(f"the answer's {coding} coding ends early")
    return decoded, complete and is_whole


def decode_text(body: bytes, content_type: str | None) -> str:
    """`body` as text by its declared charset, else UTF-8; what does not decode is marked U+FFFD."""
    found = _CHARSET.search(content_type or "")
    name = found[1] if found else "utf-8"
    try:
        codecs.lookup(name)
        text = body.decode(name, errors="replace")
    except (LookupError, UnicodeError):  # unknown, or a codec that is no character set
        text = body.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff")


def loads(text: str) -> Loaded | None:
    """`text` parsed as JSON, integers exact; None where it is not JSON, or too deep to write."""
    try:
        # orjson judges: json would take NaN, numbers beyond a double's range and lone surrogates.
        value = orjson.loads(text)
        if text.count("{") + text.count("[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
            return None
        if _LONG_NUMBER.search(text):  # orjson makes floats of integers beyond 64 bits
            value = json.loads(text)
    except ValueError:  # json's own: more digits than Python converts
        return None
    return Loaded(value=value)


def _is_deeper(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
