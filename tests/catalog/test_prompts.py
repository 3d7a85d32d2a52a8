"""Placeholders in prompts."""

import pytest

from gateway.catalog import fill, placeholders


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a={{a}}, b={{b}}", "a=1, b=2"),
        ("{{ a }}", "1"),
        ("{{a}}{{a}}", "11"),
        ("{{{a}}}", "{1}"),
        ("{{missing}}!", "!"),
        ("{{ }} {{a b}} {a} {{1}}", "{{ }} {{a b}} {a} {{1}}"),
    ],
    ids=["two", "spaces", "repeated", "braces around", "not given", "no names"],
)
def test_names_between_braces_are_replaced(text: str, filled: str) -> None:
    assert fill(text, {"a": "1", "b": "2"}) == filled


def test_a_value_is_never_expanded_again() -> None:
    assert fill("{{a}} {{b}}", {"a": "{{b}}", "b": r"\g<0>{{a}}"}) == r"{{b}} \g<0>{{a}}"


def test_the_names_are_told_in_order() -> None:
    assert placeholders("{{b}} {{ a }} {{b}} {{no name}}") == ("b", "a", "b")
