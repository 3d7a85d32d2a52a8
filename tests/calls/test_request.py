"""What arguments make of a request, and what they cannot make of it."""

import json
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.calls import build_request
from gateway.errors import InvalidArguments
from gateway.messages import header
from tests.support.tools import DONE, TEXT, api_of, parameter, tool_of

TWO_PLACES = tool_of(
    parameter("a", "path", TEXT), parameter("b", "path", TEXT), path="/p/{a}/q/{b}"
)


INTEGER = {"type": "integer"}


def an_object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


def pointers(caught: pytest.ExceptionInfo[InvalidArguments]) -> list[str]:
    return [fault.pointer for fault in caught.value.faults]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="dot"),
        pytest.param("..", id="dots"),
        pytest.param("%2e%2e", id="encoded dots"),
        pytest.param("%2E.", id="half encoded dots"),
        pytest.param("%252e%252e", id="dots encoded twice"),
        pytest.param("%" + "25" * 20 + "2e", id="encoded without end"),
        pytest.param("../admin", id="dots, slash"),
        pytest.param("..%2fadmin", id="dots, encoded slash"),
        pytest.param("a/../../b", id="dots inside"),
        pytest.param("..\\admin", id="dots, backslash"),
        pytest.param("a%5c..", id="dots, encoded backslash"),
        pytest.param("..;/x", id="dots with a path parameter"),
    ],
)
def test_a_path_value_that_some_server_would_climb_with_is_a_fault(value: str) -> None:
    with pytest.raises(InvalidArguments) as caught:
        build_request(TWO_PLACES, {"a": value, "b": "x"})
    assert pointers(caught) == ["/a"]


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        pytest.param("a/b", "a%2Fb", id="slash"),
        pytest.param("/etc", "%2Fetc", id="leading slash"),
        pytest.param("a?x=1", "a%3Fx%3D1", id="question mark"),
        pytest.param("a#f", "a%23f", id="hash"),
        pytest.param("100%", "100%25", id="percent sign"),
        pytest.param("%00", "%2500", id="encoded NUL"),
        pytest.param("\x00\r\n", "%00%0D%0A", id="control characters"),
        pytest.param("v1..v2", "v1..v2", id="dots between"),
        pytest.param("...", "...", id="three dots"),
        pytest.param("\uff0e\uff0e\uff0f", "%EF%BC%8E%EF%BC%8E%EF%BC%8F", id="full-width dots"),
        pytest.param("{b}", "%7Bb%7D", id="another placeholder"),
        pytest.param("@evil:80", "%40evil%3A80", id="authority"),
        pytest.param("é", "%C3%A9", id="beyond ASCII"),
    ],
)
def test_a_path_value_stays_in_its_segment(value: str, segment: str) -> None:
    request = build_request(TWO_PLACES, {"a": value, "b": "x"})
    assert request.head.target == f"/p/{segment}/q/x"


@settings(max_examples=300)
@given(st.text("./\\%25eEfFcC;?#{}ab\x00é", max_size=8), st.text("./\\%2eE;{}a", max_size=8))
@example("..", "%2e")
@example("{b}", "..")
def test_path_arguments_cannot_leave_their_segments(a: str, b: str) -> None:
    try:
        target = build_request(TWO_PLACES, {"a": a, "b": b}).head.target
    except InvalidArguments:
        return
    assert target.isascii()
    assert target.isprintable()
    empty, p, first, q, second = target.split("/")
    assert (empty, p, q) == ("", "p", "q")
    assert (unquote(first), unquote(second)) == (a, b)
    for _ in range(10):
        assert not {".", ".."} & set(target.replace("\\", "/").split("/"))
        target = unquote(target)


@pytest.mark.parametrize(
    ("path", "values", "target"),
    [
        pytest.param("/{a}{b}", ("x", "y"), "/xy", id="side by side"),
        pytest.param("/{a}.{b}", ("{b}", "y"), "/%7Bb%7D.y", id="a value is not expanded again"),
        pytest.param("/{a}{b}", (".", "."), None, id="dots made together"),
        pytest.param("/{a}{b}", ("%2", "e."), None, id="dots made together, one of them encoded"),
        pytest.param("/{a}{b}", ("%2", "e"), None, id="an encoded dot made together"),
        pytest.param("/x y/<{a}>/{b}", ("1", "2"), "/x%20y/%3C1%3E/2", id="literals are encoded"),
        pytest.param("/{a}?only={b}", ("1", "&"), "/1?only=%26", id="a query in the template"),
        pytest.param("/{a}#{b}", ("1", "2"), "/1", id="a fragment in the template"),
    ],
)
def test_templates(path: str, values: tuple[str, str], target: str | None) -> None:
    tool = tool_of(parameter("a", "path", TEXT), parameter("b", "path", TEXT), path=path)
    arguments = dict(zip("ab", values, strict=True))
    if target is None:
        with pytest.raises(InvalidArguments):
            build_request(tool, arguments)
    else:
        assert build_request(tool, arguments).head.target == target


def test_the_base_path_comes_first_and_a_described_query_before_the_arguments() -> None:
    tool = tool_of(parameter("q", "query", TEXT), path="/a?x=1")
    assert build_request(tool, {"q": "2"}, base_path="/v1").head.target == "/v1/a?x=1&q=2"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a\r\nX-Evil: 1", id="CRLF"),
        pytest.param("a\nb", id="LF"),
        pytest.param("a\x00b", id="NUL"),
        pytest.param("a\x7fb", id="DEL"),
        pytest.param("\u0130", id="non-Latin"),
        pytest.param("caf\u00e9", id="Latin-1"),
        pytest.param("a\u2028b", id="line separator"),
        pytest.param(" a", id="leading space"),
        pytest.param("a\t", id="trailing tab"),
        pytest.param("x" * 100_000, id="100 kB"),
    ],
)
def test_a_header_value_that_http_cannot_carry_is_a_fault(value: str) -> None:
    tool = tool_of(parameter("X-Note", "header", TEXT))
    with pytest.raises(InvalidArguments) as caught:
        build_request(tool, {"X_Note": value})
    assert pointers(caught) == ["/X_Note"]
    assert "Evil" not in str(caught.value)


def test_arguments_never_set_headers_that_are_not_theirs() -> None:
    owned = ["Host", "Authorization", "Accept", "Content-Type", "Cookie", "Content-Length"]
    owned += ["Transfer-Encoding", "Connection", "X-Forwarded-For", "OCP-Context-ID", "Mcp-Name"]
    owned += ["Proxy-Authorization"]
    tool = tool_of(*(parameter(name, "header", TEXT) for name in owned))

    assert tool.arguments.items == ()
    assert build_request(tool, {}).head.headers == (("Accept", "*/*"),)


def test_every_fault_is_told_at_once_without_any_value() -> None:
    tool = tool_of(
        parameter("id", "path", {"type": "integer"}),
        parameter("tags", "query", {"type": "array", "items": {"type": "string", "minLength": 3}}),
        path="/x/{id}",
        method="post",
        body=an_object(name=TEXT, size={"enum": ["S"]}) | {"required": ["name"]},
    )

    with pytest.raises(InvalidArguments) as caught:
        build_request(tool, {"id": "s3cret", "tags": ["fine", "s3"], "size": "s3cret", "zz": 1})

    assert [(fault.pointer, fault.message) for fault in caught.value.faults] == [
        ("/id", "expected integer, received string"),
        ("/name", "is required"),
        ("/size", 'value is not one of "S"'),
        ("/tags/1", "value is shorter than 3 characters"),
        ("/zz", "is not known here"),
    ]
    assert "s3" not in str(caught.value)


def test_faults_of_place_are_told_together() -> None:
    tool = tool_of(parameter("a", "path", TEXT), parameter("X-B", "header", TEXT), path="/x/{a}")
    with pytest.raises(InvalidArguments) as caught:
        build_request(tool, {"a": "..", "X_B": "\n"})
    assert pointers(caught) == ["/a", "/X_B"]


def test_a_pointer_escapes_what_rfc_6901_escapes() -> None:
    body = {"type": "object", "additionalProperties": {"type": "integer"}}
    tool = tool_of(method="post", body=body)
    with pytest.raises(InvalidArguments) as caught:
        build_request(tool, {"body": {"a/b~c": "x"}})
    assert pointers(caught) == ["/body/a~1b~0c"]


class TestNull:
    TOOL = tool_of(
        parameter("q", "query", TEXT),
        parameter("n", "query", {"type": ["string", "null"]}),
        parameter("must", "query", TEXT, required=True),
        method="post",
        body=an_object(nick={"type": ["string", "null"]}, age=INTEGER),
    )

    def test_counts_as_not_given_where_the_schema_admits_none(self) -> None:
        request = build_request(self.TOOL, {"must": "1", "q": None, "n": None, "age": None})
        assert request.head.target == "/things?must=1"
        assert request.body == b"{}"

    def test_is_sent_in_a_body_whose_schema_admits_it(self) -> None:
        request = build_request(self.TOOL, {"must": "1", "nick": None})
        assert request.body == b'{"nick":null}'

    def test_does_not_satisfy_a_required_argument(self) -> None:
        with pytest.raises(InvalidArguments) as caught:
            build_request(self.TOOL, {"must": None})
        assert [(f.pointer, f.message) for f in caught.value.faults] == [("/must", "is required")]

    def test_under_an_unknown_name_is_still_unknown(self) -> None:
        with pytest.raises(InvalidArguments) as caught:
            build_request(self.TOOL, {"must": "1", "zz": None})
        assert pointers(caught) == ["/zz"]

    def test_is_left_out_however_many_there_are(self) -> None:
        names = [f"a{number}" for number in range(120)]
        tool = tool_of(*(parameter(name, "query", TEXT) for name in names))
        assert build_request(tool, dict.fromkeys(names)).head.target == "/things"


@pytest.mark.parametrize("number", [2**63, 2**64, 10**40 + 7, -(10**30)], ids=str)
def test_integers_are_exact_beyond_64_bits(number: int) -> None:
    number_in_path = parameter("id", "path", INTEGER)
    tool = tool_of(number_in_path, path="/x/{id}", method="post", body=an_object(n=INTEGER))

    request = build_request(tool, {"id": number, "n": number})

    assert request.head.target == f"/x/{number}"
    assert request.body == f'{{"n":{number}}}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([1, {"a": None}], id="list"),
        pytest.param({"any": {"thing": True}}, id="free-form object"),
        pytest.param("text", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_a_body_that_is_no_plain_object_is_sent_as_given(value: object) -> None:
    tool = tool_of(method="post", body={})
    request = build_request(tool, {"body": value})
    assert isinstance(request.body, bytes)
    assert json.loads(request.body) == value
    assert header(request.head.headers, "Content-Type") == "application/json"


def test_an_optional_body_without_arguments_is_not_sent() -> None:
    schema = an_object(n=INTEGER)
    body = {"content": {"application/json": {"schema": schema}}}
    (tool,) = api_of({"/x": {"post": {"requestBody": body, "responses": DONE}}}).tools.values()
    request = build_request(tool, {})
    assert request.body is None
    assert header(request.head.headers, "Content-Type") is None


def test_accept_names_the_described_successes_json_first() -> None:
    content: dict[str, object] = {"text/csv": {}, "application/json": {}, "x\r\ny": {}}
    tool = tool_of(responses={"200": {"description": "", "content": content}})
    accept = header(build_request(tool, {}).head.headers, "Accept")
    assert accept == "application/json, text/csv, */*;q=0.1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANYTHING = tool_of(
    parameter("p", "path"),
    parameter("q", "query"),
    parameter("d", "query", style="deepObject"),
    parameter("h", "header"),
    parameter("c", "cookie"),
    path="/x/{p}",
    method="post",
    body={},
)


@settings(max_examples=200)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(["p", "q", "d", "h", "c", "body"], JSON)))
@example({"p": "\ud800", "body": None})
@example({"p": "x", "body": "\ud800"})
@example({"p": 1e400, "body": float("nan")})
def test_any_arguments_make_a_request_or_faults(arguments: dict[str, object]) -> None:
    try:
        request = build_request(ANYTHING, arguments)
    except InvalidArguments:
        return
    assert request.head.target.isascii()
    assert all(ord(c) > 0x20 for c in request.head.target)
    for name, value in request.head.headers:
        assert not set("\r\n\0") & set(name + value)


def test_endless_depth_is_a_fault() -> None:
    deep: object = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(InvalidArguments):
        build_request(ANYTHING, {"p": "x", "body": deep})
