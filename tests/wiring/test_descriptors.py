import pytest

from gateway.wiring.descriptors import MOST, RESERVED, connections_for, raise_descriptors


@pytest.mark.parametrize(
    ("descriptors", "connections"),
    [(20_000, 15_000), (1_024, 768), (256, 128), (RESERVED, 8), (MOST, 49_152)],
)
def test_r13_something_is_left_for_everything_else(descriptors: int, connections: int) -> None:
    assert connections_for(descriptors) == connections


def test_r13_the_limit_is_what_may_be_had() -> None:
    had = raise_descriptors()
    assert 0 < had <= MOST
    assert raise_descriptors() == had
