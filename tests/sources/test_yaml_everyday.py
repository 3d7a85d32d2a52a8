"""Two readers of YAML, one of them fast: they agree, or the fast one leaves it to the other."""

import random
from pathlib import Path

import orjson
import pytest
import yaml
import yaml_rs
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DescriptionError
from gateway.sources import yaml_everyday, yaml_lines
from gateway.sources.yaml_everyday import ORJSON_LEVELS, Unusual, read_everyday
from gateway.sources.yaml_text import MAX_DEPTH, parse_carefully, parse_yaml

SPECS = Path(__file__).parents[3] / "shared" / "specs"


def written(value: object) -> str:
    """A text for `value` in which types, order and the sign of a zero show."""
    return repr(value)


def is_read_alike(data: bytes) -> bool:
    """Whether the fast reader reads `data`; a difference from the careful one is a failure."""
    try:
        fast = read_everyday(data, max_depth=MAX_DEPTH)
    except Unusual:
        return False
    try:
        careful = parse_carefully(data)
    except DescriptionError as fault:
        pytest.fail(f"{data!r} is {fast!r} to one reader and {fault} to the other")
    assert written(fast) == written(careful), data
    return True


DESCRIPTION = (
    """\
# A description as people write it.
openapi: 3.0.3
info:
  title: 'It''s: an "API"'   # with a comment
  version: "1.0"
  description: |-
    See [the guide](https://example.com): it says

    > [!NOTE]
    > 1_000 requests & *no* more, !important

    ```json
    {"a": [1,
      {"b": null}]}
    ```
    ---
    %done ... ? &that <<: it
  x-date: 2020-01-01
servers:
- url: https://{host}:{port}/v1
  variables: {host: {default: a.example}, port: {default: "80"}}
tags: [a, b-c, "d: e", 'f', 1.5, null, {}, []]
paths:
  /a/{id}:
    get:
      summary: >
        folded
        text

          and more
      description: plain text
        that goes on with
        [a link](#x)

        and a break
      parameters:
        - name: a
          in: query
          schema:
            {}
        -
          $ref: '#/components/parameters/b'
      responses:
        200:
          description: "escapes \\u00e9 \\U0001F600 \\n \\x41 \\
            and a line"
        '404':
        default: ~
      x-numbers: [1, -2, 0x1F, 0o17, 017, 1e3, -.5, 5.]
""".replace(", 0x1F, 0o17, 017, 1e3, -.5, 5.]", "]\n      x-more:\n")
    + "".join(
        f"      - {number}\n"
        for number in ("0x1F", "0o17", "017", "1e3", "-.5", "5.", "yes", "1:30")
    )
)


def test_a_description_as_people_write_it_is_everyday() -> None:
    assert is_read_alike(DESCRIPTION.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("200: a\n-1: b\n", {"200": "a", "-1": "b"}, id="integers as keys"),
        pytest.param("a: 18446744073709551616\n", {"a": 2.0**64}, id="beyond 64 bits"),
        pytest.param("a: -9223372036854776000\n", {"a": -(2.0**63)}, id="below 64 bits"),
        pytest.param("a: 2020-01-01\n", {"a": "2020-01-01"}, id="date"),
        pytest.param("on: yes\nno: off\n", {"on": "yes", "no": "off"}, id="words of YAML 1.1"),
        pytest.param("a: _x\nb: 1_g\nc: _\n", {"a": "_x", "b": "1_g", "c": "_"}, id="underscores"),
        pytest.param("---\na: 1\n", {"a": 1}, id="marker first"),
        pytest.param("# a\n\n---\na: 1\n", {"a": 1}, id="comment, then marker"),
        pytest.param("a:\n- 1\n-\n  b: c\n", {"a": [1, {"b": "c"}]}, id="list under its key"),
        pytest.param("a: | \n  b\n", {"a": "b\n"}, id="blank after a header"),
        pytest.param("a: |+ # c\n  b\n\nc: 1\n", {"a": "b\n\n", "c": 1}, id="kept breaks"),
        pytest.param("a: |2-\n   b\n", {"a": " b"}, id="indentation told"),
        pytest.param("a: 'b\n\n  c'\n", {"a": "b\nc"}, id="quoted, two lines"),
        pytest.param("a: x\nb: é\xa0😀\n", {"a": "x", "b": "é\xa0😀"}, id="beyond ASCII"),
        pytest.param("a: b", {"a": "b"}, id="no line break at the end"),
        pytest.param("a:\n  [b, c]\n", {"a": ["b", "c"]}, id="short list on its own line"),
    ],
)
def test_everyday_yaml_is_read_fast(text: str, value: object) -> None:
    assert is_read_alike(text.encode())
    assert parse_yaml(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        # Each of these would be another value, or one instead of a fault.
        *("a: 1_0", "a: _1", "a: 0b1", "a: 0X1f", "a: +0x1", "a: .inf", "a: -.INF", "a: .nan"),
        *("a: 1e400", "a: 1e+400", f"a: {'9' * 310}.0", f"a: 0x{'f' * 290}", "- 1_0", "1_0"),
        *("a:\n  1_0", "? a\n: b", "a: {b: 1_0}", "a: [0b1]", "'''': _0", '"\\"": 1_0'),
        *(
            "01: a",
            "+1: a",
            "0x1: a",
            "1_0: a",
            "-0: a",
            "- 01: a",
            "a: {01: b}",
            "_1: a",
            "-_1: a",
            "1: a\n01: b",
        ),
        *("1.0: a", "1e1: a", "null: a", "~: a", "true: a", ": a", "1: a\n'1': b"),
        *("a: &b c\nd: *b", "a: &b c", "&a b: c", "- &a b", "<<: {a: 1}", "a: {<<: {b: 1}}"),
        *("a: !b c", "a: !!str 1", "! a: b", "- !a b", "a:\n  !b c", "a: [!b c]"),
        *("a: b\n&c d: e", "a: b\n!c d: e", "a:\n  b: c\n  &d e: f"),
        *("a: 1\n---\nb: 2\n", "--- a\n", "a: 1\n...\n", "%YAML 1.1\n---\na: 1\n", "--- {a: 1}\n"),
        *("a: |\n  b", "a: |\n", "a: >\n", "- |\n", "a", "|\n a\n", "'a'", ""),
        *("{a:}", "{a,>}", "[|]", "[?x]", "a: [::]\n", "a: {b\n: c}", "a: {b\n  c: d}", "[a: |\n]"),
        *("a:\tb", "a: b\r\nc: d", "a: \x85", "a: \u2028b", "a: \ufeffb", "a: b\x7f", "a: b\0"),
        *('a: "\\ud83d\\ude00"', "a: b: c", "a: [", "a: 1\na: 2", "[a]: b", "{a: b}: c"),
    ],
    ids=repr,
)
def test_unusual_yaml_is_left_to_the_careful_reader(text: str) -> None:
    with pytest.raises(Unusual):
        read_everyday(text.encode(), max_depth=MAX_DEPTH)


@pytest.mark.parametrize("data", [b"a: \xff", b"a: \xc3b\xa9", b"\xff\xfea\0:\0 \0b\0"], ids=repr)
def test_other_encodings_are_left_to_the_careful_reader(data: bytes) -> None:
    with pytest.raises(Unusual):
        read_everyday(data, max_depth=MAX_DEPTH)


@pytest.mark.parametrize(
    "suspicious",
    ["[a](b)", "> [!NOTE]", "{a:", "| a |", "!a", "&a b: c", "- [a", "- &a", "a: [b", "? a", "1_0"],
)
@pytest.mark.parametrize(
    "opening",
    ["a: |", "a: >-", "- a: |", 'a: "b:', "a: 'b:", "a: b:c", "- - a: |", "x:\n  a: |\n\n    b:"],
)
def test_what_is_only_text_is_not_suspicious(opening: str, suspicious: str) -> None:
    end = opening[3] if opening[3:4] in ("'", '"') else ""
    text = (
        f"{opening}\n       {suspicious}{end}\nz: 1\n"
        if opening[0] != "-"
        else (f"{opening}\n       {suspicious}{end}\n")
    )
    # Behind a plain scalar some of them are faults, which are the careful reader's to tell.
    assert is_read_alike(text.encode()) or "b:c" in opening or opening[0] == "-"


def test_suspicious_siblings_of_a_scalar_are_not_its_text() -> None:
    assert not is_read_alike(b"- a: |\n    b\n  c: !d e\n")
    assert not is_read_alike(b"a: b\nc:\n  !d e\n")
    assert not is_read_alike(b"a:\n  b: |\n    c\n  d: &e f\n")


def test_levels_are_counted() -> None:
    def nested(levels: int) -> bytes:
        return b"".join(b" " * level + b"- \n" for level in range(levels))

    with pytest.raises(Unusual):
        read_everyday(nested(9), max_depth=8)
    assert read_everyday(nested(8), max_depth=8) == [[[[[[[[None]]]]]]]]


def test_orjson_writes_as_many_levels_as_the_check_of_depth_takes_for_granted() -> None:
    value: object = 0
    for _ in range(ORJSON_LEVELS):
        value = [value]
    assert orjson.dumps(value)
    with pytest.raises(TypeError):
        orjson.dumps([value])


def test_no_depth_reaches_the_parser_that_could_leave_its_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_rs, "load", pytest.fail)
    deep = yaml_lines.MAX_COLUMNS
    for opening in ("- " * deep, "? " * deep, "[" * deep, "{a: " * deep, " " * deep + "a:"):
        with pytest.raises(Unusual):
            read_everyday(f"{opening}\n".encode(), max_depth=MAX_DEPTH)


def test_no_alias_is_followed_even_if_its_anchor_was_overlooked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_everyday, "is_everyday", lambda _: True)
    with pytest.raises(Unusual):
        read_everyday(b"a: &b [c]\nd: *b\n", max_depth=MAX_DEPTH)


def test_the_search_for_a_scalars_begin_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"a: |\n" + b"  b: [c\n" * 10
    assert is_read_alike(text)
    monkeypatch.setattr(yaml_lines, "MAX_PLACES", 9)
    assert not is_read_alike(text)
    monkeypatch.setattr(yaml_lines, "MAX_PLACES", 10)
    monkeypatch.setattr(yaml_lines, "MAX_LINES_BACK", 9)
    assert not is_read_alike(text)


NUMBERS = st.text("0123456789.eE+-_xXobBaf", min_size=1, max_size=7)


@settings(max_examples=200, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=4), st.sampled_from(["- {}\n", "{}: x\n", "a: {}\n"]))
def test_the_readers_agree_on_all_that_looks_like_a_number(tokens: list[str], line: str) -> None:
    for token in tokens:
        is_read_alike(line.format(token).encode())


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.text(" \n:#-[]{}&*!|>'\"%@`,?x1_", max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    VALUES,
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([20, 80, 10_000]),
    st.integers(2, 6),
    st.booleans(),
)
def test_the_readers_agree_on_what_is_written_as_yaml(
    value: object, style: str | None, flow: bool | None, width: int, indent: int, unicode: bool
) -> None:
    text = yaml.safe_dump(
        value,
        default_style=style,
        default_flow_style=flow,
        width=width,
        indent=indent,
        allow_unicode=unicode,
        sort_keys=False,
    )
    is_read_alike(text.encode(errors="replace"))


TOKENS = [
    *(" ", "  ", "\n", "\n\n", "\n  ", "\n- ", "- ", "-", ": ", ":", "? ", "#", " #", "|", ">-"),
    *('"', "'", "[", "]", "{", "}", ", ", "&a ", "*a", "!t ", "%", "@", "\\", "\\n", "\\u00e9"),
    *("<<: ", "---\n", "...\n", "\t", "\r\n", "\x85", "\xa0", "é", "1", "1_0", "0x1", ".inf", "~"),
    *("a", "b: c", "a: b\n", '""', "''", "[]", "{}", "-1", "01", "null", "yes", "::", "?x", ":x"),
]
LINES = DESCRIPTION.splitlines(keepends=True)
EDITS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 4), st.sampled_from(TOKENS)),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.integers(1, 12), EDITS)
def test_the_readers_agree_however_a_description_is_spoilt(
    start: int, count: int, edits: list[tuple[float, int, str]]
) -> None:
    text = "".join(LINES[start : start + count])
    for where, length, token in edits:
        at = int(where * (len(text) + 1))
        text = text[:at] + token + text[at + length :]
    is_read_alike(text.encode())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
def test_the_readers_agree_on_any_text(text: str) -> None:
    is_read_alike(text.encode())


@pytest.mark.parametrize("name", ["asana.yaml", "openai.yaml"])
def test_large_descriptions_are_everyday(name: str) -> None:
    path = SPECS / name
    if path.exists():  # beside the repository where it is developed, not in it
        assert is_read_alike(path.read_bytes())


def test_nearly_all_parts_of_a_split_description_are_everyday() -> None:
    paths = sorted((SPECS / "digitalocean").rglob("*.y*ml"))
    random.Random(3).shuffle(paths)  # noqa: S311 - a sample, the same each time
    sample = paths[:400]
    assert sum(is_read_alike(path.read_bytes()) for path in sample) >= 0.98 * len(sample)


def test_a_number_of_too_many_digits_is_text_to_both() -> None:
    for number in ("0x" + "f" * 290, "0o" + "7" * 290, "9" * 301):
        assert parse_yaml(f"a: {number}".encode()) == {"a": number}
