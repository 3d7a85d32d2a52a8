"""Templates of resource URIs: read, expanded, matched."""

from urllib.parse import quote

import pytest
import uritemplate
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import read_template, uri_fault
from gateway.catalog.uri_templates import MAX_URI, MAX_VARIABLES

READ = {
    "no template": ("test://a/b", "has no {variable}"),
    "no scheme": ("{a}/b", "scheme"),
    "a variable for a scheme": ("{a}:b", "scheme"),
    "an explode": ("test://{a*}", "only {name} and {+name}"),
    "a query": ("test://x{?a}", "only {name} and {+name}"),
    "a lone brace": ("test://{a}/}", "only {name} and {+name}"),
    "twice": ("test://{a}/{+a}", "a variable twice"),
    "nothing between": ("test://{a}{b}", "nothing between"),
    "a space": ("test://{a} b", "no spaces"),
    "half a code": ("test://{a}/%z1", "two hex digits"),
    "too many": ("t:" + "/".join(f"{{v{n}}}" for n in range(MAX_VARIABLES + 1)), "more than"),
    "too long": ("t:{a}" + "b" * MAX_URI, "longer than"),
}


@pytest.mark.parametrize(("text", "reason"), READ.values(), ids=READ)
def test_a_text_that_is_no_template_is_told_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("{", r"\{").replace("+", r"\+")):
        read_template(text)


MATCHES: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "one": ("test://t/{id}/data", "test://t/123/data", {"id": "123"}),
    "at the end": ("test://t/{id}", "test://t/a%20b", {"id": "a b"}),
    "an encoded slash": ("test://t/{id}", "test://t/a%2Fb", {"id": "a/b"}),
    "no UTF-8": ("test://t/{id}", "test://t/%FF", None),
    "half a code": ("test://t/{id}", "test://t/%2", None),
    "a further segment": ("test://t/{id}", "test://t/a/b", None),
    "a query": ("test://t/{id}", "test://t/a?b", None),
    "a fragment": ("test://t/{id}", "test://t/a#b", None),
    "empty": ("test://t/{id}", "test://t/", None),
    "another start": ("test://t/{id}", "test://u/1", None),
    "another end": ("test://t/{id}/data", "test://t/1/date", None),
    "ends that overlap": ("test://t/{id}/t/", "test://t/t/", None),
    "several segments": ("test://t/{+path}", "test://t/a/b%2Fc?d", {"path": "a/b/c?d"}),
    "two": ("t:{a}-{b}", "t:1-2-3", {"a": "1", "b": "2-3"}),
    "two, the first empty": ("t:{a}-{b}", "t:-2", None),
    "a path between": ("t:{+a}/end/{b}", "t:x/y/end/z", {"a": "x/y", "b": "z"}),
    "case": ("t:{a}", "T:1", None),
    "too long": ("t:{a}", "t:" + "x" * MAX_URI, None),
    "half a surrogate pair": ("t:{a}", "t:\ud800", None),
}


@pytest.mark.parametrize(("text", "uri", "values"), MATCHES.values(), ids=MATCHES)
def test_a_uri_is_matched_segment_by_segment(
    text: str, uri: str, values: dict[str, str] | None
) -> None:
    assert read_template(text).match(uri) == values


@given(st.text(min_size=1).filter(lambda text: quote(text, errors="replace") != ""), st.booleans())
def test_what_is_expanded_is_matched_again(value: str, is_path: bool) -> None:
    template = read_template("test://t/{+v}/data" if is_path else "test://t/{v}/data")
    text = value.encode(errors="replace").decode()
    uri = template.expand({"v": text})

    if "%" not in text and len(uri) <= MAX_URI:
        assert template.match(uri) == {"v": text}
    if not is_path:
        assert uri == uritemplate.expand("test://t/{v}/data", {"v": text})


def test_what_has_no_value_is_left_out() -> None:
    assert read_template("t:{a}/{b}").expand({"b": "1"}) == "t:/1"


@given(st.text(alphabet="t:/{}+a%? ", max_size=30), st.text(alphabet="t:/a%2F-", max_size=30))
def test_any_text_is_a_template_or_a_fault(text: str, uri: str) -> None:
    try:
        template = read_template(text)
    except ValueError:
        return
    values = template.match(uri)
    assert values is None or list(values) == list(template.names)


def test_a_uri_of_many_near_matches_takes_no_time() -> None:
    template = read_template("t:" + "/".join(f"{{+v{n}}}" for n in range(MAX_VARIABLES)) + "/end")
    assert template.match("t:" + "a/" * (MAX_URI // 2 - 2)) is None


@pytest.mark.parametrize("uri", ["a:b", "test://x/y?z=1#f", "urn:isbn:1"])
def test_an_absolute_uri_is_no_fault(uri: str) -> None:
    assert uri_fault(uri) is None


@pytest.mark.parametrize("uri", ["", "x", "/x", "a:", "a:b c", 'a:"b"', "a:b\n", "1a:b", "a:%1"])
def test_what_is_no_absolute_uri_is_a_fault(uri: str) -> None:
    assert uri_fault(uri)
