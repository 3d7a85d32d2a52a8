"""Header values that a codec must survive: good ones, broken at every level, and bombs."""

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from gateway.context import (
    AgentContext,
    CalledOperation,
    SessionState,
    encode_session,
    entry_for_call,
    new_context,
    to_mapping,
)

ID = "ocp-0123456789abcdef"
NAMES = (
    "OCP-Context-ID",
    "OCP-Agent-Type",
    "OCP-Current-Goal",
    "OCP-Session",
    "OCP-User",
    "OCP-Workspace",
    "OCP-Version",
)
Headers = tuple[tuple[str, str], ...]
_START = datetime(2026, 1, 1, tzinfo=UTC)
_TOKENS = (
    *(b"null", b"true", b"-1", b"0.5", b"1e400", b"NaN", b"-0", b"1.0", b"18446744073709551616"),
    *(b"9" * 5000, b'"\\ud800"', b'"\\u0000"', b'"x"', b"{}", b"[]", b'{"a":1,"a":2}', b'"' * 3),
    *(b"[" * 200 + b"]" * 200, b'{"a":' * 90 + b"1" + b"}" * 90, b'"2026-01-01T00:00:60Z"'),
    *(b'"2026-13-01T00:00:00Z"', b'"caf\xc3\xa9"', b'"\xff"', b",", b":", b"}", b"]", b" ", b"\\"),
    *(b'"http://h/\\u00e9"', b'"agent_type"', b'"history"', b'"metadata"', b'"context_id"'),
)
_SEPARATORS = b'{}[]:,"'


def grown(entries: int, *, noisy: bool = False) -> AgentContext:
    """A context after that many calls; `noisy` has texts that hardly compress."""
    random = Random(entries)  # noqa: S311 - the same each time
    history = tuple(
        entry_for_call(
            now=_START + timedelta(microseconds=random.randrange(10**12)),
            outcome=random.choice((200, 201, 404, 500)),
            milliseconds=random.randrange(1000),
            tool=random.randbytes(30).hex() if noisy else random.choice(("getPet", "listPets")),
            operation=CalledOperation(api="pets", method="GET", path="/pets/{id}", name="getPet"),
        )
        for _ in range(entries)
    )
    return replace(new_context(ID, "tester", _START), history=history)


def contexts() -> Sequence[AgentContext]:
    small = new_context(ID, "tester", _START)
    nested: object = 1
    for _ in range(60):
        nested = {"a": [nested]}
    rich = replace(
        small,
        user="ada",
        workspace="日本 🐙",
        current_goal='say "hello" \\ and go\n',
        recent_changes=tuple(f"change {number}" for number in range(10)),
        api_specs={"pets": "http://pets.example/openapi.json"},
        session=SessionState(
            start_time=small.created_at, interaction_count=7, agent_type="x", extra={"x": nested}
        ),
    )
    long = replace(small, context_summary="語" * 3_000, error_context="e" * 9_000)
    return (small, rich, grown(3), grown(35), grown(200), grown(60, noisy=True), long)


def _texts() -> list[bytes]:
    mappings = [to_mapping(context) for context in contexts()]
    return [
        text
        for mapping in mappings
        for text in (
            json.dumps(mapping).encode(),
            json.dumps(mapping, separators=(",", ":"), ensure_ascii=False).encode(),
        )
    ]


def packed(text: bytes) -> bytes:
    deflater = zlib.compressobj(1, zlib.DEFLATED, 31, 5)
    return deflater.compress(text) + deflater.flush()


def _tight(text: bytes) -> str:
    """Packed as closely as it goes: what is made of it in less time is longer."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    return "gzip:" + base64.b64encode(deflater.compress(text) + deflater.flush()).decode()


def _tight_values() -> list[str]:
    """Sessions of nearly 8,192 characters, which do not all fit into as many again.

    Besides much history there is a long text, and a time as long, which nothing can be cut from.
    """
    random = Random(1)  # noqa: S311 - the same each time
    words = ["".join(random.choices("0123456789", k=6)) for _ in range(20)]
    small = new_context(ID, "tester", _START)
    digits = "".join(random.choices(words, k=5_700))
    talkative = replace(small, current_goal=digits)
    exact = replace(small, created_at=f"{small.created_at[:-1]}{digits}Z")
    return [
        _tight(json.dumps(to_mapping(context), separators=(",", ":")).encode())
        for context in (grown(300), grown(325), grown(100, noisy=True), talkative, exact)
    ]


_FORMS: Sequence[Callable[[bytes], str]] = (
    lambda text: base64.b64encode(text).decode(),
    lambda text: "gzip:" + base64.b64encode(packed(text)).decode(),
    lambda text: base64.b64encode(packed(text)).decode(),
)
TEXTS = _texts()
_SMALL = [text for text in TEXTS if len(text) < 3_000]
VALUES = [form(text) for text in TEXTS for form in _FORMS]
VALUES += [value for value in map(encode_session, contexts()) if value]
VALUES += _tight_values()
_FITTING = [value for value in VALUES if len(value) <= 8_192]
_PACKED = [packed(text) for text in TEXTS if len(text) < 30_000]


def _crowded(one: bytes, size: int) -> str:
    """A valid session of a few hundred characters, with `size` bytes of that in an open member."""
    small = to_mapping(replace(new_context(ID, "a", _START), current_goal="é"))
    text = json.dumps(small).encode()
    member = b'"session": {"x": [' + one * (size // len(one)) + b"1], "
    return "gzip:" + base64.b64encode(packed(text.replace(b'"session": {', member))).decode()


_BOMBS = [
    *(_crowded(one, size)
      for one in (b"{},", b"[],", b"0,", b"1.1,", b'{"":0},', b'"",', b'"\\u0061",')
      for size in (6_000, 12_000, 64_000)),
    *("gzip:" + base64.b64encode(packed(unit * size)).decode()
      for unit in (b"\0", b"[", b" ", b'{"a":', b'"a":1,', b"9")
      for size in (60_000, 70_000, 1_000_000, 5_000_000)),
    "gzip:" + base64.b64encode(packed(b"") * 300).decode(),
    "gzip:" + base64.b64encode(packed(packed(b"[" * 60_000))).decode(),
    base64.b64encode(b"[" * 6_000).decode(),
    base64.b64encode(b'{"a":' * 1_200).decode(),
    *(length * "A" for length in (8_192, 8_193, 60_000)),
    base64.b64encode(b'{"created_at": "2026-01-01T00:00:00.' + b"1" * 6_000 + b'Z"}').decode(),
]  # fmt: skip


def _broken_value(random: Random) -> str:
    value = random.choice(_FITTING)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(value) + 1)
        match random.randrange(5):
            case 0:
                value = value[:at] + random.choice("A+/=_-: \n\x85é") + value[at + 1 :]
            case 1:
                value = value[:at]
            case 2:
                value = value[at:]
            case 3:
                other = random.choice(_FITTING)
                value = value[:at] + other[random.randrange(len(other)) :]
            case _:
                value = value[:at] + value[at + 4 * random.randint(0, 3) :]
    return value


def _broken_gzip(random: Random) -> str:
    data = bytearray(random.choice(_PACKED))
    for _ in range(random.randint(1, 3)):
        data[random.randrange(len(data))] = random.randrange(256)
    if random.random() < 0.2:
        del data[random.randrange(len(data)) :]
    if random.random() < 0.1:
        data += random.randbytes(random.randint(1, 9))
    return random.choice(("gzip:", "")) + base64.b64encode(data).decode()


def _broken_text(random: Random) -> str:
    text = random.choice(TEXTS if random.random() < 0.1 else _SMALL)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text) + 1)
        match random.randrange(4):
            case 0:
                text = text[:at] + bytes((random.randrange(256),)) + text[at + 1 :]
            case 1:
                text = text[:at] + random.choice(_TOKENS) + text[at:]
            case 2:  # one value for another
                start = text.find(b":", at) + 1
                ends = (text.find(b",", start), text.find(b"}", start))
                end = min((end for end in ends if end > 0), default=len(text))
                text = text[:start] + random.choice(_TOKENS) + text[end:]
            case _:  # a piece again somewhere else: members twice, entries twice
                start = text.find(random.choice(_SEPARATORS), at)
                piece = text[start : start + random.choice((10, 40, 200))]
                text = text[:at] + piece + text[at:]
    return random.choice(_FORMS)(text)


def _odd_members(random: Random) -> str:
    members = json.loads(random.choice(_SMALL))
    for _ in range(random.randint(1, 2)):
        name = random.choice((*members, "user", "extra", "current_file"))
        members[name] = random.choice(
            (None, 5, True, "", "x" * 9_000, "é🐙", [], {}, ["x"] * 11, [{}], 2**63, 1e300, -1)
        )
    return random.choice(_FORMS)(json.dumps(members, ensure_ascii=random.random() < 0.5).encode())


def _noise(random: Random) -> str:
    data = random.randbytes(random.choice((0, 1, 8, 60, 600)))
    match random.randrange(4):
        case 0:
            return data.decode("latin-1")
        case 1:
            return base64.b64encode(data).decode()
        case 2:
            return "gzip:" + base64.b64encode(b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + data).decode()
        case _:
            return random.choice(_FORMS)(data)


_KINDS: Sequence[tuple[Callable[[Random], str], int]] = (
    (_broken_text, 35),
    (_broken_value, 20),
    (_broken_gzip, 15),
    (_odd_members, 12),
    (_noise, 10),
    (lambda random: random.choice(_FITTING), 6),
    (lambda random: random.choice(_BOMBS), 2),
)
_MAKERS = [make for make, weight in _KINDS for _ in range(weight)]


def _claim(random: Random) -> str:
    good = (ID, "tester", "fix it", "ada", "1.0", "", "a, b", "ocp-ffffffff")
    bad = ("x" * 65, "x" * 257, "../x", "a_b", "\x85", "a\r\nX: 1", "\udcff", "日本", "*", "{a}")
    return random.choice(good + bad) if random.random() < 0.8 else _noise(random)


def _spelled(random: Random, name: str) -> str:
    return random.choice((name, name, name.lower(), name.upper(), name.replace("-", "_")))


def some_headers(random: Random) -> Headers:
    """The headers of one message: mostly an id and a session, sometimes anything at all."""
    value = random.choice(_MAKERS)(random)
    if random.random() < 0.8:
        return (("OCP-Context-ID", ID), ("OCP-Session", value))
    pairs = [
        (_spelled(random, name), value if name == "OCP-Session" else _claim(random))
        for name in random.choices(NAMES, k=random.randint(0, 9))
    ]
    pairs.insert(random.randint(0, len(pairs)), ("Host", "pets.example"))
    return tuple(pairs)
