"""Requests to `/mcp` and lines of stdio, taken from real conversations and broken at random."""

import json
from collections.abc import Callable, Sequence
from random import Random

from tests.support.mcp_heads import Head
from tests.support.mcp_shapes import LEGACY, MODERN
from tests.torture.mcp_corpus import CORPUS, Said

GIANT = 1_500_000
"""Characters of the longest string."""

# What parsers disagree about, and what reaches into the machinery.
_TOKENS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"1E400", b"9" * 30, b"9" * 5_000,
    b"0.1e-5", b"null", b"true", b"{}", b"[]", b'""', b'"\\ud800"', b'"\\udc00\\ud800"',
    b'"\\u0000"', b'"\\u2028"', b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"\xe2\x80\xa8", b"\x00", b"\r\n", b"\n", b"\\", b'"id":1,', b'"id":null,', b'"id":1.0,',
    b'"method":"ping",', b'"_meta":{},', b'"jsonrpc":"2.0",', b'"params":[],', b'"result":{},',
    b'"error":{},', b"[" * 101, b'{"a":' * 101, b"[" * 20_000, b'"s1.AAAA.AAAA"', b'"v1.AAAA"',
    b'"=?base64?AAAA?="', b"//", b"/**/", b",", b":", b"{", b"}", b'"',
)  # fmt: skip
_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1.5, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400, "", "x", "\x00",
    "\ud7ff", "\u2028", "a" * 300, [], {}, [[]], {"": {}}, [None] * 150, "listItems", MODERN,
    *LEGACY, "ping",
)  # fmt: skip
_HEADER_NAMES = (
    "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id", "Accept", "Content-Type",
    "Mcp-Param-Region", "OCP-Context-ID", "OCP-Session", "Last-Event-ID", "Content-Encoding",
    "traceparent",
)  # fmt: skip
_HEADER_VALUES = (
    "", " ", MODERN, *LEGACY, "2099-01-01", "tools/call", "listItems", "=?base64?bGlzdEl0ZW1z?=",
    "=?base64?\u00e9?=", "=?base64??=", "=?base64?", "*/*", "*/*;q=0", "text/event-stream",
    "application/json", "application/json; charset=utf-7", "s1.AAAA.AAAA", "x" * 5_000,
    "\u00e9\u00ff", "\udcff", "a, b", "gzip",
)  # fmt: skip


def some_request(random: Random) -> Said:
    """One of the corpus with none to four things done to it."""
    said = random.choice(CORPUS)
    body, head = said.body, said.head
    for _ in range(random.choice((0, 0, 1, 1, 1, 2, 4))):
        body = random.choice(_BODY_CHANGES)(random, body)
    for _ in range(random.choice((0, 0, 0, 0, 1, 2))):
        head = _change_head(random, head)
    return Said(head=head, body=body, of_session=said.of_session)


def _insert(random: Random, body: bytes) -> bytes:
    at = random.randint(0, len(body))
    return body[:at] + random.choice(_TOKENS) + body[at:]


def _replace(random: Random, body: bytes) -> bytes:
    """A token where some other text was."""
    at = random.randint(0, len(body))
    return body[:at] + random.choice(_TOKENS) + body[at + random.randint(1, 12) :]


def _flip(random: Random, body: bytes) -> bytes:
    changed = bytearray(body or b"x")
    changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _cut(random: Random, body: bytes) -> bytes:
    return body[: random.randint(0, len(body))]


def _repeat(random: Random, body: bytes) -> bytes:
    start = random.randint(0, len(body))
    piece = body[start : start + random.randint(1, 60)]
    return body[:start] + piece * random.choice((2, 3, 50)) + body[start + len(piece) :]


def _restructure(random: Random, body: bytes) -> bytes:
    """Another value somewhere in the tree; what is no JSON stays as it is."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body
    changed = _with_another(random, value, 0)
    return json.dumps(changed, ensure_ascii=random.random() < 0.5).encode("utf-8", "replace")


def _with_another(random: Random, value: object, depth: int) -> object:
    stop = random.random() < 0.25 or depth > 20
    if isinstance(value, dict) and value and not stop:
        key = random.choice(list(value))
        return {**value, key: _with_another(random, value[key], depth + 1)}
    if isinstance(value, list) and value and not stop:
        at = random.randrange(len(value))
        return [*value[:at], _with_another(random, value[at], depth + 1), *value[at + 1 :]]
    if isinstance(value, dict) and value and random.random() < 0.3:
        return {key: value[key] for key in value if key != random.choice(list(value))}
    return random.choice(_VALUES)


def _inflate(random: Random, body: bytes) -> bytes:
    """A giant, now and then: a string, many members, many items."""
    if random.random() > 0.004:
        return _flip(random, body)
    giant = random.choice(
        (
            b'"' + b"a" * GIANT + b'"',
            b'"' + b"\\u2028" * (GIANT // 8) + b'"',
            b"[" + b"0," * (GIANT // 8) + b"0]",
            b"{" + b",".join(b'"%d":0' % number for number in range(GIANT // 32)) + b"}",
            b"[" * (GIANT // 2),
            b"9" * (GIANT // 8),
        )
    )
    return (
        body.replace(b"null", giant, 1) if b"null" in body else body[:-1] + b',"g":' + giant + b"}"
    )


_BODY_CHANGES: Sequence[Callable[[Random, bytes], bytes]] = (
    _insert,
    _replace,
    _flip,
    _cut,
    _repeat,
    _restructure,
    _restructure,
    _restructure,
    _inflate,
)


def _change_head(random: Random, head: Head) -> Head:
    name, value = random.choice(_HEADER_NAMES), random.choice(_HEADER_VALUES)
    kept = tuple(pair for pair in head if pair[0].lower() != name.lower())
    match random.randrange(3):
        case 0:
            return kept
        case 1:
            return (*kept, (name, value))
        case _:
            return (*head, (random.choice((name, name.lower(), name.upper())), value))
