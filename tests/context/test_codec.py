"""The session header against its table of good, bad and hostile values."""

import base64
import gzip
import hashlib
import json
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.context import (
    AgentContext,
    CalledOperation,
    HistoryEntry,
    Reject,
    SessionState,
    decode_session,
    encode_session,
    entry_for_call,
    is_valid_context,
    new_context,
    to_mapping,
)
from gateway.context.decoding import MAX_JSON_PARTS

ID = "ocp-a1b2c3d4"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = new_context(ID, "tester", NOW)
MEMBERS = to_mapping(CONTEXT)
SESSION = {"start_time": "2026-01-01T00:00:00Z", "interaction_count": 0, "agent_type": ""}
ENTRY = {"timestamp": "2026-01-01T00:00:00Z", "action": "x"}


def plain(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def zipped(data: bytes | str) -> str:
    return "gzip:" + plain(gzip.compress(data.encode() if isinstance(data, str) else data))


def session(**members: object) -> str:
    return plain(json.dumps(MEMBERS | members))


def grown(entries: int) -> AgentContext:
    operation = CalledOperation(api="pets", method="GET", path="/pets/{id}", name="getPet")
    history = tuple(
        entry_for_call(
            now=NOW + timedelta(seconds=number, microseconds=number * number),
            outcome=200 + number % 300,
            milliseconds=number * 7919 % 1000,
            tool=f"getPet{number * 31 % 97}",
            operation=operation,
        )
        for number in range(entries)
    )
    return replace(CONTEXT, history=history)


JSON = json.dumps(MEMBERS)
COMPACT = json.dumps(MEMBERS, separators=(",", ":"))


@pytest.mark.parametrize(
    "value",
    [
        plain(JSON),
        zipped(JSON),
        plain(gzip.compress(JSON.encode())),
        plain(json.dumps(MEMBERS, indent=2)),
        plain(json.dumps(MEMBERS | dict.fromkeys(("user", "workspace", "current_file")))),
    ],
    ids=["plain", "prefix_and_gzip", "gzip", "with_spaces", "with_nulls"],
)
def test_every_form_in_the_wild_is_read(value: str) -> None:
    assert decode_session(value, ID) == CONTEXT


@pytest.mark.parametrize(
    "text", ["2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123456+00:00", "2026-01-01t00:00:00z"]
)
def test_every_way_of_writing_a_time_is_kept_as_it_is(text: str) -> None:
    context = decode_session(session(created_at=text), ID)
    assert isinstance(context, AgentContext)
    assert context.created_at == text


def test_escaped_and_raw_text_are_the_same() -> None:
    members = MEMBERS | {"current_goal": "日本 🐙"}
    escaped = decode_session(plain(json.dumps(members)), ID)
    raw = decode_session(plain(json.dumps(members, ensure_ascii=False)), ID)
    assert isinstance(raw, AgentContext)
    assert escaped == raw == replace(CONTEXT, current_goal="日本 🐙")


def test_foreign_session_members_are_kept() -> None:
    value = session(session={"start_time": CONTEXT.created_at, "interaction_count": 3.0,
                             "agent_type": "x", "mood": ["good"]})  # fmt: skip
    context = decode_session(value, ID)
    assert isinstance(context, AgentContext)
    assert context.session == SessionState(
        start_time=CONTEXT.created_at, interaction_count=3, agent_type="x", extra={"mood": ["good"]}
    )


def padded(length: int) -> str:
    """A valid plain session of exactly that many characters."""
    size = length // 4 * 3
    empty = json.dumps(MEMBERS | {"current_goal": ""})
    return plain(json.dumps(MEMBERS | {"current_goal": "g" * (size - len(empty))}))


def test_the_longest_value_is_read() -> None:
    value = padded(8192)
    assert len(value) == 8192
    assert isinstance(decode_session(value, ID), AgentContext)


@pytest.mark.parametrize(
    "value", [padded(8196), padded(8192) + "=", "A" * 60_000], ids=["8196", "8193", "60000"]
)
def test_a_longer_value_is_ignored(value: str) -> None:
    assert decode_session(value, ID) is Reject.TOO_LONG


GOOD = plain(JSON)


@pytest.mark.parametrize(
    "value",
    {
        "empty": "",
        "padding_only": "=",
        "padding_quad": "====",
        "url_safe": plain(b'{"a":"\xff\xfe?>"}').replace("/", "_").replace("+", "-"),
        "no_padding": plain("{}  ").rstrip("="),
        "short_padding": plain("{}  ")[:-1],
        "padding_inside": "e30=" + GOOD,
        "inner_space": GOOD[:8] + " " + GOOD[8:],
        "inner_newline": GOOD[:76] + "\n" + GOOD[76:],
        "trailing_newline": GOOD + "\n",
        "leading_space": " " + GOOD,
        "foreign": "$" + GOOD[1:],
        "non_canonical_two": "e31=",
        "non_canonical_one": "eyB9fR==",
        "not_ascii": GOOD[:-4] + "éééé",
        "surrogate": "\udcff" * 4,
        "other_digits": "\u0661" * 4,
        "upper_prefix": "GZIP:" + zipped(JSON)[5:],
        "spaced_prefix": "gzip: " + zipped(JSON)[5:],
        "prefix_twice": "gzip:" + zipped(JSON),
        "prefix_alone": "gzip:",
    }.items(),
    ids=lambda item: item[0],
)
def test_base64_is_strict(value: tuple[str, str]) -> None:
    assert decode_session(value[1], ID) is Reject.BASE64


WHOLE = gzip.compress(JSON.encode())


@pytest.mark.parametrize(
    "data",
    {
        "truncated": WHOLE[:-9],
        "no_trailer": WHOLE[:-8],
        "short_trailer": WHOLE[:-1],
        "head_only": WHOLE[:10],
        "magic_only": WHOLE[:2],
        "bad_checksum": WHOLE[:-8] + bytes(4) + WHOLE[-4:],
        "bad_length": WHOLE[:-4] + bytes(4),
        "bad_method": WHOLE[:2] + b"\x07" + WHOLE[3:],
        "junk_behind": WHOLE + b"junk",
        "two_members": WHOLE + gzip.compress(b""),
        "many_empty_members": gzip.compress(b"") * 250,
    }.items(),
    ids=lambda item: item[0],
)
def test_gzip_is_one_whole_member(data: tuple[str, bytes]) -> None:
    assert decode_session("gzip:" + plain(data[1]), ID) is Reject.GZIP
    assert decode_session(plain(data[1]), ID) is Reject.GZIP


@pytest.mark.parametrize(
    "data", [zlib.compress(JSON.encode()), JSON.encode()], ids=["zlib", "none"]
)
def test_the_prefix_means_gzip(data: bytes) -> None:
    assert decode_session("gzip:" + plain(data), ID) is Reject.GZIP


def test_gzip_inside_gzip_is_no_json() -> None:
    assert decode_session("gzip:" + plain(gzip.compress(WHOLE)), ID) is Reject.JSON


@pytest.mark.parametrize(
    "data", [b"[" * 3_000_000, b" " * 5_000_000, bytes(65_537)], ids=["nested", "blank", "65537"]
)
def test_a_bomb_is_not_inflated(data: bytes) -> None:
    assert decode_session(zipped(data), ID) is Reject.TOO_LARGE


def crowded(count: int, one: str, *, escaped: bool) -> str:
    """A valid session of a few hundred characters, in whose open member there is that much."""
    members = json.dumps(
        MEMBERS
        | {"session": {"start_time": CONTEXT.created_at, "interaction_count": 0, "agent_type": "a"}}
    )
    agent = '"agent_type": "a", "x": [' + f"{one}," * count + "1]}"
    text = members.replace('"agent_type": "a"}', agent)
    value = zipped(text.replace('"tester"', '"\\u0074ester"') if escaped else text)
    assert len(text) <= 65_536
    assert len(value) <= 600
    return value


@pytest.mark.parametrize("escaped", [False, True], ids=["plain", "escaped"])
@pytest.mark.parametrize("one", ["{}", "[]", "0", '""', '{"":0}', "[1,2]"])
def test_a_few_characters_do_not_unfold_to_thousands_of_values(one: str, escaped: bool) -> None:
    parts = sum(map(one.count, "{[,")) + 1
    some = crowded(MAX_JSON_PARTS // parts - 40, one, escaped=escaped)
    assert isinstance(decode_session(some, ID), AgentContext)
    more = crowded(MAX_JSON_PARTS // parts + 1, one, escaped=escaped)
    assert decode_session(more, ID) is Reject.TOO_LARGE


SHORTEST = {"timestamp": "2026-01-01T00:00:00Z", "action": ""}


@pytest.mark.parametrize(
    "members",
    [
        {"history": [SHORTEST] * 1_300},
        {"history": [SHORTEST | {"metadata": {"api": "a", "ms": 1}}] * 700},
        {"api_specs": {f"{number:x}": "a:b" for number in range(2_500)}},
        {"context_summary": "[{}]," * 12_000},
        {"context_summary": '"[{}],' * 9_000},
    ],
    ids=["history", "metadata", "api_specs", "text", "escaped_text"],
)
def test_what_a_context_needs_much_of_is_read(members: dict[str, object]) -> None:
    decoded = decode_session(zipped(json.dumps(MEMBERS | members, separators=(",", ":"))), ID)
    assert isinstance(decoded, AgentContext)
    for name, member in members.items():
        assert len(to_mapping(decoded)[name]) == len(member)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        zipped(b"\0" * 6_280_000),
        crowded(21_000, "{}", escaped=True),
        crowded(12_000, '"ab"', escaped=True),
        "gzip:" + plain(gzip.compress(b"") * 300),
        plain(b"[" * 6_000),
        "gzip:" + plain(WHOLE + b"junk"),
    ],
    ids=["six_megabytes", "objects", "texts", "empty_members", "nested", "junk"],
)
def test_what_is_ignored_takes_little_memory(value: str) -> None:
    assert len(value) <= 8192
    tracemalloc.start()
    try:
        assert isinstance(decode_session(value, ID), Reject)
        assert tracemalloc.get_traced_memory()[1] <= 512 * 1024
    finally:
        tracemalloc.stop()


def test_sixty_four_kibibytes_are_inflated() -> None:
    text = json.dumps(MEMBERS)
    text += " " * (65_536 - len(text))
    assert decode_session(zipped(text), ID) == CONTEXT


@pytest.mark.parametrize(
    "text",
    {
        "empty": "",
        "none": "nothing",
        "truncated": JSON[:-1],
        "trailing": JSON + "x",
        "two": JSON + JSON,
        "nan": JSON[:-1] + ', "user": NaN}',
        "infinity": JSON[:-1] + ', "user": -Infinity}',
        "huge_float": JSON[:-1] + ', "user": 1e400}',
        "digits": JSON[:-1] + ', "user": ' + "9" * 5000 + "}",
        "beyond_64_bits": JSON[:-1] + ', "user": 18446744073709551616}',
        "below_64_bits": JSON[:-1] + ', "user": -9223372036854775809}',
        "long_number_and_spaces": JSON[:-1] + ', "user" : 99999999999999999999}',
        "duplicate": JSON[:-1] + ', "agent_type": "other"}',
        "duplicate_inside": JSON[:-1] + ', "x": {"a": 1, "a": 2}}',
        "lone_surrogate": JSON[:-1] + ', "user": "\\ud800"}',
        "half_pair": JSON[:-1] + ', "user": "\\udc00\\ud800"}',
        "single_quotes": JSON.replace('"', "'"),
        "comment": JSON + "/**/",
        "byte_order_mark": "\ufeff" + JSON,
        "duplicate_compact": COMPACT[:-1] + ',"agent_type":"other"}',
        "duplicate_same": COMPACT[:-1] + ',"agent_type":"tester"}',
        "duplicate_escaped": COMPACT[:-1] + ',"agent\\u005ftype":"tester"}',
        "duplicate_hidden_by_escapes": COMPACT[:-1] + ',"x":1,"x":2,"y":"\\u0022\\u0022"}',
        "duplicate_in_metadata": JSON[:-1] + ', "x": {"a": "\\"", "a": 2}}',
        "deep_array": JSON[:-1] + ', "user": ' + "[" * 300 + "]" * 300 + "}",
        "very_deep": "[" * 6000,
        "deep_objects": '{"a":' * 900 + "1" + "}" * 900,
    }.items(),
    ids=lambda item: item[0],
)
def test_json_is_strict(text: tuple[str, str]) -> None:
    reject = decode_session(plain(text[1]), ID)
    assert reject is (Reject.JSON if text[1] else Reject.BASE64)


@pytest.mark.parametrize(
    "data", [b"\xff", JSON.encode("utf-16"), JSON.encode("utf-32"), b'{"a": "\xc0\xaf"}']
)
def test_text_is_utf_8(data: bytes) -> None:
    assert decode_session(plain(data), ID) is Reject.JSON


@pytest.mark.parametrize(
    "text", ["[]", "null", '"text"', "5", "true", "[{}]", "{}"], ids=lambda text: text
)
def test_a_session_is_an_object_with_its_members(text: str) -> None:
    assert decode_session(plain(text), ID) is Reject.SCHEMA


@pytest.mark.parametrize(
    "members",
    [
        {"extra": 1},
        {"agent_type": None},
        {"created_at": 5},
        {"created_at": "yesterday"},
        {"created_at": "2026-01-01T00:00:00"},
        {"created_at": "2026-02-30T00:00:00Z"},
        {"created_at": "2026-01-01T0*:00:00Z"},
        {"created_at": "2026-01-01T00:0/:00.5Z"},
        {"created_at": "202,-01-01T00:00:00+00:00"},
        {"history": [ENTRY | {"timestamp": "2026-01-01T00:00:00+0-:00"}]},
        {"last_updated": "2026-01-01"},
        {"last_updated": "2026-01-01T00:00:00Z\n"},
        {"user": 5},
        {"recent_changes": ["x"] * 11},
        {"recent_changes": None},
        {"recent_changes": [5]},
        {"session": {}},
        {"session": {"start_time": "x", "interaction_count": 0, "agent_type": ""}},
        {"session": SESSION | {"interaction_count": -1}},
        {"session": SESSION | {"interaction_count": 0.5}},
        {"session": SESSION | {"interaction_count": 1e300}},
        {"history": [{}]},
        {"history": [{"timestamp": "x", "action": "y"}]},
        {"history": [ENTRY | {"more": 1}]},
        {"history": [ENTRY | {"metadata": None}]},
        {"history": {}},
        {"api_specs": {"pets": "cache"}},
        {"api_specs": {"pets": "/relative"}},
        {"api_specs": {"a b": "http://pets.example"}},
        {"api_specs": {"pets\n": "http://pets.example"}},
        {"context_id": "my-conversation"},
        {"context_id": ID + "\n"},
    ],
    ids=str,
)  # fmt: skip
def test_the_schema_holds(members: dict[str, object]) -> None:
    assert decode_session(session(**members), ID) is Reject.SCHEMA


@pytest.mark.parametrize("name", ["context_id", "agent_type", "created_at", "last_updated"])
def test_required_members_are_required(name: str) -> None:
    members = {key: value for key, value in MEMBERS.items() if key != name}
    assert decode_session(plain(json.dumps(members)), ID) is Reject.SCHEMA


@pytest.mark.parametrize("context_id", ["ocp-a1b2c3d5", "ocp-A1B2C3D4", "", "other"])
def test_a_session_of_another_context_is_ignored(context_id: str) -> None:
    assert decode_session(plain(JSON), context_id) is Reject.ID_MISMATCH


def test_ten_thousand_entries_are_ignored() -> None:
    value = zipped(json.dumps(MEMBERS | {"history": [ENTRY] * 10_000}))
    assert decode_session(value, ID) is Reject.TOO_LARGE


@settings(max_examples=300)
@given(st.text() | st.text("ABCefgi3:=+/w0H4s", max_size=40).map("gzip:".__add__))
def test_no_text_ever_raises(value: str) -> None:
    assert isinstance(decode_session(value, ID), Reject)


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([plain, zipped]))
def test_no_bytes_ever_raise(data: bytes, form: object) -> None:
    assert callable(form)
    assert isinstance(decode_session(form(data), ID), Reject)


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255), st.sampled_from(["", "gzip:"]))
def test_a_changed_byte_gives_the_context_or_a_reason(
    position: int, byte: int, prefix: str
) -> None:
    changed = WHOLE[:position] + bytes([byte]) + WHOLE[position + 1 :]
    decoded = decode_session(prefix + plain(changed), ID)
    assert decoded == CONTEXT or isinstance(decoded, Reject)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from([*MEMBERS, "user", "x"]), JSON_VALUES), st.booleans())
def test_no_json_ever_raises(members: dict[str, object], whole: bool) -> None:
    decoded = decode_session(session(**members) if whole else plain(json.dumps(members)), ID)
    assert isinstance(decoded, AgentContext | Reject)


# What follows is about writing.

TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
METADATA = st.dictionaries(
    st.text(max_size=8),
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)
    | st.floats(allow_nan=False, allow_infinity=False),
    max_size=3,
)  # fmt: skip
TEXTS = st.none() | st.text(max_size=60)
CONTEXTS = st.builds(
    AgentContext,
    context_id=st.from_regex(r"ocp-[a-f0-9]{8,60}", fullmatch=True),
    agent_type=st.text(max_size=20),
    created_at=TIMES,
    last_updated=TIMES,
    user=TEXTS,
    workspace=TEXTS,
    current_file=TEXTS,
    current_goal=TEXTS,
    context_summary=TEXTS,
    error_context=TEXTS,
    recent_changes=st.lists(st.text(max_size=20), max_size=10).map(tuple),
    session=st.none()
    | st.builds(
        SessionState,
        start_time=TIMES,
        interaction_count=st.integers(0, 2**63 - 1),
        agent_type=st.text(max_size=20),
        extra=METADATA.map(lambda extra: {f"x-{key}": value for key, value in extra.items()}),
    ),
    history=st.lists(
        st.builds(
            HistoryEntry,
            timestamp=TIMES,
            action=st.text(max_size=20),
            api_endpoint=TEXTS,
            result=TEXTS,
            metadata=METADATA,
        ),
        max_size=5,
    ).map(tuple),
    api_specs=st.dictionaries(
        st.from_regex(r"[a-zA-Z0-9_-]{1,9}", fullmatch=True),
        st.just("https://pets.example/openapi.json"),
        max_size=3,
    ),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(CONTEXTS)
def test_what_fits_comes_back_as_it_was(context: AgentContext) -> None:
    encoded = encode_session(context)
    assert encoded is not None
    assert decode_session(encoded, context.context_id) == context


def test_short_json_goes_plain_and_long_json_as_gzip() -> None:
    shortest = len(json.dumps(MEMBERS, separators=(",", ":")) + ',"current_goal":""')
    at_limit = replace(CONTEXT, current_goal="g" * (1024 - shortest))
    plain_form = encode_session(at_limit)
    assert plain_form is not None
    assert len(base64.b64decode(plain_form, validate=True)) == 1024
    above = encode_session(replace(CONTEXT, current_goal="g" * (1025 - shortest)))
    assert above is not None
    assert above.startswith("gzip:")
    inflated = gzip.decompress(base64.b64decode(above.removeprefix("gzip:"), validate=True))
    assert len(inflated) == 1025


def test_the_limit_counts_bytes_of_utf_8() -> None:
    encoded = encode_session(replace(CONTEXT, current_goal="語" * 300))
    assert encoded is not None
    assert encoded.startswith("gzip:")


def test_the_same_context_gives_the_same_bytes() -> None:
    context = grown(50)
    encoded = encode_session(context)
    assert encoded == encode_session(context)
    assert encoded is not None
    stamp = base64.b64decode(encoded.removeprefix("gzip:"))[4:8]
    assert stamp == bytes(4)


@pytest.mark.parametrize("entries", [0, 1, 100, 290, 500, 2_000])
def test_a_long_history_loses_its_oldest_entries(entries: int) -> None:
    context = grown(entries)
    encoded = encode_session(context)
    assert encoded is not None
    assert len(encoded) <= 8192
    decoded = decode_session(encoded, ID)
    assert isinstance(decoded, AgentContext)
    kept = len(decoded.history)
    assert kept == entries or kept >= 200
    assert decoded == replace(context, history=context.history[entries - kept :])


def test_no_more_is_written_than_a_reader_inflates() -> None:
    operation = CalledOperation(api="pets", method="GET", path="/pets", name="listPets")
    entry = entry_for_call(now=NOW, outcome=200, milliseconds=1, tool="x", operation=operation)
    for history in ((entry,) * 5_000, (replace(entry, result="x" * 3_000),) * 60):
        encoded = encode_session(replace(CONTEXT, history=history))
        assert encoded is not None
        text = gzip.decompress(base64.b64decode(encoded.removeprefix("gzip:"), validate=True))
        assert 60_000 < len(text) <= 65_536
        decoded = decode_session(encoded, ID)
        assert isinstance(decoded, AgentContext)
        assert decoded.history == history[: len(decoded.history)]


def noise(length: int) -> str:
    """Text that does not compress well, the same each time."""
    return base64.urlsafe_b64encode(hashlib.shake_256().digest(length))[:length].decode()


DIGITS = "".join(map(str, hashlib.shake_256().digest(9_000)))


def test_as_much_history_as_fits_is_kept() -> None:
    text = noise(100_000)
    context = replace(
        CONTEXT,
        history=tuple(
            HistoryEntry(timestamp=ENTRY["timestamp"], action=text[n * 100 : n * 100 + 100])
            for n in range(900)
        ),
    )
    encoded = encode_session(context)
    assert encoded is not None
    assert len(encoded) > 8192 * 0.95
    decoded = decode_session(encoded, ID)
    assert isinstance(decoded, AgentContext)
    assert decoded.history == context.history[-len(decoded.history) :]


@pytest.mark.parametrize(
    "member",
    [
        "agent_type",
        "user",
        "workspace",
        "current_file",
        "current_goal",
        "context_summary",
        "error_context",
    ],
)
def test_long_texts_lose_their_ends_after_the_history(member: str) -> None:
    text = noise(50_000)
    changes: dict[str, str] = {member: text}
    context = replace(grown(3), **changes)  # type: ignore[arg-type]
    encoded = encode_session(context)
    assert encoded is not None
    assert len(encoded) <= 8192
    decoded = decode_session(encoded, ID)
    assert isinstance(decoded, AgentContext)
    kept = getattr(decoded, member)
    assert len(kept) >= 2048
    assert text.startswith(kept)
    assert decoded.history == ()


@pytest.mark.parametrize(
    "context",
    [
        replace(CONTEXT, recent_changes=(noise(9_000),) * 10),
        replace(
            CONTEXT,
            session=SessionState(
                start_time=CONTEXT.created_at, agent_type=noise(9_000), extra={"x": noise(20_000)}
            ),
        ),
        replace(
            CONTEXT,
            api_specs={f"api{n}": f"http://h/{noise(9_000)[n:-n]}" for n in range(1, 9)},
            user=noise(9_000),
        ),
        replace(grown(1000), current_goal="語" * 100_000, context_summary="\x00" * 100_000),
    ],
    ids=["recent_changes", "session", "api_specs", "everything"],
)
def test_whatever_is_too_long_what_is_sent_is_valid(context: AgentContext) -> None:
    encoded = encode_session(context)
    assert encoded is not None
    assert len(encoded) <= 8192
    decoded = decode_session(encoded, ID)
    assert isinstance(decoded, AgentContext)
    assert is_valid_context(to_mapping(decoded))
    assert decoded.created_at == context.created_at


@pytest.mark.parametrize(
    "context",
    [
        replace(CONTEXT, context_id="my-conversation"),
        replace(CONTEXT, context_id=ID + "\n"),
        replace(CONTEXT, created_at="yesterday"),
        replace(CONTEXT, created_at=f"2026-01-01T00:00:00.{DIGITS}Z"),
        replace(CONTEXT, recent_changes=("x",) * 11),
        replace(CONTEXT, api_specs={"pets": "cache"}),
        replace(CONTEXT, api_specs={"a b": "http://pets.example"}),
        replace(CONTEXT, current_goal="\ud800"),
        replace(
            CONTEXT,
            session=SessionState(
                start_time=CONTEXT.created_at, agent_type="", extra={"x": 2**70}
            ),
        ),
    ],
    ids=[
        "id", "id_newline", "time", "long_time", "changes", "uri", "api_name", "text", "integer",
    ],
)  # fmt: skip
def test_what_cannot_be_valid_is_not_sent(context: AgentContext) -> None:
    encoded = encode_session(context)
    assert encoded is None


@pytest.mark.parametrize(
    "bad",
    {
        "integer": HistoryEntry(timestamp=ENTRY["timestamp"], action="x", metadata={"x": 2**70}),
        "surrogate": HistoryEntry(timestamp=ENTRY["timestamp"], action="\ud800"),
        "time": HistoryEntry(timestamp="yesterday", action="x"),
        "time_without_zone": HistoryEntry(timestamp="2026-01-01T00:00:00", action="x"),
    }.items(),
    ids=lambda item: item[0],
)
def test_an_entry_that_no_reader_accepts_is_left_out(bad: tuple[str, HistoryEntry]) -> None:
    good = grown(3)
    context = replace(good, history=(good.history[0], bad[1], *good.history[1:]))
    for _ in range(2):
        encoded = encode_session(context)
        assert encoded is not None
        assert decode_session(encoded, ID) == good


def test_numbers_of_64_bits_are_read_as_they_are() -> None:
    numbers = [2**64 - 1, 2**63, -(2**63), 0, 1.5, -0.0, 1e300]
    value = session(history=[ENTRY | {"metadata": {"n": numbers}}])
    context = decode_session(value, ID)
    assert isinstance(context, AgentContext)
    assert repr(context.history[0].metadata["n"]) == repr(numbers)


@pytest.mark.parametrize("levels", [1, 100, 240, 248, 255, 300, 900])
@pytest.mark.parametrize("where", ["session", "metadata"])
def test_open_members_nest_as_deep_as_a_record_can_hold(levels: int, where: str) -> None:
    nested = "[" * levels + "]" * levels
    open_session = json.dumps(SESSION)[:-1] + f', "x": {nested}}}'
    entry = json.dumps(ENTRY)[:-1] + f', "metadata": {{"x": {nested}}}}}'
    member = f'"session": {open_session}' if where == "session" else f'"history": [{entry}]'
    members = {key: MEMBERS[key] for key in MEMBERS if key not in {"session", "history"}}
    decoded = decode_session(zipped(json.dumps(members)[:-1] + f", {member}}}"), ID)
    if levels <= 240:
        assert isinstance(decoded, AgentContext)
        assert encode_session(decoded) is not None
        assert orjson.dumps({"record": {"context": to_mapping(decoded)}})
    else:
        assert decoded is Reject.JSON


KEYS = st.sampled_from(["a", "b", '"', "\\", "é", "a\n", "0" * 20])
LEAVES = (
    st.sampled_from(["null", "true", "1", "1.0", "-0", "1e5", "0.1", str(2**63), str(2**64)])
    | st.integers().map(str)
    | st.text(max_size=6).map(json.dumps)
    | st.text(st.characters(codec="utf-8"), max_size=6).map(
        lambda text: json.dumps(text, ensure_ascii=False)
    )
)


def members_of(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as text, members in any number and twice, with and without spaces."""
    pairs = st.lists(st.tuples(KEYS, st.booleans(), values), max_size=4)
    return pairs.map(
        lambda found: "{" + ",".join(
            json.dumps(key, ensure_ascii=escaped) + (": " if escaped else ":") + value
            for key, escaped, value in found
        ) + "}"
    )  # fmt: skip


TEXTS_OF_JSON = st.recursive(
    LEAVES,
    lambda inner: members_of(inner) | st.lists(inner, max_size=3).map(
        lambda items: "[" + ",".join(items) + "]"
    ),
    max_leaves=6,
)  # fmt: skip


def slowly(text: str) -> object:
    """Strict reading by Python's own parser alone."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    def integer(digits: str) -> int:
        assert -(2**63) <= int(digits) < 2**64
        return int(digits)

    return json.loads(text, object_pairs_hook=unique, parse_int=integer)


@settings(max_examples=400)
@given(members_of(TEXTS_OF_JSON))
def test_json_is_read_as_the_slowest_strictest_reader_would(metadata: str) -> None:
    entry = json.dumps(ENTRY)[:-1] + f', "metadata": {metadata}}}'
    compact = orjson.dumps(MEMBERS | {"history": []}).decode()
    for head in (json.dumps(MEMBERS | {"history": []}), compact):
        decoded = decode_session(plain(head[:-2] + entry + "]}"), ID)
        try:
            expected = slowly(metadata)
        except (AssertionError, UnicodeError):
            assert decoded is Reject.JSON
            continue
        if any(0xD800 <= ord(character) < 0xE000 for character in str(expected)):
            continue
        assert isinstance(decoded, AgentContext)
        assert repr(decoded.history[0].metadata) == repr(expected)


@settings(max_examples=300)
@given(st.text("ABQgwIZ09+/=-_ \n", max_size=12))
def test_base64_is_what_encoding_again_gives(text: str) -> None:
    try:
        exact = base64.b64encode(base64.b64decode(text)).decode() == text != ""
    except ValueError:
        exact = False
    assert (decode_session(text, ID) is not Reject.BASE64) == exact
