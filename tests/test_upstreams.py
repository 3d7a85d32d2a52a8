"""Addresses: origins, places of operations, and where names may lead."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from gateway.upstreams import AddressScope, OcpHeaders, Upstream, literal_address, split_base_url

SHOP = Upstream(
    name="shop",
    origin="https://shop.example",
    base_path="/v1",
    headers=(("X-Env", "prod"),),
    forward_headers=frozenset({"authorization"}),
    ocp_headers=OcpHeaders.FULL,
    timeout_seconds=3,
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Shop.Example/V1/", ("https://shop.example", "/V1")),
        ("https://a:443", ("https://a", "")),
        ("http://a:80/x", ("http://a", "/x")),
        ("http://a:443", ("http://a:443", "")),
        ("http://a:8080/", ("http://a:8080", "")),
        ("http://[::1]:80", ("http://[::1]", "")),
        ("http://a:/x", ("http://a", "/x")),
        ("http://a/{b} c%20d", ("http://a", "/%7Bb%7D%20c%20d")),
    ],
)
def test_equal_origins_are_equal_text(url: str, expected: tuple[str, str]) -> None:
    assert split_base_url(url) == expected


class TestElsewhere:
    def test_at_its_own_origin_everything_follows(self) -> None:
        assert SHOP.at("https://shop.example:443/v2", scope=AddressScope.PUBLIC) == replace(
            SHOP, base_path="/v2"
        )

    @pytest.mark.parametrize("url", ["https://up.example/v1", "http://shop.example/v1"])
    def test_at_another_origin_nothing_follows_but_the_ids(self, url: str) -> None:
        place = SHOP.at(url, scope=AddressScope.PUBLIC)
        assert (place.headers, place.forward_headers) == ((), frozenset())
        assert (place.ocp_headers, place.scope) == (OcpHeaders.IDS, AddressScope.PUBLIC)
        assert (place.base_url, place.name, place.timeout_seconds) == (url, "shop", 3)

    def test_only_what_the_operator_has_named_may_ask_people(self) -> None:
        trusted = replace(SHOP, interaction=True)
        assert trusted.at("https://shop.example/v2", scope=AddressScope.PUBLIC).interaction
        assert not trusted.at("https://up.example", scope=AddressScope.PUBLIC).interaction

    def test_what_is_off_stays_off(self) -> None:
        silent = replace(SHOP, ocp_headers=OcpHeaders.OFF)
        place = silent.at("https://up.example", scope=AddressScope.PUBLIC)
        assert place.ocp_headers is OcpHeaders.OFF

    def test_operations_are_found_by_method_and_path(self) -> None:
        place = SHOP.at("https://up.example", scope=AddressScope.PUBLIC)
        shop = replace(SHOP, elsewhere={("POST", "/files"): place})
        assert shop.of("POST", "/files") is place
        assert shop.of("GET", "/files") is shop
        assert shop.origins == {"https://shop.example", "https://up.example"}


NEVER = ["169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"]
NEVER += ["168.63.129.16", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "224.0.0.1", "ff02::1"]
NEVER += ["fd00:ec2::23", "fd20:ce::254", "::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"]
# RFC 6052 section 2.2: 169.254.169.254 behind prefixes of 48, 56 and 64 bits.
NEVER += ["64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00::"]
NEVER += ["64:ff9b:1:6464:64:c800::", "::6464:64c8"]  # 100.100.100.200
NEAR = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "0.0.0.0"]  # noqa: S104
NEAR += ["fd12::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1"]
NEAR += ["64:ff9b:1::808:808", "64:ff9b:1:808:8:800::", "::808:808"]
FAR = ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", [*NEVER, *NEAR, *FAR])
def test_a_scope_bounds_where_a_name_may_lead(text: str) -> None:
    address = ip_address(text)
    assert AddressScope.ANY.admits(address)
    assert AddressScope.NEAR.admits(address) is (text not in NEVER)
    assert AddressScope.PUBLIC.admits(address) is (text in FAR)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", "127.0.0.1"),
        ("LOCALHOST.", "127.0.0.1"),
        ("api.localhost", "127.0.0.1"),
        ("metadata.google.internal", "169.254.169.254"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("api.example", None),
        ("localhost.example", None),
    ],
)
def test_some_hosts_say_by_themselves_where_they_are(host: str, expected: str | None) -> None:
    assert literal_address(host) == (ip_address(expected) if expected else None)
    assert AddressScope.PUBLIC.admits_host(host) is (expected is None)
