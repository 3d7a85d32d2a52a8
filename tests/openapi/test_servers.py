"""Server Objects: which URLs they mean, and which of them can be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.openapi import Document, absolute_server, read_description, read_servers
from gateway.openapi.document import Node
from gateway.openapi.servers import operation_servers

HERE = "https://api.example/docs/openapi.json"


@pytest.mark.parametrize(
    ("url", "home", "expected"),
    [
        pytest.param("https://a.example/v1/", None, "https://a.example/v1", id="plain"),
        pytest.param(" https://a.example ", None, "https://a.example", id="outer spaces"),
        pytest.param("https://a.example:8443", None, "https://a.example:8443", id="port"),
        pytest.param("http://[::1]:8/x", None, "http://[::1]:8/x", id="IPv6"),
        pytest.param("http://10.1.2.3", None, "http://10.1.2.3", id="IPv4"),
        pytest.param("http://a.b3", None, "http://a.b3", id="a number inside a label"),
        pytest.param("/v1", None, None, id="file, relative"),
        pytest.param("/v1", HERE, "https://api.example/v1", id="URL, absolute path"),
        pytest.param("../v2", HERE, "https://api.example/v2", id="URL, relative path"),
        pytest.param("/", HERE, "https://api.example", id="URL, root"),
        pytest.param("//c/x", HERE, "https://c/x", id="URL, other host"),
        pytest.param("//c/x", None, None, id="file, no scheme"),
        pytest.param("javascript:alert(1)", HERE, None, id="other scheme"),
        pytest.param("ftp://x", None, None, id="ftp"),
        pytest.param("https://user:pw@x", None, None, id="user information"),
        pytest.param("https://@x", None, None, id="empty user"),
        pytest.param("https://x/?a=1", None, None, id="query"),
        pytest.param("https://x/#a", None, None, id="fragment"),
        pytest.param("https://x:99999", None, None, id="port out of range"),
        pytest.param("https://x:0", None, None, id="port 0"),
        pytest.param("http://[", None, None, id="no URL"),
        pytest.param("https://", None, None, id="no host"),
        pytest.param("https://{agent}/v1", None, None, id="no host name"),
        pytest.param("", HERE, None, id="empty"),
        pytest.param("https://go\tod.example", None, None, id="tab, which parsers drop"),
        pytest.param("https://x\\@y", None, None, id="backslash"),
        pytest.param("https://\uff11\uff12\uff17.0.0.1", None, None, id="wide digits"),
        pytest.param("https://x/a/../b", None, None, id="dot segment"),
        pytest.param("https://x/a/%2e%2e/b", None, None, id="encoded dot segment"),
        pytest.param("http://127.1", None, None, id="short address"),
        pytest.param("http://2130706433", None, None, id="address as a number"),
        pytest.param("http://0x7f000001", None, None, id="address in hexadecimal"),
        pytest.param("http://0177.0.0.1", None, None, id="address in octal"),
        pytest.param("http://127.0.0.1.", None, None, id="address with a dot at its end"),
    ],
)
def test_a_server_is_an_absolute_url_or_none(
    url: str, home: str | None, expected: str | None
) -> None:
    assert absolute_server(url, home=home) == expected


@given(st.text(max_size=40), st.sampled_from([None, HERE]))
def test_any_text_is_a_url_without_surprises_or_none(text: str, home: str | None) -> None:
    url = absolute_server(f"https://{text}", home=home) or absolute_server(text, home=home)
    assert url is None or (url.isascii() and url.startswith(("http://", "https://")))


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        pytest.param(None, ("/",), id="none"),
        pytest.param([], ("/",), id="empty"),
        pytest.param("x", ("/",), id="no list"),
        pytest.param([{"url": "/v1"}, {"url": "http://b"}], ("/v1", "http://b"), id="two"),
        pytest.param([{"url": 5}, {}, {"url": "/a"}], ("/a",), id="some without text"),
        pytest.param([{"url": 5}], (), id="none usable"),
        pytest.param(
            [
                {
                    "url": "https://{r}.x:{p}/{v}",
                    "variables": {
                        "r": {"default": "eu", "enum": ["us", "eu"]},
                        "p": {"default": 8443, "enum": [443, 8443]},
                        "v": {"default": "2", "enum": []},
                    },
                }
            ],
            ("https://eu.x:8443/2",),
            id="variables",
        ),
        pytest.param(
            [{"url": "https://{r}.x", "variables": {"r": {"default": "evil", "enum": ["eu"]}}}],
            (),
            id="a default outside its enum",
        ),
        pytest.param([{"url": "https://{r}.x", "variables": {"r": {}}}], (), id="no default"),
        pytest.param([{"url": "https://{r}.x"}], (), id="variable unknown"),
        pytest.param(
            [{"url": "https://x/{r}", "variables": {"r": {"default": "{r}"}}}],
            ("https://x/{r}",),
            id="a default is not filled again",
        ),
    ],
)
def test_the_servers_of_a_description(servers: object, expected: tuple[str, ...]) -> None:
    assert read_servers({"openapi": "3.1.0", "servers": servers}) == expected


A, B = [{"url": "https://a"}], [{"url": "https://b"}]


@pytest.mark.parametrize(
    ("shared", "own", "expected"),
    [
        pytest.param(None, None, None, id="none"),
        pytest.param(A, None, ("https://a",), id="the path item's"),
        pytest.param(None, B, ("https://b",), id="its own"),
        pytest.param(A, B, ("https://b",), id="its own before the path item's"),
        pytest.param(A, [], ("https://a",), id="an empty list says nothing"),
        pytest.param(A, {"url": "https://b"}, ("https://a",), id="no list"),
        pytest.param(A, [{"url": "https://{x}"}], (), id="its own, unusable"),
    ],
)
def test_an_operations_servers_come_first(
    shared: object, own: object, expected: tuple[str, ...] | None
) -> None:
    item = {"servers": shared, "get": {"servers": own}}
    document = {"openapi": "3.1.0", "paths": {"/x": item}}
    (operation,) = read_description(document, api="a").operations
    assert operation.servers == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("v2", "sub/v2"), ("../v2", "v2"), ("/v2", "/v2"), ("https://c", "https://c")],
)
def test_in_another_document_they_are_relative_to_it(url: str, expected: str) -> None:
    node = Node(value={"servers": [{"url": url}]}, pointer="sub/item.yaml#/get")
    assert operation_servers({"openapi": "3.1.0"}, None, node) == (expected,)


def test_what_is_no_url_in_another_document_is_no_fault() -> None:
    node = Node(value={"servers": [{"url": "http://["}]}, pointer="sub/item.yaml#/get")
    assert operation_servers({"openapi": "3.1.0"}, None, node) == ("http://[",)


@pytest.mark.parametrize(
    ("host", "schemes", "expected"),
    [
        pytest.param("h", ["https"], ("https://h/v1",), id="one"),
        pytest.param("h", ["http", "ws"], ("http://h/v1",), id="those that are HTTP"),
        pytest.param("h", ["wss"], None, id="none that is HTTP"),
        pytest.param("h", None, None, id="none"),
        pytest.param(None, ["https"], None, id="no host"),
    ],
)
def test_a_swagger_operation_may_have_other_schemes(
    host: object, schemes: object, expected: tuple[str, ...] | None
) -> None:
    root = {"swagger": "2.0", "host": host, "basePath": "/v1", "paths": {}}
    root["paths"] = {"/x": {"get": {"schemes": schemes}, "servers": A}}
    document = Document(root)
    (operation,) = read_description(document, api="a").operations
    assert operation.servers == expected
