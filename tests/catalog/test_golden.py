import pytest

from gateway.sources import parse
from tests.support.documents import shuffled
from tests.support.golden import EDGE, GOLDEN, catalog_text

SOURCE = parse(EDGE.read_bytes())


def test_the_edge_cases_lead_to_the_golden_catalog() -> None:
    assert catalog_text(SOURCE) == GOLDEN.read_text()


@pytest.mark.parametrize("seed", range(5))
def test_the_catalog_is_the_same_bytes_whatever_the_order_of_the_document(seed: int) -> None:
    assert catalog_text(shuffled(SOURCE, seed)) == GOLDEN.read_text()
