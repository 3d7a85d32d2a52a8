"""A short run of the fuzzer; `make torture` is the long one."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.torture.fuzz_descriptions import read_corpus, run_once

CORPUS = read_corpus(())


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_a_broken_description_is_refused_or_published(number: int) -> None:
    assert run_once(CORPUS, Random(number))  # noqa: S311 - to be repeated
