"""Where an API's answers lead."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.forwarding.references import Place

HERE = Place(
    asked="http://api.test:9/v1/items/7?x=1",
    origin="http://api.test:9",
    base_path="/v1",
    mount="/apis/shop",
    gateway="gw.test",
)
BARE = Place(
    asked="https://api.test/items/7",
    origin="https://api.test",
    base_path="",
    mount="/apis/shop",
    gateway="gw.test",
)


@pytest.mark.parametrize(
    ("place", "reference", "seen"),
    [
        (HERE, "http://api.test:9/v1/items/8", "/apis/shop/items/8"),
        (HERE, "HTTP://API.test:9/v1/items/8?a=%2F#f", "/apis/shop/items/8?a=%2F#f"),
        (HERE, "//api.test:9/v1/x", "/apis/shop/x"),
        (HERE, "http://api.test:9/v1", "/apis/shop/"),
        (HERE, "/v1/", "/apis/shop/"),
        (HERE, "/v1/a%2Fb//c;d", "/apis/shop/a%2Fb//c;d"),
        (HERE, "/v1?x", "/apis/shop/?x"),
        (HERE, "http:/v1/x", "/apis/shop/x"),
        (BARE, "https://api.test:443/x", "/apis/shop/x"),
        (BARE, "https://api.test", "/apis/shop/"),
        (BARE, "/tools/x", "/apis/shop/tools/x"),
        (BARE, "\\x\\y?a\\b", "/apis/shop/x/y?a\\b"),
        (HERE, "https:/v1/x", "/apis/shop/x"),
        (HERE, "///api.test:9/v1/x", "/apis/shop/x"),
        (BARE, "http://gw.test/items/8", "/apis/shop/items/8"),
        (HERE, "https://gw.test/v1/items", "/apis/shop/items"),
        (HERE, "ht\ttp://api.test:9/v1/x", "/apis/shop/x"),
        (HERE, "\x01 /v1/x \x1f", "/apis/shop/x"),
    ],
)
def test_s45_what_is_below_the_base_url_is_below_the_mount(
    place: Place, reference: str, seen: str
) -> None:
    assert place.translate(reference) == seen


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        ("/login?next=%2Fv1", "http://api.test:9/login?next=%2Fv1"),
        ("/v10/x", "http://api.test:9/v10/x"),
        ("http://api.test:9/", "http://api.test:9/"),
        ("../../tools", "http://api.test:9/tools"),
        ("/v1/%2e%2e/tools", "http://api.test:9/tools"),
        ("/v1/..\\tools", "http://api.test:9/tools"),
        ("..\\..\\..\\tools", "http://api.test:9/tools"),
        ("https://gw.test/mcp", "http://api.test:9/mcp"),
        ("https:/tools", "http://api.test:9/tools"),
        ("http://gw.test/apis/shop/../../t", "http://api.test:9/apis/shop/../../t"),
        ("http://gw.test/apis/shop/%2e%2e/x", "http://api.test:9/apis/shop/../x"),
        ("/v1/%252e%252e/tools", "http://api.test:9/v1/%252e%252e/tools"),
        ("http://api.test:9\\@evil.test/v1", "http://api.test:9/@evil.test/v1"),
        ("\\/gw.test/tools", "http://api.test:9/tools"),
        ("http:/\t/\t/gw.test/tools", "http://api.test:9/tools"),
    ],
)
def test_s45_what_is_beside_the_base_url_never_leads_to_our_own_endpoints(
    reference: str, seen: str
) -> None:
    assert HERE.translate(reference) == seen


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        ("../../tools", "/apis/shop/tools"),
        ("..\\..\\tools?x#y", "/apis/shop/tools?x#y"),
        ("..\t/.\t./tools", "/apis/shop/tools"),
        (".\r./\n../tools", "/apis/shop/tools"),
        ("../../..", "/apis/shop/"),
        ("a/../../../contexts", "/apis/shop/contexts"),
        ("../%2e%2E/../tools", "/apis/shop/tools"),
        ("../.%2e/../tools", "/apis/shop/tools"),
        ("../%252e%252e/tools", "https://api.test/%252e%252e/tools"),
        ("h\tttps://gw.test/tools", "/apis/shop/tools"),
        ("/\t/gw.test/tools", "/apis/shop/tools"),
        ("\t//api.test/tools", "/apis/shop/tools"),
    ],
)
def test_s45_at_a_root_nobody_climbs_from_the_api_to_our_own_endpoints(
    reference: str, seen: str
) -> None:
    assert BARE.translate(reference) == seen


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        ("login", "/apis/shop/login"),
        ("./login", "/apis/shop/login"),
        ("?page=2", "/apis/shop/?page=2"),
        ("", "/apis/shop/?x=1"),
    ],
)
def test_s45_what_is_relative_to_the_root_does_not_lead_to_another_api(
    reference: str, seen: str
) -> None:
    """The mount without its slash is that root as well."""
    assert replace(HERE, asked="http://api.test:9/v1/?x=1").translate(reference) == seen


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("0;url=/v1/x", "0;url=/apis/shop/x"),
        (" 1.5 , URL = '/v1/x' ; y", " 1.5 , URL = '/apis/shop/x' ; y"),
        ("0 /v1/x", "0 /apis/shop/x"),
        ("0\turl=/v1/x", "0\turl=/apis/shop/x"),
        ('3; "/v1/a\'b"c', '3; "/apis/shop/a\'b"c'),
        ("0;/v1/it's", "0;/apis/shop/it's"),
        ("0;x'/../../../../tools", "0;http://api.test:9/tools"),
        ("0; url='/v1/x", "0; url='/apis/shop/x"),
        ("5", "5"),
        ("5;", "5;"),
        ("soon;/v1/x", "soon;/v1/x"),
        ("0x/v1/x", "0x/v1/x"),
    ],
)
def test_s45_a_refresh_is_read_as_browsers_do(value: str, seen: str) -> None:
    assert HERE.translate_refresh(value) == seen


@pytest.mark.parametrize(
    "reference",
    [
        *("8", "./8", "../x", "?page=2", "#top", "", "a/b"),
        *("https://api.test:9/v1/x", "http://api.test/v1/x", "http://u@api.test:9/v1/x"),
        *(
            "/\\evil.test",
            "///evil.test",
            "http://169.254.169.254/latest",
            "//evil.test/v1/x",
            "mailto:a@b.test",
            "urn:x:y",
        ),
        *("https://gw.test/apis/shop/x", "http://[::1"),
        "http://api.test:99999999/v1/x",
    ],
)
def test_s45_all_others_stay_as_they_are(reference: str) -> None:
    assert HERE.translate(reference) == reference


CHARACTERS = st.text(alphabet="abv1/.%2eE5cFf\\;?#:@ht pxw\t", max_size=24)
PREFIXES = st.sampled_from(
    [
        *("", "/", "../", "..\t/../", "/v1/", "//", "http://api.test:9", "https://api.test/"),
        *("http://api.test:9/v1/", "https://gw.test/", "h\tttps://gw.test/"),
    ]
)


@settings(max_examples=1_000)
@given(st.sampled_from([HERE, BARE]), PREFIXES, CHARACTERS)
def test_s45_no_reference_of_the_api_leads_to_our_own_endpoints(
    place: Place, prefix: str, rest: str
) -> None:
    host, path = where_browsers_go("/apis/shop/items/7", place.translate(prefix + rest))
    if host == "gw.test":
        assert f"{path}/".startswith("/apis/shop/"), place.translate(prefix + rest)


def where_browsers_go(start: str, reference: str) -> tuple[str, str]:
    r"""WHATWG URL: ends and tabs are nothing, `\` is `/`, `%2e` is a dot, at the root `..` is."""
    read = re.sub(r"[\t\r\n]", "", reference.strip("".join(map(chr, range(0x21)))))
    read = re.sub(r"[?#].*", "", read).replace("\\", "/").replace("%2e", ".").replace("%2E", ".")
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", read)
    host = "gw.test"
    if scheme is not None and scheme[0].lower() not in ("http:", "https:"):
        return scheme[0], read
    relative = read[scheme.end() :] if scheme else read
    # Without slashes a scheme of the page's own says nothing, any other is followed by a host.
    if relative.startswith("//") or (scheme and scheme[0].lower() == "http:"):
        try:
            host = urlsplit(f"//{relative.lstrip('/')}").netloc.lower()
        except ValueError:
            return "", ""
        relative = relative.lstrip("/")[len(host) :] or "/"
    segments = [] if relative.startswith("/") else start.split("/")[1:-1]
    for segment in relative.removeprefix("/").split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment != ".":
            segments.append(segment)
    return host, "/" + "/".join(segments)
