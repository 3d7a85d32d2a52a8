"""Catalogs and the garbage collector."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from gateway.catalog import Catalog, read_catalog
from gateway.openapi import read_description
from gateway.wiring.collecting import collector_at_rest
from tests.support.documents import document, operation, query

NODE = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}


class Cycle:
    """As a connection is one, once it is closed."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_a_catalog_that_nobody_uses_needs_no_collector() -> None:
    """Else each reload would leave one behind: collections do not look at them."""
    get = operation(parameters=[query("q", {"type": "string"})], body=NODE, answer=NODE)
    root = document({"/x": {"post": get}}, components={"schemas": {"Node": NODE}})
    gc.collect()
    with collector_at_rest():
        api = read_catalog(read_description(root, api="shop"))
        catalog = Catalog([api])
        (tool,) = catalog.view().tools.values()
        _ = (catalog.digest, tool.digest, tool.input_schema, api.routes.match("POST", "/x"))
        references = [weakref.ref(it) for it in (api, catalog, catalog.view())]
        del api, catalog, tool
        assert [reference() for reference in references] == [None, None, None]


def test_what_has_lived_through_a_load_goes_with_the_next() -> None:
    open_connection = Cycle()
    with collector_at_rest():
        pass
    gone = weakref.ref(open_connection)
    del open_connection
    with collector_at_rest():
        pass

    assert gone() is None


def test_the_collector_rests_only_meanwhile() -> None:
    before = gc.get_freeze_count()
    with collector_at_rest():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > before


def test_what_is_garbage_before_a_load_is_not_kept_by_it() -> None:
    gone = weakref.ref(Cycle())
    with collector_at_rest():
        pass
    gc.collect()

    assert gone() is None
