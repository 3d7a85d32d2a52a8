"""Bodies of answers as text and JSON."""

import codecs
import json
import re
from dataclasses import dataclass

import orjson

# orjson reads deeper than anything can be written again (254 levels, less what goes around it).
MAX_DEPTH = 200
# Every digit becomes 0, everything else a space: then a search for zeros is one for long numbers,
# twenty times as fast as a pattern.
_DIGITS = bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256))
_LONG_NUMBER = b"0" * 19
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
# XML 1.0 section 4.3.3; HTML, "prescan a byte stream". Both look at the beginning only.
_DECLARED_INSIDE = re.compile(
    rb"""<(?:\?xml\s[^>]{0,200}?encoding|meta\s[^>]{0,200}?charset)\s*=\s*["']?([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_BEGINNING = 1_024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Python's codecs that are no character sets of the Web (its docs, "Python Specific Encodings").
# Decoding 200 KB of punycode takes 15 seconds.
_NO_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "palmos", "punycode", "raw-unicode-escape", "undefined"}
    | {"unicode-escape", "base64", "bz2", "hex", "quopri", "rot-13", "uu", "zlib", "utf-7"}
)

# Without a mark: the order that browsers take (WHATWG Encoding, "utf-16").
_UNMARKED = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A parsed JSON value, which may be None."""

    value: object


def charset_of(body: bytes, content_type: str | None, *, is_json: bool = False) -> str:
    """The name, for Python, of the charset of a text that starts with `body`.

    A byte order mark wins, then what the head declares, then what the text says of itself
    (XML, HTML; for JSON its zero bytes, RFC 4627 section 3); else, or if unknown, UTF-8.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return name
    if found := _CHARSET.search(content_type or ""):
        return _usable(found[1])
    if is_json:
        return json.detect_encoding(body[:4])
    if inside := _DECLARED_INSIDE.search(body[:_BEGINNING]):
        return _usable(inside[1].decode("latin-1"))
    return "utf-8"


def _usable(charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return "utf-8"
    return "utf-8" if name.replace("_", "-") in _NO_CHARSETS else _UNMARKED.get(name, name)


def decode_text(body: bytes, charset: str) -> str:
    """`body` as text; what does not decode is marked U+FFFD."""
    return body.decode(charset, errors="replace").removeprefix("\ufeff")


def decode_beginning(body: bytes, charset: str) -> tuple[str, int]:
    """The whole characters at the start of a body that goes on, and how many bytes they are."""
    decoder = codecs.getincrementaldecoder(charset)(errors="replace")
    text = decoder.decode(body)
    return text.removeprefix("\ufeff"), len(body) - len(decoder.getstate()[0])


def loads(text: str) -> Loaded | None:
    """`text` parsed as JSON, integers exact; None where it is not JSON, or too deep to write."""
    try:
        data = text.encode()
        # orjson judges: json would take NaN, numbers beyond a double's range and lone surrogates.
        value = orjson.loads(data)
        if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
            return None
        # orjson makes floats of integers beyond 64 bits.
        if _LONG_NUMBER in data.translate(_DIGITS):
            value = json.loads(text)
    except ValueError:  # json's own: more digits than Python converts
        return None
    return Loaded(value=value)


def _is_deeper(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        # Scalars, most of a large value, need no visit of their own.
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else _items(node))
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _items(node: object) -> list[object]:
    return node if isinstance(node, list) else []
