"""Requests and answers against a description in which everything occurs once."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import build_request
from gateway.messages import Headers
from tests.support.traffic_shop import TOOLS, judge_answer, judge_request, pairs

JSON: Headers = (("Content-Type", "application/json"),)
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)
TEXT: Headers = (("Content-Type", "text/plain; charset=utf-8"),)
PARTS: Headers = (("Content-Type", 'multipart/form-data; boundary="b 1"'),)
REQUIRED = "is required"
TYPE = "expected integer, received string"
SIZE = 'value is greater than the maximum of "value"'

HEADS = {
    "all is well": ("/v1/items?q=a&limit=10&sort=name,id&other=1", (), []),
    "nothing is given": ("/v1/items", (), [("/query/q", REQUIRED)]),
    "an empty text": ("/v1/items?q=", (), []),
    "wrong type": ("/v1/items?q=a&limit=x", (), [("/query/limit", TYPE)]),
    "empty where it may be": ("/v1/items?q=a&empty", (), []),
    "a wrong item": ("/v1/items?q=a&sort=name,size", (), [("/query/sort/1", None)]),
    "an encoded comma": ("/v1/items?q=a&sort=name%2Cid", (), []),
    "given twice": (
        "/v1/items?q=a&limit=1&limit=2",
        (),
        [("/query/limit", "expected integer, received array")],
    ),
    "JSON in the query": ("/v1/items?q=a&filter=%7B%7D", (), []),
    "no JSON in the query": ("/v1/items?q=a&filter=%7B", (), [("/query/filter", "is no JSON")]),
    "wrong JSON in the query": (
        "/v1/items?q=a&filter=1",
        (),
        [("/query/filter", "expected object, received integer")],
    ),
    "a good header": ("/v1/items?q=a", (("x-flag", "true"),), []),
    "a wrong header": (
        "/v1/items?q=a",
        (("x-flag", "maybe"),),
        [("/header/X-Flag", "expected boolean, received string")],
    ),
    "a good cookie": ("/v1/items?q=a", (("Cookie", "a=b; seen=3"),), []),
    "a wrong cookie": ("/v1/items?q=a", (("Cookie", "seen=x"),), [("/cookie/seen", TYPE)]),
    "all at once": (
        "/v1/items?limit=x",
        (("Cookie", "seen=x"),),
        [("/cookie/seen", TYPE), ("/query/limit", TYPE), ("/query/q", REQUIRED)],
    ),
}


@pytest.mark.parametrize(("target", "headers", "faults"), HEADS.values(), ids=HEADS)
def test_parameters(target: str, headers: Headers, faults: list[tuple[str, str | None]]) -> None:
    verdict = judge_request(TOOLS["list"], target, headers)
    assert_same(pairs(verdict), faults)
    assert verdict.is_sound is not bool(faults)


PATHS = {
    "all is well": ("/v1/items/7.a", []),
    "encoded": ("/v1/items/%37%2Ea", []),
    "wrong type": ("/v1/items/x.a", [("/path/id", TYPE)]),
    "too small": ("/v1/items/0.a", [("/path/id", None)]),
    "no member": ("/v1/items/7.c", [("/path/kind", None)]),
}


@pytest.mark.parametrize(("target", "faults"), PATHS.values(), ids=PATHS)
def test_path_parameters(target: str, faults: list[tuple[str, str | None]]) -> None:
    assert_same(pairs(judge_request(TOOLS["get"], target)), faults)


def part(name: str, data: str, *, filename: str = "", kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    head += f'; filename="{filename}"' if filename else ""
    head += f"\r\nContent-Type: {kind}" if kind else ""
    return f"--b 1\r\n{head}\r\n\r\n{data}\r\n".encode()


def form(*parts: bytes) -> bytes:
    return b"".join([*parts, b"--b 1--\r\n"])


FILE = part("file", "\x00\xff", filename="f.bin", kind="image/png")
GZIPPED: Headers = (*JSON, ("Content-Encoding", "gzip"))
GOOD = {"name": "a", "secret": "s"}
BODIES = {
    "none": (JSON, b"", [("/body", REQUIRED)]),
    "no type": ((), b"{}", [("/header/Content-Type", None)]),
    "another type": ((("Content-Type", "text/csv"),), b"{}", [("/header/Content-Type", None)]),
    "a described range": ((("Content-Type", "image/png"),), b"\x00", []),
    "good JSON": (JSON, json.dumps(GOOD).encode(), []),
    "JSON in UTF-16": (JSON, json.dumps(GOOD).encode("utf-16"), []),
    "a readOnly property": (JSON, json.dumps({**GOOD, "id": 1}).encode(), []),
    "a wrong readOnly property": (
        JSON,
        json.dumps({**GOOD, "id": "x"}).encode(),
        [("/body/id", TYPE)],
    ),
    "no JSON": (JSON, b"{", [("/body", "is no JSON")]),
    "NaN": (JSON, b"NaN", [("/body", "is no JSON")]),
    "deep inside": (
        JSON,
        json.dumps({**GOOD, "parts": [{**GOOD, "name": 1}, {"x": 1}]}).encode(),
        [
            ("/body/parts/0/name", "expected string, received integer"),
            ("/body/parts/1/name", REQUIRED),
            ("/body/parts/1/secret", REQUIRED),
            ("/body/parts/1/x", "is not known here"),
        ],
    ),
    "another JSON": ((("Content-Type", "application/vnd.x+json"),), b"[]", []),
    "another wrong JSON": (
        (("Content-Type", "application/vnd.x+json"),),
        b"{}",
        [("/body", "expected array, received object")],
    ),
    "good gzip": (GZIPPED, gzip.compress(json.dumps(GOOD).encode()), []),
    "wrong gzip": (GZIPPED, gzip.compress(b"[]"), [("/body", "expected object, received array")]),
    "a good form": (
        FORM,
        b"name=a+b&count=3&tags=a&tags=b&size=%7B%22w%22%3A2%7D&deep%5Bx%5D=1",
        [],
    ),
    "a wrong form": (
        FORM,
        b"count=x&tags=a&tags=c&size=%7B%22w%22%3A0%7D&deep[x]=y&what=1",
        [
            ("/body/count", TYPE),
            ("/body/deep/x", TYPE),
            ("/body/name", REQUIRED),
            ("/body/size/w", None),
            ("/body/tags/1", None),
            ("/body/what", "is not known here"),
        ],
    ),
    "a good text": (TEXT, "äöü".encode(), []),
    "a long text": (TEXT, b"four", [("/body", None)]),
    "good parts": (
        PARTS,
        form(FILE, part("kind", "x"), part("meta", '{"n": 1}', kind="application/json")),
        [],
    ),
    "several files": (
        PARTS,
        form(
            FILE,
            part("kind", "x"),
            part("more", "1", filename="1"),
            part("more", "2", filename="2"),
        ),
        [],
    ),
    "wrong parts": (
        PARTS,
        form(part("kind", "z"), part("meta", '{"n": 0}'), part("what", "1")),
        [
            ("/body/file", REQUIRED),
            ("/body/what", "is not known here"),
            ("/body/kind", None),
            ("/body/meta/n", None),
        ],
    ),
    "parts without an end": (PARTS, FILE, [("/body", None)]),
    "parts without a boundary": (
        (("Content-Type", "multipart/form-data"),),
        form(FILE),
        [("/body", "has no boundary in its Content-Type")],
    ),
    "a part without a name": (
        PARTS,
        form(b"--b 1\r\nX: 1\r\n\r\n\r\n"),
        [("/body", "has a part without a name")],
    ),
}


@pytest.mark.parametrize(("headers", "body", "faults"), BODIES.values(), ids=BODIES)
def test_bodies(headers: Headers, body: bytes, faults: list[tuple[str, str | None]]) -> None:
    verdict = judge_request(TOOLS["add"], "/v1/items", headers, body)
    assert verdict.unjudged is None
    assert_same(pairs(verdict), faults)


def test_an_optional_body_may_be_missing_and_a_range_takes_any_type() -> None:
    assert judge_request(TOOLS["change"], "/v1/items").is_sound
    assert judge_request(TOOLS["change"], "/v1/items", TEXT, b"{").is_sound
    assert not judge_request(TOOLS["change"], "/v1/items", JSON, b"[]").is_sound


UNJUDGED = {
    "an unknown coding": ((*JSON, ("Content-Encoding", "br")), b"xyz"),
    "a broken coding": (GZIPPED, gzip.compress(b"{}" * 99)[:-9]),
    "a bomb": (GZIPPED, gzip.compress(b"[" + b" " * 9_000_000 + b"]")),
    "too many pairs": (FORM, b"name=a" + b"&tags=a" * 20_000),
    "too many parts": (JSON, b"[" + b"[]," * 250_000 + b"[]]"),
}


@pytest.mark.parametrize(("headers", "body"), UNJUDGED.values(), ids=UNJUDGED)
def test_what_is_too_much_or_cannot_be_decoded_is_not_judged(headers: Headers, body: bytes) -> None:
    verdict = judge_request(TOOLS["add"], "/v1/items", headers, body)
    assert verdict.is_sound
    assert verdict.unjudged


LEFT = (*JSON, ("X-Left", "3"))
ANSWERS = {
    "all is well": (200, LEFT, {"id": 1, "name": "a"}, []),
    "a writeOnly property": (200, LEFT, {"id": 1, "name": "a", "secret": "s"}, []),
    "no id": (200, LEFT, {"name": "a"}, [("/body/id", REQUIRED)]),
    "no header": (200, JSON, {"id": 1, "name": "a"}, [("/header/X-Left", REQUIRED)]),
    "a wrong header": (
        200,
        (*JSON, ("x-left", "many"), ("X-Tags", "p"), ("X-Tags", "r")),
        {"id": 1, "name": "a"},
        [("/header/X-Left", TYPE), ("/header/X-Tags/1", None)],
    ),
    "no body": (200, LEFT, None, [("/body", REQUIRED)]),
    "another type": (
        200,
        (*TEXT, ("X-Left", "1")),
        {},
        [("/header/Content-Type", "is none of application/json")],
    ),
    "no content": (204, (), None, []),
    "a range": (404, JSON, {"error": 1}, []),
    "a wrong one of a range": (404, JSON, {}, [("/body/error", REQUIRED)]),
    "another status": (500, JSON, {}, [("/status", "500 is not described")]),
}


@pytest.mark.parametrize(("status", "headers", "value", "faults"), ANSWERS.values(), ids=ANSWERS)
def test_answers(
    status: int, headers: Headers, value: object, faults: list[tuple[str, str | None]]
) -> None:
    body = b"" if value is None else json.dumps(value).encode()
    assert_same(pairs(judge_answer(TOOLS["get"], status, headers, body)), faults)


def test_default_describes_every_status_and_says_nothing_of_bodies() -> None:
    assert judge_answer(TOOLS["add"], 599, JSON, b"[").is_sound


def test_a_part_of_an_answer_is_described_as_the_whole() -> None:
    found = pairs(judge_answer(TOOLS["get"], 206, JSON, b"{}"))
    assert ("/header/X-Left", REQUIRED) in found


def test_no_fault_repeats_a_value() -> None:
    value = "s3cret-value"
    verdict = judge_request(
        TOOLS["add"], "/v1/items", JSON, json.dumps({"name": value, "secret": [value]}).encode()
    )
    found = pairs(verdict)
    assert len(found) == 2
    assert value not in str(found)
    assert value not in repr(verdict)


def test_long_names_do_not_multiply() -> None:
    inner = {"n" * 100_000: [{"x": 1}] * 100}
    body = json.dumps({"name": "a", "secret": "s", "parts": [inner]}).encode()
    verdict = judge_request(TOOLS["add"], "/v1/items", JSON, body)
    assert 0 < sum(len(pointer) for pointer, _ in pairs(verdict)) < 100_000


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list", {"q": "a b&c", "limit": 3, "sort": ["id"], "filter": {"a": 1}, "X_Flag": False}),
        ("list", {"q": "", "seen": 4, "empty": ""}),
        ("get", {"id": 5, "kind": "b"}),
        ("add", {"name": "x", "secret": "y", "note": None, "parts": []}),
    ],
)
def test_what_our_own_tools_send_is_sound(name: str, arguments: dict[str, object]) -> None:
    request = build_request(TOOLS[name], arguments, base_path="/v1")
    assert request.body is None or isinstance(request.body, bytes)
    verdict = judge_request(TOOLS[name], request.head.target, request.head.headers, request.body)
    assert pairs(verdict) == []


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(TOOLS)),
    query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Content-Type", "Cookie", "X-Flag", "X-Left", "Content-Encoding"]),
            st.one_of(
                st.text(st.characters(max_codepoint=255), max_size=20),
                st.sampled_from([pair[1] for pair in (*JSON, *FORM, *TEXT, *PARTS, *GZIPPED)]),
            ),
        ),
        max_size=4,
    ),
    body=st.one_of(st.binary(max_size=80), st.sampled_from([b[1] for b in BODIES.values()])),
    status=st.integers(200, 999),
)
def test_any_message_has_a_verdict(
    name: str, query: str, headers: list[tuple[str, str]], body: bytes, status: int
) -> None:
    tool = TOOLS[name]
    judge_request(tool, f"/v1/items?{query}", tuple(headers), body).faults()
    judge_answer(tool, status, tuple(headers), body).faults()


def assert_same(found: list[tuple[str, str]], wanted: list[tuple[str, str | None]]) -> None:
    """None stands for a message of the library's."""
    assert [p for p, _ in found] == [p for p, _ in wanted], found
    for (_, message), (_, expected) in zip(found, wanted, strict=True):
        assert message == (expected or message)
