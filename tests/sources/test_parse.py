from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DescriptionError
from gateway.sources import parse, yaml_text
from gateway.sources.yaml_text import MAX_DEPTH


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="JSON"),
        pytest.param(
            b'\n\t {"a": [1.5, null, true]}\n', {"a": [1.5, None, True]}, id="JSON, space"
        ),
        pytest.param(b"[1]", [1], id="JSON list"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', {"a": 1}, id="JSON with a BOM"),
        pytest.param(b"\xef\xbb\xbfa: 1", {"a": 1}, id="YAML with a BOM"),
        pytest.param("a: é".encode("utf-16"), {"a": "é"}, id="YAML in UTF-16"),
        pytest.param('{"a": "é"}'.encode("utf-16"), {"a": "é"}, id="JSON in UTF-16"),
        pytest.param(b"a: 1\r\nb:\r\n- x\r\n", {"a": 1, "b": ["x"]}, id="YAML with CRLF"),
        pytest.param(b"{a: 1, b: [x, y]}", {"a": 1, "b": ["x", "y"]}, id="YAML in flow style"),
        pytest.param(b'{"a": 1,}', {"a": 1}, id="JSON with a comma too many is YAML"),
        pytest.param(b'{"a": 1} # note', {"a": 1}, id="JSON with a comment is YAML"),
        pytest.param(b"# note\na: 1", {"a": 1}, id="comment first"),
        pytest.param(b"---\na: 1\n...\n", {"a": 1}, id="document markers"),
        pytest.param(b"%YAML 1.2\n---\na: 1", {"a": 1}, id="directive"),
        pytest.param(b"", None, id="empty"),
        pytest.param(b"# nothing", None, id="comment only"),
        pytest.param(b"text", "text", id="text"),
    ],
)
def test_json_and_yaml_are_told_apart_by_content(data: bytes, value: object) -> None:
    assert parse(data) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # The YAML 1.2 core schema, section 10.3.2.
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-19", -19),
        ("+7", 7),
        ("010", 10),
        ("0o7", 7),
        ("0o14", 12),
        ("0x3A", 58),
        ("1.0", 1.0),
        ("3.10", 3.1),
        (".5", 0.5),
        ("-.5", -0.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("-2E+05", -200000.0),
        ("12e03", 12000.0),
        # What YAML 1.1 would make something else of.
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("-0x1", "-0x1"),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("=", "="),
        # No JSON.
        (".inf", ".inf"),
        (".NaN", ".NaN"),
        ("1e999", "1e999"),
        # Like orjson.
        ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("-9223372036854775809", -float(2**63)),
        ("9" * 400, "9" * 400),
        # Texts.
        ("'5'", "5"),
        ('"true"', "true"),
        ("'null'", "null"),
        ("''", ""),
        ("|\n  5", "5"),
        (">-\n  true", "true"),
        # Tags that JSON has values for.
        ("!!str 5", "5"),
        ("!!str 1e3", "1e3"),
        ("!!str true", "true"),
        ("!!int 5", 5),
        ("!!float 5", 5),
        ("!!bool true", True),
        ("!!null null", None),
        ("!!timestamp 2020-01-01", "2020-01-01"),
        ("!!map {a: 1}", {"a": 1}),
        ("!!seq [1]", [1]),
    ],
)
def test_yaml_scalars_are_json_values(text: str, value: object) -> None:
    found = parse(f"k: {text}".encode())
    assert isinstance(found, dict)
    assert (type(found["k"]), found["k"]) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("200: ok", {"200": "ok"}, id="status"),
        pytest.param("on: 1\nyes: 2", {"on": 1, "yes": 2}, id="words"),
        pytest.param("2020-01-01: a", {"2020-01-01": "a"}, id="date"),
        pytest.param("null: a\n~: b", {"null": "a", "~": "b"}, id="null"),
        pytest.param("1.0: a\n1: b", {"1.0": "a", "1": "b"}, id="numbers"),
        pytest.param("? a\n: 1", {"a": 1}, id="explicit key"),
        pytest.param("&k a: 1\nb: *k", {"a": 1, "b": "a"}, id="anchored key"),
    ],
)
def test_keys_are_text_as_written(text: str, value: object) -> None:
    assert parse(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(
            "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", {"p": 1, "q": 3}, id="own member wins"
        ),
        pytest.param(
            "a: &x {p: 1}\nb: {q: 3, p: 4, <<: *x}", {"q": 3, "p": 4}, id="wherever it stands"
        ),
        pytest.param(
            "a: &x {p: 1}\nc: &y {p: 2, q: 2}\nb: {<<: [*x, *y]}",
            {"p": 1, "q": 2},
            id="earlier source wins",
        ),
        pytest.param("a: &x {p: 1}\nc: &y {<<: *x}\nb: {<<: *y}", {"p": 1}, id="merged again"),
        pytest.param("b: {'<<': 1}", {"<<": 1}, id="quoted is a key"),
    ],
)
def test_merge_keys_are_applied(text: str, value: object) -> None:
    found = parse(text.encode())
    assert isinstance(found, dict)
    assert found["b"] == value


def test_aliases_share_what_they_repeat() -> None:
    found = parse(b"a: &x {p: [1]}\nb: *x\nc: [*x, *x]")
    assert found == {"a": {"p": [1]}, "b": {"p": [1]}, "c": [{"p": [1]}, {"p": [1]}]}


BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3", "'a' stands twice at line 3, column 1", id="duplicate key"
        ),
        pytest.param("a: [", "line 2", id="open list"),
        pytest.param("a: b: c", "line 1, column 5", id="two colons"),
        pytest.param("a:\n\t- b", "line 2", id="tab"),
        pytest.param("a: 1\n--- \nb: 2", "line 2", id="two documents"),
        pytest.param("a: *b", "line 1, column 4", id="unknown alias"),
        pytest.param("a: &x [*x]", "contains itself at line 1, column 4", id="list in itself"),
        pytest.param("&x a: {b: *x, <<: 5}", "merges objects only", id="merging a number"),
        pytest.param("a: &x {<<: *x}", "contains itself", id="merging itself"),
        pytest.param("? [a]\n: 1", "a key is text", id="key is a list"),
        pytest.param("a: !!python/object/apply:os.system [true]", "is not JSON", id="code"),
        pytest.param("a: !!python/name:os.system", "is not JSON", id="name"),
        pytest.param("a: !secret x", "is not JSON", id="own tag"),
        pytest.param("a: !!set {x}", "is not JSON", id="set"),
        pytest.param("a: !!binary aGk=", "is not JSON", id="binary"),
        pytest.param("a: !!int 'x'", "is not JSON", id="quoted number"),
        pytest.param(BOMB, "aliases repeat too much", id="alias bomb"),
        pytest.param(
            '{"a": 1 "b": 2}', "not valid JSON: .* at line 1, column 9", id="JSON, no comma"
        ),
        pytest.param('{"a": "\\ud800"}', "not valid JSON", id="JSON, half a surrogate"),
        pytest.param('{"a": ', "not valid JSON", id="JSON, cut"),
        pytest.param('a: "\\ud800"', "line 1", id="YAML, half a surrogate"),
        pytest.param("a: \0", "not valid YAML", id="NUL"),
    ],
)
def test_what_is_neither_is_refused_in_one_line_that_says_where(text: str, reason: str) -> None:
    with pytest.raises(DescriptionError, match=reason) as caught:
        parse(text.encode())
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [b"a: \xff", b'{"a": "\xe9"}', b"\xff\xfea", b"\x80"], ids=repr)
def test_bytes_in_no_encoding_are_refused(data: bytes) -> None:
    with pytest.raises(DescriptionError, match="not valid"):
        parse(data)


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ('{"a": ', "}"), ("[[", "]]")],
    ids=repr,
)
def test_no_depth_of_nesting_brings_the_process_down(opening: str, closing: str) -> None:
    """PyYAML's composer recurses in C: ten thousand levels used to end the process."""
    with pytest.raises(DescriptionError):
        parse(f"{opening * 100_000}1{closing * 100_000}".encode())


def test_yaml_may_nest_up_to_its_limit_and_no_deeper() -> None:
    def nested(levels: int) -> bytes:
        return f"- {'- ' * (levels - 1)}x".encode()

    assert isinstance(parse(nested(MAX_DEPTH)), list)
    with pytest.raises(DescriptionError, match="deeper than 200 levels at line 1"):
        parse(nested(MAX_DEPTH + 1))


def test_depth_through_aliases_counts() -> None:
    links = "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, MAX_DEPTH + 50))
    with pytest.raises(DescriptionError, match=f"deeper than 200 levels at line {MAX_DEPTH + 1}, "):
        parse(f"a0: &a0 [x]\n{links}".encode())


def test_a_long_chain_of_merges_is_not_deep() -> None:
    chain = "- &a0 {k: 1}\n" + "".join(f"- &a{i} {{<<: *a{i - 1}}}\n" for i in range(1, 300))
    found = parse(chain.encode())
    assert isinstance(found, list)
    assert found[-1] == {"k": 1}


def test_merged_members_are_counted_before_they_are_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_text, "MAX_MERGED", 50)
    chain = "- &a0 {k0: 1}\n" + "".join(
        f"- &a{i} {{<<: *a{i - 1}, k{i}: 1}}\n" for i in range(1, 12)
    )
    with pytest.raises(DescriptionError, match="repeats too much at line 11"):
        parse(chain.encode())
    assert isinstance(parse("".join(chain.splitlines(keepends=True)[:10]).encode()), list)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60)
    | st.text(alphabet="{}[]:,-&*!<>|?#'\"% \n\tab1.0xe~", max_size=60).map(str.encode)
)
def test_any_bytes_are_a_value_or_a_description_error(data: bytes) -> None:
    with suppress(DescriptionError):
        parse(data)


def test_broken_json_beyond_what_anybody_writes_as_yaml_is_judged_as_json_alone() -> None:
    # As YAML the text would be valid: a flow mapping may do without quotes.
    text = b"{a: [" + b"1, " * 100_000 + b"1]}"
    with pytest.raises(DescriptionError, match=r"not valid JSON: .* at line 1, column 2"):
        parse(text)
