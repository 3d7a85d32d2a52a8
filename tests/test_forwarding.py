"""What changes in the heads of a proxied exchange, and what does not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadRequest, LoopDetected
from gateway.forwarding import check_path, inbound_head, outbound_head, passed_on
from gateway.messages import Headers, RequestHead, ResponseHead, as_utf8, header_values
from gateway.upstreams import Upstream

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
CONTEXT = (("OCP-Context-ID", "ocp-00000001"),)


def outbound(*headers: tuple[str, str], upstream: Upstream = PLAIN) -> Headers:
    head = RequestHead(method="GET", target="/x", headers=headers)
    return outbound_head(head, upstream, OCP, via=VIA).headers


def inbound(*headers: tuple[str, str]) -> Headers:
    return inbound_head(ResponseHead(status=200, headers=headers), UPSTREAM, CONTEXT).headers


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
def test_dot_segments_are_refused_however_they_are_written(path: str) -> None:
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
    assert outbound(*headers) == (*headers, ("Via", f"1.1 {VIA}"), *OCP)


def test_the_target_is_the_base_path_and_the_callers_bytes() -> None:
    head = RequestHead(method="PUT", target="/a%2Fb//c?q=%41&&x=+1")
    out = outbound_head(head, UPSTREAM, (), via=VIA)
    assert (out.method, out.target) == ("PUT", "/v1/a%2Fb//c?q=%41&&x=+1")


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer"),
        *("Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Host", "Expect"),
        *("OCP-Context-ID", "ocp-session", "OCP_Context_ID", "OCP-Later", "Ocp_User"),
        *("X-Forwarded-For", "X_Forwarded_For", "x-forwarded-host", "X-Forwarded_Proto"),
        *("Forwarded", "X-Real-IP", "X_Real_IP", "X-Original-URL", "X-Rewrite-URL"),
        *("X_Api_Key", "X-Api_Key", "Content_Length", "HTTP_HOST".removeprefix("HTTP_")),
    ],
)
def test_what_is_not_the_callers_to_say_stops_here(name: str) -> None:
    assert "s3cret" not in repr(outbound((name, "s3cret")))


@pytest.mark.parametrize(
    "name", ["X-Api-Key", "Authorization", "Cookie", "Content-Length", "X_Own"]
)
def test_what_only_looks_reserved_passes(name: str) -> None:
    assert (name, "5") in outbound((name, "5"))


@pytest.mark.parametrize("connection", ["Connection", "connection", "CONNECTION"])
def test_connection_takes_its_headers_along_but_never_ours(connection: str) -> None:
    headers = outbound(
        (connection, "close, X-Own, OCP-Context-ID, X-Env, via, authorization"),
        ("X-Own", "1"),
        ("OCP-Context-ID", "ocp-99999999"),
        upstream=UPSTREAM,
    )
    assert headers == (*UPSTREAM.headers, ("Via", f"1.1 {VIA}"), *OCP)


def test_configured_headers_replace_the_callers() -> None:
    headers = outbound(("x-env", "test"), ("authorization", "Bearer caller"), upstream=UPSTREAM)
    assert header_values(headers, "X-Env") == ("prod",)
    assert header_values(headers, "Authorization") == ("Basic Z2F0ZQ==",)


def test_via_is_kept_and_continued() -> None:
    headers = outbound(("Via", "1.0 a"), ("via", "1.1 b"))
    assert header_values(headers, "Via") == (f"1.0 a, 1.1 b, 1.1 {VIA}",)


def test_a_request_that_has_been_here_is_a_loop() -> None:
    with pytest.raises(LoopDetected):
        outbound(("Connection", "via"), ("Via", f"1.1 a, 1.1 {VIA}"))


@pytest.mark.parametrize(
    ("cookie", "confined"),
    [
        ("sid=1", "sid=1; Path=/apis/shop"),
        ("sid=1; Path=/; HttpOnly", "sid=1; HttpOnly; Path=/apis/shop"),
        ("sid=1;path=/a;DOMAIN=.example.com;Secure", "sid=1;Secure; Path=/apis/shop"),
        ("sid=1; Domain = x ; Path", "sid=1; Path=/apis/shop"),
        ("sid=1; Path=/a; Path=/b", "sid=1; Path=/apis/shop"),
        ("path=1; Pathology=x; Domains=y", "path=1; Pathology=x; Domains=y; Path=/apis/shop"),
    ],
)
def test_a_cookie_is_confined_to_its_api(cookie: str, confined: str) -> None:
    assert header_values(inbound(("Set-Cookie", cookie)), "Set-Cookie") == (confined,)


def test_pages_are_sandboxed() -> None:
    headers = inbound(
        ("Content-Security-Policy", "default-src *"),
        ("X-Content-Type-Options", "none"),
        ("Service-Worker-Allowed", "/"),
    )
    # Policies add up: the strictest of them holds.
    assert header_values(headers, "Content-Security-Policy") == ("default-src *", "sandbox")
    assert header_values(headers, "X-Content-Type-Options") == ("nosniff",)
    assert not header_values(headers, "Service-Worker-Allowed")


def test_an_upstreams_own_ocp_headers_stop_here() -> None:
    headers = inbound(("OCP-Context-ID", "x"), ("OCP_Session", "x"), ("OCP-Gateway-Recorded", "x"))
    assert [pair for pair in headers if pair[0].lower().startswith("ocp")] == list(CONTEXT)


def test_the_answers_other_headers_pass_in_order() -> None:
    headers = (("ETag", '"1"'), ("X-A", "1"), ("Location", "http://elsewhere/"), ("X-A", "2"))
    assert inbound(("Keep-Alive", "5"), *headers, ("Connection", "close"))[:4] == headers


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


NAMES = st.sampled_from(
    ["Connection", "connection", "Keep-Alive", "TE", "X-A", "X-B", "OCP-User", "Host", "Via"]
)
VALUES = st.lists(st.sampled_from(["x-a", "X-B", "close", "via", "ocp-context-id"])).map(", ".join)


@settings(max_examples=200)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_no_hop_by_hop_header_survives_and_ours_always_leave(pairs: list[tuple[str, str]]) -> None:
    headers = outbound(*pairs, upstream=UPSTREAM)
    named = {
        token
        for value in header_values(tuple(pairs), "connection")
        for token in value.lower().split(", ")
    }
    own = (*UPSTREAM.headers, *OCP)
    left = [name.lower() for name, value in headers if (name, value) not in own and name != "Via"]
    assert not {"connection", "keep-alive", "te", "host", "ocp-user", *named} & set(left)
    assert set(own) <= set(headers)


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
