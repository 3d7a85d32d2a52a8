"""Every place, style, explode and kind of value, as OpenAPI 3.1 and RFC 6570 write it."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls import build_request
from gateway.errors import InvalidArguments
from gateway.messages import Request, header_values
from tests.support.tools import parameter, tool_of

COLOURS = ["blue", "black", "br own"]
RGB = {"R": 100, "G": "2/0", "B": True}
DEEP_RGB = "?color%5BR%5D=100&color%5BG%5D=2%2F0&color%5BB%5D=true"
DEEP_LIST = "?color%5Bb%5D%5Bc%5D%5B0%5D=1&color%5Bb%5D%5Bc%5D%5B1%5D=2"
REFUSED = None


def sent(value: object, place: str, name: str = "color", **rest: bool | str) -> Request:
    path = f"/p/{{{name}}}" if place == "path" else "/p"
    tool = tool_of(parameter(name, place, True, **rest), path=path)
    (argument,) = tool.arguments.items
    return build_request(tool, {argument.name: value})


@pytest.mark.parametrize(
    ("style", "explode", "value", "expected"),
    [
        pytest.param("simple", False, "bl/ue", "bl%2Fue", id="simple text"),
        pytest.param("simple", False, 7, "7", id="simple integer"),
        pytest.param("simple", False, 7.0, "7", id="simple integer that came as a float"),
        pytest.param("simple", False, 0.5, "0.5", id="simple number"),
        pytest.param("simple", False, True, "true", id="simple boolean"),
        pytest.param("simple", False, "", REFUSED, id="simple empty"),
        pytest.param("simple", False, None, REFUSED, id="simple null"),
        pytest.param("simple", False, [], REFUSED, id="simple empty list"),
        pytest.param("simple", False, [None], REFUSED, id="simple list of null"),
        pytest.param("simple", False, COLOURS, "blue,black,br%20own", id="simple list"),
        pytest.param("simple", True, COLOURS, "blue,black,br%20own", id="simple list exploded"),
        pytest.param("simple", False, ["a", None, "b"], "a,b", id="simple list with a null"),
        pytest.param("simple", False, ["a,b"], "a%2Cb", id="simple list, delimiter in a value"),
        pytest.param("simple", False, RGB, "R,100,G,2%2F0,B,true", id="simple object"),
        pytest.param("simple", True, RGB, "R=100,G=2%2F0,B=true", id="simple object exploded"),
        pytest.param("simple", True, {"a": None, "b": 1}, "b=1", id="simple object with a null"),
        pytest.param("simple", False, [{"a": 1}], "%7B%22a%22%3A1%7D", id="object in a list: JSON"),
        pytest.param("label", False, "blue", ".blue", id="label text"),
        pytest.param("label", False, "", REFUSED, id="label empty"),
        pytest.param("label", False, [], REFUSED, id="label empty list"),
        pytest.param("label", False, COLOURS, ".blue,black,br%20own", id="label list"),
        pytest.param("label", True, COLOURS, ".blue.black.br%20own", id="label list exploded"),
        pytest.param("label", False, RGB, ".R,100,G,2%2F0,B,true", id="label object"),
        pytest.param("label", True, RGB, ".R=100.G=2%2F0.B=true", id="label object exploded"),
        pytest.param("matrix", False, "blue", ";color=blue", id="matrix text"),
        pytest.param("matrix", False, "", ";color", id="matrix empty"),
        pytest.param("matrix", False, [], REFUSED, id="matrix empty list"),
        pytest.param("matrix", True, {}, REFUSED, id="matrix empty object"),
        pytest.param("matrix", False, COLOURS, ";color=blue,black,br%20own", id="matrix list"),
        pytest.param(
            "matrix", True, COLOURS, ";color=blue;color=black;color=br%20own", id="matrix exploded"
        ),
        pytest.param("matrix", False, RGB, ";color=R,100,G,2%2F0,B,true", id="matrix object"),
        pytest.param("matrix", True, RGB, ";R=100;G=2%2F0;B=true", id="matrix object exploded"),
    ],
)
def test_path(style: str, explode: bool, value: object, expected: str | None) -> None:
    if expected is REFUSED:
        with pytest.raises(InvalidArguments) as caught:
            sent(value, "path", style=style, explode=explode)
        assert [fault.pointer for fault in caught.value.faults] == ["/color"]
    else:
        request = sent(value, "path", style=style, explode=explode)
        assert request.head.target == f"/p/{expected}"


@pytest.mark.parametrize(
    ("style", "explode", "value", "expected"),
    [
        pytest.param("form", True, "a&admin=1", "?color=a%26admin%3D1", id="form text"),
        pytest.param("form", True, "+ %;é", "?color=%2B%20%25%3B%C3%A9", id="form odd characters"),
        pytest.param("form", True, "", "?color=", id="form empty"),
        pytest.param("form", True, 2**64, "?color=18446744073709551616", id="form big integer"),
        pytest.param("form", True, False, "?color=false", id="form boolean"),
        pytest.param("form", True, None, "", id="form null"),
        pytest.param("form", True, [], "", id="form empty list"),
        pytest.param("form", False, [], "", id="form empty list, one value"),
        pytest.param("form", True, {}, "", id="form empty object"),
        pytest.param("form", False, [None], "", id="form list of null"),
        pytest.param("form", True, ["a", None, ""], "?color=a&color=", id="form list with a null"),
        pytest.param(
            "form", True, COLOURS, "?color=blue&color=black&color=br%20own", id="form list"
        ),
        pytest.param("form", False, ["a,b", "c"], "?color=a%2Cb,c", id="form list, one value"),
        pytest.param("form", True, RGB, "?R=100&G=2%2F0&B=true", id="form object"),
        pytest.param("form", False, RGB, "?color=R,100,G,2%2F0,B,true", id="form object, one"),
        pytest.param("form", True, {"a&b": "=", "n": None}, "?a%26b=%3D", id="form object, keys"),
        pytest.param(
            "spaceDelimited", False, COLOURS, "?color=blue%20black%20br%20own", id="space list"
        ),
        pytest.param("spaceDelimited", False, [], "", id="space empty list"),
        pytest.param("spaceDelimited", False, "a b", "?color=a%20b", id="space text"),
        pytest.param("spaceDelimited", True, [1, 2], "?color=1&color=2", id="space exploded"),
        pytest.param("pipeDelimited", False, [1, 2], "?color=1%7C2", id="pipe list"),
        pytest.param("pipeDelimited", False, {"a": 1, "b": 2}, "?color=a%7C1%7Cb%7C2", id="pipe"),
        pytest.param("pipeDelimited", False, {}, "", id="pipe empty object"),
        pytest.param("pipeDelimited", True, [1, 2], "?color=1&color=2", id="pipe exploded"),
        pytest.param("deepObject", True, RGB, DEEP_RGB, id="deep"),
        pytest.param(
            "deepObject",
            True,
            {"b": {"c": [1, 2]}},
            DEEP_LIST,
            id="deep, nested",
        ),
        pytest.param("deepObject", True, {"a]&x": 1}, "?color%5Ba%5D%26x%5D=1", id="deep, key"),
        pytest.param("deepObject", True, {"a": {}, "b": None}, "", id="deep, nothing in it"),
        pytest.param("deepObject", True, "x", "?color=x", id="deep text"),
    ],
)
def test_query(style: str, explode: bool, value: object, expected: str) -> None:
    assert sent(value, "query", style=style, explode=explode).head.target == f"/p{expected}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("/?:@!$'()*,;", "/?:@!$'()*,;", id="reserved characters stay"),
        pytest.param("a[0]", "a%5B0%5D", id="brackets, which no query may hold"),
        pytest.param("a&b=c#d+e", "a%26b%3Dc%23d%2Be", id="what would end the value does not"),
        pytest.param("%41%zz%", "%41%25zz%25", id="triplets stay, stray percent signs do not"),
        pytest.param("é <", "%C3%A9%20%3C", id="what is not reserved is encoded"),
    ],
)
def test_allow_reserved(value: str, expected: str) -> None:
    request = sent(value, "query", allowReserved=True)
    assert request.head.target == f"/p?color={expected}"


@pytest.mark.parametrize(
    ("explode", "value", "expected"),
    [
        pytest.param(False, "a b;c", ["a b;c"], id="text, not encoded"),
        pytest.param(False, "", [""], id="empty"),
        pytest.param(False, 3, ["3"], id="integer"),
        pytest.param(False, None, [], id="null"),
        pytest.param(False, [], [], id="empty list"),
        pytest.param(False, {}, [], id="empty object"),
        pytest.param(False, [None], [], id="list of null"),
        pytest.param(False, COLOURS, ["blue,black,br own"], id="list"),
        pytest.param(False, RGB, ["R,100,G,2/0,B,true"], id="object"),
        pytest.param(True, RGB, ["R=100,G=2/0,B=true"], id="object exploded"),
    ],
)
def test_header(explode: bool, value: object, expected: list[str]) -> None:
    request = sent(value, "header", name="X-Color", explode=explode)
    assert list(header_values(request.head.headers, "X-Color")) == expected


@pytest.mark.parametrize(
    ("explode", "value", "expected"),
    [
        pytest.param(True, "cook", ["color=cook"], id="text"),
        pytest.param(True, "a; session=evil", ["color=a%3B%20session%3Devil"], id="no second one"),
        pytest.param(True, "a\r\nX: y", ["color=a%0D%0AX%3A%20y"], id="no second header"),
        pytest.param(True, "", ["color="], id="empty"),
        pytest.param(True, None, [], id="null"),
        pytest.param(True, [], [], id="empty list"),
        pytest.param(False, COLOURS, ["color=blue,black,br%20own"], id="list"),
        pytest.param(True, ["a", "b"], ["color=a; color=b"], id="list exploded"),
        pytest.param(False, RGB, ["color=R,100,G,2%2F0,B,true"], id="object"),
        pytest.param(True, RGB, ["R=100; G=2%2F0; B=true"], id="object exploded"),
    ],
)
def test_cookie(explode: bool, value: object, expected: list[str]) -> None:
    request = sent(value, "cookie", explode=explode)
    assert list(header_values(request.head.headers, "Cookie")) == expected


@pytest.mark.parametrize("place", ["path", "query", "header", "cookie"])
def test_a_content_parameter_is_one_json_text(place: str) -> None:
    name = "X-Color"
    content = {"content": {"application/json": {"schema": {"type": "object"}}}}
    declared = {"name": name, "in": place, "required": True, **content}
    path = f"/p/{{{name}}}" if place == "path" else "/p"

    request = build_request(tool_of(declared, path=path), {"X_Color": {"a": [None, "/"]}})

    encoded = "%7B%22a%22%3A%5Bnull%2C%22%2F%22%5D%7D"
    expected = {
        "path": (f"/p/{encoded}", []),
        "query": (f"/p?X-Color={encoded}", []),
        "header": ("/p", ['{"a":[null,"/"]}']),
        "cookie": ("/p", [f"X-Color={encoded}"]),
    }
    carried = header_values(request.head.headers, "Cookie" if place == "cookie" else name)
    assert (request.head.target, list(carried)) == expected[place]


@pytest.mark.parametrize(
    ("media_type", "value", "sent_text"),
    [
        pytest.param(
            "application/x-www-form-urlencoded", {"a b": "c&d"}, "a%2Bb%3Dc%2526d", id="form"
        ),
        pytest.param("text/plain", "a b", "a%20b", id="text"),
        pytest.param("application/json", "é", "%22%C3%A9%22", id="JSON text"),
    ],
)
def test_a_content_parameter_is_written_by_its_media_type(
    media_type: str, value: object, sent_text: str
) -> None:
    declared = {"name": "p", "in": "query", "content": {media_type: {}}}
    assert build_request(tool_of(declared), {"p": value}).head.target == f"/things?p={sent_text}"


def test_json_in_a_header_is_ascii() -> None:
    declared = {"name": "X-P", "in": "header", "content": {"application/json": {}}}
    headers = build_request(tool_of(declared), {"X_P": "é"}).head.headers
    assert list(header_values(headers, "X-P")) == ['"\\u00e9"']


@pytest.mark.parametrize(
    ("media_type", "value", "query"),
    [
        pytest.param(
            "application/x-www-form-urlencoded", {"a": ["b c", 1]}, "a=b+c&a=1", id="form"
        ),
        pytest.param("application/json", {"a": 1}, "%7B%22a%22%3A1%7D", id="JSON"),
        pytest.param(
            "application/x-www-form-urlencoded",
            "a b#&\r\nX: y",
            "a%20b%23%26%0D%0AX%3A%20y",
            id="text for a form",
        ),
        pytest.param(
            "application/x-www-form-urlencoded", ["a b"], "%5B%22a%20b%22%5D", id="list for a form"
        ),
        pytest.param("text/plain", "a b", "a%20b", id="text"),
    ],
)
def test_one_parameter_can_be_the_whole_query(media_type: str, value: object, query: str) -> None:
    declared = {"name": "p", "in": "querystring", "content": {media_type: {}}}
    assert build_request(tool_of(declared), {"p": value}).head.target == f"/things?{query}"


@pytest.mark.parametrize(
    ("name", "written"),
    [("__Host-a", "__Host-a"), ("a[b]", "a[b]"), ("a b;c", "a%20b%3Bc")],
)
def test_a_cookie_keeps_a_name_that_a_cookie_can_have(name: str, written: str) -> None:
    request = sent("x", "cookie", name=name)
    assert list(header_values(request.head.headers, "Cookie")) == [f"{written}=x"]


def test_a_cookie_with_content_has_such_a_name_too() -> None:
    declared = {"name": "a; b=1", "in": "cookie", "content": {"application/json": {}}}
    headers = build_request(tool_of(declared), {"a__b_1": 1}).head.headers
    assert list(header_values(headers, "Cookie")) == ["a%3B%20b%3D1=1"]


def test_a_parameters_own_name_is_encoded() -> None:
    assert sent(["x"], "query", name="filter[a&b]").head.target == "/p?filter%5Ba%26b%5D=x"


@settings(max_examples=100)
@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_a_value_never_makes_another_key_and_comes_back_exact(values: list[str]) -> None:
    target = sent(values, "query").head.target
    assert target.isascii()
    query = urlsplit(target).query
    assert parse_qsl(query, keep_blank_values=True) == [("color", value) for value in values]
