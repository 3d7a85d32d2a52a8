"""What our own writer makes of a value is read as that value."""

from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.calls.styles import cookie_pairs, header_text, path_text, query_pairs
from gateway.openapi import Parameter
from gateway.traffic.shapes import read_shape
from gateway.traffic.texts import read_cookies, read_query
from gateway.traffic.values import (
    MISSING,
    cookie_value,
    header_value,
    path_value,
    query_value,
)

INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
BOOLEAN = {"type": "boolean"}
TEXT = {"type": "string"}
LIST = {"type": "array", "items": INTEGER}
TEXTS = {"type": "array", "items": TEXT}
OBJECT = {
    "type": "object",
    "properties": {"R": INTEGER, "G": TEXT, "on": BOOLEAN},
    "additionalProperties": False,
}
MAP = {"type": "object", "additionalProperties": INTEGER}
DEEP = {
    "type": "object",
    "properties": {"a": INTEGER, "b": {"type": "object", "properties": {"c": TEXT, "d": LIST}}},
}

WAYS = (
    ("path", "simple", False),
    ("path", "simple", True),
    ("path", "label", False),
    ("path", "label", True),
    ("path", "matrix", False),
    ("path", "matrix", True),
    ("query", "form", False),
    ("query", "form", True),
    ("query", "spaceDelimited", False),
    ("query", "pipeDelimited", False),
    ("header", "simple", False),
    ("header", "simple", True),
    ("cookie", "form", False),
    ("cookie", "form", True),
)
IDS = [f"{place}-{style}-{'exploded' if explode else 'joined'}" for place, style, explode in WAYS]


def parameter(place: str, style: str, explode: bool, **members: object) -> Parameter:
    return Parameter(
        name=str(members.get("name", "color")),
        location=place,
        required=True,
        schema=True,
        pointer="",
        schema_pointer="",
        style=style,
        explode=explode,
        media_type=None if members.get("media_type") is None else str(members["media_type"]),
        nested=tuple(map(str, members.get("nested", ()) or ())),  # type: ignore[call-overload]
    )


def written(found: Parameter, value: object) -> str:
    if found.location == "path":
        return path_text(found, value)
    if found.location == "header":
        return header_text(found, value)
    pairs = query_pairs(found, value) if found.location == "query" else cookie_pairs(found, value)
    return ("&" if found.location == "query" else "; ").join(f"{k}={v}" for k, v in pairs)


def read(
    found: Parameter, schema: Mapping[str, object], text: str, *, loose: bool = False
) -> object:
    shape = read_shape(schema, {})
    if found.location == "path":
        return path_value(found, shape, text, loose=loose)
    if found.location == "header":
        return header_value(found, shape, (text,), loose=loose)
    names = frozenset({found.name})
    if found.location == "query":
        return query_value(found, shape, read_query(text), names, loose=loose)
    cookies = read_cookies((("Cookie", text),))
    return cookie_value(found, shape, cookies, names, loose=loose)


# Nothing is encoded in a header: what delimits there cannot be in a value.
SAFE = st.text(st.sampled_from("abcXYZ0189-_ "), min_size=1, max_size=6).filter(
    lambda text: text == text.strip()
)
WILD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


def texts(place: str) -> st.SearchStrategy[str]:
    return SAFE if place == "header" else WILD


@pytest.mark.parametrize(("place", "style", "explode"), WAYS, ids=IDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_single_value_is_read_back(
    place: str, style: str, explode: bool, data: st.DataObject
) -> None:
    schema, value = data.draw(
        st.one_of(
            st.tuples(st.just(INTEGER), st.integers()),
            st.tuples(st.just(NUMBER), st.floats(allow_nan=False, allow_infinity=False)),
            st.tuples(st.just(BOOLEAN), st.booleans()),
            st.tuples(st.just(TEXT), texts(place)),
        )
    )
    found = parameter(place, style, explode)
    assert read(found, schema, written(found, value)) == value


@pytest.mark.parametrize(("place", "style", "explode"), WAYS, ids=IDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_list_is_read_back(place: str, style: str, explode: bool, data: st.DataObject) -> None:
    schema, value = data.draw(
        st.one_of(
            st.tuples(st.just(LIST), st.lists(st.integers(), min_size=1, max_size=4)),
            st.tuples(st.just(TEXTS), st.lists(texts(place), min_size=1, max_size=4)),
        )
    )
    # `%20` and `%7C` delimit, and stand for the space and the bar in an item as well.
    delimiter = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(style)
    assume(delimiter is None or not any(delimiter in str(item) for item in value))
    found = parameter(place, style, explode)
    # An exploded label is delimited by a dot, which is never encoded.
    assume(style != "label" or not any("." in str(item) for item in value))
    assert read(found, schema, written(found, value)) == value


@pytest.mark.parametrize(("place", "style", "explode"), WAYS, ids=IDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_an_object_is_read_back(place: str, style: str, explode: bool, data: st.DataObject) -> None:
    value = data.draw(
        st.fixed_dictionaries(
            {"R": st.integers(), "G": texts(place)}, optional={"on": st.booleans()}
        )
    )
    delimiter = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(style)
    assume(delimiter is None or delimiter not in str(value["G"]))
    assume(style != "label" or "." not in str(value["G"]))
    found = parameter(place, style, explode)
    assert read(found, OBJECT, written(found, value)) == value


@settings(max_examples=60, deadline=None)
@given(
    value=st.fixed_dictionaries(
        {"a": st.integers()},
        optional={
            "b": st.fixed_dictionaries(
                {"c": WILD}, optional={"d": st.lists(st.integers(), min_size=1, max_size=3)}
            )
        },
    )
)
def test_a_deep_object_is_read_back(value: dict[str, object]) -> None:
    found = parameter("query", "deepObject", True)
    assert read(found, DEEP, written(found, value)) == value


@settings(max_examples=25, deadline=None)
@given(value=st.lists(st.lists(st.integers(), min_size=1, max_size=3), min_size=1, max_size=3))
def test_a_list_of_lists_of_swagger_is_read_back(value: list[list[int]]) -> None:
    found = parameter("query", "form", False, nested=("pipeDelimited",))
    schema = {"type": "array", "items": LIST}
    assert read(found, schema, written(found, value)) == value


READINGS: tuple[tuple[str, str, bool, Mapping[str, object], str, object], ...] = (
    ("query", "form", False, TEXTS, "color=a,b", ["a", "b"]),
    ("query", "form", False, TEXTS, "color=a%2Cb", ["a,b"]),
    ("query", "form", False, LIST, "color=1,2&color=3", [1, 2, 3]),
    ("query", "form", True, LIST, "color=1&x=2&color=3", [1, 3]),
    ("query", "form", True, TEXT, "color=a&color=b", ["a", "b"]),
    ("query", "form", True, TEXT, "color=a+b%26c", "a b&c"),
    ("query", "form", True, TEXT, "color", ""),
    ("query", "form", True, TEXT, "colour=1", MISSING),
    ("query", "form", True, INTEGER, "color=1x", "1x"),
    ("query", "form", True, INTEGER, "color=1.0", 1.0),
    ("query", "form", True, INTEGER, "color=" + "9" * 2000, "9" * 2000),
    ("query", "form", True, NUMBER, "color=1e999", "1e999"),
    ("query", "form", True, BOOLEAN, "color=1", "1"),
    ("query", "form", True, {"type": ["integer", "null"]}, "color=null", None),
    ("query", "form", True, {"type": ["integer", "string"]}, "color=7", 7),
    ("query", "form", True, {"anyOf": [TEXT, LIST]}, "color=7", "7"),
    ("query", "form", True, {"anyOf": [TEXT, LIST]}, "color=7&color=8", [7, 8]),
    ("query", "form", True, {"enum": [1, 2]}, "color=2", 2),
    ("query", "form", True, {"allOf": [{}, INTEGER]}, "color=2", 2),
    ("query", "form", True, MAP, "a=1&b=2", {"a": 1, "b": 2}),
    ("query", "form", True, OBJECT, "R=1&other=2", {"R": 1}),
    ("query", "pipeDelimited", False, LIST, "color=1|2%7C3", [1, 2, 3]),
    ("query", "spaceDelimited", False, LIST, "color=1+2%203", [1, 2, 3]),
    ("query", "deepObject", True, DEEP, "color[a]=1&color[b][d][]=2&color[b][d][]=3",
     {"a": 1, "b": {"d": [2, 3]}}),
    ("query", "deepObject", True, DEEP, "color=1&other[a]=2&color[a", MISSING),
    ("query", "deepObject", True, DEEP, "color[a]=1&color[a][b]=2", {"a": 1}),
    ("query", "deepObject", True, LIST, "color[0]=1&color[1]=2", [1, 2]),
    ("query", "deepObject", True, {}, "color" + "[a]" * 40 + "=1", MISSING),
    ("header", "simple", False, TEXTS, "a , b", ["a", "b"]),
    ("header", "simple", False, OBJECT, "R,1,G", "R,1,G"),
    ("header", "simple", True, OBJECT, "R=1,G", "R=1,G"),
    ("path", "matrix", True, LIST, ";color=1;color=2", [1, 2]),
    ("path", "matrix", False, OBJECT, ";color=R,1", {"R": 1}),
    ("path", "label", True, LIST, ".1.2", [1, 2]),
    ("cookie", "form", True, INTEGER, "a=1; color=2", 2),
    ("cookie", "cookie", True, TEXT, "color=a%20b", "a%20b"),
)  # fmt: skip


@pytest.mark.parametrize(("place", "style", "explode", "schema", "text", "value"), READINGS)
def test_a_text_is_read_as(
    place: str, style: str, explode: bool, schema: Mapping[str, object], text: str, value: object
) -> None:
    assert read(parameter(place, style, explode), schema, text) == value


LOOSE: tuple[tuple[str, bool, Mapping[str, object], str, object], ...] = (
    ("form", False, TEXTS, "color=a%2Cb", ["a", "b"]),
    ("form", False, TEXTS, "color=", []),
    ("form", True, TEXTS, "color=", []),
    ("form", True, LIST, "color[]=1&color[]=2", [1, 2]),
    ("form", True, {"type": ["integer", "string"]}, "color=7", "7"),
    ("form", True, {"anyOf": [TEXT, TEXTS]}, "color=7", ["7"]),
    ("deepObject", True, LIST, "color=1&color=2", [1, 2]),
)


@pytest.mark.parametrize(("style", "explode", "schema", "text", "value"), LOOSE)
def test_the_other_reading_is(
    style: str, explode: bool, schema: Mapping[str, object], text: str, value: object
) -> None:
    assert read(parameter("query", style, explode), schema, text, loose=True) == value


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=60),
    way=st.sampled_from((*WAYS, ("query", "deepObject", True))),
    schema=st.sampled_from((INTEGER, TEXT, LIST, OBJECT, MAP, DEEP, {}, {"anyOf": [LIST, OBJECT]})),
    loose=st.booleans(),
)
def test_any_text_is_read_as_something(
    text: str, way: tuple[str, str, bool], schema: Mapping[str, object], loose: bool
) -> None:
    read(parameter(*way), schema, text, loose=loose)
