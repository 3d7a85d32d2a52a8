"""A second opinion on the styles that are RFC 6570's: a library that expands URI Templates."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import uritemplate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.calls.styles import path_text, query_pairs
from gateway.openapi import Parameter

# Style and explode as the operator and modifier of an expression (OpenAPI 3.1.1 appendix C).
TEMPLATES: Mapping[tuple[str, bool], str] = {
    ("simple", False): "{color}",
    ("simple", True): "{color*}",
    ("label", False): "{.color}",
    ("label", True): "{.color*}",
    ("matrix", False): "{;color}",
    ("matrix", True): "{;color*}",
    ("form", False): "{?color}",
    ("form", True): "{?color*}",
}
# Of one character at least, and never 0: the library writes `;color=` for the empty member of an
# exploded matrix, where section 3.2.7 has `;color`, gives undefined lists a name, and takes 0 for
# nothing. tests/support/conformance.py has these cases from the RFC itself.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = (
    TEXTS
    | st.integers(min_value=1)
    | st.lists(TEXTS, min_size=1, max_size=4)
    | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4).map(
        # The library writes members in the order of their names, RFC 6570 in the one given.
        lambda members: dict(sorted(members.items()))
    )
)


def parameter(style: str, *, explode: bool) -> Parameter:
    return Parameter(
        name="color",
        location="query" if style == "form" else "path",
        required=True,
        schema=True,
        pointer="",
        schema_pointer="",
        style=style,
        explode=explode,
    )


def sent(style: str, value: object, *, explode: bool) -> str:
    declared = parameter(style, explode=explode)
    if style == "form":
        return "?" + "&".join(f"{name}={text}" for name, text in query_pairs(declared, value))
    return path_text(declared, value)


@pytest.mark.parametrize(("style", "explode"), TEMPLATES, ids=[f"{s} {e}" for s, e in TEMPLATES])
@settings(max_examples=60, deadline=None)
@given(value=VALUES)
def test_a_style_is_the_expansion_of_its_template(
    style: str, explode: bool, value: str | int | list[str] | dict[str, str]
) -> None:
    expanded = uritemplate.expand(TEMPLATES[style, explode], {"color": value})
    assert sent(style, value, explode=explode) == expanded


@settings(max_examples=60, deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]#&=+%")))
def test_allow_reserved_is_reserved_expansion_but_for_what_no_query_may_hold(value: str) -> None:
    declared = replace(parameter("form", explode=True), allow_reserved=True)
    ((_, text),) = query_pairs(declared, value)
    assert text == uritemplate.expand("{+color}", {"color": value})
