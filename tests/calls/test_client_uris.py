"""Which URIs parsers of clients take."""

import pytest

from gateway.calls.client_uris import is_for_clients


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/x?y#z",
        "https://a.example.",
        "HTTP://A_b.example:8443",
        "http://a:/",
        "https://user:password@a.example/",
        "http://xn--mnchen-3ya.de/",
        "http://XN--MNCHEN-3YA.de/",
        "https://xn--4dbcagdahymbxekheh6e0a7fei0b.example/",
        "http://192.0.2.1/",
        "http://192.0.2.1./",
        "http://1.2.3.4.example/",
        "http://[2001:db8::1]:80/",
        "http://[::ffff:192.0.2.1]/",
        "http://a.example/%zz{}",
        "file:///etc/hosts",
        "file:/etc/hosts",
        "file://a.example/x",
        "urn:isbn:0451450523",
        "mailto:a@b",
        "data:text/plain,x",
        "test://a",
        "test://256.256.256.256/",
        "test://$()/",
        "test:///x",
        "test:\\x",
        "test://[::1]/",
    ],
)
def test_which_are_taken(uri: str) -> None:
    assert is_for_clients(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http:",
        "http://",
        "http:///a",
        "http:a",
        "https:?",
        "https://user:pw@/x",
        "http://:80/",
        "http://a:b:c/",
        "http://a:99999/",
        "http://a:x/",
        "http://256.256.256.256/",
        "http://1.2.3.4.5/",
        "http://a.1/",
        "http://0x/",
        "ws://1.1.1.256/",
        "http://a.0x7f./",
        "http://a..b/",
        "http://./",
        "http://" + "a" * 64 + "/",
        "http://" + "a." * 128 + "/",
        "http://a%2e/",
        "http://a<b>/",
        "http://a^b/",
        "http://~/",
        "http://a\\b/",
        "http://a.example/\\b",
        "http://[::1/",
        "http://[::1]x/",
        "http://[::1%251]/",
        "http://[1.2.3.4]/",
        "http://xn--a/",
        "http://XN--A/",
        "http://xn--/",
        "http://a.xn--zzzzzz99999/",
        # A digit at the start beside Hebrew: RFC 5893 section 2, rule 1.
        "http://1a.xn--4dbcagdahymbxekheh6e0a7fei0b/",
        "file://xn--a/",
        "file://a:80/",
        "file://user@a/",
        "file:\\\\a\\x",
        "test://a<b>/",
        "test://:80/",
        "test://user@/",
        "test://[::g]/",
    ],
)
def test_which_are_not(uri: str) -> None:
    assert not is_for_clients(uri)
