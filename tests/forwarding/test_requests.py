"""What changes in the head of a request on its way to an API, and what does not."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadRequest, LoopDetected
from gateway.forwarding import MAX_GATEWAYS, Provenance, check_path, outbound_head, passed_on
from gateway.messages import Headers, RequestHead, as_utf8, header_values
from gateway.upstreams import ProxyReach, Upstream

VIA = "ocp-gateway-0a1b2c3d"
UPSTREAM = Upstream(
    name="shop",
    origin="http://127.0.0.1:9",
    base_path="/v1",
    headers=(("X-Env", "prod"), ("Authorization", "Basic Z2F0ZQ==")),
    forward_headers=frozenset({"x-tenant", "x-hop", "cookie"}),
)
PLAIN = Upstream(name="shop", origin="http://127.0.0.1:9")
OCP = (("OCP-Context-ID", "ocp-00000001"), ("OCP-Version", "1.0"))
CLIENT = Provenance(
    address="192.0.2.1", hops=("10.0.0.2", "10.0.0.1"), scheme="https", host="gw.test", prefix="/p"
)
CLAIMS = (
    ("X-Forwarded-For", "192.0.2.1, 10.0.0.2, 10.0.0.1"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "gw.test"),
    ("X-Forwarded-Prefix", "/p/apis/shop"),
)
OURS = (*CLAIMS, ("Via", f"1.1 {VIA}"), *OCP)


def outbound(
    *headers: tuple[str, str], upstream: Upstream = PLAIN, is_open: bool = True
) -> Headers:
    head = RequestHead(method="GET", target="/x", headers=headers)
    return outbound_head(head, upstream, OCP, via=VIA, provenance=CLIENT, is_open=is_open).headers


@pytest.mark.parametrize(
    "path",
    [
        "/a/../b",
        "/..",
        "/./a",
        "/a/%2e%2e/b",
        "/a/.%2E",
        "/a/%252e%252e/b",
        "/..%2fa",
        "/a%2f..%2fb",
        "/a/..%5cb",
        "/a\\..\\b",
        "/a/..;/b",
        "/a/..;x=1/b",
        "/a/%2e%2e%3b/b",
        "/" + "%25" * 1 + "25" * 12 + "2e",
    ],
)
def test_s44_dot_segments_are_refused_however_they_are_written(path: str) -> None:
    with pytest.raises(BadRequest):
        check_path(path)


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/a//b", "/a%2Fb", "/100%25", "/a%zz", "/...", "/a..b", "/.well-known/x", "/;a=.."],
)
def test_other_paths_are_left_alone(path: str) -> None:
    check_path(path)


def test_end_to_end_headers_keep_order_case_and_repetition() -> None:
    headers = (("X-b", "2"), ("x-A", "1"), ("X-b", "3"), ("User-Agent", "me"), ("Cookie", "s=1"))
    assert outbound(*headers) == (*headers, *OURS)


@pytest.mark.parametrize(
    "name",
    [
        *("Accept-Encoding", "Range", "If-Range", "If-None-Match", "Cache-Control", "traceparent"),
        *("Sec-WebSocket-Key", "X-Request-ID", "Origin", "Referer", "Prefer", "X-Api-Key", "X_Own"),
        *("Authorization", "Cookie", "Content-Length", "X-Accel-Buffering", "A" * 100),
        "CDN-Loop",  # RFC 8586 section 2: not to be removed
    ],
)
def test_what_only_looks_reserved_passes(name: str) -> None:
    assert (name, "5") in outbound((name, "5"))


def test_the_target_is_the_base_path_and_the_callers_bytes() -> None:
    head = RequestHead(method="PUT", target="/a%2Fb//c?q=%41&&x=+1")
    out = outbound_head(head, UPSTREAM, (), via=VIA, provenance=CLIENT, is_open=True)
    assert (out.method, out.target) == ("PUT", "/v1/a%2Fb//c?q=%41&&x=+1")


HOP_BY_HOP = [
    *("Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer"),
    *("Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Host", "Expect", "Proxy-Authenticate"),
]
CLAIMED = [
    *("X-Forwarded-For", "x-forwarded-host", "X-FORWARDED-PROTO", "X-Forwarded-Port", "Forwarded"),
    *("X-Forwarded-Prefix", "X-Forwarded-User", "X-Forwarded-Client-Cert", "X-Forwarded"),
    *("X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Cluster-Client-IP"),
    *("X-Azure-ClientIP", "X-Azure-SocketIP", "X-Appengine-User-IP", "DO-Connecting-IP"),
    *("X-Sendfile-Type", "X-Accel-Mapping"),
    *("X-Original-URL", "X-Rewrite-URL", "X-Original-Host", "X-Envoy-Original-Path", "X-Host"),
]
OWNED = ["OCP-Context-ID", "ocp-session", "OCP-Later", "Proxy"]
TWINS = [
    *("OCP_Context_ID", "Ocp_User", "X_Forwarded_For", "X-Forwarded_Proto", "X.Forwarded.For"),
    *("X_Real_IP", "X_Api_Key", "X-Api_Key", "X.Api.Key", "Content_Length", "Transfer_Encoding"),
    *("X_Original_URL", "OCP.Session", "X_HTTP_Method_Override"),
]


@pytest.mark.parametrize(
    "name",
    [
        *[pytest.param(name, id=f"s40-{name}") for name in [*HOP_BY_HOP, *OWNED]],
        *[pytest.param(name, id=f"s41-{name}") for name in TWINS],
        *[pytest.param(name, id=f"s42-{name}") for name in CLAIMED],
    ],
)
def test_what_is_not_the_callers_to_say_stops_here(name: str) -> None:
    assert outbound((name, "s3cret")) == OURS


@pytest.mark.parametrize("connection", ["Connection", "connection", "CONNECTION"])
def test_s40_connection_takes_its_headers_along_but_never_ours(connection: str) -> None:
    headers = outbound(
        (connection, "close, X-Own, OCP-Context-ID, X-Env, via, authorization"),
        (connection, "X-Forwarded-For,x-api-key ,"),
        ("X-Own", "1"),
        ("x-API-key", "1"),
        ("OCP-Context-ID", "ocp-99999999"),
        ("X-Forwarded-For", "203.0.113.9"),
        upstream=UPSTREAM,
    )
    assert headers == (*CLAIMS, *UPSTREAM.headers, *OURS[-3:])


@pytest.mark.parametrize(
    "sent", [("x-env", "test"), ("X_Env", "test"), ("X.ENV", "test"), ("authorization", "Bearer x")]
)
def test_configured_headers_replace_the_callers_and_their_twins(sent: tuple[str, str]) -> None:
    assert outbound(sent, upstream=UPSTREAM) == outbound(upstream=UPSTREAM)


def test_configured_headers_replace_what_we_would_say_of_the_caller() -> None:
    told = replace(PLAIN, headers=(("X-Forwarded-Host", "shop.example"),))
    assert header_values(outbound(upstream=told), "X-Forwarded-Host") == ("shop.example",)


@pytest.mark.parametrize(
    ("is_open", "named", "passes"),
    [(True, False, True), (True, True, True), (False, False, False), (False, True, True)],
    ids=["open", "open, named", "keys", "keys, named"],
)
def test_s89_authorization_passes_where_it_is_meant_for_the_api(
    is_open: bool, named: bool, passes: bool
) -> None:
    upstream = replace(PLAIN, forward_headers=frozenset({"authorization"} if named else ()))
    sent = ("Authorization", "Bearer x")
    assert (sent in outbound(sent, upstream=upstream, is_open=is_open)) is passes


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "x-method-override"])
def test_another_method_than_the_judged_one_is_not_asked_for(name: str) -> None:
    sent = (name, "DELETE")
    assert sent not in outbound(sent)
    assert sent in outbound(sent, upstream=replace(PLAIN, proxy=ProxyReach.ANY))
    named = replace(PLAIN, forward_headers=frozenset({name.lower()}))
    assert sent in outbound(sent, upstream=named)


def test_via_is_kept_and_continued() -> None:
    headers = outbound(("Via", "1.0 a"), ("via", "1.1 b"))
    assert header_values(headers, "Via") == (f"1.0 a, 1.1 b, 1.1 {VIA}",)


@pytest.mark.parametrize(
    "via",
    [
        pytest.param(f"1.1 a, 1.1 {VIA}", id="this very process"),
        pytest.param(", ".join(["1.1 ocp-gateway-ffffffff"] * MAX_GATEWAYS), id="many others"),
    ],
)
def test_a_request_that_has_been_here_is_a_loop(via: str) -> None:
    with pytest.raises(LoopDetected):
        outbound(("Connection", "via"), ("Via", via))


def test_gateways_in_a_row_are_no_loop() -> None:
    outbound(("Via", ", ".join(["1.1 ocp-gateway-ffffffff"] * (MAX_GATEWAYS - 1))))


def test_an_unknown_client_is_not_made_up() -> None:
    head = RequestHead(method="GET", target="/")
    out = outbound_head(head, PLAIN, (), via=VIA, provenance=Provenance(), is_open=True)
    names = [name for name, _ in out.headers]
    assert names == ["X-Forwarded-Proto", "X-Forwarded-Prefix", "Via"]


def test_only_named_headers_of_a_tool_caller_pass() -> None:
    headers = (
        ("X-Tenant", "a"),
        ("x_tenant", "b"),
        ("Authorization", "Bearer x"),
        ("Mcp-Method", "tools/call"),
        ("Connection", "x-hop"),
        ("X-Hop", "1"),
    )
    assert passed_on(headers, UPSTREAM) == (("X-Tenant", "a"),)
    assert passed_on(headers, PLAIN) == ()


@pytest.mark.parametrize("name", ["x-forwarded-for", "host", "ocp-user", "via", "connection"])
def test_naming_does_not_let_a_tool_caller_say_what_is_ours(name: str) -> None:
    named = replace(PLAIN, forward_headers=frozenset({name}))
    assert passed_on(((name, "x"),), named) == ()


NAMES = st.sampled_from(
    ["Connection", "connection", "Keep-Alive", "TE", "X-A", "X-B", "OCP-User", "Host", "Via"]
)
VALUES = st.lists(st.sampled_from(["x-a", "X-B", "close", "via", "ocp-context-id"])).map(", ".join)


@settings(max_examples=200)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_s40_no_hop_by_hop_header_survives_and_ours_always_leave(
    pairs: list[tuple[str, str]],
) -> None:
    headers = outbound(*pairs, upstream=UPSTREAM)
    named = {
        token
        for value in header_values(tuple(pairs), "connection")
        for token in value.lower().split(", ")
    }
    own = (*CLAIMS, *UPSTREAM.headers, *OCP)
    left = [name.lower() for name, value in headers if (name, value) not in own and name != "Via"]
    assert not {"connection", "keep-alive", "te", "host", "ocp-user", *named} & set(left)
    assert set(own) <= set(headers)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=20)), max_size=8))
def test_any_head_is_passed_on_or_a_loop(pairs: list[tuple[str, str]]) -> None:
    assert set(CLAIMS) <= set(outbound(*pairs, upstream=UPSTREAM))


@pytest.mark.parametrize(
    ("latin1", "handed_over"),
    [
        pytest.param("plain", "plain", id="ASCII"),
        pytest.param("caf\u00c3\u00a9", "caf\u00e9", id="UTF-8 bytes stay those bytes"),
        pytest.param("caf\u00e9", "caf\u00e9", id="a Latin-1 byte becomes UTF-8"),
    ],
)
def test_header_bytes_beyond_ascii(latin1: str, handed_over: str) -> None:
    assert as_utf8(latin1) == handed_over
