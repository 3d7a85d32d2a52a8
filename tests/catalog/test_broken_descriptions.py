"""Descriptions that broke something once, each reduced to what did it (see tests/torture)."""

from random import Random

import pytest

from tests.support.documents import document, operation, query
from tests.support.survival import survive


def nested(value: object, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


BROKEN: dict[str, dict[str, object]] = {
    "a brace that opens no placeholder": document({"/{": {"get": operation()}}),
    "an operationId that is no text": document({"/a": {"get": operation(operationId={"a": 1})}}),
    "a constant of a thousand levels": document(
        {"/a": {"get": operation(parameters=[query("a", {"const": nested(1, 900)})])}}
    ),
    "a required list of a thousand levels": document(
        {"/a": {"post": operation(body={"required": nested("a", 900)})}}
    ),
}


@pytest.mark.parametrize("root", BROKEN.values(), ids=BROKEN)
def test_it_is_published_without_what_is_broken(root: dict[str, object]) -> None:
    assert survive(root, Random(0)) == "published"  # noqa: S311 - the same every time
