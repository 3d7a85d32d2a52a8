"""Who a request comes from: what trusted proxies say counts, what others say does not."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.forwarding import MAX_HOPS, Front, Provenance, is_forwarded
from gateway.messages import Headers

FRONT = Front(trusted=map(ip_network, ("10.0.0.0/8", "fd00::/8")))
HOST = ("Host", "gw.test")
FOR, PROTO, ASKED = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"


def judge(*headers: tuple[str, str], peer: str = "10.0.0.1", front: Front = FRONT) -> Provenance:
    return front.judge((HOST, *headers), peer)


LIES = (
    (FOR, "203.0.113.9"),
    (PROTO, "https"),
    (ASKED, "evil.test"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-Prefix", "/evil"),
    ("Forwarded", "for=203.0.113.9;proto=https;host=evil.test"),
    ("X-Real-IP", "203.0.113.9"),
)


@pytest.mark.parametrize(
    ("front", "peer"),
    [(Front(), "127.0.0.1"), (FRONT, "192.0.2.1"), (FRONT, "::1"), (FRONT, "11.0.0.1")],
    ids=["nobody is trusted", "a stranger", "loopback", "a neighbour"],
)
def test_s42_a_peer_that_is_not_trusted_says_nothing(front: Front, peer: str) -> None:
    assert judge(*LIES, peer=peer, front=front) == Provenance(address=peer, host="gw.test")


@pytest.mark.parametrize(
    ("lines", "address", "hops"),
    [
        pytest.param((), "10.0.0.1", (), id="says nothing"),
        pytest.param(("192.0.2.1",), "192.0.2.1", ("10.0.0.1",), id="one proxy"),
        pytest.param(("203.0.113.9, 192.0.2.1",), "192.0.2.1", ("10.0.0.1",), id="the client lies"),
        pytest.param(
            ("192.0.2.1, 10.0.0.3", "10.0.0.2"),
            "192.0.2.1",
            ("10.0.0.3", "10.0.0.2", "10.0.0.1"),
            id="three proxies, two lines",
        ),
        pytest.param(("10.9.9.9, 10.0.0.2",), "10.9.9.9", ("10.0.0.2", "10.0.0.1"), id="all of us"),
        pytest.param(("203.0.113.9, junk, 10.0.0.2",), "10.0.0.2", ("10.0.0.1",), id="junk"),
        pytest.param(("junk",), "10.0.0.1", (), id="only junk"),
        pytest.param(("203.0.113.9,",), "10.0.0.1", (), id="empty"),
        pytest.param(("192.0.2.1:4711",), "192.0.2.1", ("10.0.0.1",), id="with a port"),
        pytest.param(("2001:DB8::1",), "2001:db8::1", ("10.0.0.1",), id="IPv6"),
        pytest.param(("[2001:db8::1]:443",), "2001:db8::1", ("10.0.0.1",), id="IPv6 and port"),
        pytest.param(("::ffff:192.0.2.1",), "192.0.2.1", ("10.0.0.1",), id="mapped"),
        pytest.param(("fe80::1%eth0",), "10.0.0.1", (), id="a zone"),
        pytest.param(("192.0.2.1\x00",), "10.0.0.1", (), id="a control"),
        pytest.param(("0300.0.2.1",), "10.0.0.1", (), id="octal"),
    ],
)
def test_s42_the_client_is_the_first_that_is_no_proxy_of_ours(
    lines: tuple[str, ...], address: str, hops: tuple[str, ...]
) -> None:
    found = judge(*((FOR, line) for line in lines))
    assert (found.address, found.hops) == (address, hops)


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "fd00::1", "fd00::1%eth0"])
def test_a_trusted_peer_is_known_in_every_spelling(peer: str) -> None:
    assert judge((FOR, "192.0.2.1"), peer=peer).address == "192.0.2.1"


@pytest.mark.parametrize("peer", ["", "unknown", "/run/socket"])
def test_a_peer_without_an_address_is_nobody(peer: str) -> None:
    assert judge(*LIES, peer=peer) == Provenance(host="gw.test")


def test_s42_a_long_chain_is_followed_for_a_while_only() -> None:
    chain = ", ".join(["192.0.2.1", *["10.0.0.2"] * (MAX_HOPS + 1)])
    assert judge((FOR, chain)).address == "10.0.0.2"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(((PROTO, "HTTPS"),), {"scheme": "https"}, id="scheme"),
        pytest.param(((PROTO, "wss"),), {}, id="unknown scheme"),
        pytest.param(((ASKED, "shop.test:81"),), {"host": "shop.test:81"}, id="host"),
        pytest.param((("X-Forwarded-Port", "8443"),), {"port": "8443"}, id="port"),
        pytest.param((("X-Forwarded-Port", "65535"),), {"port": "65535"}, id="the last port"),
        pytest.param((("X-Forwarded-Port", "65536"),), {}, id="no port any more"),
        pytest.param((("X-Forwarded-Port", "8443;"),), {}, id="bad port"),
        pytest.param((("X-Forwarded-Prefix", "/a/b-1/"),), {"prefix": "/a/b-1"}, id="prefix"),
        pytest.param((("X-Forwarded-Prefix", "//evil.test"),), {}, id="another host"),
        pytest.param((("X-Forwarded-Prefix", "/a/../b"),), {}, id="dots"),
        pytest.param((("X-Forwarded-Prefix", "/\\evil.test"),), {}, id="backslash"),
        pytest.param((("X-Forwarded-Prefix", "evil"),), {}, id="no path"),
        pytest.param((("X-Forwarded-Prefix", "/"),), {}, id="root"),
    ],
)
def test_s42_what_a_trusted_proxy_says_of_the_request(
    headers: Headers, expected: dict[str, str]
) -> None:
    plain = {"address": "10.0.0.1", "host": "gw.test"}
    assert judge(*headers) == Provenance(**{**plain, **expected})  # type: ignore[arg-type]


def test_s42_lists_are_read_where_the_client_was_seen() -> None:
    found = judge(
        (FOR, "203.0.113.9, 192.0.2.1, 10.0.0.2"),
        (PROTO, "http, https, http"),
        (ASKED, "evil.test, gw.example, inner"),
    )
    assert (found.address, found.scheme, found.host) == ("192.0.2.1", "https", "gw.example")


@pytest.mark.parametrize(
    ("value", "address", "scheme", "host"),
    [
        ("for=192.0.2.1;proto=https;host=a.test", "192.0.2.1", "https", "a.test"),
        ('For="[2001:db8::1]:80" ; HOST="a.test:1"', "2001:db8::1", "http", "a.test:1"),
        ("for=203.0.113.9, for=192.0.2.1;by=x, for=10.0.0.2", "192.0.2.1", "http", "gw.test"),
        ('for="192.0.2.1, for=203.0.113.9', "10.0.0.1", "http", "gw.test"),
        ("for=unknown", "10.0.0.1", "http", "gw.test"),
        ("for=_hidden, for=10.0.0.2", "10.0.0.2", "http", "gw.test"),
        ('for="192.0.2\\.1"', "192.0.2.1", "http", "gw.test"),
        ("junk", "10.0.0.1", "http", "gw.test"),
        ("for=192.0.2.1 junk", "10.0.0.1", "http", "gw.test"),
    ],
)
def test_s42_forwarded_of_rfc_7239(value: str, address: str, scheme: str, host: str) -> None:
    found = judge(("Forwarded", value))
    assert (found.address, found.scheme, found.host) == (address, scheme, host)


@pytest.mark.parametrize("header", [(FOR, "192.0.2.1"), (PROTO, "http"), (ASKED, "gw.test")])
def test_s42_forwarded_may_be_the_clients_own_where_a_proxy_writes_the_others(
    header: tuple[str, str],
) -> None:
    found = judge(header, ("Forwarded", "for=203.0.113.9;host=evil.test;proto=https"))
    assert "203.0.113.9" not in (found.address, *found.hops)
    assert (found.scheme, found.host) == ("http", "gw.test")


def test_the_public_url_says_how_its_callers_came_in() -> None:
    public = Front(public_url="https://GW.test/base")
    found = judge(peer="192.0.2.1", front=public)
    assert (found.scheme, found.prefix) == ("https", "/base")
    found = public.judge((("Host", "localhost"),), "192.0.2.1")
    assert (found.scheme, found.prefix) == ("http", "/base")


@pytest.mark.parametrize(
    ("name", "forwarded"),
    [
        *(
            (name, True)
            for name in ("x-forwarded-for", "Forwarded", "Via", "X-Real-IP", "X_Real_IP")
        ),
        *(
            (name, True)
            for name in ("CDN-Loop", "X-Azure-ClientIP", "X-Appengine-User-IP", "DO-Connecting-IP")
        ),
        *((name, False) for name in ("Host", "Accept", "X-Forward", "Origin")),
    ],
)
def test_whether_a_request_says_that_it_was_forwarded(name: str, forwarded: bool) -> None:
    assert is_forwarded(((name, ""),)) is forwarded


NAMES = st.sampled_from([FOR, PROTO, ASKED, "Forwarded", "X-Forwarded-Prefix", "Host"])


@settings(max_examples=300)
@given(st.lists(st.tuples(NAMES, st.text(max_size=60)), max_size=6), st.text(max_size=20))
def test_anything_is_judged(headers: list[tuple[str, str]], peer: str) -> None:
    for near in (peer, "10.0.0.1"):
        found = FRONT.judge(tuple(headers), near)
        assert all(part.isascii() for part in (found.address, *found.hops, found.prefix))
