"""Where an API and its operations are, by the operator's word and the description's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import Placement, place_operations
from gateway.openapi import read_description
from gateway.upstreams import split_base_url

FILE = None
SPEC = "https://api.example/docs/openapi.json"


def placed(
    root: list[str] | None,
    own: list[str] | None,
    *,
    base_url: str | None = None,
    location: str | None = FILE,
) -> Placement:
    """A description with the operations `GET /own`, which has servers of its own, and `GET /x`."""
    document = {
        "openapi": "3.1.0",
        "servers": servers(root),
        "paths": {"/own": {"get": {"servers": servers(own)}}, "/x": {"get": {}}},
    }
    description = read_description(document, api="shop")
    return place_operations(description, base_url=base_url, location=location)


def servers(urls: list[str] | None) -> list[dict[str, str]]:
    return [{"url": url} for url in urls or []]


def place_of_own(placement: Placement) -> str | None:
    """Where `GET /own` is; None where it was left out."""
    kept = {operation.path for operation in placement.description.operations}
    assert "/x" in kept
    assert placement.elsewhere.get(("GET", "/x")) is None
    if "/own" not in kept:
        return None
    return placement.elsewhere.get(("GET", "/own"), placement.base_url)


def said(placement: Placement) -> list[tuple[str, str, str]]:
    return [(p.severity, p.pointer, p.message) for p in placement.description.problems]


@pytest.mark.parametrize(
    ("root", "location", "expected"),
    [
        pytest.param(["https://a/v1"], FILE, "https://a/v1", id="absolute"),
        pytest.param(["/v1", "https://b"], FILE, "https://b", id="file, after a relative one"),
        pytest.param(["/v1"], SPEC, "https://api.example/v1", id="URL, relative"),
        pytest.param(None, SPEC, "https://api.example", id="URL, none"),
        pytest.param(None, FILE, None, id="file, none"),
        pytest.param(["http://127.0.0.1:9"], FILE, "http://127.0.0.1:9", id="file, loopback"),
        pytest.param(["http://10.0.0.1"], FILE, "http://10.0.0.1", id="file, private"),
        pytest.param(["http://169.254.169.254"], FILE, None, id="file, link-local"),
        pytest.param(["http://metadata.google.internal"], FILE, None, id="file, metadata"),
        pytest.param(["http://[::ffff:169.254.169.254]"], FILE, None, id="file, in IPv6"),
        pytest.param(["http://localhost", "https://b"], SPEC, "https://b", id="URL, loopback"),
        pytest.param(["http://192.168.1.1"], SPEC, None, id="URL, private"),
        pytest.param(
            ["http://192.168.1.2"], "http://10.0.0.1/a.json", "http://192.168.1.2", id="from inside"
        ),
        pytest.param(["http://127.0.0.1"], "http://127.0.0.1/a", "http://127.0.0.1", id="itself"),
    ],
)
def test_the_api_is_at_its_first_usable_server(
    root: list[str] | None, location: str | None, expected: str | None
) -> None:
    assert placed(root, None, location=location).base_url == expected


@pytest.mark.parametrize(
    ("root", "location", "named"),
    [
        pytest.param(
            ["http://169.254.169.254/x"], FILE, ["http://169.254.169.254"], id="link-local"
        ),
        pytest.param(
            ["/", "http://[fe80::1]"], FILE, ["http://[fe80::1]"], id="a relative one, too"
        ),
        pytest.param(
            ["http://192.168.1.1"], SPEC, ["http://192.168.1.1"], id="private, from a URL"
        ),
        pytest.param(["/v1"], FILE, [], id="relative"),
        pytest.param(None, FILE, [], id="none"),
    ],
)
def test_servers_that_are_all_refused_are_an_error(
    root: list[str] | None, location: str | None, named: list[str]
) -> None:
    told = "is no address that a description may name; without base_url nothing can be called"
    expected = [("error", "/servers", f"'{origin}' {told}") for origin in named]
    assert said(placed(root, None, location=location)) == expected


@pytest.mark.parametrize(
    ("root", "own", "location", "expected"),
    [
        pytest.param("https://a/v1", ["https://a/v2"], FILE, "https://a/v2", id="other path"),
        pytest.param("https://a/v1", ["https://a"], FILE, "https://a", id="no path"),
        pytest.param("https://a/v1", ["/v2"], FILE, "https://a/v2", id="file, relative"),
        pytest.param("/v1", ["/v2"], SPEC, "https://api.example/v2", id="URL, relative"),
        pytest.param(
            "https://a", ["/v2"], SPEC, "https://api.example/v2", id="relative to the description"
        ),
        pytest.param("https://a", ["https://b"], FILE, "https://b", id="other origin"),
        pytest.param(
            "https://a", ["https://b", "https://a/2"], FILE, "https://a/2", id="own first"
        ),
        pytest.param("https://A:443", ["https://a/2"], FILE, "https://a/2", id="same origin"),
        pytest.param("https://a", ["http://a"], FILE, "http://a", id="other scheme"),
        pytest.param("https://a", ["http://10.0.0.1"], FILE, None, id="public to private"),
        pytest.param("https://a", ["http://localhost"], FILE, None, id="public to loopback"),
        pytest.param("https://a", ["http://10.0.0.1", "https://b"], FILE, "https://b", id="next"),
        pytest.param(
            "http://10.0.0.1", ["http://10.0.0.2"], FILE, "http://10.0.0.2", id="among private"
        ),
        pytest.param("http://10.0.0.1", ["http://169.254.1.1"], FILE, None, id="link-local"),
        pytest.param("http://10.0.0.1", ["http://100.100.100.200"], FILE, None, id="metadata"),
        pytest.param("https://a", ["javascript:alert(1)"], FILE, None, id="no server"),
        pytest.param("https://a", ["https://{x}"], FILE, None, id="no default"),
    ],
)
def test_an_operation_goes_where_its_servers_say(
    root: str, own: list[str], location: str | None, expected: str | None
) -> None:
    assert place_of_own(placed([root], own, location=location)) == expected


@pytest.mark.parametrize(
    ("root", "own", "base_url", "expected"),
    [
        pytest.param("https://a", "https://evil", "http://m", "http://m", id="other origin"),
        pytest.param("https://a", "//evil", "http://m", "http://m", id="other host"),
        pytest.param("https://a/v1", "https://a/v1", "http://m", "http://m", id="the API's own"),
        pytest.param("https://a/v1", "https://a/v1/up", "http://m/x", "http://m/x/up", id="below"),
        pytest.param("https://a", "https://a/up", "http://m/x", "http://m/x/up", id="below root"),
        pytest.param("https://a/v1", "https://a", "http://m/v1", "http://m", id="above"),
        pytest.param("https://a/v1", "https://a/v2", "http://m/v1", "http://m/v2", id="beside"),
        pytest.param("https://a/v1", "https://a/v2", "http://m/x/v1", "http://m/x/v2", id="deep"),
        pytest.param("https://a/v1", "https://a/v2", "http://m", "http://m", id="unclear"),
        pytest.param("https://a/v1", "https://a/v10", "http://m/x", "http://m/x", id="no segment"),
        pytest.param("https://a/v1", "/v2", "http://m/v1", "http://m/v2", id="relative"),
        pytest.param("/v1", "/v2", "http://m/v1", "http://m/v2", id="both relative"),
        pytest.param("/v1", "v1/up", "http://m/v1", "http://m/v1/up", id="relative, no slash"),
        pytest.param("https://a", "http://m/up", "http://m", "http://m/up", id="base_url's origin"),
        pytest.param("https://a", "https://{x}", "http://m", "http://m", id="no default"),
        pytest.param(
            "https://a", "http://10.0.0.1", "http://10.0.0.9", "http://10.0.0.9", id="near"
        ),
    ],
)
def test_with_base_url_everything_stays_at_its_origin(
    root: str, own: str, base_url: str, expected: str
) -> None:
    assert place_of_own(placed([root], [own], base_url=base_url)) == expected


@given(
    st.lists(st.text(max_size=30) | st.sampled_from(["https://a/b", "//c", "/d"]), max_size=3),
    st.lists(st.text(max_size=30) | st.sampled_from(["https://a/e", "//c", "../f"]), max_size=3),
    st.sampled_from([FILE, SPEC]),
)
def test_nothing_that_a_description_says_leaves_the_origin_of_base_url(
    root: list[str], own: list[str], location: str | None
) -> None:
    placement = placed(root, own, base_url="http://m.example/v1", location=location)
    urls = {placement.base_url, *placement.elsewhere.values()}
    assert {split_base_url(url)[0] for url in urls if url} == {"http://m.example"}


def test_what_is_special_is_said() -> None:
    other = placed(["https://a"], ["https://b/up"])
    assert said(other) == [
        (
            "warning",
            "/paths/~1own/get",
            (
                "GET /own: 'https://b' is another origin: no headers and credentials of the API go "
                "there, and /apis neither"
            ),
        )
    ]
    inside = placed(["https://a"], ["http://10.0.0.1/up"])
    assert said(inside) == [
        (
            "error",
            "/paths/~1own/get",
            (
                "GET /own skipped: 'http://10.0.0.1' is no address that a description may name; "
                "an API entry of its own can reach it by base_url"
            ),
        )
    ]
    unused = placed(["https://a"], ["https://b/up"], base_url="http://m")
    assert said(unused) == [
        (
            "warning",
            "/paths/~1own/get",
            "GET /own: base_url is used, not its own server 'https://b/up'",
        )
    ]
    assert said(placed(["https://a"], ["https://a/up"])) == []
    assert said(placed(["https://a"], ["https://a/up"], base_url="http://m")) == []


@pytest.mark.parametrize(
    ("urls", "base_url", "elsewhere"),
    [
        (["https://a/v1", "https://a/v1"], "https://a/v1", {}),
        (
            ["https://a/v1", "https://a/v2"],
            "https://a",
            {"/0": "https://a/v1", "/1": "https://a/v2"},
        ),
        (["https://a", "https://b"], None, {}),
        (["https://a", None], None, {}),
        (["https://a", "/v1"], None, {}),
    ],
    ids=["one place", "one origin", "two origins", "one without", "one relative"],
)
def test_operations_of_one_origin_place_an_api_that_has_no_server(
    urls: list[str | None], base_url: str | None, elsewhere: dict[str, str]
) -> None:
    paths = {f"/{n}": {"get": {"servers": servers([u] if u else None)}} for n, u in enumerate(urls)}
    description = read_description({"openapi": "3.1.0", "paths": paths}, api="shop")
    placement = place_operations(description, base_url=None, location=FILE)
    assert placement.base_url == base_url
    assert {path: url for (_, path), url in placement.elsewhere.items()} == elsewhere
    assert len(placement.description.operations) == len(urls)
