"""What changes in the head of an API's answer, and what does not."""

from dataclasses import replace

import pytest

from gateway.forwarding import Provenance, inbound_head
from gateway.messages import Headers, RequestHead, ResponseHead, header_values
from gateway.upstreams import Upstream

UPSTREAM = Upstream(name="shop", origin="http://127.0.0.1:9", base_path="/v1")
OPEN = replace(UPSTREAM, allow_html=True)
ASKED = RequestHead(method="GET", target="/v1/items/7?x=1")
CONTEXT = (("OCP-Context-ID", "ocp-00000001"),)
SANDBOX = (("Content-Security-Policy", "sandbox"), ("X-Content-Type-Options", "nosniff"))


def inbound(*headers: tuple[str, str], upstream: Upstream = UPSTREAM, prefix: str = "") -> Headers:
    head = ResponseHead(status=200, headers=headers)
    back = inbound_head(
        head,
        upstream,
        CONTEXT,
        request=ASKED,
        provenance=Provenance(host="gw.test", prefix=prefix),
    )
    assert back.status == 200
    return back.headers


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
def test_s46_a_cookie_is_confined_to_its_api(cookie: str, confined: str) -> None:
    assert header_values(inbound(("Set-Cookie", cookie)), "Set-Cookie") == (confined,)


def test_a_cookie_finds_back_through_a_proxy_that_takes_a_prefix_off() -> None:
    headers = inbound(("Set-Cookie", "sid=1; Path=/"), prefix="/gw")
    assert header_values(headers, "Set-Cookie") == ("sid=1; Path=/gw/apis/shop",)


WHOLE_ORIGIN = [
    *("Service-Worker-Allowed", "Clear-Site-Data", "Strict-Transport-Security", "NEL"),
    *("Report-To", "Reporting-Endpoints", "Public-Key-Pins"),
]


@pytest.mark.parametrize("name", WHOLE_ORIGIN)
def test_an_api_does_not_speak_for_the_whole_origin(name: str) -> None:
    assert inbound((name, "x")) == (*SANDBOX, *CONTEXT)
    assert inbound((name, "x"), upstream=OPEN) == ((name, "x"), *CONTEXT)


def test_s46_pages_are_sandboxed_unless_they_may_act() -> None:
    headers = (("Content-Security-Policy", "default-src *"), ("X-Content-Type-Options", "none"))
    # Policies add up: the strictest of them holds.
    assert inbound(*headers) == (headers[0], *SANDBOX, *CONTEXT)
    assert inbound(*headers, upstream=OPEN) == (*headers, *CONTEXT)


@pytest.mark.parametrize("upstream", [UPSTREAM, OPEN], ids=["sandboxed", "allow_html"])
@pytest.mark.parametrize(
    "name",
    [
        *("OCP-Context-ID", "OCP_Session", "OCP-Gateway-Recorded", "ocp-later"),
        *("Connection", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade", "X-Named"),
        *("Access-Control-Allow-Origin", "access-control-allow-credentials"),
        *("X-Accel-Redirect", "X-Sendfile", "X-Reproxy-URL", "Alt-Svc"),
    ],
)
def test_what_is_not_the_apis_to_say_stops_here(upstream: Upstream, name: str) -> None:
    left = inbound(("Connection", "x-named"), (name, "s3cret"), upstream=upstream)
    assert "s3cret" not in repr(left)


def test_the_answers_other_headers_pass_in_order() -> None:
    headers = (
        ("ETag", '"1"'),
        ("X-A", "1"),
        ("Content-Range", "bytes 0-1/9"),
        ("X-A", "2"),
        ("Content-Encoding", "br"),
        ("Vary", "*"),
        ("WWW-Authenticate", "Basic"),
        ("Sec-WebSocket-Accept", "x"),
        ("Y" * 100, "long"),
    )
    assert inbound(("Keep-Alive", "5"), *headers, ("Connection", "close"))[:9] == headers


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ((("Content-Type", "text/event-stream; charset=utf-8"),), ("no",)),
        ((("content-type", "Text/Event-Stream"),), ("no",)),
        ((("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "yes")), ("yes",)),
        ((("Content-Type", "application/json"),), ()),
        ((), ()),
    ],
    ids=["events", "any case", "the API's own word", "JSON", "nothing"],
)
def test_events_are_not_to_be_gathered_in_front_of_us(
    headers: Headers, said: tuple[str, ...]
) -> None:
    assert header_values(inbound(*headers), "X-Accel-Buffering") == said


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("Location", "http://127.0.0.1:9/v1/a", "/gw/apis/shop/a"),
        ("content-location", "/v1/a", "/gw/apis/shop/a"),
        ("Refresh", "0; URL='/v1/a'", "0; URL='/gw/apis/shop/a'"),
        ("Refresh", "5", "5"),
        ("Refresh", "3;http://127.0.0.1:9/v1/b", "3;/gw/apis/shop/b"),
        (
            "Link",
            '</v1/a?p=2>; rel="next"; title="</v1/a>, \\"<b>", <http://x.test/>; rel=up',
            '</gw/apis/shop/a?p=2>; rel="next"; title="</v1/a>, \\"<b>", <http://x.test/>; rel=up',
        ),
        ("X-Location", "/v1/a", "/v1/a"),
    ],
)
def test_s45_what_an_answer_points_to_is_reached_through_us(
    name: str, value: str, seen: str
) -> None:
    assert inbound((name, value), prefix="/gw")[0] == (name, seen)


@pytest.mark.parametrize("value", ["<" * 60_000, '"\\' * 30_000, "<a" * 30_000, '"' * 60_000])
def test_a_hostile_link_costs_little(value: str) -> None:
    assert inbound(("Link", value))[0] == ("Link", value)
