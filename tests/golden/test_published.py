"""What the edge cases publish, byte for byte: `python -m tests.support.edge.catalogs` writes it."""

from functools import cache

import pytest

from gateway.sources import parse
from tests.support.edge.catalogs import VERSIONS, golden, golden_text, published, source


@cache
def described(version: str) -> object:
    return parse(source(version).read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_format_is_the_golden_one(version: str) -> None:
    assert golden_text(published(version, described(version))) == golden(version).read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bytes_do_not_depend_on_the_order_of_operations(version: str) -> None:
    root = described(version)
    assert isinstance(root, dict)
    turned = {
        path: dict(reversed(item.items())) if isinstance(item, dict) else item
        for path, item in reversed(root["paths"].items())
    }
    assert golden_text(published(version, {**root, "paths": turned})) == golden(version).read_text()
