from collections.abc import Mapping

import pytest

from gateway.openapi import Document
from gateway.openapi.patterns import MAX_LARGE, Patterns
from tests.support.documents import catalog, document, operation, query

LARGE = [f"^(a{{1,{n}}}){{1,90}}$" for n in range(60, 60 + MAX_LARGE + 1)]


def patterns(values: object, **parts: object) -> Patterns:
    return Patterns(Document({"x": values}, parts=parts))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("^[a-z]{1,63}$", True, id="small"),
        pytest.param("^(?=a)\\p{L}$", True, id="look-ahead"),
        pytest.param("^.{1,2048}$", True, id="large"),
        pytest.param(LARGE[0], True, id="large by repetition"),
        pytest.param("(a{1,999}){1,99}", False, id="too large"),
        pytest.param("((a{1000}){1000}){1000}", False, id="endless"),
        pytest.param("(", False, id="no pattern"),
        pytest.param("a\u200bb", False, id="hidden character"),
    ],
)
def test_a_pattern_is_admitted_when_it_can_be_matched(text: str, expected: bool) -> None:
    assert patterns({"pattern": text}).admits(text) is expected


def schemas(texts: list[str]) -> list[Mapping[str, object]]:
    return [{"pattern": text} for text in texts]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(patterns(schemas(LARGE[1:])), True, id="as many as may be"),
        pytest.param(patterns(schemas(LARGE[1:] * 3)), True, id="each of them often"),
        pytest.param(patterns(schemas(LARGE)), False, id="one more"),
        pytest.param(
            patterns({"patternProperties": dict.fromkeys(LARGE, True)}), False, id="names"
        ),
        pytest.param(patterns([], **{"a.yaml": schemas(LARGE)}), False, id="another document"),
    ],
)
def test_many_large_patterns_are_none(found: Patterns, expected: bool) -> None:
    assert found.admits(LARGE[1]) is expected
    assert found.admits("^[a-z]{1,63}$")


def test_what_is_left_out_is_reported_and_published_without_it() -> None:
    parameters = [query(f"p{i}", {"pattern": text}) for i, text in enumerate(LARGE)]
    made = catalog(document({"/a": {"get": operation(parameters=parameters)}}))
    (tool,) = made.tools.values()

    assert "pattern" not in repr(tool.input_schema)
    assert len(made.problems) == len(LARGE)
