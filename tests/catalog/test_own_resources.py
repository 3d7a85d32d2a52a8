"""The URIs of what the gateway itself offers."""

import pytest

from gateway.catalog import CONTEXT_URI, OwnKind, OwnUri, read_own_uri, result_uri

HANDLE = "0123456789abcdef" * 2
KNOWN = {
    "gateway://apis/shop/openapi": OwnUri(kind=OwnKind.API, name="shop"),
    "gateway://tools/getItem": OwnUri(kind=OwnKind.TOOL, name="getItem"),
    "gateway://tools/a%20b": OwnUri(kind=OwnKind.TOOL, name="a b"),
    "gateway://contexts/ocp-1": OwnUri(kind=OwnKind.CONTEXT, name="ocp-1"),
    CONTEXT_URI: OwnUri(kind=OwnKind.CONTEXT),
    f"gateway://results/{HANDLE}": OwnUri(kind=OwnKind.RESULT, name=HANDLE),
    f"gateway://results/{HANDLE}?start=5": OwnUri(kind=OwnKind.RESULT, name=HANDLE, start=5),
    f"gateway://results/{HANDLE}?length=2&start=5": OwnUri(
        kind=OwnKind.RESULT, name=HANDLE, start=5, length=2
    ),
}


@pytest.mark.parametrize(("uri", "meaning"), KNOWN.items(), ids=KNOWN)
def test_a_uri_of_ours_is_read(uri: str, meaning: OwnUri) -> None:
    assert read_own_uri(uri) == meaning


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "gateway://apis/shop",
        "gateway://apis/shop/openapi/x",
        "gateway://apis//openapi",
        "gateway://tools/",
        "gateway://tools/a/b",
        "gateway://tools/a?b",
        "gateway://contexts/",
        "GATEWAY://context",
        "gateway://results/short",
        f"gateway://results/{HANDLE.upper()}",
        f"gateway://results/{HANDLE}?start=-1",
        f"gateway://results/{HANDLE}?start=1&start=2",
        f"gateway://results/{HANDLE}?start=1&",
        f"gateway://results/{HANDLE}?start=٣",
        f"gateway://results/{HANDLE}?other=1",
        f"gateway://results/{HANDLE}\n",
    ],
)
def test_what_names_nothing_of_ours_is_nothing(uri: str) -> None:
    assert read_own_uri(uri) is None


def test_the_uri_of_a_result_is_read_again() -> None:
    assert read_own_uri(result_uri(HANDLE, 7)) == OwnUri(kind=OwnKind.RESULT, name=HANDLE, start=7)
    assert read_own_uri(result_uri(HANDLE)) == OwnUri(kind=OwnKind.RESULT, name=HANDLE)
