"""Pointers as lines and columns, in JSON and YAML alike."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.sources.positions import Position, locate

JSON = b"""{
  "openapi": "3.1.0", "x": "a { \\" [ , }",
  "paths": {
    "/a~b": {"get": {"tags": ["x",
      "y", {"deep": [[1], [2,
        3]]}]}},
    "\\u00fc \\"q\\"": {"v": null}
  },
  "empty": [], "last": {"paths": 1}
}
"""
YAML = b"""\
openapi: 3.1.0
paths:
  /a~b:
    get: &get
      tags: [x, y]
      list:
      - one
      - two: 2
  "\xc3\xbc \\"q\\"":
    200: {v: 1}
    post: *get
  merged:
    <<: [*get, {other: 1}]
    own: 1
"""

PLACES = {
    "JSON": (
        JSON,
        {
            "": (1, 1),
            "/openapi": (2, 3),
            "/x": (2, 23),
            "/paths": (3, 3),
            "/paths/~1a~0b": (4, 5),
            "/paths/~1a~0b/get": (4, 14),
            "/paths/~1a~0b/get/tags": (4, 22),
            "/paths/~1a~0b/get/tags/0": (4, 31),
            "/paths/~1a~0b/get/tags/1": (5, 7),
            "/paths/~1a~0b/get/tags/2/deep": (5, 13),
            "/paths/~1a~0b/get/tags/2/deep/1/1": (6, 9),
            '/paths/ü "q"/v': (7, 22),
            "/empty": (9, 3),
            "/last/paths": (9, 25),
        },
    ),
    "JSON, nearest ancestor": (
        JSON,
        {
            "/nowhere/at/all": (1, 1),
            "/paths/~1a~0b/post/0": (4, 5),
            "/empty/0": (9, 3),
            "/openapi/x": (2, 3),
            "/paths/~1a~0b/get/tags/02": (4, 22),
        },
    ),
    "JSON in one line with a BOM": (b'\xef\xbb\xbf{"\xc3\xbc":1,"b":[2]}', {"/b/0": (1, 13)}),
    "JSON, a key twice": (b'{"a": 1,\n"a": 2}', {"/a": (2, 1)}),
    "JSON array": (b" [1,\n [2]]", {"": (1, 2), "/1/0": (2, 3)}),
    "YAML": (
        YAML,
        {
            "": (1, 1),
            "/openapi": (1, 1),
            "/paths/~1a~0b": (3, 3),
            "/paths/~1a~0b/get/tags/1": (5, 17),
            "/paths/~1a~0b/get/list/1": (8, 9),
            "/paths/~1a~0b/get/list/1/two": (8, 9),
            '/paths/ü "q"/200/v': (10, 11),
        },
    ),
    "YAML, alias and merge lead to the anchor": (
        YAML,
        {
            '/paths/ü "q"/post/tags': (5, 7),
            "/paths/merged/list/0": (7, 9),
            "/paths/merged/other": (13, 17),
            "/paths/merged/own": (14, 5),
        },
    ),
    "YAML, nearest ancestor": (YAML, {"/paths/no": (2, 1), "/paths/~1a~0b/get/list/9": (6, 7)}),
    "YAML in braces": (b"{a: 1,\n b: [x]}", {"/b/0": (2, 6)}),
}


@pytest.mark.parametrize(("data", "places"), PLACES.values(), ids=PLACES)
def test_a_pointer_leads_to_its_name_or_item(
    data: bytes, places: dict[str, tuple[int, int]]
) -> None:
    assert locate(data, places) == {pointer: Position(*at) for pointer, at in places.items()}


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00", b"a: [", b"{", b"[" * 5_000],
    ids=["empty", "bytes", "open list", "open object", "deep"],
)
def test_what_cannot_be_read_has_no_places(data: bytes) -> None:
    assert locate(data, ["", "/a"]) == {}


def test_nothing_asked_is_nothing_read() -> None:
    assert locate(b"{", []) == {}


def test_a_merge_key_that_contains_itself_ends() -> None:
    assert locate(b"a: &a\n  <<: *a\n", ["/a/b"]) == {"/a/b": Position(1, 1)}


# PyYAML does not join the two halves of a character beyond the first plane, and a short key of YAML
# ends at 1,024 characters.
TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


def pointers_of(value: object, at: str = "") -> list[str]:
    found = [at]
    members = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else ()
    for key, part in (*members, *items):
        token = str(key).replace("~", "~0").replace("/", "~1")
        found += pointers_of(part, f"{at}/{token}")
    return found


@settings(max_examples=150, deadline=None)
@given(value=st.dictionaries(TEXT, VALUES, max_size=4), indent=st.sampled_from((None, 2)))
def test_json_is_read_as_its_yaml_nodes_are(value: object, indent: int | None) -> None:
    """Every JSON written in ASCII is YAML; PyYAML's own marks say where its parts stand."""
    text = json.dumps(value, indent=indent).encode()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    expected: dict[str, Position] = {}

    def mark(node: yaml.Node, at: str, shown: yaml.Node) -> None:
        expected[at] = Position(shown.start_mark.line + 1, shown.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            for key, part in node.value:
                token = key.value.replace("~", "~0").replace("/", "~1")
                mark(part, f"{at}/{token}", key)
        elif isinstance(node, yaml.SequenceNode):
            for index, part in enumerate(node.value):
                mark(part, f"{at}/{index}", part)

    assert root is not None
    mark(root, "", root)

    assert locate(text, pointers_of(value)) == expected
